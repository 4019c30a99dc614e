"""Simulated accounts and the apps that act for them."""

import json
import re
import secrets
import sqlite3

from sandbox.x.ids import next_id

HANDLE = re.compile(r"[A-Za-z0-9_]{1,15}")
DEFAULT_CLIENT_ID = "sandbox-client"
DEFAULT_SECRET = "sandbox-secret"  # noqa: S105 - opens nothing but the sandbox


class BadHandle(ValueError):
    """Not 1 to 15 letters, digits or underscores."""


def find(db: sqlite3.Connection, handle: str) -> sqlite3.Row | None:
    row: sqlite3.Row | None = db.execute("SELECT * FROM x_accounts WHERE handle = ?", (handle,)).fetchone()
    return row


def by_id(db: sqlite3.Connection, account_id: int) -> sqlite3.Row | None:
    row: sqlite3.Row | None = db.execute("SELECT * FROM x_accounts WHERE id = ?", (account_id,)).fetchone()
    return row


def everybody(db: sqlite3.Connection) -> list[sqlite3.Row]:
    return db.execute("SELECT * FROM x_accounts ORDER BY id").fetchall()


def ensure(
    db: sqlite3.Connection,
    handle: str,
    now: float,
    *,
    name: str = "",
    is_premium: bool | None = None,
    followers: int | None = None,
) -> sqlite3.Row:
    """The account with this handle, made when it is new, changed where something is given."""
    handle = handle.removeprefix("@")
    if not HANDLE.fullmatch(handle):
        raise BadHandle(handle)
    db.execute(
        "INSERT INTO x_accounts VALUES (?,?,?,?,?,?,?,?) ON CONFLICT (handle) DO NOTHING",
        (
            next_id(db, now),
            handle,
            name or handle,
            0,
            1000,
            now,
            secrets.token_urlsafe(24),
            secrets.token_urlsafe(24),
        ),
    )
    db.execute(
        "UPDATE x_accounts SET name = coalesce(nullif(?, ''), name), is_premium = coalesce(?, is_premium),"
        " followers = coalesce(?, followers) WHERE handle = ?",
        (name, is_premium, followers, handle),
    )
    account = find(db, handle)
    assert account is not None
    return account


def app(db: sqlite3.Connection, client_id: str) -> sqlite3.Row | None:
    row: sqlite3.Row | None = db.execute("SELECT * FROM x_apps WHERE client_id = ?", (client_id,)).fetchone()
    return row


def apps(db: sqlite3.Connection) -> list[sqlite3.Row]:
    return db.execute("SELECT * FROM x_apps ORDER BY rowid").fetchall()


def ensure_app(db: sqlite3.Connection, client_id: str, client_secret: str, *, name: str = "") -> sqlite3.Row:
    """Keys derive from the client id, so that they can be written into settings before the first start."""
    db.execute(
        "INSERT INTO x_apps (client_id, client_secret, name, is_public, bearer_token, consumer_key,"
        " consumer_secret) VALUES (?,?,?,0,?,?,?) ON CONFLICT (client_id) DO NOTHING",
        (
            client_id,
            client_secret,
            name or client_id,
            f"{client_id}-bearer",
            f"{client_id}-key",
            f"{client_id}-key-secret",
        ),
    )
    found = app(db, client_id)
    assert found is not None
    return found


def redirect_uris(app: sqlite3.Row) -> list[str]:
    """The registered addresses; an empty list accepts any."""
    uris: list[str] = json.loads(app["redirect_uris"])
    return uris
