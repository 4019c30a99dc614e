"""Which failures are tried again, which go to another model, and which are final."""

import socket
import time
from dataclasses import replace

import pytest
from django.conf import settings as django_settings

from accounts.scope import workspace_scope
from agents import llm
from agents.llm import policy
from agents.llm.policy import Deadline, may_try_again, pause_s
from agents.llm.types import ModelError, Stop
from agents.models import ModelCall
from tests.agents.llm.conftest import ASK, WIRES

ESCAPE = "sandbox-writer"
# (fault, params, code, tries, whether another model is asked)
MATRIX = {
    "429": ("http", {"status": 429, "headers": {"retry-after": "0.01"}}, "rate_limited", 3, True),
    "503": ("http", {"status": 503}, "overloaded", 3, True),
    "500": ("http", {"status": 500}, "server_error", 3, True),
    "529": ("http", {"status": 529}, "overloaded", 3, True),
    "504": ("http", {"status": 504}, "timeout", 3, True),
    "html": ("html_5xx", {}, "overloaded", 3, True),
    "cut": ("disconnect", {}, "disconnected", 3, True),
    "dropped": ("drop_before_accept", {}, "disconnected", 3, True),
    "inside 200": ("error_inside_200", {}, "overloaded", 3, True),
    "401": ("http", {"status": 401}, "unauthorized", 1, True),
    "403": ("http", {"status": 403}, "unauthorized", 1, True),
    "402": ("insufficient_quota", {}, "no_credit", 1, True),
    "400": ("http", {"status": 400}, "bad_request", 1, False),
    "413": ("http", {"status": 413}, "too_long", 1, False),
    "404": ("http", {"status": 404}, "not_found", 1, False),
    "too long": ("http", {"status": 400, "body": "context_length_exceeded"}, "too_long", 1, False),
    "empty": ("empty_choices", {}, "empty", 3, False),
}


@pytest.fixture(autouse=True)
def ready(db, no_long_pauses):
    pass


@pytest.mark.parametrize("wire", ["anthropic", "responses"])
@pytest.mark.parametrize("case", MATRIX)
def test_fallback_matrix(case, wire, speaking):
    kind, params, code, tries, has_fallback = MATRIX[case]
    port = speaking(wire)
    port.fault(kind, count=tries, **params)
    models = (port.case.model, ESCAPE)
    if has_fallback:
        assert port.complete(models=models).model == ESCAPE
    else:
        assert port.error(models=models).code == code
    told = [row.error for row in port.rows()]
    codes = {code, "server_error"} if case == "inside 200" else {code}
    assert set(told[:tries]) <= codes
    assert told[tries:] == ([""] if has_fallback else [])


@pytest.mark.parametrize("wire", WIRES)
def test_a_filtered_answer_is_a_refusal_and_final(wire, speaking):
    port = speaking(wire)
    port.fault("content_filter")
    answer = port.complete(models=(port.case.model, ESCAPE))
    assert (answer.stop, answer.model, len(port.calls())) == (Stop.REFUSAL, port.case.model, 1)


@pytest.mark.parametrize("wire", WIRES)
def test_after_visible_text_nobody_else_is_asked(wire, speaking):
    port = speaking(wire)
    port.fault("error_inside_200_stream", after_tokens=2)
    assert port.error(port.stream, models=(port.case.model, ESCAPE)).code in ("overloaded", "server_error")
    assert len(port.calls()) == 1


@pytest.mark.parametrize("wire", WIRES)
def test_a_stream_that_hangs_ends_in_time(wire, speaking, settings):
    settings.MODEL_TIMEOUT_S = 0.3
    port = speaking(wire)
    port.fault("hang_midstream", after_tokens=2, after_ms=9000)
    started = time.monotonic()
    assert port.error(port.stream).code == "timeout"
    assert time.monotonic() - started < 8


def test_a_stream_may_write_for_longer_than_it_may_be_silent(speaking, settings):
    settings.MODEL_TIMEOUT_S = 1.2
    port = speaking("chat")
    port.sandbox.post("/llm/settings", chunk_ms=100)
    started = time.monotonic()
    assert port.stream().text
    assert time.monotonic() - started > 1.2


@pytest.mark.parametrize("wire", ["anthropic", "chat", "responses"])
def test_a_stream_ends_with_the_time_for_all(wire, speaking, payer):
    port = speaking(wire)
    port.sandbox.post("/llm/settings", chunk_ms=150)
    with pytest.raises(ModelError) as caught:
        llm.stream(port.ask(), payer=payer(), on_text=str, deadline_s=0.5)
    assert caught.value.code == "timeout"


