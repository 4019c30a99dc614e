"""How many tokens a call takes, without anybody's tokeniser: an upper bound for money, a guess for what is missing."""

import json
from collections.abc import Iterable

from agents.llm.types import Ask, Said, Usage

# No tokeniser of bytes makes more tokens than bytes; providers add a few around each turn and tool.
AROUND = 16
AROUND_TOOLS = 1_000
# The instructions that go with a schema where a model has no format for it.
AROUND_SCHEMA = 200
BYTES_PER_TOKEN = 3.5


def most_input(ask: Ask) -> int:
    """More than this cannot be charged as input."""
    size = sum(len(piece.encode("utf-8", "replace")) for piece in _pieces(ask))
    pieces = 1 + len(ask.messages) + len(ask.tools) + sum(len(said.tool_calls) for said in ask.messages)
    extra = (AROUND_TOOLS if ask.tools else 0) + (AROUND_SCHEMA if ask.schema is not None else 0)
    return size + AROUND * pieces + extra


def guess(text: str) -> int:
    """About as many tokens as most models make of it."""
    return max(1, round(len(text.encode("utf-8", "replace")) / BYTES_PER_TOKEN)) if text else 0


def guess_usage(ask: Ask, said: str) -> Usage:
    return Usage(input=sum(guess(piece) for piece in _pieces(ask)), output=guess(said))


def _pieces(ask: Ask) -> Iterable[str]:
    yield ask.system
    for tool in ask.tools:
        yield from (tool.name, tool.description, _json(tool.schema))
    if ask.schema is not None:
        yield _json(ask.schema)
    for said in ask.messages:
        yield from _said(said)


def _said(said: Said) -> Iterable[str]:
    yield said.text
    for call in said.tool_calls:
        yield from (call.id, call.name, call.raw or _json(call.args or {}))
    for result in said.tool_results:
        yield from (result.call_id, result.text)


def _json(value: object) -> str:
    # With escapes, as the longest form that goes over a wire.
    return json.dumps(value, default=str)
