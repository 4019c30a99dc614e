"""Fixed-horizon tests and intervals for two arms; arm 1 is the control, arm 2 the variant.

The score test and both score intervals invert one statistic, so that significance cannot depend on whether the effect
is shown as a difference or as a lift. All intervals are two-sided at level 1 - alpha and uncorrected.
"""

import math
from typing import NamedTuple

from scipy.special import ndtr, ndtri, stdtr, stdtrit

from experiments.stats.checks import check_count, check_finite, check_rate, check_share
from experiments.stats.errors import StatsError
from experiments.stats.special import find_root

Interval = tuple[float, float]

TINY = 1e-300


class Table(NamedTuple):
    """Successes and trials of two arms; made by `table_of`, which checks them."""

    x1: float
    n1: float
    x2: float
    n2: float

    @property
    def p1(self) -> float:
        return self.x1 / self.n1

    @property
    def p2(self) -> float:
        return self.x2 / self.n2

    @property
    def diff(self) -> float:
        return self.p2 - self.p1

    @property
    def ratio(self) -> float:
        """p2 / p1; NaN where the control has no success."""
        return self.p2 / self.p1 if self.x1 else math.nan

    def mirrored(self) -> "Table":
        """Failures in place of successes: the difference changes its sign."""
        return Table(self.n1 - self.x1, self.n1, self.n2 - self.x2, self.n2)

    def swapped(self) -> "Table":
        return Table(self.x2, self.n2, self.x1, self.n1)


class ZTest(NamedTuple):
    """A signed statistic and its two-sided p."""

    statistic: float
    p: float


def table_of(x1: float, n1: float, x2: float, n2: float) -> Table:
    """Raises `StatsError` unless 0 ≤ x ≤ n and n ≥ 1, all whole."""
    return Table(*check_rate(x1, n1, "1", least_n=1), *check_rate(x2, n2, "2", least_n=1))


def normal_test(estimate: float, error: float) -> ZTest:
    """Two-sided normal test; without any spread an estimate of zero has p = 1 and any other p = 0."""
    if error == 0:
        return ZTest(math.copysign(math.inf, estimate), 0.0) if estimate else ZTest(0.0, 1.0)
    z = estimate / error
    return ZTest(z, float(2 * ndtr(-abs(z))))


def pooled_test(table: Table) -> ZTest:
    """Score test of p1 = p2 (Pearson's chi-square without correction, as a signed z)."""
    pooled = (table.x1 + table.x2) / (table.n1 + table.n2)
    return normal_test(table.diff, math.sqrt(pooled * (1 - pooled) * (1 / table.n1 + 1 / table.n2)))


def unpooled_test(table: Table) -> ZTest:
    """Wald's test with each arm's own variance."""
    return normal_test(table.diff, _wald_error(table.p1, table.n1, table.p2, table.n2))


def _wald_error(p1: float, n1: float, p2: float, n2: float) -> float:
    return math.sqrt(p1 * (1 - p1) / n1 + p2 * (1 - p2) / n2)


def critical_z(alpha: float) -> float:
    """The normal quantile that two-sided alpha leaves outside; raises `StatsError` unless 0 < alpha < 1."""
    return float(-ndtri(check_share(alpha, "alpha") / 2))


def wilson_interval(x: float, n: float, alpha: float = 0.05) -> Interval:
    """Score interval of one proportion (Wilson 1927, JASA 22:209)."""
    x, n = check_rate(x, n, least_n=1)
    z = critical_z(alpha)
    p, square = x / n, z * z / n
    middle, half = p + square / 2, z * math.sqrt((p * (1 - p) + square / 4) / n)
    low = 0.0 if x == 0 else (middle - half) / (1 + square)
    return low, 1.0 if x == n else (middle + half) / (1 + square)


def newcombe_interval(table: Table, alpha: float = 0.05) -> Interval:
    """Difference from two Wilson intervals (Newcombe 1998, Statistics in Medicine 17:873, method 10)."""
    (low1, high1), (low2, high2) = (wilson_interval(x, n, alpha) for x, n in (table[:2], table[2:]))
    down = math.hypot(table.p2 - low2, high1 - table.p1)
    up = math.hypot(high2 - table.p2, table.p1 - low1)
    return table.diff - down, table.diff + up


