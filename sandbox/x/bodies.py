"""The shapes of JSON bodies, as facts of X's published schema, and a checker for the part of JSON Schema used."""

import re
from typing import Any

from sandbox.x import problems

Schema = dict[str, Any]


def _object(required: list[str] | None = None, **properties: Schema) -> Schema:
    return {"type": dict, "required": required or [], "properties": properties}


ID: Schema = {"type": str, "pattern": r"[0-9]{1,19}"}
TEXT: Schema = {"type": str}
FLAG: Schema = {"type": bool}
REPLY_SETTINGS: Schema = {"type": str, "enum": ["following", "mentionedUsers", "subscribers", "verified"]}
_URL = _object(["url"], url=TEXT)

CREATE_POST = _object(
    text=TEXT,
    reply=_object(
        ["in_reply_to_tweet_id"],
        in_reply_to_tweet_id=ID,
        exclude_reply_user_ids={"type": list, "items": ID},
        auto_populate_reply_metadata=FLAG,
    ),
    media=_object(
        ["media_ids"],
        media_ids={"type": list, "items": ID, "min": 1, "max": 4},
        tagged_user_ids={"type": list, "items": ID, "min": 0, "max": 10},
        call_to_actions=_object(
            visit_site=_URL,
            watch_now=_URL,
            app_install=_object(app_store_id=TEXT, ipad_app_store_id=TEXT, play_store_id=TEXT),
        ),
        embeddable=FLAG,
        preview_media_id=ID,
        title=TEXT,
        description=TEXT,
    ),
    poll=_object(
        ["options", "duration_minutes"],
        options={"type": list, "items": {"type": str, "min": 1, "max": 25}, "min": 2, "max": 4},
        duration_minutes={"type": int, "min": 5, "max": 10080},
        reply_settings=REPLY_SETTINGS,
    ),
    quote_tweet_id=ID,
    reply_settings=REPLY_SETTINGS,
    community_id=ID,
    share_with_followers=FLAG,
    edit_options=_object(["previous_post_id"], previous_post_id=ID),
    made_with_ai=FLAG,
    paid_partnership=FLAG,
    nullcast=FLAG,
    for_super_followers_only=FLAG,
    direct_message_deep_link=TEXT,
    card_uri=TEXT,
    geo=_object(["place_id"], place_id=TEXT),
)
HIDE_REPLY = _object(["hidden"], hidden=FLAG)
INITIALIZE = _object(
    ["media_type", "total_bytes"],
    media_type=TEXT,
    total_bytes={"type": int, "min": 0, "max": 17179869184},
    media_category=TEXT,
    shared=FLAG,
    additional_owners={"type": list, "items": ID},
)
APPEND = _object(["media", "segment_index"], media=TEXT, segment_index={"type": int, "min": 0, "max": 999})
METADATA = _object(
    ["id"],
    id=ID,
    metadata={
        "type": dict,
        "open": True,
        "required": [],
        "properties": {"alt_text": _object(["text"], text={"type": str, "max": 1000})},
    },
)
SUBTITLES = _object(
    id=ID,
    media_category={"type": str, "enum": ["AmplifyVideo", "TweetVideo"]},
    subtitles=_object(id=ID, display_name=TEXT, language_code={"type": str, "pattern": r"[A-Z]{2}"}),
)


def check(body: Any, schema: Schema, path: str = "") -> None:
    """Raises the 400 of X, naming the first part that does not fit."""
    kind = schema["type"]
    # bool is an int in Python, but not in JSON.
    if not isinstance(body, kind) or (kind is int and isinstance(body, bool)):
        raise problems.invalid(path or "body", body, f"$.{path}: expected {_NAMES[kind]}")
    if kind is dict:
        _check_object(body, schema, path)
    elif kind is list:
        _check_size(len(body), schema, path, body, "items")
        for index, item in enumerate(body):
            check(item, schema["items"], f"{path}[{index}]")
    elif kind is str:
        _check_size(len(body), schema, path, body, "characters")
        _check_text(body, schema, path)
    elif kind is int:
        _check_size(body, schema, path, body, "")


_NAMES = {dict: "an object", list: "an array", str: "a string", int: "an integer", bool: "a boolean"}


def _check_object(body: dict[str, Any], schema: Schema, path: str) -> None:
    prefix = f"{path}." if path else ""
    for name in schema["required"]:
        if name not in body:
            raise problems.invalid(prefix + name, "", f"$.{prefix}{name}: is missing but it is required")
    for name, value in body.items():
        inner = schema["properties"].get(name)
        if inner is not None:
            check(value, inner, prefix + name)
        elif not schema.get("open"):
            raise problems.invalid(
                prefix + name,
                value,
                f"$.{prefix}{name}: is not defined in the schema and the schema does not allow additional properties",
            )


def _check_size(size: int, schema: Schema, path: str, value: Any, unit: str) -> None:
    low, high = schema.get("min"), schema.get("max")
    if (low is not None and size < low) or (high is not None and size > high):
        raise problems.invalid(path, value, f"$.{path}: must be {low or 0} to {high} {unit}".rstrip())


def _check_text(value: str, schema: Schema, path: str) -> None:
    if any("\ud800" <= char <= "\udfff" for char in value):
        raise problems.invalid(path, "", f"$.{path}: half a surrogate pair is no character")
    if "enum" in schema and value not in schema["enum"]:
        raise problems.invalid(path, value, f"$.{path}: does not have a value in the enumeration {schema['enum']}")
    if "pattern" in schema and not re.fullmatch(schema["pattern"], value):
        raise problems.invalid(path, value, f"$.{path}: does not match the regex pattern ^{schema['pattern']}$")
