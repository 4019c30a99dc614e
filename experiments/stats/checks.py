"""What every method asks of its input; each check raises `StatsError` in words for whoever gave the numbers."""

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

from experiments.stats.errors import StatsError

# Beyond this a float no longer tells one count from the next.
MOST_COUNT = 1e15
# Squares and reciprocals of numbers within these stay finite.
SMALLEST, LARGEST = 1e-100, 1e100
SMALLEST_SHARE = 1e-12

Floats = NDArray[np.float64]


def check_count(value: float, name: str, least: float = 0) -> float:
    """A whole number from `least` to 1e15."""
    if not math.isfinite(value) or value != math.floor(value):
        raise StatsError(f"{name} must be a whole number")
    if not least <= value <= MOST_COUNT:
        raise StatsError(f"{name} must be from {least:g} to {MOST_COUNT:g}")
    return float(value)


def check_rate(x: float, n: float, arm: str = "", least_n: float = 0) -> tuple[float, float]:
    """Successes and trials of an arm; `arm` is how messages name it (“1” makes “x1”, “n1”)."""
    n = check_count(n, f"n{arm}", least_n)
    x = check_count(x, f"x{arm}")
    if x > n:
        raise StatsError(f"x{arm} must not be more than n{arm}")
    return x, n


def check_share(value: float, name: str) -> float:
    """A number between 0 and 1, apart from both by 1e-12."""
    if not SMALLEST_SHARE <= value <= 1 - SMALLEST_SHARE:
        raise StatsError(f"{name} must be between 0 and 1, both excluded")
    return float(value)


def check_positive(value: float, name: str, least: float = SMALLEST, most: float = LARGEST) -> float:
    """A number above 0 within bounds; NaN is outside of any."""
    if not least <= value <= most:
        raise StatsError(f"{name} must be above 0, from {least:g} to {most:g}")
    return float(value)


def check_finite(value: float, name: str) -> float:
    """A number of either sign whose square stays finite."""
    if not abs(value) <= LARGEST:
        raise StatsError(f"{name} must be a finite number of at most {LARGEST:g}")
    return float(value)


def check_list(values: ArrayLike, name: str, least: int = 1) -> Floats:
    """A flat array of finite numbers, shape (k,)."""
    array = np.asarray(values, dtype=float)
    if array.ndim != 1 or len(array) < least:
        raise StatsError(f"{name} must be a list of at least {least} number{'s' if least > 1 else ''}")
    if not (np.abs(array) <= LARGEST).all():
        raise StatsError(f"{name} must hold finite numbers of at most {LARGEST:g} only")
    return array


def check_rates(x: Sequence[float], n: Sequence[float], least: int = 1) -> tuple[Floats, Floats]:
    """Successes and trials of k arms, each of shape (k,)."""
    successes, trials = check_list(x, "x", least), check_list(n, "n", least)
    if len(successes) != len(trials):
        raise StatsError("x and n must have one number for each arm")
    for index, pair in enumerate(zip(successes, trials, strict=True), 1):
        check_rate(*pair, arm=f" of arm {index}")
    return successes, trials
