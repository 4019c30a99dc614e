"""The scripted faults of the cassettes on every wire, as a client meets them."""

import json
from collections.abc import Callable
from itertools import pairwise
from typing import Any

import anthropic
import httpx2
import openai
import pytest
import requests

from tests.sandbox.llm_cast import (
    CHAT,
    GEMINI,
    MESSAGES,
    OPENROUTER,
    RESPONSES,
    WIRES,
    Models,
    Wire,
    cassette,
    error_of,
    parsed,
)

TOOLS = [{"name": "publish", "schema": {"type": "object", "properties": {"text": {"type": "string"}}}}]
LONG = "one two three four five six seven eight nine ten " * 4
CHATS = (CHAT, GEMINI, OPENROUTER)


def say(models: Models, text: str = LONG) -> None:
    models.script({"text": text, "model": "*"})


def text_so_far(models: Models, wire: Wire, **more: Any) -> str:
    """What a stream brought before it broke off."""
    content = b""
    answer = models.ask(wire, stream=True, **more)
    assert answer.status_code == 200
    try:
        for piece in answer.iter_content(None):
            content += piece
    except (requests.ConnectionError, requests.exceptions.ChunkedEncodingError):
        content = content[: content.rindex(b"\n\n")]
    else:
        pytest.fail("the stream came to an end")
    return "".join(wire.delta_of(data) for data in parsed(content))


@pytest.mark.parametrize("wire", WIRES, ids=str)
def test_f01_rate_limit_says_when_to_come_back(models: Models, wire: Wire) -> None:
    models.fault(wire, "http", status=429, headers={"Retry-After": "2"})
    answer = models.ask(wire)
    assert (answer.status_code, answer.headers["retry-after"]) == (429, "2")
    assert error_of(answer)["message"]
    assert models.ask(wire).status_code == 200


@pytest.mark.parametrize("wire", WIRES, ids=str)
def test_f02_overload_has_the_providers_form(models: Models, wire: Wire) -> None:
    models.fault(wire, "http", status=529, body="overloaded_error")
    answer = models.ask(wire)
    assert answer.status_code == 529
    if wire in (MESSAGES, CHAT, RESPONSES):
        assert error_of(answer)["type"] == "overloaded_error"
    else:
        assert error_of(answer)["code"] == 529


@pytest.mark.parametrize("wire", WIRES, ids=str)
def test_f03_bad_key_is_unauthorized(models: Models, wire: Wire) -> None:
    models.fault(wire, "http", status=401)
    assert models.ask(wire).status_code == 401


@pytest.mark.parametrize("wire", WIRES, ids=str)
def test_f04_full_context_is_told_in_the_providers_words(models: Models, wire: Wire) -> None:
    models.fault(wire, "http", status=400, body="context_length_exceeded")
    answer = models.ask(wire)
    assert answer.status_code == 400
    assert any(word in error_of(answer)["message"] for word in ("too long", "context", "exceeds the maximum"))
    if wire in (CHAT, RESPONSES):
        assert error_of(answer)["code"] == "context_length_exceeded"


@pytest.mark.parametrize("wire", WIRES, ids=str)
def test_f05_silence_ends_in_nothing_but_is_paid(models: Models, wire: Wire) -> None:
    models.fault(wire, "timeout", after_ms=60)
    with pytest.raises(requests.ConnectionError):
        models.ask(wire)
    (entry,) = models.sandbox.ledger(effect="completion")
    assert (entry["outcome"], entry["fault"]) == ("hang", "timeout")


@pytest.mark.parametrize("wire", WIRES, ids=str)
def test_f06_stream_is_cut_after_some_tokens(models: Models, wire: Wire) -> None:
    say(models)
    models.fault(wire, "disconnect", after_tokens=17)
    got = text_so_far(models, wire)
    assert LONG.startswith(got)
    assert len(got.split()) in (16, 17)


@pytest.mark.parametrize("wire", WIRES, ids=str)
def test_f06_answer_without_stream_is_cut_in_half(models: Models, wire: Wire) -> None:
    models.fault(wire, "disconnect")
    with pytest.raises((requests.ConnectionError, requests.exceptions.ChunkedEncodingError)):
        models.ask(wire)


@pytest.mark.parametrize("wire", WIRES, ids=str)
def test_f07_arguments_of_a_call_are_no_json(models: Models, wire: Wire) -> None:
    models.fault(wire, "malformed_json_tool_args")
    ((name, arguments),) = wire.calls_of(models.ask(wire, tools=TOOLS).json())
    assert name == "publish"
    assert isinstance(arguments, str)
    with pytest.raises(ValueError, match="Unterminated"):
        json.loads(arguments)


