"""Formatted text: what Telegram does to a text and its entities before it is a message.

Offsets and lengths count UTF-16 code units; byte offsets in error texts count UTF-8.
"""

import re
from dataclasses import dataclass, field, replace
from itertools import pairwise
from typing import Any

from sandbox.telegram import autolinks, problems

MAX_ENTITIES = 100
STYLES = ("bold", "italic", "underline", "strikethrough", "spoiler")
QUOTES = ("blockquote", "expandable_blockquote")
CODES = ("code", "pre")
AUTOMATIC = ("mention", "hashtag", "cashtag", "bot_command", "url", "email", "phone_number")
# In which order entities of the same place are nested: the first is outermost.
_ORDER = (*QUOTES, "pre", "code", "text_link", "text_mention", "date_time", *AUTOMATIC, *STYLES, "custom_emoji")
_BLANK = " \n"
# Line separators and vertical lines that Telegram takes out of every text.
_REMOVED = re.compile("[\r\u2028-\u202e\u0333\u033f\u030a]")
_CONTROL = re.compile("[\x00-\x09\x0b\x0c\x0e-\x1f]")


@dataclass(frozen=True)
class Entity:
    type: str
    offset: int
    length: int
    # url, user, language or custom_emoji_id, whichever the type has.
    details: dict[str, Any] = field(default_factory=dict)

    @property
    def end(self) -> int:
        return self.offset + self.length

    @property
    def rank(self) -> tuple[int, int, int]:
        return self.offset, -self.length, _ORDER.index(self.type)

    def as_json(self) -> dict[str, Any]:
        return {"type": self.type, "offset": self.offset, "length": self.length, **self.details}


@dataclass(frozen=True)
class FormattedText:
    text: str
    entities: list[Entity] = field(default_factory=list)


def utf16_length(text: str) -> int:
    return len(text) + sum(1 for character in text if character > "\uffff")


def utf16_offsets(text: str) -> list[int]:
    """The UTF-16 offset of every character, and of the end."""
    offsets, offset = [], 0
    for character in text:
        offsets.append(offset)
        offset += 1 + (character > "\uffff")
    return [*offsets, offset]


def settle(text: str, entities: list[Entity]) -> FormattedText:
    """Cleaned, trimmed, entities made to nest, links found. Empty text when nothing is left."""
    entities = [entity for entity in entities if entity.length > 0][:MAX_ENTITIES]
    _check_places(text, entities)
    text, entities = _clean(text, _untangle(entities))
    text, entities = _trim(text, entities)
    found = [Entity(kind, start, end - start) for kind, start, end in autolinks.find(text)]
    continuous = [entity for entity in entities if entity.type not in STYLES and entity.type not in QUOTES]
    quotes = [entity for entity in entities if entity.type in QUOTES]
    found = [new for new in found if not any(_overlap(new, old) for old in continuous)]
    found = [new for new in found if not any(_cross(new, quote) for quote in quotes)]
    return FormattedText(text, _untangle([*entities, *found]))


def _check_places(text: str, entities: list[Entity]) -> None:
    offsets = utf16_offsets(text)
    length, starts = offsets[-1], set(offsets)
    for entity in sorted(entities, key=lambda one: one.rank):
        if not 0 <= entity.offset <= 1_000_000:
            raise problems.bad_request(f"receive an entity with incorrect offset {entity.offset}")
        if entity.offset > length:
            raise problems.bad_request(f"entity begins after the end of the text at UTF-16 offset {entity.offset}")
        if entity.end > length:
            raise problems.bad_request(
                f"entity beginning at UTF-16 offset {entity.offset} ends after the end of the text "
                f"at UTF-16 offset {entity.end}"
            )
        if entity.offset not in starts:
            at = _byte_offset(text, offsets, entity.offset)
            raise problems.bad_request(f"entity begins in a middle of a UTF-16 symbol at byte offset {at}")
        if entity.end not in starts:
            at = _byte_offset(text, offsets, entity.end)
            raise problems.bad_request(
                f"entity beginning at UTF-16 offset {entity.offset} ends in a middle of a UTF-16 symbol "
                f"at byte offset {at}"
            )


def _byte_offset(text: str, offsets: list[int], utf16_offset: int) -> int:
    count = sum(1 for offset in offsets if offset < utf16_offset)
    return len(text[:count].encode("utf-8", "replace"))


def _overlap(one: Entity, other: Entity) -> bool:
    return one.offset < other.end and other.offset < one.end


def _cross(one: Entity, other: Entity) -> bool:
    """They overlap and neither holds the other."""
    holds = one.offset <= other.offset and other.end <= one.end
    is_held = other.offset <= one.offset and one.end <= other.end
    return _overlap(one, other) and not holds and not is_held


