"""Empirical Bayes: what the other tests of a workspace say about the true size of this one's effect."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.special import betaln, digamma, gammaln, xlog1py, xlogy, zeta

from experiments.stats.bayes import Beta
from experiments.stats.checks import Floats, check_finite, check_list, check_positive, check_rates
from experiments.stats.errors import StatsError
from experiments.stats.special import find_root

# Spread of true differences in log-odds between wordings; measured on headline tests, .215 per headline.
PRIOR_TAU = 0.30
FEWEST_TESTS = 20


@dataclass(frozen=True)
class RandomEffects:
    """`means` and `sds` of shape (k,): the posterior of each unit's own value given mu and tau."""

    mu: float
    tau: float
    means: Floats
    sds: Floats


def random_effects(y: Sequence[float], v: Sequence[float]) -> RandomEffects:
    """Normal random effects by REML (Patterson & Thompson 1971) for estimates y with known variances v, shape (k,).

    Raises `StatsError` unless all v > 0.
    """
    estimates, variances = _estimates(y, v)
    tau2 = _largest_likelihood(estimates, variances, None)
    weights = 1 / (variances + tau2)
    mu = float((weights * estimates).sum() / weights.sum())
    means, sds = shrink(estimates, variances, mu, math.sqrt(tau2))
    return RandomEffects(mu, math.sqrt(tau2), means, sds)


def shrink(y: Floats, v: Floats, mu: float, tau: float) -> tuple[Floats, Floats]:
    """Posterior means and standard deviations under Normal(mu, tau²); shapes as of y and v."""
    kept = tau * tau / (np.asarray(v) + tau * tau)
    return mu + kept * (np.asarray(y) - mu), np.sqrt(kept * np.asarray(v))


def effect_spread(effects: Sequence[float], variances: Sequence[float]) -> float:
    """tau of Normal(0, tau²) for true effects: .30 until 20 finished tests, then the workspace's own by likelihood.

    The mean is held at 0, since which arm is called the variant is arbitrary.
    """
    if len(effects) < FEWEST_TESTS:
        return PRIOR_TAU
    y, v = _estimates(effects, variances)
    return math.sqrt(_largest_likelihood(y, v, 0.0))


def shrink_effect(effect: float, variance: float, tau: float = PRIOR_TAU) -> tuple[float, float]:
    """One effect in log-odds: its posterior mean and standard deviation under Normal(0, tau²)."""
    y, v = np.array([check_finite(effect, "the effect")]), np.array([check_positive(variance, "its variance")])
    means, sds = shrink(y, v, 0.0, tau)
    return float(means[0]), float(sds[0])


def _estimates(y: Sequence[float], v: Sequence[float]) -> tuple[Floats, Floats]:
    estimates, variances = check_list(y, "y"), check_list(v, "v")
    if len(estimates) != len(variances):
        raise StatsError("y and v must have the same length")
    for variance in variances:
        check_positive(variance, "each of v")
    return estimates, variances


def _largest_likelihood(y: Floats, v: Floats, mu: float | None) -> float:
    """tau² of the largest restricted likelihood, or with a known mean of the likelihood; 0 where that is largest."""
    if len(y) < 2:
        return 0.0
    scale = float(np.median(v)) + float(y.var())
    grid = np.concatenate([[0.0], scale * np.logspace(-6, 3, 91)])
    best = int(np.argmax([_log_likelihood(tau2, y, v, mu) for tau2 in grid]))
    if best == 0 and _slope(0.0, y, v, mu) <= 0:
        return 0.0
    low, high = grid[max(best - 1, 0)], grid[min(best + 1, len(grid) - 1)]
    return find_root(lambda tau2: _slope(tau2, y, v, mu), float(low), float(high), 1e-18)


def _log_likelihood(tau2: float, y: Floats, v: Floats, mu: float | None) -> float:
    weights = 1 / (v + tau2)
    middle = (weights @ y) / weights.sum() if mu is None else mu
    lost = math.log(weights.sum()) if mu is None else 0.0
    return float(-0.5 * (lost - np.log(weights).sum() + (weights * (y - middle) ** 2).sum()))


def _slope(tau2: float, y: Floats, v: Floats, mu: float | None) -> float:
    """Of twice the log likelihood, with its sign."""
    weights = 1 / (v + tau2)
    middle = (weights @ y) / weights.sum() if mu is None else mu
    gained = (weights**2).sum() / weights.sum() if mu is None else 0.0
    return float(gained - weights.sum() + ((weights * (y - middle)) ** 2).sum())


