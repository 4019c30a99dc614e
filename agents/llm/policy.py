"""When a failed call is tried again, for how long, and when another model is asked."""

import random
import time
from dataclasses import dataclass

from agents.llm.types import ModelError

TRIES = 3
BASE_S = 0.25
LONGEST_S = 8.0
# A provider that wants a longer pause is left alone where another model can answer.
PATIENCE_S = 20.0
# Never where somebody said no, or where the request itself is the trouble.
FALLBACK = {
    "overloaded",
    "rate_limited",
    "timeout",
    "disconnected",
    "server_error",
    "circuit_open",
    "unauthorized",
    "no_credit",
}


@dataclass(frozen=True)
class Deadline:
    """Monotonic: the moment until which all tries together may take."""

    at: float

    @classmethod
    def within(cls, seconds: float) -> "Deadline":
        return cls(time.monotonic() + seconds)

    @property
    def left_s(self) -> float:
        return self.at - time.monotonic()


def pause_s(tries: int, error: ModelError) -> float:
    """Full jitter, and never less than the provider asked for."""
    return max(error.retry_after_s or 0.0, random.uniform(0, min(LONGEST_S, BASE_S * 2**tries)))  # noqa: S311


def may_try_again(error: ModelError, tries: int, wait_s: float, deadline: Deadline, *, has_other: bool) -> bool:
    if not error.is_retryable or error.code in ("circuit_open", "over_budget") or tries >= TRIES:
        return False
    return wait_s < deadline.left_s and not (has_other and wait_s > PATIENCE_S)
