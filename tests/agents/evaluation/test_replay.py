"""A prompt tried on recorded runs before it goes into use."""

import pytest
from django.urls import reverse

from accounts.models import Workspace
from accounts.scope import workspace_scope
from agents.evaluation.replay import queued_replays, start_replay, take_replay
from agents.llm.types import Ask, Said
from agents.models import Assistant, Effect, ModelCall, Replay, Run, Step
from agents.prompts.assistants import create_assistant, update_assistant
from agents.prompts.labels import set_label
from agents.prompts.versions import PromptDraft, newest
from agents.runs.flow import Flow
from agents.runs.services import start_run
from agents.runs.worker import advance
from agents.workflows.registry import WORKFLOWS, Workflow, register

pytestmark = pytest.mark.django_db
BODY = "Write one line about what you are given, for {{who}}."


def headline(flow: Flow) -> dict:
    system = flow.prompt("headlines", who="cyclists")
    answer = flow.ask("write", Ask(role="writer", system=system, messages=(Said("user", flow.input["brief"]),)))
    flow.act("keep", tool="keep_line", args={"text": answer["text"]}, do=lambda: {"kept": True})
    return {"text": answer["text"]}


@pytest.fixture
def assistant(alice_actor, in_workspace: Workspace) -> Assistant:
    made = create_assistant(
        by=alice_actor, draft=PromptDraft(body=BODY), key="headlines", name="Headlines", workflow="chat"
    )
    set_label(made, "production", newest(made).number, by=alice_actor)
    return made


@pytest.fixture
def recorded(bob_actor, assistant, sandbox):
    """Two runs that used the assistant's first prompt."""
    before = dict(WORKFLOWS)
    register(Workflow("headline", "Headline", headline))
    for brief in ("Bells", "Locks"):
        advance(start_run("headline", {"brief": brief}, by=bob_actor).pk)
    yield list(Run.objects.order_by("created_at"))
    WORKFLOWS.clear()
    WORKFLOWS.update(before)


def replay(assistant: Assistant, by, body: str, **fields) -> list[dict]:
    update_assistant(assistant, by=by, prompt={"body": body})
    row = start_replay(assistant, newest(assistant), by=by, **fields)
    take_replay(assistant.workspace_id, row.pk)
    row.refresh_from_db()
    assert row.status == "done"
    return row.results


def test_recorded_runs_ended_well(recorded):
    assert [run.status for run in recorded] == ["succeeded", "succeeded"]


def test_same_words_change_nothing_and_ask_nobody(alice_actor, assistant, recorded, workspace):
    before = ModelCall.objects.count()
    row = start_replay(assistant, newest(assistant), by=alice_actor)
    take_replay(workspace.pk, row.pk)
    row.refresh_from_db()
    assert [(one["is_changed"], one["missing"], one["error"]) for one in row.results] == [(False, "", "")] * 2
    assert [one["after"] for one in row.results] == [one["before"] for one in row.results]
    assert ModelCall.objects.count() == before


def test_changed_words_are_listed_as_open_and_never_guessed(alice_actor, assistant, recorded):
    results = replay(assistant, alice_actor, "Shout about it, for {{who}}.")
    assert [(one["missing"], one["after"]) for one in results] == [("write", "")] * 2


def test_asked_for_real_the_difference_is_shown_and_paid_for(alice_actor, assistant, recorded, sandbox):
    sandbox.post("/llm/script", steps=[{"model": "*", "text": f"A new line {n}"} for n in (1, 2)])
    results = replay(assistant, alice_actor, "Shout about it, for {{who}}.", is_live=True)
    assert sorted(one["after"] for one in results) == ["A new line 1", "A new line 2"]
    assert all(one["is_changed"] and one["asked"] == ["write"] for one in results)
    paid = ModelCall.objects.filter(step_key="replay")
    assert sum(one["cost_micro"] for one in results) == sum(call.cost_micro for call in paid)


def test_nothing_is_done_or_written_again(alice_actor, assistant, recorded, sandbox):
    counts = Effect.objects.count(), Step.objects.count(), Run.objects.count()
    sandbox.post("/llm/script", steps=[{"model": "*", "text": "Other", "times": 2}])
    replay(assistant, alice_actor, "Shout about it, for {{who}}.", is_live=True)
    assert (Effect.objects.count(), Step.objects.count(), Run.objects.count()) == counts


def test_prompt_that_needs_more_than_there_was_fails_in_the_list(alice_actor, assistant, recorded):
    results = replay(assistant, alice_actor, "For {{who}} in {{town}}.")
    assert all(one["error"] for one in results)


def test_replay_is_played_once(alice_actor, assistant, recorded, workspace):
    row = start_replay(assistant, newest(assistant), by=alice_actor)
    assert queued_replays() == [(workspace.pk, row.pk)]
    take_replay(workspace.pk, row.pk)
    ended = Replay.objects.get().ended_at
    take_replay(workspace.pk, row.pk)
    assert Replay.objects.get().ended_at == ended
    assert queued_replays() == []


# --- its page ---------------------------------------------------------------------------------------------


@pytest.mark.django_db(transaction=True)
def test_page_starts_it_and_shows_what_changes(bob_client, alice_actor, assistant, recorded, workspace):
    with workspace_scope(workspace.pk):
        update_assistant(assistant, by=alice_actor, prompt={"body": "Shout, for {{who}}."})
        number = newest(assistant).number
    page = reverse("agents:replays", args=[assistant.pk, number])
    assert "2 recorded runs" in bob_client.get(page).content.decode()
    started = bob_client.post(reverse("agents:replay-start", args=[assistant.pk, number]), follow=True)
    assert "Playing the runs again" in started.content.decode()
    take_replay(*queued_replays()[0])
    text = bob_client.get(page).content.decode()
    assert text.count("would be asked anew") == 2


def test_viewer_cannot_start_one(vic_client, assistant):
    path = reverse("agents:replay-start", args=[assistant.pk, 1])
    assert vic_client.post(path).status_code == 403