@pytest.mark.parametrize("wire", WIRES, ids=str)
def test_f07_without_tools_the_text_is_no_json(models: Models, wire: Wire) -> None:
    models.fault(wire, "malformed_json_tool_args")
    assert wire.text_of(models.ask(wire).json()) == '{"text": "cut off'


@pytest.mark.parametrize("wire", WIRES, ids=str)
def test_f08_tool_is_one_that_nobody_offered(models: Models, wire: Wire) -> None:
    models.fault(wire, "unknown_tool", name="wire_money")
    assert [name for name, _ in wire.calls_of(models.ask(wire, tools=TOOLS).json())] == ["wire_money"]


@pytest.mark.parametrize("wire", WIRES, ids=str)
def test_f09_loop_calls_again_and_again(models: Models, wire: Wire) -> None:
    models.fault(wire, "tool_loop", count=3, args={"text": "again"})
    made = [wire.calls_of(models.ask(wire, tools=TOOLS).json()) for _ in range(4)]
    assert [len(calls) for calls in made] == [1, 1, 1, 0]
    assert {calls[0][0] for calls in made[:3]} == {"publish"}


@pytest.mark.parametrize("wire", WIRES, ids=str)
@pytest.mark.parametrize("is_stream", [False, True])
def test_f10_answer_is_empty(models: Models, wire: Wire, is_stream: bool) -> None:
    models.fault(wire, "empty_choices")
    if is_stream:
        assert "".join(map(wire.delta_of, models.events(wire))) == ""
        return
    body = models.ask(wire).json()
    assert body.get("content", body.get("choices", body.get("output"))) == []


@pytest.mark.parametrize("wire", WIRES, ids=str)
def test_f11_model_refuses(models: Models, wire: Wire) -> None:
    models.fault(wire, "refusal")
    body = models.ask(wire).json()
    signs: dict[str, Callable[[], bool]] = {
        "anthropic": lambda: body["stop_reason"] == "refusal" and body["content"] == [],
        "chat": lambda: bool(body["choices"][0]["message"]["refusal"]),
        "responses": lambda: body["output"][0]["content"][0]["type"] == "refusal",
        "gemini": lambda: body["choices"][0]["finish_reason"] == "content_filter",
        "openrouter": lambda: bool(body["choices"][0]["message"]["refusal"]),
    }
    assert signs[wire.name]()
    assert wire.text_of(body) == ""


@pytest.mark.parametrize("wire", WIRES, ids=str)
def test_f11_filter_cuts_the_text_off(models: Models, wire: Wire) -> None:
    say(models)
    models.fault(wire, "content_filter", after_tokens=3)
    assert wire.text_of(models.ask(wire).json()) == "one two three"


@pytest.mark.parametrize("wire", WIRES, ids=str)
@pytest.mark.parametrize("is_stream", [False, True])
def test_f12_usage_is_missing(models: Models, wire: Wire, is_stream: bool) -> None:
    models.fault(wire, "usage_missing")
    answer = models.ask(wire, stream=is_stream)
    found = json.loads(answer.text) if not is_stream else {"all": list(parsed(answer.content))}
    assert [value for value in _values(found, "usage") if value] == []


def _values(data: Any, name: str) -> list[Any]:
    if isinstance(data, dict):
        own = [data[name]] if name in data else []
        return own + [one for value in data.values() for one in _values(value, name)]
    return [one for value in data for one in _values(value, name)] if isinstance(data, list) else []


@pytest.mark.parametrize("wire", WIRES, ids=str)
@pytest.mark.parametrize("is_stream", [False, True])
def test_f13_cached_tokens_are_part_of_the_input(models: Models, wire: Wire, is_stream: bool) -> None:
    models.fault(wire, "usage_cached_tokens", usage={"input": 1000, "cached": 900, "output": 10})
    answer = models.ask(wire, stream=is_stream)
    data = list(parsed(answer.content)) if is_stream else [answer.json()]
    usage = [value for value in _values(data, "usage") if value][-1]
    if wire is MESSAGES:
        told = (usage["input_tokens"], usage["cache_read_input_tokens"], usage["output_tokens"])
        assert told == (100, 900, 10)
    elif wire is RESPONSES:
        assert (usage["input_tokens"], usage["input_tokens_details"]["cached_tokens"]) == (1000, 900)
        assert (usage["output_tokens"], usage["total_tokens"]) == (10, 1010)
    else:
        assert (usage["prompt_tokens"], usage["prompt_tokens_details"]["cached_tokens"]) == (1000, 900)
        assert (usage["completion_tokens"], usage["total_tokens"]) == (10, 1010)


