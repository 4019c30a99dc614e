"""Every way in which a text can be read: decoded, unfolded, put together, turned round, taken out of its wrapping."""

import base64
import binascii
import codecs
import html
import json
import re
import unicodedata
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import unquote

_DEPTH = 2
_MOST_VIEWS = 60
# Words that nearly every order has; they tell text from noise.
_COMMON = re.compile(
    r"\b(the|all|and|to|of|your|you|this|that|with|for|is|are|on|in|it|me|my|reply|say|send|post|ignore|delete|print|les|"
    r"et|la|le|de|und|die|der|el|las|los|y|que)\b|指令|回复|回答|之前|所有|忽略|发布|删除|品牌|记住|执行|通知|已经|大家|工具|以后|"
    r"一句|永久|更新|优惠|预算|你们|我们|规则|提示|https?://",
    re.IGNORECASE,
)
_LONGEST_TURNED = 2_000
_LOOK_ALIKES = str.maketrans(
    "аеорсухіјѕԁһӏԛԝмтнкватАВЕКМНОРСТУХІЈЅαενοριτυχκβΑΒΕΖΗΙΚΜΝΟΡΤΥΧɡıⅼǃ",
    "aeopcyxijsdhlqwmtnkbatABEKMHOPCTYXIJSaevopituxkbABEZHIKMNOPTYXgil!",
)
_LEET = (
    str.maketrans("0134578@$!|+", "oieastbasiit"),
    str.maketrans("0134578@$!|+", "oleastbasllt"),
    str.maketrans("0134578@$!|+", "oleastbasiit"),
    str.maketrans("0134578@$!|+", "oieastbasllt"),
)
_ZERO_WIDTH = re.compile("[\u200b-\u200f\u2060-\u2064\ufeff\u00ad\u180e\u034f\ufe00-\ufe0f]")
_BIDI = re.compile("[\u202a-\u202e\u2066-\u2069]")
_REVERSED = re.compile("[\u202e\u2067]([^\u202c\u2069]*)")
_BASE64 = re.compile(r"[A-Za-z0-9+/_-]{8,}={0,2}")
_BASE32 = re.compile(r"\b[A-Z2-7]{16,}={0,6}")
_HEX = re.compile(r"(?:\\x|0x)?[0-9a-fA-F]{2}(?:[\s,:]?(?:\\x|0x)?[0-9a-fA-F]{2}){5,}")
_DECIMALS = re.compile(r"\b\d{2,3}(?:[\s,;]+\d{2,3}){5,}\b")
_BITS = re.compile(r"\b[01]{8}(?:\s?[01]{8}){4,}\b")
_HIDDEN_HTML = re.compile(
    r"<!--(.*?)-->|\b(?:alt|title|content|value|aria-label|data-\w+)\s*=\s*[\"'](.*?)[\"']", re.DOTALL
)
_SPACED = re.compile(r"(?<!\w)\w(?:[ .\-_/|*·•~]\w){3,}(?!\w)")
_EVERY_OTHER = re.compile(r"[^\n](?P<sign>[ .\-_/|*·•~,+])(?:[^\n](?P=sign)){5,}[^\n]?")
_CHINESE_SPLIT = re.compile(r"(?<=[\u3400-\u9fff，。：“”])[/|\-_.*·•~+、 ]+(?=[\u3400-\u9fff，。：“”A-Za-z])")
_IN_WORD = re.compile(r"(?<=[A-Za-z])[-_.*·•~/|+](?=[A-Za-z])")
_JOINED = re.compile(r"[\"'“”]\s*\+\s*[\"'“”]|[\"'“”]\s+[\"'“”]")


def views(text: str) -> list[tuple[str, bool]]:
    """(reading, was it hidden) for the text itself and all it may stand for, without repeats."""
    found: dict[str, bool] = {text: False}
    fresh = [text]
    for _ in range(_DEPTH):
        fresh = [new for old in fresh for new in _unwrapped(old, found)]
        if len(found) > _MOST_VIEWS:
            break
    return list(found.items())


