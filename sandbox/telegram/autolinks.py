"""What Telegram finds in a text by itself: links, addresses, names, tags and commands."""

import re
from collections.abc import Iterator

# The domains people use, not the whole root zone: one without a scheme is a link only when it ends in one of these.
_TLD = (
    "com net org info biz edu gov io co me app dev ai blog shop store online site tech club live news page link team "
    "agency media digital studio design marketing cloud world space fun eu uk us ca au nz ie de fr es it pt nl be ch "
    "at se no dk fi pl cz sk hu ro bg gr tr ru ua by kz cn jp kr tw hk sg in id my th vn ph br mx ar cl za ng ke eg "
    "il ae sa tv fm gg to ly"
)
_HOST = r"(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)+"
_TAIL = r"(?::\d{1,5})?(?:[/?#][^\s<>\"«»“”]*)?"
_LOCAL = r"(?:\d{1,3}\.){3}\d{1,3}"
_URL = re.compile(
    rf"(?<![\w@./-])(?:(?:https?|ftp)://(?:{_HOST}[a-z][a-z0-9-]*[a-z0-9]|{_LOCAL}){_TAIL}"
    rf"|{_HOST}(?:{'|'.join(_TLD.split())})(?![\w@-]|\.\w){_TAIL}|(?:tg|ton)://[a-z0-9_?=&/-]+)",
    re.IGNORECASE,
)
_PATTERNS = (
    ("email", re.compile(r"(?<![\w.+-])[a-z0-9][\w.+-]*@(?:[a-z0-9-]+\.)+[a-z]{2,24}(?![\w-])", re.IGNORECASE)),
    ("url", _URL),
    ("mention", re.compile(r"(?<![\w@/])@[a-z][a-z0-9_]{2,31}(?!\w)", re.IGNORECASE | re.ASCII)),
    ("hashtag", re.compile(r"(?<![\w#])#(?=\w*[^\W\d_])\w{1,256}(?:@[a-z]\w{2,31})?", re.IGNORECASE)),
    ("cashtag", re.compile(r"(?<![\w$])\$(?:1INCH|[A-Z]{1,8})(?!\w)")),
    ("bot_command", re.compile(r"(?<![\w/<>])/[a-z0-9_]{1,64}(?:@[a-z]\w{2,31})?(?![\w/])", re.IGNORECASE | re.ASCII)),
)
# Punctuation that ends a sentence rather than an address.
_TRAILING = ".,:;!?'\")]}"


def find(text: str) -> list[tuple[str, int, int]]:
    """(type, start, end) in UTF-16 units, never overlapping, in the order of the text."""
    taken: list[tuple[int, int]] = []
    found = []
    for kind, pattern in _PATTERNS:
        for start, end in _spans(pattern, text, is_url=kind == "url"):
            if not any(start < other_end and other_start < end for other_start, other_end in taken):
                taken.append((start, end))
                found.append((kind, _units(text, start), _units(text, end)))
    return sorted(found, key=lambda one: one[1])


def _spans(pattern: re.Pattern[str], text: str, *, is_url: bool) -> Iterator[tuple[int, int]]:
    for match in pattern.finditer(text):
        yield match.start(), match.start() + len(_stripped(match.group()) if is_url else match.group())


def _stripped(url: str) -> str:
    while url and url[-1] in _TRAILING:
        # A bracket that was opened inside belongs to the address.
        if url[-1] == ")" and url.count("(") >= url.count(")"):
            break
        url = url[:-1]
    return url


def _units(text: str, index: int) -> int:
    return len(text[:index].encode("utf-16-le", "surrogatepass")) // 2