@pytest.mark.parametrize("wire", WIRES, ids=str)
def test_f14_comments_keep_the_stream_alive(models: Models, wire: Wire) -> None:
    say(models)
    models.fault(wire, "sse_comment_keepalive")
    answer = models.ask(wire, stream=True)
    comments = [line for line in answer.text.splitlines() if line.startswith(":")]
    assert len(comments) > 3
    assert (comments[0] == ": OPENROUTER PROCESSING") == (wire is OPENROUTER)
    assert "".join(wire.delta_of(data) for data in parsed(answer.content)) == LONG


@pytest.mark.parametrize("wire", WIRES, ids=str)
def test_f15_error_comes_inside_a_good_stream(models: Models, wire: Wire) -> None:
    say(models)
    models.fault(wire, "error_inside_200_stream", after_tokens=4, message="Provider broke")
    answer = models.ask(wire, stream=True)
    data = list(parsed(answer.content)) if wire is not GEMINI else []
    assert answer.status_code == 200
    assert "Provider broke" in answer.text
    if data:
        assert "".join(map(wire.delta_of, data)) == "one two three four"
    assert LONG not in answer.text


@pytest.mark.parametrize("wire", WIRES, ids=str)
def test_f15_error_comes_inside_a_good_answer(models: Models, wire: Wire) -> None:
    models.fault(wire, "error_inside_200", message="Provider broke")
    answer = models.ask(wire)
    assert answer.status_code == 200
    assert error_of(answer)["message"] == "Provider broke"


def test_f15_openrouters_last_chunk_is_as_recorded(models: Models) -> None:
    recorded = list(parsed(cassette("openrouter_stream_error_inside_200")["exchanges"][0]["sse"].encode()))[-1]
    models.fault(OPENROUTER, "error_inside_200_stream")
    last = models.events(OPENROUTER)[-1]
    assert set(recorded) <= set(last)
    assert set(recorded["error"]) == set(last["error"])
    assert set(recorded["usage"]) - {"is_byok"} <= set(last["usage"])


@pytest.mark.parametrize("wire", WIRES, ids=str)
def test_f16_repeated_events_carry_a_mark(models: Models, wire: Wire) -> None:
    say(models)
    models.fault(wire, "duplicate_chunk_ids")
    events = models.events(wire)
    doubled = [event for event, next_event in pairwise(events) if event == next_event]
    assert doubled
    if wire is MESSAGES:
        assert {event["type"] for event in doubled} <= {"message_start", "content_block_start", "ping"}
        once = events
    else:
        mark = "sequence_number" if wire is RESPONSES else "id"
        once = list({event[mark]: event for event in events}.values())
        assert len(once) < len(events)
    assert "".join(map(wire.delta_of, once)) == LONG


@pytest.mark.parametrize("wire", WIRES, ids=str)
def test_f17_characters_are_cut_between_pieces(models: Models, wire: Wire) -> None:
    models.fault(wire, "utf8_split_across_chunks", text="热玛吉")
    pieces, broken = [], 0
    for piece in models.ask(wire, stream=True).raw.stream(None, decode_content=False):
        pieces.append(piece)
        try:
            piece.decode()
        except UnicodeDecodeError:
            broken += 1
    assert broken >= 3
    assert "".join(wire.delta_of(data) for data in parsed(b"".join(pieces))) == "热玛吉"


@pytest.mark.parametrize("wire", WIRES, ids=str)
def test_hang_in_the_middle_brings_the_beginning(models: Models, wire: Wire) -> None:
    say(models)
    models.fault(wire, "hang_midstream", after_tokens=5, after_ms=50)
    assert text_so_far(models, wire) == "one two three four five"


@pytest.mark.parametrize("wire", WIRES, ids=str)
@pytest.mark.parametrize(
    ("kind", "params", "status"),
    [
        ("rate_limit", {}, 429),
        ("retry_after", {"seconds": 3, "status": 503}, 503),
        ("token_expired", {}, 401),
        ("status", {"status": 500}, 500),
        ("html_5xx", {}, 503),
        ("json_list_error", {}, 400),
    ],
)
def test_faults_of_every_platform_work_here(
    models: Models, wire: Wire, kind: str, params: dict[str, Any], status: int
) -> None:
    models.fault(wire, kind, **params)
    answer = models.ask(wire)
    assert answer.status_code == status
    assert [entry["fault"] for entry in models.sandbox.ledger()] == [kind]
    assert models.sandbox.ledger(effect="completion") == []


