"""Numerical pieces that several methods share: roots, stable logarithms, quadrature over one-peaked densities."""

import math
from collections.abc import Callable
from functools import cache

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import gammaln

from experiments.stats.checks import Floats

EPSILON = 2.0**-52
STEPS = 200


def find_root(f: Callable[[float], float], low: float, high: float, tolerance: float = 1e-15) -> float:
    """Where f changes its sign between `low` and `high`, to 4 ulp or `tolerance`.

    Chandrupatla 1997, Advances in Engineering Software 28:145: inverse quadratic steps where they are safe, bisection
    elsewhere, so it cannot leave the bracket. Without a change of sign the end nearer to zero is returned.
    """
    f_low, f_high = f(low), f(high)
    if f_low == 0 or f_high == 0 or (f_low > 0) == (f_high > 0):
        return low if abs(f_low) <= abs(f_high) else high
    newest, other, older = high, low, low
    f_newest, f_other, f_older = f_high, f_low, f_low
    share = 0.5
    for _ in range(STEPS):
        point = newest + share * (other - newest)
        value = f(point)
        if (value > 0) == (f_newest > 0):
            older, f_older = newest, f_newest
        else:
            older, f_older = other, f_other
            other, f_other = newest, f_newest
        newest, f_newest = point, value
        best = newest if abs(f_newest) < abs(f_other) else other
        width = abs(other - newest)
        least = 0.5 * (4 * EPSILON * abs(best) + tolerance) / width if width else 1.0
        if least > 0.5 or f_newest == 0:
            return newest if f_newest == 0 else best
        share = _next_share((newest, other, older), (f_newest, f_other, f_older), least)
    return best


def _next_share(points: tuple[float, float, float], values: tuple[float, float, float], least: float) -> float:
    """The next step as a share of the bracket: by inverse quadratic interpolation, or one half."""
    (x1, x2, x3), (f1, f2, f3) = points, values
    if f3 in {f1, f2} or x3 == x2:
        return 0.5
    xi, phi = (x1 - x2) / (x3 - x2), (f1 - f2) / (f3 - f2)
    if not (phi * phi < xi and (1 - phi) ** 2 < 1 - xi):
        return 0.5
    share = f1 / (f2 - f1) * f3 / (f2 - f3) + (x3 - x1) / (x2 - x1) * f1 / (f3 - f1) * f2 / (f3 - f2)
    return min(max(share, least), 1 - least)


def stirling_error(n: ArrayLike) -> Floats:
    """log Γ(n) less Stirling's formula, for n > 0 (Loader 2000, Fast and Accurate Computation of Binomial
    Probabilities).
    """
    n = np.asarray(n, dtype=float)
    large = np.maximum(n, 16.0)
    square = large * large
    series = (1 / 12 - (1 / 360 - (1 / 1260 - (1 / 1680 - 1 / 1188 / square) / square) / square) / square) / large
    small = np.minimum(n, 16.0)
    direct = gammaln(small) - (small - 0.5) * np.log(small) + small - 0.5 * math.log(2 * math.pi)
    return np.where(n > 16, series, direct)


def deviance(x: ArrayLike, expected: ArrayLike) -> Floats:
    """x log(x/m) + m - x without the cancellation at x ≈ m (Loader 2000, `bd0`); x ≥ 0, m > 0."""
    x, expected = np.asarray(x, dtype=float), np.asarray(expected, dtype=float)
    ratio = (x - expected) / expected
    near = np.abs(ratio) < 0.05
    # log(1 + t) - t, of which log1p keeps too few digits for small t.
    t = np.where(near, ratio, 0.0)
    u = t / (2 + t)
    u2 = u * u
    tail = u2 * (1 / 3 + u2 * (1 / 5 + u2 * (1 / 7 + u2 * (1 / 9 + u2 / 11))))
    # With log(1+t) = 2 atanh(u): (1+t) log(1+t) - t = t u + 2 (1+t) u tail.
    close = expected * (t * u + 2 * (1 + t) * u * tail)
    positive = np.where(x > 0, x, 1.0)
    far = np.where(x > 0, x * np.log(positive / expected), 0.0) + expected - x
    return np.where(near, close, far)


def scalar_deviance(x: float, expected: float) -> float:
    """`deviance` of one number, ten times as fast."""
    if x == 0:
        return expected
    t = (x - expected) / expected
    if abs(t) >= 0.05:
        return x * math.log(x / expected) + expected - x
    u = t / (2 + t)
    u2 = u * u
    return expected * (t * u + 2 * (1 + t) * u * u2 * (1 / 3 + u2 * (1 / 5 + u2 * (1 / 7 + u2 * (1 / 9 + u2 / 11)))))


def binomial_pmf(k: ArrayLike, n: float, rate: ArrayLike) -> Floats:
    """Binomial probabilities that keep their digits for large n (Loader 2000); shapes broadcast."""
    k, rate = np.asarray(k, dtype=float), np.asarray(rate, dtype=float)
    # The formula is for 0 < k < n and 0 < rate < 1; the ends are set after it.
    inner, p = np.clip(k, 0.5, n - 0.5), np.clip(rate, 1e-300, 1 - EPSILON)
    logs = stirling_error(n) - stirling_error(inner) - stirling_error(n - inner)
    logs = logs - deviance(inner, n * p) - deviance(n - inner, n * (1 - p))
    logs += 0.5 * np.log(n / (2 * math.pi * inner * (n - inner)))
    ends = np.where(k == 0, np.exp(n * np.log1p(-p)), np.exp(n * np.log(p)))
    inside = (k > 0) & (k < n)
    pmf = np.where(inside, np.exp(logs), ends)
    return np.where(rate <= 0, k == 0, np.where(rate >= 1, k == n, pmf))


@cache
def gauss_legendre(count: int) -> tuple[Floats, Floats]:
    """Nodes and weights on [0, 1]."""
    nodes, weights = np.polynomial.legendre.leggauss(count)
    return (nodes + 1) / 2, weights / 2


@cache
def running_integrals(count: int) -> Floats:
    """Matrix (count, count): values at the nodes on [0, 1] -> integrals from 0 to each node."""
    nodes, _ = gauss_legendre(count)
    powers = np.polynomial.legendre.legvander(2 * nodes - 1, count - 1)
    primitives = np.empty((count, count))
    for degree in range(count):
        unit = np.zeros(count)
        unit[degree] = 1
        primitive = np.polynomial.legendre.legint(unit, lbnd=-1)
        primitives[:, degree] = np.polynomial.legendre.legval(2 * nodes - 1, primitive) / 2
    return primitives @ np.linalg.inv(powers)
