"""Each of the eleven rules: what brings it about, and that nothing is concluded then."""

from datetime import UTC, datetime, timedelta

import pytest

from analytics.models import Exposure
from experiments import refusals, services
from experiments.looks import look_at, read
from experiments.models import Experiment, Look
from experiments.segments import read_segments
from lib.clock import now, shifted
from sandbox.audience import Taste
from tests.experiments.cast import Crowd, create, measured, paper_pairs, read_paper, run_split

pytestmark = pytest.mark.django_db
MORE = dict.fromkeys(("likes", "replies", "reposts", "quotes", "bookmarks"), 3.0)
LOUD = Taste({"question": MORE}, has_builtin=False)
VERDICTS = ("better", "worse", "No meaningful difference", "harm", "Keep going")


def check_refused(look: Look, code: str) -> None:
    """The rule is there with its reason and a next step, and no verdict is."""
    found = {refusal["code"]: refusal for refusal in look.refusals}
    assert code in found
    assert found[code]["reason"].endswith(".")
    assert found[code]["next"].endswith(".")
    assert look.verdict == Look.Verdict.CANNOT_TELL
    assert look.sentence.startswith("Cannot tell: ")
    assert not any(word in look.sentence for word in VERDICTS)


def looked_at(experiment: Experiment, **delta: float) -> Look:
    with shifted(timedelta(**delta)):
        return look_at(experiment)


def test_1_too_few_pairs(roastery, bob_actor):
    check_refused(read_paper(*paper_pairs(bob_actor, roastery, LOUD, pairs=5)), "too_few_units")


def test_1_too_few_posts_of_a_style(roastery, bob_actor):
    experiment = run_programme(bob_actor, roastery)
    look = looked_at(experiment, days=91)
    check_refused(look, "too_few_units")


def test_2_a_broken_split(link, bob_actor):
    experiment = run_split(bob_actor, link)
    Crowd(experiment, link, {"a": 0.1, "b": 0.3}).visit(1000, lost={"a": 0.5})
    check_refused(looked_at(experiment, hours=2), "broken_split")


def test_3_posts_of_different_ages(roastery, bob_actor):
    experiment, data = paper_pairs(bob_actor, roastery, LOUD)
    assert read_paper(experiment, data).refusals == []
    data["posts"][3]["age_h"] = 33.0
    check_refused(read_paper(experiment, data), "ages_differ")


def test_3_posts_that_are_still_growing(roastery, bob_actor):
    experiment, data = paper_pairs(bob_actor, roastery, LOUD, data={"waiting": ["the last one"]})
    check_refused(read_paper(experiment, data), "ages_differ")


def test_4_pooled_impressions_of_different_posts(roastery, bob_actor):
    check_refused(read_paper(*paper_pairs(bob_actor, roastery, LOUD, settings={"analysis": "pooled"})), "pooled_posts")


def test_5_an_observation(roastery, bob_actor):
    experiment = run_observation(bob_actor, roastery)
    look = looked_at(experiment)
    check_refused(look, "observation")
    assert "p" not in look.result
    assert look.result["arms"] == []


def test_6_a_sure_look_before_the_registered_end(link, bob_actor):
    experiment = run_split(bob_actor, link, settings={"analysis": "fixed"})
    Crowd(experiment, link, {"a": 0.1, "b": 0.3}).visit(1000)
    check_refused(looked_at(experiment, days=2), "peeked")


def test_6_pairs_that_were_stopped_when_they_looked_good(roastery, bob_actor):
    stopped = {"is_final": False, "is_stopped": True}
    check_refused(read_paper(*paper_pairs(bob_actor, roastery, LOUD, data=stopped)), "peeked")
    quiet = read_paper(*paper_pairs(bob_actor, roastery, Taste(has_builtin=False), data=stopped))
    assert (quiet.refusals, quiet.verdict) == ([], Look.Verdict.CANNOT_TELL)


def test_7_shares_that_nobody_knows(link, bob_actor):
    experiment = run_split(bob_actor, link, allocation="thompson")
    Crowd(experiment, link, {"a": 0.1, "b": 0.3}).visit(1000)
    Exposure.objects.update(epoch=7)
    look = looked_at(experiment, hours=2)
    check_refused(look, "no_propensities")


def test_8_a_best_time_from_too_few_posts(roastery, bob_actor):
    check_refused(looked_at(run_optimiser(bob_actor, roastery, posts=20)), "slot_unclear")


def test_8_a_best_time_that_may_be_no_better_than_the_week(roastery, bob_actor):
    check_refused(looked_at(run_optimiser(bob_actor, roastery, posts=61)), "slot_unclear")


