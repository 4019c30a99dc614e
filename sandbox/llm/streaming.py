"""From the events of an answer to the pieces on the socket, with the faults that happen on the way."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from sandbox.llm import events, failures, settings
from sandbox.llm.events import Event, Spoken
from sandbox.llm.prompt import Usage
from sandbox.llm.responses_answer import numbered
from sandbox.router import Call
from sandbox.wire import Response, Stream

_HEADERS = {"content-type": "text/event-stream; charset=utf-8", "cache-control": "no-cache"}
_KEEP_ALIVES = {"openrouter": "OPENROUTER PROCESSING"}
_AFTER_TOKENS = 5


def stream_response(call: Call, spoken: Spoken, told: list[Event]) -> Response:
    damage = _DAMAGES.get(call.fault.kind) if call.fault else None
    stream = damage(call, spoken, told) if damage else Stream(_encoded(told))
    stream.pause_seconds = settings.number(call.db, "chunk_ms") / 1_000
    return Response(200, b"", dict(_HEADERS), stream)


def _number(call: Call, name: str, default: int) -> int:
    return int(call.fault.params.get(name, default)) if call.fault else default


def _cut(call: Call, spoken: Spoken, told: list[Event]) -> Stream:
    return Stream(_encoded(events.after_tokens(told, _number(call, "after_tokens", 17))), is_cut=True)


def _hang(call: Call, spoken: Spoken, told: list[Event]) -> Stream:
    stream = _cut(call, spoken, told)
    stream.silence_seconds = _number(call, "after_ms", 30_000) / 1_000
    return stream


def _fail(call: Call, spoken: Spoken, told: list[Event]) -> Stream:
    after = _number(call, "after_tokens", _AFTER_TOKENS)
    return Stream(_encoded([*events.after_tokens(told, after), *_error_events(call, spoken, told)]))


def _comment(call: Call, spoken: Spoken, told: list[Event]) -> Stream:
    words = events.comment(_KEEP_ALIVES.get(call.caller.provider, "keep-alive"))
    mixed = [words, words]
    for number, piece in enumerate(_encoded(told)):
        mixed += [piece, words] if number % 4 == 0 else [piece]
    return Stream(mixed)


def _split(call: Call, spoken: Spoken, told: list[Event]) -> Stream:
    return Stream([part for piece in _encoded(told) for part in events.split_characters(piece)])


def _encoded(told: list[Event]) -> list[bytes]:
    return [event.encode() for event in told]


def _error_events(call: Call, spoken: Spoken, told: list[Event]) -> list[Event]:
    assert call.fault is not None
    body = failures.inside_error(call, call.fault.params)
    provider = call.caller.provider
    if provider == "anthropic":
        return [Event(body, "error")]
    if call.route.pattern.endswith("/responses"):
        return _failed_response(told, body["error"])
    if provider == "openrouter":
        return [Event(_error_chunk(spoken, told, body["error"])), Event("[DONE]")]
    return [Event(body), Event("[DONE]")]


def _failed_response(told: list[Event], error: dict[str, Any]) -> list[Event]:
    """OpenAI sends the error and then the response that came to nothing."""
    first = told[0].data["response"]
    failed = {**first, "status": "failed", "error": {"code": "server_error", "message": error["message"]}}
    count = len(told)
    plain = {"type": "error", "code": "server_error", "message": error["message"], "param": None}
    sent = [
        Event(plain, "error"),
        Event({"type": "response.failed", "response": failed}, "response.failed"),
    ]
    return [replace(event, data={**event.data, "sequence_number": count + n}) for n, event in enumerate(numbered(sent))]


def _error_chunk(spoken: Spoken, told: list[Event], error: dict[str, Any]) -> dict[str, Any]:
    """OpenRouter's last chunk: the error beside an empty choice, and what was used up to then."""
    sample = told[0].data
    choice = {"index": 0, "delta": {"role": "assistant", "content": ""}, "finish_reason": None, "logprobs": None}
    usage = spoken.answer.usage or Usage()
    counted = {
        "prompt_tokens": usage.input,
        "completion_tokens": min(_AFTER_TOKENS, usage.output),
        "total_tokens": usage.input + min(_AFTER_TOKENS, usage.output),
        "cost": 0,
        "prompt_tokens_details": {"cached_tokens": usage.cached},
        "completion_tokens_details": {"reasoning_tokens": 0},
    }
    return {**sample, "error": error, "choices": [choice], "usage": counted}


def _double(call: Call, spoken: Spoken, told: list[Event]) -> Stream:
    """Some events come twice, marked so that a careful reader sees it.

    Chunks of Chat have an id each instead of one for all, and a repeated chunk repeats it; Responses repeats the
    sequence number; Anthropic, which numbers nothing but blocks, starts what has started already.
    """
    doubled: list[Event] = []
    for number, event in enumerate(_with_own_ids(told)):
        doubled.append(event)
        if _may_repeat(event) and (number % 3 == 1 or not event.is_token):
            doubled.append(event)
    return Stream(_encoded(doubled))


def _with_own_ids(told: list[Event]) -> list[Event]:
    return [
        replace(event, data={**event.data, "id": f"{event.data['id']}-{number}"})
        if isinstance(event.data, dict) and event.data.get("object") == "chat.completion.chunk"
        else event
        for number, event in enumerate(told)
    ]


def _may_repeat(event: Event) -> bool:
    if not isinstance(event.data, dict):
        return False
    if event.data.get("object") == "chat.completion.chunk" or "sequence_number" in event.data:
        return True
    return event.data.get("type") in ("message_start", "content_block_start", "ping")


_DAMAGES: dict[str, Callable[[Call, Spoken, list[Event]], Stream]] = {
    "disconnect": _cut,
    "hang_midstream": _hang,
    "error_inside_200": _fail,
    "error_inside_200_stream": _fail,
    "sse_comment_keepalive": _comment,
    "duplicate_chunk_ids": _double,
    "utf8_split_across_chunks": _split,
}
