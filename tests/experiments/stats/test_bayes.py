import math
import time

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import integrate, stats

from experiments.stats.bayes import (
    Beta,
    best_arm,
    chance_of_difference,
    compare,
    difference_quantiles,
    mean_lift,
    posterior_of,
    ratio_quantiles,
)
from experiments.stats.errors import StatsError
from tests.experiments.stats.oracles import needs_vectors, trials, vectors


def random_arms(rng, count: int) -> list[Beta]:
    """From a dozen trials to a million, some without any success."""
    sizes = (10 ** rng.uniform(1, 6, count)).astype(int)
    return [posterior_of(int(rng.binomial(n, rng.uniform(0, 0.1))), int(n)) for n in sizes]


def law_by_quad(control: Beta, variant: Beta, value: float, as_ratio: bool) -> float:
    """P(p2/p1 ≤ value) or P(p2 - p1 ≤ value) by adaptive quadrature over the control's quantiles."""
    variant_cdf = stats.beta(*variant).cdf

    def chance(share):
        p1 = stats.beta.ppf(share, *control)
        return variant_cdf(p1 * value if as_ratio else p1 + value)

    return integrate.quad(chance, 0, 1, limit=400, epsabs=1e-9, epsrel=1e-9)[0]


def best_by_grid(arms: list[Beta]) -> tuple[np.ndarray, np.ndarray]:
    """Chances and losses from distribution functions of scipy on a fine even grid of rates."""
    grid = np.linspace(0, 1, 20_001)
    middle = (grid[:-1] + grid[1:]) / 2
    cdfs = np.array([stats.beta.cdf(grid, *arm) for arm in arms])
    inner = np.array([stats.beta.cdf(middle, *arm) for arm in arms])
    chances, losses = [], []
    for index in range(len(arms)):
        others = np.delete(inner, index, axis=0).prod(axis=0)
        chances.append((np.diff(cdfs[index]) * others).sum())
        losses.append((inner[index] * (1 - others)).mean())
    return np.array(chances), np.array(losses)


def test_best_arm_is_that_of_a_fine_grid() -> None:
    rng = np.random.default_rng(31)
    for _ in range(trials(8)):
        arms = [
            posterior_of(int(rng.binomial(n, rng.uniform(0, 0.6))), int(n))
            for n in rng.integers(1, 400, rng.integers(2, 7))
        ]
        chances, losses = best_by_grid(arms)
        found = best_arm(arms)
        assert found.p_best == pytest.approx(chances, abs=2e-5)
        assert found.expected_loss == pytest.approx(losses, abs=1e-5)


def test_intervals_are_quantiles_by_adaptive_quadrature() -> None:
    rng = np.random.default_rng(32)
    for _ in range(trials(3)):
        control, variant = random_arms(rng, 2)
        for quantiles, as_ratio in ((ratio_quantiles, True), (difference_quantiles, False)):
            for level, value in zip((0.025, 0.975), quantiles(control, variant, [0.025, 0.975]), strict=True):
                assert law_by_quad(control, variant, value, as_ratio) == pytest.approx(level, abs=1e-5)


def test_simulation_agrees() -> None:
    rng = np.random.default_rng(33)
    control, variant = posterior_of(7, 200), posterior_of(3, 41)
    first, second = rng.beta(*control, 400_000), rng.beta(*variant, 400_000)
    found = compare(control, variant)
    assert found.chance_to_win == pytest.approx((second > first).mean(), abs=0.003)
    assert found.risk_choose_variant == pytest.approx(np.maximum(first - second, 0).mean(), rel=0.03)
    assert found.risk_choose_control == pytest.approx(np.maximum(second - first, 0).mean(), rel=0.03)
    assert found.lift_interval == pytest.approx(np.quantile(second / first - 1, [0.025, 0.975]), rel=0.02)
    assert found.diff_interval == pytest.approx(np.quantile(second - first, [0.025, 0.975]), rel=0.03)
    assert found.lift_mean == pytest.approx((second / first - 1).mean(), rel=0.02)


