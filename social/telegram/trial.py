"""A test message: a real one, to see with one's own eyes that posting works."""

from dataclasses import dataclass
from uuid import UUID

from django.core import signing
from django.core.exceptions import ValidationError

from accounts import audit
from accounts.access import Actor, Perm
from accounts.scope import workspace_scope
from social import credentials
from social.models import Connection
from social.networks.port import NetworkError, OutgoingPart

TEXT = "Test message from Rostrum: this chat is connected. You can delete it."
SALT = "telegram-test-message"
LASTS_S = 24 * 60 * 60


@dataclass(frozen=True)
class TestMessage:
    """`token` names the message where it has to travel through a browser."""

    message_id: str
    url: str
    token: str


def send_test(connection: Connection, *, by: Actor) -> TestMessage:
    """Call it outside a transaction."""
    by.require(Perm.CONNECTIONS)
    if connection.status != Connection.Status.ACTIVE:
        raise ValidationError(f"{connection} is {connection.get_status_display().lower()}: nothing goes out.")
    try:
        accepted = credentials.open_client(connection).publish(OutgoingPart(TEXT))
    except NetworkError as error:
        raise ValidationError(f"The test message was not sent. {error.message}") from error
    with workspace_scope(by.workspace.pk):
        audit.record("connection.test", connection, by=by, message=accepted.remote_id)
    names = {"connection": str(connection.pk), "message": accepted.remote_id, "url": accepted.url}
    return TestMessage(accepted.remote_id, accepted.url, signing.dumps(names, salt=SALT))


def read_test(token: str, connection_id: UUID) -> TestMessage | None:
    """None for anything that we have not signed for this connection lately."""
    try:
        names = signing.loads(token, salt=SALT, max_age=LASTS_S)
    except signing.BadSignature:
        return None
    return TestMessage(names["message"], names["url"], token) if names["connection"] == str(connection_id) else None


def delete_test(connection: Connection, message: TestMessage, *, by: Actor) -> None:
    """Call it outside a transaction."""
    by.require(Perm.CONNECTIONS)
    try:
        credentials.open_client(connection).delete([message.message_id])
    except NetworkError as error:
        raise ValidationError(f"The test message is still there. {error.message}") from error
