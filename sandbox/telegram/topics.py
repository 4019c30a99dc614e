"""Topics of forums."""

import sqlite3

from sandbox.ledger import Effect
from sandbox.router import Call
from sandbox.telegram import access, messages, parameters, problems
from sandbox.telegram.access import Place
from sandbox.telegram.messages import Draft
from sandbox.wire import Response

COLOURS = (7322096, 16766590, 13338331, 9367192, 16749490, 16478047)
MAX_NAME = 128


def find(db: sqlite3.Connection, chat_id: int, thread_id: int | None) -> sqlite3.Row | None:
    row: sqlite3.Row | None = db.execute(
        "SELECT * FROM tg_topics WHERE chat_id = ? AND thread_id = ?", (chat_id, thread_id)
    ).fetchone()
    return row


def of_chat(db: sqlite3.Connection, chat_id: int) -> list[sqlite3.Row]:
    return db.execute("SELECT * FROM tg_topics WHERE chat_id = ? ORDER BY thread_id", (chat_id,)).fetchall()


def open_thread(call: Call, place: Place, thread_id: int | None) -> int | None:
    """The topic to write to; a closed one takes messages only from those who manage topics."""
    if not thread_id:
        return None
    topic = find(call.db, place.chat_id, thread_id)
    if topic is None:
        raise problems.bad_request("message thread not found")
    if topic["is_closed"] and not access.has_right(call, place, "can_manage_topics"):
        raise problems.bad_request("TOPIC_CLOSED")
    return thread_id


def create(db: sqlite3.Connection, place: Place, sender_id: int, name: str, now: float, colour: int = 0) -> sqlite3.Row:
    """The topic's id is that of the service message that opens it."""
    created = {"name": name, "icon_color": colour or COLOURS[0]}
    draft = Draft(place.chat_id, place.owner, sender_id, service={"forum_topic_created": created})
    draft.thread_id = messages.next_id(db, place.chat_id, place.owner)
    thread_id = messages.insert(db, draft, now)["message_id"]
    db.execute(
        "INSERT INTO tg_topics (chat_id, thread_id, name, icon_color) VALUES (?,?,?,?)",
        (place.chat_id, thread_id, name, created["icon_color"]),
    )
    topic = find(db, place.chat_id, thread_id)
    assert topic is not None
    return topic


def create_topic(call: Call) -> Response:
    given = parameters.of(call)
    place = _forum(call, "create a topic")
    name, colour = given.text("name").strip(), given.number("icon_color") or 0
    if not name or len(name) > MAX_NAME:
        raise problems.bad_request("TOPIC_TITLE_EMPTY" if not name else "TOPIC_TITLE_TOO_LONG")
    if colour and colour not in COLOURS:
        raise problems.bad_request("invalid icon color specified")
    topic = create(call.db, place, call.caller.bot["id"], name, call.now, colour)
    call.effect = Effect("topic", f"{place.chat_id}:{topic['thread_id']}", name)
    shown = {"message_thread_id": topic["thread_id"], "name": name, "icon_color": topic["icon_color"]}
    return problems.success(shown)


def edit_topic(call: Call) -> Response:
    place, topic = _existing(call, "edit the topic")
    name = parameters.of(call).text("name").strip()
    if len(name) > MAX_NAME:
        raise problems.bad_request("TOPIC_TITLE_TOO_LONG")
    if not name or name == topic["name"]:
        raise problems.bad_request("TOPIC_NOT_MODIFIED")
    _set(call, topic, "name", name)
    call.effect = Effect("topic", f"{place.chat_id}:{topic['thread_id']}", name)
    return problems.success(True)


def close_topic(call: Call) -> Response:
    place, topic = _existing(call, "close or open the topic")
    if topic["is_closed"]:
        raise problems.bad_request("TOPIC_NOT_MODIFIED")
    _set(call, topic, "is_closed", True)
    call.effect = Effect("topic", f"{place.chat_id}:{topic['thread_id']}", "closed")
    return problems.success(True)


def _set(call: Call, topic: sqlite3.Row, column: str, value: object) -> None:
    query = f"UPDATE tg_topics SET {column} = ? WHERE chat_id = ? AND thread_id = ?"  # noqa: S608
    call.db.execute(query, (value, topic["chat_id"], topic["thread_id"]))


def _forum(call: Call, act: str) -> Place:
    place = access.find_place(call)
    access.require_reach(call, place)
    if place.chat is None or not place.chat["is_forum"]:
        raise problems.bad_request("the chat is not a forum")
    access.require_right(call, place, "can_manage_topics", act)
    return place


def _existing(call: Call, act: str) -> tuple[Place, sqlite3.Row]:
    place = _forum(call, act)
    topic = find(call.db, place.chat_id, parameters.of(call).number("message_thread_id"))
    if topic is None:
        raise problems.bad_request("message thread not found")
    return place, topic
