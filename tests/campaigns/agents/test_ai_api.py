"""/api/ai and /api/plans: what integrators get, how long they wait, and what they are told when it fails."""

import threading
from collections.abc import Callable, Iterator

import pytest
from django.db import connection

from accounts.scope import workspace_scope
from agents.models import Run
from agents.runs.worker import advance, claim_due
from campaigns import audience
from campaigns.models import Conversation, Plan, PlanLine, Post
from campaigns.slots import add_slot
from campaigns.timing import NEEDED, timing_facts
from compliance.contacts import create_contact
from tests.campaigns.agents.test_campaign_workflow import written
from tests.campaigns.agents.test_plan_lines import line, proposal  # noqa: F401 fixtures
from tests.campaigns.cast import add_connection, add_post, mark_published

GENERATE, AUDIENCE, TIMING = "/api/ai/generate-content", "/api/ai/analyze-audience", "/api/ai/optimize-timing"
BRIEF = "Our decaf is back from Monday"


@pytest.fixture
def later(in_workspace, run_to_end) -> Callable:
    """Answers 202 at once; then a worker comes, and the address that was told is asked."""

    def ask(client, path: str, **body):
        accepted = client.post(path, body | {"wait": 0}, format="json")
        assert accepted.status_code == 202, accepted.content
        run_to_end(accepted.json()["run_id"])
        return client.get(accepted.headers["Location"])

    return ask


def test_drafts_come_with_verdict_findings_origin_and_cost(sandbox, brand, api, bob, later):
    body = later(api(bob), GENERATE, brief=BRIEF, network="x", language="zh", count=2).json()
    assert body["status"] == "succeeded"
    assert len(body["drafts"]) == 2
    for draft in body["drafts"]:
        assert draft["verdict"] == "allow"
        assert draft["problems"] == draft["findings"] == []
        assert draft["origin"]["model"] == "sandbox-writer"
        assert draft["origin"]["run_id"] == body["run_id"]
    assert sum(draft["origin"]["cost_micro"] for draft in body["drafts"]) == body["cost_micro"] > 0


def test_what_is_forbidden_is_answered_with_its_rule(sandbox, in_workspace, api, bob, later, script):
    bad = written("Write to my private number 13812345678.")
    script(bad, bad)
    [draft] = later(api(bob), GENERATE, topic=BRIEF, network="telegram").json()["drafts"]
    assert draft["verdict"] == "block"
    assert draft["findings"][0]["rule"].startswith("PII")
    assert "13812345678" in draft["text"][draft["findings"][0]["start"] : draft["findings"][0]["end"]]


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "brief"),
        ({"brief": "a", "topic": "b"}, "brief"),
        ({"brief": BRIEF, "network": "myspace"}, "network"),
        ({"brief": BRIEF, "language": "xx"}, "language"),
        ({"brief": BRIEF, "count": 9}, "count"),
        ({"brief": BRIEF, "wait": 31}, "wait"),
        ({"brief": BRIEF, "connection": "018f0000-0000-7000-8000-000000000000"}, "connection"),
        ({"brief": BRIEF, "campaign": "018f0000-0000-7000-8000-000000000000"}, "campaign"),
        ({"brief": ["deep"]}, "brief"),
    ],
)
def test_wrong_input_is_told_by_field_and_starts_nothing(in_workspace, api, bob, body, field):
    answer = api(bob).post(GENERATE, body, format="json")
    assert answer.status_code == 400
    assert field in answer.json()["errors"]
    assert not Run.objects.exists()


