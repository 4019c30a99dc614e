"""Whose turn it is: fair by workspace, so many in a second, one worker each, whatever dies."""

import os
import signal
from collections import Counter
from datetime import UTC, datetime, timedelta

import pytest
from django.db import connection

from accounts.models import RateCell, User, Workspace
from accounts.scope import all_workspaces_scope, workspace_scope
from accounts.services import create_workspace
from agents import tasks
from agents.models import PeriodicTask, PeriodicTurn
from agents.periodic import claims
from agents.periodic.claims import claim_due, count_due
from agents.periodic.registry import KINDS, Outcome, OutcomeStatus, PeriodicKind
from agents.periodic.worker import do_turn, pump, wanted_pumps
from lib import clock
from tests.campaigns.engine.workers import answers_of, start

pytestmark = pytest.mark.django_db
NINE = datetime(2030, 1, 7, 8, tzinfo=UTC)


def plant(workspace, user, number, *, due_at=NINE, **fields):
    """Daily tasks that are due then, as a service would have left them."""
    with workspace_scope(workspace.pk):
        usual = {"kind": "note", "name": "n", "mode": "cron", "spec": "0 9 * * *", "time_zone": "Europe/Berlin"}
        rows = [
            PeriodicTask(
                workspace=workspace, user=user, wanted_at=due_at, due_at=due_at, window_s=0, **(usual | fields)
            )
            for _ in range(number)
        ]
        PeriodicTask.objects.bulk_create(rows)


def names(batch):
    with all_workspaces_scope("test"):
        found = dict(Workspace.objects.filter(pk__in=[c.workspace_id for c in batch.claims]).values_list("pk", "name"))
    return Counter(found[claim.workspace_id] for claim in batch.claims)


@pytest.fixture
def nine(at_time):
    at_time(NINE)


@pytest.fixture
def plenty(settings):
    settings.PERIODIC_PER_S = 1000


@pytest.mark.usefixtures("nine", "plenty", "noted")
def test_a_flood_of_one_workspace_leaves_room_for_the_others(workspace, alice, other_workspace, charlie):
    plant(workspace, alice, 40, due_at=NINE - timedelta(hours=1))
    plant(other_workspace, charlie, 3)
    assert names(claim_due(4)) == {"Roastery": 2, "Bakery": 2}
    assert names(claim_due(4)) == {"Roastery": 2, "Bakery": 1}
    # Four of one workspace are in work, and no more until one of them has ended.
    assert claim_due(10).claims == []


@pytest.mark.usefixtures("nine", "plenty", "noted")
def test_a_flood_that_fills_the_first_look_is_looked_past(workspace, alice, other_workspace, charlie, monkeypatch):
    monkeypatch.setattr(claims, "SEEN", 10)
    plant(workspace, alice, 30, due_at=NINE - timedelta(hours=1))
    plant(other_workspace, charlie, 2)
    assert names(claim_due(6)) == {"Roastery": 4, "Bakery": 2}


@pytest.mark.usefixtures("nine", "plenty", "noted")
def test_what_ended_makes_room(workspace, alice):
    plant(workspace, alice, 6)
    (first, *_) = claim_due(10).claims
    do_turn(first)
    assert len(claim_due(10).claims) == 1


@pytest.mark.usefixtures("noted")
def test_so_many_start_in_a_second(workspace, alice, settings, at_time):
    settings.PERIODIC_PER_WORKSPACE = 1000
    plant(workspace, alice, 200)
    for tenth in range(30):
        at_time(NINE + timedelta(seconds=tenth / 10))
        while claim_due(7).claims:
            pass
    with all_workspaces_scope("test"):
        starts = sorted(PeriodicTurn.objects.values_list("started_at", flat=True))
    second = timedelta(seconds=1)
    assert max(sum(start <= other < start + second for other in starts) for start in starts) <= 60
    assert len(starts) >= 145


@pytest.mark.usefixtures("nine", "noted")
def test_a_full_second_says_when_to_come_back(workspace, alice, settings):
    settings.PERIODIC_PER_WORKSPACE = 1000
    plant(workspace, alice, 30)
    while claim_due(10).claims:
        pass
    assert claim_due(10).wait_s == pytest.approx(0.1)
    assert count_due(1000) == 20


@pytest.mark.usefixtures("nine", "noted")
def test_a_slow_pace_goes_one_by_one(workspace, alice, settings):
    settings.PERIODIC_PER_S = 1
    plant(workspace, alice, 3)
    assert len(claim_due(10).claims) == 1
    assert claim_due(10).wait_s == 1