def _unwrapped(text: str, found: dict[str, bool]) -> Iterator[str]:
    for is_hidden, read in _READERS:
        for view in read(text):
            plain = view.strip()
            if len(plain) > 2 and plain not in found:
                found[plain] = is_hidden or found[text]
                yield plain


def _folded(text: str) -> list[str]:
    plain = _ZERO_WIDTH.sub("", unicodedata.normalize("NFKC", text))
    bare = "".join(letter for letter in unicodedata.normalize("NFD", plain) if not unicodedata.combining(letter))
    return [plain, plain.translate(_LOOK_ALIKES), bare.translate(_LOOK_ALIKES)]


def _leet(text: str) -> list[str]:
    if not re.search(r"[A-Za-z][0134578@$!|+]|[0134578@$!|+][A-Za-z]", text):
        return []
    return [text.translate(table) for table in _LEET]


def _tags(text: str) -> list[str]:
    """Tag characters, and variation selectors that carry bytes."""
    tagged = "".join(chr(ord(c) - 0xE0000) for c in text if 0xE0020 <= ord(c) <= 0xE007E)
    selected = bytes(_selected(ord(c)) for c in text if 0xE0100 <= ord(c) <= 0xE01EF or 0xFE00 <= ord(c) <= 0xFE0F)
    placed = "".join(chr(ord(c) - 0xE0000) if 0xE0020 <= ord(c) <= 0xE007E else c for c in text)
    return [tagged, placed if tagged else "", selected.decode("utf-8", "ignore")]


def _selected(code: int) -> int:
    return code - 0xE0100 + 16 if code >= 0xE0100 else code - 0xFE00


def _zero_width_bits(text: str) -> list[str]:
    bits = "".join("0" if c == "\u200b" else "1" for c in text if c in "\u200b\u200c")
    data = bytes(int(bits[place : place + 8], 2) for place in range(0, len(bits) - 7, 8))
    return [data.decode("utf-8", "ignore")]


def _turned(text: str) -> list[str]:
    marked = [found[::-1] for found in _REVERSED.findall(text)]
    plain = _BIDI.sub("", text)
    whole = plain[::-1]
    return [*marked, plain, whole if len(plain) < _LONGEST_TURNED and _has_more_words(whole, plain) else ""]


def _base64(text: str) -> list[str]:
    return [decoded for found in _BASE64.findall(text) if (decoded := _readable(_from_base64(found)))]


def _from_base64(found: str) -> bytes:
    padded = found.rstrip("=").replace("-", "+").replace("_", "/")
    try:
        return base64.b64decode(padded + "=" * (-len(padded) % 4), validate=True)
    except (binascii.Error, ValueError):
        return b""


def _other_codes(text: str) -> list[str]:
    found = [bytes.fromhex(re.sub(r"\\x|0x|[\s,:]", "", one)) for one in _HEX.findall(text) if _is_even(one)]
    for one in _DECIMALS.findall(text):
        codes = [int(number) for number in re.findall(r"\d+", one)]
        found.append(bytes(code for code in codes if code < 256))
    for one in _BITS.findall(text):
        bits = one.replace(" ", "")
        found.append(bytes(int(bits[place : place + 8], 2) for place in range(0, len(bits), 8)))
    for one in _BASE32.findall(text):
        try:
            found.append(base64.b32decode(one.rstrip("=") + "=" * (-len(one.rstrip("=")) % 8)))
        except (binascii.Error, ValueError):
            continue
    return [decoded for data in found if (decoded := _readable(data))]


def _is_even(found: str) -> bool:
    return len(re.sub(r"\\x|0x|[\s,:]", "", found)) % 2 == 0


def _readable(data: bytes) -> str:
    """The text in the bytes, or nothing when they are none."""
    try:
        text = data.decode()
    except UnicodeDecodeError:
        return ""
    # Marks that nobody sees may be what it is about.
    printable = sum(letter.isprintable() or letter.isspace() or unicodedata.category(letter) == "Cf" for letter in text)
    return text if len(text) >= 3 and printable == len(text) else ""


