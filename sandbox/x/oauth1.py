"""OAuth 1.0a user keys: the HMAC-SHA1 signature is checked, with timestamp and nonce."""

import sqlite3
import time
from dataclasses import dataclass
from typing import Any

from oauthlib.oauth1.rfc5849 import signature

from sandbox.router import Call
from sandbox.x.reading import is_id

MAX_SKEW_SECONDS = 300


@dataclass
class _Signed:
    """What oauthlib's verifier wants to see of a request."""

    http_method: str
    uri: str
    params: list[tuple[str, str]]
    signature: str


def find_signer(call: Call) -> tuple[sqlite3.Row, sqlite3.Row] | None:
    """(app, account) of a correctly signed request, else None."""
    header = call.request.headers.get("Authorization") or ""
    body = call.request.body.decode("utf-8", "replace") if call.request.form else ""
    try:
        fields = dict(signature.collect_parameters(headers={"Authorization": header}, exclude_oauth_signature=False))
    except ValueError:
        return None
    app = _row(call, "x_apps", "consumer_key", fields.get("oauth_consumer_key"))
    account = _row(call, "x_accounts", "access_token", fields.get("oauth_token"))
    if app is None or account is None or fields.get("oauth_signature_method") != "HMAC-SHA1":
        return None
    params = signature.collect_parameters(
        uri_query=call.request.raw_query, body=body or [], headers={"Authorization": header}
    )
    signed = [
        _Signed(call.request.method, base + call.request.path, params, fields.get("oauth_signature", ""))
        for base in _bases(call)
    ]
    secrets = (app["consumer_secret"], account["access_secret"])
    if not any(signature.verify_hmac_sha1(request, *secrets) for request in signed):
        return None
    return (app, account) if _is_fresh(call.db, fields) else None


def _bases(call: Call) -> list[str]:
    # Clients that are rerouted below the signing step have signed the real host.
    return ["https://api.twitter.com", "https://api.x.com", f"http://{call.request.host}/x"]


def _row(call: Call, table: str, column: str, value: str | None) -> Any:
    return call.db.execute(f"SELECT * FROM {table} WHERE {column} = ?", (value,)).fetchone()  # noqa: S608


def _is_fresh(db: sqlite3.Connection, fields: dict[str, str]) -> bool:
    # Signers use their own wall clock, which the sandbox clock must not be compared with.
    now = time.time()
    stamp = fields.get("oauth_timestamp", "")
    if not is_id(stamp) or abs(int(stamp) - now) > MAX_SKEW_SECONDS:
        return False
    db.execute("DELETE FROM x_nonces WHERE at < ?", (now - 2 * MAX_SKEW_SECONDS,))
    seen = db.execute(
        "INSERT INTO x_nonces VALUES (?, ?) ON CONFLICT DO NOTHING RETURNING 1",
        (f"{stamp}:{fields.get('oauth_token')}:{fields.get('oauth_nonce')}", now),
    )
    return seen.fetchone() is not None