@pytest.mark.usefixtures("nine", "plenty", "noted")
def test_what_is_paused_leased_or_later_is_not_due(workspace, alice):
    plant(workspace, alice, 1, is_active=False)
    plant(workspace, alice, 1, lease_until=NINE + timedelta(seconds=30))
    plant(workspace, alice, 1, due_at=NINE + timedelta(seconds=30))
    assert (count_due(10), claim_due(10).claims) == (0, [])


@pytest.mark.usefixtures("nine", "noted")
@pytest.mark.parametrize(("due", "pumps"), [(0, 0), (1, 1), (5, 1), (6, 2), (100, 4)])
def test_as_many_workers_are_woken_as_the_due_tasks_are_worth(due, pumps, workspace, alice):
    plant(workspace, alice, due)
    assert wanted_pumps() == pumps


@pytest.mark.usefixtures("nine", "plenty")
def test_a_message_wakes_a_pump_that_does_what_is_due(workspace, alice, noted, settings):
    settings.CELERY_TASK_ALWAYS_EAGER = True
    plant(workspace, alice, 7)
    tasks.do_periodic()
    assert len(noted.turns) == 7
    assert pump(1) == 0


@pytest.mark.usefixtures("nine", "plenty", "noted")
def test_a_claim_of_many_is_as_many_statements_as_of_one(workspace, alice, django_assert_num_queries, settings):
    settings.PERIODIC_PER_WORKSPACE = 1000
    plant(workspace, alice, 40)
    for number in (1, 20):
        with django_assert_num_queries(12):
            assert len(claim_due(number).claims) == number


@pytest.mark.usefixtures("nine", "plenty", "noted")
def test_the_claim_reads_its_index_however_many_tasks_there_are(workspace, alice):
    plant(workspace, alice, 3000, due_at=NINE + timedelta(days=1))
    plant(workspace, alice, 5)
    with all_workspaces_scope("test"), connection.cursor() as cursor:
        cursor.execute("ANALYZE agents_periodictask")
        cursor.execute("EXPLAIN " + claims.PICK, {"now": NINE, "batch": 5, "most": 4, "seen": 2000})
        plan = "\n".join(row[0] for row in cursor.fetchall())
    assert "periodic_due" in plan
    assert "Seq Scan on agents_periodictask" not in plan


# --- real processes -----------------------------------------------------------------------------------------


@pytest.fixture
def crowd(transactional_db, monkeypatch):
    """Eight workspaces with five due tasks each, whose kind writes a row of its own."""
    found = []
    for number in range(8):
        user = User.objects.create_user(f"u{number}@example.org", None, name=f"U{number}")
        found.append(create_workspace(f"W{number}", owner=user))
        plant(found[-1], user, 5, due_at=clock.now())
    monkeypatch.setitem(KINDS, "note", PeriodicKind("note", "Note", _note))
    return found


def _note(task, turn, by):
    # A second one would double its name, and be counted.
    PeriodicTask.objects.filter(pk=task.pk).update(args={"done": task.args.get("done", 0) + 1})
    return Outcome(OutcomeStatus.DONE, "Done.")


@pytest.mark.django_db(transaction=True)
def test_workers_side_by_side_do_each_turn_once(crowd, settings):
    settings.PERIODIC_PER_S = 2000

    def work(_number: int) -> int:
        return pump(20)

    assert sum(answers_of(work, 4)) == 40
    with all_workspaces_scope("test"):
        assert PeriodicTurn.objects.filter(status="done").count() == 40
        assert {task.args["done"] for task in PeriodicTask.objects.all()} == {1}
        assert set(PeriodicTask.objects.values_list("fence", flat=True)) == {1}
    assert RateCell.objects.count() >= 1


@pytest.mark.django_db(transaction=True)
def test_a_killed_worker_loses_and_doubles_nothing(crowd, settings):
    settings.PERIODIC_PER_S, settings.PERIODIC_LEASE_S = 2000, 1

    def die_in_the_middle() -> None:
        claimed = claim_due(5).claims
        do_turn(claimed[0])
        os.kill(os.getpid(), signal.SIGKILL)

    child = start(die_in_the_middle)
    child.join(60)
    assert child.exitcode == -signal.SIGKILL
    with clock.shifted(timedelta(seconds=2)):
        assert pump(20) == 39
    with all_workspaces_scope("test"):
        assert {task.args["done"] for task in PeriodicTask.objects.all()} == {1}
        assert Counter(PeriodicTask.objects.values_list("fence", flat=True)) == {1: 36, 2: 4}
        assert PeriodicTurn.objects.filter(status="done").count() == 40
