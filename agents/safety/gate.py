"""The output gate: what a model wrote is held against what may go out. The same function at draft and at send."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from agents.safety.canaries import has_canary
from agents.safety.normalise import Heard
from agents.safety.overlap import repeats_bait, shares_run
from compliance import pii
from compliance.guard.engines.links import find_links, is_within
from compliance.guard.port import Draft
from social.networks.x.text import parse_tweet

MAX_CHARACTERS = 1_000
X_WEIGHT = 280
_MARKUP = re.compile(r"!\[|\]\(|<[a-zA-Z!/]|&#?\w+;|```|<\||\[/?inst\]|\{\{|javascript:|data:\w+/", re.IGNORECASE)
_MENTION = re.compile(r"(?<![\w@./])[@＠]([\w.]{1,60})")
_CODED = re.compile(r"[A-Za-z0-9+/_-]{24,}={0,2}|(?:\\x[0-9a-f]{2}){3,}|(?:%[0-9a-f]{2}){4,}|(?:[01]{8}\s?){3,}")
_UNSEEN = re.compile(
    r"[\x00-\x08\x0b-\x1f\x7f\xad\u200b\u200c\u200e\u200f\u202a-\u202e\u2060-\u2069\ufeff\U000e0000-\U000e0fff]|[\ufe00-\ufe0f]{2}"
)
_NUMBER = re.compile(r"\d+(?:[.,:]\d+)*")
_HAN = re.compile(r"[\u3400-\u9fff]")


@dataclass(frozen=True)
class Finding:
    code: str
    text: str


@dataclass(frozen=True)
class Bounds:
    """What a draft is held against. `trusted` is what it was made from: our own words and the brand's claims."""

    trusted: tuple[str, ...] = ()
    heard: Heard | None = None
    system: str = ""
    own_domains: tuple[str, ...] = ()
    own_contacts: tuple[str, ...] = ()
    # The one account it may address.
    author: str = ""
    network: str = ""
    language: str = ""


FINDINGS = {
    "canary": "It contains a mark of our internal texts.",
    "hidden": "It contains characters that nobody sees.",
    "length": "It is longer than the network allows.",
    "link": "It links to an address that is not the brand's own.",
    "markup": "It contains HTML, a picture or a template instead of plain words.",
    "mention": "It mentions an account that has not written to us.",
    "personal_data": "It contains personal data or a secret.",
    "code": "It contains a text in code.",
    "echo": "It repeats words that the message wanted to hear.",
    "prompt": "It repeats our instructions.",
    "number": "It states a number that none of the brand's claims has.",
    "language": "It is not in the language of the message.",
}


def check_output(text: str, bounds: Bounds) -> list[Finding]:
    """Everything that keeps it from going out; nothing means it may."""
    return [Finding(code, FINDINGS[code]) for code in _codes(text, bounds)]


def _codes(text: str, bounds: Bounds) -> Iterator[str]:
    checks = {
        "canary": has_canary(text),
        "hidden": bool(_UNSEEN.search(text)),
        "length": _is_too_long(text, bounds.network),
        "link": _links_out(text, bounds),
        "markup": bool(_MARKUP.search(text)),
        "mention": any(name.lower() != bounds.author.lower().lstrip("@") for name in _MENTION.findall(text)),
        "personal_data": _has_personal_data(text, bounds),
        "code": bool(_CODED.search(_without_links(text))),
        "echo": bounds.heard is not None and _echoes(text, bounds),
        "prompt": shares_run(text, [bounds.system], except_in=bounds.trusted),
        "number": _invents_number(text, bounds),
        "language": bounds.language in {"en", "zh"} and (bounds.language == "zh") != bool(_HAN.search(text)),
    }
    yield from (code for code, is_found in checks.items() if is_found)


def _is_too_long(text: str, network: str) -> bool:
    if network == "x":
        return parse_tweet(text).weighted_length > X_WEIGHT
    return len(text) > MAX_CHARACTERS


def _links_out(text: str, bounds: Bounds) -> bool:
    return any(not is_within(link.host, bounds.own_domains) for link in find_links(Draft.of(text), {}))


def _has_personal_data(text: str, bounds: Bounds) -> bool:
    own = {contact.casefold() for contact in bounds.own_contacts}
    found = pii.find(text)
    return any(
        text[one.start : one.end].casefold() not in own and one.type not in {"URL", "DATE_TIME"} for one in found
    )


def _echoes(text: str, bounds: Bounds) -> bool:
    assert bounds.heard is not None
    return repeats_bait(text, bounds.heard) or shares_run(text, bounds.heard.said, except_in=bounds.trusted)


def _invents_number(text: str, bounds: Bounds) -> bool:
    known = {number for one in bounds.trusted for number in _NUMBER.findall(one)}
    return any(number not in known for number in _NUMBER.findall(_without_links(text)))


def _without_links(text: str) -> str:
    for link in find_links(Draft.of(text), {}):
        text = text.replace(link.written, " ")
    return text
