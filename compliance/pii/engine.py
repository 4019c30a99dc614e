"""Finds personal data and secrets in text. Pure; a text of a post's length takes well under five milliseconds."""

from bisect import bisect_left
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from functools import cache

import ahocorasick

from compliance.pii.america import AMERICA
from compliance.pii.asia import ASIA
from compliance.pii.china import CHINA
from compliance.pii.europe import EUROPE
from compliance.pii.germany import GERMANY
from compliance.pii.network import NETWORK
from compliance.pii.recogniser import LIKELY, NEARBY, Recogniser
from compliance.pii.secrets import SECRETS
from compliance.pii.world import WORLD

RECOGNISERS: tuple[Recogniser, ...] = (*SECRETS, *CHINA, *NETWORK, *WORLD, *AMERICA, *GERMANY, *EUROPE, *ASIA)
DECLARED: tuple[str, ...] = tuple(sorted({recogniser.type for recogniser in RECOGNISERS}))
# Found when asked for by name; alone they say nothing about a person.
IMPERSONAL = frozenset({"DATE_TIME", "URL", "DE_PLZ", "UK_POSTCODE"})

# How far a word may stand before and behind a value.
BEFORE, BEHIND = 48, 24

# One code point for one, so that offsets stay: full-width forms, blanks, dashes.
_PLAIN = (
    {code: code - 0xFEE0 for code in range(0xFF01, 0xFF5F)}
    | dict.fromkeys((0x00A0, 0x2002, 0x2003, 0x2007, 0x2009, 0x202F, 0x3000), 0x20)
    | dict.fromkeys((0x2010, 0x2011, 0x2012, 0x2013, 0x2014, 0x2212, 0xFE63), 0x2D)
)
_CAPITALS = {code: code - 32 for code in range(ord("a"), ord("z") + 1)}


class UnknownType(ValueError):
    """No recogniser has this name."""


@dataclass(frozen=True, slots=True)
class Found:
    """`start` and `end` are code points of the text as given."""

    type: str
    start: int
    end: int
    score: float

    def overlaps(self, other: "Found") -> bool:
        return self.start < other.end and other.start < self.end


class _Text:
    """One text in the forms the patterns see, all of one length."""

    def __init__(self, raw: str) -> None:
        self.plain = raw.translate(_PLAIN)
        self.capitals = self.plain.translate(_CAPITALS)
        self.digits = sum(map(self.plain.count, "0123456789"))
        self._signs = frozenset(self.plain)
        self.words = _words_in(self.plain)

    def may_hold(self, recogniser: Recogniser) -> bool:
        if self.digits < recogniser.digits:
            return False
        return not recogniser.needs or not self._signs.isdisjoint(recogniser.needs)

    def has_word_near(self, type_: str, start: int, end: int) -> bool:
        places = self.words.get(type_)
        if not places:
            return False
        nearest = bisect_left(places, start - BEFORE)
        return nearest < len(places) and places[nearest] <= end + BEHIND


def find(text: str, entities: Collection[str] | None = None) -> list[Found]:
    """In reading order. By name, a type is found by its look alone and types may overlap; without names only what is
    likely is found, and of what overlaps the likeliest. Raises UnknownType."""
    seen = _Text(text)
    if entities is None:
        likely = [found for found in _search(seen, _likely(), LIKELY) if found.score >= LIKELY]
        kept = _without_overlaps(likely)
    else:
        by_type: dict[str, list[Found]] = {}
        for found in _search(seen, _named(frozenset(entities)), 0):
            by_type.setdefault(found.type, []).append(found)
        kept = [found for group in by_type.values() for found in _without_overlaps(group)]
    return sorted(kept, key=lambda found: (found.start, found.end, found.type))


@cache
def _likely() -> tuple[Recogniser, ...]:
    return tuple(recogniser for recogniser in RECOGNISERS if recogniser.type not in IMPERSONAL)


@cache
def _named(types: frozenset[str]) -> tuple[Recogniser, ...]:
    unknown = types.difference(DECLARED)
    if unknown:
        raise UnknownType(f"Unknown types: {', '.join(sorted(unknown))}.")
    return tuple(recogniser for recogniser in RECOGNISERS if recogniser.type in types)


def _search(text: _Text, recognisers: Iterable[Recogniser], least: float) -> Iterator[Found]:
    for recogniser in recognisers:
        if not text.may_hold(recogniser):
            continue
        if recogniser.best_alone < least and recogniser.type not in text.words:
            continue
        yield from _matches(text, recogniser)


def _matches(text: _Text, recogniser: Recogniser) -> Iterator[Found]:
    group = "value" if "value" in recogniser.regex.groupindex else 0
    for match in recogniser.regex.finditer(text.plain if recogniser.exact else text.capitals):
        score = recogniser.rate(match[group])
        if not score:
            continue
        start, end = match.span(group)
        if text.has_word_near(recogniser.type, start, end):
            score = min(1.0, score + NEARBY)
        yield Found(recogniser.type, start, end, round(score, 2))


def _without_overlaps(found: Iterable[Found]) -> list[Found]:
    """The likeliest first, then the longest."""
    kept: list[Found] = []
    for one in sorted(found, key=lambda one: (-one.score, one.start - one.end, one.start, one.type)):
        # What is kept stands apart, so only the neighbours can be in the way.
        place = bisect_left(kept, one.start, key=lambda other: other.start)
        if not any(one.overlaps(other) for other in kept[max(0, place - 1) : place + 1]):
            kept.insert(place, one)
    return kept


@cache
def _word_index() -> ahocorasick.Automaton:
    """Each word with the types it speaks for."""
    types: dict[str, set[str]] = {}
    for recogniser in RECOGNISERS:
        for word in recogniser.words:
            types.setdefault(word, set()).add(recogniser.type)
    index = ahocorasick.Automaton()
    for word, speaks_for in types.items():
        index.add_word(word, (len(word), tuple(sorted(speaks_for))))
    index.make_automaton()
    return index


def _words_in(plain: str) -> dict[str, list[int]]:
    """Type to the places of its words, ascending."""
    lowered = plain.lower()
    if len(lowered) != len(plain):
        lowered = "".join(sign.lower() if len(sign.lower()) == 1 else sign for sign in plain)
    places: dict[str, list[int]] = {}
    for last, (length, types) in _word_index().iter(lowered):
        if _stands_alone(lowered, last - length + 1, last + 1):
            for type_ in types:
                places.setdefault(type_, []).append(last - length + 1)
    for starts in places.values():
        starts.sort()
    return places


def _stands_alone(text: str, start: int, end: int) -> bool:
    """Words in Latin letters only whole, or in the plural: no PAN in company."""
    if not (text[start].isascii() and text[end - 1].isascii()):
        return True
    if start and _is_latin(text[start - 1]):
        return False
    if text[end : end + 1] == "s":
        end += 1
    return end == len(text) or not _is_latin(text[end])


def _is_latin(sign: str) -> bool:
    return sign.isalpha() and sign < "ɐ"
