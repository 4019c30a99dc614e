"""Connecting accounts: X with OAuth 2.0, and with four OAuth 1.0a keys of one's own."""

import hashlib
import secrets
from datetime import timedelta
from uuid import UUID

import structlog
from django.conf import settings
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction

from accounts import audit
from accounts.access import Actor, Perm, actor_for
from accounts.models import Membership, User
from accounts.scope import resolver_scope, workspace_scope
from accounts.services import emit
from lib.clock import now
from social import credentials
from social.models import Connection, Credential, Network, NetworkApp, OAuthState
from social.networks.port import Account, NetworkError
from social.networks.x import oauth
from social.networks.x.client import XClient
from social.networks.x.scopes import OAUTH1
from social.places import require_place

STATE_MINUTES = 15
CALLBACK_PATH = "/connections/x/callback"
log = structlog.get_logger(__name__)


class ConnectRefused(Exception):
    """The browser came back with something we cannot accept; the text is for the user."""


def redirect_uri() -> str:
    return settings.BASE_URL + CALLBACK_PATH


# --- OAuth 2.0 --------------------------------------------------------------------------------------------


def start_connect(*, by: Actor, session_key: str, app: NetworkApp | None = None) -> str:
    """The address to send the browser to. `session_key` is empty when an API call asks."""
    by.require(Perm.CONNECTIONS)
    if not (app or settings.X_CLIENT_ID):
        raise ValidationError("This instance has no X app yet: its operator sets X_CLIENT_ID and X_CLIENT_SECRET.")
    if app is not None:
        check_own_keys(by)
    state, verifier = secrets.token_urlsafe(32), oauth.new_verifier()
    assert by.user is not None, "a person connects an account"
    OAuthState.objects.create(
        workspace=by.workspace,
        state_hash=_hash(state),
        user=by.user,
        session_hash=_hash(session_key) if session_key else "",
        verifier=verifier,
        redirect_uri=redirect_uri(),
        app_id=app.pk if app else None,
        expires_at=now() + timedelta(minutes=STATE_MINUTES),
    )
    return oauth.authorize_url(credentials.app_of(app), state=state, verifier=verifier, redirect_uri=redirect_uri())


def finish_connect(*, state: str, code: str, user: User, session_key: str) -> Connection:
    """Exchange the code and store the account. Call it outside a transaction: it talks to X twice.

    Raises ConnectRefused for a wrong, used, old or foreign state, NetworkError when X refuses.
    """
    started = _use_state(state, user, session_key)
    by = _actor(started.workspace_id, user)
    app = _app(started)
    keys = credentials.app_of(app)
    tokens = oauth.exchange_code(keys, code=code, verifier=started.verifier, redirect_uri=started.redirect_uri)
    account = _account(keys, tokens)
    # Asked again: the talk with X takes seconds, and the person may have lost the right meanwhile.
    by = _actor(started.workspace_id, user)
    with workspace_scope(started.workspace_id):
        connection = _store_connection(account, list(tokens.scopes), by, f"x:{keys.client_id}"[:64])
        credential = _fresh_credential(connection, app, Credential.Kind.OAUTH2)
        credentials.store_tokens(credential, tokens)
        _record_connect(connection, by)
    return connection


def refuse_connect(*, state: str, user: User, session_key: str) -> None:
    """The person said no on X's page: the state is used up."""
    _use_state(state, user, session_key)


