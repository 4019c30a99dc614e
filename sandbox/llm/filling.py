"""Fills a JSON Schema with something that obeys it."""

import re
from typing import Any

from sandbox.llm.prompt import Prompt

_DEPTH = 8


def fill(schema: dict[str, Any], prompt: Prompt) -> Any:
    """Plain values: strings from the end of the prompt, the first of an enum, the least of a range."""
    return _value(schema, schema, prompt, 0)


def resolve(schema: dict[str, Any], root: dict[str, Any]) -> dict[str, Any]:
    reference = schema.get("$ref")
    if not isinstance(reference, str) or not reference.startswith("#/"):
        return schema
    found: Any = root
    for step in reference[2:].split("/"):
        found = found.get(step, {}) if isinstance(found, dict) else {}
    return found if isinstance(found, dict) else {}


def _value(schema: dict[str, Any], root: dict[str, Any], prompt: Prompt, depth: int) -> Any:
    schema = resolve(schema, root)
    if "const" in schema:
        return schema["const"]
    if schema.get("enum"):
        return schema["enum"][0]
    if "default" in schema:
        return schema["default"]
    for word in ("anyOf", "oneOf", "allOf"):
        if schema.get(word):
            return _value(schema[word][0], root, prompt, depth + 1)
    kind = schema.get("type")
    kind = kind[0] if isinstance(kind, list) else kind
    if kind == "object":
        names = schema.get("properties", {}) if depth < _DEPTH else {}
        return {name: _value(inner, root, prompt, depth + 1) for name, inner in names.items()}
    if kind == "array":
        least = max(1, int(schema.get("minItems", 1))) if depth < _DEPTH else int(schema.get("minItems", 0))
        return [_value(schema.get("items", {}), root, prompt, depth + 1) for _ in range(least)]
    if kind in ("integer", "number"):
        return schema.get("minimum", 1)
    if kind == "boolean":
        return False
    if kind == "null":
        return None
    return " ".join(re.split(r"\s+", prompt.last_user)[-5:])
