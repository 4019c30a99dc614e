"""Reading chats through a person's own session (MTProto): bots can neither read what they posted nor count views."""

from collections.abc import Callable, Coroutine, Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from telethon import TelegramClient, errors
from telethon.sessions import StringSession
from telethon.tl import functions, types

from lib.clock import now
from social.networks.port import Failure, NetworkError, RemotePost
from social.networks.telegram.api import message_url
from social.networks.telegram.errors import scrub
from social.networks.telegram.text import cleaned
from social.networks.telegram.wire import run

# How far back a look goes: chats, and messages of one chat.
MAX_DIALOGS = 1000
MAX_MESSAGES = 1000
MAX_IDS = 100
ENDED = "Telegram has ended this session. Make a new one and add it again."
# Wherever Telegram answers so, the session is of no use any more.
ENDED_BY = (errors.UnauthorizedError, errors.AuthKeyError)


@dataclass(frozen=True)
class Keys:
    api_id: int
    api_hash: str = field(repr=False)
    session: str = field(repr=False)


class TelegramPost(RemotePost):
    def says(self, text: str) -> bool:
        """Telegram takes some characters out of a text."""
        return super().says(cleaned(text))


class SessionReader:
    """`lease` holds the session for one call: Telegram ends one that two processes use at once."""

    def __init__(self, keys: Keys, lease: Callable[[], AbstractContextManager[None]]) -> None:
        self.keys, self.lease = keys, lease

    def find_posts(
        self, chat_id: int, since: datetime, *, topic_id: int | None = None, sender_id: int | None = None
    ) -> list[RemotePost]:
        """The chat's messages since then; in groups only those of this sender. An album is one post."""
        return self._call(lambda client: _find_posts(client, chat_id, since, topic_id, sender_id))

    def views(self, chat_id: int, message_ids: Sequence[int]) -> dict[int, int]:
        """Messages that are gone, or not counted, are left out."""
        return self._call(lambda client: _views(client, chat_id, message_ids))

    def _call(self, work: Callable[[TelegramClient], Coroutine[Any, Any, Any]]) -> Any:
        with self.lease():
            return call(self.keys, work)


def who_is(keys: Keys) -> str:
    """The name of the person whose session this is; raises NetworkError when it is no good."""
    return call(keys, _who_is)


def call(keys: Keys, work: Callable[[TelegramClient], Coroutine[Any, Any, Any]]) -> Any:
    try:
        return run(_connected(keys, work), settings.TELEGRAM_TIMEOUT_S)
    except NetworkError:
        raise
    # Telethon lets through what its parsers and sockets meet.
    except Exception as error:
        raise from_exception(error) from error


def from_exception(error: Exception) -> NetworkError:
    """Nothing here writes: whatever went wrong, nothing happened."""
    raw = scrub(f"{type(error).__name__}: {error}")
    if isinstance(error, errors.FloodError):
        wait = timedelta(seconds=max(1, getattr(error, "seconds", 60)))
        text = "Telegram asks this session to wait."
        return NetworkError(Failure.RATE_LIMIT, "flood_wait", text, raw=raw, http_status=420, retry_at=now() + wait)
    if isinstance(error, ENDED_BY):
        return NetworkError(Failure.UNAUTHORIZED, "session_ended", ENDED, raw=raw, http_status=401)
    if isinstance(error, errors.RPCError) and not isinstance(error, errors.ServerError | errors.TimedOutError):
        text = "Telegram does not let this session read the chat."
        return NetworkError(Failure.REJECTED, "cannot_read", text, raw=raw, http_status=error.code)
    return NetworkError(Failure.TEMPORARY, "unreachable", "Telegram could not be reached.", raw=raw)


async def _connected(keys: Keys, work: Callable[[TelegramClient], Coroutine[Any, Any, Any]]) -> Any:
    client = TelegramClient(
        StringSession(keys.session),
        keys.api_id,
        keys.api_hash,
        # Nothing sleeps or retries here: the engine knows when to come back.
        flood_sleep_threshold=0,
        request_retries=1,
        connection_retries=1,
        retry_delay=0,
        auto_reconnect=False,
        receive_updates=False,
        raise_last_call_error=True,
    )
    await client.connect()
    try:
        return await work(client)
    finally:
        await client.disconnect()


