"""What a rule of the phrase engines may look for: its grammar, checked before anything is compiled."""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from re import _parser as sre  # type: ignore[attr-defined]  # the tree of a regex has no public door
from typing import Any

from jsonschema import Draft202012Validator
from jsonschema.exceptions import best_match

from compliance.guard.port import Severity
from compliance.guard.rules import BadPack
from compliance.guard.text import fold, fold_term

_LIST = {"type": "array", "items": {"type": "string", "minLength": 1, "maxLength": 600}, "maxItems": 3000}
# The empty industry is one nobody named.
_INDUSTRIES = {"type": "array", "items": {"type": "string", "maxLength": 60}}
_FACTS = {"type": "object"}
_SAID = {"type": "string", "minLength": 1, "maxLength": 300}
# A list of words holds literals and, between slashes, patterns.
_CASE: dict[str, Any] = {
    # What is a hit. Words know {a,b} for alternatives; without terms and patterns the case is about the whole draft.
    "terms": _LIST,
    "patterns": _LIST,
    # Also what sounds like a term: other characters, pinyin.
    "homophones": {"type": "boolean"},
    # A hit inside one of these is none.
    "allow": _LIST,
    # One of these must, or none may, stand in the sentence or anywhere in the draft.
    "near": _LIST,
    "text": _LIST,
    "unless": _LIST,
    "unless_text": _LIST,
    # Names of Context.facts or of Context itself; a list means any of; null means unknown.
    "facts": _FACTS,
    "unless_facts": _FACTS,
    "industries": _INDUSTRIES,
    "not_industries": _INDUSTRIES,
    # In place of the rule's own.
    "severity": {"enum": [severity.value for severity in Severity]},
    "message": _SAID,
    "citation": _SAID,
    "fix": _SAID,
    # What settles the hit: one text for all, or one for each term.
    "replace": {"type": ["string", "object"], "additionalProperties": {"type": "string"}},
}
MATCH_SCHEMA: dict[str, Any] = {
    "type": "object",
    "minProperties": 1,
    "additionalProperties": False,
    "properties": _CASE
    | {
        # Several ways to break one rule; lists above them count for each.
        "cases": {
            "type": "array",
            "minItems": 1,
            "items": {"type": "object", "minProperties": 1, "additionalProperties": False, "properties": _CASE},
        },
        # Asked only where no other rule of its engine asks for anything.
        "last": {"type": "boolean"},
    },
}
_VALIDATOR = Draft202012Validator(MATCH_SCHEMA)
WORD_LISTS = ("allow", "near", "text", "unless", "unless_text")
_SHARED = ("allow", "unless", "unless_text")
MAX_PATTERN = 600
MAX_CHOICES = 5000


