"""Who is calling, may they, and is their window open: checked before any route of X runs."""

import secrets
import sqlite3
from dataclasses import dataclass, field

from sandbox.router import Call
from sandbox.x import accounts, oauth1, oauth2, problems, tokens
from sandbox.x.windows import Limits, Window, consume, windows_for


@dataclass(frozen=True)
class Rule:
    limits: Limits = field(default_factory=Limits)
    scopes: tuple[str, ...] = ()
    # user: acts for an account; any: an app-only token will do; app: nothing else will; client: token endpoints.
    auth: str = "user"


@dataclass
class Caller:
    app: sqlite3.Row
    account: sqlite3.Row | None
    # None: OAuth 1.0a, which knows no scopes.
    scopes: frozenset[str] | None = None
    windows: list[Window] = field(default_factory=list)
    rate_headers: dict[str, str] = field(default_factory=dict)

    @property
    def client_id(self) -> str:
        return str(self.app["client_id"])

    @property
    def user(self) -> sqlite3.Row:
        assert self.account is not None
        return self.account

    def owns(self, account_id: int) -> bool:
        return self.account is not None and self.account["id"] == account_id


def admit(call: Call) -> None:
    rule: Rule | None = call.route.rule
    if rule is None:
        return
    if rule.auth == "client":
        oauth2.admit_client(call)
        return
    caller = identify(call)
    if caller is None:
        raise problems.unauthorized()
    call.caller = caller
    call.act_for(caller.account)
    _check_permission(rule, caller)
    caller.windows = windows_for(rule.limits, call.route.name, caller.client_id, call.account_id)
    is_allowed, caller.rate_headers = consume(call.db, caller.windows, call.now)
    if not is_allowed:
        raise problems.too_many_requests(caller.rate_headers)


def identify(call: Call) -> Caller | None:
    scheme, _, credentials = (call.request.headers.get("Authorization") or "").partition(" ")
    if scheme.lower() == "oauth":
        signer = oauth1.find_signer(call)
        return Caller(*signer) if signer else None
    if scheme.lower() != "bearer":
        return None
    token = tokens.find_access(call.db, credentials, call.now)
    if token is not None:
        app = accounts.app(call.db, token["client_id"])
        account = accounts.by_id(call.db, token["account_id"])
        return Caller(app, account, frozenset(token["scope"].split())) if app else None
    app = call.db.execute("SELECT * FROM x_apps WHERE bearer_token = ?", (credentials,)).fetchone()
    return Caller(app, None, frozenset()) if app else None


def _check_permission(rule: Rule, caller: Caller) -> None:
    is_app_only = caller.account is None
    if is_app_only and rule.auth == "user":
        raise problems.forbidden(
            "Authenticating with OAuth 2.0 Application-Only is forbidden for this endpoint.  "
            "Supported authentication types are [OAuth 1.0a User Context, OAuth 2.0 User Context]."
        )
    if not is_app_only and rule.auth == "app":
        raise problems.forbidden(
            "Authenticating with a user token is forbidden for this endpoint.  "
            "Supported authentication types are [OAuth 2.0 Application-Only]."
        )
    if not is_app_only and caller.scopes is not None and not caller.scopes.issuperset(rule.scopes):
        raise problems.forbidden()


def headers(call: Call) -> dict[str, str]:
    """What every API answer carries, errors included."""
    if not call.route.is_api:
        return {}
    common = {
        "api-version": "2.167",
        "x-access-level": "read-write",
        "x-transaction-id": secrets.token_hex(8),
        "perf": str(secrets.randbelow(9 * 10**9)),
        "cache-control": "no-cache, no-store, max-age=0",
        "server": "cloudflare envoy",
    }
    return {**common, **(call.caller.rate_headers if call.caller else {})}
