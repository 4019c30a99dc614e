"""sendMessage and its kin: every rule first, then the pace, then the message."""

import json
from collections.abc import Callable
from typing import Any

from sandbox.ledger import Effect
from sandbox.router import Call
from sandbox.telegram import access, contents, files, keyboards, messages, parameters, problems, topics, urls, windows
from sandbox.telegram.access import Place
from sandbox.telegram.messages import Draft
from sandbox.telegram.parameters import field
from sandbox.telegram.render import message_json
from sandbox.telegram.texts import FormattedText
from sandbox.wire import Response

_ACTIONS = (
    "typing",
    "upload_photo",
    "record_video",
    "upload_video",
    "record_voice",
    "upload_voice",
    "upload_document",
    "choose_sticker",
    "find_location",
    "record_video_note",
    "upload_video_note",
)
_PREVIEW_FLAGS = ("is_disabled", "prefer_small_media", "prefer_large_media", "show_above_text")


def send_message(call: Call) -> Response:
    content, keyboard = contents.read_text(call), keyboards.read(call)
    place, draft = start(call)
    fill(draft, content)
    draft.keyboard = keyboard
    preview = read_preview(call)
    if preview:
        draft.options["link_preview_options"] = preview
    return deliver(call, place, [draft])


def send_media(kind: str) -> Callable[[Call], Response]:
    """The method that sends one photo, video, animation or document."""

    def send(call: Call) -> Response:
        content, keyboard = contents.read_caption(call), keyboards.read(call)
        place, draft = start(call)
        given = parameters.of(call)
        hints = {name: given.number(name) or 0 for name in ("width", "height", "duration")}
        draft.file_id = files.take(call, given.file(kind), kind, hints)["id"]
        draft.media_kind, draft.keyboard = kind, keyboard
        fill(draft, content)
        draft.options |= media_options(given.values, given.flag)
        return deliver(call, place, [draft])

    return send


def start(call: Call) -> tuple[Place, Draft]:
    """What every message has: a place the bot may write to, perhaps a topic and an answered message."""
    given = parameters.of(call)
    place = access.find_place(call)
    access.require_posting(call, place)
    draft = Draft(place.chat_id, place.owner, call.caller.bot["id"])
    draft.thread_id = topics.open_thread(call, place, given.number("message_thread_id"))
    draft.reply_to = _answered(call, place)
    draft.is_silent = given.flag("disable_notification")
    if given.flag("protect_content"):
        draft.options["has_protected_content"] = True
    if given.text("message_effect_id") and not place.is_private:
        raise problems.bad_request("EFFECT_ID_INVALID")
    if given.flag("allow_paid_broadcast"):
        raise problems.bad_request("FLOODSKIP_NOT_ALLOWED")
    if given.text("business_connection_id"):
        raise problems.bad_request("business connection not found")
    return place, draft


def fill(draft: Draft, content: FormattedText) -> None:
    draft.text, draft.entities = content.text, [entity.as_json() for entity in content.entities]


def media_options(source: dict[str, Any], is_set: Callable[[str], bool]) -> dict[str, bool]:
    names = {"show_caption_above_media": "show_caption_above_media", "has_spoiler": "has_media_spoiler"}
    return {shown: True for name, shown in names.items() if name in source and is_set(name)}


def read_preview(call: Call) -> dict[str, Any] | None:
    options = parameters.of(call).object("link_preview_options")
    if options is None:
        return None
    if not isinstance(options, dict):
        raise problems.bad_request("can't parse link preview options JSON object")
    kept = {name: True for name in _PREVIEW_FLAGS if field(options, name, bool)}
    if not field(options, "url", str):
        return kept
    try:
        return {**kept, "url": urls.checked(options["url"])}
    except urls.BadUrl:
        raise problems.bad_request("WEBPAGE_URL_INVALID") from None


def _answered(call: Call, place: Place) -> int | None:
    reply = parameters.of(call).object("reply_parameters")
    if reply is None:
        return None
    if not isinstance(reply, dict):
        raise problems.bad_request("can't parse reply parameters JSON object")
    message_id = field(reply, "message_id", int)
    if message_id is None:
        raise problems.bad_request('can\'t find field "message_id"')
    if str(reply.get("chat_id", place.chat_id)) == str(place.chat_id):
        found = messages.find_in(call.db, place, message_id)
        if found is not None:
            return int(found["message_id"])
    if field(reply, "allow_sending_without_reply", bool):
        return None
    raise problems.bad_request("message to be replied not found")


def deliver(call: Call, place: Place, drafts: list[Draft]) -> Response:
    windows.consume(call, place, len(drafts))
    if call.fault_is("late_accept"):
        _postpone(call, drafts)
        return Response(503)
    rows = [messages.insert(call.db, draft, call.now) for draft in drafts]
    call.effect = effect_of([(row["chat_id"], row["message_id"], row["text"]) for row in rows])
    shown = [message_json(call.db, row) for row in rows]
    return problems.success(shown if drafts[0].album else shown[0])


def effect_of(sent: list[tuple[int, int, str]]) -> Effect:
    """One effect for an album too: `<chat>:<first>,<second>`."""
    ids = ",".join(str(message_id) for _, message_id, _ in sent)
    text = next((text for _, _, text in sent if text), "")
    return Effect("message", f"{sent[0][0]}:{ids}", text)


def _postpone(call: Call, drafts: list[Draft]) -> None:
    """The connection dies now; the messages are there when their time has come."""
    assert call.fault is not None
    call.db.execute(
        "INSERT INTO tg_late (due_at, bot_id, drafts, method, path) VALUES (?,?,?,?,?)",
        (
            call.now + call.fault.number("seconds", 5),
            call.caller.bot["id"],
            json.dumps([draft.as_json() for draft in drafts]),
            call.request.method,
            call.request.path,
        ),
    )


def send_chat_action(call: Call) -> Response:
    if parameters.of(call).text("action") not in _ACTIONS:
        raise problems.bad_request("wrong parameter action in request")
    access.require_posting(call, access.find_place(call))
    return problems.success(True)
