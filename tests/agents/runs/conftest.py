from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest

from accounts.access import Actor
from accounts.models import Workspace
from accounts.scope import workspace_scope
from agents.models import Run, Thread
from agents.runs.flow import Flow
from agents.runs.services import start_run
from agents.runs.worker import advance
from agents.workflows.registry import WORKFLOWS, Workflow, register
from lib import clock


@pytest.fixture
def define() -> Iterator[Callable[..., str]]:
    """Registers a workflow for one test and says its name."""
    before = dict(WORKFLOWS)

    def add(run: Callable[[Flow], Any], name: str = "test", **fields: Any) -> str:
        register(Workflow(name, name.title(), run, **fields))
        return name

    yield add
    WORKFLOWS.clear()
    WORKFLOWS.update(before)


@pytest.fixture
def start(in_workspace: Workspace, bob_actor: Actor) -> Callable[..., Run]:
    """A queued run of bob's."""

    def make(workflow: str = "test", input: Any = None, *, by: Actor = bob_actor, **fields: Any) -> Run:
        return start_run(workflow, input or {}, by=by, **fields)

    return make


@pytest.fixture
def go() -> Callable[..., Run]:
    """One claim of the run, `later` seconds from now; the run afterwards."""

    def drive(run: Run, later: float = 0) -> Run:
        with clock.shifted(timedelta(seconds=later)):
            advance(run.pk)
        with workspace_scope(run.workspace_id):
            return Run.objects.get(pk=run.pk)

    return drive


@pytest.fixture
def thread(in_workspace: Workspace, bob_actor: Actor) -> Thread:
    return Thread.objects.create(workspace=in_workspace, user=bob_actor.user)
