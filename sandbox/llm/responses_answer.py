"""A response of OpenAI's Responses API, at once and as a stream."""

from typing import Any

from sandbox.llm.events import Event, Spoken, deltas
from sandbox.llm.prompt import Answer, Part, Usage

_REPEATED = ("instructions", "metadata", "max_output_tokens", "previous_response_id", "temperature", "top_p")


def render(spoken: Spoken) -> dict[str, Any]:
    items = [_item(spoken, index, part) for index, part in enumerate(_parts(spoken.answer))]
    return _response(spoken, "incomplete" if _incomplete(spoken.answer) else "completed", items)


def _response(spoken: Spoken, status: str, items: list[dict[str, Any]]) -> dict[str, Any]:
    answer, request = spoken.answer, spoken.request
    is_over = status in ("completed", "incomplete")
    body = {
        "id": spoken.id,
        "object": "response",
        "created_at": spoken.created_at,
        "status": status,
        "background": False,
        "completed_at": spoken.created_at if is_over else None,
        "error": None,
        "incomplete_details": _incomplete(answer) if is_over else None,
        "model": spoken.prompt.model,
        "output": items,
        "parallel_tool_calls": request.get("parallel_tool_calls", True),
        "service_tier": "default",
        "store": False,
        "text": request.get("text") or {"format": {"type": "text"}},
        "tool_choice": request.get("tool_choice") or "auto",
        "tools": request.get("tools") or [],
        "truncation": "disabled",
        "usage": None,
    }
    body |= {name: request.get(name) for name in _REPEATED}
    body["metadata"] = body["metadata"] or {}
    if is_over and answer.usage:
        body["usage"] = _usage(answer.usage)
    if not answer.has_usage:
        del body["usage"]
    return body


def _incomplete(answer: Answer) -> dict[str, str] | None:
    reason = {"length": "max_output_tokens", "filter": "content_filter"}.get(answer.stop)
    return {"reason": reason} if reason else None


def _usage(usage: Usage) -> dict[str, Any]:
    return {
        "input_tokens": usage.input,
        "input_tokens_details": {"cached_tokens": usage.cached, "cache_write_tokens": usage.written},
        "output_tokens": usage.output,
        "output_tokens_details": {"reasoning_tokens": usage.reasoning},
        "total_tokens": usage.input + usage.output,
    }


def _parts(answer: Answer) -> list[Part]:
    if answer.is_empty:
        return []
    return [Part("refusal", answer.refusal)] if answer.refusal else answer.parts


def _item_id(spoken: Spoken, index: int, part: Part) -> str:
    prefix = "fc" if part.kind == "call" else "msg"
    return f"{prefix}_{spoken.id.removeprefix('resp_')}{index:02}"


def _item(spoken: Spoken, index: int, part: Part, *, is_done: bool = True) -> dict[str, Any]:
    status = "completed" if is_done else "in_progress"
    shell = {"id": _item_id(spoken, index, part), "status": status}
    if part.kind == "call":
        arguments = part.arguments if is_done else ""
        return {"type": "function_call", **shell, "call_id": part.id, "name": part.name, "arguments": arguments}
    content = [_content(part, part.text)] if is_done else []
    return {"type": "message", **shell, "role": "assistant", "content": content}


def _content(part: Part, text: str) -> dict[str, Any]:
    if part.kind == "refusal":
        return {"type": "refusal", "refusal": text}
    return {"type": "output_text", "text": text, "annotations": [], "logprobs": []}


def stream(spoken: Spoken) -> list[Event]:
    parts = _parts(spoken.answer)
    events = [
        _event("response.created", response=_response(spoken, "in_progress", [])),
        _event("response.in_progress", response=_response(spoken, "in_progress", [])),
    ]
    for index, part in enumerate(parts):
        events += _item_events(spoken, index, part)
    last = "response.incomplete" if _incomplete(spoken.answer) else "response.completed"
    return numbered([*events, _event(last, response=render(spoken))])


def numbered(events: list[Event]) -> list[Event]:
    return [
        Event({**event.data, "sequence_number": number}, event.name, event.is_token)
        for number, event in enumerate(events)
    ]


def _event(kind: str, *, is_token: bool = False, **fields: Any) -> Event:
    return Event({"type": kind, **fields}, kind, is_token)


def _item_events(spoken: Spoken, index: int, part: Part) -> list[Event]:
    place = {"item_id": _item_id(spoken, index, part), "output_index": index}
    inside = _call_events(place, part) if part.kind == "call" else _text_events(place, part)
    return [
        _event("response.output_item.added", output_index=index, item=_item(spoken, index, part, is_done=False)),
        *inside,
        _event("response.output_item.done", output_index=index, item=_item(spoken, index, part)),
    ]


def _call_events(place: dict[str, Any], part: Part) -> list[Event]:
    kind = "response.function_call_arguments"
    said = [_event(f"{kind}.delta", **place, delta=piece, is_token=True) for piece in deltas(part.arguments)]
    return [*said, _event(f"{kind}.done", **place, name=part.name, arguments=part.arguments)]


def _text_events(place: dict[str, Any], part: Part) -> list[Event]:
    place = {**place, "content_index": 0}
    is_refusal = part.kind == "refusal"
    kind = "response.refusal" if is_refusal else "response.output_text"
    extra: dict[str, Any] = {} if is_refusal else {"logprobs": []}
    whole: dict[str, Any] = {"refusal": part.text} if is_refusal else {"text": part.text}
    return [
        _event("response.content_part.added", **place, part=_content(part, "")),
        *[_event(f"{kind}.delta", **place, delta=piece, **extra, is_token=True) for piece in deltas(part.text)],
        _event(f"{kind}.done", **place, **whole, **extra),
        _event("response.content_part.done", **place, part=_content(part, part.text)),
    ]
