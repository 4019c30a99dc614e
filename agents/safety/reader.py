"""The reader: a model without tools that may only fill in a form. No text of its own leaves it."""

import hashlib
import hmac
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.conf import settings

from agents.llm.types import Ask, Said
from agents.safety.kinds import Intent, Risk, Topic, Want
from agents.safety.normalise import Heard

LANGUAGES = ("en", "zh", "ja", "ko", "fr", "de", "es", "it", "pt", "ru", "ar", "other")
MAX_SHOWN = 4_000


def _one_of(values: object) -> dict[str, Any]:
    return {"type": "string", "enum": [str(value) for value in values]}  # type: ignore[attr-defined]


def _some_of(values: object, most: int) -> dict[str, Any]:
    return {"type": "array", "items": _one_of(values), "maxItems": most}


FORM: Mapping[str, Any] = {
    "type": "object",
    "properties": {
        "intent": _one_of(Intent),
        "sentiment": {"type": "number", "minimum": -1, "maximum": 1},
        "language": _one_of(LANGUAGES),
        "topics": _some_of(Topic, 3),
        "asks": _some_of(Want, 3),
        "risk_flags": _some_of(Risk, 6),
    },
    "required": ["intent", "sentiment", "language", "topics", "asks", "risk_flags"],
    "additionalProperties": False,
}


@dataclass(frozen=True)
class Reading:
    """What the model thinks, in closed words."""

    intent: Intent
    sentiment: float
    language: str
    topics: tuple[Topic, ...] = ()
    asks: tuple[Want, ...] = ()
    risks: frozenset[Risk] = frozenset()


def mark_of(run_key: str) -> str:
    """Around the stranger's text: different for each run, and not to be guessed by who writes it."""
    key = b"spotlight" + settings.SECRET_KEY.encode()
    return hmac.new(key, run_key.encode(), hashlib.sha256).hexdigest()[:16]


def reader_ask(heard: Heard, *, system: str, mark: str) -> Ask:
    lines = heard.text[:MAX_SHOWN].replace(mark, "")
    shown = f"Fill in the form for the text between the marks.\n\n=== {mark}\n{lines}\n=== {mark}"
    return Ask(role="sentiment", system=system, messages=(Said("user", shown),), schema=FORM, max_output=300)


def reading_of(data: Any) -> Reading | None:
    """None for what does not fit the form: nothing half-read is used."""
    try:
        return Reading(
            intent=Intent(data["intent"]),
            sentiment=max(-1.0, min(1.0, float(data["sentiment"]))),
            language=data["language"] if data["language"] in LANGUAGES else "other",
            topics=tuple(dict.fromkeys(Topic(name) for name in data["topics"])),
            asks=tuple(dict.fromkeys(Want(name) for name in data["asks"])),
            risks=frozenset(Risk(name) for name in data["risk_flags"]),
        )
    except (KeyError, TypeError, ValueError):
        return None
