"""Changing, deleting and pinning what was sent."""

import json
import sqlite3
from typing import Any

from sandbox.ledger import Effect
from sandbox.router import Call
from sandbox.telegram import access, contents, keyboards, messages, parameters, problems, sending
from sandbox.telegram.access import Place
from sandbox.telegram.render import message_json
from sandbox.telegram.texts import FormattedText
from sandbox.wire import Response

MAX_DELETED = 100
DELETE_SECONDS = 48 * 3600
_SAME = (
    "message is not modified: specified new message content and reply markup are exactly the same as a current "
    "content and reply markup of the message"
)


def edit_text(call: Call) -> Response:
    content, keyboard = contents.read_text(call), keyboards.read(call)
    message = _editable(call)
    if message["media_kind"] or message["service"]:
        raise problems.bad_request("there is no text in the message to edit")
    preview = sending.read_preview(call)
    options = {name: value for name, value in json.loads(message["options"]).items() if name != "link_preview_options"}
    return _save(call, message, content, keyboard, {**options, "link_preview_options": preview} if preview else options)


def edit_caption(call: Call) -> Response:
    content, keyboard = contents.read_caption(call), keyboards.read(call)
    message = _editable(call)
    if not message["media_kind"]:
        raise problems.bad_request("there is no caption in the message to edit")
    options = json.loads(message["options"])
    if "show_caption_above_media" in parameters.of(call).values:
        options["show_caption_above_media"] = parameters.of(call).flag("show_caption_above_media")
    return _save(call, message, content, keyboard, options)


def edit_keyboard(call: Call) -> Response:
    keyboard = keyboards.read(call)
    message = _editable(call)
    same = FormattedText(message["text"])
    return _save(call, message, same, keyboard, json.loads(message["options"]), keeps_text=True)


def _save(
    call: Call,
    message: sqlite3.Row,
    content: FormattedText,
    keyboard: dict[str, Any] | None,
    options: dict[str, Any],
    *,
    keeps_text: bool = False,
) -> Response:
    entities = message["entities"] if keeps_text else json.dumps([entity.as_json() for entity in content.entities])
    columns = {
        "text": content.text,
        "entities": entities,
        "keyboard": json.dumps(keyboard) if keyboard else None,
        "options": json.dumps(options),
    }
    if all(message[name] == value for name, value in columns.items()):
        raise problems.bad_request(_SAME)
    edited = messages.change(call.db, message, call.now, **columns)
    call.effect = Effect("edit", _name(edited), edited["text"])
    return problems.success(message_json(call.db, edited))


def _name(message: sqlite3.Row) -> str:
    return f"{message['chat_id']}:{message['message_id']}"


def _editable(call: Call) -> sqlite3.Row:
    given = parameters.of(call)
    if given.text("inline_message_id"):
        raise problems.bad_request("MESSAGE_ID_INVALID")
    place = access.find_place(call)
    access.require_reach(call, place)
    if given.number("message_id") is None:
        raise problems.bad_request("message identifier is not specified")
    message = messages.find_in(call.db, place, given.number("message_id"))
    if message is None:
        raise problems.bad_request("message to edit not found")
    is_own = message["sender_id"] == call.caller.bot["id"]
    if place.type == "channel":
        may_edit = access.has_right(call, place, "can_post_messages" if is_own else "can_edit_messages")
        if not may_edit:
            raise problems.not_admin() if is_own else problems.bad_request("message can't be edited")
    elif not is_own:
        raise problems.bad_request("message can't be edited")
    return message


def delete_message(call: Call) -> Response:
    place = access.find_place(call)
    access.require_reach(call, place)
    message = messages.find_in(call.db, place, parameters.of(call).number("message_id"))
    if message is None:
        raise problems.bad_request("message to delete not found")
    if not _may_delete(call, place, message):
        raise problems.bad_request("message can't be deleted")
    messages.delete(call.db, message, call.now)
    call.effect = Effect("delete", _name(message), message["text"])
    return problems.success(True)


def delete_messages(call: Call) -> Response:
    """Those that exist and may go; the others are passed over in silence."""
    place = access.find_place(call)
    access.require_reach(call, place)
    ids = parameters.of(call).object("message_ids")
    if not isinstance(ids, list) or not all(map(parameters.is_number, ids)):
        raise problems.bad_request("can't parse message identifiers JSON object")
    if not ids:
        raise problems.bad_request("message identifiers are not specified")
    if len(ids) > MAX_DELETED:
        raise problems.bad_request("too many message identifiers specified")
    found = [message for one in ids if (message := messages.find_in(call.db, place, one))]
    gone = [message for message in found if _may_delete(call, place, message)]
    for message in gone:
        messages.delete(call.db, message, call.now)
    if gone:
        names = ",".join(str(message["message_id"]) for message in gone)
        call.effect = Effect("delete", f"{place.chat_id}:{names}")
    return problems.success(True)


def _may_delete(call: Call, place: Place, message: sqlite3.Row) -> bool:
    if access.has_right(call, place, "can_delete_messages"):
        return True
    is_own = message["sender_id"] == call.caller.bot["id"]
    if place.type == "channel":
        return is_own and access.has_right(call, place, "can_post_messages")
    is_recent = call.now - message["sent_at"] < DELETE_SECONDS
    return is_recent and (is_own or place.is_private)


def pin_message(call: Call) -> Response:
    place = _pinnable(call)
    message = messages.find_in(call.db, place, parameters.of(call).number("message_id"))
    if message is None:
        raise problems.bad_request("message to pin not found")
    if place.chat is not None:
        pinned = [one for one in json.loads(place.chat["pinned"]) if one != message["message_id"]]
        _set_pinned(call, place, [*pinned, message["message_id"]])
    call.effect = Effect("pin", _name(message), message["text"])
    return problems.success(True)


def unpin_message(call: Call) -> Response:
    """Without an id: the message pinned last."""
    place = _pinnable(call)
    pinned = json.loads(place.chat["pinned"]) if place.chat is not None else []
    message_id = parameters.of(call).number("message_id") or (pinned[-1] if pinned else None)
    if message_id not in pinned:
        raise problems.bad_request("message to unpin not found")
    _set_pinned(call, place, [one for one in pinned if one != message_id])
    call.effect = Effect("unpin", f"{place.chat_id}:{message_id}")
    return problems.success(True)


def _pinnable(call: Call) -> Place:
    place = access.find_place(call)
    access.require_reach(call, place)
    right = "can_edit_messages" if place.type == "channel" else "can_pin_messages"
    if not place.is_private:
        access.require_right(call, place, right, "manage pinned messages in the chat")
    return place


def _set_pinned(call: Call, place: Place, pinned: list[int]) -> None:
    call.db.execute("UPDATE tg_chats SET pinned = ? WHERE id = ?", (json.dumps(pinned), place.chat_id))
