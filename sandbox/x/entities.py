"""The text as X gives it back: links become t.co, &, < and > become HTML entities, media hang on as links."""

import hashlib
import html
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from sandbox.x.links import Link, find_links

MENTION = re.compile(r"(?<![A-Za-z0-9_!#$%&*@＠/])[@＠]([A-Za-z0-9_]{1,15})(?![A-Za-z0-9_@＠])")
_HASHTAG = re.compile(r"(?<![\w&/])[#＃](\w*[^\W\d_]\w*)")
_CASHTAG = re.compile(r"(?<!\S)\$([A-Za-z]{1,6}(?:[._][A-Za-z]{1,2})?)(?=$|[\s.,!?;:])")
_ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"


@dataclass
class Shown:
    text: str
    urls: list[dict[str, Any]] = field(default_factory=list)


def show(text: str, post_id: int, media_links: list[dict[str, Any]]) -> Shown:
    """The returned text; every start and end counts code points of that text."""
    shown, position = Shown(""), 0
    for link in find_links(text):
        shown.text += html.escape(text[position : link.start], quote=False)
        _append(shown, short_url(post_id, link.url), _destination(link))
        position = link.end
    shown.text += html.escape(text[position:], quote=False)
    if media_links:
        shown.text += " " if shown.text else ""
        start, url = len(shown.text), short_url(post_id, "media")
        shown.text += url
        shown.urls += [{"start": start, "end": len(shown.text), "url": url, **link} for link in media_links]
    return shown


def entities(shown: Shown, id_of: Callable[[str], str | None]) -> dict[str, list[dict[str, Any]]]:
    mentions = []
    for match in MENTION.finditer(shown.text):
        mention = {"start": match.start(), "end": match.end(), "username": match[1]}
        user_id = id_of(match[1])
        mentions.append({**mention, "id": user_id} if user_id else mention)
    found = {
        "urls": shown.urls,
        "mentions": mentions,
        "hashtags": _tags(_HASHTAG, shown.text),
        "cashtags": _tags(_CASHTAG, shown.text),
    }
    return {name: items for name, items in found.items() if items}


def short_url(post_id: int, url: str) -> str:
    """https://t.co/ and ten characters: always the 23 that the weighted length reckons with."""
    number = int.from_bytes(hashlib.sha256(f"{post_id}:{url}".encode()).digest()[:8], "big")
    code = "".join(_ALPHABET[number // 62**place % 62] for place in range(10))
    return f"https://t.co/{code}"


def mentioned_handles(text: str) -> list[str]:
    return [match[1] for match in MENTION.finditer(text)]


def _append(shown: Shown, url: str, destination: dict[str, str]) -> None:
    start = len(shown.text)
    shown.text += url
    shown.urls.append({"start": start, "end": len(shown.text), "url": url, **destination})


def _destination(link: Link) -> dict[str, str]:
    display = re.sub(r"^https?://(?:www\.)?", "", link.url, flags=re.IGNORECASE)
    return {"expanded_url": link.url, "display_url": display if len(display) <= 27 else display[:26] + "…"}


def _tags(pattern: re.Pattern[str], text: str) -> list[dict[str, Any]]:
    return [{"start": m.start(), "end": m.end(), "tag": m[1]} for m in pattern.finditer(text)]