@pytest.mark.parametrize(
    ("wire", "status"), [(MESSAGES, 402), (CHAT, 429), (RESPONSES, 429), (GEMINI, 429), (OPENROUTER, 402)], ids=str
)
def test_spent_credit_has_the_providers_status(models: Models, wire: Wire, status: int) -> None:
    models.fault(wire, "insufficient_quota")
    answer = models.ask(wire)
    assert answer.status_code == status
    if wire in (CHAT, RESPONSES):
        assert error_of(answer)["code"] == "insufficient_quota"


@pytest.mark.parametrize("wire", WIRES, ids=str)
def test_chosen_body_is_sent_as_it_is(models: Models, wire: Wire) -> None:
    models.fault(wire, "http", status=418, body={"odd": [1]})
    answer = models.ask(wire)
    assert (answer.status_code, answer.json()) == (418, {"odd": [1]})


def test_fault_may_be_for_one_key_and_one_route(models: Models) -> None:
    order = {"platform": "openai", "kind": "rate_limit", "account": "sk-a", "route": "POST /responses"}
    models.sandbox.post("/faults", **order)
    assert models.ask(RESPONSES, key="sk-b").status_code == 200
    assert models.ask(CHAT, key="sk-a").status_code == 200
    assert models.ask(RESPONSES, key="sk-a").status_code == 429


def test_fault_waits_for_a_call_of_a_model(models: Models) -> None:
    models.fault(CHAT, "refusal")
    models.openai().models.list()
    assert models.ask(CHAT).json()["choices"][0]["message"]["refusal"]


@pytest.mark.parametrize("kind", ["late_accept", "duplicate", "no_such"])
def test_faults_of_others_are_unknown_here(models: Models, kind: str) -> None:
    order = {"platform": "anthropic", "kind": kind}
    answer = requests.post(f"{models.sandbox.url}/_sandbox/faults", json=order, timeout=10)
    assert answer.status_code == 400


ASKED: Any = [{"role": "user", "content": "x"}]


def test_anthropics_sdk_raises_at_an_error_in_the_stream(models: Models) -> None:
    models.fault(MESSAGES, "error_inside_200_stream", message="Overloaded")
    with (
        pytest.raises(anthropic.APIStatusError, match="Overloaded"),
        models.anthropic().messages.stream(model="claude-haiku-5-5", max_tokens=99, messages=ASKED) as stream,
    ):
        stream.until_done()


def test_anthropics_sdk_lets_a_cut_stream_through(models: Models) -> None:
    models.fault(MESSAGES, "disconnect", after_tokens=3)
    with (
        pytest.raises(httpx2.RemoteProtocolError),
        models.anthropic().messages.stream(model="claude-haiku-5-5", max_tokens=99, messages=ASKED) as stream,
    ):
        stream.until_done()


def test_openais_sdk_returns_no_choices_for_an_error_in_a_200(models: Models) -> None:
    models.fault(OPENROUTER, "error_inside_200")
    answer = models.openai("/openrouter/api/v1").chat.completions.create(model="sandbox-writer", messages=ASKED)
    assert answer.choices is None


@pytest.mark.parametrize("status", [429, 529, 500])
def test_sdk_without_retries_asks_once(models: Models, status: int) -> None:
    models.fault(MESSAGES, "http", status=status)
    with pytest.raises(anthropic.APIStatusError) as caught:
        models.anthropic().messages.create(model="claude-haiku-5-5", max_tokens=9, messages=ASKED)
    assert caught.value.status_code == status
    assert caught.value.request_id
    assert len(models.calls()) == 1


def test_sdk_with_retries_is_counted_by_its_attempts(models: Models) -> None:
    models.fault(CHAT, "http", count=1, status=500, headers={"retry-after-ms": "1"})
    client = models.openai().with_options(max_retries=1)
    client.chat.completions.create(model="sandbox-writer", messages=ASKED)
    assert [call["attempt"] for call in models.calls()] == [0, 1]
    assert [call["fault"] for call in models.calls()] == ["http", None]


def test_openais_sdk_raises_at_an_error_in_the_stream(models: Models) -> None:
    models.fault(CHAT, "error_inside_200_stream", message="broke")
    chunks = models.openai().chat.completions.create(model="sandbox-writer", messages=ASKED, stream=True)
    with pytest.raises(openai.APIError, match="broke"):
        list(chunks)