def cases_of(match: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """Each case with what it shares, alternatives spelt out."""
    shared = {name: value for name, value in match.items() if name not in {"cases", "last"}}
    for case in match.get("cases", ({},)):
        lists = {name: [*shared.get(name, ()), *case.get(name, ())] for name in _SHARED}
        whole = shared | case | lists
        yield whole | {name: _spelt_out(whole.get(name, ())) for name in ("terms", *WORD_LISTS)}


def _spelt_out(words: Iterable[str]) -> list[str]:
    return [one for word in words for one in ([word] if pattern_in(word) else spell_out(word))]


def spell_out(text: str) -> list[str]:
    """`最{好,佳}` as `最好` and `最佳`."""
    found = re.search(r"\{([^{}]*)\}", text)
    if not found:
        return [text]
    before, after = text[: found.start()], text[found.end() :]
    return [word for choice in found[1].split(",") for word in spell_out(before + choice + after)]


def pattern_in(word: str) -> str | None:
    return word[1:-1] if len(word) > 2 and word[0] == word[-1] == "/" else None


def check_match(match: Mapping[str, Any]) -> None:
    """Raises BadPack where a rule could not be used, or could be made slow by what somebody writes."""
    fault = best_match(_VALIDATOR.iter_errors(match))
    if fault:
        place = ".".join(str(step) for step in fault.absolute_path)
        raise BadPack(f"match {place}: {fault.message}")
    for case in cases_of(match):
        words = [word for name in WORD_LISTS for word in case.get(name, ())]
        for pattern in [*case.get("patterns", ()), *filter(None, map(pattern_in, words))]:
            check_pattern(pattern)
        for term in [*case["terms"], *(word for word in words if pattern_in(word) is None)]:
            if not fold_term(term)[0]:
                raise BadPack(f"“{term}” has no letter, digit or sign to look for")


def check_pattern(pattern: str) -> None:
    """Takes time linear in the text: every repeat bounded, none inside another, few ways to match."""
    if len(pattern) > MAX_PATTERN:
        raise BadPack(f"a pattern has at most {MAX_PATTERN} characters: {pattern[:40]}…")
    try:
        tree = sre.parse(pattern)
        re.compile(pattern)
    except (re.error, RecursionError) as fault:
        raise BadPack(f"{pattern}: {fault}") from None
    if tree.getwidth()[0] == 0:
        raise BadPack(f"{pattern}: matches nothing at all")
    if _choices(tree, pattern, is_repeated=False) > MAX_CHOICES:
        raise BadPack(f"{pattern}: too many ways to match; use smaller repeats")


def _choices(tree: Any, pattern: str, *, is_repeated: bool) -> int:
    """In how many ways the repeats of a pattern can share out a text."""
    ways = 1
    for op, value in tree:
        name = str(op)
        if name in {"GROUPREF", "GROUPREF_EXISTS"}:
            raise BadPack(f"{pattern}: no references to groups")
        if name == "LITERAL" and (fold(chr(value)).text != chr(value)):
            raise BadPack(f"{pattern}: “{chr(value)}” never stands in folded text; write “{fold(chr(value)).text}”")
        ways *= _repeat_ways(name, value, pattern, is_repeated)
        repeats = is_repeated or (name.endswith("REPEAT") and value[1] > 1)
        inner = [_choices(part, pattern, is_repeated=repeats) for part in _inner(name, value)]
        within = max(inner, default=1) * (_branches_at_once(value[1]) if name == "BRANCH" else 1)
        # Each time round it may be shared out anew.
        ways *= within ** (value[1] if name.endswith("REPEAT") else 1)
        ways = min(ways, MAX_CHOICES + 1)
    return ways


def ways_to_match(tree: Any, most: int) -> int:
    """As `_choices`, refusing nothing and counting no further than `most` + 1."""
    ways = 1
    for op, value in tree:
        name = str(op)
        within = max((ways_to_match(part, most) for part in _inner(name, value)), default=1)
        within *= _branches_at_once(value[1]) if name == "BRANCH" else 1
        if name.endswith("REPEAT"):
            within = (value[1] - value[0] + 1) * within ** value[1]
        ways = min(ways * within, most + 1)
    return ways


def _branches_at_once(branches: Sequence[Any]) -> int:
    """How many of them can match in one place: plain words only if one begins another."""
    words = ["".join(chr(value) for _, value in branch) for branch in branches if _is_word(branch)]
    return max(1, len(branches) - len(words) + max((sum(map(word.startswith, words)) for word in words), default=0))


def _is_word(branch: Any) -> bool:
    return all(str(op) == "LITERAL" for op, _ in branch)


def _repeat_ways(name: str, value: Any, pattern: str, is_repeated: bool) -> int:
    if not name.endswith("REPEAT"):
        return 1
    least, most, _ = value
    if most > 100:
        raise BadPack(f"{pattern}: bound every repeat, as in {{0,20}}")
    if most > least and most > 1 and is_repeated:
        raise BadPack(f"{pattern}: a repeat inside a repeat")
    return int(most - least + 1)


def _inner(name: str, value: Any) -> Sequence[Any]:
    """The patterns within a part of one."""
    if name == "BRANCH":
        return list(value[1])
    if name == "SUBPATTERN":
        return [value[3]]
    if name.endswith("REPEAT"):
        return [value[2]]
    if name in {"ASSERT", "ASSERT_NOT"}:
        return [value[1]]
    if name == "ATOMIC_GROUP":
        return [value]
    return []


def anchors_of(pattern: str) -> frozenset[str]:
    """Texts of which one stands in whatever the pattern finds; empty where that cannot be said."""
    return _anchors(sre.parse(pattern))


def _anchors(tree: Any) -> frozenset[str]:
    """The choice of fewest and longest among the parts that must be there."""
    best: frozenset[str] = frozenset()
    run = ""
    for op, value in [*tree, ("END", None)]:
        name = str(op)
        if name == "LITERAL":
            run += chr(value)
            continue
        best = _better(best, _usable({run}))
        run = ""
        best = _better(best, _part_anchors(name, value))
    return best


def _part_anchors(name: str, value: Any) -> frozenset[str]:
    if name == "BRANCH":
        branches = [_anchors(branch) for branch in value[1]]
        return frozenset().union(*branches) if all(branches) else frozenset()
    if name == "IN" and len(value) <= 40 and all(str(op) == "LITERAL" for op, _ in value):
        return _usable({chr(char) for _, char in value})
    if name == "SUBPATTERN" or (name.endswith("REPEAT") and value[0] > 0):
        return _anchors(_inner(name, value)[0])
    return frozenset()


def _usable(texts: set[str]) -> frozenset[str]:
    """As the automaton sees them; nothing where one would vanish."""
    bare = {fold(text).bare for text in texts}
    return frozenset(bare) if all(bare) else frozenset()


def _better(one: frozenset[str], other: frozenset[str]) -> frozenset[str]:
    return max(one, other, key=lambda anchors: min(map(len, anchors)) / len(anchors) if anchors else 0.0)
