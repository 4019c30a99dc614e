"""What somebody typed, as the one value that everybody who means the same thing watches."""

import re
import unicodedata
from dataclasses import dataclass

from django.core.exceptions import ValidationError

from lib.text import one_line, storable
from personal.models import WatchKind

MAX_VALUE = 120
HANDLE = re.compile(r"[a-z0-9_]{1,15}")
SYMBOL = re.compile(r"[a-z0-9][a-z0-9.\-]{0,11}")
PROFILE = re.compile(r"(?:https?://)?(?:www\.|mobile\.)?(?:x|twitter)\.com/@?(\w{1,15})/?(?:[?#].*)?", re.IGNORECASE)
SIGNS = {"@": WatchKind.ACCOUNT, "#": WatchKind.KEYWORD, "$": WatchKind.SYMBOL}
SHOWN_SIGNS = {WatchKind.ACCOUNT: "@", WatchKind.SYMBOL: "$", WatchKind.KEYWORD: ""}

NOTHING = "Type an account (@name), a word or #tag, or a symbol ($NAME)."
NO_HANDLE = "An account on X has up to 15 letters, digits and underscores."
NO_SYMBOL = "A symbol has up to 12 letters, digits, dots and hyphens, such as $BRK.B or $0700.HK."
NO_WORD = "A keyword needs a letter or a digit, and at most 120 characters."


@dataclass(frozen=True)
class Value:
    kind: str
    value: str

    @property
    def shown(self) -> str:
        return show_value(self.kind, self.value)


def show_value(kind: str, value: str) -> str:
    return SHOWN_SIGNS[WatchKind(kind)] + (value.upper() if kind == WatchKind.SYMBOL else value)


def read_value(typed: str, kind: str = "") -> Value:
    """`kind` decides; without it the sign in front does, and a bare word is a keyword. Raises ValidationError."""
    text = plain(typed)
    if found := PROFILE.fullmatch(text):
        text = f"@{found[1]}"
    sign, rest = (text[0], text[1:].strip()) if text[:1] in SIGNS else ("", text)
    kind = kind or SIGNS.get(sign, WatchKind.KEYWORD)
    if kind not in WatchKind.values:
        raise ValidationError({"kind": f"Choose one of {', '.join(WatchKind.values)}."})
    if not rest:
        raise ValidationError({"value": NOTHING})
    _check(kind, rest)
    return Value(str(WatchKind(kind)), rest)


def plain(text: str) -> str:
    """NFKC, folded, in one line. Folding may undo what was composed, hence composed again: the same for ever."""
    folded = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", storable(text)).casefold())
    kept = "".join(mark if unicodedata.category(mark) not in {"Cc", "Cf"} else " " for mark in folded)
    return unicodedata.normalize("NFKC", one_line(kept))


def _check(kind: str, value: str) -> None:
    if kind == WatchKind.ACCOUNT and not HANDLE.fullmatch(value):
        raise ValidationError({"value": NO_HANDLE})
    if kind == WatchKind.SYMBOL and not SYMBOL.fullmatch(value):
        raise ValidationError({"value": NO_SYMBOL})
    if kind == WatchKind.KEYWORD and (len(value) > MAX_VALUE or not any(mark.isalnum() for mark in value)):
        raise ValidationError({"value": NO_WORD})
