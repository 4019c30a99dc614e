"""What a stranger wrote, fit to be read: what a person would see, and apart from it what else it could say."""

import re
import unicodedata
from dataclasses import dataclass
from functools import cached_property

from agents.safety.decoding import other_readings
from agents.safety.markup import visible_text
from compliance.guard.text import fold

MAX_CHARACTERS = 8_000
_TAG_FROM, _TAG_TO = 0xE0000, 0xE007F
_TURNED = re.compile(r"[\u202e\u2067]([^\u202c\u2069\n]*)[\u202c\u2069]?")
_BLANKS = re.compile(r"[^\S\n]+")
_MANY_LINES = re.compile(r"\n\s*\n+")


@dataclass(frozen=True)
class Heard:
    """`raw` is kept for the audit alone; `text` is what models and matchers get; `hidden` is what nobody would see;
    `readings` are the other things it says once it is decoded."""

    raw: str
    text: str
    hidden: tuple[str, ...] = ()
    readings: tuple[str, ...] = ()

    @cached_property
    def folded(self) -> str:
        return fold(self.text).text

    @cached_property
    def markup(self) -> str:
        """With its marks, for what pretends to be part of a conversation or of a page."""
        return fold(self.raw[:MAX_CHARACTERS]).text

    @cached_property
    def said(self) -> tuple[str, ...]:
        """Everything it could mean, each folded: the text first."""
        return (self.folded, *(fold(one).text for one in (*self.hidden, *self.readings)))


def hear(raw: str) -> Heard:
    cut = raw[:MAX_CHARACTERS]
    smuggled = [text for text in (_tags(cut), _selectors(cut), *_turned(cut)) if text.strip()]
    seen, concealed = visible_text(cut)
    text = tidy(seen)
    readings = [reading for one in (text, *concealed) for reading in other_readings(one)]
    return Heard(raw, text, (*smuggled, *concealed), tuple(dict.fromkeys(readings)))


def tidy(text: str) -> str:
    """One form for each character; without those that nobody sees, or that turn the order of others around."""
    plain = unicodedata.normalize("NFKC", text)
    kept = "".join(char for char in plain if char == "\n" or not _is_unseen(char))
    return _MANY_LINES.sub("\n", "\n".join(line.strip() for line in _BLANKS.sub(" ", kept).split("\n"))).strip()


def _is_unseen(char: str) -> bool:
    return unicodedata.category(char) in {"Cc", "Cf", "Co", "Cs", "Cn"} or "\ufe00" <= char <= "\ufe0f"


def _tags(text: str) -> str:
    """Unicode's tag characters are ASCII that no font draws."""
    codes = [ord(char) - _TAG_FROM for char in text if _TAG_FROM <= ord(char) <= _TAG_TO]
    return "".join(chr(code) for code in codes if 0x20 <= code < 0x7F)


def _selectors(text: str) -> str:
    """Variation selectors in a row carry one byte each."""
    data = bytes(
        code - 0xFE00 if code <= 0xFE0F else code - 0xE0100 + 16
        for code in map(ord, text)
        if 0xFE00 <= code <= 0xFE0F or 0xE0100 <= code <= 0xE01EF
    )
    return data.decode("utf-8", "ignore") if len(data) > 3 else ""


def _turned(text: str) -> list[str]:
    """What is written backwards under a mark that shows it forwards."""
    return [found[::-1] for found in _TURNED.findall(text)]
