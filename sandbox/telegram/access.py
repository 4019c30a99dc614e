"""Which bot is calling, and what it may do where."""

import re
import sqlite3
from dataclasses import dataclass, replace
from urllib.parse import unquote

from sandbox.router import Call
from sandbox.telegram import parameters, people, problems
from sandbox.telegram.parameters import Parameters

_TOKEN = re.compile(r"\d{1,15}:[A-Za-z0-9_-]+")
_CHAT_ID = re.compile(r"-?\d{1,15}")


@dataclass(frozen=True)
class Caller:
    bot: sqlite3.Row
    parameters: Parameters


@dataclass(frozen=True)
class Place:
    """Where messages are: a chat, or one bot's conversation with one user."""

    chat_id: int
    # The bot of a private conversation, 0 in chats that several share.
    owner: int
    type: str
    chat: sqlite3.Row | None = None

    @property
    def is_private(self) -> bool:
        return self.type == "private"


def admit(call: Call) -> None:
    if "token" not in call.args:
        return
    # Clients quote the colon in the addresses of files.
    token = unquote(call.args["token"])
    if not _TOKEN.fullmatch(token):
        raise problems.bad_token()
    bot = people.bot_by_token(call.db, token)
    if bot is None:
        raise problems.unauthorized()
    call.account, call.account_id = bot["username"], str(bot["id"])
    # The ledger and its page keep no tokens.
    call.request = replace(call.request, path=call.request.path.replace(call.args["token"], call.account_id))
    call.caller = Caller(bot, parameters.read(call.request))


def find_place(call: Call, name: str = "chat_id") -> Place:
    """The chat as far as the bot knows of it."""
    text = parameters.of(call).text(name).strip()
    if not text:
        raise problems.bad_request(f"{name} is empty")
    return place_of(call.db, call.caller.bot["id"], text)


def place_of(db: sqlite3.Connection, bot_id: int, text: str) -> Place:
    if text.startswith("@"):
        chat = people.named_chat(db, text)
        if chat is None or text[1:].isdigit():
            raise problems.chat_not_found()
        return Place(chat["id"], 0, chat["type"], chat)
    if not _CHAT_ID.fullmatch(text):
        raise problems.chat_not_found()
    if int(text) > 0:
        return _private(db, bot_id, int(text))
    chat = people.chat(db, int(text))
    # A chat without a name is known only to those who were in it.
    if chat is None or (chat["username"] is None and people.member(db, chat["id"], bot_id) is None):
        raise problems.chat_not_found()
    return Place(chat["id"], 0, chat["type"], chat)


def _private(db: sqlite3.Connection, bot_id: int, user_id: int) -> Place:
    if people.user(db, user_id) is None:
        raise problems.chat_not_found()
    return Place(user_id, bot_id, "private")


def require_reach(call: Call, place: Place) -> None:
    """What any method needs: the bot is in the chat, or talks with the user."""
    bot_id = call.caller.bot["id"]
    if place.is_private:
        return _require_dialog(call, place, bot_id)
    assert place.chat is not None
    if place.chat["migrated_to"]:
        raise problems.migrated(place.chat["migrated_to"])
    status = people.status(call.db, place.chat_id, bot_id)
    if status == "kicked":
        raise problems.kicked(place.type)
    if status == "left":
        raise problems.not_a_member(place.type)
    return None


def _require_dialog(call: Call, place: Place, bot_id: int) -> None:
    person = people.user(call.db, place.chat_id)
    assert person is not None
    if person["is_bot"]:
        raise problems.forbidden("bot can't send messages to bots")
    dialog = people.has_dialog(call.db, bot_id, place.chat_id)
    if dialog is None:
        raise problems.forbidden("bot can't initiate conversation with a user")
    if dialog["is_blocked"]:
        raise problems.forbidden("bot was blocked by the user")


def require_posting(call: Call, place: Place) -> None:
    require_reach(call, place)
    if place.type == "channel" and not has_right(call, place, "can_post_messages"):
        raise problems.not_admin()
    if not place.is_private and people.status(call.db, place.chat_id, call.caller.bot["id"]) == "restricted":
        raise problems.bad_request("not enough rights to send text messages to the chat")


def require_right(call: Call, place: Place, right: str, text: str) -> None:
    require_reach(call, place)
    if not has_right(call, place, right):
        raise problems.bad_request(f"not enough rights to {text}")


def has_right(call: Call, place: Place, right: str) -> bool:
    return people.has_right(call.db, place.chat_id, call.caller.bot["id"], right)
