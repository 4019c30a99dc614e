"""Who sees which arm: a pure function of salt and unit, so that any assignment can be replayed.

Traffic share, layer, holdout and arms are drawn from separate salts. So a ramp moves no enrolled unit, and experiments
on the same units are independent of each other.
"""

import math
from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from hashlib import sha256
from typing import NamedTuple

FULL = (0.0, 1.0)


def score(salt: str, unit: str) -> float:
    """The first 53 bits of SHA-256 of `salt:unit`, as a number in [0, 1)."""
    digest = sha256(f"{salt}:{unit}".encode()).digest()
    return (int.from_bytes(digest[:8], "big") >> 11) / 2**53


class Assignment(NamedTuple):
    """What an exposure logs. The propensity is the chance that this unit had of this arm when it was assigned."""

    arm: int
    propensity: float
    epoch: int
    is_holdout: bool = False


@dataclass(frozen=True)
class Split:
    """One epoch of an experiment's allocation.

    weights: one per arm, in any unit, at least one above 0; share: of all units, enrolled; layer: experiments with the
    same layer and disjoint ranges never share a unit; holdout: of the enrolled, at equal weights whatever the bandit
    does.
    Raises ValueError for weights, shares or ranges that make no split.
    """

    salt: str
    weights: tuple[float, ...]
    share: float = 1.0
    layer: str = ""
    layer_range: tuple[float, float] = FULL
    holdout: float = 0.0
    epoch: int = 1

    def __post_init__(self) -> None:
        if not all(math.isfinite(weight) and weight >= 0 for weight in self.weights) or sum(self.weights) <= 0:
            raise ValueError("Weights must be numbers of at least 0, and one above 0.")
        if not all(0 <= value <= 1 for value in (self.share, self.holdout, *self.layer_range)):
            raise ValueError("Shares and the ends of a layer's range must be between 0 and 1.")

    @cached_property
    def propensities(self) -> tuple[float, ...]:
        total = math.fsum(self.weights)
        return tuple(weight / total for weight in self.weights)

    @cached_property
    def bounds(self) -> tuple[float, ...]:
        """The upper end of each arm's part of [0, 1)."""
        last = max(arm for arm, weight in enumerate(self.weights) if weight > 0)
        sums = (math.fsum(self.propensities[: arm + 1]) for arm in range(len(self.weights)))
        # Rounding must leave no gap below 1 for a score to fall into, nor pass 1.
        return tuple(1.0 if arm >= last else min(bound, 1.0) for arm, bound in enumerate(sums))

    @cached_property
    def equal(self) -> "Split":
        """The holdout's split; an arm of weight 0 is closed there too."""
        weights = tuple(float(weight > 0) for weight in self.weights)
        return Split(f"{self.salt}/holdout-arms", weights, epoch=self.epoch)

    def next_epoch(self, weights: Sequence[float]) -> "Split":
        """The split with other weights, as a new epoch: those already assigned keep their arm."""
        return Split(
            self.salt, tuple(weights), self.share, self.layer, self.layer_range, self.holdout, epoch=self.epoch + 1
        )


def is_enrolled(split: Split, unit: str) -> bool:
    start, end = split.layer_range
    if split.layer_range != FULL and not start <= score(f"layer/{split.layer}", unit) < end:
        return False
    return split.share >= 1 or score(f"{split.salt}/share", unit) < split.share


def assign(split: Split, unit: str, stored: Assignment | None = None) -> Assignment | None:
    """The unit's assignment; None where it takes no part. What is stored wins over every change of weights or share."""
    if stored is not None:
        return stored
    if not is_enrolled(split, unit):
        return None
    if split.holdout and score(f"{split.salt}/holdout", unit) < split.holdout:
        return _draw(split.equal, unit)._replace(is_holdout=True)
    return _draw(split, unit)


def _draw(split: Split, unit: str) -> Assignment:
    arm = bisect_right(split.bounds, score(f"{split.salt}/arms", unit))
    return Assignment(arm, split.propensities[arm], split.epoch)
