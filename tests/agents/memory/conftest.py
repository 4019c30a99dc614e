from collections.abc import Callable

import pytest

from accounts.access import Actor
from agents.memory import remember
from agents.models import MemoryItem


@pytest.fixture
def learn(in_workspace, bob_actor: Actor) -> Callable[..., MemoryItem]:
    """Bob has something remembered."""

    def make(text: str, *, by: Actor = bob_actor, **fields: object) -> MemoryItem:
        return remember(text, by=by, **fields)  # type: ignore[arg-type]

    return make
