"""OpenAI's Responses. Nothing is stored there: each request carries the whole conversation."""

import json
from collections.abc import Iterator, Mapping
from typing import Any

from agents.llm import schemas
from agents.llm.types import Said, Stop, Tool, ToolCall, Usage
from agents.llm.wires import sse
from agents.llm.wires.clients import openai_client
from agents.llm.wires.errors import from_body, translated, wire_error
from agents.llm.wires.port import Call, Listener, Reply

LEAST_OUTPUT = 16
_OVER = {"response.completed", "response.incomplete", "response.failed"}


def complete(call: Call) -> Reply:
    with translated():
        answer = openai_client(call.route).responses.with_raw_response.create(**_request(call))
        return _reply(json.loads(answer.content))


def _reply(told: Any) -> Reply:
    if not isinstance(told, dict) or told.get("error") or not isinstance(told.get("output"), list):
        raise from_body(told, None, {})
    usage = _usage(told.get("usage"))
    items = told["output"]
    content = [part for item in items if item.get("type") == "message" for part in item.get("content") or []]
    text = "".join(part.get("text", "") for part in content if part.get("type") == "output_text")
    refusal = "".join(part.get("refusal", "") for part in content if part.get("type") == "refusal")
    calls = tuple(_tool_call(item) for item in items if item.get("type") == "function_call")
    reason = (told.get("incomplete_details") or {}).get("reason")
    if refusal or reason == "content_filter":
        return Reply(refusal or text, Stop.REFUSAL, usage)
    if not text and not calls:
        raise wire_error("empty", f"status {told.get('status')}", usage=usage)
    if reason == "max_output_tokens":
        return Reply(text, Stop.LENGTH, usage, calls)
    return Reply(text, Stop.TOOL if calls else Stop.END, usage, calls)


def _tool_call(item: Mapping[str, Any]) -> ToolCall:
    raw = item.get("arguments") or ""
    return ToolCall(str(item.get("call_id", "")), str(item.get("name", "")), schemas.object_from(raw or "{}"), raw)


def _usage(told: Mapping[str, Any] | None) -> Usage | None:
    if not told or told.get("output_tokens") is None:
        return None
    sent, made = (told.get(f"{kind}_tokens_details") or {} for kind in ("input", "output"))
    return Usage(
        input=told.get("input_tokens") or 0,
        cached=sent.get("cached_tokens") or 0,
        cache_write=sent.get("cache_write_tokens") or 0,
        output=told["output_tokens"],
        reasoning=made.get("reasoning_tokens") or 0,
    )


# --- streams ----------------------------------------------------------------------------------------------


def stream(call: Call, listener: Listener) -> Reply:
    """What is heard goes out at once; the reply is read from the last event, which holds it whole."""
    with translated():
        create = openai_client(call.route).responses.with_streaming_response.create
        with create(**_request(call), stream=True) as answer:
            for event in _once(sse.events(answer.iter_bytes())):
                kind = event.get("type")
                if kind == "response.output_text.delta":
                    listener.hear(event.get("delta") or "")
                elif kind in _OVER:
                    return _reply(event.get("response"))
                elif kind == "error" or "error" in event:
                    raise from_body(event, None, {})
        raise wire_error("disconnected", "the stream ended early", may_have_cost=True)


def _once(events: Iterator[Any]) -> Iterator[dict[str, Any]]:
    """Events are numbered: a number that was there already is a repetition."""
    last = -1
    for event in events:
        if not isinstance(event, dict):
            raise from_body(event, None, {})
        number = event.get("sequence_number")
        if isinstance(number, int):
            if number <= last:
                continue
            last = number
        yield event


# --- requests ---------------------------------------------------------------------------------------------


def _request(call: Call) -> dict[str, Any]:
    ask = call.ask
    shape = schemas.native(ask.schema) if call.has("schema") else None
    system = ask.system if shape or ask.schema is None else schemas.by_prompt(ask.system, ask.schema)
    request: dict[str, Any] = {
        "model": call.route.wire_model,
        "max_output_tokens": max(LEAST_OUTPUT, call.max_output),
        "input": [item for said in ask.messages for item in _items(said)],
        "store": False,
        "extra_headers": call.headers,
        "timeout": call.timeout_s,
    }
    if system:
        request["instructions"] = system
    if ask.tools:
        request["tools"] = [_tool(tool) for tool in ask.tools]
    if shape:
        wanted = {"type": "json_schema", "name": "answer", "strict": shape.is_strict, "schema": shape.schema}
        request["text"] = {"format": wanted}
    return request


def _tool(tool: Tool) -> dict[str, Any]:
    parameters = {"type": "object", "properties": {}, **tool.schema}
    # Strict is the default here, and would refuse optional arguments.
    return {
        "type": "function",
        "name": tool.name,
        "description": tool.description,
        "parameters": parameters,
        "strict": False,
    }


def _items(said: Said) -> list[dict[str, Any]]:
    items: list[dict[str, Any]] = [
        {"type": "function_call_output", "call_id": one.call_id, "output": one.text} for one in said.tool_results
    ]
    if said.text:
        items.append({"role": said.role, "content": said.text})
    items += [
        {
            "type": "function_call",
            "call_id": call.id,
            "name": call.name,
            "arguments": json.dumps(dict(call.args or {}), ensure_ascii=False),
        }
        for call in said.tool_calls
    ]
    return items
