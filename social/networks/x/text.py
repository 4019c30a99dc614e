"""What a post weighs on X and what X links in it, as twitter-text 3.1 under configuration 3.

https://developer.x.com/en/docs/counting-characters
"""

import math
import re
import unicodedata
from bisect import bisect_right
from dataclasses import dataclass
from itertools import accumulate
from operator import attrgetter

from .emoji import SEQUENCE
from .units import CodePoints, join_pairs, split_pairs, utf16_length
from .urls import find_links

MAX_WEIGHTED_LENGTH = 280
MAX_WEIGHTED_LENGTH_PREMIUM = 25_000
URL_WEIGHT = 23

# Latin to Georgian and the common punctuation weigh one, everything else two.
HEAVY = re.compile("[^\0-\u10ff\u2000-\u200d\u2010-\u201f\u2032-\u2037]+")
INVALID = re.compile("[\ufffe\ufeff\uffff]")


@dataclass(frozen=True, slots=True)
class ParsedText:
    """Ranges are UTF-16 offsets with an inclusive end; an empty text has the range (0, 0)."""

    weighted_length: int
    valid: bool
    permillage: int
    display_range: tuple[int, int]
    valid_range: tuple[int, int]


@dataclass(frozen=True, slots=True)
class UrlSpan:
    """Where X links `url`; start and end count code points, so that they slice the text."""

    url: str
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Token:
    """A stretch that counts as one, in code points."""

    start: int
    end: int
    weight: int


def parse_tweet(text: str, limit: int = MAX_WEIGHTED_LENGTH) -> ParsedText:
    text = join_pairs(text)
    normal = unicodedata.normalize("NFC", text)
    weight, last_fitting = _weigh(normal, limit)
    length = utf16_length(text)
    return ParsedText(
        weighted_length=weight,
        valid=0 < weight <= limit and not INVALID.search(normal),
        permillage=math.floor(weight / limit * 1000),
        display_range=(0, max(0, length - 1)),
        valid_range=(0, last_fitting + length - utf16_length(normal)),
    )


def weighted_length(text: str) -> int:
    return parse_tweet(text).weighted_length


def extract_urls(text: str) -> list[UrlSpan]:
    text = join_pairs(text)
    links = find_links(split_pairs(text))
    if not links:
        return []
    points = CodePoints(text)
    return [UrlSpan(join_pairs(link.url), points.offset(link.start), points.offset(link.end)) for link in links]


def contains_url(text: str) -> bool:
    """Whether X charges the post at its price for links."""
    return bool(extract_urls(unicodedata.normalize("NFC", text)))


def normalise_newlines(text: str) -> str:
    """X folds CRLF only after it has counted: fold before counting and before sending."""
    return text.replace("\r\n", "\n").replace("\r", "\n")


def _weigh(text: str, limit: int) -> tuple[int, int]:
    """The weight of all, and the UTF-16 offset of the last unit that fits and follows nothing invalid."""
    weight = fitting = at = 0
    is_open = True
    for token in [*_tokens(text), Token(len(text), len(text), 0)]:
        plain = text[at : token.start]
        fits = _fitting(plain, limit - weight) if is_open else 0
        weight += _plain_weight(plain) + token.weight
        is_open = is_open and fits == len(plain) and weight <= limit
        if fits or is_open:
            fitting = token.end if is_open else at + fits
        at = token.end
    return weight, max(0, utf16_length(text[:fitting]) - 1)


def _plain_weight(plain: str) -> int:
    return 2 * len(plain) - len(HEAVY.sub("", plain))


def _fitting(plain: str, room: int) -> int:
    """How many characters from the start fit in the room and precede anything invalid."""
    invalid = INVALID.search(plain)
    plain = plain[: invalid.start()] if invalid else plain
    if _plain_weight(plain) <= room:
        return len(plain)
    weights = accumulate(2 if HEAVY.match(character) else 1 for character in plain)
    return bisect_right(list(weights), room)


def _tokens(text: str) -> list[Token]:
    """Links and emoji sequences in order; a link hides whatever it holds."""
    tokens = {match.start(): Token(match.start(), match.end(), 2) for match in SEQUENCE.finditer(text)}
    points = CodePoints(text)
    for link in find_links(split_pairs(text)):
        start = points.offset(link.start)
        tokens[start] = Token(start, points.offset(link.start + len(link.url)), URL_WEIGHT)
    visible: list[Token] = []
    for token in sorted(tokens.values(), key=attrgetter("start")):
        if not visible or token.start >= visible[-1].end:
            visible.append(token)
    return visible
