"""What runs did, as pages."""

import pytest
from django.urls import reverse

from accounts.access import Perm
from accounts.models import Workspace
from accounts.scope import workspace_scope
from agents import threads
from agents.llm.types import Ask, Said
from agents.models import ModelCall, Run, Score, Step
from agents.runs.errors import RunFailed
from agents.runs.flow import Flow
from agents.runs.services import start_run
from agents.runs.webhooks import webhook_secret
from agents.runs.worker import advance
from agents.workflows.registry import WORKFLOWS, Workflow, register
from compliance.privacy import retention
from lib.clock import now

pytestmark = pytest.mark.django_db


def shop(flow: Flow) -> dict:
    ask = Ask(role="writer", system="Write one line.", messages=(Said("user", flow.input["brief"]),))
    answer = flow.ask("write", ask, agent="writer")
    if flow.input.get("breaks"):
        raise RunFailed("broken", "The till is stuck.", is_retryable=True)
    flow.act("note", tool="write_note", args={"text": answer["text"]}, do=lambda: {"kept": True})
    if flow.input.get("asks"):
        flow.approve("go", action="ring_bell", args={"times": 2}, reason="Ring the bell", perm=Perm.REVIEW)
    return {"text": answer["text"]}


@pytest.fixture
def run_shop(bob_actor, workspace, sandbox):
    """Runs it once for bob and says which run that was."""
    before = dict(WORKFLOWS)
    register(Workflow("shop", "Shop", shop))

    def go(brief: str = "Autumn roast", **fields) -> Run:
        run = start_run("shop", {"brief": brief, **fields}, by=bob_actor)
        advance(run.pk)
        with workspace_scope(workspace.pk):
            return Run.objects.get(pk=run.pk)

    yield go
    WORKFLOWS.clear()
    WORKFLOWS.update(before)


def page(client, run: Run | None = None, **query):
    path = reverse("agents:run", args=[run.pk]) if run else reverse("agents:run-list")
    return client.get(path, query).content.decode()


def test_before_anything_ran_the_page_says_how_to_begin(bob_client):
    assert "Nothing has run yet" in page(bob_client)


def test_list_names_what_was_asked_by_whom_and_what_it_cost(bob_client, run_shop):
    run_shop("Autumn roast")
    text = page(bob_client)
    assert "Autumn roast" in text
    assert "bob@example.org" in text
    assert "Succeeded" in text
    assert "$0" in text


@pytest.mark.parametrize(
    ("query", "is_found"),
    [
        ({"q": "autumn"}, True),
        ({"q": "roast AUTUMN"}, True),
        ({"q": "winter"}, False),
        ({"status": "succeeded"}, True),
        ({"status": "failed"}, False),
        ({"status": "'; drop"}, True),
        ({"workflow": "shop"}, True),
        ({"workflow": "chat"}, False),
        ({"person": "not an id"}, True),
        ({"q": "%_\\"}, False),
    ],
)
def test_list_is_searched_and_filtered(bob_client, run_shop, query, is_found):
    run_shop("Autumn roast")
    assert ("Autumn roast" in page(bob_client, **query)) is is_found


def test_page_shows_steps_calls_effects_and_questions(bob_client, run_shop, workspace):
    run = run_shop(asks=True)
    text = page(bob_client, run)
    with workspace_scope(workspace.pk):
        call = ModelCall.objects.get(run_id=run.pk)
        assert [step.key for step in Step.objects.all()] == ["write", "note"]
    for wanted in ("write_note", "Ring the bell", "Waiting for approval", call.model, f"{call.input_tokens} tokens in"):
        assert wanted in text


def test_failed_run_says_why_first_and_goes_on_when_asked(bob_client, run_shop, workspace):
    run = run_shop(breaks=True)
    assert "The till is stuck." in page(bob_client, run)
    bob_client.post(reverse("agents:run-act", args=[run.pk, "resume"]))
    with workspace_scope(workspace.pk):
        assert Run.objects.get().status == "queued"


def test_waiting_run_is_stopped_once(bob_client, run_shop, workspace):
    run = run_shop(asks=True)
    stop = reverse("agents:run-act", args=[run.pk, "stop"])
    assert "Canceled" in bob_client.post(stop, follow=True).content.decode()
    assert "This run has ended already." in bob_client.post(stop, follow=True).content.decode()


def test_thumb_of_a_person_counts_once(bob_client, run_shop, workspace):
    run = run_shop()
    bob_client.post(reverse("agents:run-act", args=[run.pk, "up"]), {"comment": "good"})
    bob_client.post(reverse("agents:run-act", args=[run.pk, "down"]), {"comment": "on second thought"})
    with workspace_scope(workspace.pk):
        assert [(score.value, score.comment) for score in Score.objects.all()] == [(0.0, "on second thought")]
    assert bob_client.post(reverse("agents:run-act", args=[run.pk, "sideways"])).status_code == 404


