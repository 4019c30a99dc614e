"""What the admin door sets for all models: pace and forced behaviour."""

import json
import sqlite3
from typing import Any

DEFAULTS: dict[str, Any] = {
    # Pause before each piece of a stream.
    "chunk_ms": 0,
    # Answer every model with this behaviour, except those that were chosen by name.
    "behaviour": None,
    "seed": 1,
}


def read(db: sqlite3.Connection) -> dict[str, Any]:
    rows = db.execute("SELECT name, value FROM llm_settings")
    return {**DEFAULTS, **{row["name"]: json.loads(row["value"]) for row in rows}}


def number(db: sqlite3.Connection, name: str) -> float:
    return float(read(db)[name])


def save(db: sqlite3.Connection, name: str, value: Any) -> None:
    db.execute("INSERT OR REPLACE INTO llm_settings VALUES (?,?)", (name, json.dumps(value)))
