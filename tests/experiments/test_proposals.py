"""What is proposed for a question, and what is said where it would take too long."""

import pytest

from experiments.proposals import LANDING, PAST, QUESTIONS, STYLE, TIMING, WORDING, Goal, propose_design


@pytest.mark.parametrize(
    ("goal", "design"),
    [
        (Goal(LANDING, visitors_per_day=500), "A"),
        (Goal(WORDING, posts_per_week=14), "C"),
        (Goal(WORDING, posts_per_week=14, channels=3), "D"),
        (Goal(STYLE, posts_per_week=14), "E"),
        (Goal(TIMING, posts_per_week=14), "F"),
        (Goal(PAST), "G"),
    ],
)
def test_each_question_has_its_design(goal, design):
    proposal = propose_design(goal)
    assert proposal.design == proposal.badge.letter == design
    assert proposal.why.endswith(".")
    assert proposal.sentence.endswith(".")


def test_enough_visitors_take_a_month():
    # 20 % against 25 % needs 1,094 visitors of each page.
    proposal = propose_design(Goal(LANDING, lift=0.25, base_rate=0.2, visitors_per_day=100))
    assert (proposal.units, proposal.days, proposal.is_feasible) == (1094, 22, True)
    assert proposal.sentence == "About 22 days: 1,094 visitors for each variant."
    assert proposal.settings["base_rate"] == 0.2


def test_too_few_visitors_are_told_what_they_can_find():
    proposal = propose_design(Goal(LANDING, lift=0.1, base_rate=0.02, visitors_per_day=50))
    assert not proposal.is_feasible
    assert proposal.smallest_lift > 0.1
    assert proposal.sentence.startswith("Not feasible in 90 days: it would take ")
    assert f"The smallest detectable lift in that time is {proposal.smallest_lift:.0%}." in proposal.sentence
    # That lift is then feasible, just.
    found = propose_design(Goal(LANDING, lift=proposal.smallest_lift * 1.01, base_rate=0.02, visitors_per_day=50))
    assert found.is_feasible


def test_pairs_are_planned_at_the_present_rate_of_posts():
    slow, fast = (propose_design(Goal(WORDING, lift=0.35, posts_per_week=rate)) for rate in (7, 14))
    assert slow.units == fast.units >= 6
    assert slow.days == pytest.approx(2 * fast.days, abs=1)
    assert slow.settings["pairs"] == slow.units


@pytest.mark.parametrize("question", [LANDING, WORDING, STYLE, TIMING])
def test_nothing_comes_in(question):
    proposal = propose_design(Goal(question))
    assert (proposal.days, proposal.is_feasible) == (None, False)
    assert "Say how many" in proposal.sentence


@pytest.mark.parametrize("question", [*QUESTIONS])
@pytest.mark.parametrize("lift", [0.01, 0.5, 3.0])
@pytest.mark.parametrize("rate", [0.001, 1, 1e6])
def test_extreme_goals_are_answered(question, lift, rate):
    goal = Goal(question, lift=lift, visitors_per_day=rate, posts_per_week=rate, base_rate=0.05)
    assert propose_design(goal).sentence


def test_a_question_that_is_none_is_refused():
    with pytest.raises(ValueError, match="question"):
        propose_design(Goal("magic"))
