"""The sentences, on numbers written by hand."""

import pytest

from experiments.models import Arm, Experiment, Look
from experiments.verdicts import decide

pytestmark = pytest.mark.django_db
Verdict = Look.Verdict
STATE = {"control": "a", "closed": [], "is_final": False, "is_stopped": False}


@pytest.fixture
def experiment(in_workspace) -> Experiment:
    settings = {"alpha": 0.05, "power": 0.8, "mde": 0.2, "analysis": "sequential"}
    row = Experiment.objects.create(
        workspace=in_workspace,
        name="x",
        hypothesis="y",
        design="A",
        metric="conversions",
        planned_units=1000,
        settings=settings,
    )
    for position, key in enumerate("abc"):
        Arm.objects.create(
            workspace=in_workspace,
            experiment=row,
            key=key,
            name=key.upper(),
            position=position,
            is_control=not position,
        )
    return row


def lift(log_ratio: float, low: float, high: float, *, sure: bool = False, error: float = 0.05) -> dict:
    return {
        "log_ratio": log_ratio,
        "shrunk_log": log_ratio * 0.9,
        "shrunk": log_ratio * 0.9,
        "interval": [low, high],
        "raw_interval": [low, high],
        "is_significant": sure,
        "chance_better": 0.98,
        "error": error,
    }


def result(*lifts: dict, units: int = 600, **more) -> dict:
    arms = [{"key": "a", "lift": None}, *({"key": key, "lift": one} for key, one in zip("bc", lifts, strict=False))]
    return {"arms": arms, "smallest_arm": units, "days_left": 3} | more


UP, DOWN, FLAT, VAGUE = (
    lift(0.3, 0.1, 0.6, sure=True),
    lift(-0.3, -0.5, -0.1, sure=True),
    lift(0, -0.1, 0.1),
    lift(0, -0.5, 0.5),
)


@pytest.mark.parametrize(
    ("numbers", "state", "verdict", "words"),
    [
        (result(UP), {}, Verdict.BETTER, "“B” converts better than “A”: +27% (+10% to +60%), and with a chance of 98%"),
        (result(VAGUE, UP), {}, Verdict.BETTER, "“C” converts better"),
        (result(DOWN), {}, Verdict.HARMFUL, "does worse than “A”: -27% (-50% to -10%). Keep “A”."),
        (result(DOWN, VAGUE), {}, Verdict.KEEP_GOING, "600 of 1,000 visitors in the smallest arm so far. About 3 days"),
        (result(DOWN, DOWN), {}, Verdict.HARMFUL, "Every variant does worse"),
        (result(DOWN, VAGUE, units=1000), {"is_final": True}, Verdict.HARMFUL, "“B” does worse than “A”: -27%"),
        (result(DOWN, VAGUE), {"is_final": True}, Verdict.HARMFUL, "“B” does worse than “A”: -27%"),
        (result(FLAT), {}, Verdict.NO_DIFFERENCE, "a lift of 20% would most likely have shown"),
        (result(FLAT, VAGUE), {}, Verdict.KEEP_GOING, "Keep going"),
        (result(VAGUE), {"is_final": True}, Verdict.CANNOT_TELL, "too few to find a lift of 20%"),
        (result(VAGUE, units=1000), {"is_final": True}, Verdict.NO_DIFFERENCE, "between -50% and +50%"),
        (result(VAGUE), {"is_stopped": True}, Verdict.CANNOT_TELL, "Cannot tell: it ended with 600 of 1,000 visitors"),
        (result(VAGUE, days_left=1), {}, Verdict.KEEP_GOING, "About 1 day left."),
        (result(VAGUE, days_left=None), {}, Verdict.KEEP_GOING, "so far."),
    ],
)
def test_the_verdict_follows_from_the_numbers(experiment, numbers, state, verdict, words):
    found, sentence = decide(experiment, STATE | state, numbers, [])
    assert (found, words in sentence) == (verdict, True), sentence


def test_a_noisy_test_says_what_it_could_have_found(experiment):
    noisy = lift(0, -0.6, 0.6, error=0.25)
    sentence = decide(experiment, STATE | {"is_final": True}, result(noisy, units=1000), [])[1]
    # 2.8 standard errors, as a lift.
    assert "a lift of 101% would most likely have shown" in sentence


def test_where_lower_is_better_down_is_up(experiment):
    experiment.lower_is_better = True
    assert decide(experiment, STATE, result(DOWN), [])[0] == Verdict.BETTER
    assert decide(experiment, STATE, result(UP), [])[0] == Verdict.HARMFUL


def test_a_fixed_horizon_says_nothing_before_its_end(experiment):
    experiment.settings["analysis"] = "fixed"
    assert decide(experiment, STATE, result(UP), [])[0] == Verdict.KEEP_GOING
    assert decide(experiment, STATE | {"is_final": True}, result(UP), [])[0] == Verdict.BETTER


def test_a_closed_arm_is_no_winner(experiment):
    assert decide(experiment, STATE | {"closed": ["b"]}, result(UP, VAGUE), [])[0] == Verdict.KEEP_GOING


def test_what_is_refused_has_the_reason_for_its_sentence(experiment):
    refused = [{"code": "x", "reason": "The numbers are odd.", "next": "Look."}]
    assert decide(experiment, STATE, result(UP), refused) == (Verdict.CANNOT_TELL, "Cannot tell: the numbers are odd.")


def test_no_sentence_is_longer_than_its_column(experiment):
    Arm.objects.filter(key="b").update(name="B" * 80)
    Arm.objects.filter(key="a").update(name="A" * 80)
    assert len(decide(experiment, STATE, result(UP), [])[1]) <= 500
