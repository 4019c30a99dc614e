"""Locks that outlive transactions and end with the process that holds them, also behind a pooler."""

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

from django.db import DatabaseError, connection

# By this name the sampler tells a held lock from a transaction that somebody forgot.
HOLDER = "rostrum lock"
Key = int | str


@contextmanager
def held_lock(key: Key) -> Iterator[bool]:
    """False where another process holds it.

    The lock belongs to a transaction of a second connection: behind PgBouncer a lock of the session stays with
    whichever server connection it was taken on, and nobody can give it back.
    """
    holder = connection.copy()
    holder.settings_dict["OPTIONS"] = {**holder.settings_dict["OPTIONS"], "application_name": HOLDER}
    try:
        holder.set_autocommit(False)
        with holder.cursor() as cursor:
            cursor.execute("SET LOCAL idle_in_transaction_session_timeout = 0")
            is_held = _take(cursor, key)
        yield is_held
    finally:
        # Closing alone would free it only when the server notices.
        with suppress(DatabaseError):
            holder.rollback()
        holder.close()


@contextmanager
def transaction_lock(key: Key) -> Iterator[bool]:
    """The same lock, but of the caller's transaction: it stays until that ends."""
    with connection.cursor() as cursor:
        is_held = _take(cursor, key)
    yield is_held


def _take(cursor: Any, key: Key) -> bool:
    number = "%s" if isinstance(key, int) else "hashtextextended(%s, 0)"
    cursor.execute(f"SELECT pg_try_advisory_xact_lock({number})", [key])
    return bool(cursor.fetchone()[0])
