"""Tools and schemas as OpenAI checks them, in Chat and in Responses alike."""

from typing import Any

from sandbox.llm.checks import TOOL_NAME, Rejected, is_object_schema, objects_in, shape_problem
from sandbox.llm.prompt import Tool

STRICT_FORBIDS = ("minLength", "maxLength", "patternProperties", "minProperties", "maxProperties", "uniqueItems")


def function_tool(function: dict[str, Any], where: str) -> Tool:
    name = function.get("name")
    if not isinstance(name, str) or not TOOL_NAME.match(name):
        raise Rejected(
            f"Invalid '{where}.name': string does not match pattern. Expected a string that matches the pattern"
            " '^[a-zA-Z0-9_-]+$'.",
            f"{where}.name",
            "invalid_value",
        )
    schema = function.get("parameters") or {"type": "object", "properties": {}}
    check_shape(schema, f"function '{name}'", f"{where}.parameters")
    if function.get("strict"):
        check_strict(schema, f"function '{name}'", f"{where}.parameters")
    return Tool(name, str(function.get("description") or ""), schema)


def read_tool_choice(value: Any, tools: list[Tool]) -> str:
    if value is None:
        return "auto"
    if isinstance(value, str) and value in ("auto", "none"):
        return value
    if not tools:
        raise Rejected(
            "Invalid value for 'tool_choice': 'tool_choice' is only allowed when 'tools' are specified.", "tool_choice"
        )
    if value == "required":
        return "any"
    # Chat nests the name, Responses does not.
    nested = value.get("function") if isinstance(value, dict) else None
    name = (nested if isinstance(nested, dict) else value).get("name") if isinstance(value, dict) else None
    if name not in [tool.name for tool in tools]:
        raise Rejected(f"Tool choice '{name}' not found in 'tools' parameter.", "tool_choice")
    return str(name)


def named_schema(wanted: dict[str, Any], param: str, where: str) -> dict[str, Any]:
    """The schema of `{name, schema, strict}`, which Chat nests and Responses does not."""
    if not isinstance(wanted.get("name"), str) or not TOOL_NAME.match(wanted["name"]):
        raise Rejected(f"Missing required parameter: '{where}.name'.", f"{where}.name", "missing_required_parameter")
    if not isinstance(wanted.get("schema"), dict):
        raise Rejected(
            f"Missing required parameter: '{where}.schema'.", f"{where}.schema", "missing_required_parameter"
        )
    check_shape(wanted["schema"], f"response_format '{wanted['name']}'", param)
    if wanted.get("strict"):
        check_strict(wanted["schema"], f"response_format '{wanted['name']}'", param)
    return dict(wanted["schema"])


def check_shape(schema: Any, what: str, param: str) -> None:
    wrong = shape_problem(schema)
    if wrong:
        raise Rejected(
            f"Invalid schema for {what}: '{wrong}' is not valid JSON Schema.", param, "invalid_function_parameters"
        )


def check_strict(schema: dict[str, Any], what: str, param: str) -> None:
    for path, inner in objects_in(schema):
        context = f"In context={path!r}"
        found = [name for name in STRICT_FORBIDS if name in inner]
        if found:
            raise Rejected(f"Invalid schema for {what}: {context}, '{found[0]}' is not permitted.", param)
        if not is_object_schema(inner):
            continue
        if inner.get("additionalProperties") is not False:
            raise Rejected(
                f"Invalid schema for {what}: {context}, 'additionalProperties' is required to be supplied and to be"
                " false.",
                param,
            )
        missing = [name for name in inner.get("properties", {}) if name not in inner.get("required", [])]
        if missing:
            raise Rejected(
                f"Invalid schema for {what}: {context}, 'required' is required to be supplied and to be an array"
                f" including every key in properties. Missing '{missing[0]}'.",
                param,
            )
