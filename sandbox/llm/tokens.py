"""Counting: rough, but the same for what is asked, what is counted and what is streamed."""

import re
from dataclasses import dataclass, replace

from sandbox.llm.prompt import Answer, Part, Prompt, json_text

# A piece is one token: a few letters or digits with the space before them, or any other character.
_PIECE = re.compile(r"\s?[^\W\d_\u3040-\u9fff\uac00-\ud7af]{1,6}|\s?\d{1,3}|\s?[^\s]|\s+")
BLOCK_OVERHEAD = 3


@dataclass(frozen=True)
class Segment:
    """A block of the prompt, in the order in which providers cache: tools, system, messages."""

    text: str
    tokens: int
    cache_ttl: str | None = None


def pieces(text: str) -> list[str]:
    return _PIECE.findall(text)


def count(text: str) -> int:
    return len(pieces(text))


def segments(prompt: Prompt) -> list[Segment]:
    found = [_segment(json_text([tool.name, tool.description, tool.schema]), tool.cache_ttl) for tool in prompt.tools]
    if prompt.schema is not None:
        found.append(_segment(json_text(prompt.schema)))
    # Providers put what the system says before the messages, wherever it was sent.
    turns = sorted(prompt.turns, key=lambda turn: turn.role != "system")
    return found + [_segment(_part_text(turn.role, part), part.cache_ttl) for turn in turns for part in turn.parts]


def _segment(text: str, cache_ttl: str | None = None) -> Segment:
    return Segment(text, count(text) + BLOCK_OVERHEAD, cache_ttl)


def _part_text(role: str, part: Part) -> str:
    return f"{role} {part.text}" if part.kind == "text" else f"{role} {part.name} {part.arguments}{part.text}"


def count_prompt(prompt: Prompt) -> int:
    return sum(segment.tokens for segment in segments(prompt))


def count_answer(answer: Answer) -> int:
    said = sum(count(part.text) + count(part.name) + count(part.arguments) for part in answer.parts)
    return said + count(answer.refusal) + count(answer.thinking)


def cut_to_limits(answer: Answer, prompt: Prompt) -> Answer:
    """The answer as far as the stop sequences and `max_tokens` let it go."""
    if prompt.schema is None:
        answer = _stop_at(answer, prompt.stop)
    return answer if prompt.max_tokens is None else _shorten(answer, prompt.max_tokens)


def _stop_at(answer: Answer, stop: tuple[str, ...]) -> Answer:
    for index, part in enumerate(answer.parts):
        places = [(part.text.find(mark), mark) for mark in stop if mark and mark in part.text]
        if part.kind == "text" and places:
            place, mark = min(places)
            kept = [*answer.parts[:index], replace(part, text=part.text[:place])]
            return replace(answer, parts=kept, stop="stop", stop_sequence=mark)
    return answer


def _shorten(answer: Answer, limit: int) -> Answer:
    left, kept = limit - count(answer.thinking), []
    for part in answer.parts:
        size = count(part.text) + count(part.name) + count(part.arguments)
        if size > left:
            if part.kind == "text" and left > 0:
                kept.append(replace(part, text="".join(pieces(part.text)[:left])))
            # A call that does not fit is not made.
            return replace(answer, parts=kept, stop="length", stop_sequence=None)
        left -= size
        kept.append(part)
    return answer
