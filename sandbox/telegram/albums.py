"""sendMediaGroup: several messages that arrive together or not at all."""

import secrets
from functools import partial
from typing import Any

from sandbox.router import Call
from sandbox.telegram import contents, files, parameters, problems, sending
from sandbox.telegram.messages import Draft
from sandbox.telegram.parameters import field
from sandbox.wire import Response

MIN_ITEMS = 2
MAX_ITEMS = 10
_ALONE = {"document": "document", "audio": "audio"}


def send_media_group(call: Call) -> Response:
    items = _read_items(call)
    captions = [contents.read_caption(call, item) for item in items]
    place, first = sending.start(call)
    album = str(13_000_000_000_000_000 + secrets.randbelow(10**15))
    drafts = []
    for item, caption in zip(items, captions, strict=True):
        draft = Draft(**{**first.as_json(), "album": album, "media_kind": item["type"]})
        draft.file_id = _file(call, item)
        draft.options |= sending.media_options(item, partial(_is_set, item))
        sending.fill(draft, caption)
        drafts.append(draft)
    return sending.deliver(call, place, drafts)


def _read_items(call: Call) -> list[dict[str, Any]]:
    items = parameters.of(call).object("media")
    if items is None:
        raise problems.bad_request("there are no messages to send")
    if not isinstance(items, list) or not all(isinstance(item, dict) for item in items):
        raise problems.bad_request("can't parse media JSON object")
    if len(items) < MIN_ITEMS:
        raise problems.bad_request("too few messages to send as an album")
    if len(items) > MAX_ITEMS:
        raise problems.bad_request("too many messages to send as an album")
    kinds = {item.get("type") for item in items}
    for kind in kinds:
        if kind not in ("photo", "video", *_ALONE):
            raise problems.bad_request("can't parse InputMedia: type must be one of photo, video, document or audio")
    for kind, words in _ALONE.items():
        if kind in kinds and len(kinds) > 1:
            raise problems.bad_request(f"{words} can't be mixed with other media types")
    return items


def _is_set(item: dict[str, Any], name: str) -> bool:
    return bool(field(item, name, bool))


def _file(call: Call, item: dict[str, Any]) -> int:
    given = parameters.of(call).attached(field(item, "media", str, ""))
    hints = {name: field(item, name, int, 0) for name in ("width", "height", "duration")}
    return int(files.take(call, given, item["type"], hints)["id"])
