"""The scripted model, and what the admin door shows of the calls."""

import json
import time
from typing import Any

import pytest
import requests

from tests.sandbox.cast import Sandbox
from tests.sandbox.llm_cast import CHAT, MESSAGES, RESPONSES, WIRES, Models, Wire, error_of

OFFERED = [{"name": "publish", "schema": {"type": "object", "properties": {"text": {"type": "string"}}}}]


def scripted(models: Models, wire: Wire = CHAT, text: str = "Hello there", **more: Any) -> requests.Response:
    return models.ask(wire, text, model="sandbox-scripted", **more)


@pytest.mark.parametrize("wire", WIRES, ids=str)
def test_steps_are_said_in_their_order_and_used_up(models: Models, wire: Wire) -> None:
    models.script(
        {"text": "first"}, {"json": {"second": "再来"}}, {"calls": [{"name": "publish", "args": {"text": "third"}}]}
    )
    assert wire.text_of(scripted(models, wire).json()) == "first"
    assert json.loads(wire.text_of(scripted(models, wire).json())) == {"second": "再来"}
    ((name, arguments),) = wire.calls_of(scripted(models, wire, tools=OFFERED).json())
    assert name == "publish"
    assert (arguments if isinstance(arguments, dict) else json.loads(arguments)) == {"text": "third"}
    assert models.sandbox.get("/llm/script")["remaining"] == []


@pytest.mark.parametrize("wire", WIRES, ids=str)
def test_without_a_step_the_model_refuses_loudly(models: Models, wire: Wire) -> None:
    answer = scripted(models, wire)
    assert answer.status_code == 400
    assert "no step of the script is left" in error_of(answer)["message"]


def test_leftovers_are_shown(models: Models) -> None:
    models.script({"text": "one"}, {"text": "two", "times": 2})
    scripted(models)
    shown = models.sandbox.get("/llm/script")
    assert [step["text"] for step in shown["remaining"]] == ["two"]
    assert shown["used"] == 1


def test_step_for_ever_is_never_left_over(models: Models) -> None:
    models.script({"text": "always", "times": None})
    assert {CHAT.text_of(scripted(models).json()) for _ in range(3)} == {"always"}
    shown = models.sandbox.get("/llm/script")
    assert (shown["remaining"], shown["used"]) == ([], 3)


def test_cleared_script_is_empty(models: Models) -> None:
    models.script({"text": "one"})
    requests.delete(f"{models.sandbox.url}/_sandbox/llm/script", timeout=10).raise_for_status()
    assert scripted(models).status_code == 400


MATCHES: list[tuple[dict[str, Any], dict[str, Any], dict[str, Any]]] = [
    ({"match": {"contains": "parcel"}}, {"text": "Where is my parcel?"}, {"text": "Hello"}),
    ({"match": {"last_contains": "parcel"}}, {"text": "parcel"}, {"text": "letter"}),
    ({"match": {"regex": "par(cel|ty)$"}}, {"text": "a party"}, {"text": "party on"}),
    ({"match": {"tool": "publish"}}, {"text": "x", "tools": OFFERED}, {"text": "x"}),
    ({"match": {"wire_stream": False}}, {"text": "x"}, {"text": "x", "stream": True}),
    ({"key": "sk-a"}, {"text": "x", "key": "sk-a"}, {"text": "x", "key": "sk-b"}),
]


@pytest.mark.parametrize(("step", "hit", "miss"), MATCHES, ids=str)
def test_step_waits_for_its_call(models: Models, step: Any, hit: Any, miss: Any) -> None:
    models.script({"text": "matched", **step})
    assert scripted(models, **miss).status_code == 400
    assert CHAT.text_of(scripted(models, **hit).json()) == "matched"


def test_step_may_wait_for_a_system_prompt_and_a_field(models: Models) -> None:
    models.script({"json": {"text": "hit"}, "match": {"system_contains": "strategist", "field": "text"}, "model": "*"})
    schema = {"type": "object", "properties": {"text": {"type": "string"}}, "additionalProperties": False}
    wanted = {"format": {"type": "json_schema", "schema": schema}}
    plain = models.ask(MESSAGES, system="You are a strategist").json()
    assert MESSAGES.text_of(plain) != '{"text": "hit"}'
    hit = models.ask(MESSAGES, system="You are a strategist", output_config=wanted).json()
    assert MESSAGES.text_of(hit) == '{"text": "hit"}'


