import math
from itertools import combinations, product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from experiments.stats.errors import StatsError
from experiments.stats.paired import (
    carry_over_check,
    hodges_lehmann,
    order_check,
    paired_t_p,
    sign_flip_test,
    stratified_permutation_test,
    wilcoxon_p,
)
from tests.experiments.stats.oracles import needs_vectors, trials, vectors

MAIZE = [49, -67, 8, 16, 6, 23, 28, 41, 14, 29, 56, 24, 75, 60, -48]


def p_by_enumeration(d) -> float:
    d = np.asarray(d, dtype=float)
    signs = np.array(list(product((-1, 1), repeat=len(d))))
    return float((np.abs(signs @ d) >= abs(d.sum()) - 1e-9 * np.abs(d).sum()).mean())


def random_pairs(rng) -> list[float]:
    return [float(x) for x in rng.normal(rng.uniform(-1, 1), rng.uniform(0.1, 2), rng.integers(1, 12))]


def test_p_is_that_of_full_enumeration() -> None:
    rng = np.random.default_rng(71)
    for _ in range(trials(60)):
        d = random_pairs(rng)
        assert sign_flip_test(d).p == pytest.approx(p_by_enumeration(d), rel=1e-12)


def test_interval_ends_where_the_shifted_test_turns() -> None:
    rng = np.random.default_rng(72)
    checked = 0
    for _ in range(trials(30)):
        d = np.array(random_pairs(rng))
        interval = sign_flip_test(d).interval
        if interval is None:
            assert len(d) < 6
            continue
        step = 1e-7 * float(np.abs(d).max())
        for end, inside in zip(interval, (step, -step), strict=True):
            assert p_by_enumeration(d - end - inside) > 0.05
            assert p_by_enumeration(d - end + inside) <= 0.05
            checked += 1
    assert checked > 10


def test_p_and_interval_decide_alike() -> None:
    rng = np.random.default_rng(73)
    for size in (6, 9, 14, 22, 40):
        for _ in range(3):
            found = sign_flip_test(rng.normal(0.5, 1, size))
            low, high = found.interval
            assert (low > 0 or high < 0) == (found.p <= 0.05)


def test_fisher_s_maize() -> None:
    found = sign_flip_test(MAIZE)
    assert found.p == 2 * 863 / 32768
    assert found.hodges_lehmann == 25
    assert found.interval == pytest.approx((-1 / 6, 41))


@needs_vectors
def test_maize_is_as_published() -> None:
    row = vectors("frequentist.json")["published"][-1]
    assert sign_flip_test(row["pairs"]).p == row["two_sided_p"]


def test_five_pairs_can_never_conclude_and_six_can() -> None:
    five, six = sign_flip_test([0.3, 0.2, 0.4, 0.1, 0.25]), sign_flip_test([0.3, 0.2, 0.4, 0.1, 0.25, 0.15])
    assert (five.p, five.min_attainable_p, five.interval) == (0.0625, 0.0625, None)
    assert (six.p, six.min_attainable_p, six.interval) == (0.03125, 0.03125, (0.1, 0.4))


def test_pairs_that_do_not_differ_cannot_be_flipped() -> None:
    found = sign_flip_test([0, 0, 0, 1, 2, 3, 4])
    assert found.min_attainable_p == 0.5**3
    assert sign_flip_test([0, 0]).p == 1
    assert sign_flip_test([0.0]).min_attainable_p == 1


def test_many_pairs_are_flipped_at_random_the_same_way_every_time() -> None:
    d = np.random.default_rng(74).normal(0.3, 1, 45)
    found = sign_flip_test(d)
    t = stats.ttest_1samp(d, 0)
    assert not found.is_exact
    assert found == sign_flip_test(d)
    assert found.p == pytest.approx(t.pvalue, abs=0.01)
    assert found.interval == pytest.approx(tuple(t.confidence_interval()), abs=0.03)
    assert sign_flip_test(d, seed=1).p == pytest.approx(found.p, abs=0.01)


@given(st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=10), st.floats(0.001, 1000))
@settings(max_examples=30, deadline=None, derandomize=True)
def test_mirror_and_scale(d, scale) -> None:
    found, mirrored, scaled = sign_flip_test(d), sign_flip_test([-x for x in d]), sign_flip_test([x * scale for x in d])
    assert mirrored.p == found.p
    assert mirrored.hodges_lehmann == pytest.approx(-found.hodges_lehmann)
    assert scaled.mean == pytest.approx(found.mean * scale)
    if found.interval:
        low, high = found.interval
        assert mirrored.interval == pytest.approx((-high, -low))
        assert scaled.interval == pytest.approx((low * scale, high * scale), rel=1e-9, abs=1e-9)
        assert low <= high


def test_p_keeps_its_level_when_nothing_differs() -> None:
    rng = np.random.default_rng(75)
    p = np.array([sign_flip_test(rng.standard_t(2, 8)).p for _ in range(600)])
    assert (p <= 0.05).mean() == pytest.approx(0.047, abs=0.025)


def test_hodges_lehmann_is_the_median_of_the_means_of_pairs() -> None:
    d = [3.0, 1.0, 10.0, 2.0]
    means = [(first + second) / 2 for index, first in enumerate(d) for second in d[index:]]
    assert hodges_lehmann(d) == np.median(means)


