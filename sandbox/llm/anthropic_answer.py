"""Anthropic's message, at once and as a stream."""

import hashlib
import json
from typing import Any

from sandbox.llm.events import Event, Spoken, deltas
from sandbox.llm.prompt import Answer, Part, Usage

_STOPS = {
    "end": "end_turn",
    "tools": "tool_use",
    "length": "max_tokens",
    "stop": "stop_sequence",
    "refusal": "refusal",
    "filter": "refusal",
}


def render(spoken: Spoken) -> dict[str, Any]:
    answer = spoken.answer
    message = {**_shell(spoken), "content": _blocks(answer)}
    message |= {
        "stop_reason": _STOPS[answer.stop],
        "stop_sequence": answer.stop_sequence,
        "stop_details": _stop_details(answer),
    }
    if answer.usage and answer.has_usage:
        message["usage"] = _usage(answer.usage)
    return message


def _shell(spoken: Spoken) -> dict[str, Any]:
    return {"id": spoken.id, "type": "message", "role": "assistant", "model": spoken.prompt.model}


def _blocks(answer: Answer) -> list[dict[str, Any]]:
    if answer.is_empty:
        return []
    blocks = [_block(part) for part in answer.parts]
    if answer.thinking:
        return [{"type": "thinking", "thinking": answer.thinking, "signature": _signature(answer)}, *blocks]
    return blocks


def _block(part: Part) -> dict[str, Any]:
    if part.kind == "text":
        return {"type": "text", "text": part.text}
    return {**_call_shell(part), "input": _parsed(part.arguments)}


def _call_shell(part: Part) -> dict[str, Any]:
    return {"type": "tool_use", "id": part.id, "name": part.name, "caller": {"type": "direct"}}


def _parsed(arguments: str) -> Any:
    """Broken JSON goes out as the text it is, which is no object either."""
    try:
        return json.loads(arguments)
    except ValueError:
        return arguments


def _signature(answer: Answer) -> str:
    return hashlib.sha256(answer.thinking.encode("utf-8", "replace")).hexdigest()


def _stop_details(answer: Answer) -> dict[str, Any] | None:
    if answer.stop not in ("refusal", "filter"):
        return None
    return {"type": "refusal", "category": "general_harms", "explanation": answer.refusal or None}


def _usage(usage: Usage) -> dict[str, Any]:
    return {
        "input_tokens": usage.input - usage.cached - usage.written,
        "cache_creation_input_tokens": usage.written,
        "cache_read_input_tokens": usage.cached,
        "cache_creation": {
            "ephemeral_5m_input_tokens": usage.written_5m,
            "ephemeral_1h_input_tokens": usage.written_1h,
        },
        "output_tokens": usage.output,
        "output_tokens_details": {"thinking_tokens": usage.reasoning},
        "service_tier": "standard",
    }


def stream(spoken: Spoken) -> list[Event]:
    answer = spoken.answer
    start = {**_shell(spoken), "content": [], "stop_reason": None, "stop_sequence": None, "stop_details": None}
    has_usage = answer.usage is not None and answer.has_usage
    if answer.usage and has_usage:
        start["usage"] = {**_usage(answer.usage), "output_tokens": 1}
    events = [_event("message_start", message=start), _event("ping")]
    index = 0
    if answer.thinking and not answer.is_empty:
        events += _thinking_events(index, answer)
        index += 1
    for part in [] if answer.is_empty else answer.parts:
        events += _block_events(index, part)
        index += 1
    end = {
        "stop_reason": _STOPS[answer.stop],
        "stop_sequence": answer.stop_sequence,
        "stop_details": _stop_details(answer),
    }
    usage: dict[str, Any] = {"usage": _last_usage(answer.usage)} if answer.usage and has_usage else {}
    return [*events, _event("message_delta", delta=end, **usage), _event("message_stop")]


def _last_usage(usage: Usage) -> dict[str, Any]:
    whole = _usage(usage)
    names = ("input_tokens", "cache_creation_input_tokens", "cache_read_input_tokens", "output_tokens")
    return {name: whole[name] for name in names}


def _event(kind: str, *, is_token: bool = False, **fields: Any) -> Event:
    return Event({"type": kind, **fields}, kind, is_token)


def _thinking_events(index: int, answer: Answer) -> list[Event]:
    block = {"type": "thinking", "thinking": "", "signature": ""}
    said = [
        _event("content_block_delta", index=index, delta={"type": "thinking_delta", "thinking": piece}, is_token=True)
        for piece in deltas(answer.thinking)
    ]
    signed = {"type": "signature_delta", "signature": _signature(answer)}
    return [
        _event("content_block_start", index=index, content_block=block),
        *said,
        _event("content_block_delta", index=index, delta=signed),
        _event("content_block_stop", index=index),
    ]


def _block_events(index: int, part: Part) -> list[Event]:
    if part.kind == "text":
        block: dict[str, Any] = {"type": "text", "text": ""}
        said = [{"type": "text_delta", "text": piece} for piece in deltas(part.text)]
    else:
        block = {**_call_shell(part), "input": {}}
        said = [{"type": "input_json_delta", "partial_json": piece} for piece in ["", *deltas(part.arguments)]]
    return [
        _event("content_block_start", index=index, content_block=block),
        *[_event("content_block_delta", index=index, delta=delta, is_token=True) for delta in said],
        _event("content_block_stop", index=index),
    ]
