"""A kind of task whose turns are noted, and ways to let time pass for it."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import pytest

from accounts.access import Actor
from accounts.models import Workspace
from agents.models import PeriodicTask, PeriodicTurn
from agents.periodic.claims import claim_due
from agents.periodic.registry import KINDS, Outcome, OutcomeStatus, PeriodicKind
from agents.periodic.services import create_task
from agents.periodic.worker import do_turn
from lib import clock


@dataclass
class Noted:
    """What the kind did, and what it is to answer: an outcome, or an error to raise."""

    turns: list[tuple[UUID, datetime, int]] = field(default_factory=list)
    answer: Outcome | Exception = field(default_factory=lambda: Outcome(OutcomeStatus.DONE, "Done."))

    def do(self, task: PeriodicTask, turn: PeriodicTurn, by: Actor) -> Outcome:
        self.turns.append((task.pk, turn.wanted_at, turn.missed))
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer


@pytest.fixture
def noted(monkeypatch: pytest.MonkeyPatch) -> Noted:
    noted = Noted()
    schema = {"type": "object", "properties": {"city": {"type": "string"}}, "additionalProperties": False}
    monkeypatch.setitem(KINDS, "note", PeriodicKind("note", "Note", noted.do, schema))
    return noted


@pytest.fixture
def daily(noted: Noted, in_workspace: Workspace, alice_actor: Actor) -> Callable[..., PeriodicTask]:
    """`daily(spec=…)`: a task of Alice's, at nine in Berlin unless told otherwise, at the very second."""

    def make(**fields: Any) -> PeriodicTask:
        usual = {"kind": "note", "name": "Nine", "mode": "cron", "spec": "0 9 * * *", "window_s": 0, "by": alice_actor}
        return create_task(**{**usual, **fields})

    return make


@pytest.fixture
def at_time() -> Iterator[Callable[[datetime], None]]:
    """`at_time(moment)`: from then on it is that time."""
    moved: list[Any] = []

    def move(moment: datetime) -> None:
        shift = clock.shifted(moment - clock.now())
        shift.__enter__()
        moved.append(shift)

    yield move
    for shift in reversed(moved):
        shift.__exit__(None, None, None)


@pytest.fixture
def work(at_time: Callable[[datetime], None]) -> Callable[..., list[Any]]:
    """`work(moment)`: claim and do everything that is due at that moment; how each turn ended."""

    def go(moment: datetime | None = None) -> list[Any]:
        if moment:
            at_time(moment)
        ended = []
        while claims := claim_due(100).claims:
            ended += [do_turn(claim) for claim in claims]
            # The seconds have room for a few each.
            at_time(clock.now() + timedelta(seconds=1))
        return ended

    return go
