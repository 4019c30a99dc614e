"""Several comparisons at once."""

from collections.abc import Sequence

import numpy as np

from experiments.stats.checks import Floats, check_share
from experiments.stats.errors import StatsError


def holm(p: Sequence[float]) -> Floats:
    """Adjusted p-values, shape (k,): those ≤ alpha keep the chance of any false one at alpha (Holm 1979).

    Raises `StatsError` for a value outside 0..1.
    """
    values = np.asarray(p, dtype=float)
    if values.ndim != 1 or not ((values >= 0) & (values <= 1)).all():
        raise StatsError("p must be a list of numbers from 0 to 1")
    order = np.argsort(values, kind="stable")
    steps = values[order] * (len(values) - np.arange(len(values)))
    adjusted = np.empty(len(values))
    adjusted[order] = np.minimum(np.maximum.accumulate(steps), 1.0)
    return adjusted


def e_benjamini_hochberg(e: Sequence[float], alpha: float = 0.05) -> list[int]:
    """Indices of the e-values to reject, rising; the share of false ones is at most alpha on average.

    Wang & Ramdas 2022 (JRSS B 84:822), whatever the dependence: the k largest are rejected for the largest k with
    e_(k) ≥ K / (k alpha). Infinite values are allowed. Raises `StatsError` for a negative value or NaN.
    """
    check_share(alpha, "alpha")
    values = np.asarray(e, dtype=float)
    if values.ndim != 1 or not (values >= 0).all():
        raise StatsError("e must be a list of numbers from 0 up")
    order = np.argsort(-values, kind="stable")
    passing = np.flatnonzero(values[order] * np.arange(1, len(values) + 1) >= len(values) / alpha)
    kept = passing[-1] + 1 if len(passing) else 0
    return sorted(int(index) for index in order[:kept])
