"""What a workflow's calls promise: done once, answered from the row, effects and their steps in one."""

import pytest
from django.core.exceptions import PermissionDenied, ValidationError

from accounts.usage import Budget, BudgetExceeded
from agents.models import Effect, Message, Run, Step
from agents.runs.errors import RunFailed
from campaigns.errors import NotAllowedNow

pytestmark = pytest.mark.django_db
Status = Run.Status


@pytest.fixture
def keys():
    return lambda run: list(run.steps.values_list("n", "key", "kind"))


def test_a_run_ends_with_what_its_workflow_returns(define, start, go):
    define(lambda flow: {"doubled": flow.step("double", lambda: flow.input["n"] * 2)})
    done = go(start(input={"n": 21}))
    assert (done.status, done.output, done.error) == (Status.SUCCEEDED, {"doubled": 42}, None)
    assert done.ended_at
    assert done.lease_until is None


def test_steps_are_numbered_without_gaps_and_carry_ids_of_opentelemetry(define, start, go, keys):
    define(lambda flow: [flow.step(key, lambda: None) for key in "abc"])
    run = go(start())
    assert keys(run) == [(1, "a", "plain"), (2, "b", "plain"), (3, "c", "plain")]
    assert len(bytes.fromhex(run.trace_id)) == 16
    assert all(len(bytes.fromhex(step.span_id)) == 8 for step in run.steps.all())


def test_a_done_step_is_read_and_not_done_again(define, start, go):
    calls = []

    def work(flow):
        flow.step("once", lambda: calls.append("once"))
        if len(calls) < 2:
            calls.append("crash")
            raise RuntimeError("the machine is on fire")
        return calls

    define(work)
    run = start()
    assert go(run).status == Status.QUEUED
    assert go(run, later=60).output == ["once", "crash"]


@pytest.mark.parametrize(
    ("value", "kept"),
    [
        ((1, 2), [1, 2]),
        (float("nan"), None),
        ("NUL\x00 and half a pair \ud83d", "NUL and half a pair "),
        ({"deep": [{"\x00key": "v\x00"}]}, {"deep": [{"key": "v"}]}),
        ("a literal \\u0000 stays", "a literal \\u0000 stays"),
    ],
)
def test_what_a_step_answers_first_is_what_it_answers_in_every_replay(define, start, go, value, kept):
    answers = []

    def work(flow):
        answers.append(flow.step("value", lambda: value))
        if len(answers) == 1:
            raise RuntimeError("again")

    define(work)
    run = start()
    go(run)
    go(run, later=60)
    assert answers == [kept, kept]


def test_an_effect_and_its_step_are_written_together_or_not_at_all(define, start, go, in_workspace):
    def work(flow):
        def do():
            Message.objects.create(workspace=in_workspace, thread=flow.run.thread, seq=1, role="user", text="half")
            raise RuntimeError("before the end")

        flow.act("write", tool="write", args={}, do=do)

    define(work)
    from agents.models import Thread

    run = go(start(thread=Thread.objects.create(workspace=in_workspace)))
    assert run.status == Status.QUEUED
    assert not Message.objects.exists()
    assert not Effect.objects.exists()
    assert not run.steps.exists()


def test_one_effect_key_is_one_effect_also_across_runs(define, start, go):
    done = []

    def work(flow):
        return flow.act("send", tool="send", args={"to": 1}, do=lambda: done.append(1) or "sent", effect_key="letter 1")

    define(work)
    assert [go(start()).output, go(start()).output] == ["sent", "sent"]
    assert done == [1]
    assert Effect.objects.get().key == "letter 1"


def test_an_effect_key_used_with_other_arguments_is_refused(define, start, go):
    define(lambda flow: flow.act("a", tool="send", args=flow.input, do=lambda: "sent", effect_key="letter 1"))
    go(start(input={"to": 1}))
    run = go(start(input={"to": 2}))
    assert (run.status, run.error["code"]) == (Status.FAILED, "effect_reused")


