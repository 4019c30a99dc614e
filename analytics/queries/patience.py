"""Questions about single visits, which must not hold up a page: they end after a while, without an answer."""

from collections.abc import Callable
from typing import TypeVar

from django.db import OperationalError, connection, transaction

T = TypeVar("T")
MOST_MS = 3_000


def answer_soon(ask: Callable[[], T], *, most_ms: int = MOST_MS) -> T | None:
    """What `ask` returns, or None where the database needed longer than that. Inside a workspace's scope."""
    before = _timeout()
    try:
        with transaction.atomic():
            _set_timeout(f"{most_ms}ms")
            answer = ask()
            _set_timeout(before)
    except OperationalError as error:
        # 57014: the statement was canceled.
        if getattr(error.__cause__, "sqlstate", "") != "57014":
            raise
        return None
    return answer


def _timeout() -> str:
    with connection.cursor() as cursor:
        cursor.execute("SHOW statement_timeout")
        return cursor.fetchone()[0]


def _set_timeout(value: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT set_config('statement_timeout', %s, true)", [value])