def test_t_is_that_of_scipy() -> None:
    for seed in range(trials(20)):
        d = random_pairs(np.random.default_rng(seed))
        if len(d) > 1:
            assert paired_t_p(d) == pytest.approx(stats.ttest_1samp(d, 0).pvalue, rel=1e-9)
    assert math.isnan(paired_t_p([1.0]))
    assert math.isnan(paired_t_p([2.0, 2.0]))


def test_signed_ranks_are_those_of_scipy() -> None:
    for seed in range(trials(20)):
        d = random_pairs(np.random.default_rng(seed))
        assert wilcoxon_p(d) == pytest.approx(stats.wilcoxon(d, method="exact").pvalue, rel=1e-9)
    large = np.random.default_rng(76).normal(0.2, 1, 80)
    assert wilcoxon_p(large) == pytest.approx(stats.wilcoxon(large, method="asymptotic").pvalue, rel=1e-9)


def test_signed_ranks_with_ties_are_those_of_enumeration() -> None:
    d = np.array([1.0, 1, -2, 2, 2, 0, 3])
    kept = d[d != 0]
    ranks = stats.rankdata(np.abs(kept))
    sums = np.array([(np.array(signs) > 0) @ ranks for signs in product((-1, 1), repeat=len(kept))])
    least = min(ranks[kept > 0].sum(), ranks[kept < 0].sum())
    assert wilcoxon_p(d) == pytest.approx(2 * (sums <= least).mean())
    assert wilcoxon_p([0, 0]) == 1


def permutation_by_enumeration(y, labels) -> float:
    """Smaller of the one-sided shares, doubled."""
    y, labels = np.asarray(y), np.asarray(labels)
    chosen = [list(members) for members in combinations(range(len(y)), int(labels.sum()))]
    means = np.array([y[members].sum() for members in chosen])
    observed = y[labels].sum()
    return min(2 * (means >= observed - 1e-9).mean(), 2 * (means <= observed + 1e-9).mean(), 1)


def test_permutation_p_is_that_of_full_enumeration() -> None:
    rng = np.random.default_rng(77)
    for _ in range(trials(15)):
        labels = rng.permutation(np.array([True] * 4 + [False] * int(rng.integers(3, 6))))
        y = rng.normal(size=len(labels)) + labels * rng.uniform(0, 2)
        found = stratified_permutation_test(y, labels)
        assert found.is_exact
        assert found.p == pytest.approx(permutation_by_enumeration(y, labels))
        assert found.estimate == pytest.approx(y[labels].mean() - y[~labels].mean())


def test_permutation_interval_ends_where_the_shifted_test_turns() -> None:
    rng = np.random.default_rng(78)
    labels = np.array([True, False] * 5)
    y = rng.normal(size=10) + labels
    low, high = stratified_permutation_test(y, labels).interval
    for end, inside in ((low, 1e-6), (high, -1e-6)):
        assert permutation_by_enumeration(y - labels * (end + inside), labels) > 0.05
        assert permutation_by_enumeration(y - labels * (end - inside), labels) <= 0.05


def test_strata_take_out_what_differs_between_them() -> None:
    rng = np.random.default_rng(79)
    strata = [hour for hour in range(6) for _ in range(4)]
    labels = np.array([True, False, True, False] * 6)
    y = np.array(strata) * 10.0 + rng.normal(0, 0.3, 24) + labels * 0.8
    within, pooled = stratified_permutation_test(y, labels, strata), stratified_permutation_test(y, labels)
    assert within.p < 0.01
    assert pooled.p > 0.5
    assert within.interval[0] < 0.8 < within.interval[1]
    assert not within.is_exact


def test_strata_are_weighted_as_least_squares_does() -> None:
    rng = np.random.default_rng(80)
    strata = np.array([0] * 5 + [1] * 9)
    labels = np.array([True] + [False] * 4 + [True] * 5 + [False] * 4)
    y = rng.normal(size=14)
    columns = np.column_stack([labels, strata == 0, strata == 1]).astype(float)
    slope = np.linalg.lstsq(columns, y, rcond=None)[0][0]
    assert stratified_permutation_test(y, labels, strata.tolist()).estimate == pytest.approx(slope)


def test_a_stratum_of_one_arm_tells_nothing() -> None:
    labels, y = [True, False, True, True], [3.0, 1.0, 50.0, 60.0]
    assert stratified_permutation_test(y, labels, ["a", "a", "b", "b"]).estimate == pytest.approx(2)
    with pytest.raises(StatsError, match="units of both arms"):
        stratified_permutation_test(y, [True] * 4)


def test_too_few_units_have_no_interval() -> None:
    assert stratified_permutation_test([1.0, 2.0, 3.0], [True, False, False]).interval is None


def test_order_and_carry_over_are_found_where_they_are() -> None:
    rng = np.random.default_rng(81)
    first = np.array([True, False] * 8)
    clean = rng.normal(0, 0.2, 16)
    assert order_check(clean + np.where(first, 0.5, -0.5), first).p < 0.01
    assert order_check(clean, first).p > 0.05
    assert carry_over_check(clean + np.where(first, 1.0, 0.0), first).p < 0.01


@pytest.mark.parametrize("d", [[], [math.nan], [1, math.inf], [[1, 2]]])
def test_impossible_differences_are_refused(d) -> None:
    with pytest.raises(StatsError):
        sign_flip_test(d)


def test_uneven_lists_are_refused() -> None:
    with pytest.raises(StatsError, match="one entry for each unit"):
        stratified_permutation_test([1.0, 2.0], [True])
