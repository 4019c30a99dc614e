"""Exact tests of two proportions for tables too thin for the score test."""

import math
from collections.abc import Callable
from functools import partial

import numpy as np
from scipy.special import betaincinv, logsumexp

from experiments.stats.checks import Floats
from experiments.stats.errors import StatsError
from experiments.stats.frequentist import Table, pooled_test
from experiments.stats.special import binomial_pmf

# Tables as likely as the observed one count as such despite rounding.
TIE = 1e-9
MOST_TERMS = 2_000_000
MOST_BARNARD_TABLES = 250_000
MOST_TOTALS = 50_000
SMALL_EXPECTATION = 5.0


def smallest_expected_count(table: Table) -> float:
    """The least of the four expected counts under p1 = p2; below 5 the normal tests are not to be trusted alone."""
    successes, n = table.x1 + table.x2, table.n1 + table.n2
    return min(successes, n - successes) * min(table.n1, table.n2) / n


def fisher_p(table: Table) -> float:
    """Fisher's exact test, two-sided by summing all tables at most as likely as the observed one.

    Where the count of tables within 40 standard deviations is above two million, the score test with Yates'
    correction stands in: it is then within about 1e-5 of the exact answer.
    """
    n1, n2, successes = table.n1, table.n2, table.x1 + table.x2
    n = n1 + n2
    spread = math.sqrt(n1 / n * n2 / n * successes * ((n - successes) / max(n - 1, 1)))
    mode = math.floor((successes + 1) / (n + 2) * (n1 + 1))
    reach = 40 * spread + 50
    low, high = max(0.0, successes - n2, mode - reach // 1), min(successes, n1, mode + reach // 1)
    if not low <= table.x1 <= high:
        return 0.0
    if high - low > MOST_TERMS:
        return _corrected_p(table)
    logs = _log_hypergeometric(np.arange(low, high + 1), n1, n2, successes)
    as_extreme = logs <= logs[int(table.x1 - low)] + TIE
    return float(min(np.exp(logsumexp(logs[as_extreme]) - logsumexp(logs)), 1.0))


def _log_hypergeometric(x1: Floats, n1: float, n2: float, successes: float) -> Floats:
    """Log probabilities up to a constant for consecutive x1, from the ratios of neighbours."""
    x = x1[:-1]
    steps = np.log((n1 - x) / (x + 1)) + np.log((successes - x) / (n2 - successes + x + 1))
    return np.concatenate([[0.0], np.cumsum(steps)])


def _corrected_p(table: Table) -> float:
    gap = (1 / table.n1 + 1 / table.n2) / 2
    if abs(table.diff) <= gap:
        return 1.0
    z = abs(pooled_test(table).statistic) * (1 - gap / abs(table.diff))
    return math.erfc(z / math.sqrt(2))


def boschloo_p(table: Table) -> float:
    """Boschloo's test (1970), two-sided as twice the smaller one-sided p, at most 1.

    Uniformly more powerful than Fisher's. Given the total S, the tables at least as extreme by Fisher's p have a
    probability h(S) free of the common rate, so p(rate) = sum of Binomial(S; n, rate) h(S), which is maximised over the
    rate. Above 2,000 trials the rate is kept inside its interval of confidence 1 - 1e-7, and 1e-7 is added (Berger &
    Boos 1994, JASA 89:1012). Raises `StatsError` for tables so large that the score test needs no company.
    """
    # Few successes make short tables of tails.
    if 2 * (table.x1 + table.x2) > table.n1 + table.n2:
        table = table.mirrored()
    one_sided = min(_boschloo_one_sided(each) for each in (table, table.swapped()))
    return min(2 * one_sided, 1.0)


def barnard_p(table: Table) -> float:
    """Barnard's test (1945) of the pooled z, two-sided, maximised over the common rate; for contrast with Boschloo's.

    Raises `StatsError` above 250,000 possible tables.
    """
    if (table.n1 + 1) * (table.n2 + 1) > MOST_BARNARD_TABLES:
        raise StatsError("the table is too large for Barnard's test")
    first, second = np.arange(table.n1 + 1), np.arange(table.n2 + 1)
    pooled = (first[:, None] + second) / (table.n1 + table.n2)
    spread = np.sqrt(pooled * (1 - pooled) * (1 / table.n1 + 1 / table.n2))
    z = np.abs(second / table.n2 - first[:, None] / table.n1) / np.where(spread > 0, spread, 1.0)
    is_extreme = (z >= abs(pooled_test(table).statistic) * (1 - TIE)).astype(float)

    def sizes(rates: Floats) -> Floats:
        left = binomial_pmf(first, table.n1, rates[:, None])
        right = binomial_pmf(second, table.n2, rates[:, None])
        return ((left @ is_extreme) * right).sum(axis=1)

    return min(_largest(sizes, 0.0, 1.0, table.n1 + table.n2, len(first) + len(second)), 1.0)


def _boschloo_one_sided(table: Table) -> float:
    """Against p2 > p1."""
    n, successes = table.n1 + table.n2, table.x1 + table.x2
    low_rate, high_rate, spent = _rates_to_search(successes, n)
    totals = _totals_in_reach(low_rate, high_rate, n)
    observed = _fisher_tails(np.array([successes]), table)[0, int(table.x2 if table.n2 <= table.n1 else table.x1)]
    if observed >= 1:
        return 1.0
    tails = _fisher_tails(totals, table)
    attained = np.where(tails <= observed * (1 + TIE), tails, 0.0).max(axis=1)
    sizes = partial(_sizes, totals=totals, attained=attained, n=n)
    return min(_largest(sizes, low_rate, high_rate, n, len(totals)) + spent, 1.0)


def _rates_to_search(successes: float, n: float) -> tuple[float, float, float]:
    """Bounds of the common rate, and the error spent by not looking beyond them."""
    if n <= 2_000:
        return 0.0, 1.0, 0.0
    spent = 1e-7
    low = float(betaincinv(successes, n - successes + 1, spent / 2)) if successes else 0.0
    high = float(betaincinv(successes + 1, n - successes, 1 - spent / 2)) if successes < n else 1.0
    return low, high, spent


def _totals_in_reach(low_rate: float, high_rate: float, n: float) -> Floats:
    def reach(rate: float) -> float:
        return 8 * math.sqrt(n * rate * (1 - rate)) + 40

    low = max(math.floor(n * low_rate - reach(low_rate)), 0)
    high = min(math.ceil(n * high_rate + reach(high_rate)), n)
    if high - low > MOST_TOTALS:
        raise StatsError("the table is too large for Boschloo's test; the score test needs no company here")
    return np.arange(low, high + 1, dtype=float)


def _fisher_tails(totals: Floats, table: Table) -> Floats:
    """Fisher's one-sided p for every total (rows) and every count of the smaller arm from 0 up (columns)."""
    (seen, small), large = (table[2:], table.n1) if table.n2 <= table.n1 else (table[:2], table.n2)
    typical = totals[-1] * small / (small + large)
    # What lies beyond has a chance of less than 1e-20.
    reach = max(typical + 12 * math.sqrt(typical) + 60, seen + 1) // 1
    columns = np.arange(min(small, totals[-1], reach) + 1)
    if len(totals) * len(columns) > 4 * MOST_TERMS:
        raise StatsError("the table is too large for Boschloo's test; the score test needs no company here")
    chances = _hypergeometric(columns, totals[:, None], small, large)
    # A large variant is many successes of its own, or few of a smaller control.
    if table.n2 <= table.n1:
        return np.cumsum(chances[:, ::-1], axis=1)[:, ::-1]
    return np.cumsum(chances, axis=1)


def _hypergeometric(columns: Floats, totals: Floats, small: float, large: float) -> Floats:
    """Chances of each count of the small arm given each total (k, 1), row by row from the ratios of neighbours."""
    x = columns[:-1]
    up, down = (small - x) * (totals - x), (x + 1) * (large - totals + x + 1)
    possible = (columns <= np.minimum(small, totals)) & (columns >= totals - large)
    steps = np.where((up > 0) & (down > 0), np.log(np.maximum(up, 1.0)) - np.log(np.maximum(down, 1.0)), 0.0)
    logs = np.concatenate([np.zeros((len(totals), 1)), np.cumsum(steps, axis=1)], axis=1)
    logs = np.where(possible, logs, -np.inf)
    weights = np.exp(logs - logs.max(axis=1, keepdims=True))
    return weights / weights.sum(axis=1, keepdims=True)


def _sizes(rates: Floats, totals: Floats, attained: Floats, n: float) -> Floats:
    """P(at least as extreme) at each common rate."""
    kept = attained > 0
    return binomial_pmf(totals[kept], n, rates[:, None]) @ attained[kept]


def _largest(sizes: Callable[[Floats], Floats], low: float, high: float, n: float, totals: int) -> float:
    """The maximum over the rates: a fine grid, even in the angle whose spread does not depend on the rate, refined."""
    count = int(max(min(200 + 4 * math.sqrt(n), 600, 500_000 / totals), 40))
    angles = np.linspace(math.asin(math.sqrt(low)), math.asin(math.sqrt(high)), count)
    for _ in range(4):
        values = sizes(np.sin(angles) ** 2)
        best = int(values.argmax())
        left, right = angles[max(best - 1, 0)], angles[min(best + 1, len(angles) - 1)]
        angles = np.linspace(left, right, 21)
    return float(values.max())