def test_step_may_speak_for_any_or_one_model(models: Models) -> None:
    models.script({"text": "for luna", "model": "gpt-6-luna"}, {"text": "for all", "model": "*"})
    assert CHAT.text_of(models.ask(CHAT, model="gpt-6-sol").json()) == "for all"
    assert CHAT.text_of(models.ask(CHAT, model="gpt-6-luna").json()) == "for luna"


def test_step_may_say_what_it_took(models: Models) -> None:
    models.script({"text": "x", "usage": {"input": 50, "cached": 40, "output": 7, "reasoning": 3}})
    usage = scripted(models, RESPONSES).json()["usage"]
    assert usage == {
        "input_tokens": 50,
        "input_tokens_details": {"cached_tokens": 40, "cache_write_tokens": 0},
        "output_tokens": 7,
        "output_tokens_details": {"reasoning_tokens": 3},
        "total_tokens": 57,
    }


def test_arguments_may_be_raw_and_ids_chosen(models: Models) -> None:
    models.script({"calls": [{"name": "publish", "args": "{broken", "id": "call_same"}] * 2})
    calls = scripted(models, tools=OFFERED).json()["choices"][0]["message"]["tool_calls"]
    assert [(call["id"], call["function"]["arguments"]) for call in calls] == [("call_same", "{broken")] * 2


@pytest.mark.parametrize(
    ("order", "words"),
    [
        ({"steps": "x"}, "steps is a list"),
        ({"steps": ["x"]}, "a step is an object"),
        ({"steps": [{}]}, "a step says one of"),
        ({"steps": [{"txt": "x"}]}, "a step has no txt"),
        ({"steps": [{"text": "x", "match": {"conatins": "y"}}]}, "match has"),
        ({"steps": [{"text": "x", "match": {"regex": "("}}]}, "unterminated"),
        ({"steps": [{"text": "x", "stop": "later"}]}, "stop is one of"),
        ({"steps": [{"text": "x", "times": 0}]}, "times is"),
        ({"steps": [{"text": "x", "usage": {"inputs": 1}}]}, "inputs"),
    ],
)
def test_senseless_steps_are_refused(sandbox: Sandbox, order: dict[str, Any], words: str) -> None:
    answer = requests.post(f"{sandbox.url}/_sandbox/llm/script", json=order, timeout=10)
    assert answer.status_code == 400
    assert words in answer.json()["error"]
    assert sandbox.get("/llm/script")["steps"] == []


def test_call_is_recorded_with_what_was_sent(models: Models) -> None:
    headers = {"X-Attempt": "2", "Idempotency-Key": "run-1"}
    models.post(CHAT, "sk-x", headers, **CHAT.ask("Promote our tea", tools=OFFERED))
    (call,) = models.calls()
    assert (call["key"], call["attempt"], call["idempotency_key"]) == ("sk-x", 2, "run-1")
    assert (call["provider"], call["route"]) == ("openai", "POST /chat/completions")
    assert (call["model"], call["behaviour"]) == ("sandbox-writer", "sandbox-writer")
    assert call["tools"] == ["publish"]
    assert call["request"]["messages"] == [{"role": "user", "content": "Promote our tea"}]
    assert call["answer"]["text"]
    assert call["input_tokens"] > 0
    assert call["output_tokens"] > 0
    (entry,) = models.sandbox.ledger(effect="completion")
    assert (entry["effect_id"], entry["account"], entry["text"]) == (call["answer_id"], "sk-x", call["answer"]["text"])


def test_refused_call_is_recorded_without_an_answer(models: Models) -> None:
    models.post(CHAT, nonsense=True)
    (call,) = models.calls()
    assert (call["request"], call["answer"], call["answer_id"]) == ({"nonsense": True}, None, None)


def test_calls_are_found_by_model_key_and_place(models: Models) -> None:
    models.ask(CHAT, key="sk-a", model="gpt-6-luna")
    models.ask(CHAT, key="sk-b", model="gpt-6-sol")
    first, second = models.calls()
    assert models.calls(key="sk-a") == [first]
    assert models.calls(model="gpt-6-sol") == [second]
    assert models.calls(since=first["id"]) == [second]
    assert models.calls(limit=1) == [first]


