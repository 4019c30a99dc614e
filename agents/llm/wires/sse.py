"""Server-sent events by hand: the SDK drops what stands beside an error in the same event, and that may be the bill."""

import json
from collections.abc import Iterable, Iterator
from typing import Any

from agents.llm.wires.errors import wire_error

DONE = "[DONE]"


def events(pieces: Iterable[bytes]) -> Iterator[Any]:
    """The JSON of each event's data; comments and names are skipped, and DONE ends it. Raises WireError."""
    data: list[str] = []
    for line in _lines(pieces):
        if line:
            name, _, value = line.partition(":")
            data += [value.removeprefix(" ")] if name == "data" else []
        elif data:
            text, data = "\n".join(data), []
            if text == DONE:
                return
            yield _parsed(text)


def _parsed(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError as error:
        raise wire_error("server_error", f"an event that is no JSON: {text[:200]}", may_have_cost=True) from error


def _lines(pieces: Iterable[bytes]) -> Iterator[str]:
    """Cut in bytes: a character may be in two pieces, and some letters count as line ends in text but not here."""
    rest = b""
    for piece in pieces:
        rest += piece
        *whole, rest = rest.split(b"\n")
        for line in whole:
            yield line.removesuffix(b"\r").decode("utf-8", "replace")
