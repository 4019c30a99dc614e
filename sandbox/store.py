"""SQLite behind one lock: a request is decided in one transaction, so no two threads ever race."""

import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


class Store:
    def __init__(self, path: Path, schema: str) -> None:
        self._lock = threading.RLock()
        self._depth = 0
        self.db = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
        self.db.row_factory = sqlite3.Row
        # WAL without fsync per commit survives kill -9 (the kernel has the pages), which is what tests do to us.
        self.db.execute("PRAGMA journal_mode=WAL")
        self.db.execute("PRAGMA synchronous=NORMAL")
        self.db.executescript(schema)
        self._add_new_columns(schema)

    def _add_new_columns(self, schema: str) -> None:
        """The folder may be of an older version: its tables are there, without what came later."""
        wanted = sqlite3.connect(":memory:")
        wanted.executescript(schema)
        for (table,) in wanted.execute("SELECT name FROM sqlite_schema WHERE type = 'table'").fetchall():
            known = {row["name"] for row in self.db.execute(f"PRAGMA table_info({table})")}
            for _, name, kind, is_required, default, _ in wanted.execute(f"PRAGMA table_info({table})"):
                if name not in known:
                    rest = f" NOT NULL DEFAULT {default}" if is_required else ""
                    self.db.execute(f"ALTER TABLE {table} ADD COLUMN {name} {kind}{rest}")
        wanted.close()

    @contextmanager
    def transaction(self) -> Iterator[sqlite3.Connection]:
        with self._lock:
            if self._depth == 0:
                self.db.execute("BEGIN IMMEDIATE")
            self._depth += 1
            try:
                yield self.db
            except BaseException:
                self._depth -= 1
                if self._depth == 0:
                    self.db.execute("ROLLBACK")
                raise
            self._depth -= 1
            if self._depth == 0:
                self.db.execute("COMMIT")

    def clear(self) -> None:
        with self.transaction() as db:
            for (name,) in db.execute("SELECT name FROM sqlite_schema WHERE type = 'table'").fetchall():
                if not name.startswith("sqlite_"):
                    db.execute(f"DELETE FROM {name}")  # noqa: S608 - names come from our own schema
            db.execute("DELETE FROM sqlite_sequence")

    def close(self) -> None:
        with self._lock:
            self.db.close()