@pytest.mark.parametrize(
    ("status", "error", "expected"),
    [
        ("over_budget", {"code": "over_budget", "message": "No."}, 402),
        ("failed", {"code": "refused", "message": "Declined."}, 422),
        ("failed", {"code": "overloaded", "message": "Busy."}, 503),
        ("timed_out", {"code": "timed_out", "message": "Late."}, 503),
        ("canceled", None, 503),
    ],
)
def test_end_without_a_result_is_a_problem(sandbox, in_workspace, api, bob, status, error, expected):
    client = api(bob)
    accepted = client.post(GENERATE, {"brief": BRIEF, "wait": 0}, format="json")
    Run.objects.update(status=status, error=error)
    answer = client.get(accepted.headers["Location"])
    assert (answer.status_code, answer.headers["Content-Type"]) == (expected, "application/problem+json")
    assert answer.json()["code"] == (error or {}).get("code", status)


def test_run_is_its_askers_own(sandbox, in_workspace, api, alice, bob, rita):
    path = api(bob).post(GENERATE, {"brief": BRIEF, "wait": 0}, format="json").headers["Location"]
    assert [api(who).get(path).status_code for who in (bob, alice, rita)] == [200, 404, 404]
    assert api().get(path).status_code == 401


@pytest.mark.parametrize("who", ["rita", "vic", "gwen"])
@pytest.mark.parametrize("path", [GENERATE, AUDIENCE])
def test_only_editors_spend_money(in_workspace, api, request, who, path):
    answer = api(request.getfixturevalue(who)).post(path, {"brief": BRIEF}, format="json")
    assert answer.status_code == 403
    assert not Run.objects.exists()


# --- waiting ----------------------------------------------------------------------------------------------


@pytest.fixture
def worker(transactional_db) -> Iterator[None]:
    """Beside the request, as in production."""
    done = threading.Event()

    def work() -> None:
        while not done.wait(0.05):
            Run.objects.none()
            for run_id in queued():
                advance(run_id)
        connection.close()

    thread = threading.Thread(target=work)
    thread.start()
    yield
    done.set()
    thread.join(120)


def queued() -> list:
    from accounts.scope import all_workspaces_scope

    claim_due(0)
    with all_workspaces_scope("a worker of the tests"):
        return list(Run.objects.filter(status="queued").values_list("pk", flat=True))


@pytest.mark.django_db(transaction=True)
def test_caller_who_waits_gets_the_result_at_once(sandbox, workspace, bob, api, worker):
    answer = api(bob).post(GENERATE, {"brief": BRIEF, "network": "x"}, format="json")
    assert answer.status_code == 200
    assert answer.json()["drafts"][0]["text"]
    with workspace_scope(workspace.pk):
        assert Run.objects.get().status == "succeeded"


# --- audience and timing ----------------------------------------------------------------------------------


def test_too_little_is_said_and_costs_nothing(sandbox, in_workspace, api, bob, later):
    body = later(api(bob), AUDIENCE).json()
    assert (body["is_enough"], body["groups"], body["cost_micro"]) == (False, [], 0)
    assert body["summary"].startswith("There is too little")
    assert len(body["missing"]) == 3
    assert sandbox.get("/llm/calls")["calls"] == []


def test_enough_conversations_are_described_by_their_numbers_alone(sandbox, roastery, api, bob, later):
    for n in range(30):
        Conversation.objects.create(
            workspace=roastery.workspace,
            connection=roastery,
            kind="mention",
            remote_id=str(n),
            author_id=str(n),
            author_name="Ms Secret",
            intent="question" if n % 2 else "praise",
            sentiment=0.5,
        )
    body = later(api(bob), AUDIENCE, question="What do they want?").json()
    assert body["is_enough"] is True
    assert body["facts"]["inbox"]["intents"] == {"praise": 15, "question": 15}
    assert body["facts"]["inbox"]["positive"] == 30
    assert body["summary"]
    assert "Ms Secret" not in str(sandbox.get("/llm/calls"))