def test_9_the_first_post_works_on_into_the_second(roastery, bob_actor):
    experiment, data = paper_pairs(bob_actor, roastery, LOUD, pairs=14)
    # Where the question came first, both posts of the pair do far better.
    first = {post["block"] for post in data["posts"] if post["arm"] == "b" and post["position"] == 0}
    for post in data["posts"]:
        post["y"] += 1.4 * (post["block"] in first)
    check_refused(read_paper(experiment, data), "carry_over")


def test_10_a_metric_that_was_changed_after_the_start(link, bob_actor):
    experiment = run_split(bob_actor, link)
    Crowd(experiment, link, {"a": 0.1, "b": 0.3}).visit(1000)
    Experiment.objects.filter(pk=experiment.pk).update(horizon_days=3)
    experiment.refresh_from_db()
    check_refused(looked_at(experiment, hours=2), "changed_after_start")


def test_11_a_segment_that_was_not_named_before(link, bob_actor):
    experiment = run_split(bob_actor, link)
    Crowd(experiment, link, {"a": 0.1, "b": 0.3}).visit(600)
    look = looked_at(experiment, hours=2)
    found = read_segments(look, "device")
    assert [refusal["code"] for refusal in found.refusals] == ["unregistered_segment"]
    assert found.is_exploratory
    assert {row["name"] for row in found.rows} == {"unknown"}
    assert not any(word in str(found.refusals) for word in VERDICTS)


def test_11_a_registered_segment_is_no_exploration(link, bob_actor):
    experiment = run_split(bob_actor, link, settings={"segments": ["link"]})
    Crowd(experiment, link, {"a": 0.1, "b": 0.3}).visit(600)
    found = read_segments(looked_at(experiment, hours=2), "link")
    assert (found.refusals, found.is_exploratory) == ([], False)
    assert found.rows[0]["is_significant"]


def test_a_healthy_test_is_refused_nothing(link, bob_actor):
    experiment = run_split(bob_actor, link)
    Crowd(experiment, link, {"a": 0.1, "b": 0.12}).visit(500)
    look = looked_at(experiment, hours=2)
    assert look.refusals == []
    assert all(rule(experiment, look.data, look.result) is None for rule in refusals.RULES)


def test_there_are_eleven_rules_and_each_has_its_code():
    assert len(refusals.RULES) == 11
    codes = {"too_few_units", "broken_split", "ages_differ", "pooled_posts", "observation", "peeked", "no_propensities"}
    codes |= {"slot_unclear", "carry_over", "changed_after_start", "unregistered_segment"}
    assert codes == {
        "changed_after_start" if rule is refusals.changed_after_start else rule.__name__ for rule in refusals.RULES
    }


def test_no_winner_of_an_observation(roastery, bob_actor):
    from campaigns.errors import NotAllowedNow

    with pytest.raises(NotAllowedNow, match="no experiment"):
        services.choose_winner(run_observation(bob_actor, roastery), "a", by=bob_actor)


def test_refused_numbers_are_the_same_when_read_again(link, bob_actor):
    experiment = run_split(bob_actor, link)
    Crowd(experiment, link, {"a": 0.1, "b": 0.3}).visit(500, lost={"a": 0.5})
    look = looked_at(experiment, hours=2)
    assert read(experiment, look.data)[1] == look.refusals


def run_programme(by, connection) -> Experiment:
    arms = [services.ArmDraft("Plain", {"style": "Say it."}), services.ArmDraft("Question", {"style": "Ask it."})]
    draft = create(
        by,
        name="Style",
        hypothesis="Asking works.",
        design="E",
        metric="engagement_rate",
        arms=arms,
        horizon_days=90,
    )
    return services.start_experiment(draft, by=by)


def run_observation(by, connection) -> Experiment:
    settings = {"connection": str(connection.pk), "changed_at": (now() - timedelta(days=10)).isoformat()}
    draft = create(
        by, name="New tone", hypothesis="It helped.", design="G", metric="like_rate", arms=[], settings=settings
    )
    return services.start_experiment(draft, by=by)


def run_optimiser(by, connection, *, posts: int) -> Experiment:
    quiet = Taste(has_builtin=False, swing=0)
    for number in range(posts):
        measured(connection, datetime(2026, 2, 1, 12, tzinfo=UTC) + timedelta(hours=7 * number), "Fresh beans.", quiet)
    draft = create(
        by,
        name="When",
        hypothesis="Evenings.",
        design="F",
        metric="engagement_rate",
        arms=[],
        settings={"connection": str(connection.pk), "quiet_hours": [0, 1, 2, 3, 4]},
    )
    return services.start_experiment(draft, by=by)
