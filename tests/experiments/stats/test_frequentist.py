import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import optimize, special, stats

from experiments.stats.errors import StatsError
from experiments.stats.frequentist import (
    Table,
    agresti_caffo_interval,
    critical_z,
    fieller_interval,
    log_ratio_interval,
    means_of_sums,
    newcombe_interval,
    pooled_test,
    score_interval_of_difference,
    score_interval_of_ratio,
    table_of,
    unpooled_test,
    welch_test,
    wilson_interval,
)
from tests.experiments.stats.oracles import needs_vectors, trials, vectors

Z = float(stats.norm.ppf(0.975))


def tables(count: int, seed: int, largest: int = 400) -> list[Table]:
    """Half with small rates, some without any success or failure."""
    rng = np.random.default_rng(seed)
    made = []
    for index in range(count):
        n1, n2 = (int(n) for n in rng.integers(1, largest, 2))
        top = 0.1 if index % 2 else 1.0
        made.append(
            table_of(int(rng.binomial(n1, rng.uniform(0, top))), n1, int(rng.binomial(n2, rng.uniform(0, top))), n2)
        )
    return made


@st.composite
def any_table(draw, largest: int = 10**6) -> Table:
    n1, n2 = draw(st.integers(1, largest)), draw(st.integers(1, largest))
    return table_of(draw(st.integers(0, n1)), n1, draw(st.integers(0, n2)), n2)


def score_by_brute_force(table: Table, value: float, as_ratio: bool) -> float:
    """The score statistic with its nuisance rate found by minimising the likelihood over a grid, then within a cell."""

    def other(p1):
        return p1 * value if as_ratio else p1 + value

    def loss(p1):
        p2 = np.clip(other(p1), 0, 1)
        first = special.xlogy(table.x1, p1) + special.xlog1py(table.n1 - table.x1, -p1)
        return -first - special.xlogy(table.x2, p2) - special.xlog1py(table.n2 - table.x2, -p2)

    low, high = (0.0, min(1.0, 1 / value)) if as_ratio else (max(0.0, -value), min(1.0, 1 - value))
    grid = np.linspace(low, high, 2001)
    best = int(loss(grid).argmin())
    cell = grid[max(best - 1, 0)], grid[min(best + 1, 2000)]
    inner = optimize.minimize_scalar(loss, bounds=cell, method="bounded", options={"xatol": 1e-13}).x
    p1 = min((inner, low, high), key=loss)
    p2 = other(p1)
    factor = value if as_ratio else 1.0
    variance = p2 * (1 - p2) / table.n2 + factor**2 * p1 * (1 - p1) / table.n1
    return (table.p2 - factor * table.p1 - (0 if as_ratio else value)) / math.sqrt(variance)


def test_ends_of_the_difference_are_where_the_score_test_turns() -> None:
    checked = 0
    for table in tables(trials(60), seed=11):
        low, high = score_interval_of_difference(table)
        for end, expected in ((low, Z), (high, -Z)):
            if abs(end) < 1 - 1e-9:
                assert score_by_brute_force(table, end, as_ratio=False) == pytest.approx(expected, abs=2e-5), table
                checked += 1
    assert checked > 100


def test_ends_of_the_ratio_are_where_the_score_test_turns() -> None:
    checked = 0
    for table in tables(trials(60), seed=12):
        low, high = score_interval_of_ratio(table)
        for end, expected in ((low, Z), (high, -Z)):
            if 1e-9 < end < 1e9:
                assert score_by_brute_force(table, end, as_ratio=True) == pytest.approx(expected, abs=2e-4), table
                checked += 1
    assert checked > 80


def test_closed_forms_are_those_of_statsmodels() -> None:
    # Loading it takes seconds.
    from statsmodels.stats.proportion import confint_proportions_2indep, proportion_confint

    for table in tables(trials(100), seed=13):
        counts = int(table.x2), int(table.n2), int(table.x1), int(table.n1)
        with np.errstate(all="ignore"):
            newcombe = confint_proportions_2indep(*counts, compare="diff", method="newcomb")
            caffo = confint_proportions_2indep(*counts, compare="diff", method="agresti-caffo")
        assert newcombe_interval(table) == pytest.approx(newcombe, rel=1e-9, abs=1e-12)
        assert agresti_caffo_interval(table) == pytest.approx(caffo, rel=1e-9, abs=1e-12)
        assert wilson_interval(table.x1, table.n1) == pytest.approx(
            proportion_confint(table.x1, table.n1, method="wilson"), rel=1e-9, abs=1e-12
        )
        if table.x1 and table.x2:
            logs = confint_proportions_2indep(*counts, compare="ratio", method="log")
            assert log_ratio_interval(table) == pytest.approx(logs, rel=1e-9)


