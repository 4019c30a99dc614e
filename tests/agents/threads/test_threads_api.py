"""/v1/threads over HTTP: conversations, runs in them, streams, and who may answer what."""

import json
import threading
from uuid import UUID

import pytest
from django.db import connection

from accounts.access import Perm
from accounts.models import User, Workspace
from accounts.scope import workspace_scope
from accounts.service_clients import create_client, issue_token, sync_tenant
from agents.models import Effect, Message, Run, Thread
from agents.runs.flow import Flow
from agents.runs.worker import advance
from agents.streaming import Position, run_events
from agents.workflows.registry import WORKFLOWS, Workflow, register
from lib.clock import now

pytestmark = pytest.mark.django_db


@pytest.fixture
def bob_api(api, bob: User):
    return api(bob)


@pytest.fixture
def thread_id(bob_api) -> str:
    return bob_api.post("/v1/threads", {"title": "Autumn"}, format="json").data["id"]


@pytest.fixture
def steps():
    """A workflow of three steps that needs a yes before the last."""

    def run(flow: Flow) -> dict:
        flow.step("one", lambda: {"n": 1})
        args = {"note": flow.input.get("note", "")}
        said = flow.approve("go", action="write_note", args=args, reason="Write a note", perm=Perm.REVIEW)
        if said["answer"] == "rejected":
            return {"written": False}
        return flow.act("write", tool="write_note", args=args, do=lambda: {"written": True}, approval="go")

    before = dict(WORKFLOWS)
    register(Workflow("steps", "Steps", run))
    yield "steps"
    WORKFLOWS.clear()
    WORKFLOWS.update(before)


def start(caller, thread_id: str, **fields):
    body = {"input": {"note": "hi"}, "workflow": "steps"} | fields
    return caller.post(f"/v1/threads/{thread_id}/runs/async", body, format="json")


def address(run: dict, act: str) -> str:
    return f"/v1/threads/{run['thread_id']}/runs/{run['id']}/{act}"


def work(run: dict) -> None:
    advance(UUID(str(run["id"])))


# --- threads ----------------------------------------------------------------------------------------------


def test_thread_is_made_read_renamed_and_deleted(bob_api, thread_id):
    assert bob_api.get(f"/v1/threads/{thread_id}").data["status"] == "idle"
    renamed = bob_api.patch(f"/v1/threads/{thread_id}", {"title": "Winter"}, format="json")
    assert renamed.data["title"] == "Winter"
    assert [row["title"] for row in bob_api.get("/v1/threads").data["results"]] == ["Winter"]
    assert bob_api.delete(f"/v1/threads/{thread_id}").status_code == 204
    assert bob_api.get(f"/v1/threads/{thread_id}").status_code == 404


def test_threads_of_others_answer_like_missing_ones(api, alice, charlie, other_workspace, thread_id):
    missing = f"/v1/threads/{UUID(int=7)}"
    for stranger in (alice, charlie):
        foreign, nothing = api(stranger).get(f"/v1/threads/{thread_id}"), api(stranger).get(missing)
        assert (foreign.status_code, foreign.content) == (404, nothing.content)


def test_viewer_reads_but_starts_nothing(api, vic):
    assert api(vic).get("/v1/threads").status_code == 200
    assert api(vic).post("/v1/threads", {}, format="json").status_code == 403


@pytest.mark.parametrize(
    "body", [{"title": "x" * 300}, {"metadata": []}, {"metadata": {"k": "v" * 600}}, {"expires_in_hours": 0}]
)
def test_bad_threads_are_refused(bob_api, body):
    assert bob_api.post("/v1/threads", body, format="json").status_code == 400


# --- runs -------------------------------------------------------------------------------------------------


def test_run_is_started_and_asked_about(bob_api, thread_id, steps):
    answer = start(bob_api, thread_id)
    assert answer.status_code == 202
    assert answer.headers["Location"] == address(answer.data, "status")
    assert bob_api.get(f"/v1/threads/{thread_id}").data["status"] == "busy"
    work(answer.data)
    status = bob_api.get(answer.headers["Location"]).data
    assert (status["status"], status["steps"], status["waiting_on"][0]["action"]) == ("waiting", 1, "write_note")
    assert bob_api.get(f"/v1/runs/{status['id']}/status").data["status"] == "waiting"


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"input": {}, "message": "both"}, "message"),
        ({"input": "text"}, "input"),
        ({"workflow": "nothing"}, "workflow"),
        ({"multitask_strategy": "chaos"}, "multitask_strategy"),
        ({"webhook": "not an address"}, "webhook"),
        ({"webhook": "ftp://example.org"}, "webhook_url"),
        ({"timeout_s": -1}, "timeout_s"),
    ],
)
def test_bad_runs_are_refused_and_leave_nothing(bob_api, thread_id, steps, body, field):
    answer = start(bob_api, thread_id, **body)
    assert (answer.status_code, list(answer.data["errors"])) == (400, [field])
    with workspace_scope(Workspace.objects.get().pk):
        assert not Run.objects.exists()


