"""Workers killed at random points: no run is lost, no effect happens twice.

Short here; FULL_PROOFS=1 kills two hundred.
"""

import os
import signal

import pytest

from accounts.scope import workspace_scope
from agents.llm.types import Ask, Said
from agents.models import Message, Run, Step, Thread
from agents.runs.flow import Flow
from agents.runs.services import start_run
from agents.runs.worker import advance
from tests.agents.runs import hard
from tests.campaigns.engine.workers import is_stopped
from tests.waiting import wait_for

pytestmark = pytest.mark.django_db(transaction=True)
KILLS = 200 if hard.IS_FULL else 12
ASK = Ask(role="writer", system="You write posts.", messages=(Said("user", "About coffee."),))
KEYS = ["plan", "send 1", "write", "check", "send 2"]


def work(flow):
    """Three asks and two effects: each leaves a message, written without a look at what is there."""

    def send(number):
        thread = Thread.objects.get(pk=flow.input["ledger"])
        seq = Message.objects.filter(thread=thread).count() + 1
        row = Message(workspace=flow.run.workspace, thread=thread, seq=seq, role="user", text=f"{flow.run.pk} {number}")
        row.save()
        return number

    flow.ask("plan", ASK, agent="strategist")
    flow.act("send 1", tool="send", args={"n": 1}, do=lambda: send(1))
    flow.ask("write", ASK, agent="writer", is_streamed=True)
    flow.ask("check", ASK, agent="checker")
    return flow.act("send 2", tool="send", args={"n": 2}, do=lambda: send(2))


@pytest.fixture
def start(workspace, bob_actor, define, sandbox):
    define(work)
    with workspace_scope(workspace.pk):
        ledger = Thread.objects.create(workspace=workspace)

    def make():
        with workspace_scope(workspace.pk):
            return start_run("test", {"ledger": str(ledger.pk)}, by=bob_actor)

    # Here, so that children find everything loaded.
    warm = make()
    advance(warm.pk)
    with workspace_scope(workspace.pk):
        Message.objects.all().delete()
        Run.objects.filter(pk=warm.pk).delete()
    return make


@pytest.fixture
def sent(workspace):
    def read():
        with workspace_scope(workspace.pk):
            return sorted(Message.objects.values_list("text", flat=True))

    return read


def check_each_once(runs, sent, workspace):
    with workspace_scope(workspace.pk):
        assert {run.status for run in Run.objects.all()} == {Run.Status.SUCCEEDED}
        for run in runs:
            steps = Step.objects.filter(run=run)
            assert list(steps.values_list("key", flat=True)) == KEYS
            assert list(steps.values_list("n", flat=True)) == [1, 2, 3, 4, 5]
    assert sent() == sorted(f"{run.pk} {number}" for run in runs for number in (1, 2))


def test_a_worker_killed_at_any_statement_loses_and_doubles_nothing(start, sent, workspace):
    whole = start()
    statements = hard.in_child(hard.count_statements, whole.pk)
    assert 40 < statements < 250
    choose, runs, codes = hard.seeded(1), [whole], []
    for number in range(KILLS // 2):
        run = start()
        runs.append(run)
        codes.append(hard.in_child(_die, run.pk, choose.randrange(statements), number % 2 == 0))
    assert codes.count(-signal.SIGKILL) >= len(codes) * 0.9
    assert hard.still_open(workspace.pk) >= len(codes) * 0.8
    assert hard.in_child(hard.finish_all) == 0
    check_each_once(runs, sent, workspace)


def _die(run_id, statement, is_after):
    hard.advance_and_die(run_id, statement, is_after=is_after)


def test_a_worker_killed_at_any_moment_loses_and_doubles_nothing(start, sent, workspace):
    choose, runs = hard.seeded(2), []
    for _ in range(KILLS // 2):
        run = start()
        runs.append(run)
        hard.kill_after(run.pk, choose.uniform(0.02, 0.35))
    assert hard.still_open(workspace.pk)
    assert hard.in_child(hard.finish_all) == 0
    check_each_once(runs, sent, workspace)


def test_a_worker_killed_in_the_middle_of_an_effect_is_followed_by_another(start, sent, workspace, define):
    """The fault "crash_worker_mid_tool": the first worker dies with the effect written and not committed."""
    run = start()
    real = Flow._effect

    def die_inside(flow, key, *args):
        real(flow, key, *args)
        os.kill(os.getpid(), signal.SIGKILL)

    def worker():
        Flow._effect = die_inside
        advance(run.pk)

    assert hard.in_child(worker) == -signal.SIGKILL
    assert (sent(), hard.effects_of(run)) == ([], 0)
    assert hard.in_child(hard.finish_all) == 0
    check_each_once([run], sent, workspace)
    assert hard.effects_of(run) == 2


def test_a_frozen_worker_that_wakes_after_another_finished_writes_nothing(start, sent, workspace):
    run = start()
    held = Flow._held

    def freeze_first(flow, **changes):
        # Before the transaction: inside it, the run's row would be locked for everybody.
        os.kill(os.getpid(), signal.SIGSTOP)
        return held(flow, **changes)

    def worker():
        Flow._held = freeze_first
        advance(run.pk)

    process = hard.fork(worker)
    wait_for(lambda: is_stopped(process))
    assert hard.in_child(hard.finish_all) == 0
    check_each_once([run], sent, workspace)
    os.kill(process.pid, signal.SIGCONT)
    process.join(hard.PATIENCE_S)
    assert process.exitcode == 0
    check_each_once([run], sent, workspace)
