"""Reads a request to Chat Completions, as OpenAI, Gemini and OpenRouter take it."""

import re
from typing import Any

from sandbox.llm import catalogue
from sandbox.llm.catalogue import Model
from sandbox.llm.checks import Rejected, is_number, is_whole
from sandbox.llm.openai_tools import function_tool, named_schema, read_tool_choice
from sandbox.llm.prompt import Part, Prompt, Tool, Turn

_SHARED = {
    "messages",
    "model",
    "frequency_penalty",
    "logprobs",
    "max_completion_tokens",
    "max_tokens",
    "n",
    "parallel_tool_calls",
    "presence_penalty",
    "reasoning_effort",
    "response_format",
    "seed",
    "stop",
    "stream",
    "stream_options",
    "temperature",
    "tool_choice",
    "tools",
    "top_logprobs",
    "top_p",
    "user",
}
_OPENAI = _SHARED | {
    "audio",
    "logit_bias",
    "metadata",
    "modalities",
    "moderation",
    "prediction",
    "prompt_cache_key",
    "prompt_cache_options",
    "prompt_cache_retention",
    "safety_identifier",
    "service_tier",
    "store",
    "verbosity",
    "web_search_options",
}
# OpenRouter passes over what it does not know.
_FIELDS = {"openai": _OPENAI, "gemini": _SHARED | {"extra_body"}}
_ROLES = {"system": "system", "developer": "system", "user": "user", "assistant": "assistant", "tool": "tool"}
_RANGES = {"temperature": (0, 2), "top_p": (0, 1), "presence_penalty": (-2, 2), "frequency_penalty": (-2, 2)}
_REASONING = re.compile(r"(openai/)?(gpt-[5-9]|o\d)")


def read(provider: str, body: dict[str, Any]) -> Prompt:
    _check_fields(provider, body)
    check_types(body)
    model = find_model(provider, body.get("model"))
    for name, (least, most) in _RANGES.items():
        check_range(name, body.get(name), least, most)
    tools = _tools(body.get("tools"))
    schema = _schema(body.get("response_format"), "response_format")
    turns = _messages(body.get("messages"))
    if schema == {}:
        _check_says_json(turns)
    options = body.get("stream_options") or {}
    return Prompt(
        provider,
        model.id,
        tuple(turns),
        tuple(tools),
        read_tool_choice(body.get("tool_choice"), tools),
        schema,
        _limit(body, model),
        tuple(stop_marks(body.get("stop"))),
        is_stream=body.get("stream") is True,
        # OpenRouter says what it took without being asked.
        has_stream_usage=bool(options.get("include_usage")) or provider == "openrouter",
    )


_TYPES: dict[str, tuple[type | tuple[type, ...], str]] = {
    "stream": (bool, "a boolean"),
    "stream_options": (dict, "an object"),
    "tools": (list, "an array of objects"),
    "response_format": (dict, "an object"),
    "text": (dict, "an object"),
    "instructions": (str, "a string"),
    "tool_choice": ((str, dict), "a string or an object"),
    "model": (str, "a string"),
}


def check_types(body: dict[str, Any]) -> None:
    for name, (kind, words) in _TYPES.items():
        if body.get(name) is not None and not isinstance(body[name], kind):
            raise Rejected(f"Invalid type for '{name}': expected {words}.", name, "invalid_type")


def find_model(provider: str, name: Any) -> Model:
    if not name:
        raise Rejected("you must provide a model parameter" if provider == "openai" else "No model specified")
    model = catalogue.find(provider, name)
    if model is not None:
        return model
    words = {
        "openai": f"The model `{name}` does not exist or you do not have access to it.",
        "gemini": f"models/{name} is not found for API version v1main, or is not supported for generateContent.",
        "openrouter": f"No endpoints found for {name}.",
    }
    raise Rejected(words[provider], code="model_not_found", status=404)


