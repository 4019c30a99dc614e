"""Tests that may be looked at as often as one likes: e-processes and confidence sequences for the ratio of two rates.

Given a first success of a unit that goes to the variant with propensity w, it is the variant's with probability
w r / (1 - w + w r), where r = p2/p1. That holds whatever the base rate does, from the first success on, and needs no
variance. Averaging the likelihood ratio over a fixed distribution of r gives a process whose chance of ever exceeding
1/alpha under the null is at most alpha (Ville's inequality; Lindon & Malek 2022, NeurIPS; Howard et al. 2021).
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np
from scipy.special import expit, log_expit, log_ndtr, logsumexp

from experiments.stats.checks import Floats, check_count, check_positive, check_share
from experiments.stats.errors import StatsError
from experiments.stats.frequentist import Interval
from experiments.stats.special import find_root, gauss_legendre, scalar_deviance
from experiments.stats.srm import log_bayes_factor

DEFAULT_CONCENTRATION = 40.0
DEFAULT_TAU = 0.4
# Log ratios beyond are taken for 0 and infinity.
FARTHEST = 300.0


@dataclass(frozen=True)
class Evidence:
    """`p` is min(1, 1/e); `ratio_interval` is the confidence sequence of p2/p1 at this look."""

    log_e: float
    p: float
    ratio_interval: Interval
    is_rejected: bool
    share_interval: Interval | None = None

    @property
    def e(self) -> float:
        return math.exp(self.log_e) if self.log_e < 709 else math.inf


def _p_of(log_e: float) -> float:
    return math.exp(-max(log_e, 0.0))


def share_evidence(
    xa: float, xb: float, wb: float, concentration: float = DEFAULT_CONCENTRATION, alpha: float = 0.05
) -> Evidence:
    """One epoch: `xa`, `xb` successes of control and variant, `wb` the variant's propensity among the two.

    The share of the variant's successes is averaged over Beta(c w, c (1 - w)).
    """
    wb = check_share(wb, "wb")
    check_share(alpha, "alpha")
    xa, xb = check_count(xa, "xa"), check_count(xb, "xb")
    log_e = log_bayes_factor(np.array([xb, xa]), np.array([wb, 1 - wb]), concentration)
    low, high = _log_odds_within(xb, xa, -math.log(alpha) - log_e + _misfit(xb, xa, wb, 1 - wb))
    even = math.log(wb) - math.log1p(-wb)
    ratio = math.exp(low - even), math.exp(high - even)
    return Evidence(log_e, _p_of(log_e), ratio, log_e >= -math.log(alpha), (float(expit(low)), float(expit(high))))


def _misfit(first: float, second: float, share: float, rest: float) -> float:
    """Log likelihood lost by these shares against the observed ones."""
    total = first + second
    return sum(scalar_deviance(x, max(total * part, 1e-300)) for x, part in ((first, share), (second, rest)))


def _log_odds_within(first: float, second: float, limit: float) -> Interval:
    """Log odds of the first count that lose at most `limit` of log likelihood: below and above the observed ones."""
    if not (first or second):
        return -math.inf, math.inf

    def excess(log_odds: float) -> float:
        smaller = math.exp(-abs(log_odds))
        shares = smaller / (1 + smaller), 1 / (1 + smaller)
        return _misfit(first, second, *(shares if log_odds < 0 else shares[::-1])) - limit

    middle = math.log(first / second) if first and second else math.copysign(FARTHEST, first - second)
    low = find_root(excess, -FARTHEST, middle) if first else -math.inf
    return low, find_root(excess, middle, FARTHEST) if second else math.inf


@dataclass(frozen=True)
class Epochs:
    """Successes by epoch, each of shape (k,); `log_odds` of the variant's propensity among the two arms."""

    log_odds: Floats
    control: Floats
    variant: Floats

    @classmethod
    def of(cls, rows: Sequence[Sequence[float]]) -> "Epochs":
        """From rows [propensity, control's successes, variant's]; raises `StatsError` where one is none."""
        if not rows or any(len(row) != 3 for row in rows):
            raise StatsError("epochs must be a list of [propensity, control's successes, variant's successes]")
        for share, control, variant in rows:
            check_share(share, "each propensity")
            check_count(control, "each count of successes")
            check_count(variant, "each count of successes")
        shares, controls, variants = np.array(rows, dtype=float).T
        return cls(np.log(shares) - np.log1p(-shares), controls, variants)

    def swapped(self) -> "Epochs":
        return Epochs(-self.log_odds, self.variant, self.control)

    def log_likelihood(self, log_ratio: Floats) -> Floats:
        """Of log r, shape (m,), less that at r = 1."""
        shift = np.asarray(log_ratio, dtype=float)[:, None]
        # log(1 - w + w r): the first form keeps its digits at r near 1, the second does not overflow.
        near = np.log1p(expit(self.log_odds) * np.expm1(np.clip(shift, -1, 1)))
        far = np.logaddexp(log_expit(-self.log_odds), log_expit(self.log_odds) + shift)
        gain = np.where(np.abs(shift) < 1, near, far)
        return (self.variant * shift - (self.control + self.variant) * gain).sum(axis=1)

    def slope(self, log_ratio: float) -> float:
        """Of the log likelihood, which is concave."""
        shift = self.log_odds + log_ratio
        return float((self.variant * expit(-shift) - self.control * expit(shift)).sum())

    def curvature(self, log_ratio: float) -> float:
        shift = self.log_odds + log_ratio
        return float(((self.control + self.variant) * expit(shift) * expit(-shift)).sum())

    def most_likely(self) -> float:
        """log r; at the ends of its range where an arm has no success."""
        if not self.control.any() or not self.variant.any():
            return math.copysign(FARTHEST, float(self.variant.sum() - self.control.sum()))
        return find_root(self.slope, -FARTHEST, FARTHEST)


