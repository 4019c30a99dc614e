"""The next send time or parameters to try, and the best so far with its doubt.

Noisy expected improvement (Letham, Karrer, Ottoni & Bakshy 2019) or Thompson sampling over a Gaussian process. Higher
is better. One slot's lead is a forecast, not a causal claim.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from math import prod
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from scipy import linalg
from scipy.special import ndtr
from scipy.stats import qmc

from experiments.stats import gp
from experiments.stats.errors import StatsError

Floats = NDArray[np.float64]
Point = dict[str, float | str]
Allowed = Callable[[Point], bool]
Method = Literal["thompson", "noisy_ei"]

# Up to here every combination is a candidate.
MOST_CELLS = 2_000
SOBOL_CANDIDATES = 512
NEAR_CANDIDATES = 64
ENOUGH_OBSERVATIONS = 60
EI_DRAWS = 64
Z90 = 1.6448536269514722


@dataclass(frozen=True)
class Continuous:
    name: str
    low: float
    high: float

    kind: gp.Kind = "continuous"

    def encode(self, value: float | str) -> float:
        return (float(value) - self.low) / (self.high - self.low)

    def decode(self, share: float) -> float:
        return self.low + float(share) * (self.high - self.low)


@dataclass(frozen=True)
class Periodic:
    """Whole steps of a cycle: 24 for the hour, 7 for the weekday."""

    name: str
    period: int

    kind: gp.Kind = "periodic"

    def encode(self, value: float | str) -> float:
        return float(value) % self.period / self.period

    def decode(self, share: float) -> float:
        return float(int(share * self.period + 1e-9) % self.period)

    def shares(self) -> Floats:
        return np.arange(self.period) / self.period


@dataclass(frozen=True)
class Category:
    name: str
    choices: tuple[str, ...]

    kind: gp.Kind = "category"

    def encode(self, value: float | str) -> float:
        return float(self.choices.index(str(value)))

    def decode(self, share: float) -> str:
        return self.choices[min(int(share), len(self.choices) - 1)]

    def shares(self) -> Floats:
        return np.arange(len(self.choices), dtype=float)


Dimension = Continuous | Periodic | Category


@dataclass(frozen=True)
class Observation:
    """What a point gave, and the known variance of its noise (of a post: v and the spread between posts squared)."""

    point: Mapping[str, float | str]
    y: float
    noise: float


@dataclass(frozen=True)
class Recommendation:
    """The allowed point of the highest posterior mean, and its lead over the mean of all (90 % interval).

    is_exploring: fewer than 60 observations, or the interval covers 0, so no point may be called best.
    """

    point: Point
    mean: float
    sd: float
    lead: float
    lead_interval: tuple[float, float]
    is_exploring: bool


@dataclass(frozen=True)
class Space:
    """What may be varied. allowed: refuses points, such as those in quiet hours."""

    dimensions: tuple[Dimension, ...]
    allowed: Allowed = lambda point: True

    @property
    def kinds(self) -> tuple[gp.Kind, ...]:
        return tuple(dimension.kind for dimension in self.dimensions)

    def encode(self, points: Sequence[Mapping[str, float | str]]) -> Floats:
        rows = [[dimension.encode(point[dimension.name]) for dimension in self.dimensions] for point in points]
        return np.array(rows, float).reshape(-1, len(self.dimensions))

    def decode(self, row: Floats) -> Point:
        return {dimension.name: dimension.decode(share) for dimension, share in zip(self.dimensions, row, strict=True)}

    def cells(self) -> Floats | None:
        """Every allowed combination; None where there are too many, or a dimension is continuous."""
        listed = [dimension.shares() for dimension in self.dimensions if not isinstance(dimension, Continuous)]
        if len(listed) < len(self.dimensions) or prod(len(shares) for shares in listed) > MOST_CELLS:
            return None
        return self.only_allowed(np.array(list(product(*listed))))

    def only_allowed(self, rows: Floats) -> Floats:
        return rows[[self.allowed(self.decode(row)) for row in rows]]

    def snapped(self, rows: Floats) -> Floats:
        """Rows in the unit cube as points of the space: whole steps and whole categories."""
        return self.encode([self.decode(self._widened(row)) for row in rows])

    def _widened(self, row: Floats) -> Floats:
        sizes = [len(dimension.choices) if isinstance(dimension, Category) else 1 for dimension in self.dimensions]
        return row * sizes

    def sobol(self, count: int, seed: int) -> Floats:
        """The first `count` allowed points of a scrambled Sobol sequence. Raises StatsError where next to none is."""
        rows = qmc.Sobol(len(self.dimensions), rng=np.random.default_rng(seed)).random_base2(12)
        found = np.empty((0, len(self.dimensions)))
        for block in np.array_split(rows, 32):
            found = np.vstack([found, self.only_allowed(self.snapped(block))])
            if len(found) >= count:
                return found[:count]
        if not len(found):
            raise StatsError("Nothing is allowed: the constraints leave no point to try.")
        return np.resize(found, (count, found.shape[1]))


def outside_hours(start: int, end: int, name: str = "hour") -> Allowed:
    """Allows what is outside the quiet hours [start, end), which may pass midnight."""
    quiet = {hour % 24 for hour in range(start, end if end > start else end + 24)} if start != end else set()
    return lambda point: int(float(point[name])) % 24 not in quiet


def suggest(
    space: Space, seen: Sequence[Observation], *, seed: int, count: int = 1, method: Method = "thompson"
) -> list[Point]:
    """The next points to try. Before 2 × dimensions + 2 observations (or 5) they come from a Sobol sequence.

    The same observations and seed give the same points. Raises StatsError where nothing is allowed.
    """
    start = max(2 * len(space.dimensions) + 2, 5)
    if len(seen) < start:
        return [space.decode(row) for row in space.sobol(len(seen) + count, seed)[len(seen) :]]
    rng = np.random.default_rng([seed, len(seen)])
    if method == "thompson":
        return _by_thompson(space, seen, count, rng)
    found: list[Point] = []
    for _ in range(count):
        posterior = _fit(space, seen)
        row = _by_noisy_ei(space, posterior, rng)
        found.append(space.decode(row))
        # The next of a batch takes this one as seen, with what is expected of it.
        seen = [
            *seen,
            Observation(found[-1], float(posterior.at(row[None])[0][0]), float(np.median([o.noise for o in seen]))),
        ]
    return found


def recommend(space: Space, seen: Sequence[Observation]) -> Recommendation:
    """The best point by posterior mean. Raises StatsError without observations or where nothing is allowed."""
    posterior = _fit(space, seen)
    cells = space.cells()
    rows = _candidates(space, posterior, np.random.default_rng(0)) if cells is None else cells
    if not len(rows):
        raise StatsError("Nothing is allowed: the constraints leave no point to try.")
    mean, covariance = posterior.joint(rows)
    best = int(mean.argmax())
    lead = float(mean[best] - mean.mean())
    contrast = -np.full(len(rows), 1 / len(rows))
    contrast[best] += 1
    spread = float(np.sqrt(max(contrast @ covariance @ contrast, 0.0)))
    interval = (lead - Z90 * spread, lead + Z90 * spread)
    exploring = len(seen) < ENOUGH_OBSERVATIONS or interval[0] <= 0
    sd = float(np.sqrt(max(covariance[best, best], 0.0)))
    return Recommendation(space.decode(rows[best]), float(mean[best]), sd, lead, interval, exploring)


def _fit(space: Space, seen: Sequence[Observation]) -> gp.Posterior:
    y, noise = np.array([(one.y, one.noise) for one in seen], float).reshape(-1, 2).T
    return gp.fit(space.kinds, space.encode([one.point for one in seen]), y, noise)


def _candidates(space: Space, posterior: gp.Posterior, rng: np.random.Generator) -> Floats:
    cells = space.cells()
    if cells is not None:
        if not len(cells):
            raise StatsError("Nothing is allowed: the constraints leave no point to try.")
        return cells
    best = posterior.points[np.argsort(posterior.at(posterior.points)[0])[-3:]]
    near = [_around(space, row, width, rng) for row in best for width in (0.1, 0.02)]
    return np.vstack([space.sobol(SOBOL_CANDIDATES, int(rng.integers(2**31))), *near])


def _around(space: Space, row: Floats, width: float, rng: np.random.Generator) -> Floats:
    """Allowed points near one: continuous dimensions move, the others stay, or now and then change at random."""
    rows = np.tile(row, (NEAR_CANDIDATES, 1))
    for column, dimension in enumerate(space.dimensions):
        if isinstance(dimension, Continuous):
            rows[:, column] = np.clip(rows[:, column] + rng.normal(0, width, len(rows)), 0, 1)
        else:
            change = rng.random(len(rows)) < 0.2
            rows[change, column] = rng.choice(dimension.shares(), int(change.sum()))
    return space.only_allowed(rows)


def _by_thompson(space: Space, seen: Sequence[Observation], count: int, rng: np.random.Generator) -> list[Point]:
    posterior = _fit(space, seen)
    rows = _candidates(space, posterior, rng)
    return [space.decode(rows[drawn.argmax()]) for drawn in posterior.draws(rows, count, rng)]


def _by_noisy_ei(space: Space, posterior: gp.Posterior, rng: np.random.Generator) -> Floats:
    gain = _NoisyEI(posterior, rng)
    rows = _candidates(space, posterior, rng)
    if space.cells() is not None:
        return rows[gain(rows).argmax()]
    # Two finer looks around the best few.
    for width in (0.03, 0.005):
        best = rows[np.argsort(gain(rows))[-3:]]
        rows = np.vstack([best, *(_around(space, row, width, rng) for row in best)])
    return rows[gain(rows).argmax()]


class _NoisyEI:
    """Expected improvement over the best of the seen points, averaged over what these may truly be."""

    def __init__(self, posterior: gp.Posterior, rng: np.random.Generator) -> None:
        self.posterior = posterior
        points = np.unique(posterior.points, axis=0)
        self.points = points
        drawn = (posterior.draws(points, EI_DRAWS, rng) - posterior.centre) / posterior.unit
        gaps = gp.distances(posterior.kernel.kinds, points, points)
        kernel = posterior.kernel.value(gaps, posterior.logs) + 1e-6 * np.eye(len(points))
        self.lower = linalg.cholesky(kernel, lower=True)
        self.alpha = linalg.cho_solve((self.lower, True), drawn.T)
        self.best = drawn.max(axis=1)

    def __call__(self, rows: Floats) -> Floats:
        gaps = gp.distances(self.posterior.kernel.kinds, self.points, rows)
        cross = self.posterior.kernel.value(gaps, self.posterior.logs)
        half = linalg.solve_triangular(self.lower, cross, lower=True)
        sd = np.sqrt(np.maximum(np.exp(self.posterior.logs[0]) - np.einsum("ij,ij->j", half, half), 1e-12))[:, None]
        gap = cross.T @ self.alpha - self.best
        z = gap / sd
        density = np.exp(-(z**2) / 2) / np.sqrt(2 * np.pi)
        return (gap * ndtr(z) + sd * density).mean(axis=1)
