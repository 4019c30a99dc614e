"""How Telegram measures and cleans a message: UTF-16 code units, after markup has become entities."""

import re

MAX_TEXT_LENGTH = 4096
MAX_CAPTION_LENGTH = 1024
# Line separators, marks of direction and a few overlaid lines go; control characters become spaces.
DROPPED = re.compile("[\r\u2028-\u202e\u0333\u033f\u030a]")
CONTROL = re.compile("[\x00-\x09\x0b\x0c\x0e-\x1f]")
# What Telegram counts as nothing when a text has nothing else.
INVISIBLE = re.compile("[\\s\u00ad\u200b-\u200f\u2060-\u2064\ufeff]*")
SURROGATE = re.compile("[\ud800-\udfff]")


def utf16_length(text: str) -> int:
    # A surrogate without its partner counts one; encoding it strictly would fail.
    return len(text.encode("utf-16-le", "surrogatepass")) // 2


def check_text(text: str) -> tuple[int, bool]:
    length = utf16_length(text)
    return length, 1 <= length <= MAX_TEXT_LENGTH


def cleaned(text: str) -> str:
    """As Telegram shows it, apart from white space at the ends."""
    return DROPPED.sub("", CONTROL.sub(" ", text))


def can_be_sent(text: str) -> bool:
    """False for half characters, and for a text in which Telegram sees nothing at all."""
    if SURROGATE.search(text):
        return False
    return not text or not INVISIBLE.fullmatch(cleaned(text))
