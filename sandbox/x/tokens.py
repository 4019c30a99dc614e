"""OAuth 2.0 state: codes, token pairs, and families that die together."""

import base64
import hashlib
import secrets
import sqlite3

ACCESS_SECONDS = 7200
CODE_SECONDS = 30
REFRESH_SECONDS = 180 * 86400
KNOWN_SCOPES = (
    "tweet.read",
    "tweet.write",
    "tweet.moderate.write",
    "users.read",
    "media.write",
    "offline.access",
    "users.email",
    "follows.read",
    "follows.write",
    "space.read",
    "mute.read",
    "mute.write",
    "like.read",
    "like.write",
    "list.read",
    "list.write",
    "block.read",
    "block.write",
    "bookmark.read",
    "bookmark.write",
    "dm.read",
    "dm.write",
)


def issue_code(
    db: sqlite3.Connection,
    now: float,
    *,
    client_id: str,
    account_id: int,
    redirect_uri: str,
    scope: str,
    challenge: str,
    method: str,
) -> str:
    code = secrets.token_urlsafe(32)
    db.execute(
        "INSERT INTO x_codes VALUES (?,?,?,?,?,?,?,?,0)",
        (code, client_id, account_id, redirect_uri, scope, challenge, method, now + CODE_SECONDS),
    )
    return code


def use_code(db: sqlite3.Connection, code: str, client_id: str, now: float) -> sqlite3.Row | None:
    """The code's row, once; None when it is unknown, another client's, spent or older than 30 seconds."""
    row: sqlite3.Row | None = db.execute(
        "UPDATE x_codes SET is_used = 1 WHERE code = ? AND client_id = ? AND is_used = 0 AND expires_at > ?"
        " RETURNING *",
        (code, client_id, now),
    ).fetchone()
    return row


def proves(verifier: str, challenge: str, method: str) -> bool:
    if method == "plain":
        return secrets.compare_digest(verifier.encode(), challenge.encode())
    digest = base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=")
    return secrets.compare_digest(digest, challenge.rstrip("=").encode())


def issue(
    db: sqlite3.Connection,
    now: float,
    *,
    client_id: str,
    account_id: int,
    scope: str,
    family: str = "",
    expires_in: int = ACCESS_SECONDS,
) -> dict[str, object]:
    """A new pair, in the shape of the token endpoint's answer."""
    access = secrets.token_urlsafe(48)
    refresh = secrets.token_urlsafe(48) if "offline.access" in scope.split() else None
    db.execute(
        "INSERT INTO x_tokens (access_token, refresh_token, family, client_id, account_id, scope, expires_at,"
        " refresh_expires_at) VALUES (?,?,?,?,?,?,?,?)",
        (
            access,
            refresh,
            family or secrets.token_hex(8),
            client_id,
            account_id,
            scope,
            now + expires_in,
            now + REFRESH_SECONDS,
        ),
    )
    pair: dict[str, object] = {
        "token_type": "bearer",
        "expires_in": expires_in,
        "access_token": access,
        "scope": scope,
    }
    return {**pair, "refresh_token": refresh} if refresh else pair


def find_access(db: sqlite3.Connection, access_token: str, now: float) -> sqlite3.Row | None:
    row: sqlite3.Row | None = db.execute(
        "SELECT * FROM x_tokens WHERE access_token = ? AND is_revoked = 0 AND expires_at > ?",
        (access_token, now),
    ).fetchone()
    return row


def find_refresh(db: sqlite3.Connection, refresh_token: str) -> sqlite3.Row | None:
    row: sqlite3.Row | None = db.execute("SELECT * FROM x_tokens WHERE refresh_token = ?", (refresh_token,)).fetchone()
    return row


def rotate(db: sqlite3.Connection, refresh_token: str, client_id: str, now: float) -> dict[str, object] | None:
    """The next pair; None for a token that cannot be used. A replay revokes the whole family."""
    old = find_refresh(db, refresh_token)
    if old is None or old["client_id"] != client_id:
        return None
    if old["is_refreshed"]:
        revoke_family(db, old["family"])
        return None
    if old["is_revoked"] or old["refresh_expires_at"] <= now:
        return None
    # The old pair dies as a whole: its access token is revoked together with the spent refresh token.
    db.execute("UPDATE x_tokens SET is_refreshed = 1, is_revoked = 1 WHERE refresh_token = ?", (refresh_token,))
    return issue(
        db,
        now,
        client_id=client_id,
        account_id=old["account_id"],
        scope=old["scope"],
        family=old["family"],
    )


def revoke_family(db: sqlite3.Connection, family: str) -> None:
    db.execute("UPDATE x_tokens SET is_revoked = 1 WHERE family = ?", (family,))


def revoke(db: sqlite3.Connection, token: str, client_id: str) -> None:
    """Revoking a refresh token ends the grant; revoking an access token ends only that token."""
    row = find_refresh(db, token)
    if row is not None and row["client_id"] == client_id:
        revoke_family(db, row["family"])
    db.execute("UPDATE x_tokens SET is_revoked = 1 WHERE access_token = ? AND client_id = ?", (token, client_id))
