"""Structured output and tools on each wire: native where it can be, by prompt where not, one round of repair."""

import json
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agents.llm import counting, repair, schemas
from agents.llm.types import Ask, ModelError, Said, Stop, Tool, ToolCall, ToolResult
from agents.llm.wires import sse
from agents.llm.wires.port import Reply, WireError
from tests.agents.llm.conftest import ASK, FOUR, WEATHER, WIRES

PLAN = {
    "type": "object",
    "properties": {
        "title": {"type": "string", "minLength": 3, "maxLength": 80},
        "posts": {"type": "array", "minItems": 1, "maxItems": 5, "items": {"type": "string"}},
        "mood": {"type": "string", "enum": ["warm", "cool"]},
    },
    "required": ["title", "posts", "mood"],
}
OPTIONAL = {**PLAN, "required": ["title"]}
FREE = {"type": "object", "additionalProperties": {"type": "integer"}, "minProperties": 1}
GOOD = {"title": "Coffee", "posts": ["One"], "mood": "warm"}


@pytest.fixture(autouse=True)
def ready(db, no_long_pauses):
    pass


@pytest.fixture(params=FOUR)
def port(request, speaking):
    return speaking(request.param)


def script(port, *steps):
    port.sandbox.post("/llm/script", steps=[{"model": "*", **step} for step in steps])


@pytest.mark.parametrize("schema", [PLAN, OPTIONAL], ids=["strict", "optional"])
def test_the_provider_is_told_the_schema_and_the_answer_fits(port, schema):
    answer = port.complete(schema=schema)
    assert schemas.misfit(answer.data, schema) == ""
    (call,) = port.calls()
    assert "minLength" not in json.dumps(call["request"])


def test_a_stream_may_be_structured_too(port):
    answer = port.stream(schema=PLAN)
    assert schemas.misfit(answer.data, PLAN) == ""
    assert json.loads("".join(port.pieces)) == answer.data


def test_what_no_provider_enforces_is_asked_for_in_words(port):
    script(port, {"text": '```json\n{"a": 1}\n```'})
    assert port.complete(schema=FREE).data == {"a": 1}
    (call,) = port.calls()
    assert "JSON Schema" in json.dumps(call["request"])


@pytest.mark.parametrize(
    "wrong",
    ['{"title": "C"', "Sure! Here is it.", json.dumps({**GOOD, "mood": "hot"}), json.dumps([GOOD]), "null", "NaN"],
)
def test_what_does_not_fit_gets_one_round_of_repair(speaking, wrong):
    port = speaking("anthropic")
    script(port, {"text": wrong}, {"json": GOOD})
    answer = port.complete(schema=PLAN)
    assert answer.data == GOOD
    first, second = port.calls()
    assert len(second["request"]["messages"]) == len(first["request"]["messages"]) + 2
    assert answer.usage.input == sum(call["input_tokens"] for call in (first, second))
    assert answer.cost_micro == sum(row.cost_micro for row in port.rows())


def test_after_one_round_it_is_an_error(port):
    script(port, {"text": "no"}, {"text": "still not"})
    error = port.error(schema=PLAN)
    assert (error.code, len(port.calls())) == ("bad_output", 2)


def test_an_answer_cut_off_by_the_limit_is_not_asked_for_again(port):
    script(port, {"text": '{"title": "Coff', "stop": "length"})
    assert (port.error(schema=PLAN).code, len(port.calls())) == ("bad_output", 1)


def test_a_refusal_needs_no_schema(port):
    script(port, {"refusal": "No."})
    answer = port.complete(schema=PLAN)
    assert (answer.stop, answer.data, len(port.calls())) == (Stop.REFUSAL, None, 1)


# --- tools ------------------------------------------------------------------------------------------------


def test_a_call_and_its_result_go_round(port):
    script(port, {"calls": [{"name": "weather", "args": {"city": "Köln"}}], "text": "I look."}, {"text": "Rain."})
    first = port.complete(tools=(WEATHER,))
    assert (first.stop, [call.args for call in first.tool_calls]) == (Stop.TOOL, [{"city": "Köln"}])
    turns = (
        *ASK.messages,
        Said("assistant", first.text, tool_calls=first.tool_calls),
        Said("user", tool_results=(ToolResult(first.tool_calls[0].id, "rain"),)),
    )
    assert port.complete(tools=(WEATHER,), messages=turns).text == "Rain."


def test_streams_bring_calls_too(port):
    script(
        port, {"calls": [{"name": "weather", "args": {"city": "Rome"}}, {"name": "weather", "args": {"city": "Bonn"}}]}
    )
    answer = port.stream(tools=(WEATHER,))
    assert [call.args["city"] for call in answer.tool_calls] == ["Rome", "Bonn"]
    assert len({call.id for call in answer.tool_calls}) == 2


@pytest.mark.parametrize("args", ['{"city": 7}', "{}", '{"city": "Rome", "all": true}', "[]", '"Rome"', '{"city": '])
def test_arguments_that_do_not_fit_are_sent_back(speaking, args):
    port = speaking("chat")
    wrong = {"calls": [{"name": "weather", "args": args}]}
    script(port, wrong, {"calls": [{"name": "weather", "args": {"city": "Rome"}}]})
    assert [call.args for call in port.complete(tools=(WEATHER,)).tool_calls] == [{"city": "Rome"}]
    script(port, wrong, wrong)
    assert port.error(tools=(WEATHER,)).code == "bad_output"


