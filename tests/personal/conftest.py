"""A sandbox that answers for the providers, and people who watch."""

from collections.abc import Callable

import pytest

from accounts.access import Actor
from accounts.models import Workspace
from personal.models import Watch, WatchValue
from personal.polling import poll_once
from personal.providers import provider_of
from personal.watching import add_watch
from tests.sandbox.cast import Sandbox
from tests.sandbox.conftest import sandbox, sandbox_process

__all__ = ["sandbox", "sandbox_process"]


@pytest.fixture
def providers(sandbox: Sandbox, settings) -> Sandbox:
    """Everything that can be watched, answered by the sandbox."""
    settings.X_API_BASE_URL = settings.X_WEB_BASE_URL = f"{sandbox.url}/x"
    settings.X_BEARER_TOKEN = "sandbox-client-bearer"
    settings.DATA_API_BASE_URL, settings.DATA_API_KEY = f"{sandbox.url}/data", "key"
    settings.DATA_CALLS_PER_S = 1_000
    return sandbox


@pytest.fixture
def watch(providers: Sandbox, in_workspace: Workspace, alice_actor: Actor) -> Callable[..., Watch]:
    def add(typed: str, by: Actor = alice_actor, **fields: object) -> Watch:
        return add_watch(typed, by=by, **fields)[0]  # type: ignore[arg-type]

    return add


def read_all(kind: str = "symbol") -> int:
    """What is due of this kind of value, and of those its provider serves as well."""
    return poll_once(provider_of(kind))


def make_due() -> None:
    WatchValue.objects.update(due_at="2020-01-01T00:00Z")
