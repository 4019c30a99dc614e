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
