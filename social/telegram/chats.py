"""Chats that a workspace may connect, and connecting one."""

import re
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db.models import Q, QuerySet

from accounts import audit
from accounts.access import Actor, Perm
from accounts.scope import workspace_scope
from accounts.services import emit
from lib.clock import now
from social.models import BotChat, Connection, Credential, Network, TelegramLink
from social.networks.port import Failure, NetworkError
from social.networks.telegram import api, posting
from social.places import require_place
from social.telegram import codes, rights
from social.telegram.bots import KnownBot
from social.telegram.membership import remember_chat

NAME = re.compile(r"@?([A-Za-z][A-Za-z0-9_]{3,31})")
NUMBER = re.compile(r"-?[0-9]{1,19}")
UNREADABLE = "Enter @name, the address of a public channel, or the chat's number."
NOT_FOUND = "The bot cannot see such a chat. Check the name; to a private channel or group, add the bot first."
NOT_YOURS = (
    "Nothing shows that this chat is yours. Post the code in it, or link your Telegram account and add the bot again."
)
ADMINS_ONLY = "Your linked Telegram account is not an admin of this chat. Ask an admin to post the code in it."
TAKEN = "This chat is connected in another workspace. Disconnect it there first, or use a bot of your own."


@dataclass(frozen=True)
class FoundChat:
    """A chat as Telegram describes it now, in which the bot may post."""

    chat: api.Chat
    members: int


# --- which chats --------------------------------------------------------------------------------------------


def connectable_chats(bot: KnownBot, *, by: Actor) -> QuerySet[BotChat]:
    """Chats that the bot is in. Of the instance's bot only those that this person has shown to be theirs."""
    by.require(Perm.CONNECTIONS)
    chats = BotChat.objects.filter(bot_id=bot.bot_id, status__in=posting.IN_CHAT).exclude(kind="private")
    return chats.filter(_is_proven(bot, by)) if bot.is_instance else chats


def _is_proven(bot: KnownBot, by: Actor) -> Q:
    proven = Q(chat_id__in=[*codes.proven_chats(bot.bot_id, by=by), *_connected_chats(bot, by)])
    telegram_user_id = _telegram_user_id(by)
    return proven | Q(changed_by=telegram_user_id) if telegram_user_id else proven


def _connected_chats(bot: KnownBot, by: Actor) -> list[int]:
    shown = Connection.objects.shown().filter(workspace=by.workspace, app_key=bot.app_key)
    return [chat_id_of(remote_id) for remote_id in shown.values_list("remote_id", flat=True)]


def _telegram_user_id(by: Actor) -> int | None:
    return TelegramLink.objects.filter(user=by.user).values_list("telegram_user_id", flat=True).first()


def chat_id_of(remote_id: str) -> int:
    return int(remote_id.partition(":")[0])


# --- connecting ---------------------------------------------------------------------------------------------


def connect_chat(bot: KnownBot, chat: str, *, by: Actor, topic: int | None = None) -> Connection:
    """Connect a chat (or a topic of a forum). The same again finds the old row, so that history stays.

    Call it outside a transaction: it asks Telegram what the bot may do there. Refusals are about `chat` or `topic`.
    """
    by.require(Perm.CONNECTIONS)
    found = find_chat(bot, chat, by=by)
    if topic and not found.chat.is_forum:
        raise ValidationError({"topic": "This group has no topics."})
    with workspace_scope(by.workspace.pk):
        # The lock: of two workspaces that connect the same chat at once, one comes second.
        known = BotChat.objects.select_for_update(no_key=True).get(bot_id=bot.bot_id, chat_id=found.chat.id)
        _refuse_taken(bot, found.chat.id, by)
        connection = _store_connection(bot, found, known, topic, by)
        _store_credential(connection, bot)
        emit(by.workspace, "connection.connected", connection=str(connection.pk), handle=connection.handle)
        audit.record("connection.connect", connection, by=by, handle=str(connection), bot=str(bot))
    return connection


def find_chat(bot: KnownBot, text: str, *, by: Actor) -> FoundChat:
    """The chat that `text` names, after checking who asks and what the bot may do in it."""
    reference = parse_reference(text)
    chat, member = _ask(bot, reference)
    if bot.is_instance:
        _require_proof(bot, chat.id, by)
    remember_chat(bot.bot_id, chat, member)
    if problem := posting.what_to_do(chat.kind, member):
        raise ValidationError({"chat": problem})
    return FoundChat(chat, _count_members(bot, chat.id))


