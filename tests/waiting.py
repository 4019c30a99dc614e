"""Waiting for what other processes and browsers do."""

import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")


def wait_for(find: Callable[[], T], *, what: str = "it", timeout_s: float = 20) -> T:
    """The first true answer of `find`; AssertionError when none comes in time."""
    deadline = time.monotonic() + timeout_s
    while not (found := find()):
        assert time.monotonic() < deadline, f"{what} never happened"
        time.sleep(0.02)
    return found
