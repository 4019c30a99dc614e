"""Reads a request to Anthropic's Messages API, refusing what version 2026-10-21 refuses."""

from dataclasses import replace
from typing import Any

from sandbox.llm import catalogue
from sandbox.llm.anthropic_blocks import cache_ttl, kinds_for, read_block
from sandbox.llm.catalogue import Model
from sandbox.llm.checks import TOOL_NAME, Rejected, is_object_schema, is_whole, objects_in, shape_problem
from sandbox.llm.prompt import Part, Prompt, Tool, Turn

VERSIONS = ("2023-06-01", "2026-10-21")
# Gone since 2026-10-21.
SAMPLING = ("temperature", "top_p", "top_k")
_COUNTED = {
    "model",
    "messages",
    "system",
    "tools",
    "tool_choice",
    "thinking",
    "output_config",
    "cache_control",
    "speed",
}
_FIELDS = _COUNTED | {
    "max_tokens",
    "stop_sequences",
    "stream",
    "metadata",
    "service_tier",
    "inference_geo",
    "container",
    "diagnostics",
}
_ROLES = ("user", "assistant", "system")
MAX_MARKS = 4
UNSUPPORTED = {
    "string": ("minLength", "maxLength"),
    "integer": ("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf"),
    "number": ("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf"),
    "array": ("maxItems", "uniqueItems"),
    "object": ("minProperties", "maxProperties", "patternProperties"),
}


def check_version(version: str | None) -> None:
    if not version:
        raise Rejected("anthropic-version: header is required")
    if version not in VERSIONS:
        raise Rejected(f"anthropic-version: {version} is not a valid version")


def read(body: dict[str, Any], version: str, *, is_count: bool = False) -> Prompt:
    """The prompt; `is_count` for count_tokens, which generates nothing."""
    _check_fields(body, version, is_count=is_count)
    model = _model(body)
    turns = [*_system(body.get("system")), *_messages(body["messages"], model)]
    tools = _tools(body.get("tools"))
    prompt = Prompt(
        "anthropic",
        model.id,
        tuple(turns),
        tuple(tools),
        _tool_choice(body.get("tool_choice"), tools),
        _schema(body.get("output_config")),
        None if is_count else _max_tokens(body, model),
        tuple(_stop(body.get("stop_sequences"))),
        is_stream=body.get("stream") is True,
        is_thinking=_is_thinking(body.get("thinking")),
    )
    prompt = _mark_last(prompt) if body.get("cache_control") else prompt
    marks = [part for turn in prompt.turns for part in turn.parts if part.cache_ttl]
    used = len(marks) + len([tool for tool in prompt.tools if tool.cache_ttl])
    if used > MAX_MARKS:
        raise Rejected(f"A maximum of {MAX_MARKS} blocks with cache_control may be provided. Found {used}.")
    return prompt


def _check_fields(body: dict[str, Any], version: str, *, is_count: bool) -> None:
    needed = ("model", "messages") if is_count else ("model", "max_tokens", "messages")
    for name in needed:
        if name not in body:
            raise Rejected(f"{name}: Field required")
    allowed = _COUNTED if is_count else _FIELDS
    if version == VERSIONS[0]:
        allowed = allowed | set(SAMPLING)
    for name in body:
        if name not in allowed:
            raise Rejected(f"{name}: Extra inputs are not permitted")
    if not isinstance(body.get("stream", False), bool):
        raise Rejected("stream: Input should be a valid boolean")


def _model(body: dict[str, Any]) -> Model:
    if not isinstance(body["model"], str):
        raise Rejected("model: Input should be a valid string")
    model = catalogue.find("anthropic", body["model"])
    if model is None:
        raise Rejected(f"model: {body['model']}", status=404)
    return model


def _max_tokens(body: dict[str, Any], model: Model) -> int:
    limit = body["max_tokens"]
    if not is_whole(limit):
        raise Rejected("max_tokens: Input should be a valid integer")
    if limit < 0:
        raise Rejected("max_tokens: Input should be greater than or equal to 0")
    if limit > model.max_output:
        raise Rejected(
            f"max_tokens: {limit} > {model.max_output}, which is the maximum allowed number of output tokens for"
            f" {model.id}"
        )
    return int(limit)


