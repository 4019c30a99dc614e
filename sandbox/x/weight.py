"""The weighted length of a post (280, or 25,000 for premium accounts)."""

import re
import unicodedata

from sandbox.x.links import find_links

LINK_WEIGHT = 23
_LIGHT = ((0, 4351), (8192, 8205), (8208, 8223), (8242, 8247))

_LEADING_MENTIONS = re.compile(r"\A(?:@\w{1,15}\s+)+")
_PICTURE = (
    "[\U0001f000-\U0001faff\u00a9\u00ae\u203c\u2049\u2122\u2139\u2194-\u21aa\u231a-\u23ff\u24c2"
    "\u25aa-\u27bf\u2934\u2935\u2b05-\u2b55\u3030\u303d\u3297\u3299]"
)
_TONE = "[\U0001f3fb-\U0001f3ff]"
_ONE = f"(?:{_PICTURE}(?:{_TONE}|\ufe0f)?(?:[\U000e0020-\U000e007e]+\U000e007f)?)"
_EMOJI = re.compile(f"[\U0001f1e6-\U0001f1ff]{{2}}|[0-9#*]\ufe0f?\u20e3|(?P<joined>{_ONE}(?:\u200d{_ONE})*)")


def weighted_length(text: str, *, is_reply: bool = False) -> int:
    """The names a reply starts with are addressing, not text."""
    text = unicodedata.normalize("NFC", _LEADING_MENTIONS.sub("", text) if is_reply else text)
    total, position = 0, 0
    for link in find_links(text):
        total += _weigh(text[position : link.start]) + LINK_WEIGHT
        position = link.end
    return total + _weigh(text[position:])


def _weigh(text: str) -> int:
    total, position = 0, 0
    for match in _EMOJI.finditer(text):
        # A lone © or ™ is a letter to X; it becomes an emoji only with a selector behind it.
        if len(match.group()) == 1:
            continue
        total += _weigh_plain(text[position : match.start()]) + 2
        position = match.end()
    return total + _weigh_plain(text[position:])


def _weigh_plain(text: str) -> int:
    if text.isascii():
        return len(text)
    return sum(1 if any(low <= ord(char) <= high for low, high in _LIGHT) else 2 for char in text)
