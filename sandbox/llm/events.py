"""Server-sent events, and the ways in which they come damaged."""

import json
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from sandbox.llm import tokens
from sandbox.llm.prompt import Answer, Prompt


@dataclass(frozen=True)
class Event:
    # Text is sent as it is.
    data: Any
    name: str | None = None
    # Whether it brings a token of the answer.
    is_token: bool = False

    def encode(self) -> bytes:
        head = f"event: {self.name}\n" if self.name else ""
        data = self.data if isinstance(self.data, str) else json.dumps(self.data, ensure_ascii=False)
        return f"{head}data: {data}\n\n".encode("utf-8", "replace")


@dataclass(frozen=True)
class Spoken:
    """An answer with what its wire needs beside it."""

    prompt: Prompt
    answer: Answer
    id: str
    created_at: int
    # Fields of the request that the answer repeats.
    request: dict[str, Any]


def deltas(text: str) -> list[str]:
    return tokens.pieces(text)


def comment(words: str) -> bytes:
    return f": {words}\n\n".encode()


def after_tokens(events: list[Event], count: int) -> list[Event]:
    """The beginning of a stream, with that many tokens of the answer."""
    kept: list[Event] = []
    for event in events:
        if event.is_token:
            count -= 1
        if count < 0:
            break
        kept.append(event)
    return kept


def split_characters(piece: bytes) -> list[bytes]:
    """The same bytes, cut inside every character that has more than one."""
    cuts = [place + 1 for place, byte in enumerate(piece) if byte >= 0xC0]
    bounds = [0, *cuts, len(piece)]
    return [piece[start:end] for start, end in pairwise(bounds) if end > start]
