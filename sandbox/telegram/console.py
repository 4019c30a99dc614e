"""What the admin door does to Telegram. People and chats are named by username or by id."""

import json
import re
import sqlite3
from typing import Any

from sandbox.clock import iso
from sandbox.router import Call
from sandbox.telegram import acts, callbacks, earnings, files, invites, messages, people, topics
from sandbox.telegram.access import Place
from sandbox.telegram.parameters import is_number
from sandbox.wire import Response, json_response

_USERNAME = re.compile(r"[A-Za-z][A-Za-z0-9_]{2,31}")
_TOKEN = re.compile(r"\d{1,15}:[A-Za-z0-9_-]+")
_CHAT_KINDS = ("channel", "group", "supergroup", "forum", "private")
_STATUSES = ("creator", "administrator", "member", "restricted", "left", "kicked")


class BadOrder(ValueError):
    """What was asked makes no sense; the text says why."""


def create_bot(call: Call, body: dict[str, Any]) -> Response:
    username, token = _username(call, body, is_required=True), body.get("token")
    if not username.lower().endswith("bot"):
        raise BadOrder("the username of a bot ends in bot")
    if token is not None and not _TOKEN.fullmatch(str(token)):
        raise BadOrder("a token is <id>:<letters>")
    if token is not None and people.user(call.db, int(token.partition(":")[0])):
        raise BadOrder("a bot with the id of this token is there already")
    people.create_bot(call.db, username, str(body.get("name") or username), token)
    found = next(row for row in people.bots(call.db) if row["username"] == username)
    return json_response(201, bot_json(found))


def list_bots(call: Call) -> Response:
    return json_response(200, {"bots": [bot_json(row) for row in people.bots(call.db)]})


def bot_json(bot: sqlite3.Row) -> dict[str, Any]:
    return {
        "id": bot["id"],
        "username": bot["username"],
        "name": bot["name"],
        "token": bot["token"],
        "webhook_url": bot["webhook_url"],
        "allowed_updates": json.loads(bot["allowed_updates"]),
        "last_error": bot["last_error"],
    }


def create_user(call: Call, body: dict[str, Any]) -> Response:
    username, user_id = _username(call, body), body.get("id")
    if user_id is not None and (type(user_id) is not int or user_id <= 0 or people.user(call.db, user_id)):
        raise BadOrder("id is a positive number that nobody has")
    if not body.get("name") and not username:
        raise BadOrder("name is required")
    found = people.user(call.db, people.create_user(call.db, body.get("name") or username, username or None, user_id))
    assert found is not None
    return json_response(201, user_json(found))


def list_users(call: Call) -> Response:
    return json_response(200, {"users": [user_json(row) for row in people.users(call.db, is_bot=False)]})


def user_json(user: sqlite3.Row) -> dict[str, Any]:
    return {"id": user["id"], "name": user["name"], "username": user["username"]}


def create_chat(call: Call, body: dict[str, Any]) -> Response:
    """With `bots` and `members`: a list of names, or an object from name to status or {status, rights}."""
    kind = body.get("type")
    if kind not in _CHAT_KINDS:
        raise BadOrder(f"type is one of {', '.join(_CHAT_KINDS)}")
    if kind == "private":
        return _open_dialog(call, body)
    username = _username(call, body) or None
    if kind == "group" and username:
        raise BadOrder("a group has no username")
    title, audience = str(body.get("title") or username or kind), body.get("audience", 0)
    if type(audience) is not int or audience < 0:
        raise BadOrder("audience is a whole number")
    chat_id = people.create_chat(
        call.db, kind, title, invites.new_link(call.request.host), username, audience, call.now
    )
    for group, default in (("members", "member"), ("bots", "administrator")):
        for name, status, rights in _entries(body.get(group), default):
            acts.set_status(call.world, chat_id, _person(call, name)["id"], status, rights)
    place = acts.place_for(call.db, chat_id)
    for name in body.get("topics", []):
        topics.create(call.db, place, 0, str(name), call.now)
    return json_response(201, chat_json(call, people.chat(call.db, chat_id)))


def _open_dialog(call: Call, body: dict[str, Any]) -> Response:
    """{type: private, user, bot}: as if the user had started the bot, without the message that says so."""
    user, bot = _person(call, body.get("user")), _person(call, body.get("bot"))
    if user["is_bot"] or not bot["is_bot"]:
        raise BadOrder("a private chat is between a user and a bot")
    people.open_dialog(call.db, bot["id"], user["id"])
    return json_response(201, {"id": user["id"], "type": "private", "title": user["name"], "bot": bot["id"]})


