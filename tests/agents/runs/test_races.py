"""Two at once, in real processes: two answers, two resumes, two workers, two starts. One effect each.

Short here; FULL_PROOFS=1 runs a thousand races of two resumes.
"""

import pytest

from accounts.scope import workspace_scope
from agents.models import Effect, Message, Run, Thread
from agents.runs.claims import claim_run
from agents.runs.errors import RunFailed
from agents.runs.services import answer_interrupt, cancel_run, resume_run, start_run
from agents.runs.worker import advance
from tests.agents.runs import hard

pytestmark = pytest.mark.django_db(transaction=True)
RACES = 500 if hard.IS_FULL else 8
Status = Run.Status


@pytest.fixture
def ledger(workspace):
    with workspace_scope(workspace.pk):
        return Thread.objects.create(workspace=workspace)


@pytest.fixture
def effect(ledger):
    """Writes one more message each time it is done."""

    def do(flow):
        def write():
            seq = Message.objects.filter(thread=ledger).count() + 1
            Message.objects.create(
                workspace=flow.run.workspace, thread=ledger, seq=seq, role="user", text=str(flow.run.pk)
            )

        return flow.act("do", tool="write", args={}, do=write)

    return do


@pytest.fixture
def start(workspace, bob_actor):
    def make(**fields):
        with workspace_scope(workspace.pk):
            return start_run("test", {}, by=bob_actor, **fields)

    return make


@pytest.fixture
def told(workspace):
    """What the effects wrote."""

    def read():
        with workspace_scope(workspace.pk):
            return sorted(Message.objects.values_list("text", flat=True))

    return read


def race(acts, runs):
    """Two processes take the runs one by one, each at the same moment; their answers, run by run."""
    gate, results = hard.PROCESSES.Barrier(2), [hard.PROCESSES.SimpleQueue() for _ in acts]

    def walk(act, out):
        found = []
        for run in runs:
            gate.wait(hard.PATIENCE_S)
            try:
                found.append(str(act(run)))
            except Exception as error:
                found.append(type(error).__name__)
        out.put(found)

    walkers = [hard.fork(walk, act, out) for act, out in zip(acts, results, strict=True)]
    answers = [out.get() for out in results]
    for walker in walkers:
        walker.join(hard.PATIENCE_S)
    return [sorted(pair) for pair in zip(*answers, strict=True)]


def statuses(workspace):
    with workspace_scope(workspace.pk):
        return list(Run.objects.order_by("created_at").values_list("status", flat=True))


def test_two_people_answer_and_two_workers_go_on_at_once(
    define, start, effect, told, workspace, rita_actor, alice_actor
):
    def work(flow):
        flow.approve("go", action="write", args={})
        effect(flow)

    define(work)
    runs = [start() for _ in range(RACES)]
    for run in runs:
        advance(run.pk)
    with workspace_scope(workspace.pk):
        asked = {run.pk: run.interrupts.get() for run in runs}

    def answer(by):
        def act(run):
            try:
                answer_interrupt(asked[run.pk], "approved", by=by)
                return "answered"
            finally:
                advance(run.pk)

        return act

    answers = race([answer(rita_actor), answer(alice_actor)], runs)
    assert answers == [["AlreadyAnswered", "answered"]] * RACES
    hard.in_child(hard.finish_all)
    assert told() == sorted(str(run.pk) for run in runs)
    assert set(statuses(workspace)) == {Status.SUCCEEDED}


def test_two_resumes_at_once(define, start, effect, told, workspace, bob_actor, alice_actor):
    def work(flow):
        if not flow.step("is open", lambda: True):
            return
        with flow.scope():
            is_first = not flow.run.trace_id.startswith("resumed")
        if is_first:
            raise RunFailed("closed", "Closed.")
        effect(flow)

    define(work)
    runs = [start() for _ in range(RACES)]
    for run in runs:
        advance(run.pk)
    with workspace_scope(workspace.pk):
        Run.objects.update(trace_id="resumed")

    def resume(by):
        def act(run):
            try:
                resume_run(run, by=by)
                return "resumed"
            finally:
                advance(run.pk)

        return act

    answers = race([resume(bob_actor), resume(alice_actor)], runs)
    assert answers == [["RunConflict", "resumed"]] * RACES
    hard.in_child(hard.finish_all)
    assert told() == sorted(str(run.pk) for run in runs)
    with workspace_scope(workspace.pk):
        assert Effect.objects.count() == RACES
    assert set(statuses(workspace)) == {Status.SUCCEEDED}


def test_of_many_workers_one_gets_the_run(define, start, workspace):
    define(lambda flow: None)
    run = start()
    answers = hard.answers_at_once(lambda _n: claim_run(workspace.pk, run.pk) is not None, 4)
    assert answers == ["False"] * 3 + ["True"]


def test_of_a_thread_one_run_works_at_a_time(define, start, workspace, ledger):
    define(lambda flow: None)
    runs = [start(thread=ledger) for _ in range(4)]
    answers = hard.answers_at_once(lambda n: claim_run(workspace.pk, runs[n].pk) is not None, 4)
    assert answers == ["False"] * 3 + ["True"]


def test_of_many_starts_with_one_key_one_run_begins(define, start, workspace):
    define(lambda flow: None)
    answers = hard.answers_at_once(lambda _n: start(idem_key="order 1").pk, 4)
    assert len(set(answers)) == 1
    assert statuses(workspace) == [Status.QUEUED]


def test_of_two_who_want_the_thread_for_themselves_one_gets_it(define, start, workspace, ledger):
    define(lambda flow: None)
    answers = hard.answers_at_once(lambda _n: start(thread=ledger, multitask="reject").status, 3)
    assert answers == ["ThreadBusy", "ThreadBusy", "queued"]


def test_canceling_against_a_worker_leaves_one_end_and_no_half(define, start, effect, told, workspace, bob_actor):
    define(effect)
    runs = [start() for _ in range(RACES)]
    answers = race([lambda run: cancel_run(run, by=bob_actor).status, lambda run: advance(run.pk)], runs)
    assert all(pair in (["canceled", "canceled"], ["RunConflict", "succeeded"]) for pair in answers), answers
    with workspace_scope(workspace.pk):
        done = Effect.objects.values_list("run", flat=True)
    # Canceled between the effect and the end: done, and nothing more.
    assert told() == sorted(map(str, done))
    finished = [str(run.pk) for run, pair in zip(runs, answers, strict=True) if "succeeded" in pair]
    assert set(finished) <= set(told())
