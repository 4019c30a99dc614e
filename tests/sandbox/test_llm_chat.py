"""Chat Completions as OpenAI, Gemini and OpenRouter speak it."""

from typing import Any

import openai
import pytest
from pydantic import BaseModel

from sandbox.llm import catalogue
from sandbox.llm.chat_answer import cost
from sandbox.llm.prompt import Usage
from tests.sandbox.llm_cast import CHAT, GEMINI, OPENROUTER, SCHEMA, Models, Wire, cassette, error_of

CHATS = (CHAT, GEMINI, OPENROUTER)
FUNCTION = {"name": "weather", "parameters": {"type": "object", "properties": {"city": {"type": "string"}}}}
TOOL = {"type": "function", "function": FUNCTION}
CALL = {"id": "call_1", "type": "function", "function": {"name": "weather", "arguments": '{"city":"Oslo"}'}}
ASKED = {"role": "user", "content": "Weather in Oslo?"}
CALLED = {"role": "assistant", "content": None, "tool_calls": [CALL]}
TOLD = {"role": "tool", "tool_call_id": "call_1", "content": "cold"}


def body(**changes: Any) -> dict[str, Any]:
    plain = {"model": "gpt-6-luna", "messages": [{"role": "user", "content": "Hi there"}]}
    return {name: value for name, value in {**plain, **changes}.items() if value is not ...}


def strict(schema: Any, **more: Any) -> dict[str, Any]:
    return {"response_format": {"type": "json_schema", "json_schema": {"name": "P", "strict": True, "schema": schema}}}