def _check_fields(provider: str, body: dict[str, Any]) -> None:
    for name in body:
        if provider in _FIELDS and name not in _FIELDS[provider]:
            if provider == "gemini":
                raise Rejected(f'Invalid JSON payload received. Unknown name "{name}": Cannot find field.')
            raise Rejected(f"Unrecognized request argument supplied: {name}")
    if "stream_options" in body and body["stream_options"] and body.get("stream") is not True:
        raise Rejected("The 'stream_options' parameter is only allowed when 'stream' is enabled.", "stream_options")


def check_range(name: str, value: Any, least: float, most: float) -> None:
    if value is None:
        return
    if not is_number(value):
        raise Rejected(f"Invalid type for '{name}': expected a decimal.", name, "invalid_type")
    side = ("minimum", ">=", least, "below_min") if value < least else ("maximum", "<=", most, "above_max")
    if least <= value <= most:
        return
    word, sign, bound, code = side
    raise Rejected(
        f"Invalid '{name}': decimal {'below' if value < least else 'above'} {word} value."
        f" Expected a value {sign} {bound}, but got {value} instead.",
        name,
        f"decimal_{code}_value",
    )


def _limit(body: dict[str, Any], model: Model) -> int | None:
    if body.get("max_tokens") is not None and _REASONING.match(model.id) and model.owner == "openai":
        raise Rejected(
            "Unsupported parameter: 'max_tokens' is not supported with this model."
            " Use 'max_completion_tokens' instead.",
            "max_tokens",
            "unsupported_parameter",
        )
    name = "max_completion_tokens" if body.get("max_completion_tokens") is not None else "max_tokens"
    return check_limit(name, body.get(name), 1, model)


def check_limit(name: str, value: Any, least: int, model: Model) -> int | None:
    if value is None:
        return None
    if not is_whole(value):
        raise Rejected(f"Invalid type for '{name}': expected an integer.", name, "invalid_type")
    if value < least:
        raise Rejected(
            f"Invalid '{name}': integer below minimum value. Expected a value >= {least}, but got {value} instead.",
            name,
            "integer_below_min_value",
        )
    if value > model.max_output:
        raise Rejected(
            f"{name} is too large: {value}. This model supports at most {model.max_output} completion tokens,"
            f" whereas you provided {value}.",
            name,
            "invalid_value",
        )
    return int(value)


def stop_marks(value: Any) -> list[str]:
    if value is None:
        return []
    marks = [value] if isinstance(value, str) else value
    if not isinstance(marks, list) or len(marks) > 4 or not all(isinstance(mark, str) for mark in marks):
        raise Rejected("Invalid 'stop': expected a string or an array of at most 4 strings.", "stop", "invalid_type")
    return marks


def _messages(value: Any) -> list[Turn]:
    if value is None:
        raise Rejected("Missing required parameter: 'messages'.", "messages", "missing_required_parameter")
    if not isinstance(value, list):
        raise Rejected("Invalid type for 'messages': expected an array of objects.", "messages", "invalid_type")
    if not value:
        raise Rejected(
            "Invalid 'messages': empty array. Expected an array with minimum length 1, but got an empty array instead.",
            "messages",
            "empty_array",
        )
    turns = [_message(message, index) for index, message in enumerate(value)]
    _check_tool_turns(turns)
    return turns


def _message(message: Any, index: int) -> Turn:
    where = f"messages[{index}]"
    role = _ROLES.get(str(message.get("role", ""))) if isinstance(message, dict) else None
    if role is None:
        supported = "'system', 'assistant', 'user', 'function', 'tool', and 'developer'"
        given = message.get("role") if isinstance(message, dict) else message
        raise Rejected(
            f"Invalid value: '{given}'. Supported values are: {supported}.", f"{where}.role", "invalid_value"
        )
    calls = message.get("tool_calls") or []
    if not isinstance(calls, list):
        raise Rejected(
            f"Invalid type for '{where}.tool_calls': expected an array.", f"{where}.tool_calls", "invalid_type"
        )
    content = message.get("content")
    if content is None and not (role == "assistant" and (calls or message.get("refusal"))):
        raise Rejected("Invalid value for 'content': expected a string, got null.", f"{where}.content")
    text = content_text(content, f"{where}.content")
    if role == "tool":
        if not message.get("tool_call_id"):
            raise Rejected(f"Missing required parameter: '{where}.tool_call_id'.", f"{where}.tool_call_id")
        return Turn("tool", (Part("result", text, id=str(message["tool_call_id"])),))
    said = (Part("text", text),) if text else ()
    return Turn(role, (*said, *[_call(call, f"{where}.tool_calls[{i}]") for i, call in enumerate(calls)]))


