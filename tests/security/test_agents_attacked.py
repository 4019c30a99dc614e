"""Assistants through an attacker's eyes: what others said, what others pay for, and where a schema may lead."""

import http.server
import threading
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta

import pytest
from django.core.exceptions import PermissionDenied
from django.urls import get_resolver, reverse

from accounts.access import actor_for
from accounts.models import Membership, User, Workspace
from accounts.scope import workspace_scope
from agents import threads
from agents.evaluation.replay import recorded_runs, results_for
from agents.llm.schemas import danger, misfit
from agents.models import Message, Replay, Run, Step, Thread
from agents.prompts.assistants import create_assistant
from agents.prompts.versions import PromptDraft, newest
from agents.runs.identity import call_digest
from agents.runs.services import answer_interrupt
from agents.runs.steps import prompt_step
from agents.traces import visible_runs
from agents.workflows.registry import WORKFLOWS
from lib.clock import now
from tests.test_foreign_ids import walk

pytestmark = pytest.mark.django_db
SECRET = "my-private-plan"


@pytest.fixture
def private_runs(workspace: Workspace, alice: User) -> dict[str, Run]:
    """What alice did with what is hers alone: a chat, a draft, and the tidying of her own memory."""
    with workspace_scope(workspace.pk):
        thread = Thread.objects.create(workspace=workspace, user=alice)
        fields = {"workspace": workspace, "user": alice, "trace_id": "0" * 32, "status": "succeeded", "ended_at": now()}
        fields |= {"input": {"message": SECRET}, "output": {"text": SECRET}}
        return {
            "chat": Run.objects.create(workflow="chat", thread=thread, **fields),
            "draft": Run.objects.create(workflow="draft", **fields),
            "consolidate": Run.objects.create(workflow="consolidate", **fields),
            "campaign": Run.objects.create(workflow="campaign", **fields),
        }


# --- what others said ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["chat", "draft", "consolidate"])
def test_nobody_else_reads_keeps_scores_or_stops_a_private_run(kind, private_runs, bob_client, alice_client):
    run = private_runs[kind].pk
    address = reverse("agents:run", args=[run])
    assert bob_client.get(address).status_code == 404
    assert bob_client.post(reverse("agents:run-keep", args=[run])).status_code == 404
    for act in ("up", "stop", "resume"):
        assert bob_client.post(reverse("agents:run-act", args=[run, act])).status_code == 404
    assert alice_client.get(address).status_code == 200


def test_the_list_of_runs_and_its_search_show_others_no_private_ones(private_runs, bob_client, alice_client):
    address = reverse("agents:run-list")
    assert bob_client.get(address, {"q": SECRET}).content.decode().count("/runs/") < (
        alice_client.get(address, {"q": SECRET}).content.decode().count("/runs/")
    )
    for name in ("chat", "draft", "consolidate"):
        assert str(private_runs[name].pk) not in bob_client.get(address).content.decode()
        assert str(private_runs[name].pk) in alice_client.get(address).content.decode()
    assert str(private_runs["campaign"].pk) in bob_client.get(address).content.decode()


def test_the_status_of_a_run_is_told_to_whom_the_run_is_shown(private_runs, api, alice, bob, gwen):
    for name, seen_by_bob in [("chat", 404), ("draft", 404), ("consolidate", 404), ("campaign", 200)]:
        address = f"/v1/runs/{private_runs[name].pk}/status"
        answers = [api(person).get(address).status_code for person in (alice, bob, gwen)]
        assert (name, answers) == (name, [200, seen_by_bob, 403])


def test_every_workflow_that_reads_a_persons_own_memory_alone_is_private():
    assert {name for name, workflow in WORKFLOWS.items() if workflow.is_private} == {"consolidate", "draft"}


@pytest.fixture
def tried(private_runs, workspace, alice_actor) -> Replay:
    """A prompt that alice tried on her own chat."""
    with workspace_scope(workspace.pk):
        assistant = create_assistant(by=alice_actor, key="chat", name="Chat", draft=PromptDraft("Talk."))
        for run in private_runs.values():
            Step.objects.create(
                workspace=workspace,
                run=run,
                n=1,
                key=prompt_step("chat"),
                kind="plain",
                input_sha256="",
                span_id="0" * 16,
                started_at=now(),
            )
        rows = [{"run": str(run.pk), "title": name, "before": SECRET} for name, run in private_runs.items()]
        rows = [row | {"after": SECRET, "is_changed": False} for row in rows]
        return Replay.objects.create(
            workspace=workspace,
            assistant=assistant,
            version=newest(assistant),
            created_by=alice_actor.user,
            status="done",
            results=rows,
        )


def test_a_prompt_is_tried_on_what_one_may_see(tried, private_runs, workspace, alice, bob):
    with workspace_scope(workspace.pk):
        assert set(recorded_runs(tried.assistant, alice)) == set(private_runs.values())
        assert recorded_runs(tried.assistant, bob) == [private_runs["campaign"]]
        assert recorded_runs(tried.assistant, None) == [private_runs["campaign"]]


