"""A chat completion, at once and in chunks, as OpenAI, Gemini and OpenRouter write it."""

from typing import Any

from sandbox.llm import catalogue
from sandbox.llm.events import Event, Spoken, deltas
from sandbox.llm.prompt import Part, Usage

_STOPS = {
    "end": "stop",
    "tools": "tool_calls",
    "length": "length",
    "stop": "stop",
    "refusal": "stop",
    "filter": "content_filter",
}
_FINGERPRINT = "fp_sandbox"


def render(spoken: Spoken) -> dict[str, Any]:
    answer = spoken.answer
    choice = {"index": 0, "message": _message(spoken), "logprobs": None, **_finish(spoken)}
    body = {**_shell(spoken, "chat.completion"), "choices": [] if answer.is_empty else [choice]}
    if answer.usage and answer.has_usage:
        body["usage"] = _usage(spoken, answer.usage)
    return body


def _shell(spoken: Spoken, kind: str) -> dict[str, Any]:
    shell = {"id": spoken.id, "object": kind, "created": spoken.created_at, "model": spoken.prompt.model}
    if spoken.prompt.provider == "openrouter":
        return {**shell, "provider": "Sandbox"}
    return {**shell, "service_tier": "default", "system_fingerprint": _FINGERPRINT}


def _finish(spoken: Spoken) -> dict[str, Any]:
    reason = _STOPS[spoken.answer.stop]
    if spoken.prompt.provider == "openrouter":
        return {"finish_reason": reason, "native_finish_reason": reason}
    return {"finish_reason": reason}


def _message(spoken: Spoken) -> dict[str, Any]:
    answer = spoken.answer
    silence = "" if spoken.prompt.provider == "openrouter" and not answer.refusal else None
    message: dict[str, Any] = {"role": "assistant", "content": answer.text or silence}
    message |= {"refusal": answer.refusal or None}
    if spoken.prompt.provider == "openai":
        message["annotations"] = []
    if spoken.prompt.provider == "openrouter":
        message["reasoning"] = None
    if answer.calls:
        message["tool_calls"] = [
            {"id": part.id, "type": "function", "function": {"name": part.name, "arguments": part.arguments}}
            for part in answer.calls
        ]
    return message


def _usage(spoken: Spoken, usage: Usage) -> dict[str, Any]:
    told: dict[str, Any] = {
        "prompt_tokens": usage.input,
        "completion_tokens": usage.output,
        "total_tokens": usage.input + usage.output,
        "prompt_tokens_details": {"cached_tokens": usage.cached, "audio_tokens": 0},
        "completion_tokens_details": {"reasoning_tokens": usage.reasoning},
    }
    if spoken.prompt.provider == "openai":
        told["prompt_tokens_details"]["cache_write_tokens"] = usage.written
    if spoken.prompt.provider == "openrouter":
        told |= {"cost": cost(spoken.prompt.model, usage), "is_byok": False}
    return told


def cost(name: str, usage: Usage) -> float:
    """USD, as OpenRouter charges it: what is cached costs less."""
    model = catalogue.find("openrouter", name)
    assert model is not None
    fresh, out, cached = model.prices
    return round(((usage.input - usage.cached) * fresh + usage.cached * cached + usage.output * out) / 1e6, 10)


def stream(spoken: Spoken) -> list[Event]:
    answer = spoken.answer
    events = [] if answer.is_empty else _said(spoken)
    if spoken.prompt.has_stream_usage and answer.usage and answer.has_usage:
        chunk = {**_shell(spoken, "chat.completion.chunk"), "choices": [], "usage": _usage(spoken, answer.usage)}
        events.append(Event(chunk))
    return [*events, Event("[DONE]")]


def _said(spoken: Spoken) -> list[Event]:
    answer = spoken.answer
    first = {"role": "assistant", "content": None if answer.calls else "", "refusal": None}
    events = [_chunk(spoken, first)]
    events += [_chunk(spoken, {"refusal": piece}, is_token=True) for piece in deltas(answer.refusal)]
    events += [_chunk(spoken, {"content": piece}, is_token=True) for piece in deltas(answer.text)]
    for index, part in enumerate(answer.calls):
        events += _call_chunks(spoken, index, part)
    return [*events, _chunk(spoken, {}, finish=_finish(spoken))]


def _call_chunks(spoken: Spoken, index: int, part: Part) -> list[Event]:
    start = {"index": index, "id": part.id, "type": "function", "function": {"name": part.name, "arguments": ""}}
    pieces = [{"index": index, "function": {"arguments": piece}} for piece in deltas(part.arguments)]
    return [_chunk(spoken, {"tool_calls": [start]})] + [
        _chunk(spoken, {"tool_calls": [piece]}, is_token=True) for piece in pieces
    ]


def _chunk(
    spoken: Spoken, delta: dict[str, Any], *, is_token: bool = False, finish: dict[str, Any] | None = None
) -> Event:
    ending = finish or dict.fromkeys(_finish(spoken))
    choice = {"index": 0, "delta": delta, "logprobs": None, **ending}
    body = {**_shell(spoken, "chat.completion.chunk"), "choices": [choice]}
    if spoken.prompt.provider == "openai" and spoken.prompt.has_stream_usage:
        # OpenAI announces on every chunk that the last one will bring it.
        body["usage"] = None
    return Event(body, is_token=is_token)
