"""Tokens: opening a client with a valid one, and refreshing under the row's lock."""

from datetime import timedelta

from django.conf import settings

from accounts.scope import workspace_scope
from lib.clock import now
from social.models import Connection, Credential
from social.networks.port import Failure, NetworkClient, NetworkError
from social.networks.x import oauth
from social.networks.x.client import XClient

# Refreshing early is dangerous with single-use tokens; this only covers a call that is about to be made.
REFRESH_BEFORE = timedelta(minutes=2)


def open_client(connection: Connection) -> NetworkClient:
    """A client for this account, its token refreshed when it is about to end. Call it outside a transaction."""
    with workspace_scope(connection.workspace_id):
        credential = _load(connection)
    if credential.kind == Credential.Kind.OAUTH2 and _ends_soon(credential):
        credential = refresh_credential(connection, seen_version=credential.version)
    return _client(connection, credential)


def refresh_credential(connection: Connection, *, seen_version: int) -> Credential:
    """Swap the tokens once, however many workers ask: the lock's winner calls X, the others read its result."""
    refused: NetworkError | None = None
    with workspace_scope(connection.workspace_id):
        credential = _load(connection, lock=True)
        if credential.version != seen_version:
            return credential
        try:
            tokens = oauth.refresh(_app(credential), credential.refresh_token)
        except NetworkError as error:
            if error.failure is Failure.UNAUTHORIZED:
                mark_reconnect(connection, error.message)
            refused = error
        else:
            store_tokens(credential, tokens)
    # Raised outside the scope: its rollback would undo the mark.
    if refused:
        raise refused
    return credential


def store_tokens(credential: Credential, tokens: oauth.Tokens) -> None:
    credential.access_token = tokens.access_token
    # Some answers leave the refresh token out: an empty one must never replace a good one.
    credential.refresh_token = tokens.refresh_token or credential.refresh_token
    credential.expires_at = tokens.expires_at
    credential.version += 1
    credential.updated_at = now()
    credential.save()


def mark_reconnect(connection: Connection, text: str) -> bool:
    """True for the one caller who found it active."""
    return bool(
        Connection.objects.filter(pk=connection.pk, status=Connection.Status.ACTIVE).update(
            status=Connection.Status.RECONNECT, status_text=text, checked_at=now()
        )
    )


def credential_version(connection: Connection) -> int:
    with workspace_scope(connection.workspace_id):
        return Credential.objects.values_list("version", flat=True).get(connection=connection)


def _load(connection: Connection, *, lock: bool = False) -> Credential:
    rows = Credential.objects.select_related(None).filter(connection=connection)
    credential = (rows.select_for_update() if lock else rows).first()
    if credential is None:
        raise NetworkError(Failure.UNAUTHORIZED, "no_credential", "This account is not connected any more.")
    return credential


def _ends_soon(credential: Credential) -> bool:
    return bool(credential.refresh_token and credential.expires_at and credential.expires_at - now() < REFRESH_BEFORE)


def _app(credential: Credential) -> oauth.App:
    if credential.app_id and credential.app:
        return oauth.App(credential.app.client_id, credential.app.client_secret)
    return oauth.instance_app()


def _client(connection: Connection, credential: Credential) -> XClient:
    if credential.kind == Credential.Kind.OAUTH2:
        return XClient(credential.access_token, remote_id=connection.remote_id)
    with workspace_scope(connection.workspace_id):
        app = credential.app
    assert app is not None, "OAuth 1.0a credentials always belong to an app of the workspace"
    keys = (app.consumer_key, app.consumer_secret, credential.access_token, credential.token_secret)
    return XClient(keys=keys, remote_id=connection.remote_id)


def api_host() -> str:
    return settings.X_API_BASE_URL.split("//", 1)[-1].split("/", 1)[0]
