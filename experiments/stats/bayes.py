"""Beta posteriors of rates: chance to be best, expected loss, intervals of lift and difference.

All by quadrature, not by simulation: the same data give the same digits. Integrals run over the logit of a rate, where
a beta density is log-concave, on panels that end where its logarithm has dropped by 1/2, 4/2, 9/2, … from the peak.
Arm 1 is the control, arm 2 the variant.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple

import numpy as np
from scipy.special import betainc, betaincc, betaincinv, betaln, digamma, expit, ndtri, xlog1py, zeta

from experiments.stats.checks import MOST_COUNT, Floats, check_positive, check_rate, check_share
from experiments.stats.errors import StatsError
from experiments.stats.frequentist import Interval
from experiments.stats.special import gauss_legendre, running_integrals

DROPS = np.arange(1, 10) ** 2 / 2
NODES = 8
# Fewer, where each point costs a beta function.
LAW_NODES = 6
WIDEST_PANEL = 2.0
TINY = 1e-300


class Beta(NamedTuple):
    """A beta distribution; made by `posterior_of`, which checks it."""

    a: float
    b: float

    @property
    def mean(self) -> float:
        return self.a / (self.a + self.b)

    @property
    def variance(self) -> float:
        return self.mean * (1 - self.mean) / (self.a + self.b + 1)

    @property
    def log_mean(self) -> float:
        """Mean of the logarithm of the rate."""
        return float(digamma(self.a) - digamma(self.a + self.b))

    @property
    def log_variance(self) -> float:
        return float(zeta(2, self.a) - zeta(2, self.a + self.b))

    def interval(self, alpha: float = 0.05) -> Interval:
        """Equal-tailed."""
        low, high = betaincinv(self.a, self.b, [alpha / 2, 1 - alpha / 2])
        return float(low), float(high)


class Best(NamedTuple):
    """Per arm, shape (k,): chance to be the best, and what is lost on average by choosing it; with E[max]."""

    p_best: Floats
    expected_loss: Floats
    expected_best: float


@dataclass(frozen=True)
class Comparison:
    """Variant against control. `lift_mean` is NaN where it does not exist (the control's a ≤ 1)."""

    chance_to_win: float
    risk_choose_variant: float
    risk_choose_control: float
    lift_interval: Interval
    lift_median: float
    lift_mean: float
    diff_mean: float
    diff_interval: Interval


def posterior_of(x: float, n: float, a0: float = 1.0, b0: float = 1.0, arm: str = "") -> Beta:
    """Beta(a0 + x, b0 + n - x); raises `StatsError` unless 0 ≤ x ≤ n and a0, b0 are from .01 to 1e15."""
    x, n = check_rate(x, n, arm)
    a0, b0 = (check_positive(value, name, 0.01, MOST_COUNT) for value, name in ((a0, "a0"), (b0, "b0")))
    return Beta(a0 + x, b0 + n - x)


def best_arm(arms: Sequence[Beta], lower_is_better: bool = False) -> Best:
    """P(arm is best) and expected loss E[best - arm] for k ≥ 1 independent arms, on one shared grid."""
    if not arms:
        raise StatsError("there must be at least one arm")
    if lower_is_better:
        mirrored = best_arm([Beta(arm.b, arm.a) for arm in arms])
        return mirrored._replace(expected_best=1 - mirrored.expected_best)
    a, b = np.array(arms, dtype=float).T
    grid = _shared_grid(a, b)
    below, above = _tails(grid.masses)
    log_below = np.where(above < 0.5, np.log1p(-np.minimum(above, 0.5)), np.log(np.maximum(below, TINY)))
    others = log_below.sum(axis=0) - log_below
    p_best = (grid.masses.reshape(len(a), -1) * np.exp(others)).sum(axis=1)
    rates = expit(grid.points)
    # As an integral of positive terms: E[max] - E[rate] would cancel.
    loss = (below * -np.expm1(others)) @ (grid.widths * rates * expit(-grid.points))
    leader = int(loss.argmin())
    return Best(p_best / p_best.sum(), loss, float(arms[leader].mean + loss[leader]))


class _Grid(NamedTuple):
    """Points on the logit scale, shape (m,), their weights, and each arm's mass there, shape (k, panels, nodes)."""

    points: Floats
    widths: Floats
    masses: Floats


def _shared_grid(a: Floats, b: Floats) -> _Grid:
    ends = np.unique(_panel_ends(a, b))
    if (np.diff(ends) > WIDEST_PANEL).any():
        ends = np.unique(np.concatenate([ends, np.arange(ends[0], ends[-1], WIDEST_PANEL)]))
    nodes, weights = gauss_legendre(NODES)
    sizes = np.diff(ends)
    points = (ends[:-1, None] + sizes[:, None] * nodes).ravel()
    widths = (sizes[:, None] * weights).ravel()
    masses = widths * np.exp(_log_density(points - _mode(a, b)[:, None], a[:, None], b[:, None]))
    masses /= masses.sum(axis=1, keepdims=True)
    return _Grid(points, widths, masses.reshape(len(a), -1, NODES))


def _tails(masses: Floats) -> tuple[Floats, Floats]:
    """P(arm < point) and P(arm > point), shape (k, m), each summed from its own end."""
    _, weights = gauss_legendre(NODES)
    panels = masses.sum(axis=2)
    inside = np.clip((masses / weights) @ running_integrals(NODES).T, 0, panels[:, :, None])
    before = np.cumsum(panels, axis=1) - panels
    after = np.cumsum(panels[:, ::-1], axis=1)[:, ::-1] - panels
    below = np.maximum(before, 0)[:, :, None] + inside
    above = np.maximum(after, 0)[:, :, None] + panels[:, :, None] - inside
    return below.reshape(len(masses), -1), above.reshape(len(masses), -1)


def _mode(a: Floats, b: Floats) -> Floats:
    """Of the logit."""
    return np.log(a) - np.log(b)


def _log_density(shift: Floats, a: Floats, b: Floats) -> Floats:
    """Of the logit at its mode + shift, less that at the mode."""
    # Seen from the rarer outcome, so that no large terms cancel.
    rare, size = np.minimum(a, b), a + b
    share, turned = rare / size, np.where(a <= b, shift, -shift)
    near = np.log1p(share * np.expm1(np.clip(turned, -30, 30)))
    # Does not overflow.
    far = np.logaddexp(np.log1p(-share), np.log(share) + turned) if np.abs(shift).max() > 30 else near
    return rare * turned - size * np.where(np.abs(turned) <= 30, near, far)


def _panel_ends(a: Floats, b: Floats) -> Floats:
    """Ends of the panels of each arm on the logit scale, shape (k, 19), rising."""
    right = _distances(a[:, None], b[:, None])
    left = _distances(b[:, None], a[:, None])
    middle = _mode(a, b)[:, None]
    return np.concatenate([middle - left[:, ::-1], middle, middle + right], axis=1)


def _distances(a: Floats, b: Floats) -> Floats:
    """How far right of the mode the log density has dropped by `DROPS`: Newton's steps, which cannot fail here.

    The function is concave, so that every step after the first comes from beyond. Ends need not be exact.
    """
    scaled = DROPS / a
    distance = np.log1p(scaled + np.sqrt(2 * scaled))
    first, second = a / (a + b), b / (a + b)
    for _ in range(6):
        slope = a * second * np.expm1(-distance) / (first + second * np.exp(-distance))
        excess = _log_density(distance, a, b) + DROPS
        distance = np.maximum(distance - excess / np.minimum(slope, -TINY), distance / 8)
    return np.sort(distance, axis=1)


def compare(control: Beta, variant: Beta, alpha: float = 0.05, lower_is_better: bool = False) -> Comparison:
    """All that is said of two arms; intervals are equal-tailed at level 1 - alpha."""
    check_share(alpha, "alpha")
    best = best_arm([control, variant], lower_is_better)
    low, median, high = (ratio - 1 for ratio in ratio_quantiles(control, variant, [alpha / 2, 0.5, 1 - alpha / 2]))
    diff = difference_quantiles(control, variant, [alpha / 2, 1 - alpha / 2])
    return Comparison(
        chance_to_win=float(best.p_best[1]),
        risk_choose_variant=float(best.expected_loss[1]),
        risk_choose_control=float(best.expected_loss[0]),
        lift_interval=(low, high),
        lift_median=median,
        lift_mean=mean_lift(control, variant),
        diff_mean=variant.mean - control.mean,
        diff_interval=(diff[0], diff[1]),
    )


def mean_lift(control: Beta, variant: Beta) -> float:
    """E[p2/p1] - 1; NaN where the control's a ≤ 1, for then E[1/p1] is infinite."""
    if control.a <= 1:
        return math.nan
    return variant.mean * (control.a + control.b - 1) / (control.a - 1) - 1


def ratio_quantiles(control: Beta, variant: Beta, chances: Sequence[float]) -> list[float]:
    """Quantiles of p2 / p1."""
    middle = variant.log_mean - control.log_mean
    spread = math.sqrt(control.log_variance + variant.log_variance)
    logs = _quantiles(lambda y: _ratio_law(control, variant, y), chances, middle, spread, (-700.0, 700.0))
    return [math.exp(value) for value in logs]


def difference_quantiles(control: Beta, variant: Beta, chances: Sequence[float]) -> list[float]:
    """Quantiles of p2 - p1."""
    spread = math.sqrt(control.variance + variant.variance)
    middle = variant.mean - control.mean
    return _quantiles(lambda d: _difference_law(control, variant, d), chances, middle, spread, (-1.0, 1.0))


def chance_of_difference(control: Beta, variant: Beta, least: float) -> float:
    """P(p2 - p1 > least)."""
    if abs(least) >= 1:
        return float(least < 0)
    return float(_difference_law(variant, control, np.array([-least]))[0][0])


Law = Callable[[Floats], tuple[Floats, Floats]]


def _quantiles(
    law: Law, chances: Sequence[float], middle: float, spread: float, ends: tuple[float, float]
) -> list[float]:
    """Newton's steps on the logit of the distribution function, kept inside a bracket by bisection."""
    target = np.array(chances)
    low, high = (np.full(len(target), end) for end in ends)
    point = np.clip(middle + spread * ndtri(target), 0.999 * ends[0], 0.999 * ends[1])
    for _ in range(100):
        chance, density = law(point)
        low, high = np.where(chance < target, point, low), np.where(chance < target, high, point)
        with np.errstate(all="ignore"):
            gap = np.log(chance / (1 - chance)) - np.log(target / (1 - target))
            following = point - gap * chance * (1 - chance) / density
        # NaN compares false and so is bisected, too.
        safe = (following > low) & (following < high)
        following = np.where(safe, following, (low + high) / 2)
        moved = np.abs(following - point)
        point = following
        if (moved <= 1e-8 * spread).all():
            break
    return [float(value) for value in point]


def _ratio_law(control: Beta, variant: Beta, logs: Floats) -> tuple[Floats, Floats]:
    """P(log p2/p1 ≤ y) and its density for each y, shape (r,), over the arm whose logarithm is the more certain."""
    ratio = np.exp(logs)[:, None]
    zero, one = np.zeros_like(ratio), np.ones_like(ratio)
    if variant.log_variance < control.log_variance:
        rates, masses = _nodes(variant, zero, np.minimum(ratio, one))
        others = np.minimum(rates / ratio, 1.0)
        chance = (masses * betaincc(*control, others)).sum(axis=1)
        return chance, (masses * _density(control, others) * others).sum(axis=1)
    top = np.minimum(1 / ratio, one)
    rates, masses = _nodes(control, zero, top)
    others = np.minimum(rates * ratio, 1.0)
    chance = (masses * betainc(*variant, others)).sum(axis=1) + betaincc(*control, top[:, 0])
    return chance, (masses * _density(variant, others) * others).sum(axis=1)


def _difference_law(control: Beta, variant: Beta, differences: Floats) -> tuple[Floats, Floats]:
    """P(p2 - p1 ≤ d) and its density for each d, shape (r,), over the arm that is the more certain."""
    d = differences[:, None]
    if variant.variance < control.variance:
        bottom, top = np.clip(d, 0, 1), np.clip(1 + d, 0, 1)
        rates, masses = _nodes(variant, bottom, top)
        others = np.clip(rates - d, 0, 1)
        chance = (masses * betaincc(*control, others)).sum(axis=1) + betainc(*variant, bottom[:, 0])
        return chance, (masses * _density(control, others)).sum(axis=1)
    bottom, top = np.clip(-d, 0, 1), np.clip(1 - d, 0, 1)
    rates, masses = _nodes(control, bottom, top)
    others = np.clip(rates + d, 0, 1)
    chance = (masses * betainc(*variant, others)).sum(axis=1) + betaincc(*control, top[:, 0])
    return chance, (masses * _density(variant, others)).sum(axis=1)


def _nodes(arm: Beta, bottom: Floats, top: Floats) -> tuple[Floats, Floats]:
    """Rates between bottom and top (both (r, 1)) and the arm's mass at each, shape (1, m) or (r, m)."""
    even = _even_nodes(arm)
    if bottom.max() <= even[0][0, 0] and top.min() >= even[0][0, -1]:
        return even
    ends, whole = _panels(arm)
    with np.errstate(divide="ignore"):
        low, high = (np.log(edge) - np.log1p(-edge) for edge in (bottom, top))
    points, masses = _masses(arm, np.clip(ends, low, high))
    return expit(points), masses / whole


@lru_cache(maxsize=256)
def _even_nodes(arm: Beta) -> tuple[Floats, Floats]:
    """Even steps converge as fast as any rule where nothing cuts the density off: it is analytic up to ±iπ."""
    ends, _ = _panels(arm)
    step = min(0.5 * math.sqrt(1 / arm.a + 1 / arm.b), 0.45)
    points = np.arange(ends[0, 0], ends[0, -1] + step, step)[None, :]
    a, b = np.array([arm.a]), np.array([arm.b])
    masses = np.exp(_log_density(points - _mode(a, b), a, b))
    return expit(points), masses / masses.sum()


@lru_cache(maxsize=256)
def _panels(arm: Beta) -> tuple[Floats, float]:
    """Ends of the panels up to a drop of 24.5, shape (1, 15), and the mass within before scaling."""
    ends = _panel_ends(np.array([arm.a]), np.array([arm.b]))[:, 2:-2]
    return ends, float(_masses(arm, ends)[1].sum())


def _masses(arm: Beta, ends: Floats) -> tuple[Floats, Floats]:
    nodes, weights = gauss_legendre(LAW_NODES)
    sizes = np.diff(ends, axis=1)[:, :, None]
    points = (ends[:, :-1, None] + sizes * nodes).reshape(len(ends), -1)
    widths = (sizes * weights).reshape(len(ends), -1)
    a, b = np.array([arm.a]), np.array([arm.b])
    return points, widths * np.exp(_log_density(points - _mode(a, b), a, b))


def _density(arm: Beta, rates: Floats) -> Floats:
    """Only steers Newton's steps, so its own digits do not matter."""
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        logs = (arm.a - 1) * np.log(rates) + xlog1py(arm.b - 1, -rates) - betaln(arm.a, arm.b)
        return np.exp(np.minimum(logs, 700))
