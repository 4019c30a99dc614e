"""What people do in the app: write, press, join, react, let bots in. Doors and pages both call these."""

import json
import secrets
import sqlite3
from typing import Any

from sandbox.telegram import invites, messages, people, texts, updates
from sandbox.telegram.access import Place
from sandbox.telegram.messages import Draft
from sandbox.telegram.render import chat_of, member_json, message_json, user_of
from sandbox.world import World


class Impossible(ValueError):
    """Nobody can do that in the app; the text says why."""


def place_for(db: sqlite3.Connection, chat_id: int, bot_id: int = 0) -> Place:
    chat = people.chat(db, chat_id)
    return Place(chat_id, bot_id, "private") if chat is None else Place(chat_id, 0, chat["type"], chat)


def write(
    world: World, user_id: int, place: Place, text: str, reply_to: int | None = None, thread_id: int | None = None
) -> sqlite3.Row:
    db, now = world.store.db, world.clock.now()
    _require_voice(db, user_id, place)
    content = texts.settle(text, [])
    if not content.text:
        raise Impossible("a message needs words")
    if reply_to is not None and messages.find_in(db, place, reply_to) is None:
        raise Impossible(f"no message {reply_to}")
    entities = [entity.as_json() for entity in content.entities]
    draft = Draft(place.chat_id, place.owner, user_id, content.text, entities, reply_to=reply_to, thread_id=thread_id)
    if place.is_private:
        people.open_dialog(db, place.owner, user_id)
    message = messages.insert(db, draft, now)
    kind = "channel_post" if place.type == "channel" else "message"
    for bot_id in _readers(db, place, message):
        updates.push(world, bot_id, kind, message_json(db, message))
    return message


def _require_voice(db: sqlite3.Connection, user_id: int, place: Place) -> None:
    if place.is_private:
        return
    status = people.status(db, place.chat_id, user_id)
    if status not in voices(place):
        raise Impossible(f"a person with status {status} does not write in a {place.type}")


def voices(place: Place) -> tuple[str, ...]:
    """In a channel, only those who run it write."""
    return ("creator", "administrator") if place.type == "channel" else ("creator", "administrator", "member")


def _readers(db: sqlite3.Connection, place: Place, message: sqlite3.Row) -> list[int]:
    """Bots in privacy mode see commands, answers to themselves and their name; administrators see all."""
    if place.is_private:
        return [place.owner]
    readers = []
    for row in people.members(db, place.chat_id):
        is_admin = row["status"] in ("administrator", "creator")
        if row["is_bot"] and row["status"] in people.INSIDE and (is_admin or _is_for(db, row, place, message)):
            readers.append(row["user_id"])
    return readers


def _is_for(db: sqlite3.Connection, bot: sqlite3.Row, place: Place, message: sqlite3.Row) -> bool:
    answered = messages.find_in(db, place, message["reply_to"])
    is_answer = answered is not None and answered["sender_id"] == bot["user_id"]
    is_named = f"@{bot['username']}".lower() in message["text"].lower()
    return is_answer or is_named or message["text"].startswith("/")


def press(world: World, user_id: int, place: Place, message_id: int, data: str) -> str:
    """The id of the press; the bot's answer is noted beside it later."""
    db = world.store.db
    message = messages.find_in(db, place, message_id)
    if message is None:
        raise Impossible(f"no message {message_id}")
    buttons = [button for row in json.loads(message["keyboard"] or "{}").get("inline_keyboard", []) for button in row]
    if data not in [button.get("callback_data") for button in buttons]:
        raise Impossible(f"message {message_id} has no button {data}")
    press_id = str(10**17 + secrets.randbelow(9 * 10**17))
    db.execute(
        "INSERT INTO tg_presses (id, bot_id, user_id, chat_id, message_id, data, pressed_at) VALUES (?,?,?,?,?,?,?)",
        (press_id, message["sender_id"], user_id, place.chat_id, message_id, data, world.clock.now()),
    )
    query = {
        "id": press_id,
        "from": user_of(db, user_id),
        "message": message_json(db, message),
        "chat_instance": str(abs(place.chat_id) * 7919),
        "data": data,
    }
    updates.push(world, message["sender_id"], "callback_query", query)
    return press_id


