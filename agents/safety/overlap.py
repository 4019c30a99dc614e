# ruff: noqa: E501 - patterns read better unbroken
"""Whether one text carries words of another: runs of words, quoted or ordered strings, codes, addresses."""

import re
from collections.abc import Iterable, Iterator

from agents.safety.decoding import other_readings
from agents.safety.normalise import Heard
from compliance.guard.text import fold

WORDS_IN_A_ROW = 4
HAN_IN_A_ROW = 7
_WORD = re.compile(r"[a-z0-9]+(?:['’][a-z]+)?|[\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]")
_QUOTED = re.compile(r"[\"“”„«「『‘'`]([^\"“”„»」』’'`\n]{2,120})[\"“”»」』’'`]")
# What comes after a verb of saying, up to the end of the clause.
_ORDERED = re.compile(
    r"\b(?:say|reply|respond|answer|write|tweet|post|output|print|repeat|quote|confirm|type|admit|agree|announce|spell|"
    r"state|tell (?:\w+ ){1,2}|that|as|with|word|sentence|phrase|token|code|named|called|because)\b\s*[:\-]?\s*([^\n.!?;,]{2,80})"
    r"|(?:回复|回答|说|念|写|输出|打印|承认|发|叫|书|转发|宣布|一句|一条|答|道|:)\s*([^\n。!?;,]{2,40})"
)
# Codes and numbers of one's own: PWNED-7f3, VIP90, 99-ALPHA.
_CODE = re.compile(
    r"[a-z]*\d[a-z\d]*(?:[-_.][a-z\d]+)+|[a-z]+[-_]?\d+[a-z\d]*|\d+[a-z]+[a-z\d]*|\d{4,}|[a-z]+(?:_[a-z]+)+"
)
_COMMON = frozenset(
    {
        "yes",
        "no",
        "ok",
        "okay",
        "it",
        "this",
        "that",
        "them",
        "me",
        "you",
        "us",
        "hello",
        "hi",
        "please",
        "thanks",
        "the",
    }
)


def baits(heard: Heard) -> set[str]:
    """What somebody may want to hear from us, as bare letters and digits."""
    found = set()
    for text in heard.said:
        strings = [*_QUOTED.findall(text), *("".join(pair) for pair in _ORDERED.findall(text)), *_CODE.findall(text)]
        found |= {fold(one).bare for one in strings if one.strip() not in _COMMON}
    return {one for one in found if len(one) > 2 or (len(one) == 2 and not one.isascii())}


def repeats_bait(draft: str, heard: Heard) -> bool:
    """In the draft, or in what it says decoded or backwards."""
    wanted = baits(heard)
    return any(bait in fold(one).bare for one in (draft, *other_readings(draft)) for bait in wanted)


def shares_run(draft: str, other: Iterable[str], *, except_in: Iterable[str] = ()) -> bool:
    """A row of words of another text, which no text of our own has."""
    known = {run for text in except_in for run in _runs(text)}
    theirs = {run for text in other for run in _runs(text)}
    return bool(set(_runs(draft)) & theirs - known)


def _runs(text: str) -> Iterator[tuple[str, ...]]:
    words = _WORD.findall(fold(text).text)
    for start in range(len(words)):
        size = HAN_IN_A_ROW if not words[start].isascii() else WORDS_IN_A_ROW
        if start + size <= len(words):
            yield tuple(words[start : start + size])