def test_losses_differ_by_the_difference_of_the_means() -> None:
    for seed in range(trials(30)):
        control, variant = random_arms(np.random.default_rng(seed), 2)
        found = compare(control, variant)
        assert found.risk_choose_control - found.risk_choose_variant == pytest.approx(
            found.diff_mean, rel=1e-7, abs=1e-12
        )


ARMS = st.tuples(st.integers(0, 10**7), st.integers(0, 10**7)).map(lambda pair: posterior_of(min(pair), max(pair)))


@given(ARMS, ARMS)
@settings(max_examples=30, deadline=None, derandomize=True)
def test_swapping_the_arms_mirrors_the_answer(control, variant) -> None:
    found, other = compare(control, variant), compare(variant, control)
    assert found.chance_to_win + other.chance_to_win == pytest.approx(1, abs=1e-9)
    assert found.risk_choose_variant == pytest.approx(other.risk_choose_control, rel=1e-7, abs=1e-15)
    low, high = found.lift_interval
    assert (1 / (1 + high) - 1, 1 / (1 + low) - 1) == pytest.approx(other.lift_interval, rel=1e-5, abs=1e-9)
    assert found.diff_interval == pytest.approx((-other.diff_interval[1], -other.diff_interval[0]), rel=1e-5, abs=1e-11)


@given(st.lists(ARMS, min_size=1, max_size=6))
@settings(max_examples=30, deadline=None, derandomize=True)
def test_chances_sum_to_one_and_losses_are_not_negative(arms) -> None:
    for lower in (False, True):
        found = best_arm(arms, lower)
        assert found.p_best.sum() == pytest.approx(1)
        assert (found.p_best >= 0).all()
        assert (found.expected_loss >= 0).all()
        assert 0 <= found.expected_best <= 1


def test_equal_arms_are_equally_good() -> None:
    found = best_arm([posterior_of(10, 100)] * 5)
    assert found.p_best == pytest.approx([0.2] * 5, abs=1e-12)
    assert np.ptp(found.expected_loss) < 1e-15


def test_an_arm_without_a_conversion_is_not_thought_the_best() -> None:
    found = best_arm([posterior_of(x, 100) for x in (1, 0, 3)])
    assert found.p_best == pytest.approx([0.173, 0.044, 0.783], abs=0.001)


def test_lower_is_better_turns_the_order_also_for_two_arms() -> None:
    few, many = posterior_of(3, 100), posterior_of(12, 100)
    usual, turned = best_arm([few, many]), best_arm([few, many], lower_is_better=True)
    assert turned.p_best == pytest.approx(usual.p_best[::-1], abs=1e-12)
    assert turned.expected_loss == pytest.approx(usual.expected_loss[::-1], rel=1e-9)
    assert turned.expected_best < min(few.mean, many.mean)
    three = best_arm([posterior_of(x, 100) for x in (2, 9, 9)], lower_is_better=True)
    assert three.p_best[0] > 0.9
    assert compare(few, many, lower_is_better=True).chance_to_win == pytest.approx(turned.p_best[1])


def test_one_arm_is_the_best() -> None:
    found = best_arm([posterior_of(3, 9)])
    assert found.p_best.tolist() == [1]
    assert found.expected_best == pytest.approx(4 / 11)
    with pytest.raises(StatsError, match="at least one arm"):
        best_arm([])