def test_audience_counts_what_is_this_workspaces(roastery, bob_actor, other_workspace):
    post = add_post(bob_actor, roastery, language="de", tags=("Beans",))
    mark_published(post)
    create_contact(by=bob_actor, name="Mei", email="mei@example.org", language="zh")
    with workspace_scope(other_workspace.pk):
        add_connection(other_workspace, "bakery", followers=9)
    facts = audience.audience_facts(roastery.workspace)
    assert facts["counts"] == {"published": 1, "conversations": 0, "contacts": 1}
    assert facts["posts"] == {"networks": {"x": 1}, "languages": {"de": 1}, "tags": {"beans": 1}}
    assert facts["contacts"] == {"languages": {"zh": 1}}
    assert [row["account"] for row in facts["accounts"]] == ["@roastery"]


def test_timing_says_how_many_posts_it_has_and_needs(sandbox, roastery, bob_actor, api, vic, later):
    mark_published(add_post(bob_actor, roastery))
    body = later(api(vic), TIMING, count=3).json()
    assert (body["published"], body["measured"], body["needed"], body["is_enough"]) == (1, 0, NEEDED, False)
    assert "1 posts were published and 0 of them are measured" in body["why"]
    [account] = body["accounts"]
    assert (account["basis"], len(account["times"])) == ("defaults", 3)
    assert body["cost_micro"] == 0


def test_timing_prefers_the_accounts_own_slots(roastery, alice_actor):
    from datetime import time

    add_slot(roastery, by=alice_actor, weekdays=[2], at=time(7, 5), time_zone="Europe/Berlin")
    [account] = timing_facts(roastery.workspace, roastery, 4)["accounts"]
    assert account["basis"] == "slots"
    assert {one["local"][:3] + one["local"][-5:] for one in account["times"]} == {"Wed07:05"}


# --- plans ------------------------------------------------------------------------------------------------


def test_proposal_over_the_api_from_sentence_to_review(sandbox, roastery, api, bob, run_to_end):
    client = api(bob)
    body = {"brief": BRIEF, "connections": [str(roastery.pk)], "languages": ["en"]}
    made = client.post("/api/plans", body, format="json").json()
    assert (made["status"], made["lines"]) == ("working", [])
    run_to_end(made["run_id"])
    plan = client.get(f"/api/plans/{made['id']}").json()
    [row] = plan["lines"]
    assert (plan["status"], row["status"]) == ("ready", "proposed")
    assert plan["cost_micro"] == sum(Run.objects.get().steps.values_list("cost_micro", flat=True)) > 0
    changed = client.patch(f"/api/plans/{plan['id']}/lines/{row['id']}", {"text": "Mine."}, format="json").json()
    assert changed["text"] == "Mine."
    accepted = client.post(f"/api/plans/{plan['id']}/lines/{row['id']}/accept").json()
    assert accepted["status"] == "accepted"
    assert Post.objects.get().deliveries.get().state == "in_review"
    assert [one["id"] for one in client.get("/api/plans").json()["results"]] == [plan["id"]]


def test_line_that_cannot_be_accepted_is_a_problem_and_stays(line, api, bob):  # noqa: F811
    PlanLine.objects.filter(pk=line.pk).update(text="x" * 290)
    answer = api(bob).post(f"/api/plans/{line.plan_id}/lines/{line.pk}/accept")
    assert answer.status_code == 400
    assert "10 over the limit" in str(answer.json())
    assert PlanLine.objects.get(pk=line.pk).status == "proposed"


def test_decided_line_answers_conflict(line, api, bob):  # noqa: F811
    client = api(bob)
    path = f"/api/plans/{line.plan_id}/lines/{line.pk}"
    assert client.post(f"{path}/reject").json()["status"] == "rejected"
    assert client.post(f"{path}/accept").status_code == 409
    assert client.post(f"{path}/restore").json()["status"] == "proposed"


def test_line_of_another_plan_is_missing(line, api, bob):  # noqa: F811
    other = Plan.objects.create(workspace=line.workspace, brief="Other")
    assert api(bob).post(f"/api/plans/{other.pk}/lines/{line.pk}/accept").status_code == 404