def test_pooled_test_is_the_chi_square_of_scipy() -> None:
    for table in tables(trials(60), seed=14):
        cells = [[table.x1, table.n1 - table.x1], [table.x2, table.n2 - table.x2]]
        if min(np.sum(cells, axis=0)) > 0:
            assert pooled_test(table).p == pytest.approx(
                stats.chi2_contingency(cells, correction=False).pvalue, rel=1e-9
            )


@given(any_table(), st.sampled_from([0.01, 0.05, 0.2]))
@settings(max_examples=60, deadline=None, derandomize=True)
def test_the_display_unit_never_changes_the_decision(table, alpha) -> None:
    low, high = score_interval_of_difference(table, alpha)
    least, most = score_interval_of_ratio(table, alpha)
    p = pooled_test(table).p
    if abs(p - alpha) > 1e-9:
        assert (low > 0 or high < 0) == (p < alpha)
        assert (least > 1 or most < 1) == (p < alpha)


def test_a_thousand_tables_are_decided_alike_in_both_units() -> None:
    for table in tables(1000 if trials(1) > 1 else 250, seed=15, largest=5000):
        low, high = score_interval_of_difference(table)
        least, most = score_interval_of_ratio(table)
        assert (low > 0 or high < 0) == (least > 1 or most < 1), table


@given(any_table())
@settings(max_examples=50, deadline=None, derandomize=True)
def test_swapping_the_arms_mirrors_every_interval(table) -> None:
    low, high = score_interval_of_difference(table)
    assert score_interval_of_difference(table.swapped()) == pytest.approx((-high, -low), rel=1e-9, abs=1e-15)
    assert score_interval_of_difference(table.mirrored()) == pytest.approx((-high, -low), rel=1e-9, abs=1e-15)
    least, most = score_interval_of_ratio(table)
    mirrored = score_interval_of_ratio(table.swapped())
    assert mirrored[0] == pytest.approx(1 / most if most < math.inf else 0, rel=1e-9)
    assert 1 / mirrored[1] == pytest.approx(least, rel=1e-9)
    assert pooled_test(table.swapped()).p == pytest.approx(pooled_test(table).p, rel=1e-9)


@given(any_table())
@settings(max_examples=50, deadline=None, derandomize=True)
def test_intervals_hold_the_estimate_and_stay_in_range(table) -> None:
    low, high = score_interval_of_difference(table)
    assert -1 <= low <= table.diff <= high <= 1
    least, most = score_interval_of_ratio(table)
    assert 0 <= least <= most
    if table.x1:
        assert least * (1 - 1e-12) <= table.ratio <= most * (1 + 1e-12)
    wide = score_interval_of_difference(table, 0.01)
    assert wide[0] <= low
    assert wide[1] >= high


@pytest.mark.parametrize(
    ("table", "diff", "ratio"),
    [
        pytest.param(Table(0, 10, 0, 10), (-0.2775328, 0.2775328), (0, math.inf), id="no success"),
        pytest.param(Table(10, 10, 10, 10), (-0.2775328, 0.2775328), (0.7224672, 1.3841459), id="no failure"),
        pytest.param(Table(0, 5, 5, 5), (0.4449344, 1.0), (2.3015886, math.inf), id="all against none"),
        pytest.param(Table(5, 5, 0, 5), (-1.0, -0.4449344), (0, 0.4344825), id="none against all"),
    ],
)
def test_tables_without_any_spread_have_intervals(table, diff, ratio) -> None:
    assert score_interval_of_difference(table) == pytest.approx(diff, abs=1e-6)
    assert score_interval_of_ratio(table) == pytest.approx(ratio, abs=1e-6)


def test_huge_tables_keep_their_digits() -> None:
    # So rare that the test is that of two Poisson counts.
    low, high = score_interval_of_difference(table_of(0, 10**12, 3, 10**12))
    assert low < 0
    assert 3e-12 < high < 1e-11
    scaled = score_interval_of_difference(table_of(5 * 10**11, 10**12, 5 * 10**11 + 10**6, 10**12))
    assert scaled == pytest.approx((1e-6 - Z * math.sqrt(0.5e-12), 1e-6 + Z * math.sqrt(0.5e-12)), rel=1e-6)