REFUSED: dict[str, tuple[dict[str, Any], str, str | None, str | None]] = {
    "unknown": ({"top_k": 1}, "Unrecognized request argument supplied: top_k", None, None),
    "no model": ({"model": ...}, "you must provide a model parameter", None, None),
    "no messages": (
        {"messages": ...},
        "Missing required parameter: 'messages'.",
        "messages",
        "missing_required_parameter",
    ),
    "messages empty": ({"messages": []}, "Invalid 'messages': empty array.", "messages", "empty_array"),
    "messages text": ({"messages": "x"}, "Invalid type for 'messages'", "messages", "invalid_type"),
    "cold": (
        {"temperature": -1},
        "Invalid 'temperature': decimal below minimum value. Expected a value >= 0, but got -1 instead.",
        "temperature",
        "decimal_below_min_value",
    ),
    "hot": ({"temperature": 2.5}, "Expected a value <= 2, but got 2.5", "temperature", "decimal_above_max_value"),
    "warm": ({"temperature": "warm"}, "Invalid type for 'temperature'", "temperature", "invalid_type"),
    "top_p": ({"top_p": 1.5}, "Expected a value <= 1", "top_p", "decimal_above_max_value"),
    "old limit": (
        {"max_tokens": 5},
        "'max_tokens' is not supported with this model. Use 'max_completion_tokens' instead.",
        "max_tokens",
        "unsupported_parameter",
    ),
    "no tokens": ({"max_completion_tokens": 0}, ">= 1, but got 0", "max_completion_tokens", "integer_below_min_value"),
    "many tokens": ({"max_completion_tokens": 10**6}, "at most 128000", "max_completion_tokens", "invalid_value"),
    "half a token": ({"max_completion_tokens": 1.5}, "expected an integer", "max_completion_tokens", "invalid_type"),
    "role": (
        {"messages": [{"role": "bot", "content": "x"}]},
        "Invalid value: 'bot'.",
        "messages[0].role",
        "invalid_value",
    ),
    "no message": ({"messages": ["x"]}, "Invalid value: 'x'.", "messages[0].role", "invalid_value"),
    "null": (
        {"messages": [{"role": "user", "content": None}]},
        "expected a string, got null",
        "messages[0].content",
        None,
    ),
    "part": (
        {"messages": [{"role": "user", "content": [{"type": "smell"}]}]},
        "Invalid value: 'smell'.",
        "messages[0].content[0].type",
        "invalid_value",
    ),
    "stray result": (
        {"messages": [ASKED, TOLD]},
        "must be a response to a preceeding message",
        "messages.[1].role",
        None,
    ),
    "call without result": (
        {"messages": [ASKED, CALLED, ASKED]},
        "did not have response messages: call_1",
        "messages.[2].role",
        None,
    ),
    "call at the end": (
        {"messages": [ASKED, CALLED]},
        "did not have response messages: call_1",
        "messages.[2].role",
        None,
    ),
    "tool": (
        {"tools": [{"type": "function"}]},
        "Missing required parameter: 'tools[0].function'.",
        "tools[0].function",
        "missing_required_parameter",
    ),
    "tool name": (
        {"tools": [{"type": "function", "function": {"name": "a b"}}]},
        "string does not match pattern",
        "tools[0].function.name",
        "invalid_value",
    ),
    "choice without tools": (
        {"tool_choice": "required"},
        "only allowed when 'tools' are specified",
        "tool_choice",
        None,
    ),
    "choice unknown": (
        {"tools": [TOOL], "tool_choice": {"type": "function", "function": {"name": "x"}}},
        "Tool choice 'x' not found",
        "tool_choice",
        None,
    ),
    "format": (
        {"response_format": {"type": "yaml"}},
        "Invalid value: 'yaml'.",
        "response_format.type",
        "invalid_value",
    ),
    "format without name": (
        {"response_format": {"type": "json_schema", "json_schema": {"schema": SCHEMA}}},
        "Missing required parameter: 'response_format.json_schema.name'.",
        "response_format.json_schema.name",
        "missing_required_parameter",
    ),
    "json unsaid": ({"response_format": {"type": "json_object"}}, "must contain the word 'json'", "messages", None),
    "open object": (
        strict({**SCHEMA, "additionalProperties": True}),
        "'additionalProperties' is required",
        "response_format",
        None,
    ),
    "optional field": (strict({**SCHEMA, "required": []}), "Missing 'text'.", "response_format", None),
    "length": (
        strict({**SCHEMA, "properties": {"text": {"type": "string", "maxLength": 5}}}),
        "In context=('properties', 'text'), 'maxLength' is not permitted.",
        "response_format",
        None,
    ),
    "stream options": (
        {"stream_options": {"include_usage": True}},
        "only allowed when 'stream' is enabled",
        "stream_options",
        None,
    ),
    "five stops": ({"stop": ["a"] * 5}, "at most 4 strings", "stop", "invalid_type"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_malformed_request_is_refused_in_openais_words(models: Models, name: str) -> None:
    changes, words, param, code = REFUSED[name]
    answer = models.post(CHAT, **body(**changes))
    assert answer.status_code == 400, answer.text
    error = error_of(answer)
    assert words in error["message"]
    assert (error["param"], error["code"], error["type"]) == (param, code, "invalid_request_error")


ACCEPTED: dict[str, dict[str, Any]] = {
    "developer": {"messages": [{"role": "developer", "content": "Be brief"}, ASKED]},
    "parts": {"messages": [{"role": "user", "content": [{"type": "text", "text": "Hi"}, {"type": "image_url"}]}]},
    "results": {"messages": [ASKED, CALLED, TOLD], "tools": [TOOL]},
    "json object": {
        "messages": [{"role": "user", "content": "Answer in JSON"}],
        "response_format": {"type": "json_object"},
    },
    "text": {"response_format": {"type": "text"}},
    "null options": {"temperature": None, "stop": None, "max_completion_tokens": None},
    "refused before": {"messages": [ASKED, {"role": "assistant", "content": None, "refusal": "No"}, ASKED]},
}


@pytest.mark.parametrize("wire", CHATS, ids=str)
@pytest.mark.parametrize("name", ACCEPTED)
def test_ordinary_request_is_answered(models: Models, wire: Wire, name: str) -> None:
    answer = models.post(wire, **body(**{**ACCEPTED[name], "model": "sandbox-writer"}))
    assert answer.status_code == 200, answer.text
    assert answer.json()["object"] == "chat.completion"


@pytest.mark.parametrize(
    ("wire", "words"),
    [
        (CHAT, "The model `nope` does not exist or you do not have access to it."),
        (GEMINI, "models/nope is not found for API version v1main"),
        (OPENROUTER, "No endpoints found for nope."),
    ],
    ids=str,
)
def test_unknown_model_does_not_exist(models: Models, wire: Wire, words: str) -> None:
    answer = models.ask(wire, model="nope")
    assert answer.status_code == 404
    assert words in error_of(answer)["message"]
    assert isinstance(answer.json(), list) == (wire is GEMINI)


def test_openrouters_missing_model_is_as_recorded(models: Models) -> None:
    recorded = cassette("openrouter_404")["exchanges"][0]
    answer = models.post(OPENROUTER, **recorded["request"])
    assert (answer.status_code, answer.json()) == (recorded["status"], recorded["response"])


def test_openais_bad_temperature_is_as_recorded(models: Models) -> None:
    recorded = cassette("openai_responses_http_error")["exchanges"][0]
    answer = models.post(CHAT, **body(temperature=-1))
    assert (answer.status_code, answer.json()) == (recorded["status"], recorded["response"])


@pytest.mark.parametrize("wire", CHATS, ids=str)
def test_key_is_required(models: Models, wire: Wire) -> None:
    answer = models.post(wire, None, **wire.ask())
    assert answer.status_code == 401
    assert error_of(answer)["message"]


def test_gemini_knows_no_fields_of_openai(models: Models) -> None:
    answer = models.ask(GEMINI, store=True)
    assert answer.status_code == 400
    assert error_of(answer)["status"] == "INVALID_ARGUMENT"
    assert 'Unknown name "store"' in error_of(answer)["message"]


def test_openrouter_passes_over_what_it_does_not_know(models: Models) -> None:
    assert models.ask(OPENROUTER, transforms=["middle-out"], top_k=3).status_code == 200


def test_sdk_sees_geminis_error_as_a_list(models: Models) -> None:
    client = models.openai("/gemini/v1beta/openai")
    models.fault(GEMINI, "rate_limit")
    with pytest.raises(openai.RateLimitError) as caught:
        client.chat.completions.create(model="gemini-3.8-flash", messages=[{"role": "user", "content": "x"}])
    assert isinstance(caught.value.body, list)
    assert caught.value.code is None


def test_completion_has_the_recorded_shape(models: Models) -> None:
    recorded = cassette("openrouter_tool_calling")["exchanges"][0]
    asked = {**recorded["request"], "model": "sandbox-writer", "tool_choice": "required"}
    answer = models.post(OPENROUTER, **asked).json()
    want = recorded["response"]
    assert set(want) <= set(answer)
    assert set(want["choices"][0]) <= set(answer["choices"][0])
    assert set(want["choices"][0]["message"]) <= set(answer["choices"][0]["message"])
    assert set(want["usage"]) <= set(answer["usage"])
    assert answer["choices"][0]["finish_reason"] == "tool_calls"
    assert OPENROUTER.calls_of(answer)[0][0] == "divide"


@pytest.mark.parametrize("wire", CHATS, ids=str)
def test_chunks_bring_the_text_and_then_the_usage(models: Models, wire: Wire) -> None:
    models.script({"text": "热玛吉 is a word.", "model": "*"})
    answer = models.ask(wire, stream=True)
    assert answer.text.rstrip().endswith("data: [DONE]")
    assert "event:" not in answer.text
    models.script({"text": "热玛吉 is a word.", "model": "*"})
    *chunks, last = models.events(wire)
    assert "".join(map(wire.delta_of, chunks)) == "热玛吉 is a word."
    assert {chunk["object"] for chunk in chunks} == {"chat.completion.chunk"}
    assert len({chunk["id"] for chunk in [*chunks, last]}) == 1
    assert chunks[0]["choices"][0]["delta"]["role"] == "assistant"
    assert chunks[-1]["choices"][0]["finish_reason"] == "stop"
    assert last["choices"] == []
    assert last["usage"]["total_tokens"] == last["usage"]["prompt_tokens"] + last["usage"]["completion_tokens"]


def test_usage_is_streamed_only_when_wanted(models: Models) -> None:
    answer = models.post(CHAT, **body(stream=True)).text
    assert '"usage"' not in answer


def test_sdk_streams_tool_calls(models: Models) -> None:
    models.script(
        {"calls": [{"name": "weather", "args": {"city": "Oslo"}}, {"name": "weather", "args": {"city": "Rome"}}]}
    )
    tools: Any = [TOOL]
    with models.openai().chat.completions.stream(
        model="sandbox-scripted", messages=[{"role": "user", "content": "x"}], tools=tools
    ) as stream:
        final = stream.get_final_completion()
    calls: Any = final.choices[0].message.tool_calls
    assert [call.function.arguments for call in calls] == ['{"city": "Oslo"}', '{"city": "Rome"}']
    assert len({call.id for call in calls}) == 2
    assert final.choices[0].finish_reason == "tool_calls"


def test_sdk_parses_structured_output(models: Models) -> None:
    class Reading(BaseModel):
        intent: str
        sentiment: float

    answer = models.openai().chat.completions.parse(
        model="gpt-6-luna", messages=[{"role": "user", "content": "Where is my parcel?"}], response_format=Reading
    )
    assert isinstance(answer.choices[0].message.parsed, Reading)


STOPS = [
    ({"text": "one two three"}, {}, "stop"),
    ({"text": "one two three four"}, {"max_completion_tokens": 2}, "length"),
    ({"text": "one STOP two"}, {"stop": "STOP"}, "stop"),
    ({"calls": [{"name": "weather"}]}, {"tools": [TOOL]}, "tool_calls"),
    ({"refusal": "I can't"}, {}, "stop"),
    ({"text": "one", "stop": "filter"}, {}, "content_filter"),
]


@pytest.mark.parametrize(("step", "changes", "reason"), STOPS)
def test_reason_of_the_end_is_told(models: Models, step: dict[str, Any], changes: dict[str, Any], reason: str) -> None:
    models.script({**step, "model": "*"})
    choice = models.post(CHAT, **body(**changes)).json()["choices"][0]
    assert choice["finish_reason"] == reason
    assert choice["message"]["refusal"] == step.get("refusal")


def test_long_beginnings_are_cached_without_asking(models: Models) -> None:
    def usage(text: str, key: str = "sk-1") -> dict[str, Any]:
        told: dict[str, Any] = models.ask(CHAT, text, model="gpt-6-luna", key=key).json()["usage"]
        return told

    long = "spring roast " * 700
    assert usage(long)["prompt_tokens_details"]["cached_tokens"] == 0
    again = usage(long + "and more")
    cached = again["prompt_tokens_details"]["cached_tokens"]
    assert cached % 128 == 0
    assert 1_024 <= cached < again["prompt_tokens"]
    assert usage(long, key="sk-2")["prompt_tokens_details"]["cached_tokens"] == 0
    models.sandbox.advance(3_600)
    assert usage(long)["prompt_tokens_details"]["cached_tokens"] == 0


def test_short_beginnings_are_not_cached(models: Models) -> None:
    for _ in range(2):
        usage = models.ask(CHAT, "short " * 100, model="gpt-6-luna").json()["usage"]
    assert usage["prompt_tokens_details"]["cached_tokens"] == 0


def test_openrouter_charges_by_its_prices(models: Models) -> None:
    answer = models.ask(OPENROUTER, "spring roast " * 900, model="anthropic/claude-sonnet-5-5").json()
    usage = answer["usage"]
    wanted = (usage["prompt_tokens"] * 2 + usage["completion_tokens"] * 10) / 1e6
    assert usage["cost"] == pytest.approx(wanted, abs=1e-9)
    again = models.ask(OPENROUTER, "spring roast " * 900, model="anthropic/claude-sonnet-5-5").json()["usage"]
    assert 0 < again["cost"] < usage["cost"]


@pytest.mark.parametrize(
    ("usage", "dollars"),
    [
        (Usage(1_000_000, output=1_000_000), 12.0),
        (Usage(1_000_000, cached=1_000_000), 0.10),
        (Usage(1_000, cached=900, output=10), (100 * 2 + 900 * 0.10 + 10 * 10) / 1e6),
    ],
)
def test_cached_tokens_are_charged_once(usage: Usage, dollars: float) -> None:
    assert cost("anthropic/claude-sonnet-5-5", usage) == pytest.approx(dollars, abs=1e-9)


@pytest.mark.parametrize("wire", CHATS, ids=str)
def test_prompt_over_the_window_is_refused(models: Models, wire: Wire) -> None:
    answer = models.ask(wire, "word " * 5_000, model="sandbox-small")
    assert answer.status_code == 400
    assert "4096" in error_of(answer)["message"]
    if wire is CHAT:
        assert error_of(answer)["code"] == "context_length_exceeded"


@pytest.mark.parametrize(
    ("base", "provider"),
    [("/openai/v1", "openai"), ("/gemini/v1beta/openai", "gemini"), ("/openrouter/api/v1", "openrouter")],
)
def test_models_are_listed(models: Models, base: str, provider: str) -> None:
    listed = {model.id for model in models.openai(base).models.list()}
    assert set(catalogue.models_of(provider)) <= listed


def test_openai_finds_one_model(models: Models) -> None:
    client = models.openai()
    assert client.models.retrieve("gpt-6-luna").owned_by == "openai"
    assert client.models.retrieve("sandbox-embed").owned_by == "sandbox"
    with pytest.raises(openai.NotFoundError):
        client.models.retrieve("gpt-2")


def test_answer_carries_openais_limits(models: Models) -> None:
    headers = models.ask(CHAT).headers
    assert headers["x-request-id"].startswith("req_")
    assert int(headers["x-ratelimit-remaining-requests"]) < int(headers["x-ratelimit-limit-requests"])
