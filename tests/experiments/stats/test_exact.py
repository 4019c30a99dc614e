import numpy as np
import pytest
from scipy import stats

from experiments.stats.errors import StatsError
from experiments.stats.exact import barnard_p, boschloo_p, fisher_p, smallest_expected_count
from experiments.stats.frequentist import Table, pooled_test, table_of
from tests.experiments.stats.oracles import trials
from tests.experiments.stats.test_frequentist import tables


def cells(table: Table) -> list[list[int]]:
    return [[int(table.x1), int(table.x2)], [int(table.n1 - table.x1), int(table.n2 - table.x2)]]


def test_fisher_is_that_of_scipy() -> None:
    for table in tables(trials(100), seed=21):
        assert fisher_p(table) == pytest.approx(stats.fisher_exact(cells(table)).pvalue, rel=1e-8), table


def test_fisher_of_larger_tables_is_that_of_scipy() -> None:
    for table in tables(trials(20), seed=22, largest=50_000):
        expected = stats.fisher_exact(cells(table)).pvalue
        assert fisher_p(table) == pytest.approx(expected, rel=1e-6, abs=1e-290), table


def test_fisher_of_a_trillion_is_the_corrected_score_test() -> None:
    table = table_of(5 * 10**11, 10**12, 5 * 10**11 + 10**6, 10**12)
    assert fisher_p(table) == pytest.approx(pooled_test(table).p, rel=1e-4)
    assert fisher_p(table_of(5 * 10**11, 10**12, 5 * 10**11, 10**12)) == 1
    assert fisher_p(table_of(0, 10**12, 10**12, 10**12)) == 0
    assert fisher_p(table_of(0, 10**12, 3, 10**12)) == pytest.approx(0.25, rel=1e-9)


def boschloo_by_enumeration(table: Table) -> float:
    """Every table, ordered by scipy's one-sided Fisher p, summed on a fine grid of common rates."""
    n1, n2 = int(table.n1), int(table.n2)
    first, second = np.meshgrid(np.arange(n1 + 1), np.arange(n2 + 1), indexing="ij")
    rates = np.linspace(0, 1, 1001)
    smallest = 1.0
    for tail in (
        stats.hypergeom.cdf(first, n1 + n2, first + second, n1),
        stats.hypergeom.cdf(second, n1 + n2, first + second, n2),
    ):
        extreme = tail <= tail[int(table.x1), int(table.x2)] * (1 + 1e-9)
        left = stats.binom.pmf(np.arange(n1 + 1), n1, rates[:, None])
        right = stats.binom.pmf(np.arange(n2 + 1), n2, rates[:, None])
        smallest = min(smallest, ((left @ extreme) * right).sum(axis=1).max())
    return min(2 * smallest, 1.0)


def test_boschloo_is_the_largest_size_over_all_rates() -> None:
    for table in tables(trials(12), seed=23, largest=25):
        assert boschloo_p(table) == pytest.approx(boschloo_by_enumeration(table), rel=1e-3), table


def test_boschloo_is_never_above_fisher_by_one_side() -> None:
    for table in tables(trials(15), seed=24, largest=80):
        sides = [stats.fisher_exact(cells(table), alternative=side).pvalue for side in ("less", "greater")]
        assert boschloo_p(table) <= min(2 * min(sides), 1) * (1 + 1e-6), table


def test_boschloo_of_thin_large_arms_hardly_depends_on_the_trials() -> None:
    large, smaller = boschloo_p(table_of(2, 10**6, 10, 10**6)), boschloo_p(table_of(2, 1100, 10, 1100))
    assert large == pytest.approx(smaller, rel=0.02)


def test_boschloo_of_large_arms_looks_only_where_the_rate_may_be() -> None:
    """The largest size over every rate is .0348305 (scipy), at a rate that 12 of 2,200 rules out."""
    table = table_of(2, 1100, 10, 1100)
    assert pooled_test(table).p < boschloo_p(table) < 0.0348305


@pytest.mark.parametrize(
    "table",
    [
        pytest.param(table_of(3, 8, 40_000, 10**5), id="a handful against many"),
        pytest.param(table_of(40_000, 10**5, 6, 8), id="many against a handful"),
        pytest.param(table_of(8, 10**4, 10_000, 10**7), id="thin arm of ten thousand"),
        pytest.param(table_of(0, 5, 10**8, 10**8), id="every one of many against none of five"),
        pytest.param(table_of(3, 10**6, 9, 10**6), id="a dozen of two million"),
    ],
)
def test_boschloo_answers_wherever_an_expected_count_is_small(table) -> None:
    sides = [stats.fisher_exact(cells(table), alternative=side).pvalue for side in ("less", "greater")]
    found = boschloo_p(table)
    assert smallest_expected_count(table) < 12
    assert found <= min(2 * min(sides), 1) * (1 + 1e-6) + 2e-7
    assert found >= 0.2 * pooled_test(table).p


def test_barnard_is_that_of_scipy() -> None:
    for table in (table_of(2, 30, 9, 25), table_of(0, 12, 4, 14), table_of(7, 9, 1, 8)):
        assert barnard_p(table) == pytest.approx(stats.barnard_exact(cells(table), n=64).pvalue, rel=1e-5)


def test_tables_that_say_nothing_have_p_one() -> None:
    for table in (Table(0, 9, 0, 9), Table(9, 9, 9, 9), Table(3, 9, 3, 9)):
        assert fisher_p(table) == pytest.approx(1)
        assert boschloo_p(table) == pytest.approx(1)
        assert barnard_p(table) == pytest.approx(1)


def test_exact_tests_say_when_they_are_not_needed() -> None:
    large = table_of(10**5, 10**6, 10**5 + 5, 10**6)
    assert smallest_expected_count(large) > 5
    with pytest.raises(StatsError, match="too large for Boschloo's test"):
        boschloo_p(large)
    with pytest.raises(StatsError, match="too large for Barnard's test"):
        barnard_p(large)


def test_expected_count_is_the_least_of_the_four() -> None:
    assert smallest_expected_count(Table(1, 100, 3, 300)) == pytest.approx(1)
    assert smallest_expected_count(Table(99, 100, 297, 300)) == pytest.approx(1)


def test_exact_tests_keep_their_level() -> None:
    """Over all tables of 12 against 10 at four common rates."""
    found = {(x1, x2): boschloo_p(table_of(x1, 12, x2, 10)) for x1 in range(13) for x2 in range(11)}
    for rate in (0.02, 0.1, 0.3, 0.5):
        size = sum(
            stats.binom.pmf(x1, 12, rate) * stats.binom.pmf(x2, 10, rate) for (x1, x2), p in found.items() if p <= 0.05
        )
        assert size <= 0.05, rate
