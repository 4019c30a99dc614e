"""Which parts of a post X turns into links: the rules of twitter-text 3.1, matched in linear time.

The vendor's single pattern retries a host name from every character, so a long line without spaces takes minutes.
Here each run of host characters is cut at its dots once, and every rule looks at the labels.
"""

import re
from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass

from .tlds import ASCII, INTERNATIONAL
from .units import join_pairs

MAX_URL_LENGTH = 4096
MAX_LABEL_LENGTH = 63
MAX_SHORT_LINK_SLUG = 40

DIRECTIONAL = "\u202a-\u202e\u061c\u200e\u200f\u2066-\u2069"
INVALID = "\ufffe\ufeff\uffff"
SPACES = "\t-\r \x85\xa0\u1680\u180e\u2000-\u200a\u2028\u2029\u202f\u205f\u3000"
LATIN = (
    "\xc0-\xd6\xd8-\xf6\xf8-\u024f\u0253\u0254\u0256\u0257\u0259\u025b\u0263\u0268\u026f\u0272\u0289\u028b\u02bb"
    "\u0300-\u036f\u1e00-\u1eff"
)
# Letters outside the range that share a capital with one inside: the vendor's patterns ignore case.
LATIN_CASES = "\u0260\u0269\u0275\u0280\u0283\u0288\u028a\u028c\u0292\u0399\u03b9\u1fbe\u2c65\u2c66\u2c7e\u2c7f\ua7dc"
CYRILLIC = "\u0400-\u04ff\u1c80-\u1c87"

HOST_RUN = re.compile(rf"[^!'#%&()*+,\\/:;<=>?@\[\]^{{|}}~${SPACES}{INVALID}{DIRECTIONAL}]+")
ASCII_HOST_RUN = re.compile(rf"[-.A-Za-z0-9{LATIN}{LATIN_CASES}]+")
BEFORE_LINK = rf"[^A-Za-z0-9@＠$#＃{INVALID}]"
# At the very start the vendor prefers to spend the first character as the one before the link.
HOST_START = re.compile(rf"(?:^(?!{BEFORE_LINK}[^-_.])|(?<={BEFORE_LINK}))[^-_.]")
ANYTHING = re.compile(r"(?s:.)")

ASCII_TLD = re.compile(r"[A-Za-z]++(?![0-9@+-])")
# Compared in capitals, the longest first: one name may begin another.
INTERNATIONAL_TLDS = frozenset(tld.upper() for tld in INTERNATIONAL)
INTERNATIONAL_OPENINGS = frozenset(tld[0] for tld in INTERNATIONAL_TLDS)
INTERNATIONAL_LENGTHS = sorted({len(tld) for tld in INTERNATIONAL_TLDS}, reverse=True)
AFTER_TLD = re.compile(r"(?![0-9A-Za-z@+-])")
PUNYCODE_TLD = re.compile(r"[xX][nN]--[-0-9A-Za-z]+")

IN_PATH = rf"[A-Za-z0-9!*';:=+,.$/%#\[\]\-\u2013_~@|&{CYRILLIC}{LATIN}{LATIN_CASES}]"
PARENTHESES = rf"\((?:{IN_PATH}+|{IN_PATH}*\({IN_PATH}+\){IN_PATH}*)\)"
PATH_END = rf"[A-Za-z0-9+\-=_#/{CYRILLIC}{LATIN}{LATIN_CASES}]"
# Parentheses end a path only right behind another piece: `/a(b)` is whole, the tail of `/!(b)` is not linked.
PATH = rf"/(?:{IN_PATH}*(?:{PARENTHESES}{IN_PATH}*)*{PATH_END}|{PARENTHESES}|@{IN_PATH}+/)*"
QUERY = r"\?[A-Za-z0-9!?*'@();:&=+$/%#\[\]\-_.,~|]*[A-Za-z0-9\-_&=#/]"
AFTER_HOST = re.compile(rf"(?::[0-9]+)?({PATH})?(?:{QUERY})?")
SHORT_LINK = re.compile(rf"https?://t\.co/([a-z0-9]+)(?:{QUERY})?", re.IGNORECASE | re.ASCII)

# Full stops that registrars accept inside a label besides the plain one.
OTHER_DOTS = re.compile("[\u3002\uff0e\uff61]")


@dataclass(frozen=True, slots=True)
class Link:
    """A link in code units. The URL can be shorter than its span: X drops the part of a host name it does not link."""

    url: str
    start: int
    end: int


def find_links(units: str) -> list[Link]:
    """The links in a text given as code units, in order; `a.com` counts without a protocol, `a.中国` does not."""
    links: list[Link] = []
    done = 0
    for run in HOST_RUN.finditer(units):
        if "." in run.group():
            done = _find_in_run(units, run, done, links)
    return links


def _find_in_run(units: str, run: re.Match[str], done: int, links: list[Link]) -> int:
    """Adds the links whose host lies in the run; returns the end of the last match, linked or refused."""
    names = _HostNames(units, run.span(), len(units), HOST_START, edges="-_")
    start = _protocol_start(units, run.start(), done)
    if start is not None and (end := names.end_from(run.start(), 0)) is not None:
        done = _after_host(units, end).end()
        links.extend(_with_protocol(units[start:done], start, units[run.start() : end]))
    while found := names.find(done + 1 if done else 0):
        host_start, host_end = found
        rest = _after_host(units, host_end)
        done = rest.end()
        links.extend(_without_protocol(units, host_start, rest))
    return done


