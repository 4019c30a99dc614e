"""What every provider looks at in a request; each has its own words for what is wrong."""

import re
from dataclasses import dataclass
from typing import Any

TOOL_NAME = re.compile(r"[a-zA-Z0-9_-]{1,128}\Z")


@dataclass
class Rejected(Exception):
    """The request is refused; the wire puts it into the provider's form."""

    message: str
    param: str | None = None
    code: str | None = None
    status: int = 400


def is_whole(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


_KINDS = ("object", "array", "string", "integer", "number", "boolean", "null")
_WHOLE_WORDS = ("minItems", "maxItems", "minLength", "maxLength")
_NUMBER_WORDS = ("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf")
_LIST_WORDS = ("enum", "required", "anyOf", "oneOf", "allOf")
_OBJECT_WORDS = ("properties", "$defs", "definitions")


def shape_problem(schema: Any) -> str | None:
    """The first word of a JSON Schema, or of one inside it, that has the wrong type."""
    if not isinstance(schema, dict):
        return "schema"
    wrong = _wrong_word(schema)
    if wrong:
        return wrong
    inner = [one for word in _OBJECT_WORDS for one in schema.get(word, {}).values()]
    inner += [one for word in ("anyOf", "oneOf", "allOf") for one in schema.get(word, [])]
    inner += [schema["items"]] if "items" in schema else []
    return next((found for one in inner if (found := shape_problem(one))), None)


def _wrong_word(schema: dict[str, Any]) -> str | None:
    kinds = schema.get("type", "object")
    tests = [
        ("type", all(kind in _KINDS for kind in (kinds if isinstance(kinds, list) and kinds else [kinds]))),
        *[
            (word, isinstance(schema.get(word, ["x"]), list) and schema.get(word, ["x"]) != [])
            for word in _LIST_WORDS[:1]
        ],
        *[(word, isinstance(schema.get(word, []), list)) for word in _LIST_WORDS[1:]],
        *[(word, isinstance(schema.get(word, {}), dict)) for word in _OBJECT_WORDS],
        *[(word, is_whole(schema.get(word, 0)) and 0 <= schema.get(word, 0) < 10_000) for word in _WHOLE_WORDS],
        *[(word, is_number(schema.get(word, 1))) for word in _NUMBER_WORDS],
    ]
    return next((word for word, is_right in tests if not is_right), None)


def objects_in(schema: Any, path: tuple[str, ...] = ()) -> list[tuple[tuple[str, ...], dict[str, Any]]]:
    """Every schema inside a JSON Schema with where it stands, itself first."""
    if not isinstance(schema, dict):
        return []
    found = [(path, schema)]
    for word in ("properties", "$defs", "definitions"):
        for name, inner in (schema.get(word) or {}).items():
            found += objects_in(inner, (*path, word, name))
    for word in ("anyOf", "oneOf", "allOf"):
        for index, inner in enumerate(schema.get(word) or []):
            found += objects_in(inner, (*path, word, str(index)))
    if isinstance(schema.get("items"), dict):
        found += objects_in(schema["items"], (*path, "items"))
    return found


def is_object_schema(schema: dict[str, Any]) -> bool:
    kind = schema.get("type")
    return kind == "object" or (isinstance(kind, list) and "object" in kind)