def test_viewer_looks_and_changes_nothing(vic_client, run_shop):
    run = run_shop(asks=True)
    assert "Ring the bell" in page(vic_client, run)
    assert vic_client.post(reverse("agents:run-act", args=[run.pk, "stop"])).status_code == 403


def test_run_of_another_workspace_answers_like_a_missing_one(charlie_client, run_shop):
    assert charlie_client.get(reverse("agents:run", args=[run_shop().pk])).status_code == 404


def test_run_of_a_conversation_is_seen_by_its_owner_alone(alice_client, bob_client, bob_actor, workspace, sandbox):
    with workspace_scope(workspace.pk):
        run = threads.post_message(threads.create_thread(by=bob_actor), "A secret idea", by=bob_actor)
    assert "A secret idea" in page(bob_client)
    assert "A secret idea" not in page(alice_client)
    assert alice_client.get(reverse("agents:run", args=[run.pk])).status_code == 404


def test_what_went_through_a_run_is_never_markup(bob_client, run_shop):
    assert "<script>alert" not in page(bob_client, run_shop("<script>alert(1)</script>"))


def test_number_of_queries_does_not_grow_with_the_list(bob_client, run_shop, django_assert_num_queries):
    run_shop()
    page(bob_client)
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    with CaptureQueriesContext(connection) as one:
        page(bob_client)
    for _ in range(3):
        run_shop()
    with CaptureQueriesContext(connection) as four:
        page(bob_client)
    assert len(four) == len(one)


def test_old_runs_go_and_what_they_used_stays(run_shop, workspace, settings):
    run = run_shop()
    with workspace_scope(workspace.pk):
        Run.objects.update(ended_at=now().replace(year=now().year - 1))
        cost = ModelCall.objects.get().cost_micro
    retention.sweep()
    with workspace_scope(workspace.pk):
        assert not Run.objects.filter(pk=run.pk).exists()
        assert not Step.objects.exists()
        assert ModelCall.objects.get().cost_micro == cost


# --- budgets ----------------------------------------------------------------------------------------------


def save(client, **changes):
    data = {"monthly": "", "per_run": "", "models": "", **changes}
    return client.post(reverse("agents:budgets-save"), data, follow=True)


def test_budget_page_adds_up_to_the_ledger(alice_client, run_shop, workspace):
    run_shop()
    text = alice_client.get(reverse("agents:budgets")).content.decode()
    assert "Assistants this month" in text
    assert "sandbox-writer" in text


def test_limits_are_kept_and_shown_again(alice_client, workspace):
    saved = save(alice_client, monthly="12.50", per_run="0.000001", models="writer: claude-opus-5-5")
    assert "Saved." in saved.content.decode()
    text = alice_client.get(reverse("agents:budgets")).content.decode()
    assert "the limit is $12.50" in text
    assert "writer: claude-opus-5-5" in text


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"monthly": "-1"}, "greater than or equal to 0"),
        ({"monthly": "much"}, "Enter a number"),
        ({"models": "writer"}, "write a role, a colon"),
        ({"models": "poet: claude-opus-5-5"}, "poet"),
        ({"models": "writer: gpt-2"}, "gpt-2"),
    ],
)
def test_bad_limits_are_explained_and_kept_in_the_form(alice_client, changes, words):
    answer = save(alice_client, **changes)
    assert answer.status_code == 400
    assert words in answer.content.decode()


def test_editor_sees_costs_and_changes_nothing(bob_client, workspace):
    text = bob_client.get(reverse("agents:budgets")).content.decode()
    assert "Your own keys" not in text
    assert save(bob_client).status_code == 403


def test_key_goes_in_and_never_comes_out(alice_client, workspace):
    key = {"provider": "anthropic", "name": "Ours", "secret": "sk-ant-0123456789abcdef0123"}
    text = alice_client.post(reverse("agents:key-add"), key, follow=True).content.decode()
    assert "ends in 0123" in text
    assert key["secret"] not in text


def test_calls_come_as_a_file_without_formulas(alice_client, run_shop):
    run_shop()
    answer = alice_client.get(reverse("agents:budgets-export"))
    lines = answer.content.decode().splitlines()
    assert answer.headers["Content-Type"] == "text/csv; charset=utf-8"
    assert len(lines) == 2
    assert lines[0].startswith("started_at,role,provider,model")


def test_workspaces_do_not_see_each_others_costs(charlie_client, run_shop, other_workspace: Workspace):
    run_shop()
    assert "No model was asked this month" in charlie_client.get(reverse("agents:budgets")).content.decode()


def test_secret_of_webhooks_is_for_admins(alice_client, bob_client, workspace):
    secret = webhook_secret(workspace)
    assert secret in alice_client.get(reverse("agents:budgets")).content.decode()
    assert secret not in bob_client.get(reverse("agents:budgets")).content.decode()
