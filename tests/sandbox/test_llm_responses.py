"""OpenAI's Responses API."""

from typing import Any

import openai
import pytest
from pydantic import BaseModel

from tests.sandbox.llm_cast import RESPONSES, SCHEMA, Models, cassette, error_of

TOOL = {
    "type": "function",
    "name": "weather",
    "strict": False,
    "parameters": {"type": "object", "properties": {"city": {"type": "string"}}},
}
CALL = {"type": "function_call", "call_id": "call_1", "name": "weather", "arguments": "{}"}
OUTPUT = {"type": "function_call_output", "call_id": "call_1", "output": "cold"}
ASKED = {"role": "user", "content": "Weather?"}


def body(**changes: Any) -> dict[str, Any]:
    plain = {"model": "gpt-6-luna", "input": "Hi there"}
    return {name: value for name, value in {**plain, **changes}.items() if value is not ...}


def text_format(**fields: Any) -> dict[str, Any]:
    return {"text": {"format": {"type": "json_schema", "name": "P", "schema": SCHEMA, **fields}}}


REFUSED: dict[str, tuple[dict[str, Any], str, str | None, str | None]] = {
    "unknown": ({"messages": []}, "Unknown parameter: 'messages'.", "messages", "unknown_parameter"),
    "no input": ({"input": ...}, "must be provided", "input", "missing_required_parameter"),
    "input empty": ({"input": []}, "must be provided", "input", "missing_required_parameter"),
    "input number": ({"input": 5}, "Invalid type for 'input'", "input", "invalid_type"),
    "item": ({"input": [{"type": "dream"}]}, "Invalid value: 'dream'.", "input[0]", "invalid_value"),
    "item text": ({"input": ["hi"]}, "Invalid value", "input[0]", "invalid_value"),
    "role": ({"input": [{"role": "tool", "content": "x"}]}, "Invalid value: 'tool'.", "input[0].role", "invalid_value"),
    "call field": (
        {"input": [{"type": "function_call", "call_id": "c"}]},
        "Missing required parameter: 'input[0].name'.",
        "input[0].name",
        "missing_required_parameter",
    ),
    "stray output": (
        {"input": [OUTPUT]},
        "No tool call found for function call output with call_id call_1.",
        "input",
        None,
    ),
    "call without output": ({"input": [ASKED, CALL]}, "No tool output found for function call call_1.", "input", None),
    "few tokens": ({"max_output_tokens": 5}, ">= 16, but got 5", "max_output_tokens", "integer_below_min_value"),
    "cold": ({"temperature": -1}, "decimal below minimum value", "temperature", "decimal_below_min_value"),
    "earlier response": (
        {"previous_response_id": "resp_1"},
        "Previous response with id 'resp_1' not found.",
        "previous_response_id",
        "previous_response_not_found",
    ),
    "tool kind": (
        {"tools": [{"type": "web_search"}]},
        "Invalid value: 'web_search'.",
        "tools[0].type",
        "invalid_value",
    ),
    "nested tool": (
        {"tools": [{"type": "function", "function": {"name": "x"}}]},
        "string does not match pattern",
        "tools[0].name",
        "invalid_value",
    ),
    "strict tool": (
        {"tools": [{**TOOL, "strict": True}]},
        "'additionalProperties' is required to be supplied and to be false.",
        "tools[0].parameters",
        None,
    ),
    "format": ({"text": {"format": {"type": "yaml"}}}, "Invalid value: 'yaml'.", "text.format.type", "invalid_value"),
    "format name": (
        text_format(name=""),
        "Missing required parameter: 'text.format.name'.",
        "text.format.name",
        "missing_required_parameter",
    ),
    "format strict": (
        text_format(strict=True, schema={"type": "object", "properties": {}}),
        "'additionalProperties'",
        "text.format.schema",
        None,
    ),
}


@pytest.mark.parametrize("name", REFUSED)
def test_malformed_request_is_refused(models: Models, name: str) -> None:
    changes, words, param, code = REFUSED[name]
    answer = models.post(RESPONSES, **body(**changes))
    assert answer.status_code == 400, answer.text
    error = error_of(answer)
    assert words in error["message"]
    assert (error["param"], error["code"], error["type"]) == (param, code, "invalid_request_error")


def test_recorded_error_is_told_in_its_words(models: Models) -> None:
    recorded = cassette("openai_responses_http_error")["exchanges"][0]
    answer = models.post(RESPONSES, **{**recorded["request"], "model": "gpt-6-luna"})
    assert (answer.status_code, answer.json()) == (recorded["status"], recorded["response"])