def set_status(
    world: World,
    chat_id: int,
    user_id: int,
    status: str,
    rights: dict[str, Any] | None = None,
    by: int | None = None,
    invite: sqlite3.Row | None = None,
) -> None:
    """Membership changes; the bots concerned hear of it."""
    db = world.store.db
    chat = people.chat(db, chat_id)
    if chat is None:
        raise Impossible(f"no chat {chat_id}")
    old = member_json(db, chat_id, user_id)
    granted = people.full_rights(chat["type"], rights) if status == "administrator" else {}
    people.set_member(db, chat_id, user_id, status, granted)
    new = member_json(db, chat_id, user_id)
    if old == new:
        return
    change = {
        "chat": chat_of(db, chat_id),
        "from": user_of(db, by or user_id),
        "date": int(world.clock.now()),
        "old_chat_member": old,
        "new_chat_member": new,
    }
    if invite is not None:
        change["invite_link"] = invites.as_json(db, invite)
    person = people.user(db, user_id)
    if person is not None and person["is_bot"]:
        updates.push(world, user_id, "my_chat_member", change)
    for bot_id in _admins(db, chat_id):
        if bot_id != user_id:
            updates.push(world, bot_id, "chat_member", change)


def _admins(db: sqlite3.Connection, chat_id: int) -> list[int]:
    rows = people.members(db, chat_id)
    return [row["user_id"] for row in rows if row["is_bot"] and row["status"] == "administrator"]


def join(world: World, user_id: int, link: str) -> int:
    """The chat that the link leads to."""
    db = world.store.db
    invite = invites.find(db, link)
    if invite is None or not invites.is_open(invite, world.clock.now()):
        raise Impossible("this invite link has expired")
    if people.status(db, invite["chat_id"], user_id) in people.INSIDE:
        raise Impossible("already a member")
    db.execute("UPDATE tg_invites SET joined = joined + 1 WHERE link = ?", (link,))
    set_status(world, invite["chat_id"], user_id, "member", invite=invite)
    return int(invite["chat_id"])


def block(world: World, user_id: int, bot_id: int, *, is_blocked: bool) -> None:
    db = world.store.db
    if people.has_dialog(db, bot_id, user_id) is None:
        raise Impossible("they have never talked")
    people.open_dialog(db, bot_id, user_id, is_blocked=is_blocked)
    member: dict[str, Any] = {"user": user_of(db, bot_id), "status": "member"}
    kicked = {**member, "status": "kicked", "until_date": 0}
    old, new = (member, kicked) if is_blocked else (kicked, member)
    change = {"chat": chat_of(db, user_id), "from": user_of(db, user_id), "date": int(world.clock.now())}
    updates.push(world, bot_id, "my_chat_member", {**change, "old_chat_member": old, "new_chat_member": new})


def react(world: World, place: Place, message_id: int, reactions: dict[str, int]) -> None:
    """Sets the totals; the bots that administer the chat and asked for it hear of them."""
    db = world.store.db
    message = messages.find_in(db, place, message_id)
    if message is None:
        raise Impossible(f"no message {message_id}")
    reactions = {emoji: count for emoji, count in reactions.items() if count > 0}
    messages.set_reactions(db, message, reactions)
    change = {
        "chat": chat_of(db, place.chat_id),
        "message_id": message_id,
        "date": int(world.clock.now()),
        "reactions": [
            {"type": {"type": "emoji", "emoji": emoji}, "total_count": count} for emoji, count in reactions.items()
        ],
    }
    for bot_id in _admins(db, place.chat_id):
        updates.push(world, bot_id, "message_reaction_count", change)


def migrate(world: World, chat_id: int) -> int:
    """A group becomes a supergroup: a new id, the same people; the old id only points there."""
    # What is earned is told through acts, which makes the two know each other.
    from sandbox.telegram import earnings

    db = world.store.db
    chat = people.chat(db, chat_id)
    if chat is None or chat["type"] != "group" or chat["migrated_to"]:
        raise Impossible("only a group that has not moved can become a supergroup")
    now = world.clock.now()
    audience = chat["audience"] + earnings.newcomers(world, chat, now)
    new_id = people.create_chat(db, "supergroup", chat["title"], chat["primary_link"], None, audience, now)
    for row in people.members(db, chat_id):
        rights = people.full_rights("supergroup", people.rights(row))
        people.set_member(db, new_id, row["user_id"], row["status"], rights)
    db.execute("UPDATE tg_chats SET migrated_to = ? WHERE id = ?", (new_id, chat_id))
    draft = Draft(chat_id, 0, None, service={"migrate_to_chat_id": new_id})
    message = messages.insert(db, draft, now)
    for row in people.members(db, chat_id):
        if row["is_bot"] and row["status"] in people.INSIDE:
            updates.push(world, row["user_id"], "message", message_json(db, message))
    return new_id
