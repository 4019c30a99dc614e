"""Media upload: initialize, append, finalize, status, one shot, alt text, subtitles."""

import hashlib
import json
import sqlite3
from typing import Any

from sandbox.ledger import Effect
from sandbox.router import Call
from sandbox.wire import Response, json_response
from sandbox.x import bodies, media_files, pricing, problems
from sandbox.x.ids import next_id
from sandbox.x.media_files import Unreadable
from sandbox.x.reading import is_id
from sandbox.x.uploads import read_one_shot, read_segment

MEGABYTE = 1024 * 1024
PENDING_UPLOAD_SECONDS = 1_296_000
READY_SECONDS = 86400
# Category -> (accepted types, largest size, prefix of the media key, seconds of processing)
CATEGORIES: dict[str, tuple[tuple[str, ...], int, str, float]] = {
    "tweet_image": (
        ("image/jpeg", "image/pjpeg", "image/png", "image/webp", "image/bmp", "image/tiff"),
        5 * MEGABYTE,
        "3",
        0.0,
    ),
    "tweet_gif": (("image/gif",), 15 * MEGABYTE, "16", 1.0),
    "tweet_video": (("video/mp4", "video/quicktime", "video/webm", "video/mp2t"), 512 * MEGABYTE, "7", 3.0),
    "amplify_video": (("video/mp4", "video/quicktime", "video/webm", "video/mp2t"), 512 * MEGABYTE, "13", 3.0),
    "subtitles": (("text/srt", "text/vtt"), MEGABYTE, "24", 0.0),
}
KINDS = {"tweet_image": "photo", "tweet_gif": "animated_gif", "tweet_video": "video", "amplify_video": "video"}
_DEFAULT_CATEGORY = {"image/gif": "tweet_gif", "text/srt": "subtitles", "text/vtt": "subtitles"}


def media_key(row: sqlite3.Row) -> str:
    return f"{CATEGORIES[row['category']][2]}_{row['id']}"


def initialize(call: Call) -> Response:
    body = call.request.json()
    bodies.check(body, bodies.INITIALIZE)
    media_id = _insert(call, body["media_type"], body.get("media_category", ""), body["total_bytes"])
    row = _owned(call, str(media_id))
    # One second has gone by when the real answer arrives.
    data = {"id": str(media_id), "media_key": media_key(row), "expires_after_secs": PENDING_UPLOAD_SECONDS - 1}
    return json_response(200, {"data": data})


def append(call: Call) -> Response:
    row = _owned(call, call.args["id"])
    index, content = read_segment(call)
    if row["state"] != "uploading":
        raise problems.invalid("id", call.args["id"], "The upload has already been finalized.")
    # A segment sent again replaces itself.
    size = row["size"] + len(content) - media_files.segment_size(call.world.media_dir, row["id"], index)
    if size > row["total_bytes"]:
        raise problems.invalid("media", f"{size} bytes", "File size exceeds the declared total_bytes.")
    media_files.write_segment(call.world.media_dir, row["id"], index, content)
    call.db.execute("UPDATE x_media SET size = ? WHERE id = ?", (size, row["id"]))
    return json_response(200, {"data": {"expires_at": int(row["expires_at"])}})


def finalize(call: Call) -> Response:
    row = _owned(call, call.args["id"])
    if row["state"] != "uploading":
        return json_response(200, {"data": _status(row, call.now)})
    try:
        content = media_files.join_segments(call.world.media_dir, row["id"])
    except Unreadable as error:
        raise problems.invalid("id", call.args["id"], str(error)) from None
    if len(content) != row["total_bytes"]:
        raise problems.invalid("id", call.args["id"], "Segments do not add up to provided total file size.")
    return _accept(call, row, content)


def upload_at_once(call: Call) -> Response:
    """POST /2/media/upload: small images in one request."""
    category, content, media_type = read_one_shot(call)
    media_id = _insert(call, media_type, category, len(content))
    return _accept(call, _owned(call, str(media_id)), content)


def get_status(call: Call) -> Response:
    query = call.request.query
    if query.get("command", "STATUS") != "STATUS":
        raise problems.invalid("command", query["command"], "command must be STATUS")
    row = _owned(call, query.get("media_id", ""))
    call.db.execute("UPDATE x_media SET polls_left = max(0, polls_left - 1) WHERE id = ?", (row["id"],))
    return json_response(200, {"data": _status(row, call.now)})


def set_metadata(call: Call) -> Response:
    body = call.request.json()
    bodies.check(body, bodies.METADATA)
    row = _owned(call, body["id"])
    pricing.charge(call, pricing.MEDIA_METADATA)
    alt_text = body.get("metadata", {}).get("alt_text", {}).get("text")
    call.db.execute("UPDATE x_media SET alt_text = coalesce(?, alt_text) WHERE id = ?", (alt_text, row["id"]))
    data = {"id": body["id"], "associated_metadata": body.get("metadata", {})}
    return json_response(200, {"data": data})


def set_subtitles(call: Call) -> Response:
    body = call.request.json()
    bodies.check(body, bodies.SUBTITLES)
    row = _owned(call, body.get("id", ""))
    if KINDS.get(row["category"]) != "video":
        raise problems.invalid("id", body.get("id", ""), "Subtitles belong to a video.")
    subtitles = body.get("subtitles", {})
    call.db.execute("UPDATE x_media SET subtitles = ? WHERE id = ?", (json.dumps(subtitles), row["id"]))
    data = {
        "id": body["id"],
        "media_category": body.get("media_category", "TweetVideo"),
        "associated_subtitles": subtitles,
    }
    return json_response(200, {"data": data})


