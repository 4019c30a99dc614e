import pytest

from accounts.access import Actor
from accounts.models import Workspace
from analytics.models import Link
from social.models import Connection
from tests.campaigns.cast import add_connection
from tests.experiments.cast import make_link


@pytest.fixture
def link(in_workspace: Workspace, bob_actor: Actor) -> Link:
    return make_link(bob_actor)


@pytest.fixture
def roastery(in_workspace: Workspace) -> Connection:
    return add_connection(in_workspace, "roastery")