def test_an_unknown_model_is_not_quietly_another(speaking):
    assert speaking("anthropic").error(models=("claude-9",)).code == "no_model"


def test_all_tries_together_end_at_the_deadline(speaking, payer):
    port = speaking("anthropic")
    port.fault("timeout", count=5, after_ms=6000)
    started = time.monotonic()
    with pytest.raises(ModelError) as caught:
        llm.complete(port.ask(), payer=payer(), deadline_s=0.6)
    assert (caught.value.code, time.monotonic() - started < 20) == ("timeout", True)


def test_a_pause_longer_than_the_deadline_is_told_and_not_waited_for(speaking, payer):
    port = speaking("anthropic")
    port.fault("http", status=429, headers={"retry-after": "30"})
    started = time.monotonic()
    with pytest.raises(ModelError) as caught:
        llm.complete(port.ask(), payer=payer(), deadline_s=5)
    assert (caught.value.retry_after_s, time.monotonic() - started < 20) == (30, True)


def test_a_long_pause_is_not_waited_for_where_another_model_can_answer(speaking):
    port = speaking("anthropic")
    port.fault("http", status=429, headers={"retry-after": "25"})
    started = time.monotonic()
    assert port.complete(models=(port.case.model, ESCAPE)).model == ESCAPE
    assert time.monotonic() - started < 20


@pytest.mark.parametrize("tries", range(1, 8))
def test_pauses_grow_with_full_jitter_and_honour_the_provider(tries, monkeypatch):
    monkeypatch.setattr(policy, "BASE_S", 0.25)
    limit = min(policy.LONGEST_S, 0.25 * 2**tries)
    pauses = [pause_s(tries, ModelError("overloaded", "")) for _ in range(200)]
    assert 0 <= min(pauses) < limit / 4
    assert limit * 3 / 4 < max(pauses) <= limit
    assert all(pause_s(tries, ModelError("rate_limited", "", retry_after_s=11)) >= 11 for _ in range(20))


def test_the_third_try_is_the_last():
    error, deadline = ModelError("overloaded", "", is_retryable=True), Deadline.within(60)
    assert [may_try_again(error, n, 0, deadline, has_other=False) for n in (1, 2, 3)] == [True, True, False]


# --- the kill switch --------------------------------------------------------------------------------------


LIVE = {
    "ANTHROPIC": "https://api.anthropic.com",
    "OPENAI": "https://api.openai.com/v1",
    "GEMINI": "https://generativelanguage.googleapis.com/v1beta/openai",
    "OPENROUTER": "https://openrouter.ai/api/v1",
}


@pytest.fixture
def opened(monkeypatch):
    """Every host that anybody looks up or connects to."""
    hosts, look_up, connect = [], socket.getaddrinfo, socket.create_connection
    monkeypatch.setattr(
        socket, "getaddrinfo", lambda host, *args, **kw: hosts.append(host) or look_up(host, *args, **kw)
    )
    monkeypatch.setattr(
        socket,
        "create_connection",
        lambda address, *args, **kw: hosts.append(address[0]) or connect(address, *args, **kw),
    )
    return hosts


def test_with_live_calls_off_no_provider_is_even_looked_up(settings, payer, workspace, opened):
    settings.ALLOW_LIVE, settings.SANDBOX_LLM_URL = False, ""
    for name, url in LIVE.items():
        setattr(settings, f"{name}_API_KEY", "sk-live")
        setattr(settings, f"{name}_BASE_URL", url)
    for role in ("chat", "writer", "strategist", "compliance", "product", "sentiment", "memory"):
        with pytest.raises(ModelError) as caught:
            llm.complete(replace(ASK, role=role), payer=payer())
        assert caught.value.code == "live_calls_off"
    with pytest.raises(ModelError):
        llm.embed(["text"], payer=payer())
    assert [host for host in opened if host not in ("127.0.0.1", "localhost")] == []
    with workspace_scope(workspace.pk):
        assert not ModelCall.objects.exists()


def test_the_last_door_is_closed_too(settings, opened):
    from lib.http_sdk import LiveCallsOff, open_client

    settings.ALLOW_LIVE = False
    for host in ("api.anthropic.com", "127.0.0.1.example.org", "localhost.example.org", "8.8.8.8", "0.0.0.0"):
        with pytest.raises(LiveCallsOff):
            open_client().get(f"http://{host}/")
    assert opened == []


def test_tests_run_with_live_calls_off():
    assert django_settings.ALLOW_LIVE is False
