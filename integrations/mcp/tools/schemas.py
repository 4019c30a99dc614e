"""Pieces of the tools' JSON Schemas, and reading what was sent by them. Every object of arguments is closed."""

from collections.abc import Iterable, Sequence
from datetime import date, datetime
from typing import Any
from uuid import UUID

from django.core.exceptions import ValidationError

JSON = dict[str, Any]


def closed(required: Sequence[str] = (), /, **properties: JSON) -> JSON:
    schema: JSON = {"type": "object", "properties": properties, "additionalProperties": False}
    return schema | {"required": list(required)} if required else schema


def text(description: str, most: int, *, least: int = 0) -> JSON:
    schema: JSON = {"type": "string", "maxLength": most, "description": description}
    return schema | {"minLength": least} if least else schema


def choice(description: str, values: Iterable[str], *, default: str | None = None) -> JSON:
    schema: JSON = {"type": "string", "enum": list(values), "description": description}
    return schema | {"default": default} if default is not None else schema


def an_id(description: str) -> JSON:
    return {"type": "string", "format": "uuid", "maxLength": 36, "description": description}


def a_day(description: str) -> JSON:
    return {"type": "string", "format": "date", "maxLength": 10, "description": description}


def a_moment(description: str) -> JSON:
    said = f"{description} With its zone, such as 2026-12-01T09:00:00+01:00."
    return {"type": "string", "format": "date-time", "maxLength": 40, "description": said}


def whole(description: str, least: int, most: int, *, default: int | None = None) -> JSON:
    schema: JSON = {"type": "integer", "minimum": least, "maximum": most, "description": description}
    return schema | {"default": default} if default is not None else schema


def many(items: JSON, description: str, most: int, *, least: int = 0) -> JSON:
    schema: JSON = {"type": "array", "items": items, "maxItems": most, "description": description}
    return schema | {"minItems": least} if least else schema


def gives(**kinds: str) -> JSON:
    """The shape of an answer: each field's JSON type; with a question mark it may be null."""
    return {
        "type": "object",
        "properties": {name: {"type": _types(kind)} for name, kind in kinds.items()},
        "required": list(kinds),
        "additionalProperties": False,
    }


def _types(kind: str) -> str | list[str]:
    return [kind[:-1], "null"] if kind.endswith("?") else kind


# --- what was sent ------------------------------------------------------------------------------------------


def id_of(args: JSON, name: str) -> UUID | None:
    """None where it was left out. Raises ValidationError for what is no id."""
    return as_id(args[name], name) if args.get(name) else None


def need_id(args: JSON, name: str) -> UUID:
    return as_id(args[name], name)


def ids_of(args: JSON, name: str) -> list[UUID]:
    return [as_id(value, name) for value in args.get(name, ())]


def as_id(value: str, name: str) -> UUID:
    try:
        return UUID(value)
    except ValueError as error:
        raise ValidationError({name: "This is no id. Take one from a list or another answer."}) from error


def day_of(args: JSON, name: str) -> date | None:
    try:
        return date.fromisoformat(args[name]) if args.get(name) else None
    except ValueError as error:
        raise ValidationError({name: "Write a day such as 2026-12-01."}) from error


def moment_of(args: JSON, name: str) -> datetime | None:
    return as_moment(args[name], name) if args.get(name) else None


def as_moment(value: str, name: str) -> datetime:
    """Raises ValidationError without a zone: nobody can tell which nine o'clock was meant."""
    try:
        at = datetime.fromisoformat(value)
        if at.utcoffset() is None:
            raise ValueError("no zone")
    except ValueError as error:
        raise ValidationError({name: "Write a time with its zone, such as 2026-12-01T09:00:00+01:00."}) from error
    return at
