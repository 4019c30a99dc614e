"""Waiting for what other processes and browsers do."""

import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")


def wait_for(
    find: Callable[[], T], *, what: str | Callable[[], str] = "it", timeout_s: float = 60, every_s: float = 0.02
) -> T:
    """The first true answer of `find`; AssertionError when none comes in time. `what` may be asked for only then."""
    deadline = time.monotonic() + timeout_s
    while not (found := find()):
        assert time.monotonic() < deadline, f"{what() if callable(what) else what} never happened"
        time.sleep(every_s)
    return found
