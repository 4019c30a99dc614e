"""Worker processes for the proofs: stopped at any statement or moment, or sent against each other."""

import multiprocessing
import os
import random
import signal
import time
from collections.abc import Callable
from datetime import timedelta
from multiprocessing.process import BaseProcess
from typing import Any
from uuid import UUID

from django.db import connection, connections

from accounts.scope import all_workspaces_scope, workspace_scope
from agents.models import Effect, Run
from agents.runs.services import end_expired
from agents.runs.worker import advance, claim_due
from lib import clock

# A fork knows the settings and the workflows of its test; it must only not share its connections.
PROCESSES = multiprocessing.get_context("fork")
PATIENCE_S = 900 if "FULL_PROOFS" in os.environ else 60
IS_FULL = "FULL_PROOFS" in os.environ


def fork(act: Callable[..., Any], *args: Any) -> BaseProcess:
    connections.close_all()
    process = PROCESSES.Process(target=act, args=args)
    process.start()
    return process


def in_child(act: Callable[..., Any], *args: Any) -> int | None:
    """The exit code."""
    process = fork(act, *args)
    process.join(PATIENCE_S)
    assert process.exitcode is not None, "the child does not end"
    return process.exitcode


def answers_at_once(act: Callable[[int], Any], count: int) -> list[str]:
    """What `act(number)` answers, as text, or the name of what it raises, in so many processes at one moment."""
    gate, results = PROCESSES.Barrier(count), PROCESSES.SimpleQueue()

    def run(number: int) -> None:
        connection.ensure_connection()
        gate.wait(PATIENCE_S)
        try:
            results.put(str(act(number)))
        except Exception as error:
            results.put(type(error).__name__)

    processes = [fork(run, number) for number in range(count)]
    answers = [results.get() for _ in processes]
    for process in processes:
        process.join(PATIENCE_S)
    return sorted(answers)


# --- kills ------------------------------------------------------------------------------------------------


def advance_and_die(run_id: UUID, statement: int, *, is_after: bool) -> None:
    """In a child: be killed right before or right after this statement; a COMMIT counts as one."""
    left = iter(range(statement, -1, -1))

    def strike() -> None:
        if next(left, -1) == 0:
            os.kill(os.getpid(), signal.SIGKILL)

    def count(execute: Callable[..., Any], *args: Any) -> Any:
        if not is_after:
            strike()
        found = execute(*args)
        if is_after:
            strike()
        return found

    connection.ensure_connection()
    real_commit = connection.connection.commit

    def commit() -> None:
        if not is_after:
            strike()
        real_commit()
        if is_after:
            strike()

    connection.connection.commit = commit
    with connection.execute_wrapper(count):
        advance(run_id)


def kill_after(run_id: UUID, seconds: float) -> None:
    """A worker that is killed from outside, wherever it stands then: also inside a call to a model."""
    process = fork(advance, run_id)
    time.sleep(seconds)
    process.kill()
    process.join(PATIENCE_S)


def count_statements(run_id: UUID) -> None:
    """In a child: exits with the number of statements and commits that the run takes."""
    seen = [0]
    connection.ensure_connection()
    real_commit = connection.connection.commit

    def commit() -> None:
        seen[0] += 1
        real_commit()

    def count(execute: Callable[..., Any], *args: Any) -> Any:
        seen[0] += 1
        return execute(*args)

    connection.connection.commit = commit
    with connection.execute_wrapper(count):
        advance(run_id)
    os._exit(min(seen[0], 250))


# --- going on ---------------------------------------------------------------------------------------------


def finish_all(limit: int = 1000) -> None:
    """In a child: what the pump and the workers do in the next hours."""
    for later_s in range(120, 3600, 290):
        with clock.shifted(timedelta(seconds=later_s)):
            for run_id in claim_due(limit):
                advance(run_id)
            end_expired()


def still_open(workspace_id: UUID) -> int:
    with workspace_scope(workspace_id):
        return Run.objects.filter(status__in=Run.OPEN).count()


def effects_of(run: Run) -> int:
    with all_workspaces_scope("count"):
        return Effect.objects.filter(run=run).count()


def seeded(seed: int) -> random.Random:
    return random.Random(seed)
