"""The same answers got another way: brute force, scipy's own tests, integration. Slow, and none of our methods.

Each oracle takes what its method takes and returns a flat list of numbers in the same order.
"""

import math
from itertools import pairwise, product

import numpy as np
from scipy import integrate, optimize, special, stats

Numbers = list[float]
Z95 = 1.959963984540054
POINTS = 6_001


def two_rates(x1: int, n1: int, x2: int, n2: int) -> Numbers:
    """p of chi-square without correction, p of Fisher, and score intervals of difference and ratio by brute force."""
    table = [[x1, n1 - x1], [x2, n2 - x2]]
    p = stats.chi2_contingency(table, correction=False).pvalue
    difference = _inverted(lambda delta: _score(x1, n1, x2, n2, lambda a: a + delta, 1), x2 / n2 - x1 / n1, -1, 1)
    logs = _inverted(
        lambda log: _score(x1, n1, x2, n2, lambda a: a * math.exp(log), math.exp(log)),
        math.log((x2 / n2) / (x1 / n1)),
        -12,
        12,
    )
    return [float(p), float(stats.fisher_exact(table).pvalue), *difference, *(math.exp(end) for end in logs)]


def _score(x1, n1, x2, n2, second, scale) -> float:  # type: ignore[no-untyped-def]
    """Standardised distance from the hypothesis p2 = second(p1); the likeliest p1 by a bounded search."""
    low = max(0.0, _zero_of(second, 0.0))
    high = min(1.0, _zero_of(second, 1.0))

    def cost(a: float) -> float:
        b = min(max(second(a), 1e-15), 1 - 1e-15)
        a = min(max(a, 1e-15), 1 - 1e-15)
        rows = ((x1, n1, a), (x2, n2, b))
        return -sum(x * math.log(rate) + (n - x) * math.log1p(-rate) for x, n, rate in rows)

    a = _golden(cost, low, high)
    b = second(a)
    variance = scale**2 * a * (1 - a) / n1 + b * (1 - b) / n2
    # second(p) is p + delta or ratio × p, so that this is p2 − p1 − delta or p2 − ratio × p1.
    gap = x2 / n2 - second(x1 / n1)
    return gap / math.sqrt(variance) if variance > 0 else math.copysign(math.inf, gap)


def _zero_of(second, target: float) -> float:  # type: ignore[no-untyped-def]
    """Where second(a) = target, for a straight line."""
    start, slope = second(0.0), second(1.0) - second(0.0)
    return float((target - start) / slope)


def _golden(cost, low: float, high: float) -> float:  # type: ignore[no-untyped-def]
    """The minimum of a convex function, on the logit, where small rates have room."""
    ends = [float(special.logit(min(max(end, 1e-14), 1 - 1e-14))) for end in (low, high)]
    found = optimize.minimize_scalar(
        lambda logit: cost(float(special.expit(logit))), bounds=ends, method="bounded", options={"xatol": 1e-12}
    )
    return float(special.expit(found.x))


def _inverted(score, middle: float, low: float, high: float) -> Numbers:  # type: ignore[no-untyped-def]
    """Where the score is ±1.96, by bisection from the estimate outwards."""
    return [_crossing(lambda at: score(at) <= Z95, low, middle), _crossing(lambda at: score(at) <= -Z95, middle, high)]


def _crossing(is_beyond, low: float, high: float) -> float:  # type: ignore[no-untyped-def]
    low, high = low + 1e-12, high - 1e-12 if high >= 1 else high
    for _ in range(60):
        middle = (low + high) / 2
        low, high = (low, middle) if is_beyond(middle) else (middle, high)
    return (low + high) / 2


def boschloo(x1: int, n1: int, x2: int, n2: int) -> Numbers:
    """Twice the smaller one-sided p, each the largest over a fine grid of common rates."""
    one_sided = min(_boschloo_one_sided(*cells) for cells in ((x1, n1, x2, n2), (n1 - x1, n1, n2 - x2, n2)))
    return [min(2 * one_sided, 1.0)]