def test_results_of_a_try_show_others_nothing_private(tried, workspace, alice, bob, bob_client):
    with workspace_scope(workspace.pk):
        assert len(results_for(tried, alice)) == 4
        assert [row["title"] for row in results_for(tried, bob)] == ["campaign"]
        number = tried.version.number
    html = bob_client.get(reverse("agents:replays", args=[tried.assistant_id, number])).content.decode()
    assert ("campaign" in html, "consolidate" in html) == (True, False)


def test_a_person_without_rights_sees_no_run(private_runs, workspace, vic_actor):
    with workspace_scope(workspace.pk):
        assert [run.workflow for run in visible_runs(vic_actor)] == ["campaign"]


# --- who gets in at all -------------------------------------------------------------------------------------


def plain_pages() -> dict[str, str]:
    """Pages of assistants and the inbox whose addresses hold nothing of a row."""
    found = {}
    for name, _route, converters in walk(get_resolver().url_patterns):
        app, _, page = name.partition(":")
        if not converters and (app == "agents" or (app == "campaigns" and page in {"inbox", "plan-list"})):
            found[name] = reverse(name)
    return found


def test_a_guest_sees_none_of_the_pages(client_of, gwen, workspace):
    guest = client_of(gwen)
    answers = {name: guest.get(address).status_code for name, address in plain_pages().items()}
    assert len(answers) >= 15
    assert {name: code for name, code in answers.items() if code not in {403, 404, 405}} == {}


def test_a_viewer_and_a_reviewer_read_and_start_nothing(client_of, vic, rita, workspace):
    for person in (vic, rita):
        visitor = client_of(person)
        for name in ("runs", "datasets", "memory", "brand", "knowledge", "assistants", "assistant"):
            assert visitor.get(f"/{name}").status_code == 200, name
        assert visitor.post("/assistant/begin", {"message": "Hello"}).status_code == 403
        assert visitor.post("/settings/assistants/keys", {"provider": "anthropic"}).status_code == 403
        assert visitor.post("/datasets", {"name": "Mine"}).status_code == 403
    with workspace_scope(workspace.pk):
        assert not Run.objects.exists()
        assert not Thread.objects.exists()


def test_a_key_that_only_reads_starts_and_answers_nothing(private_runs, api, api_key):
    reader = api(api_key("read"))
    thread = private_runs["chat"].thread_id
    assert reader.get(f"/v1/threads/{thread}").status_code == 200
    for address in ("/v1/threads", f"/v1/threads/{thread}/copy", f"/v1/threads/{thread}/runs/async"):
        assert reader.post(address, {"message": "Hello"}, format="json").status_code == 403, address
    assert reader.post("/v1/messages", {"messages": []}, format="json").status_code == 403


@pytest.mark.parametrize("who", ["key", "program"])
def test_only_a_person_approves(who, private_runs, api, api_key, workspace, alice):
    """Whatever the scope of a key or the rights of an integrator."""
    run = private_runs["chat"]
    with workspace_scope(workspace.pk):
        Run.objects.filter(pk=run.pk).update(status="waiting", ended_at=None)
        digest = call_digest("x", {})
        run.interrupts.create(
            workspace=workspace,
            key="go",
            action="x",
            args={},
            args_sha256=digest,
            perm="content.edit",
            expires_at=now() + timedelta(hours=1),
        )
        program = replace(actor_for(Membership.objects.get(user=alice, workspace=workspace)), user=None)
        if who == "program":
            with pytest.raises(PermissionDenied, match="Only a person"):
                answer_interrupt(run.interrupts.get(), "approved", by=program)
    if who == "key":
        address = f"/v1/threads/{run.thread_id}/runs/{run.pk}/resume"
        body = {"answer": "approved", "args_sha256": digest}
        assert api(api_key("write")).post(address, body, format="json").status_code == 403
    with workspace_scope(workspace.pk):
        assert run.interrupts.get().answer == ""


# --- what others pay for ------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["campaign", "plan_line", "enhance", "consolidate"])
def test_a_thread_cannot_start_what_only_its_service_may_start(name, api, bob):
    """It would pass by the service's checks, and by the cap of the campaign."""
    caller = api(bob)
    thread = caller.post("/v1/threads", {}, format="json").data["id"]
    body = {"workflow": name, "input": {"plan": "x", "line": "x", "wish": "", "post": "x", "revision": 1}}
    answer = caller.post(f"/v1/threads/{thread}/runs/async", body, format="json")
    assert answer.status_code == 400
    assert "no workflow" in str(answer.data)
    assert not Run.objects.exists()


# --- where a schema may lead --------------------------------------------------------------------------------


@pytest.fixture
def inner_server() -> Iterator[tuple[str, list[str]]]:
    asked: list[str] = []

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append(self.path)
            self.send_response(200)
            self.end_headers()
            self.wfile.write(b"{}")

        def log_message(self, *_args: object) -> None:
            pass

    with http.server.HTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/latest/meta-data", asked
        server.shutdown()


