"""Personal data and secrets that a draft would give away. A rule's `match` lists types; `SECRET_*` means all such."""

import unicodedata
from collections.abc import Iterator
from fnmatch import fnmatchcase
from functools import lru_cache

from compliance.guard.port import Answer, Context, Draft, Hit
from compliance.guard.rules import BadPack, Rule, RuleSet
from compliance.pii import DECLARED, Found, find, mask_value

# What a workspace may publish as its own.
_WRITTEN = frozenset({"EMAIL_ADDRESS", "WECHAT_ID", "QQ"})
_DIALLED = frozenset({"CN_LANDLINE", "CN_MOBILE", "PHONE_NUMBER", "PH_MOBILE_NUMBER", "TR_PHONE_NUMBER"})
# Digits of a phone number that two ways of writing it share; a country code is what may differ.
_SHARED_DIGITS, _COUNTRY_DIGITS = 8, 4


class PiiEngine:
    name = "pii"

    def check(self, draft: Draft, context: Context, rules: RuleSet) -> Answer:
        asked = [rule for rule in rules.of(self.name) if rule.applies(context)]
        own = _contacts(context)
        hits = (
            hit
            for part, text in enumerate(draft.texts)
            for found in find(text)
            if not _is_own(found, text, own)
            for hit in _hits(asked, found, part, text)
        )
        return Answer(tuple(hits))


def _hits(rules: list[Rule], found: Found, part: int, text: str) -> Iterator[Hit]:
    for rule in rules:
        if found.type in _types(rule):
            yield rule.hit(
                part, found.start, found.end, replacement=mask_value(found.type, text[found.start : found.end])
            )


@lru_cache(maxsize=1024)
def _types(rule: Rule) -> frozenset[str]:
    """Raises BadPack where a name fits no type: the rule would never fire."""
    names = rule.match.get("types", ())
    fits = {name: [type_ for type_ in DECLARED if fnmatchcase(type_, name)] for name in names}
    unknown = [name for name, types in fits.items() if not types]
    if unknown or not names:
        raise BadPack(f"rule {rule.id}: match.types: no such type: {', '.join(unknown) or 'none given'}")
    return frozenset(type_ for types in fits.values() for type_ in types)


def _contacts(context: Context) -> tuple[str, ...]:
    listed = context.facts.get("allowed_contacts") or ()
    return tuple(_plain(contact) for contact in listed if isinstance(contact, str))


def _is_own(found: Found, text: str, own: tuple[str, ...]) -> bool:
    if not own:
        return False
    value = _plain(text[found.start : found.end])
    if found.type in _WRITTEN:
        return value in own
    return found.type in _DIALLED and any(_is_same_number(value, contact) for contact in own)


def _plain(text: str) -> str:
    return unicodedata.normalize("NFKC", text).strip().casefold()


def _is_same_number(one: str, other: str) -> bool:
    """With or without country code, trunk zero and separators."""
    shorter, longer = sorted((_dialled(one), _dialled(other)), key=len)
    if shorter == longer:
        return bool(shorter)
    return len(shorter) >= _SHARED_DIGITS and len(longer) - len(shorter) <= _COUNTRY_DIGITS and longer.endswith(shorter)


def _dialled(number: str) -> str:
    return "".join(sign for sign in number if sign.isdigit()).lstrip("0")
