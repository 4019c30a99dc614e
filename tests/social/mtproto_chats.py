"""Telethon without a network: its own client and objects, answered from a list of messages."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

from telethon import TelegramClient
from telethon.crypto import AuthKey
from telethon.sessions import StringSession
from telethon.tl import functions, types

CHANNEL_ID, GROUP_ID, BOT_ID = 1001, 2002, 123456
START = datetime(2026, 11, 20, 9, tzinfo=UTC)
PHOTO = types.MessageMediaPhoto()
FILE = types.MessageMediaDocument()


def chat_id(number: int) -> int:
    """As bots spell it."""
    return -(10**12) - number


def new_session() -> str:
    session = StringSession()
    session.set_dc(2, "149.154.167.51", 443)
    session.auth_key = AuthKey(bytes(range(256)))
    return session.save()


def channel(number: int = CHANNEL_ID, **facts: Any) -> types.Channel:
    shown = {"title": "Cafe", "username": "cafe", "broadcast": True, "access_hash": 99, **facts}
    return types.Channel(id=number, photo=types.ChatPhotoEmpty(), date=START, **shown)


def message(number: int, text: str = "", *, minute: int = 0, **facts: Any) -> types.Message:
    peer = types.PeerChannel(CHANNEL_ID)
    return types.Message(
        id=number, peer_id=peer, date=START + timedelta(minutes=minute or number), message=text, **facts
    )


def topic(number: int, *, answers: int | None = None) -> types.MessageReplyHeader:
    """What stands above a message in a topic, which may answer another one there."""
    if answers is None:
        return types.MessageReplyHeader(forum_topic=True, reply_to_msg_id=number)
    return types.MessageReplyHeader(forum_topic=True, reply_to_msg_id=answers, reply_to_top_id=number)


class Chats:
    """What the person of the session sees, and how often they looked."""

    def __init__(self) -> None:
        self.chats: list[Any] = [channel()]
        self.messages: list[types.Message] = []
        self.views: dict[int, int | None] = {}
        self.fault: Exception | None = None
        self.asked: list[str] = []
        self.open_clients = 0
        self.inside: Callable[[], None] = lambda: None

    def answer(self, request: Any) -> Any:
        self.asked.append(type(request).__name__)
        self.inside()
        if self.fault:
            raise self.fault
        return ANSWERS[type(request)](self, request)


def _dialogs(chats: Chats, _request: Any) -> Any:
    peers = [types.PeerChannel(chat.id) for chat in chats.chats]
    settings = types.PeerNotifySettings()
    dialogs = [types.Dialog(peer, 1, 0, 0, 0, 0, 0, 0, settings) for peer in peers]
    tops = [types.Message(id=1, peer_id=peer, date=START, message="") for peer in peers]
    return types.messages.Dialogs(dialogs, tops, chats.chats, [])


def _history(chats: Chats, request: functions.messages.GetHistoryRequest) -> Any:
    newest_first = sorted(chats.messages, key=lambda one: -one.id)
    older = [one for one in newest_first if not request.offset_id or one.id < request.offset_id]
    page = older[: request.limit]
    return types.messages.ChannelMessages(1, len(chats.messages), page, [], chats.chats, [])


def _views(chats: Chats, request: functions.messages.GetMessagesViewsRequest) -> Any:
    found = [types.MessageViews(views=chats.views.get(number)) for number in request.id]
    return types.messages.MessageViews(found, [], [])


def _self(_chats: Chats, _request: Any) -> list[Any]:
    return [types.User(id=77, is_self=True, first_name="Dana", last_name="Demo")]


ANSWERS: dict[type, Callable[[Chats, Any], Any]] = {
    functions.messages.GetDialogsRequest: _dialogs,
    functions.messages.GetHistoryRequest: _history,
    functions.messages.GetMessagesViewsRequest: _views,
    functions.users.GetUsersRequest: _self,
}


def client_for(chats: Chats) -> type[TelegramClient]:
    class OfflineClient(TelegramClient):
        async def connect(self) -> None:
            chats.open_clients += 1

        async def disconnect(self) -> None:
            chats.open_clients -= 1

        async def _call(self, sender: Any, request: Any, *_args: Any, **_options: Any) -> Any:
            return chats.answer(request)

    return OfflineClient