def test_same_key_is_the_same_run_and_another_body_is_refused(bob_api, thread_id, steps):
    key = {"HTTP_IDEMPOTENCY_KEY": "k1"}
    body = {"input": {"note": "a"}, "workflow": "steps"}
    path = f"/v1/threads/{thread_id}/runs/async"
    first, second = (bob_api.post(path, body, format="json", **key) for _ in range(2))
    assert first.data["id"] == second.data["id"]
    other = bob_api.post(path, body | {"input": {"note": "b"}}, format="json", **key)
    assert (other.status_code, other.data["code"]) == (409, "key_reused")


def test_busy_thread_refuses_where_the_caller_does_not_want_to_wait(bob_api, thread_id, steps):
    start(bob_api, thread_id)
    answer = start(bob_api, thread_id, multitask_strategy="reject")
    assert (answer.status_code, answer.data["code"]) == (409, "thread_busy")


def test_thread_with_an_open_run_is_not_deleted(bob_api, thread_id, steps):
    run = start(bob_api, thread_id).data
    assert bob_api.delete(f"/v1/threads/{thread_id}").status_code == 400
    assert bob_api.post(address(run, "cancel")).data["status"] == "canceled"
    assert bob_api.delete(f"/v1/threads/{thread_id}").status_code == 204


# --- approval ---------------------------------------------------------------------------------------------


@pytest.fixture
def waiting(bob_api, thread_id, steps) -> dict:
    run = start(bob_api, thread_id).data
    work(run)
    return bob_api.get(address(run, "status")).data


def resume(caller, run: dict, **changes):
    body = {"answer": "approved", "args_sha256": run["waiting_on"][0]["args_sha256"]} | changes
    return caller.post(address(run, "resume"), body, format="json")


def test_reviewer_of_the_thread_approves_and_it_happens_once(api, alice, bob, waiting, workspace):
    with workspace_scope(workspace.pk):
        Thread.objects.update(user=alice)
    answer = resume(api(alice), waiting)
    assert answer.data["status"] == "queued"
    work(waiting)
    assert api(alice).get(address(waiting, "status")).data["output"] == {"written": True}
    again = resume(api(alice), waiting)
    assert (again.status_code, again.data["code"]) == (409, "answered")
    with workspace_scope(workspace.pk):
        assert Effect.objects.count() == 1


def test_editor_cannot_approve(bob_api, waiting):
    assert resume(bob_api, waiting).status_code == 403


def test_key_of_an_owner_cannot_approve(api, alice, waiting, workspace, api_key):
    with workspace_scope(workspace.pk):
        Thread.objects.update(user=alice)
    assert resume(api(api_key()), waiting).status_code == 403
    assert resume(api(alice), waiting).status_code == 200


def test_what_was_not_shown_is_not_approved(api, alice, waiting, workspace):
    with workspace_scope(workspace.pk):
        Thread.objects.update(user=alice)
    assert resume(api(alice), waiting, args_sha256="0" * 64).status_code == 409


def test_rejected_run_goes_on_without_the_effect(api, alice, waiting, workspace):
    with workspace_scope(workspace.pk):
        Thread.objects.update(user=alice)
    resume(api(alice), waiting, answer="rejected")
    work(waiting)
    assert api(alice).get(address(waiting, "status")).data["output"] == {"written": False}
    with workspace_scope(workspace.pk):
        assert not Effect.objects.exists()


# --- integrators ------------------------------------------------------------------------------------------


@pytest.fixture
def tenant(alice, api):
    client, _secret = create_client("Suite", alice)
    sync_tenant(client, "shop-1", 1, {"name": "Shop"})
    caller = api(issue_token(client))
    caller.defaults["HTTP_X_TENANT_ID"] = "shop-1"
    return caller


def test_integrator_works_in_its_tenant(tenant, steps):
    made = tenant.post("/v1/threads", {"title": "From outside"}, format="json")
    assert made.status_code == 201
    run = start(tenant, made.data["id"]).data
    work(run)
    status = tenant.get(address(run, "status")).data
    assert status["status"] == "waiting"
    assert resume(tenant, status).status_code == 403


@pytest.mark.parametrize("name", ["", "shop-2"])
def test_integrator_without_its_tenant_finds_nothing(tenant, name):
    tenant.defaults["HTTP_X_TENANT_ID"] = name
    assert tenant.get("/v1/threads").status_code == 404


# --- streams ----------------------------------------------------------------------------------------------


def events(stream) -> list[dict]:
    found = []
    for block in b"".join(stream).decode().split("\n\n"):
        fields = dict(line.split(": ", 1) for line in block.split("\n") if ": " in line and not line.startswith(":"))
        if "event" in fields:
            found.append({"event": fields["event"], "id": fields.get("id"), "data": json.loads(fields["data"])})
    return found


