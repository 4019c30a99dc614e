"""Text as UTF-16 code units held one per character, the way X's rules see it.

Half a surrogate pair is a character of its own there: it may stand before a link or inside a host name.
"""

import re
from bisect import bisect_right

ASTRAL = re.compile("[\U00010000-\U0010ffff]")
SURROGATE = re.compile("[\ud800-\udfff]")


def utf16_length(text: str) -> int:
    return len(text.encode("utf-16-le", "surrogatepass")) // 2


def split_pairs(text: str) -> str:
    def halves(match: re.Match[str]) -> str:
        high, low = divmod(ord(match.group()) - 0x10000, 0x400)
        return chr(0xD800 + high) + chr(0xDC00 + low)

    return ASTRAL.sub(halves, text)


def join_pairs(units: str) -> str:
    """The reverse; a surrogate without its partner stays as it is."""
    if not SURROGATE.search(units):
        return units
    return units.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "surrogatepass")


class CodePoints:
    """Turns offsets in code units into offsets in code points of the same text."""

    def __init__(self, text: str) -> None:
        self.lows = [match.start() + nth + 1 for nth, match in enumerate(ASTRAL.finditer(text))]

    def offset(self, unit: int) -> int:
        # An offset inside a pair is that of its character.
        return unit - bisect_right(self.lows, unit)
