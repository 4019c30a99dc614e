"""Twenty faults on each wire. Those of runs (f18 to f20) are at the end, through the engine."""

import time
from collections.abc import Callable

import pytest

from agents.llm.types import Stop, Usage
from tests.agents.llm.conftest import FOUR, WEATHER, Port

ESCAPE = "sandbox-writer"


@pytest.fixture(autouse=True)
def ready(db, no_long_pauses):
    pass


def f01_429_waits_as_told_and_then_falls_back(port: Port) -> None:
    port.fault("http", status=429, headers={"retry-after": "0.2"})
    started = time.monotonic()
    assert port.complete().model == port.case.model
    assert time.monotonic() - started >= 0.2
    assert [(row.status, row.error, row.cost_micro > 0) for row in port.rows()] == [
        ("failed", "rate_limited", False),
        ("done", "", True),
    ]
    port.fault("http", count=3, status=429, headers={"retry-after": "0.01"})
    assert port.complete(models=(port.case.model, ESCAPE)).model == ESCAPE
    assert port.circuits()[port.case.model].open_until


def f02_529_is_tried_again_and_then_falls_back(port: Port) -> None:
    port.fault("http", count=3, status=529, body="overloaded_error")
    answer = port.complete(models=(port.case.model, ESCAPE))
    assert (answer.model, answer.is_sandbox) == (ESCAPE, True)
    assert [row.error for row in port.rows()] == ["overloaded"] * 3 + [""]
    assert sum(row.cost_micro for row in port.rows()) == answer.cost_micro


def f03_401_is_not_tried_again_and_closes_this_key_only(port: Port, settings) -> None:
    port.fault("http", status=401)
    assert port.complete(models=(port.case.model, ESCAPE)).model == ESCAPE
    assert len(port.calls()) == 2
    assert port.circuits()["*"].open_until
    assert port.error().code == "circuit_open"
    assert len(port.calls()) == 2
    setattr(settings, f"{port.case.setting}_API_KEY", "sk-other")
    assert port.complete().model == port.case.model


def f04_a_prompt_that_is_too_long_is_not_tried_again(port: Port) -> None:
    port.fault("http", status=400, body="context_length_exceeded")
    assert port.error(models=(port.case.model, ESCAPE)).code == "too_long"
    assert (len(port.calls()), [row.cost_micro for row in port.rows()]) == (1, [0])


def f05_a_timeout_is_tried_again_twice_under_the_same_key(port: Port, settings) -> None:
    settings.MODEL_TIMEOUT_S = 0.25
    port.fault("timeout", count=3, after_ms=500)
    assert port.error().code == "timeout"
    calls = port.calls()
    assert (len(calls), len({call["idempotency_key"] for call in calls})) == (3, 1)
    # The answers were made, and may be on the bill: all that was held back is booked.
    assert all(row.cost_micro == row.reserved_micro > 0 and row.is_estimated for row in port.rows())


def f06_a_cut_stream_is_an_error_and_its_cost_is_estimated(port: Port) -> None:
    port.fault("disconnect", after_tokens=4)
    error = port.error(port.stream)
    assert error.code == "disconnected"
    assert len(port.calls()) == 1
    assert port.pieces
    (row,) = port.rows()
    assert (row.status, row.is_estimated, 0 < row.cost_micro <= row.reserved_micro) == ("failed", True, True)


def f07_broken_arguments_get_one_round_of_repair(port: Port) -> None:
    port.fault("malformed_json_tool_args")
    answer = port.complete(tools=(WEATHER,))
    assert len(port.calls()) == 2
    assert all(call.args is not None for call in answer.tool_calls)
    port.fault("malformed_json_tool_args", count=2)
    assert port.error(tools=(WEATHER,)).code == "bad_output"
    assert len(port.calls()) == 4


def f08_an_unknown_tool_is_told_so_and_never_handed_on(port: Port) -> None:
    port.fault("unknown_tool")
    answer = port.complete(tools=(WEATHER,))
    assert all(call.name == "weather" for call in answer.tool_calls)
    assert "unknown tool" in str(port.calls()[1]["request"])
    port.fault("unknown_tool", count=2)
    assert port.error(tools=(WEATHER,)).code == "bad_output"


def f10_no_choices_are_tried_again(port: Port) -> None:
    port.fault("empty_choices")
    assert port.complete().text
    port.fault("empty_choices", count=3)
    assert port.error().code == "empty"
    assert len(port.calls()) == 5


def f11_a_refusal_is_final(port: Port) -> None:
    port.fault("refusal", message="Not this.")
    answer = port.complete(models=(port.case.model, ESCAPE))
    assert (answer.stop, answer.model, answer.tool_calls) == (Stop.REFUSAL, port.case.model, ())
    assert len(port.calls()) == 1
    assert answer.text in ("Not this.", "")


def f12_missing_usage_is_estimated_and_flagged(port: Port) -> None:
    port.fault("usage_missing")
    answer = port.complete()
    assert answer.is_estimated
    assert answer.usage.input > 0 < answer.usage.output
    (row,) = port.rows()
    assert (row.is_estimated, 0 < row.cost_micro <= row.reserved_micro) == (True, True)


def f13_cached_tokens_are_paid_once(port: Port) -> None:
    port.fault("usage_cached_tokens", usage={"input": 100_000, "cached": 90_000, "output": 10})
    answer = port.complete()
    assert answer.usage == Usage(input=100_000, cached=90_000, output=10)
    prices = {"gpt-5.4-mini": (0.75, 0.075, 4.5), "gemini-3.8-flash": (0.75, 0.075, 3.75)}
    full, cached, out = prices.get(port.case.model, (0.10, 0.01, 0.50))
    assert answer.cost_micro == round(10_000 * full + 90_000 * cached + 10 * out)


def f14_comments_between_the_events_are_skipped(port: Port) -> None:
    plain = port.stream().text
    port.fault("sse_comment_keepalive")
    assert (port.stream().text, "".join(port.pieces)) == (plain, plain)


def f15_an_error_inside_a_200_is_an_error(port: Port) -> None:
    port.fault("error_inside_200")
    assert port.complete().text
    assert len(port.calls()) == 2
    port.fault("error_inside_200_stream", after_tokens=0)
    assert port.stream().text == "".join(port.pieces)
    assert len(port.calls()) == 4
    port.fault("error_inside_200_stream", after_tokens=5)
    assert port.error(port.stream).code in ("overloaded", "server_error")
    assert port.pieces
    assert len(port.calls()) == 5


def f16_repeated_chunks_are_heard_once(port: Port) -> None:
    plain = port.stream().text
    port.fault("duplicate_chunk_ids")
    assert (port.stream().text, "".join(port.pieces)) == (plain, plain)


def f17_characters_cut_in_two_arrive_whole(port: Port) -> None:
    port.fault("utf8_split_across_chunks", text="热玛吉 ☕ é")
    assert port.stream().text == "热玛吉 ☕ é"
    assert "\ufffd" not in "".join(port.pieces)


FAULTS: dict[str, Callable[..., None]] = {
    name[:3]: test for name, test in list(globals().items()) if name[:1] == "f" and name[1:3].isdigit()
}


@pytest.mark.parametrize("wire", [*FOUR, "openrouter"])
@pytest.mark.parametrize("fault", FAULTS)
def test_fault(fault, wire, speaking, settings):
    port = speaking(wire)
    FAULTS[fault](port, **({"settings": settings} if fault in ("f03", "f05") else {}))
