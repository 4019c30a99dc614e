"""RSS and Atom, read by the guarded client and parsed without any further call."""

import calendar
import hashlib
import io
import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

import feedparser

from campaigns.feeds_text import feed_links, first_picture, plain_text, web_address
from lib.public_http import Fetched, FetchError, fetch
from lib.text import storable

MAX_FEED_BYTES = 4 * 1024 * 1024
MAX_ENTRIES = 200
MAX_TITLE, MAX_SUMMARY, MAX_TEXT, MAX_LINK = 200, 1000, 10_000, 2000
MAX_TAGS, MAX_TAG = 20, 50
ACCEPT = "application/atom+xml, application/rss+xml, application/xml;q=0.9, text/xml;q=0.9, text/html;q=0.5, */*;q=0.1"
# The parser tries whatever encoding a document names, and hours pass with these.
ENDLESS = re.compile(rb"encoding=['\"][^'\"]*(?:punycode|idna)", re.IGNORECASE)
NO_FEED = "There is no feed at this address. Give the address of an RSS or Atom feed, or of a page that names one."


@dataclass(frozen=True)
class Entry:
    """`key` stays the same however often the feed repeats, moves or edits the entry."""

    key: str
    title: str
    link: str
    summary: str
    text: str
    tags: tuple[str, ...]
    published_at: datetime | None
    picture: str


@dataclass(frozen=True)
class Feed:
    """The newest entry first; `etag` and `modified` ask for changes only the next time."""

    url: str
    title: str
    entries: tuple[Entry, ...]
    etag: str
    modified: str


def read_feed(url: str, *, etag: str = "", modified: str = "") -> Feed | None:
    """None where nothing changed. Raises FetchError."""
    answer = fetch(url, max_bytes=MAX_FEED_BYTES, accept=ACCEPT, etag=etag, modified=modified)
    if answer.status == 304:
        return None
    feed = parse_feed(answer)
    if feed is None:
        raise FetchError("no_feed", NO_FEED, raw=answer.content_type)
    return feed


def find_feed(url: str) -> Feed:
    """The feed at the address, or the first one that the page there names. Raises FetchError."""
    answer = fetch(url, max_bytes=MAX_FEED_BYTES, accept=ACCEPT)
    feed = parse_feed(answer)
    if feed:
        return replace(feed, url=url)
    links = feed_links(answer.body.decode(answer.charset or "utf-8", "replace"), answer.url)
    found = read_feed(links[0]) if links else None
    if found is None:
        raise FetchError("no_feed", NO_FEED, raw=answer.content_type)
    return replace(found, url=links[0])


def parse_feed(answer: Fetched) -> Feed | None:
    """None where it is no feed at all; what is damaged is read as far as it goes."""
    # Of UTF-16, every second byte is empty.
    if ENDLESS.search(answer.body.replace(b"\0", b"")):
        return None
    kind = f"{answer.content_type}; charset={answer.charset}" if answer.charset else answer.content_type
    headers = {"content-type": kind, "content-location": answer.url}
    # A stream: a string could be taken for an address or for the name of a file.
    try:
        parsed = feedparser.parse(io.BytesIO(answer.body), response_headers=headers, sanitize_html=True)
    except ValueError:
        # It names an encoding that cannot even be looked up.
        return None
    if not parsed.get("version"):
        return None
    entries = _newest_first(_entry(raw, answer.url) for raw in parsed.entries[:MAX_ENTRIES])
    title = _clean(_plain(parsed.feed, "title"), MAX_TITLE)
    return Feed(answer.url, title, tuple(entries), answer.etag[:200], answer.modified[:80])


def _newest_first(entries: Iterable[Entry]) -> list[Entry]:
    """Each key once. Entries without a date stay where they are: feeds begin with the newest."""
    once = list({entry.key: entry for entry in reversed(list(entries))}.values())[::-1]
    if any(entry.published_at is None for entry in once):
        return once
    return sorted(once, key=lambda entry: entry.published_at or datetime.min.replace(tzinfo=UTC), reverse=True)


def _entry(raw: Any, base: str) -> Entry:
    html = _html(raw)
    text = plain_text(html)
    title, link = _clean(_plain(raw, "title"), MAX_TITLE), web_address(raw.get("link", ""), base)[:MAX_LINK]
    return Entry(
        key=_key(raw.get("id", ""), link, f"{title}\n{text}"),
        title=title or _shorten(text.split("\n", 1)[0], 80),
        link=link,
        summary=_shorten(_clean(plain_text(raw.get("summary", "")) or text), MAX_SUMMARY),
        text=_clean(text, MAX_TEXT),
        tags=_tags(raw),
        published_at=_moment(raw.get("published_parsed") or raw.get("updated_parsed")),
        picture=_picture(raw, html, base),
    )


def _key(guid: str, link: str, content: str) -> str:
    name = f"id {guid}" if guid else f"link {link}" if link else f"text {content}"
    return hashlib.sha256(name.encode("utf-8", "replace")).hexdigest()


def _html(raw: Any) -> str:
    whole = max((piece.get("value", "") for piece in raw.get("content", [])), key=len, default="")
    summary: str = raw.get("summary", "")
    return whole if len(whole) > len(summary) else summary


def _plain(raw: Any, name: str) -> str:
    value: str = raw.get(name, "")
    is_plain = raw.get(f"{name}_detail", {}).get("type") == "text/plain"
    return value if is_plain else plain_text(value)


def _clean(text: str, limit: int = MAX_TEXT) -> str:
    return storable(text).strip()[:limit]


def _shorten(text: str, limit: int) -> str:
    """Cut between words where there are any."""
    if len(text) <= limit:
        return text
    cut = text[: limit - 1]
    return f"{cut.rsplit(' ', 1)[0] if ' ' in cut[limit // 2 :] else cut}…"


def _tags(raw: Any) -> tuple[str, ...]:
    terms = [_clean(tag.get("term") or "", MAX_TAG) for tag in raw.get("tags", [])]
    return tuple(dict.fromkeys(filter(None, terms)))[:MAX_TAGS]


def _moment(parts: Any) -> datetime | None:
    try:
        return datetime.fromtimestamp(calendar.timegm(parts), UTC) if parts else None
    except (ValueError, OverflowError, OSError):
        return None


def _picture(raw: Any, html: str, base: str) -> str:
    """The address of the entry's first picture, wherever the feed put it."""
    media = [item for item in raw.get("media_content", []) if _is_picture(item)]
    enclosures = [item for item in raw.get("enclosures", []) if _is_picture(item)]
    named = [
        item.get("url") or item.get("href") or "" for item in (*media, *enclosures, *raw.get("media_thumbnail", []))
    ]
    found = next(filter(None, (web_address(url, base) for url in named)), "")
    return (found or first_picture(html, base))[:MAX_LINK]


def _is_picture(item: Any) -> bool:
    return item.get("medium") == "image" or str(item.get("type", "")).startswith("image/")
