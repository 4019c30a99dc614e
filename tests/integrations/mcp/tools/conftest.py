from collections.abc import Callable

import pytest

import integrations.mcp.prompts
import integrations.mcp.tools  # noqa: F401 (fills the registry)
from accounts.access import Actor
from accounts.models import User, Workspace
from accounts.scope import workspace_scope
from tests.agents.conftest import sandbox, sandbox_process  # noqa: F401 fixtures
from tests.integrations.mcp.tools.cast import Cast, Program, plant, program_of


@pytest.fixture
def program(in_workspace: Workspace) -> Callable[[User], Program]:
    return lambda user: program_of(user, in_workspace)


@pytest.fixture
def bobs(program, bob: User) -> Program:
    """An editor's."""
    return program(bob)


@pytest.fixture
def vics(program, vic: User) -> Program:
    """A viewer's."""
    return program(vic)


@pytest.fixture
def cast(in_workspace: Workspace, bob_actor: Actor) -> Cast:
    return plant(bob_actor)


@pytest.fixture
def strange(in_workspace: Workspace, other_workspace: Workspace, charlie_actor: Actor) -> Cast:
    """The same in Bakery."""
    with workspace_scope(other_workspace.pk):
        return plant(charlie_actor)
