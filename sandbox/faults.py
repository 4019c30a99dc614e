"""Faults to order: a queue per platform, route and account, and seeded random plans."""

import hashlib
import json
import sqlite3
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from typing import Any

SCHEMA = """
CREATE TABLE IF NOT EXISTS faults (
    id INTEGER PRIMARY KEY AUTOINCREMENT, platform TEXT NOT NULL, route TEXT, account TEXT,
    kind TEXT NOT NULL, remaining INTEGER NOT NULL, params TEXT NOT NULL
);
CREATE TABLE IF NOT EXISTS fault_plans (
    id INTEGER PRIMARY KEY AUTOINCREMENT, platform TEXT NOT NULL, route TEXT, account TEXT,
    seed INTEGER NOT NULL, draws INTEGER NOT NULL DEFAULT 0, probabilities TEXT NOT NULL, params TEXT NOT NULL
);
"""

# Kind -> the routes it is about when the order names none: a pattern with *, or None for whatever comes next.
ANYWHERE: dict[str, str | None] = {
    "status": None,
    "accept_then_hang": None,
    "accept_then_drop": None,
    "drop_before_accept": None,
    "slow_headers": None,
    "slow_body": None,
    "html_5xx": None,
    "json_list_error": None,
    "retry_after": None,
    "token_expired": None,
}
_MODEL_CALLS = "POST *"
_LLM: dict[str, str | None] = dict.fromkeys(
    (
        "http",
        "rate_limit",
        "insufficient_quota",
        "timeout",
        "disconnect",
        "hang_midstream",
        "malformed_json_tool_args",
        "unknown_tool",
        "tool_loop",
        "empty_choices",
        "refusal",
        "content_filter",
        "usage_missing",
        "usage_cached_tokens",
        "sse_comment_keepalive",
        "error_inside_200",
        "error_inside_200_stream",
        "duplicate_chunk_ids",
        "utf8_split_across_chunks",
    ),
    _MODEL_CALLS,
)
_TELEGRAM_SENDING = "* /bot{token}/send*"
KINDS: dict[str, dict[str, str | None]] = {
    "x": {
        "rate_limit": None,
        "usage_cap": None,
        "credits_depleted": None,
        "refresh_rotated_but_lost": "POST /2/oauth2/token",
        "refresh_family_revoked": "POST /2/oauth2/token",
        "duplicate": "POST /2/tweets",
        "not_summoned": "POST /2/tweets",
        "client_not_enrolled": None,
        "read_lag": "POST /2/tweets",
        "late_accept": "POST /2/tweets",
        "processing_delay": "POST /2/media/upload/{id}/finalize",
        "processing_failed": "POST /2/media/upload/{id}/finalize",
    },
    "telegram": {
        "late_accept": _TELEGRAM_SENDING,
        "migrate_to_chat_id": _TELEGRAM_SENDING,
        "bot_kicked": _TELEGRAM_SENDING,
        "not_admin": _TELEGRAM_SENDING,
        "flood": _TELEGRAM_SENDING,
        "updates_repeated": "* /bot{token}/getUpdates",
        # Met by the deliverer of updates, which is no route.
        "webhook_redelivery": "webhook",
    },
    "data": {"rate_limit": None, "no_credit": None},
    **dict.fromkeys(("anthropic", "openai", "gemini", "openrouter"), _LLM),
}


def kinds_of(platform: str) -> dict[str, str | None]:
    return {**ANYWHERE, **KINDS.get(platform, {})}


@dataclass(frozen=True)
class Fault:
    kind: str
    params: dict[str, Any] = field(default_factory=dict)

    def number(self, name: str, default: float) -> float:
        return float(self.params.get(name, default))

    def seconds(self, default: float) -> float:
        """How long it lasts, in whichever unit the order says so."""
        return self.number("after_ms", self.number("seconds", default) * 1_000) / 1_000


