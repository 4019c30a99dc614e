"""What really happened, written in the transaction that made it happen and before a byte is answered."""

import sqlite3
from dataclasses import dataclass
from typing import Any

from sandbox.clock import iso
from sandbox.wire import Request

SCHEMA = """
CREATE TABLE IF NOT EXISTS ledger (
    seq INTEGER PRIMARY KEY AUTOINCREMENT, at REAL NOT NULL, platform TEXT NOT NULL,
    account TEXT, account_id TEXT, method TEXT NOT NULL, path TEXT NOT NULL, request_hash TEXT NOT NULL,
    effect TEXT, effect_id TEXT, text TEXT, outcome TEXT NOT NULL, fault TEXT,
    cost_micro INTEGER NOT NULL DEFAULT 0
);
CREATE INDEX IF NOT EXISTS ledger_account ON ledger (account, seq);
CREATE INDEX IF NOT EXISTS ledger_effect ON ledger (effect, seq);
"""


@dataclass(frozen=True)
class Effect:
    """A change of the outside world, e.g. kind "post" with the post's id."""

    kind: str
    id: str
    text: str = ""


@dataclass(frozen=True)
class Entry:
    at: float
    platform: str
    request: Request
    outcome: str
    account: str | None = None
    account_id: str | None = None
    effect: Effect | None = None
    fault: str | None = None
    cost_micro: int = 0


def write(db: sqlite3.Connection, entry: Entry) -> None:
    effect = entry.effect
    target = entry.request.path + (f"?{entry.request.raw_query}" if entry.request.raw_query else "")
    db.execute(
        "INSERT INTO ledger (at, platform, account, account_id, method, path, request_hash, effect, effect_id,"
        " text, outcome, fault, cost_micro) VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?)",
        (
            entry.at,
            entry.platform,
            entry.account,
            entry.account_id,
            entry.request.method,
            target,
            entry.request.digest(),
            effect and effect.kind,
            effect and effect.id,
            effect and effect.text,
            entry.outcome,
            entry.fault,
            entry.cost_micro,
        ),
    )


def read(
    db: sqlite3.Connection, account: str | None, effect: str | None, since_seq: int, limit: int
) -> list[dict[str, Any]]:
    rows = db.execute(
        "SELECT * FROM ledger WHERE seq > :since AND (:effect IS NULL OR effect = :effect)"
        " AND (:account IS NULL OR account = :account COLLATE NOCASE OR account_id = :account)"
        " ORDER BY seq LIMIT :limit",
        {"since": since_seq, "effect": effect, "account": account, "limit": limit},
    )
    return [_as_json(row) for row in rows]


def latest(db: sqlite3.Connection, limit: int) -> list[dict[str, Any]]:
    rows = db.execute("SELECT * FROM ledger ORDER BY seq DESC LIMIT ?", (limit,))
    return [_as_json(row) for row in rows]


def _as_json(row: sqlite3.Row) -> dict[str, Any]:
    entry = dict(row)
    entry["time"] = iso(entry.pop("at"))
    return entry
