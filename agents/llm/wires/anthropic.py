"""Anthropic's Messages."""

import json
from collections.abc import Iterable, Mapping
from typing import Any

from agents.llm import schemas
from agents.llm.counting import guess
from agents.llm.types import Said, Stop, Tool, ToolCall, Usage
from agents.llm.wires import sse
from agents.llm.wires.clients import anthropic_client
from agents.llm.wires.errors import from_body, translated, wire_error
from agents.llm.wires.port import Call, Listener, Reply

_STOPS = {
    "end_turn": Stop.END,
    "stop_sequence": Stop.END,
    "pause_turn": Stop.END,
    "max_tokens": Stop.LENGTH,
    "model_context_window_exceeded": Stop.LENGTH,
    "tool_use": Stop.TOOL,
    "refusal": Stop.REFUSAL,
}
_MARK = {"type": "ephemeral"}


def complete(call: Call) -> Reply:
    with translated():
        answer = anthropic_client(call.route).messages.with_raw_response.create(**_request(call))
        told = json.loads(answer.read())
        if not isinstance(told, dict) or "error" in told or told.get("type") != "message":
            raise from_body(told, None, {})
        return _reply(told)


def _reply(message: Mapping[str, Any]) -> Reply:
    blocks = message.get("content") or []
    text = "".join(block["text"] for block in blocks if block["type"] == "text")
    calls = tuple(_tool_call(block) for block in blocks if block["type"] == "tool_use")
    return _checked(text, calls, message.get("stop_reason"), message.get("stop_details"), _usage(message.get("usage")))


def _checked(
    text: str, calls: tuple[ToolCall, ...], reason: str | None, details: Mapping[str, Any] | None, usage: Usage | None
) -> Reply:
    stop = _STOPS.get(reason or "", Stop.END)
    if stop == Stop.REFUSAL:
        return Reply(text or (details or {}).get("explanation") or "", stop, usage)
    if not text and not calls:
        raise wire_error("empty", f"stop_reason {reason}", usage=usage)
    return Reply(text, stop, usage, calls)


def _tool_call(block: Mapping[str, Any]) -> ToolCall:
    given = block.get("input")
    raw = given if isinstance(given, str) else json.dumps(given, ensure_ascii=False)
    return ToolCall(block["id"], block["name"], given if isinstance(given, dict) else None, raw)


def _usage(told: Mapping[str, Any] | None) -> Usage | None:
    """Anthropic counts apart what was read from the cache and what was written to it."""
    if not told or told.get("output_tokens") is None:
        return None
    cached, written = (told.get(f"cache_{kind}_input_tokens") or 0 for kind in ("read", "creation"))
    details = told.get("output_tokens_details") or {}
    return Usage(
        input=(told.get("input_tokens") or 0) + cached + written,
        cached=cached,
        cache_write=written,
        output=told["output_tokens"],
        reasoning=details.get("thinking_tokens") or 0,
    )


# --- streams ----------------------------------------------------------------------------------------------


def stream(call: Call, listener: Listener) -> Reply:
    heard = _Heard(listener)
    with translated():
        try:
            create = anthropic_client(call.route).messages.with_streaming_response.create
            with create(**_request(call), stream=True) as answer:
                for event in sse.events(answer.iter_bytes()):
                    heard.hear(event)
        finally:
            listener.partial.usage = heard.usage_so_far()
    return heard.reply()


class _Heard:
    """One message, event by event. What starts again has started already."""

    def __init__(self, listener: Listener) -> None:
        self.listener = listener
        self.blocks: dict[int, dict[str, Any]] = {}
        self.usage: dict[str, Any] = {}
        self.end: dict[str, Any] = {}
        self.is_over = False

    def hear(self, event: Any) -> None:
        match event.get("type") if isinstance(event, dict) else "error":
            case "message_start":
                self.usage = self.usage or event["message"].get("usage") or {}
            case "content_block_start":
                self.blocks.setdefault(event["index"], {**event["content_block"], "json": ""})
            case "content_block_delta":
                self._add(self.blocks.setdefault(event["index"], {"type": "text"}), event["delta"])
            case "message_delta":
                self.end = event["delta"]
                self.usage |= {name: value for name, value in (event.get("usage") or {}).items() if value is not None}
            case "message_stop":
                self.is_over = True
            case "error":
                raise from_body(event, None, {})

    def _add(self, block: dict[str, Any], delta: dict[str, Any]) -> None:
        if delta["type"] == "text_delta":
            self.listener.hear(delta["text"])
        elif delta["type"] == "input_json_delta":
            block["json"] += delta["partial_json"]

    def usage_so_far(self) -> Usage | None:
        """Until the end, what came out is counted by us."""
        if not self.usage or self.is_over:
            return _usage(self.usage)
        said = self.listener.partial.text + "".join(block.get("json", "") for block in self.blocks.values())
        return _usage({**self.usage, "output_tokens": guess(said)})

    def reply(self) -> Reply:
        if not self.is_over:
            raise wire_error("disconnected", "the stream ended early", may_have_cost=True)
        calls = tuple(_heard_call(block) for block in self.blocks.values() if block["type"] == "tool_use")
        return _checked(
            self.listener.partial.text,
            calls,
            self.end.get("stop_reason"),
            self.end.get("stop_details"),
            _usage(self.usage),
        )


def _heard_call(block: Mapping[str, Any]) -> ToolCall:
    raw = block["json"]
    return ToolCall(block["id"], block["name"], schemas.object_from(raw or "{}"), raw)


# --- requests ---------------------------------------------------------------------------------------------


def _request(call: Call) -> dict[str, Any]:
    ask = call.ask
    request: dict[str, Any] = {
        "model": call.route.wire_model,
        "max_tokens": call.max_output,
        "messages": _messages(ask.messages),
        "extra_headers": call.headers,
        "timeout": call.timeout_s,
    }
    shape = schemas.native(ask.schema) if call.has("schema") else None
    if system := ask.system if shape or ask.schema is None else schemas.by_prompt(ask.system, ask.schema):
        # What stays the same from call to call, the tools included, is read from the cache.
        request["system"] = [
            {"type": "text", "text": system, **({"cache_control": _MARK} if call.has("cache") else {})}
        ]
    if ask.tools:
        request["tools"] = [_tool(tool) for tool in ask.tools]
    if shape:
        request["output_config"] = {"format": {"type": "json_schema", "schema": shape.schema}}
    return request


def _tool(tool: Tool) -> dict[str, Any]:
    return {"name": tool.name, "description": tool.description, "input_schema": {"type": "object", **tool.schema}}


def _messages(messages: Iterable[Said]) -> list[dict[str, Any]]:
    turns = [{"role": said.role, "content": _blocks(said)} for said in messages]
    return [turn for turn in turns if turn["content"]]


def _blocks(said: Said) -> list[dict[str, Any]]:
    blocks: list[dict[str, Any]] = [
        {"type": "tool_result", "tool_use_id": one.call_id, "content": one.text, "is_error": one.is_error}
        for one in said.tool_results
    ]
    if said.text.strip():
        blocks.append({"type": "text", "text": said.text})
    blocks += [
        {"type": "tool_use", "id": call.id, "name": call.name, "input": dict(call.args or {})}
        for call in said.tool_calls
    ]
    return blocks
