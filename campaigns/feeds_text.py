"""HTML of feeds and pages as plain text, and what it points to."""

import re
from html.parser import HTMLParser
from urllib.parse import urljoin, urlsplit

FEED_TYPES = {"application/rss+xml", "application/atom+xml", "application/rdf+xml", "application/feed+xml", "text/xml"}
BLOCKS = {"p", "div", "br", "li", "ul", "ol", "h1", "h2", "h3", "h4", "h5", "h6", "tr", "blockquote", "figure"}
SILENT = {"script", "style", "template", "title"}
Attributes = list[tuple[str, str | None]]


def plain_text(html: str) -> str:
    """The words of a fragment, one paragraph a line."""
    reader = _Words()
    reader.feed(html)
    reader.close()
    lines = [" ".join(line.split()) for line in "".join(reader.pieces).split("\n")]
    return "\n".join(filter(None, lines))


def first_picture(html: str, base: str) -> str:
    reader = _Links()
    reader.feed(html)
    return next((web_address(url, base) for url in reader.pictures if web_address(url, base)), "")


def feed_links(html: str, base: str) -> list[str]:
    """Feeds that a page names in its head, in its order."""
    reader = _Links()
    reader.feed(html)
    base = urljoin(base, reader.base)
    return list(dict.fromkeys(filter(None, (web_address(url, base) for url in reader.feeds))))


def web_address(url: str, base: str = "") -> str:
    """Absolute; empty for anything but http and https."""
    try:
        full = urljoin(base, url.strip())
        # Nothing joined to an address would be that address.
        return full if url and urlsplit(full).scheme in {"http", "https"} and not re.search(r"\s", full) else ""
    except ValueError:
        return ""


class _Words(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.pieces: list[str] = []
        self.silent = 0

    def handle_starttag(self, tag: str, attrs: Attributes) -> None:
        self.silent += tag in SILENT
        if tag in BLOCKS:
            self.pieces.append("\n")

    def handle_endtag(self, tag: str) -> None:
        self.silent = max(0, self.silent - (tag in SILENT))
        if tag in BLOCKS:
            self.pieces.append("\n")

    def handle_data(self, data: str) -> None:
        if not self.silent:
            # A line break of the source is only a space.
            self.pieces.append(re.sub(r"\s+", " ", data))


class _Links(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.feeds: list[str] = []
        self.pictures: list[str] = []
        self.base = ""

    def handle_starttag(self, tag: str, attrs: Attributes) -> None:
        found = {name: value or "" for name, value in attrs}
        if tag == "base":
            self.base = self.base or found.get("href", "")
        elif tag == "img" and found.get("src"):
            self.pictures.append(found["src"])
        elif tag == "link" and self._is_feed(found):
            self.feeds.append(found["href"])

    def _is_feed(self, found: dict[str, str]) -> bool:
        kind = found.get("type", "").split(";")[0].strip().lower()
        return "alternate" in found.get("rel", "").lower().split() and kind in FEED_TYPES and bool(found.get("href"))
