"""Outcomes of posts: log-odds of an action at a fixed age, and what is left of them after a baseline forecast.

Impressions of one post are not independent people, so the post is the unit: its log-odds y carries a known sampling
variance v, and posts differ beyond it by their content.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from experiments.stats.errors import StatsError

Floats = NDArray[np.float64]

# Of the squared coefficients, on features scaled to a standard deviation of 1.
PENALTIES = (0.3, 1.0, 3.0, 10.0, 30.0, 100.0)
HARMONICS = (1, 2)


def log_odds(events: ArrayLike, exposures: ArrayLike) -> tuple[Floats, Floats]:
    """Empirical logit y = log((e + ½) / (n − e + ½)) and its variance v = 1/(e + ½) + 1/(n − e + ½) (Haldane–Anscombe).

    Both of the input's shape. Raises StatsError unless 0 <= events <= exposures, all finite.
    """
    e, n = np.asarray(events, float), np.asarray(exposures, float)
    if not (np.isfinite(e).all() and np.isfinite(n).all() and (e >= 0).all() and (e <= n).all()):
        raise StatsError("Events must be between 0 and the exposures.")
    return np.log((e + 0.5) / (n - e + 0.5)), 1 / (e + 0.5) + 1 / (n - e + 0.5)


@dataclass(frozen=True)
class Post:
    """What is known of a post before it is seen. Hour 0–24 and weekday 0–6 (Monday 0) in the workspace's zone."""

    hour: float
    weekday: int
    format: str
    length: int
    followers: int


def features(posts: Sequence[Post], formats: Sequence[str]) -> Floats:
    """(posts, features): two harmonics of the hour, weekday and format as indicators, log length and log followers.

    A format that is not in `formats` has no indicator, so it is forecast as the average.
    """
    hour = np.array([post.hour for post in posts]) * (2 * np.pi / 24)
    waves = [wave(times * hour) for times in HARMONICS for wave in (np.sin, np.cos)]
    days = [np.array([post.weekday == day for post in posts], float) for day in range(7)]
    kinds = [np.array([post.format == name for post in posts], float) for name in formats]
    sizes = [np.log1p([post.length for post in posts]), np.log1p([post.followers for post in posts])]
    return np.column_stack([*waves, *days, *kinds, *sizes])


@dataclass(frozen=True)
class Baseline:
    """A ridge forecast of y. spread: the standard deviation between posts that neither it nor v explains."""

    formats: tuple[str, ...]
    centre: Floats
    scale: Floats
    coefficients: Floats
    intercept: float
    penalty: float
    spread: float

    def forecast(self, posts: Sequence[Post]) -> Floats:
        scaled = (features(posts, self.formats) - self.centre) / self.scale
        return self.intercept + scaled @ self.coefficients


def fit_baseline(posts: Sequence[Post], y: ArrayLike, v: ArrayLike) -> Baseline:
    """Ridge regression weighted by 1/(v + spread²), its penalty by leave-one-out error (Hoerl & Kennard 1970; PRESS).

    Fit it on posts outside the experiment, or on all arms alike: never on one arm. Raises StatsError without posts.
    """
    y, v = np.asarray(y, float), np.asarray(v, float)
    if not len(posts) or not len(posts) == len(y) == len(v):
        raise StatsError("A baseline needs posts, and y and v for each.")
    formats = tuple(sorted({post.format for post in posts}))
    x = features(posts, formats)
    centre, scale = x.mean(axis=0), x.std(axis=0)
    scale = np.where(scale > 1e-12, scale, 1.0)
    x = (x - centre) / scale
    # The first pass, at equal weights, finds the spread that the second weighs by.
    left = _best_ridge(x, y, np.ones_like(y)).errors
    variance = max(float(np.mean(left**2 - v)), 0.0)
    best = _best_ridge(x, y, 1 / (v + variance))
    return Baseline(formats, centre, scale, best.coefficients, best.intercept, best.penalty, float(np.sqrt(variance)))


def residuals(baseline: Baseline, posts: Sequence[Post], y: ArrayLike) -> Floats:
    """What a post did beyond its forecast, in log-odds: the value that designs of posts analyse."""
    return np.asarray(y, float) - baseline.forecast(posts)


@dataclass(frozen=True)
class _Ridge:
    penalty: float
    intercept: float
    coefficients: Floats
    errors: Floats
    score: float


def _best_ridge(x: Floats, y: Floats, weights: Floats) -> _Ridge:
    return min((_ridge(x, y, weights, penalty) for penalty in PENALTIES), key=lambda fit: fit.score)


def _ridge(x: Floats, y: Floats, weights: Floats, penalty: float) -> _Ridge:
    """One fit, its intercept not penalised; `errors` are those of each row when it is left out."""
    weights = weights / weights.mean()
    root = np.sqrt(weights)[:, None]
    design = np.column_stack([np.ones(len(y)), x])
    penalties = np.diag([0.0] + [penalty] * x.shape[1])
    weighted = design * root
    inverse = np.linalg.pinv(weighted.T @ weighted + penalties, hermitian=True)
    coefficients = inverse @ (design.T @ (weights * y))
    leverage = np.einsum("ij,jk,ik->i", weighted, inverse, weighted)
    errors = (y - design @ coefficients) / np.maximum(1 - leverage, 1e-3)
    score = float(np.average(errors**2, weights=weights))
    return _Ridge(penalty, float(coefficients[0]), coefficients[1:], errors, score)