def enqueue(
    db: sqlite3.Connection,
    platform: str,
    kind: str,
    route: str | None,
    account: str | None,
    count: int,
    params: dict[str, Any],
) -> int:
    cursor = db.execute(
        "INSERT INTO faults (platform, route, account, kind, remaining, params) VALUES (?,?,?,?,?,?)",
        (platform, route or kinds_of(platform)[kind], account, kind, count, json.dumps(params)),
    )
    return int(cursor.lastrowid or 0)


def plan(
    db: sqlite3.Connection,
    platform: str,
    route: str | None,
    account: str | None,
    seed: int,
    probabilities: dict[str, float],
    params: dict[str, Any],
) -> int:
    cursor = db.execute(
        "INSERT INTO fault_plans (platform, route, account, seed, probabilities, params) VALUES (?,?,?,?,?,?)",
        (platform, route, account, seed, json.dumps(probabilities), json.dumps(params)),
    )
    return int(cursor.lastrowid or 0)


def take(db: sqlite3.Connection, platform: str, route: str, account: str | None) -> Fault | None:
    """The fault for this call, used up by asking: the oldest order that matches, else a draw of the plans."""
    row = db.execute(
        f"SELECT * FROM faults WHERE {_MATCHES} AND remaining > 0 ORDER BY id LIMIT 1",  # noqa: S608
        (platform, route, account),
    ).fetchone()
    if row is None:
        return _draw(db, platform, route, account)
    db.execute("UPDATE faults SET remaining = remaining - 1 WHERE id = ?", (row["id"],))
    return Fault(row["kind"], json.loads(row["params"]))


def take_only(db: sqlite3.Connection, platform: str, kind: str, account: str | None) -> Fault | None:
    """The oldest order of one kind, for what is no request and has no route."""
    row = db.execute(
        "SELECT * FROM faults WHERE platform = ? AND kind = ? AND remaining > 0"
        " AND (account IS NULL OR account = ? COLLATE NOCASE) ORDER BY id LIMIT 1",
        (platform, kind, account),
    ).fetchone()
    if row is None:
        return None
    db.execute("UPDATE faults SET remaining = remaining - 1 WHERE id = ?", (row["id"],))
    return Fault(kind, json.loads(row["params"]))


_MATCHES = "platform = ? AND (route IS NULL OR ? GLOB route) AND (account IS NULL OR account = ? COLLATE NOCASE)"


def _draw(db: sqlite3.Connection, platform: str, route: str, account: str | None) -> Fault | None:
    plans = db.execute(
        f"SELECT * FROM fault_plans WHERE {_MATCHES} ORDER BY id",  # noqa: S608
        (platform, route, account),
    ).fetchall()
    for row in plans:
        db.execute("UPDATE fault_plans SET draws = draws + 1 WHERE id = ?", (row["id"],))
        fault = _pick(row)
        default = kinds_of(platform)[fault.kind] if fault else None
        if fault and (default is None or fnmatchcase(route, default)):
            return fault
    return None


def _pick(row: sqlite3.Row) -> Fault | None:
    left = uniform(row["seed"], row["draws"])
    for kind, probability in json.loads(row["probabilities"]).items():
        left -= probability
        if left < 0:
            return Fault(kind, json.loads(row["params"]).get(kind, {}))
    return None


def uniform(*key: object) -> float:
    """A number in [0, 1) that depends on nothing but the key."""
    digest = hashlib.sha256(":".join(map(str, key)).encode()).digest()
    return int.from_bytes(digest[:7], "big") / 2**56


def waiting(db: sqlite3.Connection) -> dict[str, list[dict[str, Any]]]:
    queue = [dict(row) for row in db.execute("SELECT * FROM faults WHERE remaining > 0 ORDER BY id")]
    plans = [dict(row) for row in db.execute("SELECT * FROM fault_plans ORDER BY id")]
    for row in queue + plans:
        row["params"] = json.loads(row["params"])
    for row in plans:
        row["probabilities"] = json.loads(row["probabilities"])
    return {"queue": queue, "plans": plans}


def clear(db: sqlite3.Connection) -> None:
    db.execute("DELETE FROM faults")
    db.execute("DELETE FROM fault_plans")