def test_same_prompt_has_the_same_hash_on_every_attempt(models: Models) -> None:
    models.ask(CHAT, "Tea")
    models.ask(CHAT, "Tea")
    models.ask(CHAT, "Coffee")
    first, again, other = (call["prompt_sha"] for call in models.calls())
    assert first == again != other


def test_every_answer_has_its_own_id(models: Models) -> None:
    ids = {models.ask(wire, "Tea").json()["id"] for wire in WIRES for _ in range(2)}
    assert len(ids) == 2 * len(WIRES)


def test_behaviour_may_be_forced_on_every_real_model(models: Models) -> None:
    models.sandbox.post("/llm/settings", behaviour="sandbox-obedient")
    models.ask(CHAT, model="gpt-6-luna")
    models.ask(CHAT, model="sandbox-chaos")
    assert [call["behaviour"] for call in models.calls()] == ["sandbox-obedient", "sandbox-chaos"]
    models.sandbox.post("/llm/settings", behaviour=None)
    models.ask(CHAT, model="gpt-6-luna")
    assert models.calls()[-1]["behaviour"] == "sandbox-writer"


@pytest.mark.parametrize(
    "wrong", [{"behaviour": "sandbox-genius"}, {"chunk_ms": -1}, {"chunk_ms": "slow"}, {"pace": 1}]
)
def test_senseless_settings_are_refused(sandbox: Sandbox, wrong: dict[str, Any]) -> None:
    assert requests.post(f"{sandbox.url}/_sandbox/llm/settings", json=wrong, timeout=10).status_code == 400


def test_pieces_come_one_by_one(models: Models) -> None:
    models.sandbox.post("/llm/settings", chunk_ms=20)
    models.script({"text": "one two three four five", "model": "*"})
    started = time.monotonic()
    arrivals = [time.monotonic() - started for piece in models.ask(CHAT, stream=True).iter_content(None) if piece]
    assert len(arrivals) >= 6
    assert arrivals[-1] >= 0.08


def test_reset_forgets_script_calls_and_settings(models: Models) -> None:
    models.script({"text": "x"})
    models.ask(CHAT)
    models.sandbox.post("/llm/settings", chunk_ms=5)
    models.sandbox.post("/reset")
    assert models.sandbox.get("/llm/script")["steps"] == []
    assert models.calls() == []
    assert models.sandbox.get("/llm/settings")["chunk_ms"] == 0


def test_page_shows_recent_calls(models: Models) -> None:
    page = requests.get(f"{models.sandbox.url}/llm", timeout=10)
    assert page.status_code == 200
    assert "No model has been asked yet" in page.text
    models.ask(CHAT, "<b>Promote</b> our tea", model="gpt-6-luna")
    page = requests.get(f"{models.sandbox.url}/llm", timeout=10)
    (call,) = models.calls()
    assert all(shown in page.text for shown in ("gpt-6-luna", call["prompt_sha"][:12], "/llm/calls/1"))


def test_page_of_a_call_shows_request_and_answer_escaped(models: Models) -> None:
    models.script({"text": "<i>said</i>", "calls": [{"name": "publish", "args": {"text": "<u>"}}], "model": "*"})
    models.ask(CHAT, "<b>Promote</b> our tea", tools=OFFERED)
    page = requests.get(f"{models.sandbox.url}/llm/calls/1", timeout=10).text
    assert "&lt;b&gt;Promote&lt;/b&gt;" in page
    assert "&lt;i&gt;said&lt;/i&gt;" in page
    assert "publish(" in page
    assert "<b>Promote" not in page


@pytest.mark.parametrize("number", ["2", "x", "9" * 30])
def test_page_of_no_call_is_missing(sandbox: Sandbox, number: str) -> None:
    assert requests.get(f"{sandbox.url}/llm/calls/{number}", timeout=10).status_code == 404


def test_front_page_leads_to_the_models(sandbox: Sandbox) -> None:
    assert 'href="/llm"' in requests.get(f"{sandbox.url}/", timeout=10).text
