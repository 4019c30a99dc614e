"""/v1/messages: the shapes of Anthropic and OpenAI, over our own port."""

import json

import pytest

from accounts.models import UsageEntry, Workspace
from accounts.scope import workspace_scope
from agents.budgets import change_settings
from agents.models import ModelCall

pytestmark = pytest.mark.django_db(transaction=True)
HELLO = [{"role": "user", "content": "A post about our autumn roast"}]
SCHEMA = {
    "type": "object",
    "properties": {"title": {"type": "string"}, "stars": {"type": "integer"}},
    "required": ["title", "stars"],
    "additionalProperties": False,
}


@pytest.fixture
def bob_api(api, bob, sandbox):
    return api(bob)


def ask(caller, **changes):
    return caller.post("/v1/messages", {"messages": HELLO} | changes, format="json")


def ledger(workspace: Workspace) -> list[ModelCall]:
    with workspace_scope(workspace.pk):
        return list(ModelCall.objects.all())


def test_answer_has_the_shape_of_anthropic_and_is_paid_for(bob_api, workspace):
    answer = ask(bob_api, model="writer", system="Write one short post.", max_tokens=300)
    assert answer.status_code == 200
    assert (answer.data["type"], answer.data["role"], answer.data["stop_reason"]) == (
        "message",
        "assistant",
        "end_turn",
    )
    assert answer.data["content"][0]["text"]
    assert answer.data["sandbox"] is True
    [call] = ledger(workspace)
    used = answer.data["usage"]
    assert (call.cost_micro, call.output_tokens) == (used["cost_micro"], used["output_tokens"])


def test_blocks_of_text_are_taken_like_a_text(bob_api):
    blocks = [{"type": "text", "text": "A post"}, {"type": "text", "text": "about tea"}]
    assert ask(bob_api, messages=[{"role": "user", "content": blocks}]).status_code == 200


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"messages": []}, "messages"),
        ({"messages": "hello"}, "messages"),
        ({"messages": [{"role": "system", "content": "x"}]}, "messages"),
        ({"messages": [{"role": "user", "content": 7}]}, "messages"),
        ({"messages": [{"role": "user", "content": [{"type": "image"}]}]}, "messages"),
        ({"messages": [{"role": "assistant", "content": "x"}]}, "messages"),
        ({"messages": [{"role": "user", "content": "x" * 200_001}]}, "messages"),
        ({"max_tokens": 0}, "max_tokens"),
        ({"max_tokens": 10**9}, "max_tokens"),
        ({"stream": "perhaps"}, "stream"),
    ],
)
def test_bad_requests_cost_nothing(bob_api, workspace, changes, field):
    answer = ask(bob_api, **changes)
    assert (answer.status_code, list(answer.data["errors"])) == (400, [field])
    assert ledger(workspace) == []


def test_unknown_model_is_named_as_such(bob_api):
    answer = ask(bob_api, model="gpt-2")
    assert (answer.status_code, list(answer.data["errors"])) == (400, ["model"])


def test_viewer_cannot_spend(api, vic, sandbox):
    assert ask(api(vic)).status_code == 403


def test_budget_is_told_and_holds(bob_api, alice_actor, workspace):
    with workspace_scope(workspace.pk):
        change_settings(by=alice_actor, monthly_cap_micro=1_000_000)
    left = int(ask(bob_api).headers["X-Budget-Remaining"])
    [call] = ledger(workspace)
    assert left == 1_000_000 - call.cost_micro
    with workspace_scope(workspace.pk):
        change_settings(by=alice_actor, monthly_cap_micro=call.cost_micro)
    refused = ask(bob_api)
    assert (refused.status_code, refused.data["code"]) == (402, "over_budget")
    with workspace_scope(workspace.pk):
        assert UsageEntry.objects.filter(status="reserved").count() == 0


def test_stream_has_the_events_of_anthropic(bob_api, workspace):
    answer = ask(bob_api, stream=True)
    assert answer.headers["Content-Type"] == "text/event-stream"
    told = [
        json.loads(line.removeprefix("data: "))
        for line in b"".join(answer.streaming_content).decode().splitlines()
        if line.startswith("data: ")
    ]
    kinds = [one["type"] for one in told if one["type"] != "ping"]
    assert kinds[:2] == ["message_start", "content_block_start"]
    assert kinds[-3:] == ["content_block_stop", "message_delta", "message_stop"]
    assert "".join(one["delta"]["text"] for one in told if one["type"] == "content_block_delta")
    [call] = ledger(workspace)
    assert told[-2]["usage"]["output_tokens"] == call.output_tokens


def test_stream_that_fails_says_so_as_its_last_event(bob_api, alice_actor, workspace):
    with workspace_scope(workspace.pk):
        change_settings(by=alice_actor, monthly_cap_micro=1)
    last = b"".join(ask(bob_api, stream=True).streaming_content).decode().strip().splitlines()[-1]
    assert json.loads(last.removeprefix("data: "))["error"]["type"] == "over_budget"


# --- OpenAI's shape ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "said",
    [
        "A post about tea",
        [{"role": "user", "content": "A post about tea"}],
        [{"role": "user", "content": [{"type": "input_text", "text": "A post about tea"}]}],
    ],
)
def test_answer_has_the_shape_of_openai(bob_api, said):
    answer = bob_api.post("/v1/messages/responses", {"input": said, "instructions": "Be short."}, format="json")
    assert answer.status_code == 200
    assert (answer.data["object"], answer.data["status"]) == ("response", "completed")
    assert answer.data["output"][0]["content"][0]["text"] == answer.data["output_text"]
    used = answer.data["usage"]
    assert used["total_tokens"] == used["input_tokens"] + used["output_tokens"]


def structured(caller, **changes):
    body = {"input": "Rate our autumn roast", "schema": SCHEMA} | changes
    return caller.post("/v1/messages/responses/structured", body, format="json")


def test_structured_answer_fits_the_schema(bob_api):
    answer = structured(bob_api)
    assert answer.status_code == 200, answer.data
    assert set(answer.data["output_parsed"]) == {"title", "stars"}
    assert isinstance(answer.data["output_parsed"]["stars"], int)


@pytest.mark.parametrize(
    "schema", ["text", {"type": "nothing"}, {"properties": 3}, {"description": "x" * 30_000}, None]
)
def test_what_is_no_schema_is_refused(bob_api, workspace, schema):
    assert structured(bob_api, schema=schema).status_code == 400
    assert ledger(workspace) == []


def test_model_that_misses_the_schema_twice_is_a_violation(bob_api, sandbox, workspace):
    steps = [{"text": "no json at all"}, {"text": "still not"}]
    sandbox.post("/llm/script", steps=steps)
    answer = structured(bob_api, model="sandbox-scripted")
    assert (answer.status_code, answer.data["code"]) == (422, "schema_violation")
    assert len(ledger(workspace)) == 2