def parse_reference(text: str) -> int | str:
    """A number, or "@name", from what people copy: a name, a number, or the address of a public chat."""
    text = text.strip()
    if "/" in text:
        text = urlsplit(text if "//" in text else f"//{text}").path.strip("/").removeprefix("s/").partition("/")[0]
    if NUMBER.fullmatch(text):
        return int(text)
    found = NAME.fullmatch(text)
    if not found:
        raise ValidationError({"chat": UNREADABLE})
    return f"@{found[1]}"


def _ask(bot: KnownBot, reference: int | str) -> tuple[api.Chat, dict[str, Any]]:
    try:
        chat = api.get_chat(bot.token, reference)
        return chat, api.get_chat_member(bot.token, chat.id, bot.bot_id)
    except NetworkError as error:
        is_hidden = error.failure is Failure.REJECTED
        raise ValidationError({"chat": NOT_FOUND if is_hidden else error.message}) from error


def _count_members(bot: KnownBot, chat_id: int) -> int:
    try:
        return api.get_chat_member_count(bot.token, chat_id)
    except NetworkError:
        # Nice to know, no reason to refuse.
        return 0


def _require_proof(bot: KnownBot, chat_id: int, by: Actor) -> None:
    with workspace_scope(by.workspace.pk):
        known = connectable_chats(bot, by=by).filter(chat_id=chat_id).first()
        if known is None:
            raise ValidationError({"chat": NOT_YOURS})
        shown_otherwise = chat_id in [*codes.proven_chats(bot.bot_id, by=by), *_connected_chats(bot, by)]
    # Members who are no admins may add a bot to some groups: that does not make the group theirs.
    if not shown_otherwise and not _is_admin(bot, chat_id, _telegram_user_id(by)):
        raise ValidationError({"chat": ADMINS_ONLY})


def _is_admin(bot: KnownBot, chat_id: int, telegram_user_id: int | None) -> bool:
    if telegram_user_id is None:
        return False
    try:
        return api.get_chat_member(bot.token, chat_id, telegram_user_id)["status"] in posting.ADMINS
    except NetworkError as error:
        raise ValidationError({"chat": error.message}) from error


def _refuse_taken(bot: KnownBot, chat_id: int, by: Actor) -> None:
    others = [row for row in rights.find_connections(bot.app_key, chat_id) if row.workspace_id != by.workspace.pk]
    if others:
        raise ValidationError({"chat": TAKEN})


def _store_connection(bot: KnownBot, found: FoundChat, known: BotChat, topic: int | None, by: Actor) -> Connection:
    title = found.chat.title or "Chat"
    topic_name = known.topics.get(str(topic), f"Topic {topic}") if topic else ""
    remote_id = f"{found.chat.id}:{topic}" if topic else str(found.chat.id)
    require_place(by.workspace, network=Network.TELEGRAM, remote_id=remote_id)
    connection, _ = Connection.objects.update_or_create(
        workspace=by.workspace,
        network=Network.TELEGRAM,
        remote_id=remote_id,
        defaults={
            "kind": found.chat.kind,
            "handle": found.chat.username,
            "name": f"{title} · {topic_name}"[:120] if topic else title[:120],
            "followers": found.members,
            "app_key": bot.app_key,
            "api_host": urlsplit(settings.TELEGRAM_API_BASE_URL).netloc,
            "connected_by": by.user,
            "connected_at": now(),
            "checked_at": now(),
            "limited_until": None,
        },
    )
    # Staff's decision outlives a new connecting.
    alive = Connection.objects.filter(pk=connection.pk).exclude(status=Connection.Status.SUSPENDED)
    alive.update(status=Connection.Status.ACTIVE, status_text="")
    connection.refresh_from_db()
    return connection


def _store_credential(connection: Connection, bot: KnownBot) -> None:
    """The token stays with the bot: here stands only which bot it is."""
    Credential.objects.update_or_create(
        workspace=connection.workspace,
        connection=connection,
        defaults={"kind": Credential.Kind.BOT, "bot": bot.own, "app": None, "updated_at": now()},
    )
