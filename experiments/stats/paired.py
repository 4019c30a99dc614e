"""Tests whose only assumption is the randomisation that was done: pairs, orders, strata.

Every interval inverts its test exactly. Flipping the set A of pairs makes the mean at least as large under a shift of
delta if and only if the mean of A is ≤ delta, so the ends of the interval are order statistics of means of subsets.
"""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations, product

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import stdtr
from scipy.stats import rankdata

from experiments.stats.checks import Floats, check_list, check_share
from experiments.stats.errors import StatsError
from experiments.stats.frequentist import Interval

Labels = NDArray[np.bool_]

MOST_ENUMERATED_PAIRS = 20
FLIPS = 100_000
PERMUTATIONS = 20_000
# Sums closer than this share of all that is summed are ties that rounding has parted.
TIE = 1e-12


@dataclass(frozen=True)
class PairedResult:
    """`interval` is None where even the most extreme outcome would not reach alpha.

    `min_attainable_p` is 2^(1 - pairs that differ): .0625 for 5, .03125 for 6. Beyond 20 pairs p and interval come
    from the same 100,000 seeded flips.
    """

    pairs: int
    mean: float
    p: float
    min_attainable_p: float
    hodges_lehmann: float
    interval: Interval | None
    is_exact: bool


def sign_flip_test(differences: Sequence[float], alpha: float = 0.05, seed: int = 0) -> PairedResult:
    """Two-sided randomisation test of the mean of k paired differences, shape (k,) (Fisher 1935, ch. 3).

    Raises `StatsError` for no or not finite differences.
    """
    d = check_list(differences, "d")
    check_share(alpha, "alpha")
    scale = float(np.abs(d).max()) or 1.0
    d = d / scale
    flips = _subsets(d, seed)
    low = flips.lower_end(alpha)
    high = _subsets(-d, seed).lower_end(alpha)
    return PairedResult(
        pairs=len(d),
        mean=float(d.mean()) * scale,
        p=flips.p(),
        min_attainable_p=min(0.5 ** (int((d != 0).sum()) - 1), 1.0),
        hodges_lehmann=hodges_lehmann(d) * scale,
        interval=None if low is None or high is None else (low * scale, -high * scale),
        is_exact=len(d) <= MOST_ENUMERATED_PAIRS,
    )


@dataclass(frozen=True)
class _Subsets:
    """Sums and sizes of the flipped sets but the empty and the full one, which are the two outcomes as observed."""

    sums: Floats
    sizes: Floats
    total: float
    tolerance: float

    def p(self) -> float:
        if abs(self.total) <= self.tolerance:
            return 1.0
        extreme = (self.sums if self.total > 0 else -self.sums) <= self.tolerance
        return min(2 * (1 + int(extreme.sum())) / (2 + len(self.sums)), 1.0)

    def lower_end(self, alpha: float) -> float | None:
        """The smallest shift that is not rejected: 1 + #(means ≤ shift) must be more than alpha/2 of all flips."""
        rank = math.floor(alpha / 2 * (2 + len(self.sums)) + 1e-9)
        if rank < 1:
            return None
        means = self.sums / self.sizes
        return float(np.partition(means, rank - 1)[rank - 1])


