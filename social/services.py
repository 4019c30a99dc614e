"""Connecting accounts, checking and disconnecting them."""

import hashlib
import secrets
from datetime import timedelta
from functools import partial
from uuid import UUID

from django.conf import settings
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction

from accounts import audit
from accounts.access import Actor, Perm, actor_for
from accounts.models import Membership, User
from accounts.scope import resolver_scope, workspace_scope
from accounts.services import emit, notify
from lib.clock import now
from social import credentials
from social.models import Connection, Credential, Network, NetworkApp, OAuthState
from social.networks.port import Account, NetworkError
from social.networks.x import oauth
from social.networks.x.client import XClient

STATE_MINUTES = 15
CALLBACK_PATH = "/connections/x/callback"


class ConnectRefused(Exception):
    """The browser came back with something we cannot accept; the text is for the user."""


def _hash(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


# --- connecting X with OAuth 2.0 --------------------------------------------------------------------------


def start_connect(*, by: Actor, session_key: str, app: NetworkApp | None = None) -> str:
    """The address to send the browser to. `session_key` is empty when an API call asks."""
    by.require(Perm.CONNECTIONS)
    if not (app or settings.X_CLIENT_ID):
        raise ValidationError("This instance has no X app yet: set X_CLIENT_ID and X_CLIENT_SECRET.")
    state, verifier = secrets.token_urlsafe(32), oauth.new_verifier()
    redirect_uri = settings.BASE_URL + CALLBACK_PATH
    assert by.user is not None, "a person connects an account"
    OAuthState.objects.create(
        workspace=by.workspace,
        state_hash=_hash(state),
        user=by.user,
        session_hash=_hash(session_key) if session_key else "",
        verifier=verifier,
        redirect_uri=redirect_uri,
        app_id=app.pk if app else None,
        expires_at=now() + timedelta(minutes=STATE_MINUTES),
    )
    keys = oauth.App(app.client_id, app.client_secret) if app else oauth.instance_app()
    return oauth.authorize_url(keys, state=state, verifier=verifier, redirect_uri=redirect_uri)


def finish_connect(*, state: str, code: str, user: User, session_key: str) -> Connection:
    """Exchange the code and store the account. Call it outside a transaction: it talks to X twice.

    Raises ConnectRefused for a wrong, used, old or foreign state, NetworkError when X refuses.
    """
    started = _use_state(state, user, session_key)
    by = _actor(started.workspace_id, user)
    with workspace_scope(started.workspace_id):
        app = NetworkApp.objects.filter(pk=started.app_id).first() if started.app_id else None
    keys = oauth.App(app.client_id, app.client_secret) if app else oauth.instance_app()
    tokens = oauth.exchange_code(keys, code=code, verifier=started.verifier, redirect_uri=started.redirect_uri)
    account = XClient(tokens.access_token).me()
    with workspace_scope(started.workspace_id):
        connection = _store_connection(account, list(tokens.scopes), by)
        credential = _fresh_credential(connection, app)
        credential.kind = Credential.Kind.OAUTH2
        credentials.store_tokens(credential, tokens)
        _record_connect(connection, by)
    return connection


def refuse_connect(*, state: str, user: User, session_key: str) -> None:
    """The person said no on X's page: the state is used up."""
    _use_state(state, user, session_key)


def _use_state(state: str, user: User, session_key: str) -> OAuthState:
    with resolver_scope(_hash(state)):
        started = OAuthState.objects.filter(expires_at__gt=now(), used_at=None).first()
    if started is None:
        raise ConnectRefused("This connect link is not valid any more. Start again from the connections page.")
    if started.user_id != user.pk or (started.session_hash and started.session_hash != _hash(session_key)):
        raise ConnectRefused("Connecting was started in another browser. Start again from this one.")
    with workspace_scope(started.workspace_id):
        if not OAuthState.objects.filter(pk=started.pk, used_at=None).update(used_at=now()):
            raise ConnectRefused("This connect link was used already.")
    return started


def _actor(workspace_id: UUID, user: User) -> Actor:
    member = Membership.objects.select_related("workspace", "user").filter(user=user, workspace=workspace_id).first()
    if member is None:
        raise PermissionDenied("You are no longer a member of this workspace.")
    actor = actor_for(member)
    actor.require(Perm.CONNECTIONS)
    return actor


# --- connecting X with a user's own OAuth 1.0a keys -------------------------------------------------------


def save_own_app(*, by: Actor, name: str, client_id: str, client_secret: str) -> NetworkApp:
    """Keep the workspace's own X app for OAuth 2.0."""
    _check_own_keys(by)
    if not client_id.strip():
        raise ValidationError({"client_id": "Copy the client id from the X developer console."})
    with transaction.atomic():
        app, _ = NetworkApp.objects.update_or_create(
            workspace=by.workspace,
            network=Network.X,
            name=name.strip() or "Own X app",
            defaults={"client_id": client_id.strip(), "client_secret": client_secret.strip()},
        )
        audit.record("app.save", app, by=by, name=app.name, client_id=app.client_id)
    return app


def connect_with_keys(
    *, by: Actor, consumer_key: str, consumer_secret: str, access_token: str, token_secret: str
) -> Connection:
    """Connect with four OAuth 1.0a keys. Call it outside a transaction: it asks X who the keys belong to."""
    _check_own_keys(by)
    keys = tuple(key.strip() for key in (consumer_key, consumer_secret, access_token, token_secret))
    if not all(keys):
        raise ValidationError("All four keys are needed.")
    account = XClient(keys=(keys[0], keys[1], keys[2], keys[3])).me()
    with workspace_scope(by.workspace.pk):
        app, _ = NetworkApp.objects.update_or_create(
            workspace=by.workspace,
            network=Network.X,
            name=f"Keys of @{account.handle}",
            defaults={"consumer_key": keys[0], "consumer_secret": keys[1]},
        )
        connection = _store_connection(account, ["oauth1"], by)
        credential = _fresh_credential(connection, app)
        credential.kind, credential.expires_at, credential.refresh_token = Credential.Kind.OAUTH1, None, ""
        credential.access_token, credential.token_secret = keys[2], keys[3]
        credential.version += 1
        credential.save()
        _record_connect(connection, by)
    return connection


def _check_own_keys(by: Actor) -> None:
    by.require(Perm.CONNECTIONS)
    if not settings.X_OWN_KEYS:
        raise PermissionDenied("This instance does not allow X keys of your own. Ask its operator (X_OWN_KEYS).")


def _store_connection(account: Account, scopes: list[str], by: Actor) -> Connection:
    """Connecting again finds the old row, so that history stays with the account."""
    connection, _ = Connection.objects.update_or_create(
        workspace=by.workspace,
        network=Network.X,
        remote_id=account.remote_id,
        defaults={
            "handle": account.handle,
            "name": account.name,
            "is_premium": account.is_premium,
            "followers": account.followers,
            "status": Connection.Status.ACTIVE,
            "status_text": "",
            "scopes": scopes,
            "api_host": credentials.api_host(),
            "connected_by": by.user,
            "connected_at": now(),
            "checked_at": now(),
        },
    )
    return connection


def _fresh_credential(connection: Connection, app: NetworkApp | None) -> Credential:
    credential = Credential.objects.select_for_update().filter(connection=connection).first()
    credential = credential or Credential(workspace_id=connection.workspace_id, connection=connection)
    credential.app = app
    return credential


def _record_connect(connection: Connection, by: Actor) -> None:
    emit(by.workspace, "connection.connected", connection=str(connection.pk), handle=connection.handle)
    audit.record("connection.connect", connection, by=by, handle=connection.handle, scopes=connection.scopes)


# --- afterwards -------------------------------------------------------------------------------------------


def disconnect(connection: Connection, *, by: Actor) -> None:
    """Stop using the account now; the tokens are revoked on X by a task and then deleted."""
    from social import tasks

    by.require(Perm.CONNECTIONS)
    with transaction.atomic():
        changed = (
            Connection.objects.shown()
            .filter(pk=connection.pk)
            .update(status=Connection.Status.DISCONNECTED, status_text=f"Disconnected by {by.label}.")
        )
        if not changed:
            return
        connection.refresh_from_db()
        transaction.on_commit(partial(tasks.revoke_credential.delay, str(connection.workspace_id), str(connection.pk)))
        audit.record("connection.disconnect", connection, by=by, handle=connection.handle)


def set_paused(connection: Connection, paused: bool, *, by: Actor) -> None:
    by.require(Perm.CONNECTIONS)
    before, after = Connection.Status.ACTIVE, Connection.Status.PAUSED
    if not paused:
        before, after = after, before
    with transaction.atomic():
        text = f"Paused by {by.label}." if paused else ""
        if Connection.objects.filter(pk=connection.pk, status=before).update(status=after, status_text=text):
            connection.refresh_from_db()
            audit.record(f"connection.{'pause' if paused else 'resume'}", connection, by=by, handle=connection.handle)


def pause_by_network(connection: Connection, error: NetworkError) -> None:
    """Out of credits or over the cap: stop, and tell those who can act."""
    changed = Connection.objects.filter(pk=connection.pk, status=Connection.Status.ACTIVE).update(
        status=Connection.Status.PAUSED, status_text=error.message, checked_at=now()
    )
    if changed:
        tell_connection(connection, f"@{connection.handle} is paused: {error.message}")


def tell_connection(connection: Connection, text: str) -> None:
    notify(connection.workspace, "connection", text, path="/connections", perm=Perm.CONNECTIONS)


def check_connection(connection: Connection) -> Connection:
    """Ask the network who this is. Call it outside a transaction."""
    try:
        account = credentials.open_client(connection).me()
    except NetworkError as error:
        with workspace_scope(connection.workspace_id):
            if error.failure == "unauthorized" and credentials.mark_reconnect(connection, error.message):
                tell_connection(connection, f"@{connection.handle} has to be connected again.")
            Connection.objects.filter(pk=connection.pk).update(checked_at=now())
        raise
    with workspace_scope(connection.workspace_id):
        Connection.objects.filter(pk=connection.pk).update(
            handle=account.handle,
            name=account.name,
            is_premium=account.is_premium,
            followers=account.followers,
            checked_at=now(),
        )
        connection.refresh_from_db()
    return connection


def revoke_tokens(workspace_id: UUID, connection_id: UUID) -> None:
    """Revoke at X, then delete. Raises NetworkError when X is away: the row stays and the task comes again."""
    with workspace_scope(workspace_id):
        credential = (
            Credential.objects.select_related("app")
            .filter(connection_id=connection_id, connection__status=Connection.Status.DISCONNECTED)
            .first()
        )
    if credential is None:
        return
    if credential.kind == Credential.Kind.OAUTH2:
        keys = (
            oauth.App(credential.app.client_id, credential.app.client_secret)
            if credential.app
            else oauth.instance_app()
        )
        for token in filter(None, (credential.refresh_token, credential.access_token)):
            _revoke(keys, token)
    with workspace_scope(workspace_id):
        Credential.objects.filter(pk=credential.pk, version=credential.version).delete()


def _revoke(keys: oauth.App, token: str) -> None:
    try:
        oauth.revoke(keys, token)
    except NetworkError as error:
        # A token that X does not know any more needs no revoking.
        if error.failure != "unauthorized":
            raise
