"""POST /2/oauth2/token and /2/oauth2/revoke."""

import base64
import secrets
import sqlite3
from urllib.parse import unquote

from sandbox.ledger import Effect
from sandbox.router import Call
from sandbox.wire import Response, json_response
from sandbox.x import accounts, problems, tokens

SPENT = "Value passed for the token was invalid."
BAD_CODE = "Value passed for the authorization code was invalid."
NO_HEADER = "Missing valid authorization header"


def admit_client(call: Call) -> None:
    """Names the account the call is about, so that faults and the ledger can be told apart by account."""
    form = call.request.form
    row = tokens.find_refresh(call.db, form.get("refresh_token", ""))
    if row is None and (code := form.get("code")):
        row = call.db.execute("SELECT * FROM x_codes WHERE code = ?", (code,)).fetchone()
    if row is not None:
        call.act_for(accounts.by_id(call.db, row["account_id"]))


def exchange_token(call: Call) -> Response:
    app = _client(call)
    match call.request.form.get("grant_type"):
        case "authorization_code":
            pair = _from_code(call, app)
        case "refresh_token":
            pair = _from_refresh(call, app)
        case None | "":
            raise problems.oauth(400, "invalid_request", "Missing required parameter [grant_type].")
        case _:
            raise problems.oauth(400, "unsupported_grant_type", "Value passed for the grant_type was invalid.")
    call.effect = Effect("token", call.account_id or "")
    return json_response(200, pair)


def _from_code(call: Call, app: sqlite3.Row) -> dict[str, object]:
    form = call.request.form
    for name in ("code", "redirect_uri", "code_verifier"):
        if not form.get(name):
            raise problems.oauth(400, "invalid_request", f"Missing required parameter [{name}].")
    code = tokens.use_code(call.db, form["code"], app["client_id"], call.now)
    if code is None:
        raise problems.oauth(400, "invalid_request", BAD_CODE)
    if code["redirect_uri"] != form["redirect_uri"]:
        raise problems.oauth(
            400,
            "invalid_request",
            "Value passed for the redirect uri did not match the uri of the authorization code.",
        )
    if not tokens.proves(form["code_verifier"], code["challenge"], code["method"]):
        raise problems.oauth(
            400, "invalid_request", "Value passed for the code verifier did not match the code challenge."
        )
    return tokens.issue(
        call.db, call.now, client_id=app["client_id"], account_id=code["account_id"], scope=code["scope"]
    )


def _from_refresh(call: Call, app: sqlite3.Row) -> dict[str, object]:
    refresh_token = call.request.form.get("refresh_token", "")
    if call.fault_is("refresh_family_revoked"):
        row = tokens.find_refresh(call.db, refresh_token)
        tokens.revoke_family(call.db, row["family"] if row else "")
    pair = tokens.rotate(call.db, refresh_token, app["client_id"], call.now)
    if pair is None:
        raise problems.oauth(400, "invalid_request", SPENT)
    return pair


def revoke_token(call: Call) -> Response:
    app = _client(call)
    token = call.request.form.get("token")
    if not token:
        raise problems.oauth(400, "invalid_request", "Missing required parameter [token].")
    tokens.revoke(call.db, token, app["client_id"])
    call.effect = Effect("revoke", app["client_id"])
    return json_response(200, {"revoked": True})


def _client(call: Call) -> sqlite3.Row:
    """A confidential client proves itself with HTTP Basic; a public one only names itself in the body."""
    header = call.request.headers.get("Authorization") or ""
    if header.lower().startswith("basic "):
        return _confidential(call, header[6:])
    app = accounts.app(call.db, call.request.form.get("client_id", ""))
    if app is None or not app["is_public"]:
        raise problems.oauth(401, "unauthorized_client", NO_HEADER)
    return app


def _confidential(call: Call, encoded: str) -> sqlite3.Row:
    try:
        client_id, _, secret = base64.b64decode(encoded, validate=True).decode().partition(":")
    except ValueError:
        raise problems.oauth(401, "unauthorized_client", NO_HEADER) from None
    app = accounts.app(call.db, unquote(client_id))
    if app is None or not secrets.compare_digest(unquote(secret).encode(), app["client_secret"].encode()):
        raise problems.oauth(401, "unauthorized_client", NO_HEADER)
    return app