def content_text(content: Any, where: str) -> str:
    if content is None:
        return ""
    if isinstance(content, str):
        return content
    if not isinstance(content, list):
        raise Rejected(f"Invalid type for '{where}': expected a string or an array of objects.", where, "invalid_type")
    return "\n".join(_content_part(part, f"{where}[{index}]") for index, part in enumerate(content))


def _content_part(part: Any, where: str) -> str:
    kind = part.get("type") if isinstance(part, dict) else None
    if kind in ("text", "input_text", "output_text"):
        if not isinstance(part.get("text"), str):
            raise Rejected(f"Missing required parameter: '{where}.text'.", f"{where}.text")
        return str(part["text"])
    if kind == "refusal":
        return str(part.get("refusal", ""))
    if kind in ("image_url", "input_image", "input_file", "file", "input_audio"):
        return f"[{kind}]"
    raise Rejected(f"Invalid value: '{kind}'.", f"{where}.type", "invalid_value")


def _call(call: Any, where: str) -> Part:
    function = call.get("function") if isinstance(call, dict) else None
    if not isinstance(function, dict) or not call.get("id"):
        raise Rejected(f"Missing required parameter: '{where}.function'.", where, "missing_required_parameter")
    return Part(
        "call", id=str(call["id"]), name=str(function.get("name", "")), arguments=str(function.get("arguments", ""))
    )


def _check_tool_turns(turns: list[Turn]) -> None:
    open_calls: list[str] = []
    for index, turn in enumerate(turns):
        if turn.role == "tool":
            if turn.parts[0].id not in open_calls:
                raise Rejected(
                    "Invalid parameter: messages with role 'tool' must be a response to a preceeding message with"
                    " 'tool_calls'.",
                    f"messages.[{index}].role",
                )
            open_calls.remove(turn.parts[0].id)
            continue
        _check_answered(open_calls, index)
        open_calls = [part.id for part in turn.parts if part.kind == "call"]
    _check_answered(open_calls, len(turns))


def _check_answered(open_calls: list[str], index: int) -> None:
    if open_calls:
        raise Rejected(
            "An assistant message with 'tool_calls' must be followed by tool messages responding to each"
            f" 'tool_call_id'. The following tool_call_ids did not have response messages: {', '.join(open_calls)}",
            f"messages.[{index}].role",
        )


def _tools(value: Any) -> list[Tool]:
    tools = []
    for index, tool in enumerate(value or []):
        function = tool.get("function") if isinstance(tool, dict) else None
        if not isinstance(function, dict):
            raise Rejected(
                f"Missing required parameter: 'tools[{index}].function'.",
                f"tools[{index}].function",
                "missing_required_parameter",
            )
        tools.append(function_tool(function, f"tools[{index}].function"))
    return tools


def _schema(value: Any, param: str) -> dict[str, Any] | None:
    if value is None:
        return None
    kind = value.get("type") if isinstance(value, dict) else None
    if kind == "text":
        return None
    if kind == "json_object":
        return {}
    if kind != "json_schema":
        raise Rejected(f"Invalid value: '{kind}'.", f"{param}.type", "invalid_value")
    wanted = value.get("json_schema")
    if not isinstance(wanted, dict):
        raise Rejected(f"Missing required parameter: '{param}.json_schema'.", f"{param}.json_schema")
    return named_schema(wanted, param, f"{param}.json_schema")


def _check_says_json(turns: list[Turn]) -> None:
    if not any("json" in turn.text.lower() for turn in turns):
        raise Rejected(
            "'messages' must contain the word 'json' in some form, to use 'response_format' of type 'json_object'.",
            "messages",
        )