def _entries(given: Any, default: str) -> list[tuple[str, str, dict[str, Any] | None]]:
    named: dict[str, Any] = given if isinstance(given, dict) else dict.fromkeys(given or [], default)
    entries = []
    for name, value in named.items():
        order = value if isinstance(value, dict) else {"status": value}
        entries.append((str(name), _status(order.get("status", default)), order.get("rights")))
    return entries


def _status(status: Any) -> str:
    if status not in _STATUSES:
        raise BadOrder(f"status is one of {', '.join(_STATUSES)}")
    return str(status)


def list_chats(call: Call) -> Response:
    return json_response(200, {"chats": [chat_json(call, row) for row in people.chats(call.db)]})


def chat_json(call: Call, chat: sqlite3.Row | None) -> dict[str, Any]:
    assert chat is not None
    members = [
        {"id": row["user_id"], "username": row["username"], "status": row["status"], "rights": people.rights(row)}
        for row in people.members(call.db, chat["id"])
    ]
    return {
        "id": chat["id"],
        "type": chat["type"],
        "title": chat["title"],
        "username": chat["username"],
        "is_forum": bool(chat["is_forum"]),
        "migrated_to": chat["migrated_to"],
        "member_count": earnings.member_count(call.world, chat, call.now),
        "members": members,
        "pinned": json.loads(chat["pinned"]),
        "topics": [
            {"id": row["thread_id"], "name": row["name"], "closed": bool(row["is_closed"])}
            for row in topics.of_chat(call.db, chat["id"])
        ],
    }


def set_member(call: Call, body: dict[str, Any]) -> Response:
    chat, person = _chat(call, body), _person(call, body.get("user"))
    by = _person(call, body["by"])["id"] if "by" in body else None
    acts.set_status(call.world, chat["id"], person["id"], _status(body.get("status")), body.get("rights"), by)
    return json_response(200, chat_json(call, chat))


def migrate_chat(call: Call, body: dict[str, Any]) -> Response:
    old = _chat(call, body)["id"]
    return json_response(200, {"old": old, "new": acts.migrate(call.world, old)})


def write(call: Call, body: dict[str, Any]) -> Response:
    """{from, bot | chat, text, reply_to?, thread_id?}"""
    person = _person(call, body.get("from"))
    text, reply_to, thread_id = body.get("text"), body.get("reply_to"), body.get("thread_id")
    if not isinstance(text, str):
        raise BadOrder("text is required")
    place = _place(call, body, person["id"])
    message = acts.write(call.world, person["id"], place, text, reply_to, thread_id)
    return json_response(201, message_json(call, message))


def press(call: Call, body: dict[str, Any]) -> Response:
    """{from, bot | chat, message_id, data}"""
    person = _person(call, body.get("from"))
    place = _place(call, body, person["id"])
    press_id = acts.press(call.world, person["id"], place, _number(body, "message_id"), str(body.get("data")))
    return json_response(201, {"id": press_id})


def list_presses(call: Call) -> Response:
    shown = [
        {
            "id": row["id"],
            "user": row["user_id"],
            "chat": row["chat_id"],
            "message_id": row["message_id"],
            "data": row["data"],
            "is_answered": row["answered_at"] is not None,
            "answer": row["answer"],
            "is_alert": bool(row["is_alert"]),
        }
        for row in callbacks.recent(call.db)
    ]
    return json_response(200, {"presses": shown})


def join(call: Call, body: dict[str, Any]) -> Response:
    """{user, link}"""
    chat_id = acts.join(call.world, _person(call, body.get("user"))["id"], str(body.get("link")))
    return json_response(200, {"chat": chat_id})


def block(call: Call, body: dict[str, Any]) -> Response:
    """{user, bot, blocked?}"""
    person, bot = _person(call, body.get("user")), _person(call, body.get("bot"))
    acts.block(call.world, person["id"], bot["id"], is_blocked=bool(body.get("blocked", True)))
    return json_response(200, {"blocked": bool(body.get("blocked", True))})


def react(call: Call, body: dict[str, Any]) -> Response:
    """{chat, message_id, reactions: {emoji: count}}"""
    chat, reactions = _chat(call, body), body.get("reactions")
    if not isinstance(reactions, dict) or not all(type(count) is int for count in reactions.values()):
        raise BadOrder("reactions is an object from emoji to count")
    acts.react(call.world, acts.place_for(call.db, chat["id"]), _number(body, "message_id"), reactions)
    return json_response(200, {"reactions": reactions})


