"""What higher apps have to say once an account is connected (again)."""

from collections.abc import Callable

from accounts.scope import workspace_scope
from social.models import Connection

# By app; an empty text says nothing.
NOTES: dict[str, Callable[[Connection], str]] = {}


def notes_on(connection: Connection) -> list[str]:
    with workspace_scope(connection.workspace_id):
        return [text for note in NOTES.values() if (text := note(connection))]
