"""Words by which people would look for a text: taken from it, chosen by number."""

import re
from collections import Counter
from typing import Any

from agents.llm.types import Ask, Said
from agents.memory.tokens import LITTLE_CHARACTERS, LITTLE_WORDS
from agents.safety.normalise import Heard

MOST, OFFERED = 8, 24
_LATIN = re.compile(r"[a-z][a-z'’-]{2,30}")
_HAN = re.compile(r"[\u3400-\u9fff]{2,}")
_CUT = re.compile("[" + "".join(sorted(LITTLE_CHARACTERS)) + "很太真好不没也都就还我你他她它们一个这那]+")


def candidates(heard: Heard) -> list[str]:
    """The most frequent first, then as they stand."""
    words = [word for word in _LATIN.findall(heard.folded) if word not in LITTLE_WORDS]
    han = [piece[:8] for run in _HAN.findall(heard.folded) for piece in _CUT.split(run) if len(piece) > 1]
    return [word for word, _count in Counter([*words, *han]).most_common(OFFERED)]


def pick_ask(offered: list[str], system: str) -> Ask:
    lines = "\n".join(f"{number}. {word}" for number, word in enumerate(offered, 1))
    form = {
        "type": "object",
        "properties": {
            "numbers": {
                "type": "array",
                "items": {"type": "integer", "minimum": 1, "maximum": max(1, len(offered))},
                "maxItems": MOST,
            }
        },
        "required": ["numbers"],
        "additionalProperties": False,
    }
    said = Said("user", f"Choose up to {MOST} of these words by their numbers.\n\n{lines}")
    return Ask(role="sentiment", system=system, messages=(said,), schema=form, max_output=200)


def picked(data: Any, offered: list[str]) -> list[str]:
    numbers = data.get("numbers", []) if isinstance(data, dict) else []
    found = [offered[n - 1] for n in numbers if isinstance(n, int) and 1 <= n <= len(offered)]
    return list(dict.fromkeys(found)) or offered[:MOST]