def ratio_evidence(
    rows: Sequence[Sequence[float]], tau: float = DEFAULT_TAU, alpha: float = 0.05, points: int | None = None
) -> Evidence:
    """Epochs of known propensity (a bandit's included), log r averaged over Normal(0, tau²).

    `points` replaces the normal distribution by its Gauss–Hermite rule of so many points. That is a fixed distribution,
    too, and the test as valid, but blunt where the data are sharper than the points are apart.
    """
    epochs, tau = Epochs.of(rows), check_positive(tau, "tau")
    check_share(alpha, "alpha")
    if not (epochs.control.any() or epochs.variant.any()):
        return Evidence(0.0, 1.0, (0.0, math.inf), False)
    log_e = _log_average(epochs, tau) if points is None else _log_average_over_points(epochs, tau, points)
    return Evidence(log_e, _p_of(log_e), _ratios_within(epochs, log_e, alpha), log_e >= -math.log(alpha))


def _log_average(epochs: Epochs, tau: float, least: float = -math.inf) -> float:
    """Log of the mean of L(log r) / L(0) over Normal(0, tau²), or over its part above `least`."""

    def slope(log_ratio: float) -> float:
        return epochs.slope(log_ratio) - log_ratio / (tau * tau)

    peak = max(find_root(slope, -FARTHEST, FARTHEST), least)
    width = 1 / math.sqrt(epochs.curvature(peak) + 1 / (tau * tau))
    ends = _ends_of_mass(epochs, tau, peak, width, least)
    nodes, weights = gauss_legendre(16)
    sizes = np.diff(ends)
    points = (ends[:-1, None] + sizes[:, None] * nodes).ravel()
    logs = epochs.log_likelihood(points) - 0.5 * (points / tau) ** 2 - math.log(tau * math.sqrt(2 * math.pi))
    return float(logsumexp(logs, b=(sizes[:, None] * weights).ravel()) - log_ndtr(-least / tau))


def _ends_of_mass(epochs: Epochs, tau: float, peak: float, width: float, least: float) -> Floats:
    """Ends of panels around the peak, widening outwards until the density is below e^-45 of the peak's."""

    def log_density(points: Floats) -> Floats:
        return epochs.log_likelihood(points) - 0.5 * (points / tau) ** 2

    steps = width * np.concatenate([np.arange(0, 8), 8 * 1.5 ** np.arange(40)])
    top = log_density(np.array([peak]))[0]
    right = peak + steps[: 1 + int((log_density(peak + steps) > top - 45).sum())]
    left = peak - steps[: 1 + int((log_density(peak - steps) > top - 45).sum())]
    return np.unique(np.maximum(np.concatenate([left, right]), least))


@cache
def _hermite(points: int) -> tuple[Floats, Floats]:
    nodes, weights = np.polynomial.hermite_e.hermegauss(points)
    return nodes, np.log(weights / weights.sum())


