"""New messages come in: X is asked by turns, since each mention that is read costs; Telegram's bots hear theirs.

A message is kept once, by the network's id. Whose it is, account and workspace, is decided here and nowhere else.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, cast
from uuid import UUID

import structlog
from django.db import transaction

from accounts import audit
from accounts.access import Actor, Perm
from accounts.models import Workspace
from accounts.scope import all_workspaces_scope, workspace_scope
from campaigns.models import Conversation, InboxCursor, InboxMessage, LivePart
from lib.clock import now
from lib.text import storable
from social.credentials import open_client
from social.models import Bot, Connection, InboundUpdate, Network
from social.networks.port import NetworkError, SeenPost
from social.networks.x.client import XClient

log = structlog.get_logger(__name__)
MENTIONS = "mentions"
# Asked again so soon where something came, and up to so late where nothing does.
SOON, LATEST = timedelta(minutes=2), timedelta(minutes=32)
BATCH = 50
MAX_TEXT = 10_000
Kind = Conversation.Kind


@dataclass(frozen=True)
class Heard:
    """One message as a network tells it."""

    kind: str
    conversation: str
    remote_id: str
    author_id: str
    author_handle: str
    author_name: str
    text: str
    at: datetime
    url: str = ""
    is_summons: bool = False


# --- what is read -------------------------------------------------------------------------------------------


def set_reading(connection: Connection, is_on: bool, *, by: Actor) -> None:
    """X charges for every mention that is read: only where somebody wants it. Telegram costs nothing."""
    by.require(Perm.CONNECTIONS)
    cursors = InboxCursor.objects.filter(connection=connection, kind=MENTIONS)
    with transaction.atomic():
        if is_on and not cursors.exists():
            InboxCursor.objects.create(workspace=by.workspace, connection=connection, kind=MENTIONS)
        elif not is_on:
            cursors.delete()
        audit.record("inbox.read" if is_on else "inbox.leave", connection, by=by)


def collect_due() -> int:
    """Ask X for the accounts whose turn it is; answers how many messages were new."""
    at = now()
    with all_workspaces_scope("inboxes that are due"):
        due = InboxCursor.objects.filter(
            kind=MENTIONS,
            next_at__lte=at,
            connection__network=Network.X,
            connection__status=Connection.Status.ACTIVE,
            workspace__is_stopped=False,
            workspace__is_suspended=False,
        ).order_by("next_at")
        found = list(due.values_list("workspace_id", "pk")[:BATCH])
    return sum(_collect(workspace_id, cursor_id, at) for workspace_id, cursor_id in found)


def _collect(workspace_id: UUID, cursor_id: UUID, at: datetime) -> int:
    with workspace_scope(workspace_id):
        # Taken by moving its turn: a second worker finds it gone, a dead one costs a turn.
        if not InboxCursor.objects.filter(pk=cursor_id, next_at__lte=at).update(next_at=at + SOON):
            return 0
        cursor = InboxCursor.objects.select_related("connection__workspace").get(pk=cursor_id)
    try:
        posts = cast(XClient, open_client(cursor.connection)).mentions(cursor.since_id)
    except NetworkError as error:
        log.warning("inbox_not_read", connection=str(cursor.connection_id), code=error.code)
        _put_off(workspace_id, cursor_id, max(error.retry_at or at + LATEST, at + SOON), error.message)
        return 0
    with workspace_scope(workspace_id):
        count = sum(record(cursor.connection, _of_x(post, cursor.connection)) for post in posts)
        since = max([cursor.since_id, *(post.remote_id for post in posts)], key=_number)
        InboxCursor.objects.filter(pk=cursor_id).update(
            since_id=since, read_at=at, next_at=at + _pause(cursor, at, bool(posts)), problem=""
        )
    return count


def _pause(cursor: InboxCursor, at: datetime, has_news: bool) -> timedelta:
    """Twice as long as since the last look, where nothing came."""
    if has_news or cursor.read_at is None:
        return SOON
    return min(LATEST, max(SOON, 2 * (at - cursor.read_at)))


def _put_off(workspace_id: UUID, cursor_id: UUID, until: datetime, problem: str) -> None:
    with workspace_scope(workspace_id):
        InboxCursor.objects.filter(pk=cursor_id).update(next_at=until, problem=problem[:200])


def _number(remote_id: str) -> int:
    return int(remote_id) if remote_id.isascii() and remote_id.isdigit() else 0


def _of_x(post: SeenPost, connection: Connection) -> Heard | None:
    if post.author_id == connection.remote_id:
        return None
    return Heard(
        kind=Kind.MENTION,
        conversation=post.conversation or post.remote_id,
        remote_id=post.remote_id,
        author_id=post.author_id,
        author_handle=post.author,
        author_name=post.author,
        text=post.text,
        at=post.created_at,
        url=f"https://x.com/{post.author}/status/{post.remote_id}" if post.author else "",
        is_summons=post.has_summoned,
    )


# --- Telegram -----------------------------------------------------------------------------------------------


def hear_telegram(update: InboundUpdate) -> None:
    """A handler of social's receiver: private messages to a workspace's own bot, and answers to its posts in groups."""
    message = update.content
    sender = message.get("from") or {}
    text = message.get("text") or message.get("caption") or ""
    if not text or not sender or sender.get("is_bot") or text.startswith("/"):
        return
    chat = message["chat"]
    if chat["type"] == "private":
        _hear_direct(update.bot_id, message, sender, text)
    elif message.get("reply_to_message"):
        _hear_comment(chat, message, sender, text)


def _hear_direct(bot_id: int, message: dict[str, Any], sender: dict[str, Any], text: str) -> None:
    with all_workspaces_scope("whose bot heard this"):
        bot = Bot.objects.filter(bot_id=bot_id).first()
        if bot is None:
            # The installation's bot: what people write to it in private are its own commands.
            return
        connections = Connection.objects.filter(workspace_id=bot.workspace_id, network=Network.TELEGRAM)
        connection = connections.filter(status=Connection.Status.ACTIVE).order_by("connected_at", "id").first()
    if connection:
        _keep_telegram(connection, Kind.DIRECT, str(message["chat"]["id"]), message, sender, text)


def _hear_comment(chat: dict[str, Any], message: dict[str, Any], sender: dict[str, Any], text: str) -> None:
    answered = str(message["reply_to_message"]["message_id"])
    with all_workspaces_scope("whose post was answered"):
        rows = Connection.objects.filter(network=Network.TELEGRAM, remote_id=str(chat["id"]))
        mine = [row for row in rows if LivePart.objects.filter(connection=row, remote_id=answered).exists()]
    for connection in mine:
        _keep_telegram(connection, Kind.COMMENT, answered, message, sender, text)


def _keep_telegram(
    connection: Connection,
    kind: str,
    conversation: str,
    message: dict[str, Any],
    sender: dict[str, Any],
    text: str,
) -> None:
    name = " ".join(filter(None, (sender.get("first_name"), sender.get("last_name"))))
    heard = Heard(
        kind=kind,
        conversation=conversation,
        remote_id=f"{message['chat']['id']}:{message['message_id']}",
        author_id=str(sender["id"]),
        author_handle=sender.get("username", ""),
        author_name=name,
        text=text,
        at=datetime.fromtimestamp(message["date"], tz=now().tzinfo),
        is_summons=True,
    )
    with workspace_scope(connection.workspace_id):
        record(connection, heard)


# --- keeping ------------------------------------------------------------------------------------------------


def record(connection: Connection, heard: Heard | None) -> bool:
    """Keep a message and open its conversation; False where it is known or our own. Expects the workspace's scope."""
    if heard is None:
        return False
    workspace: Workspace = connection.workspace
    with transaction.atomic():
        talk, _is_new = Conversation.objects.get_or_create(
            workspace=workspace,
            connection=connection,
            kind=heard.kind,
            remote_id=heard.conversation[:80],
            author_id=heard.author_id[:40],
            defaults={
                "author_handle": storable(heard.author_handle)[:80],
                "author_name": storable(heard.author_name)[:120],
                "last_at": heard.at,
            },
        )
        row = InboxMessage(
            workspace=workspace,
            conversation=talk,
            connection=connection,
            remote_id=heard.remote_id[:80],
            text=storable(heard.text)[:MAX_TEXT],
            url=heard.url[:300],
            is_summons=heard.is_summons,
            sent_at=heard.at,
        )
        InboxMessage.objects.bulk_create([row], ignore_conflicts=True)
        # A row of somebody faster has another id.
        if not InboxMessage.objects.filter(pk=row.pk).exists():
            return False
        Conversation.objects.filter(pk=talk.pk, last_at__lt=heard.at).update(last_at=heard.at)
        Conversation.objects.filter(pk=talk.pk).update(status=Conversation.Status.OPEN, is_unread=True)
    return True