def _escapes(text: str) -> list[str]:
    found = []
    if re.search(r"%[0-9A-Fa-f]{2}", text):
        found.append(unquote(text))
    if "&" in text:
        found.append(html.unescape(text))
    if re.search(r"\\u[0-9a-fA-F]{4}", text):
        halves = re.sub(r"\\u([0-9a-fA-F]{4})", lambda match: chr(int(match[1], 16)), text)
        found.append(halves.encode("utf-16", "surrogatepass").decode("utf-16", "replace"))
    return found


def _shifted(text: str) -> list[str]:
    """ROT13 and ATBASH, where they make words."""
    return [view for view in shifts(text) if _has_more_words(view, text)]


def shifts(text: str) -> list[str]:
    if len(re.findall(r"[A-Za-z]", text)) < 6:
        return []
    lower, upper = "abcdefghijklmnopqrstuvwxyz", "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
    mirror = str.maketrans(lower + upper, lower[::-1] + upper[::-1])
    return [codecs.decode(text, "rot13"), text.translate(mirror)]


def _has_more_words(view: str, text: str) -> bool:
    """Whether turning or shifting a text made words of it."""
    return any(
        len(_COMMON.findall(view.translate(table))) > len(_COMMON.findall(text.translate(table)))
        for table in ({}, _LEET[0])
    )


def _put_together(text: str) -> list[str]:
    spaced = _SPACED.sub(lambda match: re.sub(r"[ .\-_/|*·•~]", "", match[0]), re.sub(r" {2,}", " \0 ", text))
    spaced = spaced.replace("\0", " ")
    solid = re.sub(r"[ .\-_/|*·•~\0]+", "", text) if _SPACED.search(text) else ""
    every_other = [_EVERY_OTHER.sub(lambda match: match[0][::2], text)]
    return [*every_other, spaced, solid, _CHINESE_SPLIT.sub("", text), _IN_WORD.sub("", text), _JOINED.sub("", text)]


def _wrapping(text: str) -> list[str]:
    if "<" not in text:
        return []
    hidden = [one for match in _HIDDEN_HTML.findall(text) for one in match if one]
    return [*hidden, re.sub(r"<[^>]*>", " ", text)]


def _cells(text: str) -> list[str]:
    if text.count("|") < 2:
        return []
    rows = [[cell.strip() for cell in line.strip().strip("|").split("|")] for line in text.splitlines() if "|" in line]
    rows = [row for row in rows if not all(re.fullmatch(r":?-*:?", cell) for cell in row)]
    columns = [
        " ".join(row[place] for row in rows if len(row) > place) for place in range(max(map(len, rows), default=0))
    ]
    return [" ".join(" ".join(row) for row in rows), *columns]


def _json_strings(text: str) -> list[str]:
    found: list[str] = []
    decoder = json.JSONDecoder()
    for place in (match.start() for match in re.finditer(r"[{\[]", text)):
        try:
            value, _ = decoder.raw_decode(text[place:])
        except (ValueError, RecursionError):
            continue
        found += _strings_of(value)
        break
    return [*found, " ".join(found)] if found else []


def _strings_of(value: Any) -> list[str]:
    if isinstance(value, str):
        return [value]
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else []
    return [text for one in inner for text in _strings_of(one)]


def _first_letters(text: str) -> list[str]:
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return ["".join(line[0] for line in lines)] if len(lines) >= 6 else []


# (whether such a reading is a hidden one, the reader)
_READERS: tuple[tuple[bool, Callable[[str], list[str]]], ...] = (
    (False, _folded),
    (False, _wrapping),
    (False, _json_strings),
    (False, _cells),
    (False, _escapes),
    (True, _tags),
    (True, _zero_width_bits),
    (True, _turned),
    (True, _base64),
    (True, _other_codes),
    (True, _shifted),
    (True, _leet),
    (True, _put_together),
    (True, _first_letters),
)