def test_stream_of_an_ended_run_tells_its_steps_and_ends(bob_api, waiting):
    bob_api.post(address(waiting, "cancel"))
    answer = bob_api.get(address(waiting, "stream"), HTTP_ACCEPT="text/event-stream")
    assert answer.headers["Content-Type"] == "text/event-stream"
    told = events(answer.streaming_content)
    assert [(one["event"], one["id"]) for one in told] == [("step", "1"), ("status", None), ("end", None)]
    assert told[-1]["data"]["status"] == "canceled"


def test_stream_is_taken_up_after_the_last_event(bob_api, waiting):
    bob_api.post(address(waiting, "cancel"))
    answer = bob_api.get(address(waiting, "stream"), HTTP_LAST_EVENT_ID="1")
    assert [one["event"] for one in events(answer.streaming_content)] == ["status", "end"]


@pytest.mark.parametrize(
    ("text", "position"),
    [
        ("", (0, 0)),
        ("3", (3, 0)),
        ("3.120", (3, 120)),
        ("3.x", (3, 0)),
        ("-1", (0, 0)),
        ("9" * 40, (0, 0)),
        ("٣", (0, 0)),
    ],
)
def test_made_up_positions_start_from_the_beginning(text, position):
    assert Position.parse(text) == Position(*position)


@pytest.mark.django_db(transaction=True)
def test_text_is_seen_while_it_is_written_and_comes_in_whole_characters(alice_actor, workspace, sandbox):
    from agents.runs import partial

    run = Run.objects.none()
    with workspace_scope(workspace.pk):
        run = Run.objects.create(
            workspace=workspace, workflow="x", trace_id="0" * 32, status="running", lease_until=now()
        )
    partial.begin_partial(run.pk, 1, agent="chat")

    def write() -> None:
        for piece in ("热玛", "吉 is ", "new"):
            partial.append_partial(run.pk, 1, piece)
        with workspace_scope(workspace.pk):
            Run.objects.update(status="succeeded", ended_at=now())
        connection.close()

    watch = run_events(workspace.pk, run.pk, Position())
    first = next(watch)
    writer = threading.Thread(target=write)
    writer.start()
    told = events([first, *watch])
    writer.join()
    text = "".join(one["data"]["text"] for one in told if one["event"] == "text")
    # Its last words may stand in the step alone: the run ended meanwhile.
    assert "热玛吉 is new".startswith(text)
    assert told[-1]["event"] == "end"


# --- chat -------------------------------------------------------------------------------------------------


def test_message_stands_in_the_thread_and_is_answered(bob_api, thread_id, sandbox):
    answer = bob_api.post(
        f"/v1/threads/{thread_id}/runs/async", {"message": "Which post ideas for autumn?"}, format="json"
    )
    said = bob_api.get(f"/v1/threads/{thread_id}/messages").data
    assert [(row["seq"], row["role"]) for row in said] == [(1, "user")]
    work(answer.data)
    status = bob_api.get(address(answer.data, "status")).data
    assert status["status"] == "succeeded", status["error"]
    assert status["output"]["is_sandbox"] is True
    said = bob_api.get(f"/v1/threads/{thread_id}/messages?after=1").data
    assert [(row["seq"], row["role"], row["text"]) for row in said] == [(2, "assistant", status["output"]["text"])]
    assert said[0]["text"]


def test_same_message_with_the_same_key_is_said_once(bob_api, thread_id, sandbox):
    path = f"/v1/threads/{thread_id}/runs/async"
    for _ in range(2):
        bob_api.post(path, {"message": "Once"}, format="json", HTTP_IDEMPOTENCY_KEY="m1")
    with workspace_scope(Workspace.objects.get().pk):
        assert Message.objects.count() == Run.objects.count() == 1


def test_thread_gets_its_title_from_the_first_message(bob_api, sandbox):
    thread_id = bob_api.post("/v1/threads", {}, format="json").data["id"]
    bob_api.post(f"/v1/threads/{thread_id}/runs/async", {"message": "Plan\nthe autumn"}, format="json")
    assert bob_api.get(f"/v1/threads/{thread_id}").data["title"] == "Plan the autumn"


def test_copy_goes_on_with_the_same_conversation(bob_api, thread_id, sandbox):
    bob_api.post(f"/v1/threads/{thread_id}/runs/async", {"message": "Hello"}, format="json")
    copy = bob_api.post(f"/v1/threads/{thread_id}/copy").data
    assert copy["title"] == "Autumn (copy)"
    said = bob_api.get(f"/v1/threads/{copy['id']}/messages").data
    assert [row["text"] for row in said] == ["Hello"]
    assert said[0]["run_id"] is None


@pytest.mark.parametrize("message", ["", "   ", "x" * 20_001])
def test_empty_and_endless_messages_are_refused(bob_api, thread_id, message):
    answer = bob_api.post(f"/v1/threads/{thread_id}/runs/async", {"message": message}, format="json")
    assert answer.status_code == 400
