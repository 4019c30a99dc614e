"""parse_mode MarkdownV2 and the older Markdown, mark by mark as Telegram's own parser reads them."""

import re
from dataclasses import dataclass
from urllib.parse import parse_qs, urlsplit

from sandbox.telegram.markup import BadMarkup, Writer, bytes_before, custom_emoji_id
from sandbox.telegram.texts import Entity

_RESERVED = "_*[]()~`>#+-=|{}.!\n"
# Telegram's names of entities in its error texts.
_NAMES = {
    "bold": "Bold",
    "italic": "Italic",
    "underline": "Underline",
    "strikethrough": "Strikethrough",
    "spoiler": "Spoiler",
    "code": "Code",
    "pre": "Pre",
    "text_link": "TextUrl",
    "custom_emoji": "CustomEmoji",
    "blockquote": "BlockQuote",
}
_CLOSERS = {
    "bold": "*",
    "italic": "_",
    "underline": "__",
    "strikethrough": "~",
    "spoiler": "||",
    "code": "`",
    "pre": "```",
    "text_link": "]",
    "custom_emoji": "]",
}
_LANGUAGE = re.compile(r"([^\s`]+)(?=[^`])")
_NEW_LINE = re.compile(r"\r\n|\n\r|\n|\r")


@dataclass(frozen=True)
class _Mark:
    kind: str
    start: int
    at: int
    pieces: int
    language: str = ""


class _Reader:
    """MarkdownV2: one pass with a stack of what is open."""

    def __init__(self, source: str) -> None:
        self.source = source
        self.at = 0
        self.writer = Writer()
        self.open: list[_Mark] = []

    @property
    def _is_in_quote(self) -> bool:
        return any(mark.kind == "blockquote" for mark in self.open)

    def read(self) -> tuple[str, list[Entity]]:
        while self.at < len(self.source):
            self._step()
        if self.open and self.open[-1].kind == "blockquote":
            self._close_quote()
        if self.open:
            raise self._unclosed()
        return self.writer.text, self.writer.entities

    def _step(self) -> None:
        character = self.source[self.at]
        if character == "\\" and self._is_escaped(self.at + 1):
            self.writer.put(self.source[self.at + 1])
            self.at += 2
        elif character not in (_RESERVED if not self._is_in_code() else "`"):
            self.writer.put(character)
            self.at += 1
        elif character == "\n":
            self._new_line()
        elif self._ends_here():
            self._end()
        else:
            self._begin(character)

    def _is_escaped(self, at: int) -> bool:
        return at < len(self.source) and 0 < ord(self.source[at]) <= 126

    def _is_in_code(self) -> bool:
        return bool(self.open) and self.open[-1].kind in ("code", "pre")

    def _starts(self, text: str) -> bool:
        return self.source.startswith(text, self.at)

    def _ends_here(self) -> bool:
        if not self.open or self.open[-1].kind == "blockquote":
            return False
        kind = self.open[-1].kind
        return self._starts(_CLOSERS[kind]) and not (kind == "italic" and self._starts("__"))

    def _new_line(self) -> None:
        goes_on = self.source[self.at + 1 : self.at + 2] == ">"
        if self._is_in_quote and not goes_on:
            if self.open[-1].kind != "blockquote":
                raise self._unclosed()
            self._close_quote()
            self.writer.put("\n")
            self.at += 1
            return
        self.writer.put("\n")
        self.at += 2 if goes_on else 1
        if goes_on and not self._is_in_quote:
            self._push("blockquote", self.at - 2)

    def _close_quote(self) -> None:
        mark = self.open.pop()
        self.writer.add("blockquote", mark.start)

    def _begin(self, character: str) -> None:
        at = self.at
        if character == "`" and self._starts("```"):
            return self._begin_block()
        for token, kind in (
            ("__", "underline"),
            ("_", "italic"),
            ("*", "bold"),
            ("~", "strikethrough"),
            ("||", "spoiler"),
            ("`", "code"),
            ("![", "custom_emoji"),
            ("[", "text_link"),
        ):
            if self._starts(token):
                self.at += len(token)
                return self._push(kind, at)
        if character == ">" and at == 0:
            self.at += 1
            return self._push("blockquote", at)
        raise BadMarkup(f"Character '{character}' is reserved and must be escaped with the preceding '\\'")

    def _begin_block(self) -> None:
        begin = self.at
        self.at += 3
        language = _LANGUAGE.match(self.source, self.at)
        if language:
            self.at = language.end()
        line = _NEW_LINE.match(self.source, self.at)
        if line:
            self.at = line.end()
        self._push("pre", begin, language[1] if language else "")

    def _push(self, kind: str, at: int, language: str = "") -> None:
        self.open.append(_Mark(kind, self.writer.length, at, self.writer.mark(), language))

    def _end(self) -> None:
        mark = self.open.pop()
        self.at += len(_CLOSERS[mark.kind])
        if mark.kind == "text_link":
            url = self._address("a URL") if self._starts("(") else self.writer.since(mark.pieces)
            self.writer.add_link(mark.start, url)
        elif mark.kind == "custom_emoji":
            if not self._starts("("):
                raise BadMarkup("Custom emoji entity must contain a tg://emoji URL")
            self.writer.add("custom_emoji", mark.start, custom_emoji_id=_emoji(self._address("a custom emoji URL")))
        else:
            self.writer.add(mark.kind, mark.start, **({"language": mark.language} if mark.language else {}))

    def _address(self, what: str) -> str:
        begin = self.at + 1
        url, at = "", begin
        while at < len(self.source) and self.source[at] != ")":
            if self.source[at] == "\\" and self._is_escaped(at + 1):
                at += 1
            url += self.source[at]
            at += 1
        if at >= len(self.source):
            raise BadMarkup(f"Can't find end of {what} at byte offset {bytes_before(self.source, begin)}")
        self.at = at + 1
        return url

    def _unclosed(self) -> BadMarkup:
        mark = self.open[-1]
        name = "PreCode" if mark.language else _NAMES[mark.kind]
        return BadMarkup(f"Can't find end of {name} entity at byte offset {bytes_before(self.source, mark.at)}")


