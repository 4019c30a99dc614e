"""Where a post can be looked at, and which post a pasted link means."""

import re
from collections.abc import Callable

from django.conf import settings
from django.core.exceptions import ValidationError

from social.models import Connection, Network

# An id alone, or the link of a post, whatever follows the id.
X_STATUS = re.compile(r"(?:^(?=[0-9]+$)|/status(?:es)?/)([0-9]{1,19})(?:$|[/?#])", re.IGNORECASE)
# https://t.me/<name>/<id>, /c/<chat>/<id>, with a topic between them, or the id alone.
TELEGRAM_MESSAGE = re.compile(
    r"(?:^|/(?:c/(?P<chat>\d{1,16})|(?P<name>\w{4,64}))/(?:\d{1,19}/)?)(?P<id>\d{1,19})(?:$|[/?#])"
)


def find_post_id(connection: Connection, link: str) -> str:
    """The id of the post that the link (or id) names; empty when it names none of this account's network."""
    return FIND[connection.network](connection, link.strip())


def clean_reply_to(link: str) -> str:
    """The id of the post on X that is answered; empty for nothing. Raises ValidationError for anything else."""
    link = link.strip()
    found = X_STATUS.search(link)
    if link and not found:
        raise ValidationError({"reply_to": "Copy the link of the post from X: it ends in /status/ and a number."})
    return found[1] if found else ""


def post_url(connection: Connection, remote_id: str) -> str:
    return URLS[connection.network](connection, remote_id)


def account_url(connection: Connection) -> str:
    """Where all of its posts can be seen; empty for a private chat, which has no address."""
    if connection.network == Network.X:
        return f"{settings.X_WEB_BASE_URL}/{connection.handle}"
    if connection.kind == "private":
        return ""
    # A chat without a name is opened by its first message.
    return f"{settings.TELEGRAM_WEB_BASE_URL}/{connection.handle}" if connection.handle else post_url(connection, "1")


def x_post_url(remote_id: str) -> str:
    return f"{settings.X_WEB_BASE_URL}/i/status/{remote_id}"


def telegram_message_url(chat_id: int | str, username: str, message_id: int | str) -> str:
    return f"{settings.TELEGRAM_WEB_BASE_URL}/{username or f'c/{_short_chat(chat_id)}'}/{message_id}"


def _find_on_x(connection: Connection, link: str) -> str:
    found = X_STATUS.search(link)
    return found[1] if found else ""


def _find_on_telegram(connection: Connection, link: str) -> str:
    found = TELEGRAM_MESSAGE.search(link)
    if found is None:
        return ""
    is_other_chat = found["chat"] and int(found["chat"]) != _short_chat(_chat_id(connection))
    is_other_name = found["name"] and found["name"].lower() != connection.handle.lower()
    return "" if is_other_chat or is_other_name else found["id"]


def _telegram_url(connection: Connection, remote_id: str) -> str:
    return telegram_message_url(_chat_id(connection), connection.handle, remote_id)


def _chat_id(connection: Connection) -> str:
    """Without the topic."""
    return connection.remote_id.partition(":")[0]


def _short_chat(chat_id: int | str) -> int:
    """The ids of channels and supergroups are shown without their -100."""
    number = abs(int(chat_id))
    return number - 10**12 if number > 10**12 else number


FIND: dict[str, Callable[[Connection, str], str]] = {Network.X: _find_on_x, Network.TELEGRAM: _find_on_telegram}
URLS: dict[str, Callable[[Connection, str], str]] = {
    Network.X: lambda _connection, remote_id: x_post_url(remote_id),
    Network.TELEGRAM: _telegram_url,
}
LINK_EXAMPLES = {Network.X: "https://x.com/name/status/123", Network.TELEGRAM: "https://t.me/name/123"}