def _boschloo_one_sided(x1: int, n1: int, x2: int, n2: int) -> float:
    a, b = np.arange(n1 + 1)[:, None], np.arange(n2 + 1)[None, :]
    fisher = stats.hypergeom.sf(b - 1, n1 + n2, n2, a + b)
    extreme = fisher <= fisher[x1, x2] * (1 + 1e-9)
    # Evenly spread over the angle, in which a binomial's spread is the same everywhere.
    rates = np.sin(np.linspace(0, np.pi / 2, 1201)[1:-1, None]) ** 2
    first, second = stats.binom.pmf(a[:, 0], n1, rates), stats.binom.pmf(b[0], n2, rates)
    return float(((first @ extreme) * second).sum(axis=1).max())


def welch(first: np.ndarray, second: np.ndarray) -> Numbers:
    found = stats.ttest_ind(second, first, equal_var=False)
    return [float(found.statistic), float(found.pvalue), *map(float, found.confidence_interval())]


def rates_compared(a1: float, b1: float, a2: float, b2: float) -> Numbers:
    """Chance to win, both risks and the difference's 95 % interval, by the trapezium rule and root finding."""
    one, two = stats.beta(a1, b1), stats.beta(a2, b2)
    grid, widths = _fine_grid([one, two])
    wins = (one.pdf(grid) * two.sf(grid)) @ widths
    control_loses = (one.cdf(grid) * two.sf(grid)) @ widths
    variant_loses = (two.cdf(grid) * one.sf(grid)) @ widths
    density = one.pdf(grid) * widths

    def below(d: float) -> float:
        return float(density @ two.cdf(grid + d))

    reach = 12 * math.hypot(one.std(), two.std())
    middle = two.mean() - one.mean()
    ends = [optimize.brentq(lambda d, q=q: below(d) - q, middle - reach, middle + reach) for q in (0.025, 0.975)]
    return [float(wins), float(variant_loses), float(control_loses), *map(float, ends)]


def _fine_grid(laws: list) -> tuple[np.ndarray, np.ndarray]:
    """Rates and the trapezium's weights, even in the angle, in which densities start and end flat."""
    low, high = min(law.ppf(1e-13) for law in laws), max(law.ppf(1 - 1e-13) for law in laws)
    angles = np.linspace(np.arcsin(np.sqrt(low)), np.arcsin(np.sqrt(high)), POINTS)
    weights = np.full(POINTS, angles[1] - angles[0])
    weights[[0, -1]] /= 2
    return np.sin(angles) ** 2, weights * np.sin(2 * angles)


def best_of(posteriors: list[tuple[float, float]]) -> Numbers:
    """P(best) and expected loss per arm, by the trapezium rule."""
    laws = [stats.beta(a, b) for a, b in posteriors]
    grid, widths = _fine_grid(laws)
    below = np.array([law.cdf(grid) for law in laws])
    density = np.array([law.pdf(grid) for law in laws])
    chances = []
    for arm in range(len(laws)):
        others = np.delete(below, arm, axis=0).prod(axis=0)
        chances.append(float((density[arm] * others) @ widths))
    expected = grid[-1] - float(below.prod(axis=0) @ widths)
    return [*chances, *(expected - law.mean() for law in laws)]


def mixture(xa: int, xb: int, wb: float, c: float) -> Numbers:
    """log e of the beta mixture, by integrating the likelihood ratio over the share."""
    law = stats.beta(c * wb, c * (1 - wb))
    peak = (c * wb + xb) / (c + xa + xb)
    width = math.sqrt(peak * (1 - peak) / (c + xa + xb))

    def log_ratio(share: float) -> float:
        return float(
            special.xlogy(xb, share / wb) + special.xlog1py(xa, -share) - special.xlog1py(xa, -wb) + law.logpdf(share)
        )

    return [_log_integral(log_ratio, max(peak - 25 * width, 1e-300), min(peak + 25 * width, 1 - 1e-16), peak)]


