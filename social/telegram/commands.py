"""What people write to a bot: /start, /connect and /unlink."""

from collections.abc import Callable
from functools import partial
from typing import Any

import structlog
from django.db import transaction

from social.models import InboundUpdate
from social.networks.port import NetworkError
from social.networks.telegram import api, posting
from social.telegram import bots, people
from social.telegram.codes import Purpose, use_code
from social.telegram.membership import remember_chat

LINK_PREFIX = "link-"
GREETING = "This bot publishes for Rostrum. To link your Telegram account, open your profile there."
PLACED = "Thank you. Go back to Rostrum to connect this chat."
GONE = "This code is no longer valid. Get a new one on the page where you connect Telegram in Rostrum."
ADMINS_ONLY = "Only an admin of this chat can connect it."
log = structlog.get_logger(__name__)


def hear_message(update: InboundUpdate) -> None:
    """message and channel_post."""
    message = update.content
    command, argument = parse_command(message.get("text") or "")
    if not command:
        return
    answer = _in_private if message["chat"]["type"] == "private" else _in_chat
    answer(update.bot_id, message, command, argument)


def parse_command(text: str) -> tuple[str, str]:
    """`/start@some_bot rest` is ("/start", "rest"); ("", "") when it is no command."""
    if not text.startswith("/"):
        return "", ""
    word, _, rest = text.strip().partition(" ")
    return word.partition("@")[0].lower(), rest.strip()


def _in_private(bot_id: int, message: dict[str, Any], command: str, argument: str) -> None:
    sender = message["from"]
    if command == "/start" and argument.startswith(LINK_PREFIX):
        text = people.link_person(argument.removeprefix(LINK_PREFIX), sender, bot_id)
    elif command == "/unlink":
        text = people.unlink_sender(sender["id"])
    elif command in {"/start", "/help"}:
        text = GREETING
    else:
        return
    _later(say, bot_id, message["chat"]["id"], text)


def _in_chat(bot_id: int, message: dict[str, Any], command: str, argument: str) -> None:
    # "Add to group" puts the code behind /start.
    if command in {"/connect", "/start"} and argument:
        _later(place_code, bot_id, message, argument)


def _later(act: Callable[..., None], *arguments: Any) -> None:
    """Telegram is asked after the commit. If the process dies in between, the person sends it again."""
    transaction.on_commit(partial(act, *arguments), robust=True)


def place_code(bot_id: int, message: dict[str, Any], code: str) -> None:
    """A code was posted in a chat: now the person behind it may connect that chat."""
    chat = message["chat"]
    if not _is_from_admin(bot_id, message):
        say(bot_id, chat["id"], ADMINS_ONLY)
        return
    found = use_code(code, Purpose.CONNECT, bot_id, chat_id=chat["id"])
    if found:
        _look_around(bot_id, chat)
    # A channel's subscribers have no use for our answers.
    if chat["type"] != "channel":
        say(bot_id, chat["id"], PLACED if found else GONE)


def _look_around(bot_id: int, chat: dict[str, Any]) -> None:
    """The bot may have been let in before we listened: then this is the first we know of the chat."""
    try:
        member = api.get_chat_member(bots.token_for(bot_id), chat["id"], bot_id)
    except NetworkError as error:
        log.warning("own_rights_not_read", bot=bot_id, code=error.code)
        return
    remember_chat(bot_id, api.chat_from(chat), member)


def _is_from_admin(bot_id: int, message: dict[str, Any]) -> bool:
    """Channels and anonymous admins write in the chat's own name; of others Telegram is asked."""
    chat_id = message["chat"]["id"]
    if (message.get("sender_chat") or {}).get("id") == chat_id or message["chat"]["type"] == "channel":
        return True
    try:
        member = api.get_chat_member(bots.token_for(bot_id), chat_id, message["from"]["id"])
    except NetworkError as error:
        log.warning("admin_not_checked", bot=bot_id, code=error.code)
        return False
    return member["status"] in posting.ADMINS


def say(bot_id: int, chat_id: int, text: str) -> None:
    """Best effort: who does not get an answer asks again."""
    try:
        api.send_text(bots.token_for(bot_id), chat_id, text)
    except NetworkError as error:
        log.info("answer_not_sent", bot=bot_id, code=error.code)
