"""What updates say about a bot's chats: its rights there, their topics and names, who joined by which link."""

from typing import Any

from django.db.models import F

from accounts.scope import all_workspaces_scope, workspace_scope
from lib.clock import now
from social import services
from social.models import BotChat, InboundUpdate, InviteLink
from social.networks.telegram import api, posting
from social.telegram import rights
from social.telegram.bots import app_key


def hear_own_membership(update: InboundUpdate) -> None:
    """my_chat_member: somebody has put the bot into a chat, out of it, or changed its rights."""
    change = update.content
    chat, member = api.chat_from(change["chat"]), change["new_chat_member"]
    remember_chat(update.bot_id, chat, member, changed_by=change["from"]["id"])
    rights.follow_rights(app_key(update.bot_id), chat.id, posting.what_to_do(chat.kind, member))


def remember_chat(bot_id: int, chat: api.Chat, member: dict[str, Any], *, changed_by: int | None = None) -> None:
    """Keep what is known of a chat. Without `changed_by` nobody changed it: we looked."""
    known = {
        "kind": chat.kind,
        "title": chat.title[:255] or "Chat",
        "username": chat.username,
        "is_forum": chat.is_forum,
        "status": member["status"],
        "can_post": posting.may_post(chat.kind, member),
    }
    who = {"changed_by": changed_by, "changed_at": now()} if changed_by else {}
    BotChat.objects.update_or_create(bot_id=bot_id, chat_id=chat.id, defaults=known | who)


def hear_joins(update: InboundUpdate) -> None:
    """chat_member: a person came by one of our links. Runs once per update, so each counts once."""
    change = update.content
    url = (change.get("invite_link") or {}).get("invite_link")
    came = not _is_in(change["old_chat_member"]) and _is_in(change["new_chat_member"])
    if not (url and came):
        return
    with all_workspaces_scope("a link may be of any workspace"):
        links = InviteLink.objects.filter(url=url, connection__app_key=app_key(update.bot_id))
        links.update(joins=F("joins") + 1)


def _is_in(member: dict[str, Any]) -> bool:
    status = member.get("status")
    return bool(member.get("is_member")) if status == "restricted" else status in posting.IN_CHAT


def hear_changes(update: InboundUpdate) -> None:
    """message: what Telegram itself says in a group about its id, its title and its topics."""
    message = update.content
    chat_id = message["chat"]["id"]
    if new_id := message.get("migrate_to_chat_id"):
        move_chat(update.bot_id, chat_id, new_id)
    if title := message.get("new_chat_title"):
        BotChat.objects.filter(bot_id=update.bot_id, chat_id=chat_id).update(title=title[:255])
    _hear_topic(update.bot_id, message)


def _hear_topic(bot_id: int, message: dict[str, Any]) -> None:
    # Every message in a topic answers to the one that made it.
    first = message.get("reply_to_message") or {}
    made = message.get("forum_topic_created") or message.get("forum_topic_edited") or first.get("forum_topic_created")
    if made and made.get("name") and message.get("message_thread_id"):
        remember_topic(bot_id, message["chat"]["id"], message["message_thread_id"], made["name"])


def remember_topic(bot_id: int, chat_id: int, topic_id: int, name: str) -> None:
    chat = BotChat.objects.select_for_update(no_key=True).filter(bot_id=bot_id, chat_id=chat_id).first()
    if chat and chat.topics.get(str(topic_id)) != name:
        chat.topics[str(topic_id)] = name
        chat.is_forum = True
        chat.save(update_fields=["topics", "is_forum"])


def move_chat(bot_id: int, old_id: int, new_id: int) -> None:
    """A group has become a supergroup: the same chat under another id. Telegram says so twice, in no fixed order."""
    new = BotChat.objects.filter(bot_id=bot_id, chat_id=new_id)
    old = BotChat.objects.filter(bot_id=bot_id, chat_id=old_id)
    if new.exists():
        old.delete()
    old.update(chat_id=new_id, kind="supergroup")
    for connection in rights.find_connections(app_key(bot_id), old_id):
        with workspace_scope(connection.workspace_id):
            services.follow_move(connection, str(new_id))
