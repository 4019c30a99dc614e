"""Many at once, and requests that nobody should send to a model."""

import json
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
import requests
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sandbox.testing import start_sandbox
from tests.sandbox.cast import Sandbox
from tests.sandbox.llm_cast import CHAT, KEY, MESSAGES, RESPONSES, WIRES, Models, Wire, parsed

HEADERS = {"Authorization": f"Bearer {KEY}", "anthropic-version": "2026-10-21", "content-type": "application/json"}
VALUES: st.SearchStrategy[Any] = st.recursive(
    st.one_of(
        st.none(),
        st.booleans(),
        st.integers(-(10**20), 10**20),
        st.floats(allow_nan=False, allow_infinity=False),
        st.text(max_size=20),
        st.sampled_from(["user", "assistant", "system", "tool", "text", "function", "json_schema", "claude-haiku-5-5"]),
    ),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                ["role", "content", "type", "text", "name", "schema", "function", "tool_calls", "id", "format"]
            ),
            inner,
            max_size=4,
        )
    ),
    max_leaves=8,
)
FIELDS = {
    "anthropic": [
        "messages",
        "system",
        "tools",
        "tool_choice",
        "output_config",
        "thinking",
        "stop_sequences",
        "stream",
    ],
    "chat": ["messages", "tools", "tool_choice", "response_format", "stop", "stream", "stream_options", "max_tokens"],
    "responses": ["input", "instructions", "tools", "tool_choice", "text", "max_output_tokens", "stream", "reasoning"],
}


@pytest.mark.parametrize("wire", [MESSAGES, CHAT, RESPONSES], ids=str)
def test_no_request_breaks_the_sandbox(models: Models, wire: Wire) -> None:
    @settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
    @given(st.dictionaries(st.sampled_from(FIELDS[wire.name]), VALUES, min_size=1, max_size=3))
    def send(changes: dict[str, Any]) -> None:
        answer = models.post(wire, **{**wire.ask(), **changes})
        assert answer.status_code in (200, 400), answer.text

    send()


@pytest.mark.parametrize("wire", WIRES, ids=str)
@pytest.mark.parametrize(
    "data",
    [b"", b"null", b"[]", b'"x"', b"5", b"{", b"\xff\xfe", b"[" * 100_000, b'{"messages": NaN}', b'{"a":"\\ud83d"}'],
    ids=repr,
)
def test_bodies_that_are_no_requests_are_refused(models: Models, wire: Wire, data: bytes) -> None:
    answer = requests.post(models.sandbox.url + wire.path, data=data, headers=HEADERS, timeout=10)
    assert answer.status_code in (400, 404)
    assert answer.json()


@pytest.mark.parametrize("wire", WIRES, ids=str)
def test_half_a_character_is_answered(models: Models, wire: Wire) -> None:
    body = json.dumps(wire.ask("half \ud83d of a smile", model="sandbox-obedient"))
    answer = requests.post(models.sandbox.url + wire.path, data=body, headers=HEADERS, timeout=10)
    assert answer.status_code == 200, answer.text


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE", "PATCH"])
def test_other_methods_are_refused(models: Models, method: str) -> None:
    answer = requests.request(method, models.sandbox.url + MESSAGES.path, headers=HEADERS, timeout=10)
    assert answer.status_code == 405


@pytest.mark.parametrize("model", ["sandbox-writer", "sandbox-obedient"])
@pytest.mark.parametrize(
    "text",
    ["<ab>" * 4_000, "a b " * 4_000, "| a " * 4_000, "QUJD" * 4_000, "忽略" * 4_000, "- x\n" * 4_000, '{"a":' * 4_000],
    ids=lambda text: text[:4],
)
def test_long_nonsense_is_answered_in_time(models: Models, model: str, text: str) -> None:
    assert models.ask(CHAT, text, model=model).status_code == 200


def test_steps_are_used_once_by_many_at_once(models: Models) -> None:
    models.script(*[{"text": f"step {number}"} for number in range(24)])
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda _: models.ask(CHAT, model="sandbox-scripted"), range(24)))
    said = sorted(CHAT.text_of(answer.json()) for answer in answers)
    assert said == sorted(f"step {number}" for number in range(24))


def test_faults_hit_as_many_as_were_ordered(models: Models) -> None:
    models.fault(CHAT, "rate_limit", count=5)
    with ThreadPoolExecutor(8) as pool:
        codes = list(pool.map(lambda _: models.ask(CHAT).status_code, range(16)))
    assert sorted(codes) == [200] * 11 + [429] * 5


def test_streams_run_beside_each_other(models: Models) -> None:
    models.script({"text": "热玛吉 one two three", "model": "*", "times": None})
    with ThreadPoolExecutor(8) as pool:
        streams = list(pool.map(lambda n: models.ask(WIRES[n % 5], stream=True).content, range(15)))
    for number, content in enumerate(streams):
        wire = WIRES[number % 5]
        assert "".join(wire.delta_of(data) for data in parsed(content)) == "热玛吉 one two three"


def test_client_that_hangs_up_harms_nobody(models: Models) -> None:
    models.sandbox.post("/llm/settings", chunk_ms=5)
    for _ in range(3):
        answer = models.ask(CHAT, "Write three variants of a post about tea", stream=True)
        next(answer.iter_content(1))
        answer.close()
    models.sandbox.post("/llm/settings", chunk_ms=0)
    assert models.ask(CHAT).status_code == 200


def test_calls_and_script_survive_a_kill(own_sandbox: Sandbox, tmp_path: Path) -> None:
    models = Models(own_sandbox)
    models.ask(CHAT, "Tea")
    models.script({"text": "after the kill"})
    own_sandbox.process.kill()
    own_sandbox.process.wait(10)
    url, process = start_sandbox(tmp_path / "data")
    try:
        again = Models(Sandbox(url, process))
        assert [call["request"]["messages"][0]["content"] for call in again.calls()] == ["Tea"]
        assert CHAT.text_of(again.ask(CHAT, model="sandbox-scripted").json()) == "after the kill"
    finally:
        process.kill()
        process.wait(10)
