"""Reads a request to OpenAI's Responses API."""

from typing import Any

from sandbox.llm.chat_request import check_limit, check_range, check_types, content_text, find_model
from sandbox.llm.checks import Rejected
from sandbox.llm.openai_tools import function_tool, named_schema, read_tool_choice
from sandbox.llm.prompt import Part, Prompt, Tool, Turn

LEAST_OUTPUT = 16
_FIELDS = {
    "background",
    "include",
    "input",
    "instructions",
    "max_output_tokens",
    "max_tool_calls",
    "metadata",
    "model",
    "parallel_tool_calls",
    "previous_response_id",
    "prompt_cache_key",
    "prompt_cache_options",
    "prompt_cache_retention",
    "reasoning",
    "safety_identifier",
    "service_tier",
    "store",
    "stream",
    "stream_options",
    "temperature",
    "text",
    "tool_choice",
    "tools",
    "top_logprobs",
    "top_p",
    "truncation",
    "user",
}
_ROLES = {"system": "system", "developer": "system", "user": "user", "assistant": "assistant"}


def read(body: dict[str, Any]) -> Prompt:
    for name in body:
        if name not in _FIELDS:
            raise Rejected(f"Unknown parameter: '{name}'.", name, "unknown_parameter")
    check_types(body)
    model = find_model("openai", body.get("model"))
    check_range("temperature", body.get("temperature"), 0, 2)
    check_range("top_p", body.get("top_p"), 0, 1)
    if body.get("previous_response_id"):
        # Nothing is stored here, as with store=false.
        raise Rejected(
            f"Previous response with id '{body['previous_response_id']}' not found.",
            "previous_response_id",
            "previous_response_not_found",
        )
    tools = _tools(body.get("tools"))
    instructions = body.get("instructions")
    system = [Turn("system", (Part("text", instructions),))] if instructions else []
    return Prompt(
        "openai",
        model.id,
        (*system, *_input(body.get("input"))),
        tuple(tools),
        read_tool_choice(body.get("tool_choice"), tools),
        _schema(body.get("text")),
        check_limit("max_output_tokens", body.get("max_output_tokens"), LEAST_OUTPUT, model),
        is_stream=body.get("stream") is True,
    )


def _input(value: Any) -> list[Turn]:
    if value is None or value in ("", []):
        raise Rejected(
            "One of \"input\" or \"previous_response_id\" or 'prompt' or 'conversation_id' must be provided.",
            "input",
            "missing_required_parameter",
        )
    if isinstance(value, str):
        return [Turn("user", (Part("text", value),))]
    if not isinstance(value, list):
        raise Rejected("Invalid type for 'input': expected a string or an array.", "input", "invalid_type")
    turns = [turn for index, item in enumerate(value) if (turn := _item(item, f"input[{index}]"))]
    _check_tool_turns(turns)
    return turns


def _item(item: Any, where: str) -> Turn | None:
    kind = item.get("type", "message") if isinstance(item, dict) else None
    match kind:
        case "message":
            role = _ROLES.get(str(item.get("role", "")))
            if role is None:
                raise Rejected(f"Invalid value: '{item.get('role')}'.", f"{where}.role", "invalid_value")
            return Turn(role, (Part("text", content_text(item.get("content"), f"{where}.content")),))
        case "function_call":
            _need(item, where, "call_id", "name", "arguments")
            call_id, name, arguments = (str(item[field]) for field in ("call_id", "name", "arguments"))
            return Turn("assistant", (Part("call", id=call_id, name=name, arguments=arguments),))
        case "function_call_output":
            _need(item, where, "call_id", "output")
            text = content_text(item["output"], f"{where}.output")
            return Turn("tool", (Part("result", text, id=str(item["call_id"])),))
        case "reasoning":
            return None
    raise Rejected(f"Invalid value: '{kind}'.", where, "invalid_value")


def _need(item: dict[str, Any], where: str, *names: str) -> None:
    for name in names:
        if name not in item:
            raise Rejected(
                f"Missing required parameter: '{where}.{name}'.", f"{where}.{name}", "missing_required_parameter"
            )


def _check_tool_turns(turns: list[Turn]) -> None:
    parts = [part for turn in turns for part in turn.parts]
    asked: set[str] = set()
    for part in parts:
        if part.kind == "call":
            asked.add(part.id)
        elif part.kind == "result" and part.id not in asked:
            raise Rejected(f"No tool call found for function call output with call_id {part.id}.", "input")
    answered = {part.id for part in parts if part.kind == "result"}
    for part in parts:
        if part.kind == "call" and part.id not in answered:
            raise Rejected(f"No tool output found for function call {part.id}.", "input")


def _tools(value: Any) -> list[Tool]:
    tools = []
    for index, tool in enumerate(value or []):
        if not isinstance(tool, dict) or tool.get("type") != "function":
            kind = tool.get("type") if isinstance(tool, dict) else tool
            raise Rejected(f"Invalid value: '{kind}'.", f"tools[{index}].type", "invalid_value")
        tools.append(function_tool(tool, f"tools[{index}]"))
    return tools


def _schema(text: Any) -> dict[str, Any] | None:
    wanted = (text or {}).get("format")
    if wanted is None:
        return None
    if not isinstance(wanted, dict):
        raise Rejected("Invalid type for 'text.format': expected an object.", "text.format", "invalid_type")
    match wanted.get("type"):
        case "text":
            return None
        case "json_object":
            return {}
        case "json_schema":
            return named_schema(wanted, "text.format.schema", "text.format")
    raise Rejected(f"Invalid value: '{wanted.get('type')}'.", "text.format.type", "invalid_value")
