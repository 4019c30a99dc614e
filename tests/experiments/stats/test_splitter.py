import hashlib
import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from experiments.stats.splitter import Assignment, Split, assign, is_enrolled, score

UNITS = [f"u{number}" for number in range(20_000)]
RAMP = (0.01, 0.05, 0.2, 0.5, 1.0)


def arms(split, units=UNITS):
    return np.array([assign(split, unit).arm for unit in units])


def test_score_is_the_first_53_bits_of_the_digest():
    bits = bin(int(hashlib.sha256(b"salt:unit").hexdigest(), 16))[2:].zfill(256)
    assert score("salt", "unit") == int(bits[:53], 2) / 2**53


def test_scores_are_uniform():
    scores = [score("s", unit) for unit in UNITS]
    assert stats.kstest(scores, "uniform").pvalue > 0.001
    assert min(scores) >= 0
    assert max(scores) < 1


@pytest.mark.parametrize("weights", [(1, 1), (0.5, 0.3, 0.2), (90, 10), (1, 0, 3), (0.1,) * 10])
def test_arms_follow_the_weights(weights):
    found = np.bincount(arms(Split("w", weights)), minlength=len(weights))
    expected = np.array(weights) / sum(weights) * len(UNITS)
    open_arms = expected > 0
    assert found[~open_arms].sum() == 0
    assert stats.chisquare(found[open_arms], expected[open_arms]).pvalue > 0.001


def test_a_hundred_thousand_units_split_evenly():
    found = np.bincount(arms(Split("large", (1, 1, 1, 1)), [str(number) for number in range(100_000)]))
    assert stats.chisquare(found).pvalue > 0.001


def test_a_ramp_moves_no_enrolled_unit():
    before = {}
    for share in RAMP:
        after = {unit: assign(Split("r", (1, 2, 1), share=share), unit) for unit in UNITS[:8000]}
        after = {unit: given for unit, given in after.items() if given is not None}
        assert {unit: after.get(unit) for unit in before} == before
        assert abs(len(after) / 8000 - share) < 0.025
        before = after
    assert len(before) == 8000


def test_the_share_says_nothing_about_the_arm():
    enrolled = np.array([is_enrolled(Split("i", (1, 1), share=0.3), unit) for unit in UNITS])
    table = np.histogram2d(enrolled, arms(Split("i", (1, 1))), bins=2)[0]
    assert stats.chi2_contingency(table).pvalue > 0.001


@pytest.mark.parametrize(("one", "other"), itertools.combinations(["a", "b", "a1", "a/arms"], 2))
def test_experiments_with_different_salts_are_independent(one, other):
    table = np.histogram2d(arms(Split(one, (1, 1))), arms(Split(other, (1, 1))), bins=2)[0]
    assert stats.chi2_contingency(table).pvalue > 0.001


def test_ranges_of_one_layer_share_no_unit():
    first = Split("x", (1, 1), layer="checkout", layer_range=(0.0, 0.4))
    second = Split("y", (1, 1), layer="checkout", layer_range=(0.4, 1.0))
    member_of = np.array([[is_enrolled(split, unit) for split in (first, second)] for unit in UNITS])
    assert (member_of.sum(axis=1) == 1).all()
    assert abs(member_of[:, 0].mean() - 0.4) < 0.015


def test_another_layer_is_independent():
    halves = [Split("x", (1, 1), layer=layer, layer_range=(0.0, 0.5)) for layer in ("one", "two")]
    member_of = np.array([[is_enrolled(split, unit) for split in halves] for unit in UNITS])
    assert stats.chi2_contingency(np.histogram2d(*member_of.T, bins=2)[0]).pvalue > 0.001


def test_a_change_of_weights_is_a_new_epoch_and_moves_nobody_assigned():
    first = Split("e", (1, 1))
    second = first.next_epoch((9, 1))
    stored = {unit: assign(first, unit) for unit in UNITS[:10_000]}
    now = {unit: assign(second, unit, stored.get(unit)) for unit in UNITS}
    assert {unit: now[unit] for unit in stored} == stored
    late = [now[unit] for unit in UNITS[10_000:]]
    assert {given.epoch for given in late} == {2}
    assert {given.propensity for given in late} == {0.9, 0.1}
    assert abs(np.mean([given.arm for given in late]) - 0.1) < 0.015


def test_a_stored_assignment_wins_over_a_closed_experiment():
    stored = Assignment(1, 0.5, 1)
    assert assign(Split("e", (1, 0), share=0.0), "u", stored) == stored
    assert assign(Split("e", (1, 0), share=0.0), "u") is None


def test_the_holdout_stays_at_equal_weights():
    given = [assign(Split("h", (0.97, 0.01, 0.02), holdout=0.1), unit) for unit in UNITS]
    held = [one for one in given if one.is_holdout]
    assert abs(len(held) / len(UNITS) - 0.1) < 0.01
    assert {one.propensity for one in held} == {1 / 3}
    assert stats.chisquare(np.bincount([one.arm for one in held])).pvalue > 0.001
    assert abs(np.mean([one.arm == 0 for one in given if not one.is_holdout]) - 0.97) < 0.01


def test_the_holdout_does_not_change_with_the_epoch():
    first = Split("h", (1, 1), holdout=0.2)
    held = [[assign(split, unit).is_holdout for unit in UNITS[:2000]] for split in (first, first.next_epoch((8, 1)))]
    assert held[0] == held[1]


@settings(max_examples=100, deadline=None)
@given(st.lists(st.floats(0, 1e6), min_size=1, max_size=12).filter(lambda weights: sum(weights) > 1e-9), st.text())
def test_every_unit_gets_an_open_arm_and_propensities_sum_to_one(weights, unit):
    split = Split("p", tuple(weights))
    given = assign(split, unit)
    assert weights[given.arm] > 0
    assert given.propensity == split.propensities[given.arm]
    assert sum(split.propensities) == pytest.approx(1)
    assert split.bounds[-1] == 1
    assert list(split.bounds) == sorted(split.bounds)


@pytest.mark.parametrize(
    "wrong",
    [
        {"weights": ()},
        {"weights": (0, 0)},
        {"weights": (1, -1)},
        {"weights": (1, float("nan"))},
        {"weights": (1, float("inf"))},
        {"weights": (1, 1), "share": 1.1},
        {"weights": (1, 1), "share": float("nan")},
        {"weights": (1, 1), "holdout": -0.1},
        {"weights": (1, 1), "layer_range": (0.5, 1.5)},
    ],
)
def test_what_makes_no_split_is_refused(wrong):
    with pytest.raises(ValueError, match="must be"):
        Split("s", **wrong)
