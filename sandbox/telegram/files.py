"""Files: what was uploaded, looked at and kept, and the JSON that shows it."""

import hashlib
import io
import mimetypes
import secrets
import sqlite3
import struct
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from PIL import Image

from sandbox.router import Call
from sandbox.telegram import problems
from sandbox.wire import Part, Response

MAX_UPLOAD = 50 * 1024 * 1024
MAX_PHOTO = 10 * 1024 * 1024
MAX_SIDES = 10_000
MAX_RATIO = 20
MAX_DOWNLOAD = 20 * 1024 * 1024
# Sizes in which a photo is offered, by their letters at Telegram.
_SIZES = (("s", 90), ("m", 320), ("x", 800))
_PREFIXES = {"photo": "AgAC", "video": "BAAC", "animation": "CgAC", "document": "BQAC", "audio": "CQAC"}
_FOLDERS = {
    "photo": "photos",
    "video": "videos",
    "animation": "animations",
    "document": "documents",
    "audio": "music",
}
# The smaller sizes of a photo, whose ids are one letter longer, are the same bytes here.
_BY_FILE_ID = "SELECT * FROM tg_files WHERE file_id IN (?, ?)"


@dataclass(frozen=True)
class _Facts:
    mime_type: str
    width: int = 0
    height: int = 0
    duration: int = 0


def take(call: Call, given: Part | str | None, kind: str, hints: dict[str, int] | None = None) -> sqlite3.Row:
    """The file for a message: a new upload, or one known by its id."""
    if given is None or given == "":
        raise problems.bad_request(f"there is no {kind} in the request")
    if isinstance(given, str):
        return _known(call.db, given, kind)
    if len(given.content) > MAX_UPLOAD:
        raise problems.too_large()
    if not given.content:
        raise problems.bad_request("file must be non-empty")
    facts = _inspect(given, kind)
    return _save(call, given, kind, facts, hints or {})


def _known(db: sqlite3.Connection, given: str, kind: str) -> sqlite3.Row:
    if "://" in given:
        # Nothing is fetched from outside: a page that cannot be reached has the same answer.
        raise problems.bad_request("failed to get HTTP URL content")
    row: sqlite3.Row | None = db.execute(_BY_FILE_ID, (given, given[:-1])).fetchone()
    if row is None:
        raise problems.bad_request("wrong remote file identifier specified: Wrong string length")
    if row["kind"] != kind:
        raise problems.bad_request(f"can't use file of type {row['kind'].capitalize()} as {kind.capitalize()}")
    return row


def _inspect(part: Part, kind: str) -> _Facts:
    if kind == "photo":
        return _inspect_photo(part.content)
    is_mp4 = part.content[4:8] == b"ftyp"
    if kind == "animation" and part.content.startswith(b"GIF8"):
        return _Facts("image/gif", *_image_size(part.content))
    if kind in ("video", "animation"):
        if not is_mp4:
            raise problems.bad_request("VIDEO_CONTENT_TYPE_INVALID")
        return _Facts("video/mp4", *_frame_size(part.content), _seconds(part.content))
    guessed = mimetypes.guess_type(part.filename)[0]
    return _Facts(guessed or part.content_type or "application/octet-stream")


def _inspect_photo(content: bytes) -> _Facts:
    if len(content) > MAX_PHOTO:
        raise problems.bad_request(
            f"file of size {len(content)} bytes is too big for a photo; the maximum size is {MAX_PHOTO} bytes"
        )
    width, height = _image_size(content)
    if width + height > MAX_SIDES or max(width, height) > MAX_RATIO * min(width, height):
        raise problems.bad_request("PHOTO_INVALID_DIMENSIONS")
    return _Facts("image/jpeg", width, height)


def _image_size(content: bytes) -> tuple[int, int]:
    try:
        with Image.open(io.BytesIO(content)) as image:
            return image.size
    # Decoders meet broken bytes with whatever their parser ran into.
    except Exception:
        raise problems.bad_request("IMAGE_PROCESS_FAILED") from None