def agresti_caffo_interval(table: Table, alpha: float = 0.05) -> Interval:
    """Difference by Wald with one success and one failure added to each arm (Agresti & Caffo 2000)."""
    p1, n1 = (table.x1 + 1) / (table.n1 + 2), table.n1 + 2
    p2, n2 = (table.x2 + 1) / (table.n2 + 2), table.n2 + 2
    half = critical_z(alpha) * _wald_error(p1, n1, p2, n2)
    return p2 - p1 - half, p2 - p1 + half


def log_ratio_interval(table: Table, alpha: float = 0.05) -> Interval | None:
    """Ratio by Wald on the logarithm (Katz et al. 1978); None where an arm has no success."""
    if not (table.x1 and table.x2):
        return None
    error = math.sqrt((1 - table.p1) / table.x1 + (1 - table.p2) / table.x2)
    factor = math.exp(critical_z(alpha) * error)
    return table.ratio / factor, table.ratio * factor


def score_interval_of_difference(table: Table, alpha: float = 0.05) -> Interval:
    """p2 - p1 by inverting the score test (Mee 1984; Miettinen & Nurminen 1985 without their N/(N-1))."""
    z = critical_z(alpha)
    if 2 * (table.x1 + table.x2) > table.n1 + table.n2:
        # Small rates keep their digits where 1 - p would lose them.
        low, high = _score_bounds(table.mirrored(), z)
        return -high, -low
    return _score_bounds(table, z)


def _score_bounds(table: Table, z: float) -> Interval:
    return _lower_score_bound(table, z), 0.0 - _lower_score_bound(table.swapped(), z)


def _lower_score_bound(table: Table, z: float) -> float:
    observed = table.diff

    def excess(delta: float) -> float:
        if delta >= observed:
            # Without any spread the excess is 0 here, which is not the root that is sought.
            return -TINY
        p1 = _restricted_rate(table, delta)
        p2 = min(max(p1 + delta, 0.0), 1.0)
        return observed - delta - z * _wald_error(p1, table.n1, p2, table.n2)

    return find_root(excess, -1.0, observed, 1e-17)


def _restricted_rate(table: Table, delta: float) -> float:
    """The most likely p1 among pairs with p2 - p1 = delta.

    A root of Farrington & Manning's cubic (1990), whose closed form loses its digits where roots meet. Each arm alone
    would have p1 or p2 - delta, and the answer lies between these two.
    """
    x1, n1, x2, n2 = table
    low, high = max(0.0, -delta), min(1.0, 1.0 - delta)

    def pull(rate: float) -> float:
        """The score, scaled to -1..1: above 0 where a larger rate is more likely."""
        other = rate + delta
        if (x1 and rate <= 0) or (x2 and other <= 0):
            return 1.0
        if (x1 < n1 and rate >= 1) or (x2 < n2 and other >= 1):
            return -1.0
        up = (x1 and x1 / rate) + (x2 and x2 / other)
        down = (n1 - x1 and (n1 - x1) / (1 - rate)) + (n2 - x2 and (n2 - x2) / (1 - other))
        return (up - down) / (up + down)

    left, right = sorted(min(max(rate, low), high) for rate in (table.p1, table.p2 - delta))
    if pull(left) <= 0:
        return left
    return right if pull(right) >= 0 else find_root(pull, left, right, 1e-18)


def score_interval_of_ratio(table: Table, alpha: float = 0.05) -> Interval:
    """p2 / p1 by inverting the score test (Koopman 1984, Biometrics 40:513); the upper end may be infinite."""
    z = critical_z(alpha)
    inverse = _lower_ratio_bound(table.swapped(), z)
    return _lower_ratio_bound(table, z), 1 / inverse if inverse else math.inf


