"""The one clock. Instants are aware and in UTC."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import UTC, datetime, timedelta

_offset: ContextVar[timedelta] = ContextVar("clock_offset", default=timedelta())


def now() -> datetime:
    return datetime.now(UTC) + _offset.get()


@contextmanager
def shifted(by: timedelta) -> Iterator[None]:
    """Let everything inside happen `by` later (or earlier)."""
    token = _offset.set(_offset.get() + by)
    try:
        yield
    finally:
        _offset.reset(token)


def boot_seconds() -> float:
    """Seconds that also count while the machine sleeps: a paused process must notice that its lease ran out."""
    source = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)
    return time.clock_gettime(source)
