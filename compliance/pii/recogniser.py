"""What one row of the tables says: how a kind of value looks, what proves it, and which words stand near it."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

# How sure a look alone makes us. Only what reaches LIKELY is reported to those who ask for no type by name.
SHAPE = 0.2
CHECKED = 0.4
CERTAIN = 0.9
NEARBY = 0.4
LIKELY = 0.5

# ASCII only: Han and other scripts may touch a value; digits beyond a hyphen or dot belong to a longer number.
LEFT = r"(?<![0-9A-Za-z])(?<![0-9][-.])"
RIGHT = r"(?![0-9A-Za-z])(?![-.][0-9])"

_SEPARATORS = re.compile(r"[^0-9A-Za-z]+")


def compact(value: str) -> str:
    return _SEPARATORS.sub("", value)


def _fine(value: str) -> bool:
    return True


@dataclass(frozen=True, eq=False)
class Recogniser:
    """`pattern` sees text with ASCII letters in capitals; a group `value` narrows what is reported."""

    type: str
    pattern: str
    score: float = SHAPE
    # Must hold, over the value without separators.
    check: Callable[[str], bool] = _fine
    # Lifts the score to `proved` where it holds.
    proof: Callable[[str], bool] | None = None
    proved: float = CERTAIN
    # Words within a line or so that make the value likely, in small letters.
    words: tuple[str, ...] = ()
    # A text without one of these signs, or with fewer digits, is not searched.
    needs: str = ""
    digits: int = 0
    # Sees letters as they were written and the value with its separators.
    exact: bool = False
    left: str = LEFT
    right: str = RIGHT

    @cached_property
    def regex(self) -> re.Pattern[str]:
        return re.compile(f"{self.left}(?:{self.pattern}){self.right}", re.ASCII)

    @property
    def best_alone(self) -> float:
        """The highest score without a word nearby."""
        return self.proved if self.proof else self.score

    def rate(self, value: str) -> float:
        """The score without a word nearby; 0 is no match."""
        seen = value if self.exact else compact(value)
        if not self.check(seen):
            return 0.0
        return self.proved if self.proof and self.proof(seen) else self.score
