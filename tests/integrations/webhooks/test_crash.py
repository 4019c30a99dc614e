"""Real processes, killed at any moment or sent against each other: nothing is lost, and nothing turns around."""

import json
import os
import signal
from collections import Counter
from datetime import timedelta

import pytest
from django.db import connection

from accounts.models import Event
from accounts.scope import workspace_scope
from accounts.services import emit
from integrations.models import WebhookDelivery
from integrations.webhooks import sending
from integrations.webhooks.handing_on import hand_on_events
from integrations.webhooks.sending import claim_due, send_claimed
from integrations.webhooks.services import create_endpoint
from lib import clock
from tests.agents.runs import hard

pytestmark = pytest.mark.django_db(transaction=True)
AFTER_THE_LEASE = timedelta(seconds=sending.LEASE_S + 1)
OBJECTS, EVENTS = 6, 4


@pytest.fixture
def committed(receiver, workspace, alice_actor):
    """An endpoint, and events that nobody has handed on; begins with everything loaded."""
    with workspace_scope(workspace.pk):
        create_endpoint(receiver.url, ["run."], by=alice_actor)
        Event.objects.update(is_handed_on=True)
        for n in range(OBJECTS * EVENTS):
            emit(workspace, "run.waiting", run=str(n % OBJECTS), action=str(n // OBJECTS))
    return receiver


@pytest.fixture
def rows(workspace):
    def read():
        with workspace_scope(workspace.pk):
            return list(WebhookDelivery.objects.order_by("id"))

    return read


def die(*_args: object) -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def die_at(statement: int) -> None:
    left = iter(range(statement, -1, -1))

    def strike(execute, *args):
        if next(left, -1) == 0:
            die()
        return execute(*args)

    with connection.execute_wrapper(strike):
        hand_on_events()


def drain() -> None:
    while claims := claim_due():
        for claim in claims:
            send_claimed(claim)


def told(receiver):
    """(object, number) in the order of their calls."""
    data = [json.loads(body)["data"] for _headers, body in receiver.heard]
    return [(row["run"]["id"], int(row["action"])) for row in data]


def test_killed_at_any_statement_events_become_one_row_each(committed, rows):
    codes = [hard.in_child(die_at, statement) for statement in range(2, 14, 2)]
    assert codes.count(-signal.SIGKILL) >= 4
    hand_on_events()
    assert Counter(row.event_id for row in rows()).most_common(1)[0][1] == 1
    assert len(rows()) == OBJECTS * EVENTS


def test_killed_between_the_call_and_its_record_it_is_sent_again_under_its_id(committed, rows):
    hand_on_events()
    (claim,) = claim_due(1)

    def worker():
        sending._record = die
        send_claimed(claim)

    assert hard.in_child(worker) == -signal.SIGKILL
    assert (len(committed.heard), {row.status for row in rows()}) == (1, {"pending"})
    assert not any(found.delivery_id == claim.delivery_id for found in claim_due())
    with clock.shifted(AFTER_THE_LEASE):
        drain()
    assert {row.status for row in rows()} == {"delivered"}
    ids = Counter(headers["X-Rostrum-Id"] for headers, _body in committed.heard)
    assert sorted(ids.values()) == [1] * (OBJECTS * EVENTS - 1) + [2]
    first = dict.fromkeys(told(committed))
    assert [pair for pair in first if pair[0] == "0"] == [("0", n) for n in range(EVENTS)]


def test_killed_before_the_call_it_is_sent_once(committed, rows):
    hand_on_events()

    def worker():
        sending.call = die
        send_claimed(claim_due(1)[0])

    assert hard.in_child(worker) == -signal.SIGKILL
    with clock.shifted(AFTER_THE_LEASE):
        drain()
    assert Counter(told(committed)).most_common(1)[0][1] == 1
    assert len(committed.heard) == OBJECTS * EVENTS


def test_several_senders_at_once_neither_double_nor_turn_around(committed, rows):
    hand_on_events()
    children = [hard.fork(drain) for _ in range(3)]
    for child in children:
        child.join(hard.PATIENCE_S)
        assert child.exitcode == 0
    # Who found nothing free may have left before the others had finished.
    drain()
    calls = told(committed)
    assert Counter(calls).most_common(1)[0][1] == 1
    for key in map(str, range(OBJECTS)):
        assert [number for run, number in calls if run == key] == list(range(EVENTS))
    assert {row.status for row in rows()} == {"delivered"}
