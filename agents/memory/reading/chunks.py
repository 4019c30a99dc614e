"""Cuts sections into pieces that fit a prompt and can be cited."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from agents.memory.reading.sections import Section
from agents.memory.recall import count_tokens

# In tokens of a model, estimated.
GOAL, MOST = 350, 500
MAX_HEADING = 200
SENTENCE_END = re.compile(r"(?<=[.!?。！？；])\s*")


@dataclass(frozen=True)
class Piece:
    heading: str
    text: str


def cut(sections: Iterable[Section]) -> Iterator[Piece]:
    for section in sections:
        heading = " ".join(section.heading.split())[:MAX_HEADING]
        head = f"{section.header}\n" if section.header else ""
        room = max(GOAL - count_tokens(head), GOAL // 2)
        between = "\n" if section.header else "\n\n"
        parts = section.text.split("\n") if section.header else re.split(r"\n\s*\n", section.text)
        packed = list(_pack([part.strip() for part in parts if part.strip()], room, between))
        for text in packed or ([heading] if heading else []):
            yield Piece(heading, head + text)


def _pack(parts: list[str], room: int, between: str) -> Iterator[str]:
    """Neighbours together as long as they fit; what is too long alone is cut at its sentences."""
    held: list[str] = []
    size = 0
    for small in (small for part in parts for small in _small(part)):
        cost = count_tokens(small)
        if held and size + cost > room:
            yield between.join(held)
            held, size = [], 0
        held.append(small)
        size += cost
    if held:
        yield between.join(held)


def _small(part: str) -> Iterator[str]:
    if count_tokens(part) <= MOST:
        yield part
        return
    held = ""
    for sentence in _sentences(part):
        if held and count_tokens(held) + count_tokens(sentence) > GOAL:
            yield held
            held = ""
        # Where a wide sentence ends, no space follows.
        held += f" {sentence}" if held and held[-1].isascii() else sentence
    if held:
        yield held


def _sentences(part: str) -> Iterator[str]:
    for sentence in SENTENCE_END.split(part):
        for at in range(0, len(sentence), GOAL):
            yield sentence[at : at + GOAL]
