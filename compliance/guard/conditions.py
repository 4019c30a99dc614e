"""Conditions over facts, as data.

`{"opted_out|unsubscribed": true, "*_last_hour": {"gte": {"fact": "limit_per_hour"}}, "via": ["api", "bot*"]}`: every
entry must hold. A name may have alternatives and `*`; one of its facts that holds is enough. A plain value asks for
equality, a list for membership (words may have `*`, too), a mapping for each of its operators. A fact that is absent or
null holds for nothing but `missing: true`, so that what nobody knows is never taken for true or for false by accident.
`any` is a list of which one must hold, `none` a list of which none may.
"""

import operator
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from fnmatch import translate
from typing import Any

from compliance.guard.rules import BadPack, checker

Facts = Mapping[str, Any]
Test = Callable[[Facts], bool]
_Check = Callable[[Any, Facts], bool]

_SCALAR = {"type": ["string", "number", "boolean"]}
_NUMBER = {
    "oneOf": [
        {"type": "number"},
        {
            "type": "object",
            "required": ["fact"],
            "additionalProperties": False,
            "properties": {"fact": {"type": "string", "minLength": 1}},
        },
    ]
}
_OPERATORS = {
    "type": "object",
    "minProperties": 1,
    "additionalProperties": False,
    "properties": {
        **dict.fromkeys(("gt", "gte", "lt", "lte"), _NUMBER),
        "in": {"type": "array", "items": _SCALAR, "minItems": 1},
        "not_in": {"type": "array", "items": _SCALAR, "minItems": 1},
        "missing": {"type": "boolean"},
    },
}
_LIST = {"type": "array", "minItems": 1, "maxItems": 20, "items": {"$ref": "#/$defs/when"}}
WHEN_SCHEMA: dict[str, Any] = {
    "$ref": "#/$defs/when",
    "$defs": {
        "when": {
            "type": "object",
            "maxProperties": 20,
            "properties": {"any": _LIST, "none": _LIST},
            "additionalProperties": {
                "oneOf": [_SCALAR, {"type": "array", "items": _SCALAR, "minItems": 1}, _OPERATORS]
            },
        }
    },
}
_check_shape = checker(WHEN_SCHEMA, "when")
# A rule of a workspace must not nest without end.
MAX_DEPTH = 4


def check_when(when: Any, depth: int = 0) -> None:
    """Raises BadPack."""
    if depth > MAX_DEPTH:
        raise BadPack(f"when: more than {MAX_DEPTH} levels of any and none")
    if depth == 0:
        _check_shape(when)
    for branch in (*when.get("any", ()), *when.get("none", ())):
        check_when(branch, depth + 1)


def compile_when(when: Mapping[str, Any]) -> Test:
    """A test of facts; `when` must have passed check_when."""
    tests = [_compile_entry(name, wanted) for name, wanted in when.items()]
    return lambda facts: all(test(facts) for test in tests)


def _compile_entry(name: str, wanted: Any) -> Test:
    if name == "any":
        branches = [compile_when(branch) for branch in wanted]
        return lambda facts: any(branch(facts) for branch in branches)
    if name == "none":
        branches = [compile_when(branch) for branch in wanted]
        return lambda facts: not any(branch(facts) for branch in branches)
    names = _Names.of(name)
    if isinstance(wanted, Mapping) and "missing" in wanted:
        return lambda facts: (not any(True for _ in names.values(facts))) == wanted["missing"]
    checks = _checks(wanted)
    limits = _limits(wanted)
    return lambda facts: any(all(check(value, facts) for check in checks) for value in names.values(facts, limits))


def _limits(wanted: Any) -> "_Names | None":
    """A fact that is the measure is not what is measured, though `*_24h` names both."""
    values = wanted.values() if isinstance(wanted, Mapping) else ()
    names = [value["fact"] for value in values if isinstance(value, Mapping)]
    return _Names.of("|".join(names)) if names else None


@dataclass(frozen=True)
class _Names:
    plain: tuple[str, ...]
    pattern: re.Pattern[str] | None

    @classmethod
    def of(cls, alternatives: str) -> "_Names":
        names = alternatives.split("|")
        globs = [translate(name) for name in names if "*" in name]
        plain = tuple(name for name in names if "*" not in name)
        return cls(plain, re.compile("|".join(globs)) if globs else None)

    def values(self, facts: Facts, besides: "_Names | None" = None) -> Iterator[Any]:
        for name in self.plain:
            if facts.get(name) is not None:
                yield facts[name]
        if self.pattern is not None:
            for name, value in facts.items():
                if value is not None and self.pattern.fullmatch(name) and not (besides and besides.has(name)):
                    yield value

    def has(self, name: str) -> bool:
        return name in self.plain or (self.pattern is not None and self.pattern.fullmatch(name) is not None)


def _checks(wanted: Any) -> list[_Check]:
    if isinstance(wanted, Mapping):
        return [_operator(name, value) for name, value in wanted.items()]
    return [_operator("in", wanted if isinstance(wanted, list) else [wanted])]


def _operator(name: str, wanted: Any) -> _Check:
    if name in {"in", "not_in"}:
        is_one_of = _membership([_plain(value) for value in wanted])
        return lambda value, facts: is_one_of(_plain(value)) == (name == "in")
    compare = getattr(operator, {"gte": "ge", "lte": "le"}.get(name, name))
    if isinstance(wanted, Mapping):
        names = _Names.of(wanted["fact"])
        return lambda value, facts: any(_compares(compare, value, other) for other in names.values(facts))
    return lambda value, facts: _compares(compare, value, wanted)


def _membership(wanted: list[Any]) -> Callable[[Any], bool]:
    exact = [value for value in wanted if not isinstance(value, str) or "*" not in value]
    globs = [translate(value) for value in wanted if isinstance(value, str) and "*" in value]
    if not globs:
        return lambda value: value in exact
    pattern = re.compile("|".join(globs))
    return lambda value: value in exact or (isinstance(value, str) and pattern.fullmatch(value) is not None)


def _compares(compare: Callable[[Any, Any], bool], value: Any, other: Any) -> bool:
    """Booleans count as 0 and 1, so that "is a repeat" and "so many repeats" may be asked alike."""
    return isinstance(value, int | float) and isinstance(other, int | float) and compare(value, other)


def _plain(value: Any) -> Any:
    """Whether a name is written `Human Agent` or `human_agent` must not matter."""
    return value.strip().lower().replace("-", "_").replace(" ", "_") if isinstance(value, str) else value
