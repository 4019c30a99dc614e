import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from experiments.stats.bandits import (
    RULES,
    BetaArms,
    NormalArms,
    allocate,
    beta_arms,
    draw_arm,
    stop_reason,
    with_floor,
    with_holdout,
)
from experiments.stats.errors import StatsError
from experiments.stats.maturity import weibull_curve

counts = st.integers(0, 2000).map(float)
tables = st.lists(st.tuples(counts, counts), min_size=1, max_size=8)


def rates(*pairs):
    won, shown = np.array(pairs, float).T
    return BetaArms(won, shown - won)


def amounts(*rows):
    return NormalArms(*np.array(rows, float).T)


def test_few_conversions_give_the_exact_chances():
    standing = rates((1, 100), (0, 100), (3, 100)).standing()
    assert standing.p_best == pytest.approx([0.173445, 0.043678, 0.782876], abs=1e-5)
    assert standing.expected_loss == pytest.approx([0.022387, 0.032190, 0.002779], abs=1e-5)
    assert standing.leader == 2


@pytest.mark.parametrize(
    ("weights", "floor", "expected"),
    [
        ([0, 0, 0.1, 0.9], 0.1, [0.1, 0.1, 0.16, 0.64]),
        ([0.2, 0.8], 0.6, [0.5, 0.5]),
        ([0.2, 0.8], -0.3, [0.2, 0.8]),
        ([0.2, 0.8], 0, [0.2, 0.8]),
        ([1.0], 0.3, [1.0]),
    ],
)
def test_no_arm_falls_below_the_floor(weights, floor, expected):
    assert with_floor(weights, floor) == pytest.approx(expected)


@settings(max_examples=60, deadline=None)
@given(tables, st.sampled_from(sorted(RULES)), st.floats(0, 0.3), st.booleans())
def test_shares_are_shares_whatever_the_data(table, rule, floor, lower_is_better):
    won, lost = np.array(table).T
    shares = allocate(BetaArms(won, lost), rule, floor=floor, lower_is_better=lower_is_better)
    assert shares.sum() == pytest.approx(1)
    assert shares.min() >= min(floor, 1 / len(shares)) - 1e-12
    held = with_holdout(shares, 0.1)
    assert held.sum() == pytest.approx(1)
    assert held.min() >= 0.1 / len(shares)


@settings(max_examples=40, deadline=None)
@given(tables, st.sampled_from(sorted(RULES)))
def test_lower_is_better_mirrors_success_and_failure(table, rule):
    won, lost = np.array(table).T
    lowest = allocate(BetaArms(won, lost), rule, lower_is_better=True)
    assert lowest == pytest.approx(allocate(BetaArms(lost, won), rule), abs=1e-9)


@pytest.mark.parametrize("rule", sorted(RULES))
def test_two_arms_to_minimise_work(rule):
    shares = allocate(rates((10, 1000), (60, 1000)), rule, lower_is_better=True)
    assert shares[0] >= 0.5 - 1e-9
    assert shares.sum() == pytest.approx(1)


@pytest.mark.parametrize("rule", sorted(RULES))
@pytest.mark.parametrize("arms", [rates((5, 100), (5, 100), (5, 100)), rates((0, 0), (0, 0), (0, 0))])
def test_equal_arms_share_equally(rule, arms):
    assert allocate(arms, rule) == pytest.approx([1 / 3] * 3)


@pytest.mark.parametrize("rule", ["thompson", "epsilon", "kl_ucb"])
def test_the_best_arm_gets_most(rule):
    assert allocate(rates((10, 1000), (60, 1000), (20, 1000)), rule)[1] > 0.85


def test_top_two_shares_the_best_arms_half_with_its_challengers():
    shares = allocate(rates((10, 1000), (60, 1000), (50, 1000)), "top_two", floor=0)
    assert 0.4 < shares[1] < 0.6
    assert 0.4 < shares[2] < 0.6


def test_top_two_is_what_redrawing_gives():
    arms = rates((12, 300), (18, 300), (15, 300))
    rng = np.random.default_rng(1)
    winners = rng.beta(*np.array(arms.posteriors).T[:, :, None], (3, 60_000)).argmax(axis=0)
    first, second = winners[::2], winners[1::2]
    # Of those that would have to draw again only the rest says who the challenger is.
    challenged = [np.bincount(second[(first == arm) & (second != arm)], minlength=3) for arm in range(3)]
    expected = np.bincount(first) / len(first) / 2
    expected += sum(np.mean(first == arm) * seen / seen.sum() for arm, seen in enumerate(challenged)) / 2
    assert allocate(arms, "top_two", floor=0) == pytest.approx(expected, abs=0.01)


def test_top_two_of_a_certain_winner_tries_the_others_equally():
    shares = allocate(rates((0, 10**6), (10**6, 10**6), (0, 10**6)), "top_two", floor=0)
    assert shares == pytest.approx([0.25, 0.5, 0.25])