async def _who_is(client: TelegramClient) -> str:
    (user,) = await client(functions.users.GetUsersRequest([types.InputUserSelf()]))
    return " ".join(filter(None, [user.first_name, user.last_name])) or str(user.id)


async def _find_dialog(client: TelegramClient, chat_id: int) -> Any:
    """A session in memory knows no chats yet, and an id alone opens none."""
    async for dialog in client.iter_dialogs(limit=MAX_DIALOGS):
        if dialog.id == chat_id:
            return dialog
    raise NetworkError(Failure.REJECTED, "not_in_chat", "The person of this session is not in the chat.")


async def _find_posts(
    client: TelegramClient, chat_id: int, since: datetime, topic_id: int | None, sender_id: int | None
) -> list[RemotePost]:
    dialog = await _find_dialog(client, chat_id)
    found = []
    async for message in client.iter_messages(dialog.input_entity, limit=MAX_MESSAGES):
        if message.date < since:
            break
        if _is_sent_by(message, sender_id) and _topic_of(message) == topic_id:
            found.append(message)
    else:
        if len(found) >= MAX_MESSAGES:
            raise NetworkError(Failure.TEMPORARY, "chat_too_long", "There are too many messages to look through.")
    chat = _chat_json(dialog)
    return [_remote_post(album, chat) for album in _albums(found)]


def _chat_json(dialog: Any) -> dict[str, Any]:
    kind = "channel" if dialog.is_channel else "group"
    return {"id": dialog.id, "type": kind, "username": getattr(dialog.entity, "username", None)}


def _is_sent_by(message: Any, sender_id: int | None) -> bool:
    """What a channel says has no sender."""
    sender = message.from_id
    return sender_id is None or sender is None or getattr(sender, "user_id", None) == sender_id


def _topic_of(message: Any) -> int | None:
    header = message.reply_to
    if not getattr(header, "forum_topic", False):
        return None
    return header.reply_to_top_id or header.reply_to_msg_id


def _answered(message: Any) -> str | None:
    """In a topic, what answers nothing still names the message that opened the topic."""
    header = message.reply_to
    answered = getattr(header, "reply_to_msg_id", None)
    if answered is None or (header.forum_topic and header.reply_to_top_id is None):
        return None
    return str(answered)


def _albums(messages: Sequence[Any]) -> Iterator[list[Any]]:
    """Each post as its messages, oldest first."""
    groups: dict[tuple[str, int], list[Any]] = {}
    for message in sorted(messages, key=lambda one: one.id):
        key = ("album", message.grouped_id) if message.grouped_id else ("message", message.id)
        groups.setdefault(key, []).append(message)
    yield from groups.values()


def _remote_post(album: Sequence[Any], chat: dict[str, Any]) -> RemotePost:
    first = album[0]
    return TelegramPost(
        remote_id=str(first.id),
        text=next((message.message for message in album if message.message), ""),
        created_at=first.date,
        media_count=sum(map(_has_media, album)),
        reply_to=_answered(first),
        url=message_url(chat, first.id),
    )


def _has_media(message: Any) -> bool:
    """Previews of links are media to MTProto, but nobody attached them."""
    return isinstance(message.media, types.MessageMediaPhoto | types.MessageMediaDocument)


async def _views(client: TelegramClient, chat_id: int, message_ids: Sequence[int]) -> dict[int, int]:
    peer = (await _find_dialog(client, chat_id)).input_entity
    counted: dict[int, int] = {}
    for start in range(0, len(message_ids), MAX_IDS):
        ids = list(message_ids[start : start + MAX_IDS])
        answer = await client(functions.messages.GetMessagesViewsRequest(peer, ids, increment=False))
        for message_id, found in zip(ids, answer.views, strict=True):
            if found.views is not None:
                counted[message_id] = found.views
    return counted