def parse_v2(source: str) -> tuple[str, list[Entity]]:
    return _Reader(source).read()


def _emoji(url: str) -> str:
    parts = urlsplit(url)
    if (parts.scheme, parts.netloc) != ("tg", "emoji"):
        raise BadMarkup("Custom emoji URL must have a tg:// scheme and the emoji host")
    return custom_emoji_id(parse_qs(parts.query).get("id", [""])[0])


def parse_legacy(source: str) -> tuple[str, list[Entity]]:
    writer, at = Writer(), 0
    while at < len(source):
        character = source[at]
        if character == "\\" and source[at + 1 : at + 2] in tuple("_*`["):
            writer.put(source[at + 1])
            at += 2
        elif character in "_*`[":
            at = _legacy_entity(source, at, writer)
        else:
            writer.put(character)
            at += 1
    return writer.text, writer.entities


def _legacy_entity(source: str, begin: int, writer: Writer) -> int:
    """Entities of the old mode do not nest: the next mark of the kind ends one."""
    closer = "```" if source.startswith("```", begin) else {"[": "]"}.get(source[begin], source[begin])
    at, language = begin + len(closer), ""
    if closer == "```":
        found = _LANGUAGE.match(source, at)
        language, at = (found[1], found.end()) if found else ("", at)
        line = _NEW_LINE.match(source, at)
        at = line.end() if line else at
    end = source.find(closer, at)
    if end < 0:
        raise BadMarkup(f"Can't find end of the entity starting at byte offset {bytes_before(source, begin)}")
    start = writer.length
    for character in source[at:end]:
        writer.put(character)
    if closer == "]":
        return _legacy_link(source, end, writer, start, source[at:end])
    kind = {"_": "italic", "*": "bold", "`": "code", "```": "pre"}[closer]
    writer.add(kind, start, **({"language": language} if language else {}))
    return end + len(closer)


def _legacy_link(source: str, end: int, writer: Writer, start: int, words: str) -> int:
    if source[end + 1 : end + 2] != "(":
        writer.add_link(start, words)
        return end + 1
    stop = source.find(")", end)
    stop = len(source) if stop < 0 else stop
    writer.add_link(start, source[end + 2 : stop])
    return stop + 1