def test_a_schema_is_never_fetched(inner_server):
    address, asked = inner_server
    for schema in ({"$ref": address}, {"properties": {"a": {"$ref": address}}}, {"$ref": "file:///etc/hostname"}):
        assert "Unresolvable" in misfit({"a": 1}, schema)
    assert asked == []


def doubling(levels: int) -> dict:
    rows = {f"a{n}": {"allOf": [{"$ref": f"#/$defs/a{n + 1}"}] * 8} for n in range(levels)}
    return {"$ref": "#/$defs/a0", "$defs": rows | {f"a{levels}": {}}}


def nested(levels: int) -> list:
    value: list = []
    for _ in range(levels):
        value = [value]
    return value


def test_references_that_multiply_come_to_an_end():
    assert "too often" in misfit(1, doubling(12))
    assert "too often" in misfit(nested(40), {"items": {"allOf": [{"$ref": "#"}] * 2}})
    assert misfit(1, {"$ref": "#"})
    assert misfit(1, doubling(2)) == ""


@pytest.mark.parametrize(
    ("schema", "word"),
    [
        ({"$ref": "http://127.0.0.1/"}, "$ref"),
        ({"anyOf": [{"items": {"$ref": "other.json"}}]}, "$ref"),
        ({"properties": {"a": {"pattern": "^(a+)+$"}}}, "pattern"),
        ({"patternProperties": {"^(a+)+$": {}}}, "patternProperties"),
        ({"$defs": {"a": {"$dynamicRef": "#a"}}}, "$dynamicRef"),
        ({"$id": "http://127.0.0.1/", "$ref": "#"}, "$id"),
    ],
)
def test_a_dangerous_schema_is_refused_before_anything_is_paid(schema, word, api, bob):
    body = {"input": "Hello", "schema": {"type": "object"} | schema}
    answer = api(bob).post("/v1/messages/responses/structured", body, format="json")
    assert (answer.status_code, word in str(answer.data)) == (400, True)


def test_a_schema_nested_without_end_is_refused(api, bob):
    text = '{"not":' * 900 + "{}" + "}" * 900
    body = f'{{"input": "Hello", "schema": {text}}}'
    answer = api(bob).generic(
        "POST", "/v1/messages/responses/structured", body.encode(), content_type="application/json"
    )
    assert answer.status_code == 400


def test_properties_may_be_called_like_keywords():
    schema = {"properties": {"pattern": {"type": "string"}, "$ref": {"type": "string"}}, "enum": [{"pattern": "x"}]}
    assert danger(schema) == ""
    assert danger({"$defs": {"node": {}}, "items": {"$ref": "#/$defs/node"}}) == ""


# --- what a form may hold -----------------------------------------------------------------------------------


def test_forms_take_any_bytes_and_any_answer(private_runs, alice_client, workspace):
    run = private_runs["campaign"]
    scored = alice_client.post(reverse("agents:run-act", args=[run.pk, "up"]), {"comment": "so\x00so"})
    assert scored.status_code == 302
    for q in ("\x00", "\ud800".encode("utf-8", "replace").decode(), "%" * 200):
        assert alice_client.get(reverse("agents:run-list"), {"q": q}).status_code == 200
    assert alice_client.get(reverse("agents:run-list"), {"person": "x", "workflow": "\x00"}).status_code == 200


def test_an_answer_that_is_none_is_told(private_runs, alice_client, workspace):
    run = private_runs["chat"]
    with workspace_scope(workspace.pk):
        Run.objects.filter(pk=run.pk).update(status="waiting", ended_at=None)
        asked = run.interrupts.create(
            workspace=workspace, key="go", action="x", args_sha256="", perm="content.edit", expires_at=now()
        )
    address = reverse("agents:chat-answer", args=[run.thread_id, run.pk])
    answer = alice_client.post(address, {"interrupt": str(asked.pk), "answer": "perhaps"})
    assert answer.status_code == 400


def test_an_answers_words_are_never_markup(private_runs, alice_client, workspace):
    run = private_runs["chat"]
    hostile = "<script>alert(1)</script> [1] [x](javascript:alert(1))"
    source = {"n": 1, "kind": "web", "id": "", "title": "<b>t</b>", "url": "javascript:alert(1)"}
    with workspace_scope(workspace.pk):
        Message.objects.create(
            workspace=workspace, thread_id=run.thread_id, seq=1, role="assistant", text=hostile, citations=[source]
        )
    html = alice_client.get(reverse("agents:chat", args=[run.thread_id])).content.decode()
    assert "<script>alert" not in html
    assert "<b>t</b>" not in html
    assert 'href="javascript:' not in html


def test_threads_of_an_erased_person_are_not_an_integrators(private_runs, workspace, alice_actor):
    """They have no person either."""
    with workspace_scope(workspace.pk):
        program = type(alice_actor)(workspace=workspace, perms=alice_actor.perms, label="Service Shop")
        assert threads.visible_threads(program).count() == 0