@pytest.mark.parametrize(
    ("control", "variant"),
    [
        pytest.param(Beta(1, 11), Beta(1, 11), id="no success"),
        pytest.param(Beta(11, 1), Beta(11, 1), id="no failure"),
        pytest.param(Beta(1, 6), Beta(6, 1), id="none against all"),
        pytest.param(Beta(0.5, 0.5), Beta(0.5, 20.5), id="Jeffreys"),
        pytest.param(Beta(1, 3), Beta(2000, 8000), id="broad against narrow"),
        pytest.param(Beta(2000, 8000), Beta(1, 3), id="narrow against broad"),
        pytest.param(Beta(1, 1e5), Beta(1.5, 30), id="rare against broad"),
        pytest.param(Beta(9000, 1000), Beta(1, 1), id="nothing known of the variant"),
    ],
)
def test_awkward_shapes_have_exact_quantiles(control, variant) -> None:
    for quantiles, as_ratio in ((ratio_quantiles, True), (difference_quantiles, False)):
        for level, value in zip((0.025, 0.5, 0.975), quantiles(control, variant, [0.025, 0.5, 0.975]), strict=True):
            assert law_by_quad(control, variant, value, as_ratio) == pytest.approx(level, abs=2e-5)


def test_a_trillion_trials_are_as_the_normal_distribution() -> None:
    control, variant = posterior_of(5 * 10**11, 10**12), posterior_of(5 * 10**11 + 10**6, 10**12)
    found = compare(control, variant)
    spread = math.sqrt(0.5e-12)
    assert found.chance_to_win == pytest.approx(stats.norm.cdf(1e-6 / spread), rel=1e-5)
    assert found.diff_interval == pytest.approx((1e-6 - 1.959964 * spread, 1e-6 + 1.959964 * spread), rel=1e-4)
    assert found.risk_choose_variant > 0


def test_lift_has_no_mean_where_the_control_may_be_zero() -> None:
    assert math.isnan(mean_lift(Beta(1, 9), Beta(3, 9)))
    assert mean_lift(Beta(3, 9), Beta(3, 9)) > 0


def test_chance_of_a_difference_is_one_less_its_law() -> None:
    control, variant = posterior_of(20, 1000, 2, 98), posterior_of(31, 1000, 2, 98)
    assert chance_of_difference(control, variant, 0.0025) == pytest.approx(0.872446751747, abs=1e-9)
    assert chance_of_difference(control, variant, 0.0) == pytest.approx(
        compare(control, variant).chance_to_win, abs=1e-9
    )
    assert chance_of_difference(control, variant, 2.0) == 0
    assert chance_of_difference(control, variant, -2.0) == 1


@needs_vectors
def test_published_posteriors() -> None:
    spotify = vectors("bayes.json")["spotify"]
    for row in spotify["rows"]:
        assert posterior_of(row["x"], row["n"], 0.5, 0.5).interval() == pytest.approx(row["ci"], abs=0.002)
    control, variant = posterior_of(42, 104, 0.5, 0.5), posterior_of(500, 1009, 0.5, 0.5)
    row = spotify["difference control(42/104)->test(500/1009)"]
    found = compare(control, variant)
    assert found.chance_to_win == pytest.approx(row["p_test_gt_control"], abs=0.002)
    assert found.risk_choose_control == pytest.approx(row["control_loss"], abs=0.002)
    assert found.risk_choose_variant == pytest.approx(row["test_loss"], abs=0.002)
    for key, alpha in (("ci95", 0.05), ("ci99", 0.01), ("ci99.9", 0.001)):
        assert compare(control, variant, alpha).diff_interval == pytest.approx(row[key], abs=0.002)


@pytest.mark.parametrize(
    ("x", "n", "a0", "b0"), [(3, 2, 1, 1), (1, 2, 0, 1), (1, 2, 1, -1), (1, 2, math.nan, 1), (-1, 2, 1, 1)]
)
def test_impossible_posteriors_are_refused(x, n, a0, b0) -> None:
    with pytest.raises(StatsError):
        posterior_of(x, n, a0, b0)


def test_ten_arms_are_weighed_in_a_moment() -> None:
    """The measure itself is part of `make bench`; this finds a slip of an order of magnitude on any machine."""
    arms = random_arms(np.random.default_rng(34), 10)
    best_arm(arms)
    started = time.process_time()
    for _ in range(10):
        best_arm(arms)
    assert (time.process_time() - started) / 10 < 0.02