def _log_average_over_points(epochs: Epochs, tau: float, points: int) -> float:
    nodes, log_weights = _hermite(points)
    return float(logsumexp(epochs.log_likelihood(tau * nodes) + log_weights))


def _ratios_within(epochs: Epochs, log_average: float, alpha: float) -> Interval:
    """Ratios that the average does not beat by 1/alpha."""
    least = log_average + math.log(alpha)
    middle = epochs.most_likely()

    def excess(log_ratio: float) -> float:
        return float(epochs.log_likelihood(np.array([log_ratio]))[0]) - least

    low = math.exp(find_root(excess, -FARTHEST, middle)) if epochs.variant.any() else 0.0
    high = math.exp(find_root(excess, middle, FARTHEST)) if epochs.control.any() else math.inf
    return low, high


def margin_evidence(
    rows: Sequence[Sequence[float]],
    margin: float,
    tau: float = DEFAULT_TAU,
    alpha: float = 0.05,
    direction: str = "above",
) -> Evidence:
    """One-sided: whether r = p2/p1 is above (or below) 1 + margin; for guardrails and for “not worse than x %”.

    A rising likelihood ratio makes the boundary the worst case of the null r ≤ 1 + margin, so the average over the
    part of Normal(0, tau²), centred at the boundary, that lies beyond it is an e-process for the whole null. The
    interval has one end: the ratios that the same test with their own boundary would not reject.
    """
    if direction not in {"above", "below"}:
        raise StatsError("the direction must be “above” or “below”")
    if not (math.isfinite(margin) and margin > -1):
        raise StatsError("the margin must be above -1 (-0.1 is ten per cent less)")
    epochs, tau, limit = Epochs.of(rows), check_positive(tau, "tau"), -math.log(check_share(alpha, "alpha"))
    boundary = math.log1p(margin)
    if direction == "below":
        epochs, boundary = epochs.swapped(), -boundary
    log_e = _log_average_above(epochs, boundary, tau)
    lowest = _lowest_ratio(epochs, tau, limit)
    interval = (lowest, math.inf) if direction == "above" else (0.0, 1 / lowest if lowest else math.inf)
    return Evidence(log_e, _p_of(log_e), interval, log_e >= limit)


def _log_average_above(epochs: Epochs, boundary: float, tau: float) -> float:
    """As if the boundary were r = 1: each propensity moves to where an arm better by the boundary would look even."""
    return _log_average(Epochs(epochs.log_odds + boundary, epochs.control, epochs.variant), tau, least=0.0)


def _lowest_ratio(epochs: Epochs, tau: float, limit: float) -> float:
    def excess(log_ratio: float) -> float:
        return _log_average_above(epochs, log_ratio, tau) - limit

    if excess(-FARTHEST) <= 0:
        return 0.0
    # At the most likely ratio none beyond is likelier, so there is no evidence.
    return math.exp(find_root(excess, -FARTHEST, epochs.most_likely(), 1e-9))


def asymptotic_interval(
    estimate: float, error: float, n: float, alpha: float = 0.05, tuned_for: float = 5_000
) -> tuple[Interval, float]:
    """Asymptotic confidence sequence of a mean effect, and its p (Waudby-Smith et al. 2021, arXiv 2103.06476, eq. 9).

    `error` is the standard error at n units; `tuned_for` the count at which the interval is tightest. For means only:
    with few events it does not hold, as the exact tests above do.
    """
    check_positive(error, "se")
    n, tuned_for = check_count(n, "n", least=1), check_positive(tuned_for, "tuned_for")
    rho2 = asymptotic_rho2(alpha, tuned_for)
    scale = n * rho2 + 1
    half = error * math.sqrt(2 * scale / (n * rho2) * math.log(math.sqrt(scale) / alpha))
    log_p = 0.5 * math.log(scale) - (estimate / error) ** 2 * n * rho2 / (2 * scale)
    return (estimate - half, estimate + half), math.exp(min(log_p, 0.0))


def asymptotic_rho2(alpha: float, tuned_for: float) -> float:
    """The squared scale of the mixture that is tightest at `tuned_for` units."""
    log_alpha = -2 * math.log(check_share(alpha, "alpha"))
    return (log_alpha + math.log(log_alpha + 1)) / tuned_for