def _stop(value: Any) -> list[str]:
    if value is None:
        return []
    if not isinstance(value, list) or not all(isinstance(mark, str) for mark in value):
        raise Rejected("stop_sequences: Input should be a valid list")
    if any(not mark.strip() for mark in value):
        raise Rejected("stop_sequences: each stop sequence must contain non-whitespace")
    return value


def _is_thinking(value: Any) -> bool:
    if value is None:
        return False
    kind = value.get("type") if isinstance(value, dict) else None
    if kind not in ("adaptive", "enabled", "disabled", "between_tools"):
        raise Rejected("thinking.type: Input should be 'enabled', 'disabled', 'between_tools' or 'adaptive'")
    if kind == "enabled" and not (is_whole(value.get("budget_tokens")) and value["budget_tokens"] >= 1_024):
        raise Rejected("thinking.enabled.budget_tokens: Input should be greater than or equal to 1024")
    return kind in ("enabled", "adaptive")


def _system(value: Any) -> list[Turn]:
    if value is None or value == "":
        return []
    if isinstance(value, str):
        return [Turn("system", (Part("text", value),))]
    if not isinstance(value, list):
        raise Rejected("system: Input should be a valid list")
    parts = [read_block(block, f"system.{index}", ("text",)) for index, block in enumerate(value)]
    return [Turn("system", tuple(part for part in parts if part))] if parts else []


def _messages(value: Any, model: Model) -> list[Turn]:
    if not isinstance(value, list):
        raise Rejected("messages: Input should be a valid list")
    if not value:
        raise Rejected("messages: at least one message is required")
    turns = [_message(message, f"messages.{index}") for index, message in enumerate(value)]
    spoken = [turn.role for turn in turns if turn.role != "system"]
    if not spoken or spoken[0] != "user":
        raise Rejected('messages: first message must use the "user" role')
    if spoken[-1] == "assistant":
        raise Rejected(
            "This model does not support assistant message prefill. The conversation must end with a user message."
        )
    _check_tool_turns(turns)
    return turns


def _message(message: Any, where: str) -> Turn:
    if not isinstance(message, dict):
        raise Rejected(f"{where}: Input should be a valid dictionary")
    for name in ("role", "content"):
        if name not in message:
            raise Rejected(f"{where}.{name}: Field required")
    for name in message:
        if name not in ("role", "content"):
            raise Rejected(f"{where}.{name}: Extra inputs are not permitted")
    role, content = message["role"], message["content"]
    if role not in _ROLES:
        raise Rejected(f"{where}.role: Input should be 'user', 'assistant' or 'system'")
    if isinstance(content, str):
        content = [{"type": "text", "text": content}] if content else []
    if not isinstance(content, list):
        raise Rejected(f"{where}.content: Input should be a valid list")
    if not content:
        raise Rejected(f"{where}: {role} messages must have non-empty content")
    kinds = kinds_for(role)
    parts = [read_block(block, f"{where}.content.{index}", kinds) for index, block in enumerate(content)]
    return Turn(role, tuple(part for part in parts if part))


def _check_tool_turns(turns: list[Turn]) -> None:
    """Every call is answered in the next message, and nothing else is."""
    for index, turn in enumerate(turns):
        before = turns[index - 1] if index else None
        asked = [part.id for part in before.parts if part.kind == "call"] if before else []
        answered = [part.id for part in turn.parts if part.kind == "result"]
        for position, part in enumerate(turn.parts):
            if part.kind == "result" and part.id not in asked:
                raise Rejected(
                    f"messages.{index}.content.{position}: unexpected `tool_use_id` found in `tool_result` blocks:"
                    f" {part.id}. Each `tool_result` block must have a corresponding `tool_use` block in the previous"
                    " message."
                )
        missing = [call_id for call_id in asked if call_id not in answered]
        if missing:
            raise Rejected(
                f"messages.{index - 1}: `tool_use` ids were found without `tool_result` blocks immediately after:"
                f" {', '.join(missing)}. Each `tool_use` block must have a corresponding `tool_result` block in the"
                " next message."
            )


def _tools(value: Any) -> list[Tool]:
    if value is None:
        return []
    if not isinstance(value, list):
        raise Rejected("tools: Input should be a valid list")
    tools = [_tool(tool, f"tools.{index}") for index, tool in enumerate(value)]
    if len({tool.name for tool in tools}) < len(tools):
        raise Rejected("tools: Tool names must be unique.")
    return tools


