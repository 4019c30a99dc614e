"""A model that does anything at all: good and broken calls, loops, floods, silence, refusals, shapeless JSON."""

import random
from collections.abc import Callable
from typing import Any

from sandbox.llm import writer
from sandbox.llm.failures import REFUSAL
from sandbox.llm.filling import Filler
from sandbox.llm.prompt import Answer, Part, Prompt, call_answer, json_text, text_answer

_JUNK = (
    "",
    "null",
    "\u202e\u200b",
    "热玛吉",
    "🤖" * 20,
    "'; DROP TABLE runs; --",
    "{{7*7}}",
    "<script>1</script>",
    "\x00\x07",
)
_UNKNOWN = ("rm_rf", "publish_everything", "admin.approve", "eval", "send_money", "approve_all", "")
_FLOOD_WORDS = 6_000


def answer(prompt: Prompt, rng: random.Random) -> Answer:
    manners, weights = zip(*_MANNERS, strict=True)
    return rng.choices(manners, weights)[0](prompt, rng)


def _plain(prompt: Prompt, rng: random.Random) -> Answer:
    return writer.answer(prompt, rng)


def _good_call(prompt: Prompt, rng: random.Random) -> Answer:
    if not prompt.tools:
        return _unknown_call(prompt, rng)
    tool = rng.choice(prompt.tools)
    return call_answer([(tool.name, Filler(prompt, rng).fill(tool.schema or {"type": "object"}))])


def _wrong_call(prompt: Prompt, rng: random.Random) -> Answer:
    name = rng.choice(prompt.tools).name if prompt.tools else rng.choice(_UNKNOWN[:-1])
    return call_answer([(name, _junk_object(rng))])


def _broken_call(prompt: Prompt, rng: random.Random) -> Answer:
    name = rng.choice(prompt.tools).name if prompt.tools else "no_such_tool"
    return call_answer(
        [(name, rng.choice(('{"text": "cut', "[1, 2", "null", "true", '"text"', "", "{'a': 1}", "{}}")))]
    )


def _unknown_call(prompt: Prompt, rng: random.Random) -> Answer:
    return call_answer([(rng.choice(_UNKNOWN[:-1]), _junk_object(rng))])


def _many_calls(prompt: Prompt, rng: random.Random) -> Answer:
    made = [_good_call(prompt, rng).parts[0] for _ in range(rng.randint(2, 20))]
    return Answer(made, "tools")


def _same_again(prompt: Prompt, rng: random.Random) -> Answer:
    """The last call once more; a loop without end."""
    calls = [part for turn in prompt.turns for part in turn.parts if part.kind == "call"]
    return call_answer([(calls[-1].name, calls[-1].arguments)]) if calls else _good_call(prompt, rng)


def _same_id(prompt: Prompt, rng: random.Random) -> Answer:
    """Two calls under one id."""
    calls = [_good_call(prompt, rng).parts[0] for _ in range(2)]
    return Answer([Part("call", id="toolu_twice", name=call.name, arguments=call.arguments) for call in calls], "tools")


def _nothing(prompt: Prompt, rng: random.Random) -> Answer:
    return rng.choice((Answer(is_empty=True), Answer([Part("text", " ")]), Answer()))


def _flood(prompt: Prompt, rng: random.Random) -> Answer:
    return text_answer("buy now " * _FLOOD_WORDS)


def _refuse(prompt: Prompt, rng: random.Random) -> Answer:
    return Answer(stop="refusal", refusal=REFUSAL) if rng.random() < 0.6 else Answer(stop="filter")


def _junk(prompt: Prompt, rng: random.Random) -> Answer:
    return text_answer(rng.choice(_JUNK) or "?")


def _wrong_shape(prompt: Prompt, rng: random.Random) -> Answer:
    whole = json_text(_junk_object(rng))
    return text_answer(
        rng.choice((whole, whole[: len(whole) // 2], f"Sure!\n```json\n{whole}\n```", "[]", "[[[[", "NaN"))
    )


def _cut_short(prompt: Prompt, rng: random.Random) -> Answer:
    plain = writer.answer(prompt, rng)
    text = plain.text
    return Answer([Part("text", text[: max(1, len(text) // 2)])], "length") if text else plain


def _junk_object(rng: random.Random) -> dict[str, Any]:
    names = ("text", "id", "approved", "budget", "when", "to", "url", "__proto__", "connection", "limit")
    values: tuple[Any, ...] = (None, -1, 10**12, 0.1, True, [], {}, "now", *_JUNK)
    return {rng.choice(names): rng.choice(values) for _ in range(rng.randint(0, 6))}


_MANNERS: tuple[tuple[Callable[[Prompt, random.Random], Answer], int], ...] = (
    (_plain, 14),
    (_good_call, 16),
    (_wrong_call, 11),
    (_broken_call, 9),
    (_unknown_call, 8),
    (_many_calls, 5),
    (_same_again, 9),
    (_same_id, 2),
    (_nothing, 6),
    (_flood, 3),
    (_refuse, 4),
    (_junk, 4),
    (_wrong_shape, 6),
    (_cut_short, 3),
)