def _seconds(content: bytes) -> int:
    at = content.find(b"mvhd")
    try:
        layout, offset = (">IQ", 24) if content[at + 4] == 1 else (">II", 16)
        timescale, duration = struct.unpack_from(layout, content, at + offset)
    except (struct.error, IndexError):
        return 0
    return int(duration // timescale) if at >= 0 and timescale else 0


def _frame_size(content: bytes) -> tuple[int, int]:
    """Of the first track that has one; sound tracks say 0 x 0."""
    at = content.find(b"tkhd")
    while at >= 4:
        end = at - 4 + int.from_bytes(content[at - 4 : at], "big")
        try:
            width, height = struct.unpack_from(">II", content, end - 8)
        except struct.error:
            break
        if width and height:
            return width >> 16, height >> 16
        at = content.find(b"tkhd", at + 4)
    return 0, 0


def _save(call: Call, part: Part, kind: str, facts: _Facts, hints: dict[str, int]) -> sqlite3.Row:
    digest = hashlib.sha256(part.content).hexdigest()
    cursor = call.db.execute(
        "INSERT INTO tg_files (file_id, unique_id, kind, name, mime_type, size, sha256, width, height, duration)"
        " VALUES (?,?,?,?,?,?,?,?,?,?)",
        (
            _PREFIXES[kind] + secrets.token_urlsafe(40),
            f"AQAD{digest[:12]}",
            kind,
            part.filename,
            facts.mime_type,
            len(part.content),
            digest,
            hints.get("width") or facts.width,
            hints.get("height") or facts.height,
            hints.get("duration") or facts.duration,
        ),
    )
    path = stored_path(call, int(cursor.lastrowid or 0))
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(part.content)
    row = by_id(call.db, int(cursor.lastrowid or 0))
    assert row is not None
    return row


def by_id(db: sqlite3.Connection, row_id: int) -> sqlite3.Row | None:
    row: sqlite3.Row | None = db.execute("SELECT * FROM tg_files WHERE id = ?", (row_id,)).fetchone()
    return row


def stored_path(call: Call, row_id: int) -> Path:
    return call.world.media_dir / "telegram" / f"{row_id}.bin"


def public_path(row: sqlite3.Row) -> str:
    suffix = mimetypes.guess_extension(row["mime_type"]) or ".bin"
    return f"{_FOLDERS[row['kind']]}/file_{row['id']}{suffix}"


def media_json(db: sqlite3.Connection, row_id: int, kind: str) -> dict[str, Any]:
    row = by_id(db, row_id)
    assert row is not None
    if kind == "photo":
        return {"photo": _photo_sizes(row)}
    shown = {
        "file_id": row["file_id"],
        "file_unique_id": row["unique_id"],
        "file_size": row["size"],
        "mime_type": row["mime_type"],
    }
    if row["name"]:
        shown["file_name"] = row["name"]
    if kind == "document":
        return {"document": shown}
    timed = {**shown, "duration": row["duration"]}
    if kind == "audio":
        return {"audio": timed}
    sized = {**timed, "width": row["width"], "height": row["height"]}
    # Telegram shows an animation as a document too, for clients that know no animations.
    return {"video": sized} if kind == "video" else {"animation": sized, "document": shown}


def _photo_sizes(row: sqlite3.Row) -> list[dict[str, Any]]:
    longest = max(row["width"], row["height"])
    sizes = []
    for letter, side in _SIZES:
        if side < longest:
            width, height = (max(1, row[name] * side // longest) for name in ("width", "height"))
            sizes.append((f"{row['file_id']}{letter}", width, height, width * height // 8 + 600))
    sizes.append((row["file_id"], row["width"], row["height"], row["size"]))
    return [
        {"file_id": file_id, "file_unique_id": f"{row['unique_id']}{width}", "width": width, "height": height}
        | {"file_size": size}
        for file_id, width, height, size in sizes
    ]


def get_file(call: Call) -> Response:
    file_id = call.caller.parameters.text("file_id")
    row = call.db.execute(_BY_FILE_ID, (file_id, file_id[:-1])).fetchone()
    if row is None:
        raise problems.bad_request("invalid file_id")
    if row["size"] > MAX_DOWNLOAD:
        raise problems.bad_request("file is too big")
    shown = {"file_id": file_id, "file_unique_id": row["unique_id"], "file_size": row["size"]}
    return problems.success({**shown, "file_path": public_path(row)})


def download(call: Call) -> Response:
    number = call.args["name"].removeprefix("file_").partition(".")[0]
    row = by_id(call.db, int(number)) if number.isdigit() and len(number) < 16 else None
    if row is None or public_path(row) != f"{call.args['folder']}/{call.args['name']}":
        return problems.not_found(404)
    return Response(200, stored_path(call, row["id"]).read_bytes(), {"content-type": "application/octet-stream"})
