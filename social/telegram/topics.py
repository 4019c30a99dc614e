"""Topics of a forum: which are known, and making one."""

import re

from django.core.exceptions import ValidationError

from accounts import audit
from accounts.access import Actor, Perm
from accounts.scope import workspace_scope
from social.models import BotChat, Connection
from social.networks.port import NetworkError
from social.networks.telegram import api
from social.telegram.bots import KnownBot
from social.telegram.chats import connect_chat, find_chat
from social.telegram.membership import remember_topic

# t.me/<chat>/<topic>, with or without a message behind it.
TOPIC_LINK = re.compile(r"/(?:c/)?[A-Za-z0-9_]+/([0-9]+)(?:/[0-9]+)?/?$")
MAX_NAME = 128


def known_topics(chat: BotChat) -> list[tuple[int, str]]:
    """As far as the bot heard of them, by name."""
    return sorted(((int(topic), name) for topic, name in chat.topics.items()), key=lambda pair: pair[1].casefold())


def parse_topic(text: str) -> int | None:
    """From a topic's number or a link to it. Empty and 1 (General) mean the chat itself."""
    text = text.strip()
    found = TOPIC_LINK.search(text)
    number = found[1] if found else text
    if number and not (number.isascii() and number.isdigit() and len(number) <= 10):
        raise ValidationError({"topic": "Choose a topic, or paste the link to one (in its menu: “Copy link”)."})
    return int(number) if number not in {"", "0", "1"} else None


def create_topic(bot: KnownBot, chat: str, name: str, *, by: Actor) -> Connection:
    """Make a topic in a forum and connect it. Call it outside a transaction."""
    by.require(Perm.CONNECTIONS)
    name = name.strip()
    if not 1 <= len(name) <= MAX_NAME:
        raise ValidationError({"name": f"A topic's name has 1 to {MAX_NAME} characters."})
    found = find_chat(bot, chat, by=by)
    if not found.chat.is_forum:
        raise ValidationError({"chat": "This group has no topics. Switch them on in the group's settings."})
    try:
        topic_id = api.create_topic(bot.token, found.chat.id, name)
    except NetworkError as error:
        raise ValidationError({"name": error.message}) from error
    with workspace_scope(by.workspace.pk):
        remember_topic(bot.bot_id, found.chat.id, topic_id, name)
    connection = connect_chat(bot, str(found.chat.id), by=by, topic=topic_id)
    with workspace_scope(by.workspace.pk):
        audit.record("topic.create", connection, by=by, name=name)
    return connection