@dataclass(frozen=True)
class BetaFit:
    """A beta-binomial: mu = a / (a + b), rho = 1 / (a + b + 1) is the correlation of two trials of one arm.

    Arms that scatter no more than chance have rho 0 and infinite a and b. Without any success (or failure) a and b
    are NaN: the data say nothing about them.
    """

    a: float
    b: float
    mu: float
    rho: float
    log_likelihood: float


def fit_beta(x: Sequence[float], n: Sequence[float]) -> BetaFit:
    """Largest likelihood for successes x of trials n, shape (k,), by Newton's method on log a and log b."""
    successes, trials = check_rates(x, n)
    if not trials.any():
        raise StatsError("at least one arm must have trials")
    constant = float((gammaln(trials + 1) - gammaln(successes + 1) - gammaln(trials - successes + 1)).sum())
    mu = float(successes.sum() / trials.sum())
    if mu in {0.0, 1.0}:
        return BetaFit(math.nan, math.nan, mu, 0.0, 0.0)
    if _excess_scatter(successes, trials, mu) <= 0:
        plain = float((xlogy(successes, mu) + xlog1py(trials - successes, -mu)).sum())
        return BetaFit(math.inf, math.inf, mu, 0.0, constant + plain)
    point = _newton(successes, trials, np.log(np.array(beta_by_moments(x, n))))
    a, b = (float(value) for value in np.exp(point))
    return BetaFit(a, b, a / (a + b), 1 / (a + b + 1), constant + _beta_likelihood(point, successes, trials))


def _excess_scatter(x: Floats, n: Floats, mu: float) -> float:
    """Slope of the log likelihood in 1/(a + b) where that is 0: above 0 where arms scatter more than chance."""
    failures = n - x
    return float((x * (x - 1) / (2 * mu) + failures * (failures - 1) / (2 * (1 - mu)) - n * (n - 1) / 2).sum())


def _beta_likelihood(point: Floats, x: Floats, n: Floats) -> float:
    a, b = np.exp(point)
    return float((betaln(x + a, n - x + b) - betaln(a, b)).sum())


def _newton(x: Floats, n: Floats, point: Floats) -> Floats:
    value = _beta_likelihood(point, x, n)
    for _ in range(200):
        slope, curvature = _derivatives(point, x, n)
        # Where the surface is not concave, steps go uphill along its eigenvectors.
        sizes, directions = np.linalg.eigh(curvature)
        step = directions @ ((directions.T @ slope) / np.maximum(np.abs(sizes), 1e-12))
        step *= min(1.0, 3.0 / float(np.abs(step).max() or 1.0))
        if np.abs(step).max() < 1e-13:
            break
        following = _beta_likelihood(point + step, x, n)
        while following < value - 1e-9 * abs(value) and np.abs(step).max() > 1e-13:
            step /= 2
            following = _beta_likelihood(point + step, x, n)
        point, value = point + step, following
    return point


def _derivatives(point: Floats, x: Floats, n: Floats) -> tuple[Floats, Floats]:
    """Slope (2,) and curvature (2, 2) of the log likelihood in log a and log b."""
    a, b = np.exp(point)
    both = digamma(a + b) - digamma(n + a + b)
    slopes = np.array([(digamma(x + a) - digamma(a) + both).sum(), (digamma(n - x + b) - digamma(b) + both).sum()])
    shared = (zeta(2, a + b) - zeta(2, n + a + b)).sum()
    bend_a = (zeta(2, x + a) - zeta(2, a)).sum() + shared
    bend_b = (zeta(2, n - x + b) - zeta(2, b)).sum() + shared
    scales = np.array([a, b])
    curvature = np.array([[bend_a, shared], [shared, bend_b]]) * np.outer(scales, scales)
    return slopes * scales, curvature + np.diag(slopes * scales)


def beta_by_moments(x: Sequence[float], n: Sequence[float]) -> Beta:
    """A prior for new arms from past ones, by moments (Kleinman 1973, JASA 68:46), worth at most a million trials.

    Without any success or failure the rate is taken from one half of each added.
    """
    successes, trials = check_rates(x, n)
    total, hits = float(trials.sum()), float(successes.sum())
    mu = (hits + 0.5) / (total + 1) if hits in {0, total} else hits / total
    seen = trials > 0
    scatter = float(((successes[seen] - trials[seen] * mu) ** 2 / trials[seen]).sum())
    chance = mu * (1 - mu)
    arms = int(seen.sum())
    room = total - float((trials**2).sum()) / total - (arms - 1) if total else 0.0
    rho = (scatter - chance * (arms - 1)) / (chance * room) if room > 0 else 0.0
    size = 1 / min(max(rho, 1e-6), 0.5) - 1
    return Beta(mu * size, (1 - mu) * size)
