"""Snowflakes: ids that grow with time, so that since_id works as a cursor."""

import sqlite3

EPOCH_MS = 1288834974657
_TABLES = ("x_posts", "x_accounts", "x_media")


def next_id(db: sqlite3.Connection, now: float) -> int:
    """Larger than every id given so far, also after a restart or when the clock was set back."""
    latest = max(_latest(db, table) for table in _TABLES)
    return max(latest + 1, (int(now * 1000) - EPOCH_MS) << 22)


def _latest(db: sqlite3.Connection, table: str) -> int:
    return int(db.execute(f"SELECT max(id) FROM {table}").fetchone()[0] or 0)  # noqa: S608