def test_kl_ucb_tries_what_is_unknown_first():
    assert allocate(rates((50, 100), (0, 0)), "kl_ucb", floor=0) == pytest.approx([0, 1])
    low, high = rates((5, 100)).bounds(np.log(100))
    assert low < 0.05 < high
    for bound in (low, high):
        kl = 0.05 * np.log(0.05 / bound) + 0.95 * np.log(0.95 / (1 - bound))
        assert 100 * kl == pytest.approx(np.log(100), rel=1e-6)


def test_an_unknown_rule_is_refused():
    with pytest.raises(StatsError, match="one of"):
        allocate(rates((1, 2)), "guess")


@pytest.mark.parametrize("wrong", [([1], [1, 2]), ([], []), ([-1], [1]), ([np.nan], [1]), ([1], [np.inf])])
def test_impossible_counts_are_refused(wrong):
    with pytest.raises(StatsError, match=r"needs successes|at least 0"):
        BetaArms(*(np.array(part, float) for part in wrong))


def test_amounts_are_compared_by_their_means():
    arms = amounts((400, 10.0, 400 * 25.0), (400, 10.6, 400 * 25.0), (400, 9.0, 400 * 25.0))
    standing = arms.standing()
    rng = np.random.default_rng(2)
    location, scale, freedom = arms.posterior()
    drawn = location + scale * rng.standard_t(freedom, (200_000, 3))
    assert standing.p_best == pytest.approx(np.bincount(drawn.argmax(axis=1), minlength=3) / 200_000, abs=0.004)
    assert standing.expected_loss == pytest.approx(drawn.max(axis=1).mean() - drawn.mean(axis=0), abs=0.004)


def test_lower_amounts_can_be_better():
    arms = amounts((50, 10.0, 500.0), (50, 12.0, 500.0))
    assert arms.standing(lower_is_better=True).p_best == pytest.approx(arms.standing().p_best[::-1])
    assert allocate(arms, "kl_ucb", lower_is_better=True)[0] > 0.9


@pytest.mark.parametrize("rule", sorted(RULES))
def test_amounts_are_shared_by_every_rule(rule):
    shares = allocate(amounts((0, 0.0, 0.0), (3, 5.0, 1.0), (300, 4.0, 900.0)), rule)
    assert shares.sum() == pytest.approx(1)
    assert shares.min() >= 0.01 - 1e-12


def test_a_young_batch_is_not_held_against_its_arm():
    curve = weibull_curve(24.0, 1.0)
    shown, won = [[500, 500], [0, 400]], [[25, 25], [0, 4]]
    naive = beta_arms(shown, won, [200.0, 5.0])
    corrected = beta_arms(shown, won, [200.0, 5.0], curve=curve)
    assert naive.standing().p_best[1] < 0.1
    assert corrected.standing().p_best[1] > 0.4
    assert corrected.failures[1] == pytest.approx(500 + 400 * curve.at(5.0) - 29)


def test_more_successes_than_matured_exposures_leave_no_negative_failures():
    assert beta_arms([[10]], [[8]], [0.0], curve=weibull_curve(24.0, 1.0)).failures == [0.0]


def test_old_batches_count_half_after_each_half_life():
    arms = beta_arms([[100, 100], [100, 100]], [[40, 10], [10, 40]], [48.0, 0.0], half_life_h=24.0)
    assert arms.successes == pytest.approx([20, 42.5])
    assert arms.trials == pytest.approx([125, 125])


@pytest.mark.parametrize("wrong", [([[1, 2]], [[1]], [0]), ([1, 2], [1, 2], [0]), ([[1, 2]], [[1, 1]], [0, 1])])
def test_batches_need_a_row_each(wrong):
    with pytest.raises(StatsError, match="row for each batch"):
        beta_arms(*wrong)


@pytest.mark.parametrize(
    ("arms", "hours", "spent", "expected"),
    [
        (rates((500, 10_000), (300, 10_000)), 200, False, "settled"),
        (rates((500, 10_000), (300, 10_000)), 100, False, None),
        (rates((50, 1000), (49, 1000)), 200, False, None),
        (rates((50, 1000), (49, 1000)), 10, True, "budget"),
        (rates((0, 0), (0, 0)), 500, False, None),
    ],
)
def test_a_bandit_ends_when_being_wrong_costs_little_and_a_week_was_seen(arms, hours, spent, expected):
    assert stop_reason(arms.standing(), hours_seen=hours, is_budget_spent=spent) == expected


def test_drawn_arms_come_as_often_as_they_are_best():
    arms = rates((1, 100), (0, 100), (3, 100))
    rng = np.random.default_rng(4)
    drawn = [draw_arm(arms.posteriors, rng) for _ in range(4000)]
    assert np.bincount(drawn, minlength=3) / 4000 == pytest.approx(arms.standing().p_best, abs=0.03)


def test_the_same_data_give_the_same_digits():
    first, second = (allocate(rates((7, 90), (9, 80), (3, 70))) for _ in range(2))
    assert (first == second).all()