def _lower_ratio_bound(table: Table, z: float) -> float:
    if table.x2 == 0:
        return 0.0

    top = math.log(table.ratio) if table.x1 else 300.0

    def excess(log_ratio: float) -> float:
        if log_ratio >= top:
            return -TINY
        ratio = math.exp(log_ratio)
        p1, q1, q2 = _rates_at_ratio(table, ratio)
        error = math.sqrt(ratio * p1 * q2 / table.n2 + ratio * ratio * p1 * q1 / table.n1)
        return table.p2 - ratio * table.p1 - z * error

    return math.exp(find_root(excess, -300.0, top, 1e-15))


def _rates_at_ratio(table: Table, ratio: float) -> tuple[float, float, float]:
    """The most likely p1 among pairs with p2 = ratio p1, with 1 - p1 and 1 - p2: the smaller root of a quadratic."""
    x1, n1, x2, n2 = table
    left, right = n1 + x2, ratio * (n2 + x1)
    failures = (n1 - x1) * (n2 - x2)
    # Written so that no term is subtracted from a larger one.
    root = math.sqrt((left - right) ** 2 + 4 * ratio * failures)
    p1 = 2 * (x1 + x2) / (left + right + root)
    return p1, max(1 - p1, 0.0), max(1 - ratio * p1, 0.0)


class Means(NamedTuple):
    """Count, mean and variance (n - 1 in the denominator) of a sample."""

    n: float
    mean: float
    variance: float

    @property
    def squared_error(self) -> float:
        return self.variance / self.n


class Welch(NamedTuple):
    """Variant less control, in the units of the metric, with Welch's degrees of freedom."""

    diff: float
    t: float
    p: float
    df: float
    interval: Interval


def means_of_sums(n: float, total: float, squares: float, arm: str = "") -> Means:
    """From n, sum and sum of squares; raises `StatsError` for n < 2 and for squares too small for the sum."""
    n = check_count(n, f"n{arm}", least=2)
    total, squares = check_finite(total, f"sum{arm}"), check_finite(squares, f"sumsq{arm}")
    spread = squares - total / n * total
    if spread < -1e-9 * max(squares, total / n * total):
        raise StatsError(f"sumsq{arm} is too small: it must be at least sum{arm}² / n{arm}")
    return Means(n, total / n, max(spread, 0.0) / (n - 1))


def welch_test(control: Means, variant: Means, alpha: float = 0.05) -> Welch:
    """Difference of two means with unequal variances (Welch 1947, Biometrika 34:28).

    Without any spread df is n1 + n2 - 2, the interval a point, and p is 1 or 0.
    """
    check_share(alpha, "alpha")
    diff = variant.mean - control.mean
    error = math.sqrt(control.squared_error + variant.squared_error)
    if error == 0:
        test = normal_test(diff, error)
        return Welch(diff, test.statistic, test.p, control.n + variant.n - 2, (diff, diff))
    df = _welch_df(control, variant)
    t = diff / error
    half = float(-stdtrit(df, alpha / 2)) * error
    return Welch(diff, t, float(2 * stdtr(df, -abs(t))), df, (diff - half, diff + half))


def _welch_df(control: Means, variant: Means) -> float:
    total = control.squared_error + variant.squared_error
    # As shares of the total, so that nothing underflows.
    first, second = control.squared_error / total, variant.squared_error / total
    return 1 / (first**2 / (control.n - 1) + second**2 / (variant.n - 1))


def fieller_interval(control: Means, variant: Means, alpha: float = 0.05) -> Interval | None:
    """Ratio of the means, variant to control (Fieller 1954, JRSS B 16:175), with Welch's degrees of freedom.

    None where the control's mean is not significantly different from 0: the set is then no interval.
    """
    check_share(alpha, "alpha")
    if control.squared_error + variant.squared_error == 0:
        return (variant.mean / control.mean,) * 2 if control.mean else None
    t = float(-stdtrit(_welch_df(control, variant), alpha / 2))
    a = control.mean**2 - t * t * control.squared_error
    b = control.mean * variant.mean
    c = variant.mean**2 - t * t * variant.squared_error
    if a <= 0:
        return None
    root = math.sqrt(max(b * b - a * c, 0.0))
    # Of the two forms of each root the one that does not cancel.
    far = b + math.copysign(root, b)
    ends = (far / a, c / far) if far else (0.0, 0.0)
    return min(ends), max(ends)
