"""How much of a post's final count is there at an age: the curve F(age) by which young counts are read.

Fitted as insurers develop claims (chain ladder, Mack 1993), so that posts that are still young say what they can, then
made monotone (isotonic regression) and drawn towards a pooled curve while the channel has few posts.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.optimize import isotonic_regression

Floats = NDArray[np.float64]

# The planned ages of snapshots: 15 min, 1, 3, 6, 24, 48, 72 h and 7 d.
AGES_H = (0.25, 1.0, 3.0, 6.0, 24.0, 48.0, 72.0, 168.0)
PRIOR_POSTS = 20.0


@dataclass(frozen=True)
class MaturityCurve:
    """Shares of the final count at the ages (hours, rising); 1 at the last of them and beyond."""

    ages_h: tuple[float, ...]
    shares: tuple[float, ...]

    def at(self, age_h: ArrayLike) -> Floats:
        """F(age), of the input's shape: straight lines over log age, and from 0 up to the first age."""
        age = np.maximum(np.asarray(age_h, float), 0.0)
        ages, shares = np.array(self.ages_h), np.array(self.shares)
        beyond = np.interp(np.log(np.maximum(age, ages[0])), np.log(ages), shares)
        return np.where(age < ages[0], age / ages[0] * shares[0], beyond)


def weibull_curve(half_h: float, shape: float, ages_h: Sequence[float] = AGES_H) -> MaturityCurve:
    """F(age) = 1 − 2^−((age / half)^shape), scaled to 1 at the last age; half_h is the median delay in hours."""
    shares = 1 - 0.5 ** ((np.array(ages_h) / half_h) ** shape)
    return MaturityCurve(tuple(ages_h), tuple((shares / shares[-1]).tolist()))


# X: median 80 minutes (Pfeffer, Matter & Sargsyan 2023). Telegram: some 70 % on the first day, a weak source, so the
# channel's own posts soon outweigh it.
PRIORS = {"x": weibull_curve(80 / 60, 0.75), "telegram": weibull_curve(10.8, 0.69)}


def fit_curve(
    counts: ArrayLike, prior: MaturityCurve, *, ages_h: Sequence[float] = AGES_H, prior_posts: float = PRIOR_POSTS
) -> MaturityCurve:
    """The curve of one channel and metric.

    counts: (posts, ages) cumulative counts at exactly these ages, NaN where the post is younger or the snapshot is
    missing. Each step between ages is the ratio of sums over the posts that have both ends; `prior_posts` is how many
    posts of evidence the prior's step is worth.
    """
    counts = np.asarray(counts, float).reshape(-1, len(ages_h))
    expected = prior.at(ages_h)
    logs = [
        _log_step(counts[:, step : step + 2], expected[step : step + 2], prior_posts) for step in range(len(ages_h) - 1)
    ]
    # A step from an age to the next is F(age) / F(next), so that F is their product up to the last age.
    raw = np.exp(np.append(np.cumsum(logs[::-1])[::-1], 0.0))
    return MaturityCurve(tuple(ages_h), tuple(_monotone(raw).tolist()))


def _log_step(pair: Floats, expected: Floats, prior_posts: float) -> float:
    known = ~np.isnan(pair).any(axis=1)
    before, after = pair[known].sum(axis=0) if known.any() else (0.0, 0.0)
    prior = float(np.log(expected[0] / expected[1]))
    if after <= 0:
        return prior
    # Half an event keeps a first age at which nothing has happened yet away from minus infinity.
    own = float(np.log(max(before, 0.5) / after))
    posts = float(known.sum())
    return (posts * own + prior_posts * prior) / (posts + prior_posts)


def _monotone(shares: Floats) -> Floats:
    """Counts can fall (deleted reactions, spam removed); the curve cannot, nor leave 0 to 1."""
    return np.clip(isotonic_regression(shares).x, 0.0, 1.0)


def expected_trials(curve: MaturityCurve, ages_h: ArrayLike) -> float:
    """Σ F(age) over exposures of these ages in hours: how many have, in effect, had their chance to convert."""
    return float(curve.at(ages_h).sum())