def test_one_wrong_call_takes_those_beside_it_back(speaking):
    port = speaking("anthropic")
    both = [{"name": "weather", "args": {"city": "Rome"}}, {"name": "delete_everything", "args": {}}]
    script(port, {"calls": both}, {"text": "Never mind."})
    answer = port.complete(tools=(WEATHER,))
    assert (answer.text, answer.tool_calls) == ("Never mind.", ())
    results = port.calls()[1]["request"]["messages"][-1]["content"]
    assert [result["is_error"] for result in results] == [True, True]


def test_text_beside_an_unknown_tool_remains_and_the_call_does_not(speaking):
    port = speaking("anthropic")
    unknown = {"calls": [{"name": "delete_everything", "args": {}}], "text": "I delete."}
    script(port, unknown, unknown)
    answer = port.complete(tools=(WEATHER,))
    assert (answer.text, answer.tool_calls, answer.stop) == ("I delete.", (), Stop.END)


def test_the_prefix_is_marked_for_the_cache(speaking):
    port = speaking("anthropic")
    long = "You know the house. " * 600
    first, second = (port.complete(system=long) for _ in range(2))
    assert first.usage.cache_write > 0
    assert second.usage.cached == first.usage.cache_write
    assert second.cost_micro < first.cost_micro


@pytest.mark.parametrize("wire", WIRES)
def test_nothing_is_charged_above_the_bound(wire, speaking):
    port = speaking(wire)
    for text in ("x", "{}[]()," * 400, "热玛吉☕" * 200, "a b " * 900, "\u200b\u202e" * 300):
        answer = port.complete(messages=(Said("user", text),), tools=(WEATHER,), system=text)
        assert answer.usage.input <= counting.most_input(
            Ask(role="chat", system=text, messages=(Said("user", text),), tools=(WEATHER,))
        )
    assert all(0 < row.cost_micro <= row.reserved_micro for row in port.rows())


# --- parts ------------------------------------------------------------------------------------------------


def test_judging_marks_what_may_be_handed_on():
    asked = replace(ASK, tools=(WEATHER, Tool("now", "", {})))
    good = Reply("", Stop.TOOL, tool_calls=(ToolCall("1", "now", {}), ToolCall("2", "weather", {"city": "x"})))
    assert repair.judge(asked, good).again is None
    refused = Reply("No", Stop.REFUSAL, tool_calls=good.tool_calls)
    assert repair.judge(asked, refused).reply.tool_calls == ()
    bad = repair.judge(asked, Reply("", Stop.TOOL, tool_calls=(ToolCall("1", "rm", {}),)))
    with pytest.raises(ModelError):
        repair.last_word(bad)


@pytest.mark.parametrize(
    "schema",
    [
        {"type": "array", "items": {"type": "string"}},
        {"type": "object"},
        {"type": "object", "properties": {"a": {"oneOf": [{"type": "string"}, {"type": "integer"}]}}},
        {"type": "object", "properties": {"a": {"type": "object", "additionalProperties": True}}},
    ],
)
def test_schemas_that_no_provider_enforces(schema):
    assert schemas.native(schema) is None


def test_a_native_schema_is_closed_and_keeps_properties_called_like_keywords():
    shape = schemas.native(
        {
            "type": "object",
            "properties": {
                "format": {"type": "string", "format": "date"},
                "inner": {"type": "object", "properties": {"a": {"type": "integer", "minimum": 1}}},
            },
            "required": ["format", "inner"],
        }
    )
    assert shape.schema["properties"]["format"] == {"type": "string"}
    assert shape.schema["properties"]["inner"] == {
        "type": "object",
        "properties": {"a": {"type": "integer"}},
        "additionalProperties": False,
    }
    assert not shape.is_strict


json_values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=12,
)


@given(json_values, st.sampled_from(["{}", "  {}\n", "```json\n{}\n```", "```\n{}\n```"]))
def test_values_come_out_as_they_went_in(value, around):
    text = json.dumps(value, ensure_ascii=False)
    assert schemas.value_from(around.replace("{}", text)) == value


@given(st.text(max_size=200))
def test_any_text_is_a_value_or_a_value_error(text):
    try:
        schemas.value_from(text)
    except ValueError:
        assert schemas.object_from(text) is None


@given(st.lists(json_values.filter(lambda value: value != sse.DONE), max_size=5), st.integers(1, 7))
def test_events_survive_any_cut(values, size):
    lines = "".join(f": hello\r\nevent: x\r\ndata: {json.dumps(value, ensure_ascii=False)}\r\n\r\n" for value in values)
    data = f"{lines}data: [DONE]\n\ndata: 1\n\n".encode("utf-8", "surrogatepass")
    pieces = [data[start : start + size] for start in range(0, len(data), size)]
    assert list(sse.events(pieces)) == values


def test_an_event_that_is_no_json_is_the_provider_s_fault():
    with pytest.raises(WireError) as caught:
        list(sse.events([b"data: {broken\n\n"]))
    assert (caught.value.code, caught.value.is_retryable) == ("server_error", True)


@given(st.text(max_size=300))
def test_a_guess_is_never_above_the_bound(text):
    ask = Ask(role="chat", system=text, messages=(Said("user", text),))
    assert counting.guess_usage(ask, "").input <= counting.most_input(ask)