def epoch_mixture(rows: list[list[float]], tau: float) -> Numbers:
    """log e of the normal mixture on log r, by integrating the likelihood ratio over it."""

    def log_ratio(log: float) -> float:
        total = -0.5 * (log / tau) ** 2 - math.log(tau * math.sqrt(2 * math.pi))
        for w, xa, xb in rows:
            total += xb * log - (xa + xb) * math.log(1 - w + w * math.exp(log))
        return total

    peak = optimize.minimize_scalar(lambda log: -log_ratio(log), bounds=(-6, 6), method="bounded").x
    return [_log_integral(log_ratio, -8 * tau - 4, 8 * tau + 4, float(peak))]


def _log_integral(log_f, low: float, high: float, peak: float) -> float:  # type: ignore[no-untyped-def]
    top = log_f(peak)
    away = np.geomspace(1e-4, high - low, 15)
    steps = np.unique(np.clip(peak + np.concatenate([-away, [0], away]), low, high))
    total = sum(integrate.quad(lambda at: math.exp(log_f(at) - top), a, b, epsabs=1e-14)[0] for a, b in pairwise(steps))
    return top + math.log(total)


def ratio_of_counts(counts: list[int], weights: list[float], concentration: float) -> Numbers:
    """p of chi-square, and log e of the Dirichlet-multinomial by log-gammas."""
    shares = np.array(weights) / sum(weights)
    seen, prior = np.array(counts, float), concentration * shares
    log_e = special.gammaln(concentration) - special.gammaln(concentration + seen.sum())
    log_e += (special.gammaln(prior + seen) - special.gammaln(prior) - seen * np.log(shares)).sum()
    return [float(stats.chisquare(seen, seen.sum() * shares).pvalue), float(log_e)]


def units_needed(p1: float, lift: float, alpha: float, power: float) -> Numbers:
    """The n whose power in the pooled test is as asked, by root finding on the power."""
    p2 = p1 * (1 + lift)
    middle = (p1 + p2) / 2
    z = stats.norm.isf(alpha / 2)

    def missing(log_n: float) -> float:
        n = math.exp(log_n)
        pooled, own = math.sqrt(2 * middle * (1 - middle) / n), math.sqrt((p1 * (1 - p1) + p2 * (1 - p2)) / n)
        return float(stats.norm.cdf((abs(p2 - p1) - z * pooled) / own) - power)

    return [math.exp(optimize.brentq(missing, 0, 40, xtol=1e-13))]


def pairs(d: np.ndarray) -> Numbers:
    """p by all sign flips, and the Hodges–Lehmann estimate."""
    sums = np.array([np.dot(signs, d) for signs in product((1, -1), repeat=len(d))])
    walsh = [(d[i] + d[j]) / 2 for i in range(len(d)) for j in range(i, len(d))]
    return [float(np.mean(np.abs(sums) >= abs(d.sum()) - 1e-9)), float(np.median(walsh))]


def random_effects(y: np.ndarray, v: np.ndarray) -> Numbers:
    """mu and tau by a bounded search of the restricted likelihood, written as a multivariate normal."""

    def loss(tau: float) -> float:
        cov = v + tau**2
        mu = np.average(y, weights=1 / cov)
        return float(-stats.norm.logpdf(y, mu, np.sqrt(cov)).sum() + 0.5 * math.log((1 / cov).sum()))

    grid = np.linspace(0, 3, 301)
    best = grid[int(np.argmin([loss(tau) for tau in grid]))]
    found = optimize.minimize_scalar(
        loss, bounds=(max(best - 0.02, 0), best + 0.02), method="bounded", options={"xatol": 1e-12}
    )
    tau = float(found.x) if loss(float(found.x)) < loss(0.0) else 0.0
    return [float(np.average(y, weights=1 / (v + tau**2))), tau]


def beta_binomial(x: np.ndarray, n: np.ndarray) -> Numbers:
    """The largest log likelihood that scipy's distribution reaches from several starts."""

    def loss(logs: np.ndarray) -> float:
        return float(-stats.betabinom.logpmf(x, n, *np.exp(logs)).sum())

    starts = [np.log([1, 10]), np.log([5, 100]), np.log([50, 500])]
    return [-min(optimize.minimize(loss, start, method="Nelder-Mead", options={"xatol": 1e-7}).fun for start in starts)]
