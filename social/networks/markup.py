"""Marked text, as our editor writes it: plain text with a few marks, read into text and entities.

**bold** _italic_ __underline__ ~~strike~~ ||spoiler|| `code` ```pre``` [label](https://…) and lines that begin with
"> ". A backslash takes a mark's meaning away; a mark without its partner is text, and so is one in an address.
"""

import re
from dataclasses import dataclass, field, replace

from social.networks.port import Entity
from social.networks.telegram.text import utf16_length

# The longer marks first: "__" is not two of "_".
MARKS = {
    "**": "bold",
    "__": "underline",
    "~~": "strikethrough",
    "||": "spoiler",
    "_": "italic",
    "`": "code",
}
FENCE = re.compile(r"```(?:([\w+-]{1,20})\n)?(.+?)```", re.DOTALL)
LINK = re.compile(r"\[([^\[\]\n]{1,300})\]\((https?://[^\s()]{1,2000})\)")
# An address is text whatever its characters; marks around it may close right behind it.
ADDRESS = re.compile(r"https?://[^\s<>\"]*[^\s<>\"*_~|`()\[\].,;:!?]", re.IGNORECASE)
QUOTED_LINES = re.compile(r"(?:^> ?.*(?:\n|\Z))+", re.MULTILINE)
ESCAPED = set("*_~|`[]()>\\")
# So many marks are tried as the partner of one; text of nothing but marks stays quick to read.
MAX_TRIES = 50


@dataclass(frozen=True)
class Marked:
    text: str
    entities: tuple[Entity, ...]


@dataclass
class _Writer:
    # Networks without text links get the address behind its label.
    spells_links: bool
    pieces: list[str] = field(default_factory=list)
    entities: list[Entity] = field(default_factory=list)
    length: int = 0

    def write(self, text: str) -> None:
        self.pieces.append(text)
        self.length += utf16_length(text)

    def mark(self, kind: str, start: int, **facts: str) -> None:
        if self.length > start:
            self.entities.append(Entity(kind, start, self.length - start, **facts))


def read_marked(text: str, *, spells_links: bool = False) -> Marked:
    """The text without its marks, trimmed, and the entities in the order of their offsets."""
    writer = _Writer(spells_links)
    at = 0
    for fence in FENCE.finditer(text):
        _write_blocks(writer, text[at : fence.start()])
        start = writer.length
        writer.write(fence[2].strip("\n"))
        writer.mark("pre", start, language=fence[1] or "")
        at = fence.end()
    _write_blocks(writer, text[at:])
    return _trimmed("".join(writer.pieces), writer.entities)


def plain_of(text: str) -> str:
    """For networks without formatting."""
    return read_marked(text, spells_links=True).text


def _write_blocks(writer: _Writer, text: str) -> None:
    at = 0
    for quote in QUOTED_LINES.finditer(text):
        _write_line(writer, text[at : quote.start()])
        start = writer.length
        inner = re.sub(r"^> ?", "", quote[0], flags=re.MULTILINE)
        _write_line(writer, inner.rstrip("\n"))
        writer.mark("blockquote", start)
        writer.write(inner[len(inner.rstrip("\n")) :])
        at = quote.end()
    _write_line(writer, text[at:])


def _write_line(writer: _Writer, text: str) -> None:
    at, plain_from = 0, 0
    # A mark that has no partner further on has none for the marks after it either.
    lonely: set[str] = set()
    while at < len(text):
        end = _write_special(writer, text, at, plain_from, lonely)
        if end:
            plain_from = end
        at = end or at + 1
    writer.write(text[plain_from:])


def _write_special(writer: _Writer, text: str, at: int, plain_from: int, lonely: set[str]) -> int:
    """Where it ends when something with a meaning begins at `at`, else 0. Writes what came before it, too."""
    character = text[at]
    if character == "\\" and text[at + 1 : at + 2] in ESCAPED and at + 1 < len(text):
        writer.write(text[plain_from:at] + text[at + 1])
        return at + 2
    if character == "[" and (link := LINK.match(text, at)):
        writer.write(text[plain_from:at])
        _write_link(writer, link[1], link[2])
        return link.end()
    if character in "hH" and (address := ADDRESS.match(text, at)):
        writer.write(text[plain_from : address.end()])
        return address.end()
    mark = next((mark for mark in MARKS if mark not in lonely and text.startswith(mark, at)), "")
    end = _partner(text, mark, at, lonely) if mark else 0
    if not end:
        return 0
    writer.write(text[plain_from:at])
    start, inner = writer.length, text[at + len(mark) : end]
    if mark == "`":
        writer.write(inner)
    else:
        _write_line(writer, inner)
    writer.mark(MARKS[mark], start)
    return end + len(mark)


def _write_link(writer: _Writer, label: str, url: str) -> None:
    start = writer.length
    _write_line(writer, label)
    if not writer.spells_links:
        writer.mark("text_link", start, url=url)
    elif label != url:
        writer.write(f" {url}")


def _partner(text: str, mark: str, at: int, lonely: set[str]) -> int:
    """Where the closing mark stands; 0 when this one is only text."""
    begin = at + len(mark)
    if not _may_open(text, mark, at):
        return 0
    end = begin
    for _ in range(MAX_TRIES):
        end = text.find(mark, end)
        if end < 0:
            lonely.add(mark)
            return 0
        if "\n\n" in text[begin:end]:
            return 0
        if end > begin and _may_close(text, mark, end) and not _in_address(text, begin, end):
            return end
        end += 1
    return 0


def _may_open(text: str, mark: str, at: int) -> bool:
    before, after = text[at - 1 : at], text[at + len(mark) : at + len(mark) + 1]
    # snake_case is a word, not italics, and @_name_ is a name.
    is_in_word = mark == "_" and bool(before) and (before.isalnum() or before in "@#")
    return bool(after) and not after.isspace() and not is_in_word


def _may_close(text: str, mark: str, end: int) -> bool:
    after = text[end + len(mark) : end + len(mark) + 1]
    is_in_word = mark == "_" and (after.isalnum() or after == "_")
    is_escaped = text[end - 1] == "\\" and mark != "`"
    return not text[end - 1].isspace() and not is_in_word and not is_escaped


def _in_address(text: str, begin: int, end: int) -> bool:
    """Expects white space to end an address, so only the last word before `end` can be one."""
    start = max(text.rfind(space, begin, end) for space in " \n\t") + 1
    address = ADDRESS.search(text, max(start, begin))
    return bool(address) and address.start() < end < address.end()  # type: ignore[union-attr]


def _trimmed(text: str, entities: list[Entity]) -> Marked:
    """Networks drop white space around a message: so do we, and move the entities along."""
    lead = utf16_length(text[: len(text) - len(text.lstrip())])
    stripped = text.strip()
    total = utf16_length(stripped)
    kept = []
    for entity in entities:
        start, end = max(entity.offset - lead, 0), min(entity.offset + entity.length - lead, total)
        if end > start:
            kept.append(replace(entity, offset=start, length=end - start))
    return Marked(stripped, tuple(sorted(kept, key=lambda entity: (entity.offset, -entity.length))))
