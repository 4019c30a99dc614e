"""The sandbox's time: real time plus an offset that tests move forward."""

import sqlite3
import time
from datetime import UTC, datetime

SCHEMA = "CREATE TABLE IF NOT EXISTS clock (offset REAL NOT NULL);"


class Clock:
    def __init__(self, db: sqlite3.Connection) -> None:
        self._db = db
        row = db.execute("SELECT offset FROM clock").fetchone()
        self.offset: float = row["offset"] if row else 0.0

    def now(self) -> float:
        return time.time() + self.offset

    def advance(self, seconds: float) -> None:
        self._save(self.offset + seconds)

    def restart(self) -> None:
        self._save(0.0)

    def _save(self, offset: float) -> None:
        self._db.execute("DELETE FROM clock")
        self._db.execute("INSERT INTO clock VALUES (?)", (offset,))
        self.offset = offset


def iso(moment: float) -> str:
    """The platforms' form of an instant: UTC, milliseconds, Z."""
    return datetime.fromtimestamp(moment, UTC).isoformat(timespec="milliseconds").removesuffix("+00:00") + "Z"


def parse_iso(text: str) -> float:
    """Seconds since the epoch; ValueError when it is no instant with a zone."""
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        raise ValueError("an instant needs a zone")
    return moment.timestamp()
