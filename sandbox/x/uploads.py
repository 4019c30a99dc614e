"""Media bytes out of requests: multipart parts or base64 in JSON."""

import base64

from sandbox.router import Call
from sandbox.wire import MalformedBody, multipart_parts
from sandbox.x import bodies, problems
from sandbox.x.reading import is_id


def read_segment(call: Call) -> tuple[int, bytes]:
    if call.request.content_type == "application/json":
        body = call.request.json()
        bodies.check(body, bodies.APPEND)
        return body["segment_index"], _decode(body["media"])
    parts = multipart_parts(call.request)
    index = parts["segment_index"].content.decode("utf-8", "replace") if "segment_index" in parts else ""
    if not is_id(index) or int(index) > 999:
        raise problems.invalid("segment_index", index, "segment_index must be 0 to 999.")
    if "media" not in parts:
        raise problems.invalid("media", "", "media is missing but it is required")
    return int(index), parts["media"].content


def read_one_shot(call: Call) -> tuple[str, bytes, str]:
    if call.request.content_type == "application/json":
        body = call.request.json()
        if not isinstance(body, dict) or not isinstance(body.get("media"), str):
            raise problems.invalid("media", "", "media is missing but it is required")
        category, content = str(body.get("media_category", "")), _decode(body["media"])
    else:
        parts = multipart_parts(call.request)
        if "media" not in parts:
            raise problems.invalid("media", "", "media is missing but it is required")
        content = parts["media"].content
        category = parts["media_category"].content.decode("utf-8", "replace") if "media_category" in parts else ""
    if category not in ("tweet_image", "tweet_gif", "tweet_video", "subtitles"):
        raise problems.invalid("media_category", category, "media_category is missing or not known.")
    return category, content, _guess_type(content)


def _guess_type(content: bytes) -> str:
    signatures = {
        b"\xff\xd8\xff": "image/jpeg",
        b"\x89PNG": "image/png",
        b"GIF8": "image/gif",
        b"BM": "image/bmp",
        b"II*\0": "image/tiff",
        b"MM\0*": "image/tiff",
        b"\x1a\x45\xdf\xa3": "video/webm",
        b"WEBVTT": "text/vtt",
    }
    for start, media_type in signatures.items():
        if content.startswith(start):
            return media_type
    if content[8:12] == b"WEBP":
        return "image/webp"
    return "video/mp4" if content[4:8] == b"ftyp" else "application/octet-stream"


def _decode(text: str) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except ValueError as error:
        raise MalformedBody("media is not base64") from error