def attachable(db: sqlite3.Connection, now: float, account: sqlite3.Row, media_ids: list[str]) -> list[sqlite3.Row]:
    """Rows in the order given; refuses what is not this account's, not ready, expired, or a wrong mix."""
    rows = []
    for media_id in media_ids:
        row = db.execute(
            "SELECT * FROM x_media WHERE id = CAST(? AS INTEGER) AND account_id = ?", (media_id, account["id"])
        ).fetchone()
        if row is None or row["expires_at"] <= now or state(row, now) != "succeeded":
            raise problems.invalid("media.media_ids", media_ids, "Your media IDs are invalid.")
        rows.append(row)
    kinds = [KINDS.get(row["category"]) for row in rows]
    is_valid_mix = len(rows) <= 1 or all(kind == "photo" for kind in kinds)
    if None in kinds or not is_valid_mix or len(set(media_ids)) < len(media_ids):
        raise problems.invalid("media.media_ids", media_ids, "Attach up to 4 photos, or 1 GIF, or 1 video.")
    return rows


def state(row: sqlite3.Row, now: float) -> str:
    """pending, in_progress, succeeded or failed, by the clock and by the polls still to be answered."""
    if row["state"] != "processing":
        return str(row["state"])
    if now < row["ready_at"] or row["polls_left"] > 0:
        is_early = now - row["started_at"] < (row["ready_at"] - row["started_at"]) / 3
        return "pending" if is_early else "in_progress"
    return "failed" if row["error"] else "succeeded"


def _insert(call: Call, media_type: str, category: str, total_bytes: int) -> int:
    category = category or _DEFAULT_CATEGORY.get(media_type, "tweet_" + media_type.partition("/")[0])
    if category not in CATEGORIES:
        raise problems.invalid("media_category", category, f"media_category must be one of {list(CATEGORIES)}")
    types, max_bytes, _, _ = CATEGORIES[category]
    if media_type not in types:
        raise problems.invalid("media_type", media_type, f"media_type of {category} must be one of {list(types)}")
    if not 0 < total_bytes <= max_bytes:
        raise problems.invalid("total_bytes", str(total_bytes), f"File size must be 1 to {max_bytes} bytes.")
    media_id = next_id(call.db, call.now)
    call.db.execute(
        "INSERT INTO x_media (id, account_id, category, media_type, total_bytes, state, expires_at)"
        " VALUES (?,?,?,?,?,'uploading',?)",
        (media_id, call.caller.user["id"], category, media_type, total_bytes, call.now + PENDING_UPLOAD_SECONDS),
    )
    return media_id


def _owned(call: Call, media_id: str) -> sqlite3.Row:
    if is_id(media_id):
        row: sqlite3.Row | None = call.db.execute(
            "SELECT * FROM x_media WHERE id = ? AND account_id = ? AND expires_at > ?",
            (int(media_id), call.caller.user["id"], call.now),
        ).fetchone()
        if row is not None:
            return row
    raise problems.invalid("id", media_id, "The media id is invalid or has expired.")


def _accept(call: Call, row: sqlite3.Row, content: bytes) -> Response:
    facts, error = media_files.Facts(), None
    try:
        facts = media_files.inspect(content, row["media_type"])
    except Unreadable as unreadable:
        error = str(unreadable)
    seconds = CATEGORIES[row["category"]][3]
    if error and not seconds:
        # What needs no processing is refused at once; videos fail while they are processed.
        raise problems.invalid("media", row["media_type"], error)
    if call.fault_is("processing_failed"):
        seconds, error = max(seconds, 1.0), "InvalidMedia"
    polls = int(call.fault.number("polls", 3)) if call.fault and call.fault_is("processing_delay") else 0
    is_processed = bool(seconds or polls)
    media_files.save(call.world.media_dir, row["id"], content)
    call.db.execute(
        "UPDATE x_media SET size = ?, state = ?, started_at = ?, ready_at = ?, polls_left = ?, expires_at = ?,"
        " sha256 = ?, width = ?, height = ?, duration_ms = ?, error = ? WHERE id = ?",
        (
            len(content),
            "processing" if is_processed else "succeeded",
            call.now,
            call.now + seconds,
            polls,
            call.now + READY_SECONDS,
            hashlib.sha256(content).hexdigest(),
            facts.width,
            facts.height,
            facts.duration_ms,
            error,
            row["id"],
        ),
    )
    call.effect = Effect("media", str(row["id"]))
    return json_response(200, {"data": _status(_owned(call, str(row["id"])), call.now)})


def _status(row: sqlite3.Row, now: float) -> dict[str, Any]:
    data: dict[str, Any] = {
        "id": str(row["id"]),
        "media_key": media_key(row),
        "size": row["size"],
        "expires_after_secs": int(row["expires_at"] - now),
    }
    kind = KINDS.get(row["category"])
    if kind == "photo" and row["width"]:
        data["image"] = {"image_type": row["media_type"], "w": row["width"], "h": row["height"]}
    elif kind == "video":
        data["video"] = {"video_type": row["media_type"]}
    if row["state"] in ("processing", "uploading"):
        data["processing_info"] = _processing_info(row, now)
    return data


def _processing_info(row: sqlite3.Row, now: float) -> dict[str, Any]:
    if row["state"] == "uploading":
        return {"state": "pending", "check_after_secs": 1}
    match state(row, now):
        case "succeeded":
            return {"state": "succeeded", "progress_percent": 100}
        case "failed":
            error = {"code": 1, "name": "InvalidMedia", "message": row["error"]}
            return {"state": "failed", "progress_percent": 100, "error": error}
        case "in_progress":
            span = max(0.001, row["ready_at"] - row["started_at"])
            percent = min(99, int((now - row["started_at"]) / span * 100))
            return {"state": "in_progress", "check_after_secs": 1, "progress_percent": percent}
    return {"state": "pending", "check_after_secs": 1}
