"""X's OAuth 2.0 with PKCE: the authorise address and the three token calls.

Refresh tokens are single use, and X may kill the whole family when an old one comes again: callers hold the
credential's row lock and store the new pair before anything else.
"""

import base64
import hashlib
import json
import secrets
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from urllib.parse import urlencode

import requests
from django.conf import settings

from lib.clock import now
from lib.http import open_session, was_never_sent
from social.networks.port import Failure, NetworkError
from social.networks.x.client import SCOPES


@dataclass(frozen=True)
class App:
    client_id: str
    client_secret: str = field(repr=False)


@dataclass(frozen=True)
class Tokens:
    access_token: str = field(repr=False)
    refresh_token: str = field(repr=False)
    expires_at: datetime
    scopes: tuple[str, ...]


def instance_app() -> App:
    return App(settings.X_CLIENT_ID, settings.X_CLIENT_SECRET)


def new_verifier() -> str:
    return secrets.token_urlsafe(64)


def authorize_url(app: App, *, state: str, verifier: str, redirect_uri: str) -> str:
    challenge = base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode()
    query = {
        "response_type": "code",
        "client_id": app.client_id,
        "redirect_uri": redirect_uri,
        "scope": " ".join(SCOPES),
        "state": state,
        "code_challenge": challenge,
        "code_challenge_method": "S256",
    }
    return f"{settings.X_AUTHORIZE_URL}?{urlencode(query)}"


def exchange_code(app: App, *, code: str, verifier: str, redirect_uri: str) -> Tokens:
    form = {
        "grant_type": "authorization_code",
        "code": code,
        "code_verifier": verifier,
        "redirect_uri": redirect_uri,
    }
    return _tokens(_post(app, "/2/oauth2/token", form))


def refresh(app: App, refresh_token: str) -> Tokens:
    return _tokens(_post(app, "/2/oauth2/token", {"grant_type": "refresh_token", "refresh_token": refresh_token}))


def revoke(app: App, token: str) -> None:
    _post(app, "/2/oauth2/revoke", {"token": token})


def _post(app: App, path: str, form: dict[str, str]) -> dict[str, object]:
    auth = (app.client_id, app.client_secret) if app.client_secret else None
    data = form if auth else form | {"client_id": app.client_id}
    try:
        response = open_session(timeout_s=min(10, settings.X_TIMEOUT_S)).post(
            settings.X_API_BASE_URL + path, data=data, auth=auth
        )
    except requests.RequestException as error:
        # A refresh that got no answer may have used the token up; the next try will tell.
        failure = Failure.TEMPORARY if was_never_sent(error) else Failure.UNKNOWN
        raise NetworkError(failure, "token_call", "X did not answer. Please try again.", raw=str(error)) from error
    if response.ok:
        return _json(response)
    final = response.status_code in {400, 401, 403}
    raise NetworkError(
        Failure.UNAUTHORIZED if final else Failure.TEMPORARY,
        "token_refused" if final else "token_call",
        "X no longer accepts this log-in. Connect the account again." if final else "X is not available right now.",
        raw=response.text,
        http_status=response.status_code,
    )


def _json(response: requests.Response) -> dict[str, object]:
    try:
        return dict(json.loads(response.content))
    except (ValueError, TypeError) as error:
        raise NetworkError(Failure.UNKNOWN, "token_call", "X's answer could not be read.", raw="") from error


def _tokens(body: dict[str, object]) -> Tokens:
    if not body.get("access_token"):
        raise NetworkError(Failure.UNKNOWN, "token_call", "X answered without a token.")
    return Tokens(
        access_token=str(body["access_token"]),
        refresh_token=str(body.get("refresh_token", "")),
        expires_at=now() + timedelta(seconds=int(str(body.get("expires_in", 7200)))),
        scopes=tuple(str(body.get("scope", "")).split()),
    )
