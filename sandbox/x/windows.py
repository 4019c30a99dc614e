"""Rate windows: fixed spans that open with the first request, per user and per app."""

import sqlite3
from dataclasses import dataclass

SHORT_SECONDS = 900
DAY_SECONDS = 86400


@dataclass(frozen=True)
class Limits:
    """Requests per 15 minutes (user, app) and per 24 hours; None where X names no limit."""

    user: int | None = None
    app: int | None = None
    user_day: int | None = None
    app_day: int | None = None


@dataclass(frozen=True)
class Window:
    name: str
    limit: int
    seconds: int
    header: str


def windows_for(limits: Limits, route: str, client_id: str, account_id: str | None) -> list[Window]:
    """The windows a caller uses up; the first one is what x-rate-limit-* reports."""
    who = f"user:{account_id}" if account_id else f"app:{client_id}"
    short = limits.user if account_id else limits.app
    offered = [
        (short, SHORT_SECONDS, "x-rate-limit", who),
        (limits.user_day if account_id else None, DAY_SECONDS, "x-user-limit-24hour", who),
        (limits.app_day, DAY_SECONDS, "x-app-limit-24hour", f"app:{client_id}"),
    ]
    return [
        Window(f"{route}|{owner}|{seconds}|{header}", limit, seconds, header)
        for limit, seconds, header, owner in offered
        if limit is not None
    ]


def consume(db: sqlite3.Connection, windows: list[Window], now: float) -> tuple[bool, dict[str, str]]:
    """Counts the request in every window, unless one is full; the headers tell what is left."""
    states = {window: _state(db, window, now) for window in windows}
    is_allowed = all(used < window.limit for window, (used, _) in states.items())
    headers: dict[str, str] = {}
    for window, (before, resets_at) in states.items():
        used = before + is_allowed
        if is_allowed:
            _save(db, window, used, resets_at)
        headers |= {
            f"{window.header}-limit": str(window.limit),
            f"{window.header}-remaining": str(max(0, window.limit - used)),
            f"{window.header}-reset": str(int(resets_at)),
        }
    return is_allowed, headers


def exhaust(db: sqlite3.Connection, window: Window, now: float, seconds: float) -> None:
    _save(db, window, window.limit, now + seconds)


def _state(db: sqlite3.Connection, window: Window, now: float) -> tuple[int, float]:
    row = db.execute("SELECT used, resets_at FROM x_windows WHERE name = ?", (window.name,)).fetchone()
    # The header is whole seconds, so the window must really be open again at the second it names.
    if row is None or int(row["resets_at"]) <= now:
        return 0, now + window.seconds
    return row["used"], row["resets_at"]


def _save(db: sqlite3.Connection, window: Window, used: int, resets_at: float) -> None:
    db.execute("INSERT OR REPLACE INTO x_windows VALUES (?,?,?)", (window.name, used, resets_at))