def _hash(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def _use_state(state: str, user: User, session_key: str) -> OAuthState:
    key = _hash(state)
    with resolver_scope(key):
        started = OAuthState.objects.filter(state_hash=key, expires_at__gt=now(), used_at=None).first()
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
    if member.workspace.is_suspended:
        raise PermissionDenied("This workspace is suspended. Please contact support.")
    actor = actor_for(member)
    actor.require(Perm.CONNECTIONS)
    return actor


def _app(started: OAuthState) -> NetworkApp | None:
    if started.app_id is None:
        return None
    with workspace_scope(started.workspace_id):
        app = NetworkApp.objects.filter(pk=started.app_id).first()
    if app is None:
        # The code was made for that app: the instance's own could not redeem it.
        raise ConnectRefused("The X app that this was started with has been removed. Start again.")
    return app


def _account(keys: oauth.App, tokens: oauth.Tokens) -> Account:
    try:
        return XClient(tokens.access_token).me()
    except NetworkError:
        _give_back(keys, tokens)
        raise


def _give_back(keys: oauth.App, tokens: oauth.Tokens) -> None:
    """Nobody will use these tokens, so they should not live on at X."""
    try:
        oauth.revoke(keys, tokens.refresh_token or tokens.access_token)
    except NetworkError as error:
        log.info("unused_grant_not_revoked", code=error.code)


# --- keys of one's own ------------------------------------------------------------------------------------


def save_own_app(*, by: Actor, name: str, client_id: str, client_secret: str) -> NetworkApp:
    """Keep the workspace's own X app for OAuth 2.0."""
    check_own_keys(by)
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
    check_own_keys(by)
    key, secret = consumer_key.strip(), consumer_secret.strip()
    token, token_secret = access_token.strip(), token_secret.strip()
    if not all([key, secret, token, token_secret]):
        raise ValidationError("All four keys are needed.")
    account = XClient(keys=(key, secret, token, token_secret)).me()
    with workspace_scope(by.workspace.pk):
        app, _ = NetworkApp.objects.update_or_create(
            workspace=by.workspace,
            network=Network.X,
            name=f"Keys of @{account.handle}",
            defaults={"consumer_key": key, "consumer_secret": secret},
        )
        connection = _store_connection(account, [OAUTH1], by, f"x:{key}"[:64])
        credential = _fresh_credential(connection, app, Credential.Kind.OAUTH1)
        credential.access_token, credential.token_secret = token, token_secret
        credential.version += 1
        credential.save()
        _record_connect(connection, by)
    return connection


def check_own_keys(by: Actor) -> None:
    by.require(Perm.CONNECTIONS)
    if not settings.X_OWN_KEYS:
        raise PermissionDenied("This instance does not allow X keys of your own. Ask its operator (X_OWN_KEYS).")


# --- what both end with -----------------------------------------------------------------------------------


def _store_connection(account: Account, scopes: list[str], by: Actor, app_key: str) -> Connection:
    """Connecting again finds the old row, so that history stays with the account."""
    require_place(by.workspace, network=Network.X, remote_id=account.remote_id)
    connection, _ = Connection.objects.update_or_create(
        workspace=by.workspace,
        network=Network.X,
        remote_id=account.remote_id,
        defaults={
            "handle": account.handle,
            "name": account.name,
            "is_premium": account.is_premium,
            "followers": account.followers,
            "scopes": scopes,
            "api_host": credentials.api_host(),
            "app_key": app_key,
            "connected_by": by.user,
            "connected_at": now(),
            "checked_at": now(),
            "limited_until": None,
        },
    )
    # Staff's decision outlives a new log-in.
    alive = Connection.objects.filter(pk=connection.pk).exclude(status=Connection.Status.SUSPENDED)
    alive.update(status=Connection.Status.ACTIVE, status_text="")
    connection.refresh_from_db()
    return connection


def _fresh_credential(connection: Connection, app: NetworkApp | None, kind: str) -> Credential:
    """The account's row without anything of the grant before: old and new tokens must not be mixed."""
    credential = Credential.objects.select_for_update(no_key=True).filter(connection=connection).first()
    credential = credential or Credential(workspace_id=connection.workspace_id, connection=connection)
    credential.app, credential.kind = app, kind
    credential.refresh_token, credential.token_secret, credential.expires_at = "", "", None
    credential.updated_at = now()
    return credential


def _record_connect(connection: Connection, by: Actor) -> None:
    emit(by.workspace, "connection.connected", connection=str(connection.pk), handle=connection.handle)
    audit.record("connection.connect", connection, by=by, handle=connection.handle, scopes=connection.scopes)
