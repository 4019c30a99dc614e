"""What a text says once a simple code is undone. It only ever raises a risk: no control rests on it."""

import base64
import binascii
import codecs
import re
from collections.abc import Iterator
from urllib.parse import unquote

_BASE64 = re.compile(r"(?<![A-Za-z0-9+/_-])[A-Za-z0-9+/_-]{8,}={0,2}")
_BASE32 = re.compile(r"\b[A-Z2-7]{16,}={0,6}")
_HEX = re.compile(r"(?<![0-9a-zA-Z])(?:(?:0x|\\x|\\u00|&#x|%)?[0-9a-fA-F]{2}[\s,;:.-]?){5,}")
_BITS = re.compile(r"(?:[01]{8}\s?){4,}")
_DECIMALS = re.compile(r"(?:\b\d{2,3}\b[\s,;]+){5,}\d{2,3}")
_ESCAPES = re.compile(r"\\u([0-9a-fA-F]{4})")
# One sign at a time with the same few signs between them: s/a/y, 忽 略 之 前.
_SPLIT = re.compile(r"(?:[^\W_][\s/|.,·、_*+-]{1,3}){3,}[^\W_]")
_SEPARATORS = re.compile(r"[\s/|.,·、_*+-]+")
_LEET = str.maketrans("0134578@$!|", "oieastbasii")
_CELLS = re.compile(r"\s*\|[\s:|-]*")
LONGEST = 4_000


def other_readings(text: str) -> list[str]:
    """All that differ from the text. Gibberish is among them: it matches nothing."""
    found = [*_coded(text[:LONGEST]), *_respelt(text[:LONGEST])]
    deeper = [again for one in found[:8] for again in _coded(one)]
    return [one for one in dict.fromkeys([*found, *deeper]) if one.strip() and one != text]


def _coded(text: str) -> Iterator[str]:
    for match in _BASE64.findall(text):
        yield from _readable(_base64(match))
    for match in _BASE32.findall(text):
        yield from _readable(_quietly(base64.b32decode, match + "=" * (-len(match) % 8)))
    for match in _HEX.findall(text):
        digits = re.sub(r"0x|\\x|\\u00|&#x|[^0-9a-fA-F]", "", match)
        yield from _readable(_quietly(bytes.fromhex, digits[: len(digits) // 2 * 2]))
    for match in _BITS.findall(text):
        yield from _readable(bytes(int(byte, 2) for byte in re.findall(r"[01]{8}", match)))
    for match in _DECIMALS.findall(text):
        yield from _readable(bytes(int(code) for code in re.findall(r"\d+", match) if int(code) < 256))
    if "%" in text:
        yield unquote(text)
    if "\\u" in text:
        yield _ESCAPES.sub(lambda found: chr(int(found[1], 16)), text)


def _respelt(text: str) -> Iterator[str]:
    if re.search(r"[A-Za-z]{3}", text):
        yield codecs.encode(text, "rot13")
    yield text[::-1]
    if re.search(r"[A-Za-z][0134578@$!|]|[0134578@$!|][A-Za-z]", text):
        yield text.translate(_LEET)
    if _SPLIT.search(text):
        yield _SPLIT.sub(lambda found: _SEPARATORS.sub("", found[0]), text)
    if text.count("|") > 2:
        yield _CELLS.sub(" ", text)


def _base64(text: str) -> bytes:
    padded = text.rstrip("=") + "=" * (-len(text.rstrip("=")) % 4)
    return _quietly(base64.urlsafe_b64decode, padded.replace("+", "-").replace("/", "_"))


def _quietly(decode: object, text: str) -> bytes:
    try:
        return bytes(decode(text))  # type: ignore[operator]
    except (ValueError, binascii.Error):
        return b""


def _readable(data: bytes) -> Iterator[str]:
    for encoding in ("utf-8", "utf-16-le"):
        try:
            text = data.decode(encoding)
        except UnicodeDecodeError:
            continue
        if len(text) > 3 and sum(char.isprintable() for char in text) >= 0.95 * len(text):
            yield text
            return
