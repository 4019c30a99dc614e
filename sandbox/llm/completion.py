"""The way of every request to a model: read, answer, count, cut, write down, send."""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from sandbox.ledger import Effect
from sandbox.llm import (
    anthropic_answer,
    anthropic_request,
    behaviours,
    cache,
    calls,
    catalogue,
    chat_answer,
    chat_request,
    failures,
    problems,
    responses_answer,
    responses_request,
    tokens,
)
from sandbox.llm.checks import Rejected
from sandbox.llm.events import Event, Spoken
from sandbox.llm.prompt import Answer, Prompt, Usage
from sandbox.llm.streaming import stream_response
from sandbox.router import Call
from sandbox.wire import MalformedBody, Refusal, Response, json_response


@dataclass(frozen=True)
class Wire:
    """One way of writing: how a request is read, how an answer goes out."""

    read: Callable[[Call, dict[str, Any]], Prompt]
    render: Callable[[Spoken], Any]
    stream: Callable[[Spoken], list[Event]]
    id_prefix: str
    call_prefix: str


def _read_anthropic(call: Call, body: dict[str, Any]) -> Prompt:
    return anthropic_request.read(body, call.request.headers.get("anthropic-version") or "")


MESSAGES = Wire(_read_anthropic, anthropic_answer.render, anthropic_answer.stream, "msg_01", "toolu_01")
CHAT = Wire(
    lambda call, body: chat_request.read(call.caller.provider, body),
    chat_answer.render,
    chat_answer.stream,
    "chatcmpl-",
    "call_",
)
OPENROUTER_CHAT = replace(CHAT, id_prefix="gen-")
RESPONSES = Wire(
    lambda call, body: responses_request.read(body),
    responses_answer.render,
    responses_answer.stream,
    "resp_",
    "call_",
)


def complete(wire: Wire) -> Callable[[Call], Response]:
    """The handler of one wire."""

    def handle(call: Call) -> Response:
        body, prompt = read_prompt(call, wire.read)
        usage = _check_and_count(call, prompt)
        behaviour = behaviours.choose(call.db, prompt)
        calls.record_prompt(call.db, call.caller.record_id, prompt, behaviour, call.fault.kind if call.fault else None)
        answer = _answer(call, prompt, behaviour, usage)
        spoken = _spoken(call, wire, prompt, answer, body)
        calls.record_answer(call.db, call.caller.record_id, spoken.id, spoken.answer)
        call.effect = Effect("completion", spoken.id, answer.text)
        if prompt.is_stream:
            return stream_response(call, spoken, wire.stream(spoken))
        return json_response(200, wire.render(spoken))

    return handle


def read_prompt(call: Call, read: Callable[[Call, dict[str, Any]], Prompt]) -> tuple[dict[str, Any], Prompt]:
    try:
        if call.caller.provider == "anthropic":
            anthropic_request.check_version(call.request.headers.get("anthropic-version"))
        body = read_body(call)
        return body, read(call, body)
    except Rejected as rejected:
        raise refusal(call, rejected) from None


def read_body(call: Call) -> dict[str, Any]:
    try:
        body = call.request.json()
    except MalformedBody:
        raise Rejected("We could not parse the JSON body of your request.") from None
    if not isinstance(body, dict):
        raise Rejected("The request body must be a JSON object.")
    return body


def refusal(call: Call, rejected: Rejected) -> Refusal:
    return Refusal(
        problems.error(
            call,
            call.caller.provider,
            rejected.status,
            rejected.message,
            param=rejected.param,
            code=rejected.code,
        )
    )


def _check_and_count(call: Call, prompt: Prompt) -> Usage:
    segments = tokens.segments(prompt)
    size = sum(segment.tokens for segment in segments)
    model = catalogue.find(prompt.provider, prompt.model)
    assert model is not None
    if size > model.context:
        raise refusal(call, _too_long(prompt, size, model.context))
    scope = f"{call.caller.provider}:{call.caller.key}:{prompt.model}"
    use = cache.use_marks if prompt.provider == "anthropic" else cache.use_beginning
    return use(call.db, call.now, scope, segments)


def _too_long(prompt: Prompt, size: int, context: int) -> Rejected:
    words = {
        "anthropic": f"prompt is too long: {size} tokens > {context} maximum",
        "openai": f"This model's maximum context length is {context} tokens. However, your messages resulted in"
        f" {size} tokens. Please reduce the length of the messages.",
        "gemini": f"The input token count ({size}) exceeds the maximum number of tokens allowed ({context}).",
        "openrouter": f"This endpoint's maximum context length is {context} tokens. However, you requested about"
        f" {size} tokens. Please reduce the length of either one.",
    }
    return Rejected(words[prompt.provider], "messages", "context_length_exceeded")


def _answer(call: Call, prompt: Prompt, behaviour: str, usage: Usage) -> Answer:
    try:
        plain = behaviours.answer(call, prompt, behaviour)
    except Rejected as rejected:
        raise refusal(call, rejected) from None
    own_usage = plain.usage if plain.usage and plain.usage.input else None
    answer = tokens.cut_to_limits(failures.spoil(call, prompt, plain), prompt)
    usage.output, usage.reasoning = tokens.count_answer(answer), tokens.count(answer.thinking)
    return failures.spoil_usage(call, replace(answer, usage=own_usage or usage))


def _spoken(call: Call, wire: Wire, prompt: Prompt, answer: Answer, body: dict[str, Any]) -> Spoken:
    record_id = call.caller.record_id
    parts = [
        replace(part, id=part.id or wire.call_prefix + _id(record_id, f"call{number}")) if part.kind == "call" else part
        for number, part in enumerate(answer.parts)
    ]
    answer = replace(answer, parts=parts)
    return Spoken(prompt, answer, wire.id_prefix + _id(record_id, prompt.sha), int(call.now), body)


def _id(*key: object) -> str:
    return hashlib.sha256(":".join(map(str, key)).encode()).hexdigest()[:24]