def test_tests_of_tables_without_spread() -> None:
    assert pooled_test(Table(0, 10, 0, 10)).p == 1
    assert pooled_test(Table(10, 10, 10, 10)).p == 1
    assert unpooled_test(Table(0, 10, 10, 10)) == (math.inf, 0)
    assert math.isnan(Table(0, 5, 1, 5).ratio)
    assert log_ratio_interval(Table(0, 5, 1, 5)) is None


def test_p_is_uniform_when_nothing_differs() -> None:
    rng = np.random.default_rng(16)
    x1, x2 = rng.binomial(2000, 0.1, 2000), rng.binomial(2000, 0.1, 2000)
    p = np.array([pooled_test(table_of(int(a), 2000, int(b), 2000)).p for a, b in zip(x1, x2, strict=True)])
    assert (p < 0.05).mean() == pytest.approx(0.05, abs=0.015)
    assert stats.kstest(p, "uniform").pvalue > 0.001


@pytest.mark.parametrize("alpha", [0, 1, -0.1, math.nan, 1e-15])
def test_impossible_levels_are_refused(alpha) -> None:
    with pytest.raises(StatsError, match="alpha must be between 0 and 1"):
        critical_z(alpha)


def samples(seed: int):
    rng = np.random.default_rng(seed)
    first = rng.normal(rng.uniform(2, 9), rng.uniform(0.1, 4), rng.integers(2, 60))
    return first, rng.gamma(rng.uniform(0.5, 5), rng.uniform(0.5, 3), rng.integers(2, 60))


def means_of(sample):
    return means_of_sums(len(sample), float(sample.sum()), float((sample**2).sum()))


def test_welch_is_that_of_scipy() -> None:
    for seed in range(trials(60)):
        control, variant = samples(seed)
        found, expected = (
            welch_test(means_of(control), means_of(variant)),
            stats.ttest_ind(variant, control, equal_var=False),
        )
        interval = expected.confidence_interval(0.95)
        assert found.t == pytest.approx(expected.statistic, rel=1e-7, abs=1e-9)
        assert found.p == pytest.approx(expected.pvalue, rel=1e-6)
        assert found.df == pytest.approx(expected.df, rel=1e-7)
        assert found.interval == pytest.approx((interval.low, interval.high), rel=1e-7, abs=1e-9)


def test_fieller_holds_the_ratios_that_the_t_test_does_not_reject() -> None:
    checked = 0
    for seed in range(trials(60)):
        control, variant = (means_of(sample) for sample in samples(seed))
        ends = fieller_interval(control, variant)
        if ends is None:
            continue
        df = welch_test(control, variant).df
        for end in ends:
            error = math.sqrt(variant.squared_error + end**2 * control.squared_error)
            t = abs(variant.mean - end * control.mean) / error
            assert t == pytest.approx(stats.t.ppf(0.975, df), rel=1e-6)
            checked += 1
    assert checked > 60


def test_fieller_is_no_interval_when_the_control_may_be_zero() -> None:
    noisy = means_of_sums(5, 0.1, 50.0)
    assert fieller_interval(noisy, means_of_sums(5, 10.0, 21.0)) is None


def test_samples_without_spread_are_told_apart() -> None:
    one, two = means_of_sums(5, 5.0, 5.0), means_of_sums(5, 10.0, 20.0)
    assert welch_test(one, one).p == 1
    assert welch_test(one, two).p == 0
    assert fieller_interval(one, two) == (2, 2)
    assert fieller_interval(means_of_sums(2, 0, 0), two) is None


@needs_vectors
def test_significance_does_not_depend_on_the_unit_where_growthbook_s_does() -> None:
    row = vectors("frequentist.json")["published"][0]
    control, variant = (
        means_of_sums(row[arm]["n"], row[arm]["sum"], row[arm]["sum_squares"]) for arm in ("control", "variant")
    )
    found, published = welch_test(control, variant), row["absolute_welch"]
    assert found.p == pytest.approx(published["p"], abs=5e-6)
    assert found.interval == pytest.approx(published["ci"], abs=5e-6)
    assert fieller_interval(control, variant)[0] > 1
    # The delta method's interval on the same data covers no change at all.
    assert row["relative_delta_method"]["ci"][0] < 0
