"""Anthropic's Messages API: the shapes of its answers, and everything it refuses."""

import json
from typing import Any

import anthropic
import pytest
import requests
from pydantic import BaseModel

from tests.sandbox.llm_cast import KEY, MESSAGES, Models, cassette, error_of

TOOL = {"name": "weather", "input_schema": {"type": "object", "properties": {"city": {"type": "string"}}}}
CALL = {"type": "tool_use", "id": "toolu_1", "name": "weather", "input": {"city": "Oslo"}}
RESULT = {"type": "tool_result", "tool_use_id": "toolu_1", "content": "cold"}
ASKED = {"role": "user", "content": "Weather in Oslo?"}


def body(**changes: Any) -> dict[str, Any]:
    plain = {"model": "claude-haiku-5-5", "max_tokens": 100, "messages": [{"role": "user", "content": "Hi there"}]}
    return {name: value for name, value in {**plain, **changes}.items() if value is not ...}


def format_(schema: Any) -> dict[str, Any]:
    return {"output_config": {"format": {"type": "json_schema", "schema": schema}}}


def says(*contents: Any, role: str = "user") -> dict[str, Any]:
    return {"messages": [{"role": role, "content": content} for content in contents]}


REFUSED: dict[str, tuple[dict[str, Any], str]] = {
    "temperature": ({"temperature": 1.0}, "temperature: Extra inputs are not permitted"),
    "top_p": ({"top_p": 0.9}, "top_p: Extra inputs are not permitted"),
    "top_k": ({"top_k": 5}, "top_k: Extra inputs are not permitted"),
    "unknown": ({"frequency_penalty": 0}, "frequency_penalty: Extra inputs are not permitted"),
    "no model": ({"model": ...}, "model: Field required"),
    "model not text": ({"model": 5}, "model: Input should be a valid string"),
    "no max_tokens": ({"max_tokens": ...}, "max_tokens: Field required"),
    "no messages": ({"messages": ...}, "messages: Field required"),
    "max_tokens text": ({"max_tokens": "9"}, "max_tokens: Input should be a valid integer"),
    "max_tokens true": ({"max_tokens": True}, "max_tokens: Input should be a valid integer"),
    "max_tokens below": ({"max_tokens": -1}, "max_tokens: Input should be greater than or equal to 0"),
    "max_tokens above": ({"max_tokens": 64_001}, "max_tokens: 64001 > 64000, which is the maximum allowed"),
    "stream text": ({"stream": "yes"}, "stream: Input should be a valid boolean"),
    "messages empty": ({"messages": []}, "messages: at least one message is required"),
    "messages text": ({"messages": "hi"}, "messages: Input should be a valid list"),
    "assistant first": (says("hi", role="assistant"), 'messages: first message must use the "user" role'),
    "system only": (says("hi", role="system"), 'messages: first message must use the "user" role'),
    "role": (says("hi", role="bot"), "messages.0.role: Input should be 'user', 'assistant' or 'system'"),
    "no role": ({"messages": [{"content": "x"}]}, "messages.0.role: Field required"),
    "name": ({"messages": [{**ASKED, "name": "Al"}]}, "messages.0.name: Extra inputs are not permitted"),
    "empty": (says(""), "messages.0: user messages must have non-empty content"),
    "no block": (says([]), "messages.0: user messages must have non-empty content"),
    "number": (says(5), "messages.0.content: Input should be a valid list"),
    "empty text": (says([{"type": "text", "text": ""}]), "messages: text content blocks must be non-empty"),
    "blank text": (says("  \n"), "messages: text content blocks must contain non-whitespace text"),
    "block kind": (
        says([{"type": "video"}]),
        "messages.0.content.0: Input tag 'video' found using 'type' does not match",
    ),
    "block field": (
        says([{"type": "text", "text": "x", "bold": True}]),
        "messages.0.content.0.text.bold: Extra inputs are not permitted",
    ),
    "no text": (says([{"type": "text"}]), "messages.0.content.0.text.text: Field required"),
    "citations": (
        says([{"type": "text", "text": "x", "citations": [{"type": "char_location"}]}]),
        "messages.0.content.0.text.citations: citations are not permitted",
    ),
    "document of the assistant": (
        {"messages": [ASKED, {"role": "assistant", "content": [{"type": "document", "source": {}}]}, ASKED]},
        "messages.1.content.0: Input tag 'document'",
    ),
    "prefill": (
        {"messages": [ASKED, {"role": "assistant", "content": "It is"}]},
        "This model does not support assistant message prefill.",
    ),
    "stray result": (
        says([RESULT]),
        "messages.0.content.0: unexpected `tool_use_id` found in `tool_result` blocks: toolu_1.",
    ),
    "call without result": (
        {"messages": [ASKED, {"role": "assistant", "content": [CALL]}, ASKED]},
        "messages.1: `tool_use` ids were found without `tool_result` blocks immediately after: toolu_1.",
    ),
    "call input": (
        {"messages": [ASKED, {"role": "assistant", "content": [{**CALL, "input": "x"}]}, ASKED]},
        "messages.1.content.0.tool_use.input: Input should be a valid dictionary",
    ),
    "tools text": ({"tools": "x"}, "tools: Input should be a valid list"),
    "tool name": ({"tools": [{**TOOL, "name": "a b"}]}, "tools.0.custom.name: String should match pattern"),
    "tool schema": ({"tools": [{"name": "x"}]}, "tools.0.custom.input_schema: Field required"),
    "tool schema type": (
        {"tools": [{"name": "x", "input_schema": {}}]},
        "tools.0.custom.input_schema.type: Input should",
    ),
    "tool field": (
        {"tools": [{**TOOL, "parameters": {}}]},
        "tools.0.custom.parameters: Extra inputs are not permitted",
    ),
    "tool twice": ({"tools": [TOOL, TOOL]}, "tools: Tool names must be unique."),
    "choice kind": ({"tools": [TOOL], "tool_choice": "any"}, "tool_choice.type: Input should be"),
    "choice without tools": (
        {"tool_choice": {"type": "any"}},
        "tool_choice may only be specified while providing tools.",
    ),
    "choice unknown": (
        {"tools": [TOOL], "tool_choice": {"type": "tool", "name": "x"}},
        "tool_choice: Tool 'x' not found in provided tools",
    ),
    "thinking": ({"thinking": {"type": "deep"}}, "thinking.type: Input should be"),
    "thinking budget": (
        {"thinking": {"type": "enabled", "budget_tokens": 5}},
        "thinking.enabled.budget_tokens: Input should be greater than or equal to 1024",
    ),
    "effort": ({"output_config": {"effort": "huge"}}, "output_config.effort: Input should be"),
    "config field": ({"output_config": {"schema": {}}}, "output_config.schema: Extra inputs are not permitted"),
    "format kind": ({"output_config": {"format": {"type": "xml"}}}, "output_config.format.type: Input should be"),
    "open object": (
        format_({"type": "object", "properties": {}}),
        "output_config.format.schema: For 'object' type, 'additionalProperties' must be explicitly set to false",
    ),
    "open object inside": (
        format_({"type": "object", "additionalProperties": False, "properties": {"a": {"type": "object"}}}),
        "output_config.format.schema: For 'object' type",
    ),
    "bounds": (
        format_({"type": "integer", "minimum": 1, "maximum": 3}),
        "output_config.format.schema: For 'integer' type, properties minimum, maximum are not supported",
    ),
    "length": (
        format_({"type": "string", "maxLength": 3}),
        "For 'string' type, properties maxLength are not supported",
    ),
    "items": (
        format_({"type": "array", "minItems": 2, "items": {"type": "null"}}),
        "'minItems' values other than 0 or 1",
    ),
    "cache kind": (
        {"system": [{"type": "text", "text": "x", "cache_control": {"type": "forever"}}]},
        "system.0.text.cache_control.type: Input should be 'ephemeral'",
    ),
    "cache ttl": (
        {"system": [{"type": "text", "text": "x", "cache_control": {"type": "ephemeral", "ttl": "2h"}}]},
        "system.0.text.cache_control.ephemeral.ttl: Input should be '5m' or '1h'",
    ),
    "five marks": (
        {"system": [{"type": "text", "text": "x", "cache_control": {"type": "ephemeral"}}] * 5},
        "A maximum of 4 blocks with cache_control may be provided. Found 5.",
    ),
    "stop blank": ({"stop_sequences": [" "]}, "stop_sequences: each stop sequence must contain non-whitespace"),
    "system text block": ({"system": [{"type": "image", "source": {}}]}, "system.0: Input tag 'image'"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_malformed_request_is_refused_in_anthropics_words(models: Models, name: str) -> None:
    changes, words = REFUSED[name]
    answer = models.post(MESSAGES, **body(**changes))
    assert answer.status_code == 400, answer.text
    told = answer.json()
    assert told["type"] == "error"
    assert told["error"]["type"] == "invalid_request_error"
    assert words in told["error"]["message"]
    assert told["request_id"] == answer.headers["request-id"]


ACCEPTED: dict[str, dict[str, Any]] = {
    "two users in a row": says("a", "b"),
    "system turn": {"messages": [{"role": "system", "content": "Be brief"}, ASKED]},
    "system text": {"system": "Be brief"},
    "system blocks": {"system": [{"type": "text", "text": "Be brief"}]},
    "metadata": {"metadata": {"user_id": "u"}, "service_tier": "auto", "speed": "standard"},
    "effort": {"output_config": {"effort": "low"}},
    "image": says([{"type": "image", "source": {"type": "base64"}}, {"type": "text", "text": "what is it"}]),
    "image among results": {
        "messages": [
            ASKED,
            {"role": "assistant", "content": [CALL]},
            {"role": "user", "content": [{**RESULT, "content": [{"type": "text", "text": "cold"}]}]},
        ],
        "tools": [TOOL],
    },
    "thoughts sent back": {
        "messages": [
            ASKED,
            {"role": "assistant", "content": [{"type": "thinking", "thinking": "x", "signature": "s"}, CALL]},
            {"role": "user", "content": [RESULT]},
        ],
        "tools": [TOOL],
    },
    "nothing to generate": {"max_tokens": 0},
}


@pytest.mark.parametrize("name", ACCEPTED)
def test_ordinary_request_is_answered(models: Models, name: str) -> None:
    answer = models.post(MESSAGES, **body(**ACCEPTED[name]))
    assert answer.status_code == 200, answer.text
    assert answer.json()["role"] == "assistant"


def test_sampling_was_allowed_before_the_new_version(models: Models) -> None:
    answer = models.post(MESSAGES, headers={"anthropic-version": "2023-06-01"}, **body(temperature=0.5))
    assert answer.status_code == 200


@pytest.mark.parametrize(
    ("headers", "words"),
    [
        ({"anthropic-version": ""}, "anthropic-version: header is required"),
        ({"anthropic-version": "2030-01-01"}, "anthropic-version: 2030-01-01 is not a valid version"),
    ],
)
def test_version_is_required(models: Models, headers: dict[str, str], words: str) -> None:
    answer = models.post(MESSAGES, headers=headers, **body())
    assert answer.status_code == 400
    assert error_of(answer)["message"] == words


def test_key_is_required(models: Models) -> None:
    answer = models.post(MESSAGES, None, **body())
    assert answer.status_code == 401
    assert error_of(answer)["type"] == "authentication_error"


def test_key_may_come_as_it_did_before(models: Models) -> None:
    assert models.post(MESSAGES, None, headers={"x-api-key": "sk-old"}, **body()).status_code == 200


def test_unknown_model_does_not_exist(models: Models) -> None:
    answer = models.post(MESSAGES, **body(model="claude-2"))
    assert answer.status_code == 404
    assert error_of(answer) == {"type": "not_found_error", "message": "model: claude-2"}


def test_broken_json_is_refused(models: Models) -> None:
    headers = {"Authorization": f"Bearer {KEY}", "anthropic-version": "2026-10-21"}
    answer = requests.post(models.sandbox.url + MESSAGES.path, data=b"{", headers=headers, timeout=10)
    assert answer.status_code == 400
    assert error_of(answer)["type"] == "invalid_request_error"


def test_other_path_is_not_found(models: Models) -> None:
    answer = requests.post(f"{models.sandbox.url}/anthropic/v1/complete", timeout=10)
    assert answer.status_code == 404
    assert error_of(answer)["type"] == "not_found_error"


def test_message_has_the_recorded_shape(models: Models) -> None:
    recorded = cassette("anthropic_tool_output")["exchanges"][0]["response"]
    answer = models.post(MESSAGES, **body(tools=[TOOL], tool_choice={"type": "any"})).json()
    assert set(recorded) <= set(answer)
    assert set(recorded["usage"]) <= set(answer["usage"])
    assert set(recorded["usage"]["cache_creation"]) == set(answer["usage"]["cache_creation"])
    assert set(recorded["content"][0]) <= set(answer["content"][0])
    assert answer["stop_reason"] == recorded["stop_reason"] == "tool_use"


def test_stream_has_the_recorded_events(models: Models) -> None:
    recorded = cassette("anthropic_stream_thinking")["exchanges"][0]["sse"]
    known = {line.removeprefix("event: ") for line in recorded.splitlines() if line.startswith("event: ")}
    models.script({"text": "Look both ways.", "thinking": "A street.", "model": "*"})
    answer = models.ask(MESSAGES, stream=True)
    told = answer.text.splitlines()
    names = [line.removeprefix("event: ") for line in told if line.startswith("event: ")]
    assert set(names) == known
    assert names[0] == "message_start"
    assert names[-2:] == ["message_delta", "message_stop"]
    kinds = [
        json.loads(line[6:])["delta"].get("type") for line in told if '"content_block_delta"' in line and line[0] == "d"
    ]
    assert kinds == sorted(kinds, key=["thinking_delta", "signature_delta", "text_delta"].index)
    assert answer.headers["content-type"].startswith("text/event-stream")


def test_sdk_reads_a_whole_stream(models: Models) -> None:
    models.script({"text": "热玛吉 is a word. ✨", "thinking": "Hm.", "model": "*"})
    asked: Any = [{"role": "user", "content": "Say it"}]
    with models.anthropic().messages.stream(model="claude-sonnet-5-5", max_tokens=99, messages=asked) as stream:
        pieces = list(stream.text_stream)
        final = stream.get_final_message()
    assert len(pieces) > 3
    assert "".join(pieces) == "热玛吉 is a word. ✨"
    assert [block.type for block in final.content] == ["thinking", "text"]
    assert final.stop_reason == "end_turn"
    assert final.usage.output_tokens >= len(pieces)


def test_sdk_parses_structured_output(models: Models) -> None:
    class Line(BaseModel):
        network: str
        score: float
        tags: list[str]

    class Plan(BaseModel):
        title: str
        lines: list[Line]

    asked: Any = [{"role": "user", "content": "Promote our spring roast on X"}]
    answer = models.anthropic().messages.parse(
        model="claude-haiku-5-5", max_tokens=900, messages=asked, output_format=Plan
    )
    assert answer.parsed_output is not None
    assert len(answer.parsed_output.lines) >= 2
    assert "spring roast" in answer.parsed_output.title.lower()


def test_tool_round_trip_ends_with_a_text(models: Models) -> None:
    tool: Any = {"name": "recall", "description": "Search", "input_schema": TOOL["input_schema"]}
    client = models.anthropic()
    asked: Any = [{"role": "user", "content": "When do you open on Sunday?"}]
    first = client.messages.create(model="claude-haiku-5-5", max_tokens=200, messages=asked, tools=[tool])
    assert first.stop_reason == "tool_use"
    call: Any = first.content[0]
    more: Any = [
        *asked,
        {"role": "assistant", "content": [{"type": "tool_use", "id": call.id, "name": call.name, "input": call.input}]},
        {"role": "user", "content": [{"type": "tool_result", "tool_use_id": call.id, "content": "Open 10 to 14."}]},
    ]
    second = client.messages.create(model="claude-haiku-5-5", max_tokens=200, messages=more, tools=[tool])
    assert second.stop_reason == "end_turn"
    assert MESSAGES.text_of(second.model_dump()) == "Open 10 to 14."


STOPS = [
    ({"text": "one two three"}, {}, "end_turn"),
    ({"text": "one two three four"}, {"max_tokens": 2}, "max_tokens"),
    ({"text": "one STOP two"}, {"stop_sequences": ["never", "STOP"]}, "stop_sequence"),
    ({"calls": [{"name": "weather", "args": {}}]}, {"tools": [TOOL]}, "tool_use"),
    ({"refusal": "no"}, {}, "refusal"),
]


@pytest.mark.parametrize(("step", "changes", "reason"), STOPS)
@pytest.mark.parametrize("is_stream", [False, True])
def test_reason_of_the_end_is_told(
    models: Models, step: dict[str, Any], changes: dict[str, Any], reason: str, is_stream: bool
) -> None:
    models.script({**step, "model": "*"})
    answer = models.post(MESSAGES, **body(**changes, stream=is_stream))
    if is_stream:
        last = [
            json.loads(line[6:]) for line in answer.text.splitlines() if '"message_delta"' in line and line[0] == "d"
        ]
        told = last[0]["delta"]
    else:
        told = answer.json()
    assert told["stop_reason"] == reason
    assert told["stop_sequence"] == ("STOP" if reason == "stop_sequence" else None)
    assert (told["stop_details"] is None) == (reason != "refusal")


def test_counted_tokens_are_the_tokens_of_the_message(models: Models) -> None:
    asks = [
        body(),
        body(system="Be brief and kind", tools=[TOOL]),
        body(messages=[ASKED, {"role": "assistant", "content": [CALL]}, {"role": "user", "content": [RESULT]}]),
        body(**format_({"type": "object", "properties": {}, "additionalProperties": False})),
        body(messages=[{"role": "user", "content": "热玛吉 " * 40}]),
    ]
    for asked in asks:
        counted = models.anthropic().post(
            "/v1/messages/count_tokens",
            body={name: value for name, value in asked.items() if name != "max_tokens"},
            cast_to=anthropic.types.MessageTokensCount,
        )
        usage = models.post(MESSAGES, **asked).json()["usage"]
        assert counted.input_tokens == usage["input_tokens"] > 0


def test_counting_generates_nothing(models: Models) -> None:
    asked: Any = [{"role": "user", "content": "x"}]
    models.anthropic().messages.count_tokens(model="claude-haiku-5-5", messages=asked)
    assert models.sandbox.ledger(effect="completion") == []


def test_counting_refuses_what_it_does_not_know(models: Models) -> None:
    with pytest.raises(anthropic.BadRequestError, match="max_tokens: Extra inputs are not permitted"):
        models.anthropic().post("/v1/messages/count_tokens", body=body(), cast_to=object)


def test_prompt_over_the_window_is_too_long(models: Models) -> None:
    answer = models.post(MESSAGES, **body(model="sandbox-small", **says("word " * 5_000)))
    assert answer.status_code == 400
    assert error_of(answer)["message"] == "prompt is too long: 5005 tokens > 4096 maximum"


def test_models_are_listed_and_found(models: Models) -> None:
    client = models.anthropic()
    listed = [model.id for model in client.models.list()]
    assert {"claude-haiku-5-5", "sandbox-writer"} <= set(listed)
    assert client.models.retrieve("claude-opus-5-5").max_input_tokens == 1_000_000
    with pytest.raises(anthropic.NotFoundError):
        client.models.retrieve("claude-1")


def test_answer_carries_the_rate_limit(models: Models) -> None:
    headers = models.ask(MESSAGES).headers
    assert {name for name in headers if name.startswith("anthropic-ratelimit-")} >= {
        f"anthropic-ratelimit-{kind}-{what}"
        for kind in ("requests", "tokens", "input-tokens", "output-tokens")
        for what in ("limit", "remaining", "reset")
    }
