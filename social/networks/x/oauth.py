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
from typing import Any
from urllib.parse import urlencode

import requests
from django.conf import settings

from lib.clock import now
from lib.http import open_session, was_never_sent
from social.networks.port import Failure, NetworkError
from social.networks.x.errors import from_response
from social.networks.x.scopes import SCOPES


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


def _post(app: App, path: str, form: dict[str, str]) -> dict[str, Any]:
    auth = (app.client_id, app.client_secret) if app.client_secret else None
    data = form if auth else form | {"client_id": app.client_id}
    try:
        response = open_session(min(10, settings.X_TIMEOUT_S)).post(
            settings.X_API_BASE_URL + path, data=data, auth=auth
        )
    except requests.RequestException as error:
        # A refresh that got no answer may have used the token up; the next try will tell.
        failure = Failure.TEMPORARY if was_never_sent(error) else Failure.UNKNOWN
        raise NetworkError(failure, "token_call", "X did not answer. Please try again.", raw=str(error)) from error
    body = _json(response)
    if response.ok:
        return body
    raise _refusal(response, str(body.get("error", "")))


def _refusal(response: requests.Response, reason: str) -> NetworkError:
    """Only X's own word about the token ends a connection, never a firewall's page or a wrong client secret."""
    if response.status_code == 400 and reason in {"invalid_request", "invalid_grant"}:
        failure, code = Failure.UNAUTHORIZED, "token_refused"
        message = "X no longer accepts this log-in. Connect the account again."
    elif reason in {"unauthorized_client", "invalid_client"}:
        failure, code = Failure.TEMPORARY, "app_refused"
        message = "X does not accept the keys of the X app. Whoever set them up has to correct them."
    else:
        failure, code, message = Failure.TEMPORARY, "token_call", "X is not available right now. Please try again."
    retry_at = from_response(response, is_write=False).retry_at
    return NetworkError(failure, code, message, raw=response.text, http_status=response.status_code, retry_at=retry_at)


def _json(response: requests.Response) -> dict[str, Any]:
    try:
        body = json.loads(response.content)
    except ValueError:
        body = None
    return body if isinstance(body, dict) else {}


def _tokens(body: dict[str, Any]) -> Tokens:
    access_token, seconds = body.get("access_token"), body.get("expires_in", 7200)
    if not isinstance(access_token, str) or not access_token or not isinstance(seconds, int):
        # The raw answer is left out: it may hold the other token.
        raise NetworkError(Failure.UNKNOWN, "token_call", "X's answer could not be read. Please try again.")
    return Tokens(
        access_token=access_token,
        refresh_token=str(body.get("refresh_token") or ""),
        expires_at=now() + timedelta(seconds=seconds),
        scopes=tuple(str(body.get("scope") or "").split()),
    )