@pytest.mark.parametrize(
    ("raised", "code"),
    [
        (PermissionDenied("no"), "forbidden"),
        (ValidationError("bad"), "invalid"),
        (Message.DoesNotExist(), "not_found"),
        (NotAllowedNow("It is live already."), "not_allowed_now"),
        (BudgetExceeded(Budget("month", 1), 2), "over_budget"),
        (RunFailed("closed", "Closed."), "closed"),
    ],
)
def test_a_refused_effect_that_the_workflow_caught_is_refused_in_every_replay(define, start, go, raised, code):
    tries, caught = [], []

    def refuse():
        tries.append(1)
        raise raised

    def work(flow):
        try:
            flow.act("send", tool="send", args={}, do=refuse)
        except RunFailed as error:
            caught.append(error.code)
        flow.step("after", lambda: None)
        if len(caught) == 1:
            raise RuntimeError("again")
        return "went on"

    define(work)
    run = start()
    go(run)
    assert go(run, later=60).output == "went on"
    assert (len(tries), caught) == (1, [code, code])
    assert run.steps.get(key="send").error["code"] == code


def test_a_refused_effect_that_nobody_caught_fails_the_run_and_may_be_tried_again(define, start, go):
    define(
        lambda flow: flow.act("send", tool="send", args={}, do=lambda: (_ for _ in ()).throw(ValidationError("bad")))
    )
    run = go(start())
    assert (run.status, run.error) == (Status.FAILED, {"code": "invalid", "message": "bad", "is_retryable": False})
    assert not run.steps.exists()


def test_what_a_workflow_raises_itself_is_told(define, start, go):
    def work(flow):
        raise RunFailed("no_products", "Add a product first.")

    define(work)
    run = go(start())
    assert (run.status, run.error["code"], run.error["message"]) == ("failed", "no_products", "Add a product first.")


@pytest.mark.parametrize(
    ("raised", "status", "code"),
    [
        (ValidationError("bad"), Status.FAILED, "invalid"),
        (NotAllowedNow("It is live already."), Status.FAILED, "not_allowed_now"),
        (BudgetExceeded(Budget("month", 1), 2), Status.OVER_BUDGET, "over_budget"),
    ],
)
def test_what_a_service_refuses_ends_the_run_and_is_no_crash(define, start, go, raised, status, code):
    def refuse():
        raise raised

    run = go(start(define(lambda flow: flow.step("look", refuse))))
    assert (run.status, run.error["code"]) == (status, code)


def test_two_steps_of_one_name_are_a_mistake_that_is_told(define, start, go):
    define(lambda flow: [flow.step("same", lambda: 1), flow.step("same", lambda: 2)])
    assert go(start()).error["code"] == "duplicate_key"


def test_a_workflow_without_an_end_is_ended(define, start, go):
    define(lambda flow: [flow.step(f"step {n}", lambda: None) for n in range(1000)])
    run = go(start())
    assert (run.error["code"], run.step_count) == ("max_steps", 60)


def test_a_workflow_that_catches_everything_still_stops_when_its_claim_is_lost(define, start, go):
    after = []

    def work(flow):
        Run.objects.filter(pk=flow.run.pk).update(fence=99)
        try:
            flow.step("too late", lambda: None)
        except Exception:
            after.append("caught")
        after.append("went on")

    define(work)
    run = go(start())
    assert (after, run.status, run.step_count) == ([], Status.RUNNING, 0)


def test_the_assistant_says_a_thing_once(define, start, go, thread):
    passes = []

    def work(flow):
        flow.say("Hello", [{"n": 1, "kind": "item"}])
        flow.say("How are you?")
        passes.append(1)
        if len(passes) == 1:
            raise RuntimeError("again")

    define(work)
    run = start(thread=thread)
    go(run)
    go(run, later=60)
    rows = Message.objects.values_list("seq", "role", "text", "provenance", "citations")
    assert list(rows) == [
        (1, "assistant", "Hello", "trusted", [{"n": 1, "kind": "item"}]),
        (2, "assistant", "How are you?", "trusted", []),
    ]
    thread.refresh_from_db()
    assert thread.last_seq == 2


def test_a_run_says_what_it_is_doing_until_it_ends(define, start, go):
    seen = []

    def work(flow):
        flow.report("Writing for X")
        seen.append(Run.objects.get(pk=flow.run.pk).progress)

    define(work)
    assert (go(start()).progress, seen) == ("", ["Writing for X"])


def test_a_step_row_cannot_be_changed(define, start, go):
    from django.db import ProgrammingError, transaction

    define(lambda flow: flow.step("a", lambda: 1))
    go(start())
    with pytest.raises(ProgrammingError, match="written once"), transaction.atomic():
        Step.objects.update(output=2)
