"""What Telegram takes, for checking before anybody approves it."""

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any
from urllib.parse import urlsplit

from lib.media import MediaInfo
from social.networks.port import Entity
from social.networks.telegram.text import cleaned

MAX_ALBUM = 10
MAX_PHOTO_BYTES = 10 * 1024**2
MAX_PHOTO_SIDES = 10_000
MAX_PHOTO_ASPECT = 20
MAX_FILE_BYTES = 50 * 1024**2
MAX_ENTITIES = 100
MAX_BUTTONS = 100
MAX_URL = 2048
HOST = re.compile(r"(?:[^\s./:@]+\.)+[^\s./:@]+")


def check_media(items: Sequence[MediaInfo]) -> list[str]:
    """What Telegram would refuse about the media of one message, as sentences; empty when it takes them."""
    messages = _check_mix(items)
    checks = {"image": _check_photo, "gif": _check_gif, "video": _check_video}
    for number, item in enumerate(items, start=1):
        prefix = f"Media {number}: " if len(items) > 1 else ""
        messages += [prefix + message for message in checks[item.kind](item)]
    return messages


def _check_mix(items: Sequence[MediaInfo]) -> list[str]:
    kinds = Counter(item.kind for item in items)
    if kinds["gif"] and len(items) > 1:
        return ["Telegram takes a GIF only alone in a message. Take the other media off, or the GIF."]
    if len(items) > MAX_ALBUM:
        return [f"Telegram takes at most {MAX_ALBUM} photos and videos in a message; here are {len(items)}."]
    return []


def _check_bytes(item: MediaInfo, what: str, limit: int) -> Iterator[str]:
    if item.size_bytes > limit:
        yield (
            f"The {what} has {item.size_bytes / 1024**2:.1f} MB; "
            f"Telegram takes at most {limit // 1024**2} MB from a bot. Export a smaller one."
        )


def _check_photo(item: MediaInfo) -> Iterator[str]:
    yield from _check_bytes(item, "photo", MAX_PHOTO_BYTES)
    if item.width + item.height > MAX_PHOTO_SIDES:
        yield (
            f"The photo is {item.width} × {item.height}; "
            f"Telegram takes at most {MAX_PHOTO_SIDES:,} pixels for width and height together."
        )
    if max(item.width, item.height) > MAX_PHOTO_ASPECT * min(item.width, item.height):
        yield f"The photo is {item.width} × {item.height}; Telegram takes shapes from 1:20 to 20:1."


def _check_gif(item: MediaInfo) -> Iterator[str]:
    yield from _check_bytes(item, "GIF", MAX_FILE_BYTES)


def _check_video(item: MediaInfo) -> Iterator[str]:
    yield from _check_bytes(item, "video", MAX_FILE_BYTES)
    if item.mime == "video/webm":
        yield "Telegram plays no WebM videos. Export it as MP4."


def check_entities(entities: Sequence[Entity]) -> list[str]:
    messages = []
    if len(entities) > MAX_ENTITIES:
        messages.append(
            f"Telegram formats at most {MAX_ENTITIES} places of a message; here are {len(entities)}. Take some out."
        )
    bad = (entity.url for entity in entities if entity.kind == "text_link" and not is_web_address(entity.url))
    return [*messages, *(f"Telegram cannot open the link {url[:80]}. Check its address." for url in bad)]


def check_options(options: Mapping[str, Any], media_counts: Sequence[int]) -> list[str]:
    """Buttons stand below the last message, which must not be an album."""
    rows = options.get("buttons", ())
    if not rows:
        return []
    buttons = [button for row in rows for button in row]
    messages = []
    if media_counts and media_counts[-1] > 1:
        messages.append("Telegram shows no buttons below several photos or videos. Keep one, or take the buttons off.")
    if len(buttons) > MAX_BUTTONS:
        messages.append(f"Telegram takes at most {MAX_BUTTONS} buttons; here are {len(buttons)}.")
    for button in buttons:
        if not cleaned(button["text"]).strip():
            messages.append("A button has no text that can be seen.")
        if not is_web_address(button["url"]):
            messages.append(f"The button “{button['text']}” needs a full address such as https://example.org.")
    return messages


def is_web_address(url: str) -> bool:
    try:
        parts = urlsplit(url)
        # Reading the port is what checks it.
        host, _port = parts.hostname or "", parts.port
    except ValueError:
        return False
    return parts.scheme in {"http", "https"} and bool(HOST.fullmatch(host)) and len(url) <= MAX_URL