def test_recorded_exchange_has_the_same_shape_here(models: Models) -> None:
    first, second = cassette("openai_responses_tool_call")["exchanges"]
    asked = {**first["request"], "model": "gpt-6-luna", "tool_choice": "required"}
    answer = models.post(RESPONSES, **asked).json()
    assert set(first["response"]) <= set(answer)
    assert set(first["response"]["output"][0]) <= set(answer["output"][0])
    assert set(first["response"]["usage"]) <= set(answer["usage"])
    answered = models.post(RESPONSES, **{**second["request"], "model": "gpt-6-luna"}).json()
    assert set(second["response"]["output"][0]) == set(answered["output"][0])
    assert set(second["response"]["output"][0]["content"][0]) <= set(answered["output"][0]["content"][0])
    assert RESPONSES.text_of(answered) == "Potato City"


def test_stream_has_openais_order(models: Models) -> None:
    models.script({"text": "热玛吉 is", "model": "*"})
    events = models.events(RESPONSES)
    names = [event["type"] for event in events]
    deltas = names.count("response.output_text.delta")
    assert names == [
        "response.created",
        "response.in_progress",
        "response.output_item.added",
        "response.content_part.added",
        *["response.output_text.delta"] * deltas,
        "response.output_text.done",
        "response.content_part.done",
        "response.output_item.done",
        "response.completed",
    ]
    assert [event["sequence_number"] for event in events] == list(range(len(events)))
    assert "".join(map(RESPONSES.delta_of, events)) == "热玛吉 is"
    assert events[-1]["response"]["usage"]["output_tokens"] == deltas


def test_stream_names_its_events(models: Models) -> None:
    lines = models.ask(RESPONSES, stream=True).text.splitlines()
    assert next(line for line in lines if line.startswith("event: ")) == "event: response.created"
    assert "[DONE]" not in "\n".join(lines)


def test_sdk_streams_a_tool_call(models: Models) -> None:
    models.script({"calls": [{"name": "weather", "args": {"city": "Oslo"}}], "text": "One moment"})
    tools: Any = [TOOL]
    with models.openai().responses.stream(model="sandbox-scripted", input="x", tools=tools) as stream:
        final = stream.get_final_response()
    assert [item.type for item in final.output] == ["message", "function_call"]
    call: Any = final.output[1]
    assert (call.name, call.arguments) == ("weather", '{"city": "Oslo"}')


def test_sdk_parses_structured_output(models: Models) -> None:
    class Reading(BaseModel):
        summary: str
        is_spam: bool

    answer = models.openai().responses.parse(model="gpt-6-luna", input="Please summarise this", text_format=Reading)
    assert isinstance(answer.output_parsed, Reading)
    assert answer.output_parsed.is_spam is False


ENDS = [
    ({"text": "one two"}, {}, "completed", None),
    ({"text": "one two three " * 9}, {"max_output_tokens": 16}, "incomplete", {"reason": "max_output_tokens"}),
    ({"text": "one", "stop": "filter"}, {}, "incomplete", {"reason": "content_filter"}),
]


@pytest.mark.parametrize(("step", "changes", "status", "details"), ENDS)
@pytest.mark.parametrize("is_stream", [False, True])
def test_status_tells_how_it_ended(
    models: Models, step: dict[str, Any], changes: dict[str, Any], status: str, details: Any, is_stream: bool
) -> None:
    models.script({**step, "model": "*"})
    answer = models.post(RESPONSES, **body(**changes, stream=is_stream))
    if is_stream:
        assert f"event: response.{status}" in answer.text
    else:
        told = answer.json()
        assert (told["status"], told["incomplete_details"]) == (status, details)


@pytest.mark.parametrize("is_stream", [False, True])
def test_refusal_is_a_part_of_its_own(models: Models, is_stream: bool) -> None:
    models.script({"refusal": "I can't", "model": "*"})
    if is_stream:
        events = models.events(RESPONSES)
        said = "".join(event["delta"] for event in events if event["type"] == "response.refusal.delta")
        output = events[-1]["response"]["output"]
    else:
        output = models.ask(RESPONSES).json()["output"]
        said = output[0]["content"][0]["refusal"]
    assert said == "I can't"
    assert output[0]["content"] == [{"type": "refusal", "refusal": "I can't"}]


def test_request_is_repeated_in_the_answer(models: Models) -> None:
    asked = body(instructions="Be brief", metadata={"run": "7"}, max_output_tokens=64, tools=[TOOL], tool_choice="none")
    answer = models.post(RESPONSES, **asked).json()
    assert {name: answer[name] for name in asked if name not in ("input",)} == {
        name: value for name, value in asked.items() if name != "input"
    }


def test_instructions_count_as_the_system_prompt(models: Models) -> None:
    models.post(RESPONSES, **body(instructions="Be brief"))
    models.post(RESPONSES, **body(instructions="Be long"))
    first, second = models.calls()
    assert first["system_sha"] != second["system_sha"]
    assert first["prompt_sha"] != second["prompt_sha"]


def test_unknown_model_does_not_exist(models: Models) -> None:
    with pytest.raises(openai.NotFoundError) as caught:
        models.openai().responses.create(model="gpt-2", input="x")
    assert caught.value.code == "model_not_found"