def _untangle(entities: list[Entity]) -> list[Entity]:
    """Of links and code that overlap the first stays; styles are cut at their borders, and none is in code."""
    kept: list[Entity] = []
    quotes = _without_overlaps([entity for entity in entities if entity.type in QUOTES])
    for entity in _without_overlaps([one for one in entities if one.type not in STYLES and one.type not in QUOTES]):
        if not any(_cross(entity, quote) or _holds_quote(entity, quote) for quote in quotes):
            kept.append(entity)
    kept += quotes
    for style in STYLES:
        for entity in _joined([entity for entity in entities if entity.type == style]):
            kept += _cut(entity, kept)
    return _nest(kept)


def _holds_quote(entity: Entity, quote: Entity) -> bool:
    return entity.offset <= quote.offset and quote.end <= entity.end and entity.length > quote.length


def _without_overlaps(entities: list[Entity]) -> list[Entity]:
    kept: list[Entity] = []
    for entity in sorted(entities, key=lambda one: one.rank):
        if not kept or entity.offset >= kept[-1].end:
            kept.append(entity)
    return kept


def _joined(entities: list[Entity]) -> list[Entity]:
    """Pieces of one style that touch become one."""
    joined: list[Entity] = []
    for entity in sorted(entities, key=lambda one: one.rank):
        if joined and entity.offset <= joined[-1].end:
            end = max(joined[-1].end, entity.end)
            joined[-1] = replace(joined[-1], length=end - joined[-1].offset)
        else:
            joined.append(entity)
    return joined


def _cut(style: Entity, others: list[Entity]) -> list[Entity]:
    """Only where it would cross a border; the parts inside code are left out."""
    holders = [one for one in others if one.type not in STYLES]
    crossed = [one for one in holders if _cross(style, one)]
    code = [one for one in holders if one.type in CODES and _overlap(style, one)]
    places = {place for one in [*crossed, *code] for place in (one.offset, one.end)}
    cuts = [style.offset, *sorted(place for place in places if style.offset < place < style.end), style.end]
    pieces = [replace(style, offset=start, length=end - start) for start, end in pairwise(cuts)]
    return [piece for piece in pieces if not any(_overlap(piece, one) for one in code)]


def _nest(entities: list[Entity]) -> list[Entity]:
    """Styles that cross each other are cut where the outer one ends."""
    waiting = sorted(entities, key=lambda one: one.rank)
    nested: list[Entity] = []
    while waiting:
        entity = waiting.pop(0)
        outer = next((one for one in nested if _cross(one, entity)), None)
        if outer is None or entity.type not in STYLES:
            nested.append(entity)
            continue
        head = outer.end - entity.offset
        waiting += [replace(entity, length=head), replace(entity, offset=outer.end, length=entity.length - head)]
        waiting.sort(key=lambda one: one.rank)
    return sorted(nested, key=lambda one: one.rank)


def _clean(text: str, entities: list[Entity]) -> tuple[str, list[Entity]]:
    text = _CONTROL.sub(" ", text)
    gone = [utf16_length(text[: match.start()]) for match in _REMOVED.finditer(text)]
    if not gone:
        return text, entities
    moved = [_shifted(entity, gone) for entity in entities]
    return _REMOVED.sub("", text), [entity for entity in moved if entity.length > 0]


def _shifted(entity: Entity, gone: list[int]) -> Entity:
    before = sum(1 for place in gone if place < entity.offset)
    inside = sum(1 for place in gone if entity.offset <= place < entity.end)
    return replace(entity, offset=entity.offset - before, length=entity.length - inside)


def _trim(text: str, entities: list[Entity]) -> tuple[str, list[Entity]]:
    """Blanks go at both ends; entities lose theirs in front, and vanish when they hold nothing else."""
    units = text.encode("utf-16-le", "surrogatepass")
    blank = [units[at : at + 2] in (b" \0", b"\n\0") for at in range(0, len(units), 2)]
    entities = [tight for entity in entities if (tight := _tightened(entity, blank))]
    end = len(text.rstrip(_BLANK))
    last = utf16_length(text[:end])
    entities = [replace(entity, length=min(entity.end, last) - entity.offset) for entity in entities]
    start = len(text) - len(text.lstrip(_BLANK))
    # A space has one unit, so the count of characters is the count of units.
    return text[start:end], [replace(entity, offset=entity.offset - start) for entity in entities]


def _tightened(entity: Entity, blank: list[bool]) -> Entity | None:
    start = entity.offset
    while start < entity.end and blank[start]:
        start += 1
    return replace(entity, offset=start, length=entity.end - start) if start < entity.end else None
