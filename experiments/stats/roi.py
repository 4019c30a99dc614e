"""What a decision or a campaign earns, as a distribution and never as one number.

Effects come in shrunk (see shrinkage); the value of a conversion comes from the user and is never guessed.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import optimize, special, stats

from experiments.stats.errors import StatsError

Floats = NDArray[np.float64]

LEVEL = 0.90
# Midpoints of equal probability of the control's rate, and Gauss–Hermite nodes of the effect.
RATE_NODES = 400
EFFECT_NODES = 40
LOSS_NODES = 48


@dataclass(frozen=True)
class Gain:
    """Posterior of money gained: its mean, the 90 % interval and the chance that it is above 0."""

    mean: float
    interval: tuple[float, float]
    p_positive: float
    expected_loss: float
    """E[max(−gain, 0)]: what being wrong costs on average."""


@dataclass(frozen=True)
class Effect:
    """The control's rate ~ Beta(a, b), and the shrunk effect of the variant in log-odds ~ Normal(mean, sd²)."""

    a: float
    b: float
    mean: float
    sd: float


def rollout_gain(effect: Effect, *, exposures: float, value: float, cost: float = 0.0) -> Gain:
    """Posterior of exposures × value × (pB − pA) − cost, for `exposures` to come at `value` per conversion.

    Deterministic: the rate by midpoints, the effect in closed form. Raises StatsError for a rate or effect that is no
    distribution, for exposures or a value of 0 or less.
    """
    if not (effect.a > 0 and effect.b > 0 and effect.sd > 0 and exposures > 0 and value > 0):
        raise StatsError("A rate, a spread, exposures and a value above 0 are needed.")
    scale = exposures * value
    logits = special.logit(special.betaincinv(effect.a, effect.b, (np.arange(RATE_NODES) + 0.5) / RATE_NODES))[:, None]
    nodes, weights = np.polynomial.hermite_e.hermegauss(EFFECT_NODES)
    mean = float((_differences(effect, logits, nodes) @ weights).mean() / weights.sum()) * scale - cost

    def below(gain: float) -> float:
        return float(_chances_below(effect, logits, (gain + cost) / scale).mean())

    low, high = (
        float(optimize.brentq(lambda gain, end=end: below(gain) - end, -scale - cost, scale - cost, xtol=1e-12 * scale))
        for end in ((1 - LEVEL) / 2, (1 + LEVEL) / 2)
    )
    return Gain(mean, (low, high), 1 - below(0.0), _expected_loss(effect, logits, cost / scale) * scale)


def _differences(effect: Effect, logits: Floats, nodes: Floats) -> Floats:
    """pB − pA for each control's logit (rows) and each standardised effect."""
    return special.expit(logits + effect.mean + effect.sd * nodes) - special.expit(logits)


def _chances_below(effect: Effect, logits: Floats, difference: float) -> Floats:
    """P(pB − pA < difference) for each control's logit."""
    target = special.logit(np.clip(special.expit(logits) + difference, 0.0, 1.0))
    return special.ndtr((target - logits - effect.mean) / effect.sd)


def _expected_loss(effect: Effect, logits: Floats, cost: float) -> float:
    """E[max(cost − (pB − pA), 0)], by Gauss–Legendre over the quantiles of the effects that lose."""
    chances = _chances_below(effect, logits, cost)
    nodes, weights = np.polynomial.legendre.leggauss(LOSS_NODES)
    losing = special.ndtri(np.maximum(chances * (nodes + 1) / 2, 1e-300))
    return float((chances * (cost - _differences(effect, logits, losing)) * weights / 2).sum(axis=1).mean())


def value_of_waiting(
    expected_loss: float, *, value: float, exposures_per_day: float, test_cost_per_day: float = 0.0
) -> float:
    """Money per day that testing on is worth: what deciding now is expected to lose, less what the test costs.

    expected_loss: conversions per exposure that the present leader is expected to lose. Below 0: decide now.
    """
    return expected_loss * value * exposures_per_day - test_cost_per_day


@dataclass(frozen=True)
class CampaignReturn:
    """Profit and return on cost; the return is None where nothing was spent, as it has no meaning then."""

    profit: Gain
    roi: float | None
    roi_interval: tuple[float, float] | None


def campaign_return(revenue: float, revenue_squares: float, cost: float) -> CampaignReturn:
    """What a campaign earned, as uncertain as its conversions are few.

    revenue: Σ of the conversions' values; revenue_squares: Σ of their squares; cost: all that was spent, known.
    Conversions arrive as a compound Poisson process, so revenue has the variance Σ value², here as a gamma of that mean
    and variance.
    Raises StatsError for sums that cannot be, such as a revenue without squares.
    """
    if not (revenue >= 0 and cost >= 0 and revenue_squares >= 0 and (revenue > 0) == (revenue_squares > 0)):
        raise StatsError("Revenue and cost must be at least 0, and revenue must come with its squares.")
    if revenue == 0:
        nothing = Gain(-cost, (-cost, -cost), 0.0, cost)
        return CampaignReturn(nothing, *((-1.0, (-1.0, -1.0)) if cost else (None, None)))
    shape, scale = revenue**2 / revenue_squares, revenue_squares / revenue
    earned = stats.gamma(shape, scale=scale)
    low, high = (float(earned.ppf(end)) - cost for end in ((1 - LEVEL) / 2, (1 + LEVEL) / 2))
    # E[max(cost − revenue, 0)], from the partial mean of a gamma.
    loss = cost * special.gammainc(shape, cost / scale) - revenue * special.gammainc(shape + 1, cost / scale)
    profit = Gain(revenue - cost, (low, high), float(earned.sf(cost)), float(loss))
    if not cost:
        return CampaignReturn(profit, None, None)
    return CampaignReturn(profit, profit.mean / cost, (low / cost, high / cost))
