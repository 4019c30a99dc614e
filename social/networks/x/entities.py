"""Mentions, hashtags and cashtags as X links them, by the rules of twitter-text 3.1."""

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from operator import attrgetter

from .text import UrlSpan, extract_urls
from .units import join_pairs
from .urls import LATIN, SPACES

MENTION = re.compile(
    r"(?:^|[^a-zA-Z0-9_!#$%&*@＠]|(?:^|[^a-zA-Z0-9_+~.-])[rR][tT]:?)"
    r"(?P<span>[@＠](?P<name>[a-zA-Z0-9_]{1,20}))(?P<list>/[a-zA-Z][a-zA-Z0-9_-]{0,24})?"
)
# What makes the match before it an address of another service, or a protocol.
AFTER_MENTION = re.compile(rf"[@＠]|[{LATIN}]|://")
WHITESPACE = "\t-\r \xa0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000\ufeff"
CASHTAG = re.compile(
    rf"(?:^|[{SPACES}])(?P<span>\$(?P<name>[A-Za-z]{{1,6}}(?:[._][A-Za-z]{{1,2}})?))"
    rf"(?=$|[{WHITESPACE}!'#%&()*+,\\\-./:;<=>?@\[\]^_{{|}}~$])"
)
HASH = re.compile("[#＃](?![\ufe0f\u20e3])")
AFTER_HASHTAG = re.compile("[#＃]|://")
VARIATION_SELECTORS = "\ufe0e\ufe0f"
HASHTAG_SPECIALS = frozenset("_\u200c\u200d\ua67e\u05be\u05f3\u05f4～〜゛゜゠・〃\u0f0b\u0f0c·")


@dataclass(frozen=True, slots=True)
class Entity:
    """`text` is without its sign; start and end count code points and include it."""

    text: str
    start: int
    end: int


def find_mentions(text: str) -> list[Entity]:
    text = join_pairs(text)
    return [
        Entity(match["name"], *match.span("span"))
        for match in MENTION.finditer(text)
        if not match["list"] and not AFTER_MENTION.match(text, match.end())
    ]


def find_cashtags(text: str) -> list[Entity]:
    return [Entity(match["name"], *match.span("span")) for match in CASHTAG.finditer(join_pairs(text))]


def find_hashtags(text: str) -> list[Entity]:
    """Hashtags that are not part of a link; where a tag and a link overlap, the earlier one stands."""
    text = join_pairs(text)
    tags = list(_hashtags(text))
    links = extract_urls(text) if tags else []
    standing: list[Entity] = []
    reached = 0
    spans: list[Entity | UrlSpan] = [*tags, *links]
    for span in sorted(spans, key=attrgetter("start")):
        if span.start >= reached:
            reached = span.end
            if isinstance(span, Entity):
                standing.append(span)
    return standing


def _hashtags(text: str) -> Iterator[Entity]:
    done = 0
    for sign in HASH.finditer(text):
        start = sign.start()
        # The character before the sign belongs to the match, so it must still be free.
        if start and (start <= done or not _may_precede_hashtag(text[start - 1])):
            continue
        end = start + 1
        while end < len(text) and _is_in_hashtag(text[end]):
            end += 1
        if not any(_is_letter(character) for character in text[start + 1 : end]):
            continue
        done = end
        if not AFTER_HASHTAG.match(text, end):
            yield Entity(text[start + 1 : end], start, end)


def _may_precede_hashtag(character: str) -> bool:
    if character in VARIATION_SELECTORS:
        return True
    is_lone_surrogate = unicodedata.category(character) == "Cs"
    return not (character == "&" or is_lone_surrogate or _is_in_hashtag(character))


def _is_letter(character: str) -> bool:
    return unicodedata.category(character)[0] in "LM"


def _is_in_hashtag(character: str) -> bool:
    return _is_letter(character) or unicodedata.category(character) == "Nd" or character in HASHTAG_SPECIALS