def list_messages(call: Call) -> Response:
    """All, or those of `chat` (a chat, or a user for private ones) and `bot`."""
    query = call.request.query
    chat_id = _any_id(call, query["chat"]) if query.get("chat") else None
    owner = _any_id(call, query["bot"]) if query.get("bot") else None
    rows = messages.of_chat(call.db, chat_id, owner)
    return json_response(200, {"messages": [message_json(call, row) for row in rows]})


def message_json(call: Call, message: sqlite3.Row) -> dict[str, Any]:
    """The message as the sandbox keeps it, with everything the API does not show."""
    sender = people.user(call.db, message["sender_id"]) if message["sender_id"] else None
    return {
        "chat": message["chat_id"],
        "bot": message["owner"] or None,
        "message_id": message["message_id"],
        "from": sender and (sender["username"] or sender["name"]),
        "sent_at": iso(message["sent_at"]),
        "text": message["text"],
        "entities": json.loads(message["entities"]),
        "media": _media(call, message),
        "album": message["album"],
        "thread_id": message["thread_id"],
        "reply_to": message["reply_to"],
        "keyboard": json.loads(message["keyboard"]) if message["keyboard"] else None,
        "options": json.loads(message["options"]),
        "silent": bool(message["is_silent"]),
        "service": json.loads(message["service"]) if message["service"] else None,
        "edits": json.loads(message["history"]),
        "reactions": json.loads(message["reactions"]),
        "deleted": message["deleted_at"] is not None,
    }


def count_views(call: Call) -> Response:
    """?chat=&ids=1,2: what MTProto counts and the Bot API never tells."""
    chat = people.named_chat(call.db, call.request.query.get("chat", ""))
    if chat is None:
        raise BadOrder("chat is a name or an id")
    ids = [int(number) for number in call.request.query.get("ids", "").split(",") if number]
    found = {number: messages.find(call.db, chat["id"], 0, number) for number in ids}
    shown = []
    for number, message in found.items():
        if message is None or message["service"]:
            shown.append({"id": number, "views": None, "forwards": None})
            continue
        forwards = earnings.counts_of(call.world, message, chat, call.now).reposts
        shown.append(
            {"id": number, "views": earnings.views_of(call.world, message, chat, call.now), "forwards": forwards}
        )
    return json_response(200, {"views": shown})


def _media(call: Call, message: sqlite3.Row) -> dict[str, Any] | None:
    row = files.by_id(call.db, message["media"]) if message["media_kind"] else None
    if row is None:
        return None
    size = {"width": row["width"], "height": row["height"], "duration": row["duration"]}
    return {"kind": message["media_kind"], "name": row["name"], "size": row["size"], "sha256": row["sha256"], **size}


def _username(call: Call, body: dict[str, Any], *, is_required: bool = False) -> str:
    username = str(body.get("username") or "").removeprefix("@")
    if not username and not is_required:
        return ""
    if not _USERNAME.fullmatch(username):
        raise BadOrder("a username has 3 to 32 letters, digits or underscores and starts with a letter")
    if people.named_user(call.db, username) or people.named_chat(call.db, username):
        raise BadOrder(f"the username {username} is taken")
    return username


def _person(call: Call, name: Any) -> sqlite3.Row:
    found = people.named_user(call.db, name) if isinstance(name, str | int) else None
    if found is None:
        raise BadOrder(f"no user or bot {name}")
    return found


def _chat(call: Call, body: dict[str, Any]) -> sqlite3.Row:
    name = body.get("chat")
    found = people.named_chat(call.db, name) if isinstance(name, str | int) else None
    if found is None:
        raise BadOrder(f"no chat {name}")
    return found


def _place(call: Call, body: dict[str, Any], user_id: int) -> Place:
    if "bot" in body:
        return Place(user_id, _person(call, body["bot"])["id"], "private")
    return acts.place_for(call.db, _chat(call, body)["id"])


def _any_id(call: Call, name: str) -> int:
    found = people.named_chat(call.db, name) or people.named_user(call.db, name)
    if found is None:
        raise BadOrder(f"no chat or user {name}")
    return int(found["id"])


def _number(body: dict[str, Any], name: str) -> int:
    value = body.get(name)
    if not is_number(value):
        raise BadOrder(f"{name} is a whole number")
    return value
