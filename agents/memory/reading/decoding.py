"""Bytes of unknown encoding. Files from Windows in China, Excel and old web pages say nothing, or lie."""

import codecs
import re

from agents.memory.reading.sections import UnreadableFile

MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    # Of 32 bits first: its mark begins with that of 16.
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
HIGH_RUN = re.compile(rb"[\x80-\xff]+")
SAMPLE = 64 * 1024


def decode(data: bytes, charset: str = "") -> str:
    """`charset` is what the sender claims; it counts where the bytes agree. Raises UnreadableFile."""
    for encoding in _candidates(data, charset):
        try:
            return data.decode(encoding)
        except (UnicodeError, LookupError):
            continue
    raise UnreadableFile("This is no text, or in an encoding we do not know. Save it as UTF-8.")


def _candidates(data: bytes, charset: str) -> list[str]:
    for mark, encoding in MARKS:
        if data.startswith(mark):
            return [encoding]
    if b"\x00" in data[:SAMPLE]:
        return _wide_candidates(data[:SAMPLE])
    european = ["cp1252"] if _is_european(data[:SAMPLE]) else []
    # UTF-8 first: other texts are hardly ever valid in it, and a claim is often wrong.
    return ["utf-8", *([charset] if charset else []), *european, "gb18030", "big5", "shift_jis", "cp1252"]


def _wide_candidates(sample: bytes) -> list[str]:
    """UTF-16 without a mark has its zeros on one side only."""
    even, odd = sample[0::2].count(0), sample[1::2].count(0)
    if max(even, odd) < 10 * min(even, odd) or max(even, odd) * 20 < len(sample):
        return []
    return ["utf-16-le" if odd > even else "utf-16-be"]


def _is_european(sample: bytes) -> bool:
    """Letters with accents stand alone between plain ones; Chinese comes in pairs of high bytes."""
    runs = HIGH_RUN.findall(sample)
    return bool(runs) and sum(len(run) == 1 for run in runs) > 0.7 * len(runs)