def _tool(tool: Any, where: str) -> Tool:
    fields = {"name", "description", "input_schema", "cache_control", "type", "strict", "eager_input_streaming"}
    if not isinstance(tool, dict):
        raise Rejected(f"{where}: Input should be a valid dictionary")
    for name in ("name", "input_schema"):
        if name not in tool:
            raise Rejected(f"{where}.custom.{name}: Field required")
    for name in tool:
        if name not in fields:
            raise Rejected(f"{where}.custom.{name}: Extra inputs are not permitted")
    if not isinstance(tool["name"], str) or not TOOL_NAME.match(tool["name"]):
        raise Rejected(f"{where}.custom.name: String should match pattern '^[a-zA-Z0-9_-]{{1,128}}$'")
    schema = tool["input_schema"]
    if not isinstance(schema, dict) or schema.get("type") != "object":
        raise Rejected(f"{where}.custom.input_schema.type: Input should be 'object'")
    _check_shape(schema, f"{where}.custom.input_schema")
    ttl = cache_ttl(tool.get("cache_control"), f"{where}.custom")
    return Tool(tool["name"], str(tool.get("description") or ""), schema, ttl)


def _tool_choice(value: Any, tools: list[Tool]) -> str:
    if value is None:
        return "auto"
    kind = value.get("type") if isinstance(value, dict) else None
    if kind not in ("auto", "any", "tool", "none"):
        raise Rejected("tool_choice.type: Input should be 'auto', 'any', 'tool' or 'none'")
    if kind in ("any", "tool") and not tools:
        raise Rejected("tool_choice may only be specified while providing tools.")
    if kind != "tool":
        return str(kind)
    if value.get("name") not in [tool.name for tool in tools]:
        raise Rejected(f"tool_choice: Tool '{value.get('name')}' not found in provided tools")
    return str(value["name"])


def _schema(config: Any) -> dict[str, Any] | None:
    if config is None:
        return None
    if not isinstance(config, dict):
        raise Rejected("output_config: Input should be a valid dictionary")
    for name in config:
        if name not in ("effort", "format"):
            raise Rejected(f"output_config.{name}: Extra inputs are not permitted")
    if config.get("effort") not in (None, "low", "medium", "high", "xhigh", "max"):
        raise Rejected("output_config.effort: Input should be 'low', 'medium', 'high', 'xhigh' or 'max'")
    wanted = config.get("format")
    if wanted is None:
        return None
    if not isinstance(wanted, dict) or wanted.get("type") != "json_schema":
        raise Rejected("output_config.format.type: Input should be 'json_schema'")
    if not isinstance(wanted.get("schema"), dict):
        raise Rejected("output_config.format.schema: Field required")
    check_output_schema(wanted["schema"])
    return dict(wanted["schema"])


def _check_shape(schema: dict[str, Any], where: str) -> None:
    wrong = shape_problem(schema)
    if wrong:
        raise Rejected(f"{where}: JSON schema is invalid. It must match JSON Schema draft 2020-12 ({wrong})")


def check_output_schema(schema: dict[str, Any]) -> None:
    _check_shape(schema, "output_config.format.schema")
    for _, inner in objects_in(schema):
        if is_object_schema(inner) and inner.get("additionalProperties") is not False:
            raise Rejected(
                "output_config.format.schema: For 'object' type, 'additionalProperties' must be explicitly set to false"
            )
        kinds = inner.get("type") if isinstance(inner.get("type"), list) else [inner.get("type")]
        for kind in kinds or []:
            _check_supported(str(kind), inner)


def _check_supported(kind: str, schema: dict[str, Any]) -> None:
    found = [name for name in UNSUPPORTED.get(kind, ()) if name in schema]
    if found:
        names = ", ".join(found)
        raise Rejected(f"output_config.format.schema: For '{kind}' type, properties {names} are not supported")
    if kind == "array" and schema.get("minItems", 0) not in (0, 1):
        raise Rejected(
            "output_config.format.schema: For 'array' type, 'minItems' values other than 0 or 1 are not supported"
        )


def _mark_last(prompt: Prompt) -> Prompt:
    *turns, last = prompt.turns
    *parts, end = last.parts
    marked = Turn(last.role, (*parts, replace(end, cache_ttl=end.cache_ttl or "5m")))
    return replace(prompt, turns=(*turns, marked))
