"""What a bot's rights in a chat mean for the connections that go through it."""

from django.db.models import Q

from accounts.scope import all_workspaces_scope, workspace_scope
from lib.clock import now
from social import credentials
from social.models import Connection

Status = Connection.Status


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
