"""Who has a run: handing out fairly, leases and fences, strikes, turns."""

from datetime import timedelta

import pytest

from accounts.access import actor_for
from accounts.models import Membership, Workspace
from accounts.scope import all_workspaces_scope, workspace_scope
from agents import tasks
from agents.models import Run
from agents.runs import claims
from agents.runs import flow as flows
from agents.runs.errors import ClaimLost
from agents.runs.services import start_run
from agents.runs.worker import MAX_STRIKES, claim_due
from lib import clock

pytestmark = pytest.mark.django_db
Status = Run.Status


@pytest.fixture
def plain(define):
    return define(lambda flow: flow.step("one", lambda: "done"))


@pytest.fixture
def take(in_workspace):
    """A claim whose worker is never heard of again."""
    return lambda run, later=0: _take(run, later)


def _take(run, later):
    with clock.shifted(timedelta(seconds=later)):
        return claims.claim_run(run.workspace_id, run.pk)


def test_a_run_is_claimed_once(plain, start, take):
    run = start()
    assert take(run).fence == 1
    assert take(run) is None


def test_a_claim_that_runs_out_is_handed_out_again_and_the_old_one_writes_nothing(plain, start, take, go):
    run = start()
    old = take(run)
    assert claim_due(10) == []
    with clock.shifted(timedelta(seconds=61)):
        assert claim_due(10) == [run.pk]
    assert go(run, later=62).fence == 2
    with pytest.raises(ClaimLost), claims.held(old):
        pytest.fail("it must not come in")


def test_a_late_worker_goes_on_where_nobody_took_its_run(plain, start, take):
    mine = take(start())
    with clock.shifted(timedelta(seconds=600)), claims.held(mine):
        pass
    assert Run.objects.get().status == Status.RUNNING


def test_an_ended_run_is_never_claimed(plain, start, take):
    run = start()
    for status in (*Run.ENDED, Status.WAITING):
        Run.objects.update(status=status)
        assert take(run) is None


def test_a_run_waits_for_its_time(plain, start, go):
    run = start()
    Run.objects.update(wake_at=run.created_at + timedelta(seconds=100))
    assert go(run, later=99).status == Status.QUEUED
    assert go(run, later=101).status == Status.SUCCEEDED


def test_a_run_in_the_brokers_hands_is_not_handed_out_twice(plain, start):
    run = start()
    assert claim_due(10) == []
    with clock.shifted(timedelta(seconds=61)):
        assert claim_due(10) == [run.pk]
        assert claim_due(10) == []


def test_no_more_is_handed_out_than_workers_take_up(plain, start, go):
    runs = [start() for _ in range(5)]
    with clock.shifted(timedelta(seconds=61)):
        first = claim_due(2)
        assert (len(first), claim_due(2)) == (2, [])
        go(next(run for run in runs if run.pk == first[0]))
        assert len(claim_due(2)) == 1


@pytest.fixture
def bakery(charlie_actor, plain):
    def make():
        with workspace_scope(charlie_actor.workspace.pk):
            return start_run("test", {}, by=charlie_actor)

    return make


def test_workspaces_take_turns(plain, start, bakery):
    ours = [start() for _ in range(4)]
    theirs = [bakery() for _ in range(2)]
    with clock.shifted(timedelta(seconds=61)):
        handed = [claim_due(n) for n in (2, 4)]
    assert [len(set(part) & {run.pk for run in theirs}) for part in handed] == [1, 1]
    assert handed[0][0] != ours[1].pk


def test_whoever_has_runs_at_work_comes_later(plain, start, bakery, take):
    busy = [start() for _ in range(3)]
    other = bakery()
    for run in busy[:2]:
        take(run)
    with clock.shifted(timedelta(seconds=59)), all_workspaces_scope("look"):
        Run.objects.filter(status=Status.QUEUED).update(lease_until=None)
    assert claim_due(1) == [other.pk]


def test_a_suspended_workspace_runs_nothing(plain, start, go, workspace):
    run = start()
    Workspace.objects.update(is_suspended=True)
    assert go(run).status == Status.QUEUED
    with clock.shifted(timedelta(seconds=61)):
        assert claim_due(10) == []


def test_a_run_that_kills_its_workers_is_ended(define, start, take, go):
    define(lambda flow: "never")
    run = start()
    for lost in range(MAX_STRIKES):
        assert take(run, later=61 * lost).strikes == lost + 1
    done = go(run, later=61 * MAX_STRIKES)
    assert (done.status, done.error["code"], done.error["is_retryable"]) == (Status.FAILED, "worker_lost", True)


def test_a_step_forgives_the_strikes(plain, start, take, go, in_workspace, bob):
    run = start()
    for lost in range(MAX_STRIKES):
        held = take(run, later=61 * lost)
    member = Membership.objects.select_related("workspace", "user").get(user=bob)
    with clock.shifted(timedelta(seconds=61 * MAX_STRIKES)):
        flows.Flow(held, actor_for(member)).step("progress", lambda: 1)
    assert Run.objects.get().strikes == 0
    assert go(run, later=61 * (MAX_STRIKES + 1)).status == Status.SUCCEEDED


def test_a_workflow_that_crashes_is_tried_again_later_and_in_the_end_fails(define, start, go):
    calls = []

    def work(flow):
        calls.append(1)
        raise ZeroDivisionError

    run = start(define(work))
    for n in range(MAX_STRIKES):
        assert Run.objects.get().status == Status.QUEUED
        done = go(run, later=600 * n)
    assert (done.status, done.error["code"], len(calls)) == (Status.FAILED, "crashed", MAX_STRIKES)
    assert "ZeroDivision" not in done.error["message"]


def test_a_long_run_gives_its_worker_back_between_steps(define, start, go, monkeypatch):
    define(lambda flow: [flow.step(key, key.upper) for key in "abc"])
    monkeypatch.setattr(flows, "TURN_S", -1)
    run = start()
    first = go(run)
    assert (first.status, first.step_count) == (Status.QUEUED, 0)
    monkeypatch.undo()
    assert go(run).output == ["A", "B", "C"]


def test_the_pump_hands_ids_to_the_workers(plain, start):
    from marketing.celery import app

    run = start()
    app.conf.task_always_eager = True
    try:
        with clock.shifted(timedelta(seconds=61)):
            tasks.wake_runs()
    finally:
        app.conf.task_always_eager = False
    assert Run.objects.get(pk=run.pk).status == Status.SUCCEEDED


def test_a_run_that_is_gone_is_no_error(plain, start):
    from uuid import uuid4

    from agents.runs.worker import advance

    assert advance(uuid4()) is None
    assert claims.claim_run(start().workspace_id, uuid4()) is None