def _after_host(units: str, at: int) -> re.Match[str]:
    rest = AFTER_HOST.match(units, at)
    assert rest is not None  # every part is optional
    return rest


def _protocol_start(units: str, host_start: int, done: int) -> int | None:
    for protocol in ("https://", "http://"):
        start = host_start - len(protocol)
        if start >= 0 and units[start:host_start].lower() == protocol:
            # Nothing may be matched twice, not even the character before a link.
            is_free = start > done or start == done == 0
            return start if is_free and HOST_START.match(units, start) else None
    return None


def _with_protocol(url: str, start: int, host: str) -> Iterator[Link]:
    protocol_length = url.index("//") + 2
    if not _is_valid(url, protocol_length, host):
        return
    if short := SHORT_LINK.match(url):
        if len(short.group(1)) > MAX_SHORT_LINK_SLUG:
            return
        url = short.group()
    yield Link(url, start, start + len(url))


def _without_protocol(units: str, start: int, rest: re.Match[str]) -> Iterator[Link]:
    host, after = units[start : rest.start()], rest.group()
    if not _is_valid(host + after, len("https://"), host) or (start and units[start - 1] in "-_./"):
        return
    links = [Link(name, start + at, start + at + len(name)) for name, at in _ascii_names(host)]
    if links and rest.group(1):
        last = links.pop()
        links.append(Link(last.url + after, last.start, rest.end()))
    yield from links


def _ascii_names(host: str) -> Iterator[tuple[str, int]]:
    done = 0
    for run in ASCII_HOST_RUN.finditer(host):
        names = _HostNames(host, run.span(), len(host), ANYTHING, edges="")
        reached = run.start()
        while found := names.find(reached):
            start, reached = found
            name = host[start:reached]
            # The vendor looks the name up again and takes the first place where it stands.
            at = host.index(name, done)
            done = at + len(name)
            yield name, at


class _HostNames:
    """The host names in one run, leftmost and longest first, each label and top-level domain judged once."""

    def __init__(self, units: str, run: tuple[int, int], limit: int, opening: re.Pattern[str], edges: str) -> None:
        self.units, self.opening, self.edges = units, opening, edges
        self.dots = [dot for dot in range(*run) if units[dot] == "."]
        self.starts = [run[0], *(dot + 1 for dot in self.dots)]
        self.tld_ends = [_tld_end(units, dot + 1, limit) for dot in self.dots]
        # Where the longest name ends that begins with a whole label.
        self.ends: list[int | None] = [None] * len(self.starts)
        for nth in reversed(range(len(self.dots))):
            self.ends[nth] = self.end_from(self.starts[nth], nth)

    def end_from(self, start: int, nth: int) -> int | None:
        """The end of the longest name that starts inside label `nth`."""
        if nth >= len(self.dots) or start >= self.dots[nth]:
            return None
        dot = self.dots[nth]
        if self.units[start] in self.edges or self.units[dot - 1] in self.edges:
            return None
        if self.ends[nth + 1] is not None:
            return self.ends[nth + 1]
        # Only a subdomain may hold an underscore.
        return None if "_" in self.units[start:dot] else self.tld_ends[nth]

    def find(self, lowest: int) -> tuple[int, int] | None:
        for nth in range(max(0, bisect_right(self.starts, lowest) - 1), len(self.dots)):
            start = self._opening_in(nth, max(lowest, self.starts[nth]))
            if start is not None and (end := self.end_from(start, nth)) is not None:
                return start, end
        return None

    def _opening_in(self, nth: int, lowest: int) -> int | None:
        dot = self.dots[nth]
        if self.ends[nth + 1] is None:
            if self.tld_ends[nth] is None:
                return None
            lowest = max(lowest, self.units.rfind("_", lowest, dot) + 1)
        found = self.opening.search(self.units, lowest, dot)
        return found.start() if found else None


def _tld_end(units: str, at: int, limit: int) -> int | None:
    word = ASCII_TLD.match(units, at, limit)
    if word and word.group().lower() in ASCII:
        return word.end()
    if end := _international_tld_end(units, at, limit):
        return end
    encoded = PUNYCODE_TLD.match(units, at, limit)
    return encoded.end() if encoded else None


def _international_tld_end(units: str, at: int, limit: int) -> int | None:
    if units[at : at + 1].upper() not in INTERNATIONAL_OPENINGS:
        return None
    for length in INTERNATIONAL_LENGTHS:
        end = at + length
        if end <= limit and units[at:end].upper() in INTERNATIONAL_TLDS and AFTER_TLD.match(units, end, limit):
            return end
    return None


def _is_valid(url: str, protocol_length: int, host: str) -> bool:
    # The vendor counts the protocol twice, and an assumed one once.
    if protocol_length + len(url) > MAX_URL_LENGTH:
        return False
    if host.startswith("xn--") and next(_ascii_names(host), None) is None:
        return False
    return all(_has_valid_length(label) for label in host.split("."))


def _has_valid_length(label: str) -> bool:
    label = join_pairs(label)
    # Encoding never shortens a label, and the encoder is quadratic.
    if not 1 <= len(label) <= MAX_LABEL_LENGTH:
        return False
    return sum(map(_encoded_length, parts := OTHER_DOTS.split(label))) + len(parts) - 1 <= MAX_LABEL_LENGTH


def _encoded_length(label: str) -> int:
    if all(" " <= character <= "~" for character in label):
        return len(label)
    return len("xn--") + len(label.encode("punycode"))
