"""What a bot may do in a chat, and what that means for the connections that go through it."""

from collections.abc import Mapping
from typing import Any

from django.db.models import Q

from accounts.scope import all_workspaces_scope, workspace_scope
from lib.clock import now
from social import credentials
from social.models import Connection

Status = Connection.Status
IN_CHAT = {"creator", "administrator", "member", "restricted"}
ADMINS = {"creator", "administrator"}


def may_post(kind: str, member: Mapping[str, Any]) -> bool:
    """From a chat's type and a ChatMember, as Telegram spells them."""
    status = member.get("status")
    if kind == "channel":
        return status == "creator" or (status == "administrator" and bool(member.get("can_post_messages")))
    if status == "restricted":
        return bool(member.get("is_member") and member.get("can_send_messages"))
    return status in {"creator", "administrator", "member"}


def what_to_do(kind: str, member: Mapping[str, Any]) -> str:
    """Why the bot cannot post, as an instruction. Empty when it can."""
    status = member.get("status")
    if may_post(kind, member):
        return ""
    if status == "kicked":
        return "The bot was removed from this chat. Add it again as an admin."
    if status == "restricted":
        return "The bot is restricted in this chat. Lift the restriction in the group's settings."
    if status not in IN_CHAT:
        return "The bot is not in this chat. Add it as an admin."
    if status in ADMINS:
        return "The bot is an admin but may not post. Allow “Post messages” in the channel's admin settings."
    return "The bot is not an admin of this channel. Make it one, with the right to post messages."


def of_chat(chat_id: int) -> Q:
    """Connections to the chat itself and to each of its topics."""
    return Q(remote_id=str(chat_id)) | Q(remote_id__startswith=f"{chat_id}:")


def find_connections(app_key: str, chat_id: int) -> list[Connection]:
    """Of whatever workspace, apart from disconnected ones."""
    with all_workspaces_scope("a chat that a bot hears of may be anybody's"):
        shown = Connection.objects.shown().select_related("workspace")
        return list(shown.filter(of_chat(chat_id), app_key=app_key))


def follow_rights(app_key: str, chat_id: int, problem: str) -> None:
    """The bot's place in a chat has changed: its connections stop, or work again."""
    for connection in find_connections(app_key, chat_id):
        with workspace_scope(connection.workspace_id):
            if problem:
                credentials.mark_reconnect(connection, problem)
            else:
                _restore(connection)


def stop_connections(app_key: str, problem: str) -> None:
    """All connections of a bot, in whatever workspace."""
    with all_workspaces_scope("a bot's connections may be anybody's"):
        found = list(Connection.objects.select_related("workspace").filter(app_key=app_key, status=Status.ACTIVE))
    for connection in found:
        with workspace_scope(connection.workspace_id):
            credentials.mark_reconnect(connection, problem)


def restore_connections(app_key: str) -> None:
    """All connections of a bot in this workspace, after it got a new token."""
    for connection in Connection.objects.select_related("workspace").filter(app_key=app_key, status=Status.RECONNECT):
        _restore(connection)


def _restore(connection: Connection) -> None:
    waiting = Connection.objects.filter(pk=connection.pk, status=Status.RECONNECT)
    if waiting.update(status=Status.ACTIVE, status_text="", checked_at=now()):
        credentials.tell_connection(connection, f"{connection} works again.")
