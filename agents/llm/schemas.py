"""JSON Schemas on their way to a model, and what comes back."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from jsonschema import Draft202012Validator
from jsonschema.exceptions import SchemaError, ValidationError
from jsonschema.validators import extend
from referencing import Registry
from referencing.exceptions import Unresolvable

from agents.llm.types import Json

# What providers refuse in a schema that they enforce. We check it afterwards, so the answer fits all the same.
_DROPPED = {
    "minLength",
    "maxLength",
    "pattern",
    "format",
    "minimum",
    "maximum",
    "exclusiveMinimum",
    "exclusiveMaximum",
    "multipleOf",
    "minItems",
    "maxItems",
    "uniqueItems",
    "minProperties",
    "maxProperties",
    "default",
    "examples",
    "$schema",
    "$id",
}
# What they cannot enforce at all.
_BEYOND = {"patternProperties", "oneOf", "allOf", "not", "if", "prefixItems", "dependentRequired", "propertyNames"}
# Keywords whose keys are names, not keywords.
_NAMED = {"properties", "$defs", "definitions"}
# Keywords whose values are data, not schemas.
_DATA = {"const", "enum", "default", "examples", "required"}
# Patterns can take longer than anybody lives; what they match is cheap to check for whoever wants it.
_REFUSED = {"pattern", "patternProperties", "$dynamicRef", "$dynamicAnchor", "$recursiveRef", "$id"}
MAX_REFERENCES = 5_000
_FENCE = re.compile(r"^```[a-zA-Z]*\s*\n(.*)\n```$", re.DOTALL)
ADVICE = (
    "Answer with one JSON value that is valid under this JSON Schema, and with nothing else:"
    " no words before or after it, no code fence.\n"
)


@dataclass(frozen=True)
class Shape:
    """A schema in the form that providers enforce; `is_strict` where every property is required."""

    schema: dict[str, Any]
    is_strict: bool


def native(schema: Mapping[str, Json] | None) -> Shape | None:
    """None where a provider could not enforce it, so that it has to be asked for in words."""
    if schema is None or schema.get("type") != "object" or not _is_enforceable(schema):
        return None
    closed = _closed(schema)
    return Shape(closed, _is_strict(closed))


def by_prompt(system: str, schema: Mapping[str, Json]) -> str:
    return f"{system}\n\n{ADVICE}{json.dumps(schema, ensure_ascii=False)}".strip()


def _inner(schema: Mapping[str, Json]) -> list[Mapping[str, Json]]:
    found: list[Mapping[str, Json]] = []
    for name, value in schema.items():
        if name in _NAMED and isinstance(value, Mapping):
            found += [one for one in value.values() if isinstance(one, Mapping)]
        elif name in ("items", "additionalProperties") and isinstance(value, Mapping):
            found.append(value)
        elif name == "anyOf":
            found += [one for one in value if isinstance(one, Mapping)]
    return found


def _is_enforceable(schema: Mapping[str, Json]) -> bool:
    if _BEYOND & schema.keys():
        return False
    # A map with free keys cannot be closed.
    is_map = schema.get("type") == "object" and ("properties" not in schema or schema.get("additionalProperties"))
    return not is_map and all(map(_is_enforceable, _inner(schema)))


def _closed(schema: Mapping[str, Json]) -> dict[str, Any]:
    closed: dict[str, Any] = {}
    for name, value in schema.items():
        if name in _NAMED and isinstance(value, Mapping):
            closed[name] = {key: _closed(one) if isinstance(one, Mapping) else one for key, one in value.items()}
        elif name == "items" and isinstance(value, Mapping):
            closed[name] = _closed(value)
        elif name == "anyOf":
            closed[name] = [_closed(one) if isinstance(one, Mapping) else one for one in value]
        elif name not in _DROPPED:
            closed[name] = value
    if closed.get("type") == "object" or "object" in _types(closed):
        closed["additionalProperties"] = False
    return closed


def _types(schema: Mapping[str, Json]) -> list[str]:
    kinds = schema.get("type")
    return kinds if isinstance(kinds, list) else [kinds] if isinstance(kinds, str) else []


def _is_strict(schema: Mapping[str, Json]) -> bool:
    missing = set(schema.get("properties", {})) - set(schema.get("required", []))
    return not missing and all(map(_is_strict, _inner(schema)))


def danger(schema: Json, *, is_named: bool = False) -> str:
    """What a caller's schema may not hold, or nothing."""
    if isinstance(schema, list):
        return next(filter(None, map(danger, schema)), "")
    if not isinstance(schema, Mapping):
        return ""
    for name, value in schema.items():
        if is_named:
            found = danger(value)
        elif name in _REFUSED:
            found = f"{name} is not supported."
        elif name == "$ref" and not (isinstance(value, str) and value.startswith("#")):
            found = "$ref has to lead to a place within the schema."
        else:
            found = "" if name in _DATA else danger(value, is_named=name in _NAMED)
        if found:
            return found
    return ""


# --- what comes back --------------------------------------------------------------------------------------


def value_from(text: str) -> Json:
    """The JSON of an answer, fenced or not. Raises ValueError."""
    text = text.strip()
    fenced = _FENCE.match(text)
    return json.loads(fenced[1] if fenced else text, parse_constant=_refuse_constant)


def _refuse_constant(name: str) -> None:
    raise ValueError(f"{name} is no JSON")


def object_from(text: str) -> dict[str, Json] | None:
    try:
        value = value_from(text)
    except (ValueError, RecursionError):
        return None
    return value if isinstance(value, dict) else None


class TooMuchWork(Exception):
    """References upon references: it would not end in time."""


def misfit(value: Json, schema: Mapping[str, Json]) -> str:
    """The first reason why the value does not fit; empty when it does. Reads nothing from elsewhere."""
    try:
        error = next(_validator(schema).iter_errors(value), None)
    except (SchemaError, ValidationError, RecursionError, Unresolvable, TooMuchWork) as broken:
        return str(broken)[:500]
    if error is None:
        return ""
    return f"{'/'.join(map(str, error.absolute_path)) or 'the value'}: {error.message}"[:500]


def _validator(schema: Mapping[str, Json]) -> Any:
    """One that asks no address, and gives up where references multiply."""
    left = MAX_REFERENCES

    def follow(validator: Any, ref: Json, instance: Json, _schema: Json) -> Any:
        nonlocal left
        left -= 1
        if left < 0:
            raise TooMuchWork("the schema refers to itself too often")
        return validator._validate_reference(ref=ref, instance=instance)

    return extend(Draft202012Validator, {"$ref": follow})(schema, registry=Registry())
