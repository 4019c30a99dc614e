"""Tokens: opening a client with a valid one, and refreshing under the row's lock."""

from collections.abc import Callable
from datetime import timedelta

from django.conf import settings

from accounts import usage
from accounts.access import Perm
from accounts.models import Workspace
from accounts.scope import workspace_scope
from accounts.services import notify
from lib.clock import now
from lib.ids import uuid7
from social import user_sessions
from social.models import Connection, Credential, Network, NetworkApp
from social.networks.port import Billed, Failure, NetworkClient, NetworkError
from social.networks.telegram.client import TelegramClient
from social.networks.x import oauth
from social.networks.x.client import XClient

# Refreshing early is dangerous with single-use tokens; this only covers a call that is about to be made.
REFRESH_BEFORE = timedelta(minutes=2)
GONE = "This account is not connected any more."
NO_REFRESH = "X's access for this connection has ended. Connect the account again."
BOT_REFUSED = "Telegram no longer lets the bot post here. Make it an admin of the chat, then connect the chat again."
NO_BOT = "The bot that posted here is gone. Connect the chat again with another bot."
SUSPENDED = "Staff suspended this connection. Please contact support."


def open_client(connection: Connection) -> NetworkClient:
    """A client for this account, its token refreshed when it is about to end. Call it outside a transaction."""
    with workspace_scope(connection.workspace_id):
        credential = _load(connection)
    if _ends_soon(credential):
        credential = refresh_credential(connection, seen_version=credential.version)
    return _client(connection, credential)


def refresh_credential(connection: Connection, *, seen_version: int) -> Credential:
    """Swap the tokens once, however many workers ask: the lock's winner calls X, the others read its result."""
    with workspace_scope(connection.workspace_id):
        credential = _load(connection, lock=True)
        if credential.version != seen_version:
            return credential
        refused = _swap_tokens(connection, credential)
    # Raised outside the scope: its rollback would undo the mark.
    if refused:
        raise refused
    return credential


def _swap_tokens(connection: Connection, credential: Credential) -> NetworkError | None:
    if credential.kind == Credential.Kind.BOT:
        # The caller marks the connection: Telegram has told it why, and this has not.
        return NetworkError(Failure.UNAUTHORIZED, "no_refresh_token", BOT_REFUSED)
    try:
        # Keys of OAuth 1.0a and grants without offline.access cannot be renewed.
        if not credential.refresh_token:
            raise NetworkError(Failure.UNAUTHORIZED, "no_refresh_token", NO_REFRESH)
        store_tokens(credential, oauth.refresh(app_of(credential.app), credential.refresh_token))
    except NetworkError as error:
        if error.failure is Failure.UNAUTHORIZED:
            mark_reconnect(connection, error.message)
        return error
    return None


def store_tokens(credential: Credential, tokens: oauth.Tokens) -> None:
    credential.access_token = tokens.access_token
    # Some answers leave the refresh token out: an empty one must never replace a good one.
    credential.refresh_token = tokens.refresh_token or credential.refresh_token
    credential.expires_at = tokens.expires_at
    credential.version += 1
    credential.updated_at = now()
    credential.save()


def mark_reconnect(connection: Connection, text: str) -> bool:
    """True for the one caller who found it active. People are told, once."""
    found = Connection.objects.filter(pk=connection.pk, status=Connection.Status.ACTIVE).update(
        status=Connection.Status.RECONNECT, status_text=text[:300], checked_at=now()
    )
    if found:
        tell_connection(connection, f"{connection} has to be connected again; its posts wait.")
    return bool(found)


def tell_connection(connection: Connection, text: str) -> None:
    notify(connection.workspace, "connection", text, path="/connections", perm=Perm.CONNECTIONS, alert=True)


def credential_version(connection: Connection) -> int:
    """0 when it has none any more."""
    with workspace_scope(connection.workspace_id):
        version = Credential.objects.filter(connection=connection).values_list("version", flat=True).first()
    return version or 0


def app_of(app: NetworkApp | None) -> oauth.App:
    """The keys to talk to X with: the workspace's own, or the instance's."""
    return oauth.App(app.client_id, app.client_secret) if app else oauth.instance_app()


def api_host(network: str = Network.X) -> str:
    url = settings.TELEGRAM_API_BASE_URL if network == Network.TELEGRAM else settings.X_API_BASE_URL
    return url.split("//", 1)[-1].split("/", 1)[0]


def _load(connection: Connection, *, lock: bool = False) -> Credential:
    rows = Credential.objects.select_related("app", "bot", "connection").filter(connection=connection)
    credential = (rows.select_for_update(no_key=True, of=("self",)) if lock else rows).first()
    # Read afresh: somebody may have acted since the caller loaded the connection.
    status = credential.connection.status if credential else Connection.Status.DISCONNECTED
    if credential is None or status == Connection.Status.DISCONNECTED:
        raise NetworkError(Failure.UNAUTHORIZED, "no_credential", GONE)
    if status == Connection.Status.SUSPENDED:
        raise NetworkError(Failure.PAUSED, "suspended", SUSPENDED)
    return credential


def _ends_soon(credential: Credential) -> bool:
    return bool(credential.refresh_token and credential.expires_at and credential.expires_at - now() < REFRESH_BEFORE)


def _client(connection: Connection, credential: Credential) -> NetworkClient:
    if credential.kind == Credential.Kind.BOT:
        return _telegram_client(connection, credential)
    if credential.kind == Credential.Kind.OAUTH2:
        return XClient(credential.access_token, remote_id=connection.remote_id, on_billed=_ledger_of(connection))
    app = credential.app
    assert app is not None, "OAuth 1.0a credentials always belong to an app of the workspace"
    keys = (app.consumer_key, app.consumer_secret, credential.access_token, credential.token_secret)
    return XClient(keys=keys, remote_id=connection.remote_id, on_billed=_ledger_of(connection))


def _ledger_of(connection: Connection) -> Callable[[Billed], None]:
    def record(billed: Billed) -> None:
        # Within a UTC day the same read is charged once.
        key = f"{billed.key}:{now():%Y-%m-%d}" if billed.key else f"call:{uuid7()}"
        with workspace_scope(connection.workspace_id):
            workspace = Workspace.objects.get(pk=connection.workspace_id)
            usage.record(workspace, key, billed.kind, billed.amount_micro, connection_id=connection.pk)

    return record


def _telegram_client(connection: Connection, credential: Credential) -> TelegramClient:
    token = credential.bot.token if credential.bot else settings.TELEGRAM_BOT_TOKEN
    if not token:
        raise NetworkError(Failure.UNAUTHORIZED, "no_bot", NO_BOT)
    chat_id, _, topic_id = connection.remote_id.partition(":")
    reader = user_sessions.reader_for(connection)
    return TelegramClient(token, int(chat_id), int(topic_id) if topic_id else None, reader=reader)
