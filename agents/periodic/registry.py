"""What a periodic task can do, by name. The app whose rows a kind writes defines it and adds it in its `apps.py`."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Any
from uuid import UUID

if TYPE_CHECKING:
    from accounts.access import Actor
    from agents.models import PeriodicTask, PeriodicTurn


class OutcomeStatus(StrEnum):
    DONE = "done"
    # Nothing new: it is written down, and nobody is told.
    QUIET = "quiet"


@dataclass(frozen=True)
class Outcome:
    """`text` for people; `object_id` is what it made: a brief, a run."""

    status: OutcomeStatus
    text: str = ""
    object_id: UUID | None = None


@dataclass(frozen=True)
class PeriodicKind:
    """`do(task, turn, by)` runs in the workspace's scope, in one transaction with the end of its turn.

    So what it writes counts exactly if the turn counts: a worker that dies, or loses its lease, leaves nothing behind.
    It is quick and calls no network: what takes longer starts a run, or a Celery task on commit. It raises TurnFailed
    with a text for people; anything else that it raises is a fault of ours, and both are tried again later.
    """

    name: str
    label: str
    do: Callable[["PeriodicTask", "PeriodicTurn", "Actor"], Outcome]
    # JSON Schema of a task's args.
    schema: Mapping[str, Any] = field(default_factory=lambda: {"type": "object", "additionalProperties": False})
    # The permission that it needs, when it is made and at each turn, as `accounts.access.Perm` names it.
    perm: str = "view"
    # It comes at most so often, whatever the plan allows.
    min_every_s: int = 60


class TurnFailed(Exception):
    """This turn did not work; the text is for people."""


KINDS: dict[str, PeriodicKind] = {}
# The page of one's own tasks, for what people are told of them.
TASKS_PATH = "/you/tasks"


def register(kind: PeriodicKind) -> None:
    KINDS[kind.name] = kind
