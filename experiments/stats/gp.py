"""Gaussian-process regression with known noise, over continuous, periodic and categorical dimensions.

Source: Rasmussen & Williams 2006, algorithm 2.1 and chapter 4 (Matérn 5/2 with its own length for each dimension,
MacKay's periodic kernel); an exponential of the Hamming distance for categories. Lengths and amplitude are the most
probable ones under the priors below. Up to 500 points.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from scipy import linalg, optimize

from experiments.stats.errors import StatsError

Floats = NDArray[np.float64]
Kind = Literal["continuous", "periodic", "category"]

MOST_POINTS = 500
JITTER = 1e-8
SQRT5 = np.sqrt(5.0)
# Mean and standard deviation of the log of each length; inputs are scaled to one range, period or category.
LENGTH_PRIORS: dict[Kind, tuple[float, float]] = {
    "continuous": (float(np.log(0.5)), 0.8),
    "periodic": (0.7, 0.5),
    "category": (0.0, 1.0),
}
# Of log variance, in units of the variance of the observations.
AMPLITUDE_PRIOR = (-0.5, 1.5)
LOG_LIMITS = (-5.0, 4.0)


def distances(kinds: Sequence[Kind], left: Floats, right: Floats) -> Floats:
    """(dimensions, left, right): squared difference, 2 sin² of half the phase between, or 1 where categories differ."""
    gaps = left.T[:, :, None] - right.T[:, None, :]
    for dimension, kind in enumerate(kinds):
        if kind == "continuous":
            gaps[dimension] **= 2
        elif kind == "periodic":
            gaps[dimension] = 2 * np.sin(np.pi * gaps[dimension]) ** 2
        else:
            gaps[dimension] = gaps[dimension] != 0
    return gaps


@dataclass(frozen=True)
class Kernel:
    kinds: tuple[Kind, ...]

    @property
    def powers(self) -> Floats:
        """How a distance is scaled: by length² for Matérn and periodic, by length for categories."""
        return np.array([1.0 if kind == "category" else 2.0 for kind in self.kinds])

    def value(self, gaps: Floats, logs: Floats) -> Floats:
        return self._parts(gaps, logs)[0]

    def value_and_slopes(self, gaps: Floats, logs: Floats) -> tuple[Floats, Floats]:
        """The kernel (left, right), and its derivatives by each log: of the variance, then of each length."""
        value, scaled, steep = self._parts(gaps, logs)
        slopes = np.empty((len(logs), *value.shape))
        slopes[0] = value
        for dimension, kind in enumerate(self.kinds):
            factor = steep if kind == "continuous" else self.powers[dimension] * value
            slopes[dimension + 1] = factor * scaled[dimension]
        return value, slopes

    def _parts(self, gaps: Floats, logs: Floats) -> tuple[Floats, Floats, Floats]:
        smooth = np.array([kind == "continuous" for kind in self.kinds])
        scaled = gaps * np.exp(-self.powers * logs[1:])[:, None, None]
        root = SQRT5 * np.sqrt(scaled[smooth].sum(axis=0))
        rest = np.exp(logs[0] - root - scaled[~smooth].sum(axis=0))
        return rest * (1 + root + root**2 / 3), scaled, rest * (1 + root) * (5 / 3)


@dataclass(frozen=True)
class Posterior:
    """A fitted process; all in the units of the observations."""

    kernel: Kernel
    logs: Floats
    points: Floats
    centre: float
    unit: float
    lower: Floats
    alpha: Floats

    def at(self, points: Floats) -> tuple[Floats, Floats]:
        """Mean and standard deviation of the function at (points, dimensions)."""
        mean, half = self._project(points)
        variance = np.maximum(np.exp(self.logs[0]) - np.einsum("ij,ij->j", half, half), 0.0)
        return self.centre + self.unit * mean, self.unit * np.sqrt(variance)

    def joint(self, points: Floats) -> tuple[Floats, Floats]:
        """Mean and covariance of the function at (points, dimensions)."""
        mean, half = self._project(points)
        gaps = distances(self.kernel.kinds, points, points)
        return self.centre + self.unit * mean, self.unit**2 * (self.kernel.value(gaps, self.logs) - half.T @ half)

    def draws(self, points: Floats, count: int, rng: np.random.Generator) -> Floats:
        """(count, points): functions drawn from the posterior."""
        mean, covariance = self.joint(points)
        normals = rng.standard_normal((count, len(points)))
        return mean + normals @ _cholesky(covariance, JITTER * self.unit**2).T

    def _project(self, points: Floats) -> tuple[Floats, Floats]:
        cross = self.kernel.value(distances(self.kernel.kinds, self.points, points), self.logs)
        return cross.T @ self.alpha, linalg.solve_triangular(self.lower, cross, lower=True)


def fit(kinds: Sequence[Kind], points: Floats, y: Floats, noise: Floats) -> Posterior:
    """points: (n, dimensions), scaled to 0–1 (categories: their index); y and the variance of its noise: (n,).

    Raises StatsError for no points, more than 500, or noise below 0.
    """
    points, y, noise = np.atleast_2d(np.asarray(points, float)), np.asarray(y, float), np.asarray(noise, float)
    if not 0 < len(y) <= MOST_POINTS or not len(points) == len(y) == len(noise):
        raise StatsError(f"A fit needs 1 to {MOST_POINTS} points, each with y and noise.")
    if not (np.isfinite(y).all() and np.isfinite(points).all() and np.isfinite(noise).all() and (noise >= 0).all()):
        raise StatsError("Points, y and noise must be finite, and noise at least 0.")
    kernel = Kernel(tuple(kinds))
    centre, unit = _centre_and_unit(y, noise)
    standard, variance = (y - centre) / unit, noise / unit**2
    gaps = distances(kinds, points, points)
    logs = _most_probable(kernel, gaps, standard, variance)
    lower = _cholesky(kernel.value(gaps, logs) + np.diag(variance), JITTER)
    alpha = linalg.cho_solve((lower, True), standard)
    return Posterior(kernel, logs, points, centre, unit, lower, alpha)


def _centre_and_unit(y: Floats, noise: Floats) -> tuple[float, float]:
    weights = 1 / (noise + max(float(y.var()), 1e-12))
    centre = float(np.average(y, weights=weights))
    return centre, float(y.std()) or 1.0


def _most_probable(kernel: Kernel, gaps: Floats, y: Floats, noise: Floats) -> Floats:
    continuous = max(kernel.kinds.count("continuous"), 1)
    priors = [AMPLITUDE_PRIOR, *(LENGTH_PRIORS[kind] for kind in kernel.kinds)]
    mean, spread = np.array(priors).T
    # In more dimensions points lie further apart (Hvarfner, Hellsten & Nardi 2024).
    mean[1:] += [np.log(continuous) / 2 if kind == "continuous" else 0.0 for kind in kernel.kinds]

    def loss(logs: Floats) -> tuple[float, Floats]:
        value, slope = _negative_log_evidence(kernel, gaps, y, noise, logs)
        off = (logs - mean) / spread
        return value + float(off @ off) / 2, slope + off / spread

    limits = [LOG_LIMITS] * len(mean)
    starts = [mean, mean - [0.0, *([0.8] * len(kernel.kinds))]]
    found = [
        optimize.minimize(loss, start, jac=True, method="L-BFGS-B", bounds=limits, options={"maxiter": 40})
        for start in starts
    ]
    return np.asarray(min(found, key=lambda result: float(result.fun)).x)


def _negative_log_evidence(
    kernel: Kernel, gaps: Floats, y: Floats, noise: Floats, logs: Floats
) -> tuple[float, Floats]:
    """And its gradient by each log (Rasmussen & Williams, equations 5.8 and 5.9)."""
    value, slopes = kernel.value_and_slopes(gaps, logs)
    lower = _cholesky(value + np.diag(noise), JITTER)
    inverse = linalg.cho_solve((lower, True), np.eye(len(y)))
    alpha = inverse @ y
    pull = inverse - np.outer(alpha, alpha)
    gradient = np.einsum("kij,ij->k", slopes, pull) / 2
    return float(y @ alpha / 2 + np.log(np.diag(lower)).sum()), gradient


def _cholesky(matrix: Floats, jitter: float) -> Floats:
    """The lower factor; more is added to the diagonal until it exists."""
    while True:
        try:
            return linalg.cholesky(matrix + jitter * np.eye(len(matrix)), lower=True)
        except linalg.LinAlgError:
            jitter *= 10