def _subsets(d: Floats, seed: int) -> _Subsets:
    if len(d) <= MOST_ENUMERATED_PAIRS:
        sums, sizes = np.zeros(1), np.zeros(1)
        for value in d:
            sums, sizes = np.concatenate([sums, sums + value]), np.concatenate([sizes, sizes + 1])
        sums, sizes = sums[1:-1], sizes[1:-1]
    else:
        flipped = np.random.default_rng(seed).random((FLIPS // 2, len(d))) < 0.5
        sums, sizes = flipped @ d, flipped.sum(axis=1)
        # With each set its complement, whose outcome is the mirror image.
        sums, sizes = np.concatenate([sums, d.sum() - sums]), np.concatenate([sizes, len(d) - sizes])
        inner = (sizes > 0) & (sizes < len(d))
        sums, sizes = sums[inner], sizes[inner]
    return _Subsets(sums, sizes, float(d.sum()), TIE * float(np.abs(d).sum()))


def hodges_lehmann(values: ArrayLike) -> float:
    """Median of the means of all pairs, each with itself included (Hodges & Lehmann 1963)."""
    array = check_list(values, "the values")
    first, second = np.triu_indices(len(array))
    return float(np.median((array[first] + array[second]) / 2))


def paired_t_p(differences: Sequence[float]) -> float:
    """Two-sided t test, for contrast; NaN for one pair or without any spread."""
    d = check_list(differences, "d")
    if len(d) < 2 or np.ptp(d) == 0:
        return math.nan
    t = d.mean() / (d.std(ddof=1) / math.sqrt(len(d)))
    return float(2 * stdtr(len(d) - 1, -abs(t)))


def wilcoxon_p(differences: Sequence[float]) -> float:
    """Signed-rank test, two-sided, for contrast (Wilcoxon 1945); zeros are left out, ties get middle ranks.

    Exact up to 50 pairs (also with ties, given the ranks), beyond by the normal distribution. 1 without any difference.
    """
    d = check_list(differences, "d")
    d = d[d != 0]
    ranks = rankdata(np.abs(d))
    total, above = float(ranks.sum()), float(ranks[d > 0].sum())
    least = min(above, total - above)
    if len(d) > 50:
        z = (least - total / 2) / math.sqrt(float((ranks**2).sum()) / 4)
        return min(math.erfc(-z / math.sqrt(2)), 1.0)
    # Doubled, so that middle ranks are whole: how many sign patterns give each sum.
    patterns = np.ones(1)
    for rank in (2 * ranks).astype(int):
        patterns = np.concatenate([patterns, np.zeros(rank)]) + np.concatenate([np.zeros(rank), patterns])
    return min(float(2 * patterns[: round(2 * least) + 1].sum() / patterns.sum()), 1.0)


@dataclass(frozen=True)
class PermutationResult:
    """Mean of the variant less that of the control, averaged over strata; `interval` as in `PairedResult`."""

    estimate: float
    p: float
    interval: Interval | None
    is_exact: bool


def stratified_permutation_test(
    values: Sequence[float],
    is_variant: Sequence[bool],
    strata: Sequence[object] | None = None,
    alpha: float = 0.05,
    seed: int = 0,
) -> PermutationResult:
    """Two-sided test of units randomised within strata, all of shape (n,); without strata all are one.

    Labels are permuted within each stratum: all ways up to 20,000, else so many seeded draws. Strata are weighted by
    n_a n_b / (n_a + n_b), as least squares with a level per stratum does. Raises `StatsError` where no stratum has
    units of both arms.
    """
    y, labels, groups = _strata(values, is_variant, strata)
    check_share(alpha, "alpha")
    centred = y.copy()
    weights = np.zeros(len(y))
    for members in groups:
        centred[members] -= y[members].mean()
        weights[members] = labels[members] - labels[members].mean()
    observed, effort = float(centred @ labels), float(weights @ labels)
    if effort == 0:
        raise StatsError("at least one stratum must have units of both arms")
    permuted, is_exact = _permutations(labels, groups, seed)
    tolerance = TIE * float(np.abs(centred).sum() + 1e-300)
    sums, efforts = permuted @ centred, permuted @ weights
    above = (1 + int((sums >= observed - tolerance).sum())) / (1 + len(sums))
    below = (1 + int((sums <= observed + tolerance).sum())) / (1 + len(sums))
    interval = _ends(observed - sums, effort - efforts, alpha)
    return PermutationResult(observed / effort, min(2 * above, 2 * below, 1.0), interval, is_exact)


def _strata(
    values: Sequence[float], is_variant: Sequence[bool], strata: Sequence[object] | None
) -> tuple[Floats, Floats, list[NDArray[np.intp]]]:
    y = check_list(values, "the values", least=2)
    labels = np.asarray(is_variant, dtype=bool).astype(float)
    names = [0] * len(y) if strata is None else list(strata)
    if not len(y) == len(labels) == len(names):
        raise StatsError("values, arms and strata must have one entry for each unit")
    groups: dict[object, list[int]] = {}
    for index, name in enumerate(names):
        groups.setdefault(name, []).append(index)
    return y, labels, [np.array(members) for members in groups.values()]


def _permutations(labels: Floats, groups: list[NDArray[np.intp]], seed: int) -> tuple[Floats, bool]:
    """Other labellings, shape (b, n), and whether these are all."""
    ways = [math.comb(len(members), int(labels[members].sum())) for members in groups]
    if math.prod(ways) <= PERMUTATIONS:
        every = np.array(list(_all_labellings(labels, groups)))
        return every[(every != labels).any(axis=1)], True
    generator = np.random.default_rng(seed)
    drawn = np.empty((PERMUTATIONS, len(labels)))
    for members in groups:
        order = generator.random((PERMUTATIONS, len(members))).argsort(axis=1)
        drawn[:, members] = labels[members][order]
    return drawn, False


def _all_labellings(labels: Floats, groups: list[NDArray[np.intp]]) -> Iterator[Floats]:
    choices = [list(combinations(members, int(labels[members].sum()))) for members in groups]
    for chosen in product(*choices):
        labelling = np.zeros(len(labels))
        labelling[[index for part in chosen for index in part]] = 1
        yield labelling


def _ends(gaps: Floats, efforts: Floats, alpha: float) -> Interval | None:
    """A shift is not rejected from below while more than alpha/2 of the labellings do as well under it."""
    # A labelling equal to the observed one does as well under every shift.
    others = efforts > TIE
    rank = math.floor(alpha / 2 * (1 + len(gaps)) + 1e-9) - int((~others).sum())
    if rank < 1:
        return None
    shifts = np.sort(gaps[others] / efforts[others])
    return float(shifts[rank - 1]), float(shifts[-rank])


def order_check(differences: Sequence[float], variant_first: Sequence[bool], seed: int = 0) -> PermutationResult:
    """Whether the difference depends on which arm came first: a period effect when p is small.

    `differences` is variant less control of each pair, shape (k,). The estimate is twice the period effect.
    """
    return stratified_permutation_test(differences, variant_first, seed=seed)


def carry_over_check(totals: Sequence[float], variant_first: Sequence[bool], seed: int = 0) -> PermutationResult:
    """Whether the sum of both posts of a pair depends on their order: the first then works on into the second.

    `totals` is variant plus control of each pair, shape (k,) (Grizzle 1965; weak with few pairs, so that a pass is no
    proof of absence).
    """
    return stratified_permutation_test(totals, variant_first, seed=seed)
