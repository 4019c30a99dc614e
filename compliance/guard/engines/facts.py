"""Rules over facts: what platforms ask, and what the state of an account allows. Each engine's rules stand in packs.

`match: {when: {…}, text: {terms: […], patterns: […]}}`: `when` as in `conditions`, `text` is looked for in the draft
and in the facts that hold words; where both are given, both must hold.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from re import _parser as sre  # type: ignore[attr-defined]  # the tree of a regex has no public door
from typing import Any

from compliance.guard.conditions import check_when, compile_when
from compliance.guard.port import Answer, Context, Draft, Hit
from compliance.guard.rules import BadPack, Rule, RuleSet, checker
from compliance.guard.terms import MAX_CHOICES, ways_to_match
from compliance.guard.text import Folded, fold, fold_term

# Facts that hold words which go out though they are not the draft's.
TEXT_FACTS = ("text", "message", "comment", "caption", "title", "bio", "body", "subject", "image_text")
MAX_PATTERN_LENGTH = 400
MAX_REPEAT, MAX_OUTER = 100, 5
# Words and the blanks between them exclude each other, so that of these hardly any are tried.
MOST_WAYS = 200_000_000
MATCH_SCHEMA: dict[str, Any] = {
    "type": "object",
    "minProperties": 1,
    "additionalProperties": False,
    "properties": {
        "when": {"type": "object"},
        "text": {
            "type": "object",
            "minProperties": 1,
            "additionalProperties": False,
            "properties": {
                "terms": {"type": "array", "items": {"type": "string", "minLength": 1}, "minItems": 1},
                "patterns": {
                    "type": "array",
                    "items": {"type": "string", "minLength": 1, "maxLength": MAX_PATTERN_LENGTH},
                    "minItems": 1,
                },
            },
        },
    },
}
_check_shape = checker(MATCH_SCHEMA, "match")


def check_match(match: Any) -> None:
    """Raises BadPack."""
    _check_shape(match)
    for pattern in match.get("text", {}).get("patterns", ()):
        check_bounded(pattern, MAX_CHOICES)
    check_when(match.get("when", {}))


def check_bounded(pattern: str, most_ways: int = MOST_WAYS) -> None:
    """Raises BadPack unless each place of a text takes bounded time: texts are written by tenants."""
    try:
        re.compile(pattern)
        tree = sre.parse(pattern)
        _check_repeats(tree, pattern, MAX_REPEAT)
        if ways_to_match(tree, most_ways) > most_ways:
            raise BadPack(f"{pattern}: too many ways to match; use smaller repeats")
    except (re.error, RecursionError) as fault:
        raise BadPack(f"{pattern}: {fault}") from None


def _check_repeats(tree: Any, pattern: str, most: int) -> None:
    for _, value in tree:
        parts = value if isinstance(value, tuple | list) else (value,)
        # A repeat is (least, most, what); of the rest only the patterns inside matter.
        if len(parts) == 3 and isinstance(parts[2], sre.SubPattern) and isinstance(parts[1], int):
            if parts[1] > most:
                raise BadPack(f"{pattern}: bound every repeat by {MAX_REPEAT}, and those around others by {MAX_OUTER}")
            _check_repeats(parts[2], pattern, MAX_REPEAT if parts[1] <= MAX_OUTER else 1)
            continue
        for part in parts:
            for inner in part if isinstance(part, list) else (part,):
                if isinstance(inner, sre.SubPattern):
                    _check_repeats(inner, pattern, most)


@dataclass(frozen=True)
class Words:
    """What a draft says: each part, then what the facts say, which has no place in the draft."""

    parts: tuple[Folded, ...]
    besides: tuple[Folded, ...]


@dataclass(frozen=True)
class Compiled:
    rule: Rule
    holds: Callable[[Mapping[str, Any]], bool]
    bare_terms: tuple[str, ...] = ()
    pattern: re.Pattern[str] | None = None

    @property
    def asks_for_words(self) -> bool:
        return bool(self.bare_terms or self.pattern)


@lru_cache(maxsize=64)
def compiled(rules: RuleSet, engine: str) -> tuple[Compiled, ...]:
    return tuple(_compile(rule) for rule in rules.of(engine))


def _compile(rule: Rule) -> Compiled:
    check_match(rule.match)
    text = rule.match.get("text", {})
    patterns = "|".join(f"(?:{pattern})" for pattern in text.get("patterns", ()))
    terms = tuple(fold_term(term)[0] for term in text.get("terms", ()))
    return Compiled(rule, compile_when(rule.match.get("when", {})), terms, re.compile(patterns) if patterns else None)


def facts_of(context: Context) -> dict[str, Any]:
    """The given facts, and the fields of the context under their own names where no fact is called so."""
    own: dict[str, Any] = {
        "platform": context.platform,
        "action": context.action,
        "industry": context.industry or None,
        "relationship": context.relationship or None,
        "ai_generated": context.ai_generated or None,
    }
    return {**own, **context.facts, **_quiet_hours(context.facts)}


def _quiet_hours(facts: Mapping[str, Any]) -> dict[str, bool]:
    """`in_quiet_hours` from the hour at the recipient and a window such as [22, 8], "22:00-08:00", or its two ends."""
    hour = next((facts[name] for name in ("recipient_local_hour", "local_hour") if name in facts), None)
    window = facts.get("quiet_hours", [facts.get("quiet_start"), facts.get("quiet_end")])
    if isinstance(window, str):
        window = [int(number) for number in re.findall(r"(\d{1,2})(?::\d\d)?", window)]
    if not isinstance(window, list | tuple) or len(window) != 2:
        return {}
    if not all(isinstance(number, int | float) for number in (hour, *window)):
        return {}
    start, end = window
    return {"in_quiet_hours": start <= hour < end if start <= end else hour >= start or hour < end}


class FactEngine:
    def __init__(self, name: str) -> None:
        self.name = name

    def check(self, draft: Draft, context: Context, rules: RuleSet) -> Answer:
        facts = facts_of(context)
        words: Words | None = None
        hits: list[Hit] = []
        for candidate in compiled(rules, self.name):
            if not candidate.rule.applies(context) or not candidate.holds(facts):
                continue
            if candidate.asks_for_words:
                words = words or _words(draft, facts)
                hits += _word_hits(candidate, words)
            else:
                hits.append(candidate.rule.hit())
        return Answer(tuple(hits))


def _words(draft: Draft, facts: Mapping[str, Any]) -> Words:
    besides = [facts[name] for name in TEXT_FACTS if isinstance(facts.get(name), str)]
    return Words(
        tuple(fold(text) for text in draft.texts),
        tuple(fold(text) for text in besides if text not in draft.texts),
    )


def _word_hits(candidate: Compiled, words: Words) -> Iterator[Hit]:
    """One hit for each part that says it; one without a place where only the facts say it."""
    said = False
    for number, folded in enumerate(words.parts):
        if span := _first_place(candidate, folded):
            said = True
            yield candidate.rule.hit(number, *span)
    if not said and any(_first_place(candidate, folded) for folded in words.besides):
        yield candidate.rule.hit()


def _first_place(candidate: Compiled, folded: Folded) -> tuple[int, int] | None:
    for term in candidate.bare_terms:
        at = folded.bare.find(term)
        if at >= 0:
            return folded.raw_span(folded.places[at], folded.places[at + len(term) - 1] + 1)
    found = candidate.pattern.search(folded.text) if candidate.pattern else None
    return folded.raw_span(*found.span()) if found else None
