"""Sample ratio mismatch: whether units arrived in the shares that were set."""

import math
from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np
from scipy.special import betainc, betaincc, chdtrc

from experiments.stats.checks import SMALLEST_SHARE, Floats, check_count, check_list, check_positive
from experiments.stats.errors import StatsError
from experiments.stats.special import binomial_pmf, deviance, stirling_error

CONCENTRATION = 10_000.0
SMALL_EXPECTATION = 5.0
ALARM_P = 0.001
ALARM_E = 1_000.0
DRAWS = 20_000
TIE = 1e-7


class Mismatch(NamedTuple):
    """`p_exact` is there for two arms, or where an expected count is below 5; `p_sequential` may be read at any look.

    `unexpected_traffic`: units came to an arm that should get none. The other numbers leave such arms out.
    """

    unexpected_traffic: bool
    enough_data: bool
    df: int
    p_chi2: float
    p_exact: float | None
    log_e: float
    p_sequential: float

    @property
    def is_alarm(self) -> bool:
        """p < .001 (exact where the chi-square does not hold), e > 1,000, or traffic where none belongs."""
        p = self.p_chi2 if self.p_exact is None else self.p_exact
        return self.unexpected_traffic or p < ALARM_P or self.log_e > math.log(ALARM_E)


def check_ratio(counts: Sequence[float], weights: Sequence[float], concentration: float = CONCENTRATION) -> Mismatch:
    """Counts and weights of k arms, shape (k,) each; weights need not sum to 1 (a holdout is simply left out).

    Raises `StatsError` for a negative count or weight, different lengths, or no weight above 0.
    """
    seen, shares = check_list(counts, "counts"), check_list(weights, "weights")
    if len(seen) != len(shares):
        raise StatsError("counts and weights must have one number for each arm")
    for count in seen:
        check_count(count, "each count")
    if (shares < 0).any() or not shares.any():
        raise StatsError("weights must not be negative, and one at least must be above 0")
    expected = shares > 0
    if (shares[expected] < SMALLEST_SHARE * shares.sum()).any():
        raise StatsError("a weight must be 0 or at least a millionth of a millionth of the total")
    seen, shares, strays = seen[expected], shares[expected], seen[~expected]
    shares = shares / shares.sum()
    log_e = log_bayes_factor(seen, shares, concentration)
    return Mismatch(
        unexpected_traffic=bool(strays.any()),
        enough_data=bool(seen.any()),
        df=len(seen) - 1,
        p_chi2=chi_square_p(seen, shares),
        p_exact=_exact_p(seen, shares),
        log_e=log_e,
        p_sequential=min(math.exp(min(-log_e, 0.0)), 1.0),
    )


def chi_square_p(counts: Floats, shares: Floats) -> float:
    """Pearson's goodness of fit with k - 1 degrees of freedom; 1 without data or with one arm."""
    total = counts.sum()
    if total == 0 or len(counts) < 2:
        return 1.0
    expected = total * shares
    return float(chdtrc(len(counts) - 1, ((counts - expected) ** 2 / expected).sum()))


def _exact_p(counts: Floats, shares: Floats) -> float | None:
    if len(counts) == 2:
        return exact_binomial_p(float(counts[0]), float(counts.sum()), float(shares[0]))
    if len(counts) > 2 and counts.any() and (counts.sum() * shares).min() < SMALL_EXPECTATION:
        return simulated_p(counts, shares)
    return None


def exact_binomial_p(x: float, n: float, share: float) -> float:
    """Two-sided binomial test: all outcomes at most as likely as the observed one."""
    if n == 0:
        return 1.0
    limit = float(binomial_pmf(x, n, share)) * (1 + TIE)

    def is_as_extreme(k: float) -> bool:
        return float(binomial_pmf(k, n, share)) <= limit

    mode = math.floor((n + 1) * share)
    if x == mode or is_as_extreme(mode):
        return 1.0
    if x < mode:
        # The first outcome above the mode that is as unlikely.
        other = _bisect(is_as_extreme, mode, n + 1)
        return min(_at_most(x, n, share) + _at_least(other, n, share), 1.0)
    other = n - _bisect(lambda failures: is_as_extreme(n - failures), n - mode, n + 1)
    return min(_at_most(other, n, share) + _at_least(x, n, share), 1.0)


def _bisect(holds: Callable[[float], bool], low: float, high: float) -> float:
    """The least whole number where it holds; it does not at `low` and is taken to at `high`."""
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if holds(middle) else (middle, high)
    return high


def _at_most(k: float, n: float, share: float) -> float:
    if k < 0:
        return 0.0
    return 1.0 if k >= n else float(betaincc(k + 1, n - k, share))


def _at_least(k: float, n: float, share: float) -> float:
    if k > n:
        return 0.0
    return 1.0 if k <= 0 else float(betainc(k, n - k + 1, share))


def simulated_p(counts: Floats, shares: Floats, draws: int = DRAWS, seed: int = 0) -> float:
    """Pearson's statistic against multinomial draws under the set shares, (1 + as extreme) / (1 + draws).

    For expected counts below 5, where the chi-square distribution does not hold.
    """
    total = int(counts.sum())
    if total >= 2**31:
        # The generator's counts end here, and the rare arm alone decides.
        rare = int(shares.argmin())
        return exact_binomial_p(float(counts[rare]), float(total), float(shares[rare]))
    expected = total * shares
    simulated = np.random.default_rng(seed).multinomial(total, shares, size=draws)
    statistics = ((simulated - expected) ** 2 / expected).sum(axis=1)
    observed = ((counts - expected) ** 2 / expected).sum()
    return float((1 + (statistics >= observed * (1 - TIE)).sum()) / (1 + draws))


def log_bayes_factor(counts: Floats, shares: Floats, concentration: float = CONCENTRATION) -> float:
    """Log of the e-process of Dirichlet(concentration · shares) against the set shares.

    Lindon & Malek 2022 (Anytime-Valid Inference for Multinomial Count Data): the chance that it ever exceeds 1/alpha is
    at most alpha, so it may be looked at after every unit. Written with deviances instead of log-gammas, which would
    lose all digits at large counts.
    """
    check_positive(concentration, "the concentration")
    prior = concentration * shares
    total, seen = concentration + counts.sum(), prior + counts
    log_e = deviance(seen, total * shares).sum() - 0.5 * (np.log(seen / prior).sum() - math.log(total / concentration))
    log_e += (stirling_error(seen) - stirling_error(prior)).sum()
    return float(log_e - stirling_error(total) + stirling_error(concentration))
