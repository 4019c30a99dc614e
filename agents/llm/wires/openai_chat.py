"""Chat Completions, as OpenAI, Gemini, OpenRouter and many others speak them."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from agents.llm import schemas
from agents.llm.counting import guess
from agents.llm.types import Said, Stop, Tool, ToolCall, Usage
from agents.llm.wires import sse
from agents.llm.wires.clients import openai_client
from agents.llm.wires.errors import from_body, translated, wire_error
from agents.llm.wires.port import Call, Listener, Reply

_STOPS = {
    "stop": Stop.END,
    "length": Stop.LENGTH,
    "tool_calls": Stop.TOOL,
    "function_call": Stop.TOOL,
    "content_filter": Stop.REFUSAL,
}


def complete(call: Call) -> Reply:
    with translated():
        answer = openai_client(call.route).chat.completions.with_raw_response.create(**_request(call))
        told = json.loads(answer.content)
        if not isinstance(told, dict) or told.get("error") or not isinstance(told.get("choices"), list):
            usage = usage_of(told.get("usage")) if isinstance(told, dict) else None
            raise _with_usage(from_body(told, None, {}), usage)
        usage = usage_of(told.get("usage"))
        choice = told["choices"][0] if told["choices"] else {}
        message = choice.get("message") or {}
        calls = tuple(_tool_call(one) for one in message.get("tool_calls") or [])
        return checked(message.get("content") or "", message.get("refusal"), calls, choice.get("finish_reason"), usage)


def checked(
    text: str, refusal: str | None, calls: tuple[ToolCall, ...], reason: str | None, usage: Usage | None
) -> Reply:
    stop = Stop.REFUSAL if refusal else _STOPS.get(reason or "", Stop.END)
    if stop == Stop.REFUSAL:
        return Reply(refusal or text, stop, usage)
    if not text and not calls:
        raise wire_error("empty", f"finish_reason {reason}", usage=usage)
    # Some say "stop" although they ask for a tool.
    return Reply(text, Stop.TOOL if calls and stop == Stop.END else stop, usage, calls)


def _with_usage(error: Any, usage: Usage | None) -> Any:
    error.usage = usage
    return error


def _tool_call(told: Mapping[str, Any]) -> ToolCall:
    function = told.get("function") or {}
    raw = function.get("arguments") or ""
    return ToolCall(str(told.get("id", "")), str(function.get("name", "")), schemas.object_from(raw or "{}"), raw)


def usage_of(told: Mapping[str, Any] | None) -> Usage | None:
    if not told or told.get("completion_tokens") is None:
        return None
    sent, made = (told.get(f"{kind}_tokens_details") or {} for kind in ("prompt", "completion"))
    return Usage(
        input=told.get("prompt_tokens") or 0,
        cached=sent.get("cached_tokens") or 0,
        cache_write=sent.get("cache_write_tokens") or 0,
        output=told["completion_tokens"],
        reasoning=made.get("reasoning_tokens") or 0,
    )


# --- streams ----------------------------------------------------------------------------------------------


def stream(call: Call, listener: Listener) -> Reply:
    heard = _Heard(listener)
    request = {**_request(call), "stream": True, "stream_options": {"include_usage": True}}
    with translated():
        try:
            create = openai_client(call.route).chat.completions.with_streaming_response.create
            with create(**request) as answer:
                for chunk in _once(sse.events(answer.iter_bytes())):
                    heard.hear(chunk)
        finally:
            listener.partial.usage = heard.usage
    return heard.reply()


def _once(chunks: Iterator[Any]) -> Iterator[Any]:
    """All chunks of an answer share its id. Where each has its own, a repeated id is a repeated chunk."""
    seen: list[str] = []
    for chunk in chunks:
        name = chunk.get("id") if isinstance(chunk, dict) else None
        if name and name in seen and len(seen) > 1:
            continue
        if name and name not in seen:
            seen.append(name)
        yield chunk


class _Heard:
    """One choice, chunk by chunk."""

    def __init__(self, listener: Listener) -> None:
        self.listener = listener
        self.calls: dict[int, ToolCall] = {}
        self.refusal = ""
        self.finish: str | None = None
        self.usage: Usage | None = None
        self.has_choice = False

    def hear(self, chunk: Any) -> None:
        if not isinstance(chunk, dict):
            raise from_body(chunk, None, {})
        self.usage = usage_of(chunk.get("usage")) or self.usage
        if chunk.get("error"):
            raise _with_usage(from_body(chunk, None, {}), self.usage)
        for choice in chunk.get("choices") or []:
            self.has_choice = True
            self.finish = choice.get("finish_reason") or self.finish
            self._add(choice.get("delta") or {})

    def _add(self, delta: Mapping[str, Any]) -> None:
        self.listener.hear(delta.get("content") or "")
        self.refusal += delta.get("refusal") or ""
        for part in delta.get("tool_calls") or []:
            function = part.get("function") or {}
            place = part.get("index", len(self.calls))
            before = self.calls.get(place) or ToolCall(part.get("id") or "", function.get("name") or "", None)
            self.calls[place] = replace(before, raw=before.raw + (function.get("arguments") or ""))

    def reply(self) -> Reply:
        text = self.listener.partial.text
        calls = tuple(replace(one, args=schemas.object_from(one.raw or "{}")) for one in self.calls.values())
        if self.finish is None and self.has_choice:
            self._guess_usage()
            raise wire_error("disconnected", "the stream ended early", usage=self.usage, may_have_cost=True)
        return checked(text, self.refusal, calls, self.finish, self.usage)

    def _guess_usage(self) -> None:
        if self.usage:
            said = self.listener.partial.text + "".join(one.raw for one in self.calls.values())
            self.usage = replace(self.usage, output=max(self.usage.output, guess(said)))


# --- requests ---------------------------------------------------------------------------------------------


def _request(call: Call) -> dict[str, Any]:
    ask = call.ask
    shape = schemas.native(ask.schema) if call.has("schema") else None
    system = ask.system if shape or ask.schema is None else schemas.by_prompt(ask.system, ask.schema)
    request: dict[str, Any] = {
        "model": call.route.wire_model,
        call.route.provider.limit_field: call.max_output,
        "messages": [*([{"role": "system", "content": system}] if system else []), *_messages(ask.messages)],
        "extra_headers": call.headers,
        "timeout": call.timeout_s,
    }
    if ask.tools:
        request["tools"] = [_tool(tool) for tool in ask.tools]
    if shape:
        wanted = {"name": "answer", "strict": shape.is_strict, "schema": shape.schema}
        request["response_format"] = {"type": "json_schema", "json_schema": wanted}
    return request


def _tool(tool: Tool) -> dict[str, Any]:
    parameters = {"type": "object", "properties": {}, **tool.schema}
    return {
        "type": "function",
        "function": {"name": tool.name, "description": tool.description, "parameters": parameters},
    }


def _messages(messages: tuple[Said, ...]) -> list[dict[str, Any]]:
    return [turn for said in messages for turn in _turns(said)]


def _turns(said: Said) -> list[dict[str, Any]]:
    turns = [{"role": "tool", "tool_call_id": one.call_id, "content": one.text} for one in said.tool_results]
    if said.tool_calls:
        calls = [_call(one) for one in said.tool_calls]
        return [*turns, {"role": "assistant", "content": said.text or None, "tool_calls": calls}]
    return [*turns, {"role": said.role, "content": said.text}] if said.text else turns


def _call(call: ToolCall) -> dict[str, Any]:
    arguments = json.dumps(dict(call.args or {}), ensure_ascii=False)
    return {"id": call.id, "type": "function", "function": {"name": call.name, "arguments": arguments}}
