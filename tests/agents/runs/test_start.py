"""Starting a run: who may, with what, once per key, with its prompt pinned."""

from datetime import timedelta

import pytest
from django.core.exceptions import PermissionDenied, ValidationError

from accounts.scope import workspace_scope
from agents.models import Assistant, PromptLabel, PromptVersion, Run, Thread
from agents.prompts import serving
from agents.runs.errors import KeyReused
from agents.runs.services import start_run
from lib.clock import now

pytestmark = pytest.mark.django_db
SCHEMA = {"type": "object", "required": ["n"], "properties": {"n": {"type": "integer"}}, "additionalProperties": False}


@pytest.fixture
def plain(define):
    return define(lambda flow: flow.input, schema=SCHEMA)


def test_a_run_remembers_in_whose_name_it_acts(plain, start, bob_actor):
    run = start(input={"n": 1})
    assert (run.user, run.started_by, run.api_key_id) == (bob_actor.user, "bob@example.org", None)
    assert run.status == Run.Status.QUEUED
    assert timedelta(seconds=3590) < run.deadline_at - now() <= timedelta(seconds=3600)


@pytest.mark.parametrize("who", ["vic_actor", "gwen_actor", "rita_actor"])
def test_who_may_not_start_it_does_not(plain, start, request, who):
    with pytest.raises(PermissionDenied):
        start(input={"n": 1}, by=request.getfixturevalue(who))
    assert not Run.objects.exists()


def test_a_workflow_may_ask_for_less(define, start, vic_actor):
    define(lambda flow: None, perm="view")
    assert start(by=vic_actor).started_by == "vic@example.org"


@pytest.mark.parametrize("input", [{}, {"n": "one"}, {"n": 1, "more": 2}, [], None, "n"])
def test_input_that_does_not_fit_is_refused(plain, start, input):
    with pytest.raises(ValidationError) as refused:
        start(input=input)
    assert "input" in refused.value.message_dict
    assert not Run.objects.exists()


def test_an_unknown_workflow_is_refused(start):
    with pytest.raises(ValidationError) as refused:
        start("nothing")
    assert "workflow" in refused.value.message_dict


@pytest.mark.parametrize("url", ["ftp://example.org/", "javascript:alert(1)", "example.org", "http://a:b@example.org/"])
def test_a_webhook_that_is_no_address_is_refused(plain, start, url):
    with pytest.raises(ValidationError) as refused:
        start(input={"n": 1}, webhook_url=url)
    assert "webhook_url" in refused.value.message_dict


def test_one_key_is_one_run(plain, start, go):
    first = start(input={"n": 1}, idem_key="order 1")
    assert start(input={"n": 1}, idem_key="order 1").pk == first.pk
    go(first)
    again = start(input={"n": 1}, idem_key="order 1")
    assert (again.pk, again.status) == (first.pk, Run.Status.SUCCEEDED)
    assert start(input={"n": 1}).pk != start(input={"n": 1}).pk


@pytest.mark.parametrize("other", [{"input": {"n": 2}}, {"workflow": "second"}, {"thread": True}])
def test_a_key_used_for_another_request_is_refused(plain, define, start, thread, other):
    define(lambda flow: None, "second")
    start(input={"n": 1}, idem_key="order 1")
    if other.get("thread"):
        other = {"thread": thread}
    with pytest.raises(KeyReused):
        start(**{"input": {"n": 1}, "idem_key": "order 1"} | other)
    assert Run.objects.count() == 1


def test_a_key_belongs_to_its_workspace(plain, start, charlie_actor):
    first = start(input={"n": 1}, idem_key="order 1")
    with workspace_scope(charlie_actor.workspace.pk):
        other = start_run("test", {"n": 2}, by=charlie_actor, idem_key="order 1")
    assert other.pk != first.pk


def test_the_thread_of_another_workspace_cannot_be_used(plain, start, thread, charlie_actor):
    with workspace_scope(charlie_actor.workspace.pk), pytest.raises(Thread.DoesNotExist):
        start_run("test", {"n": 1}, by=charlie_actor, thread=thread)


# --- prompts ----------------------------------------------------------------------------------------------


@pytest.fixture
def assistant(in_workspace):
    return Assistant.objects.create(workspace=in_workspace, key="barista", name="Barista")


@pytest.fixture
def publish(in_workspace, assistant):
    """A new production version of the barista's prompt."""

    def make(body):
        version = PromptVersion.objects.create(
            workspace=in_workspace,
            assistant=assistant,
            number=assistant.versions.count() + 1,
            body=body,
            sha256=serving.sha256_of(body),
        )
        keys = {"workspace": in_workspace, "assistant": assistant, "label": "production"}
        PromptLabel.objects.update_or_create(**keys, defaults={"version": version})
        return version

    return make


def test_a_run_finishes_on_the_prompt_it_started_with(define, start, go, assistant, publish):
    first = publish("Be warm to {{name}}.")

    def work(flow):
        return [flow.prompt("barista", name="Ann"), flow.prompt("barista", name="Ben")]

    define(work)
    run = start(assistant=assistant)
    publish("Be cold to {{name}}.")
    done = go(run)
    assert done.output == ["Be warm to Ann.", "Be warm to Ben."]
    assert (done.prompt_version, done.prompt_sha256) == (first, first.sha256)
    assert go(start(assistant=assistant)).output[0] == "Be cold to Ann."


def test_a_prompt_edited_in_the_middle_of_a_run_does_not_reach_it(define, start, go, publish, rita_actor):
    from agents.runs.services import answer_interrupt

    publish("One")

    def work(flow):
        before = flow.prompt("barista")
        flow.approve("go", action="a", args={})
        return [before, flow.prompt("barista")]

    run = go(start(define(work)))
    publish("Two")
    answer_interrupt(run.interrupts.get(), "approved", by=rita_actor)
    done = go(run)
    assert done.output == ["One", "One"]
    assert done.steps.get(key="prompt barista").output["sha256"] == serving.sha256_of("One")


def test_a_prompt_that_does_not_exist_fails_the_run(define, start, go):
    done = go(start(define(lambda flow: flow.prompt("nobody"))))
    assert (done.status, done.error["code"]) == (Run.Status.FAILED, "no_prompt")
