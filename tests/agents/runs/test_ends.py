"""How runs end: canceled, timed out, resumed; each once, and everybody who should hears of it."""

from datetime import timedelta

import pytest
from django.core.exceptions import PermissionDenied

from accounts.models import AuditEntry, Event, Notification
from agents.models import Effect, Run
from agents.runs.errors import RunConflict
from agents.runs.queries import run_status
from agents.runs.services import cancel_run, end_expired, resume_run
from lib import clock
from lib.clock import now

pytestmark = pytest.mark.django_db
Status = Run.Status


def in_state(run, status):
    Run.objects.filter(pk=run.pk).update(status=status)
    return run


@pytest.mark.parametrize("status", Run.OPEN)
def test_canceling_holds_at_once(define, start, go, bob_actor, status):
    run = in_state(start(define(lambda flow: "done")), status)
    ended = cancel_run(run, by=bob_actor)
    assert (ended.status, ended.error["code"], ended.lease_until) == (Status.CANCELED, "canceled", None)
    assert ended.cancel_at
    assert go(run).status == Status.CANCELED


@pytest.mark.parametrize("status", Run.ENDED)
def test_a_run_that_ended_cannot_be_canceled(define, start, bob_actor, status):
    run = in_state(start(define(lambda flow: "done")), status)
    with pytest.raises(RunConflict):
        cancel_run(run, by=bob_actor)
    assert Run.objects.get().status == status


def test_a_worker_finds_its_run_canceled_at_the_next_call(define, start, go, bob_actor):
    def work(flow):
        flow.step("one", lambda: cancel_run(flow.run, by=bob_actor) and None)
        flow.act("two", tool="t", args={}, do=lambda: "never")

    done = go(start(define(work)))
    assert (done.status, done.step_count, Effect.objects.count()) == (Status.CANCELED, 0, 0)


def test_canceling_takes_the_children_along(define, start, bob_actor):
    define(lambda flow: "done")
    parent, child = start(), start()
    Run.objects.filter(pk=child.pk).update(parent=parent)
    cancel_run(parent, by=bob_actor)
    assert set(Run.objects.values_list("status", flat=True)) == {Status.CANCELED}


def test_a_viewer_cannot_cancel(define, start, vic_actor):
    run = start(define(lambda flow: "done"))
    with pytest.raises(PermissionDenied):
        cancel_run(run, by=vic_actor)


def test_canceling_is_in_the_trail_and_in_the_outbox(define, start, bob_actor):
    run = start(define(lambda flow: "done"))
    cancel_run(run, by=bob_actor)
    assert AuditEntry.objects.get(action="run.cancel").object_id == str(run.pk)
    assert Event.objects.get(kind="run.canceled").payload["run"] == str(run.pk)


@pytest.mark.parametrize("status", Run.OPEN)
def test_no_run_stays_open_past_its_deadline(define, start, status):
    run = in_state(start(define(lambda flow: "done"), timeout_s=60), status)
    if status == Status.WAITING:
        run.interrupts.create(workspace_id=run.workspace_id, key="k", action="a", expires_at=now() + timedelta(days=1))
    assert end_expired() == 0
    with clock.shifted(timedelta(seconds=61)):
        assert (end_expired(), end_expired()) == (1, 0)
    done = Run.objects.get()
    assert (done.status, done.error["code"]) == (Status.TIMED_OUT, "timed_out")


def test_a_worker_looks_at_the_clock_before_each_step(define, start, go):
    def work(flow):
        flow.step("one", lambda: None)
        Run.objects.update(deadline_at=now())
        flow.run.deadline_at = now()
        flow.step("two", lambda: None)

    done = go(start(define(work)))
    assert (done.status, done.step_count) == (Status.TIMED_OUT, 1)


def test_a_run_that_ended_is_ended_once(define, start, bob_actor):
    run = start(define(lambda flow: "done"), timeout_s=0)
    cancel_run(run, by=bob_actor)
    with clock.shifted(timedelta(seconds=1)):
        assert end_expired() == 0
    assert Event.objects.filter(kind__startswith="run.").count() == 1


@pytest.mark.parametrize("status", [Status.FAILED, Status.TIMED_OUT, Status.OVER_BUDGET])
def test_a_run_that_failed_goes_on_after_its_last_step(define, start, go, bob_actor, status):
    calls = []

    def work(flow):
        flow.step("paid for", lambda: calls.append("paid"))
        return flow.step("next", lambda: "done")

    run = start(define(work))
    Run.objects.filter(pk=run.pk).update(deadline_at=now())
    go(run)
    Run.objects.filter(pk=run.pk).update(deadline_at=now() + timedelta(hours=1), status=Status.QUEUED)
    in_state(run, status)
    resumed = resume_run(run, by=bob_actor)
    assert (resumed.status, resumed.error, resumed.ended_at) == (Status.QUEUED, None, None)
    done = go(run)
    assert (done.status, done.output, calls) == (Status.SUCCEEDED, "done", ["paid"])


@pytest.mark.parametrize("status", [*Run.OPEN, Status.SUCCEEDED, Status.CANCELED])
def test_any_other_run_cannot_be_resumed(define, start, bob_actor, status):
    run = in_state(start(define(lambda flow: "done")), status)
    with pytest.raises(RunConflict):
        resume_run(run, by=bob_actor)


def test_a_viewer_cannot_resume(define, start, vic_actor):
    run = in_state(start(define(lambda flow: "done")), Status.FAILED)
    with pytest.raises(PermissionDenied):
        resume_run(run, by=vic_actor)


def test_a_failure_outside_a_thread_is_told_to_its_people(define, start, go, thread, bob):
    def work(flow):
        raise ValueError

    define(work)
    for run in (start(), start(thread=thread)):
        for n in range(5):
            go(run, later=100 * n)
    told = Notification.objects.get(user=bob, kind="run.failed")
    assert told.text.startswith("An assistant's run failed.")


def test_the_status_says_what_an_api_needs(define, start, go, bob_actor):
    define(lambda flow: [flow.step("s", lambda: 1, agent="strategist"), flow.approve("go", action="a", args={"n": 1})])
    run = go(start())
    shown = run_status(run)
    assert (shown["status"], shown["steps"], shown["current_agent"]) == ("waiting", 1, "strategist")
    assert [one["args"] for one in shown["waiting_on"]] == [{"n": 1}]
    assert shown["usage"]["cost_micro"] == shown["usage"]["calls"] == 0
    assert shown["error"] is None
    ended = run_status(cancel_run(run, by=bob_actor))
    assert (ended["waiting_on"], ended["current_agent"], ended["error"]["code"]) == ([], "", "canceled")
