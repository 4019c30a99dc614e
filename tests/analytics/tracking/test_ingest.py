"""Events come in by one door, and a rollup misses none of them, whoever is at work or killed at the same moment."""

import os
import signal
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Event as Flag
from threading import Thread
from uuid import uuid4

import pytest
from django.db import DatabaseError, connection, transaction

from accounts.scope import workspace_scope
from analytics.models import Event
from analytics.rollups import counts, rebuild, roll_up, settled_number
from analytics.tracking.ingest import EventRow, add_events
from lib.clock import now
from tests.analytics.tracking.conftest import NOON, raw
from tests.waiting import wait_for

DAY = NOON.date()


def rows(number: int, **more) -> list[EventRow]:
    return [EventRow("click", NOON, uuid4(), visitor=f"{n % 7:032x}", **more) for n in range(number)]


@pytest.mark.parametrize("number", [1, 20, 21, 300])
def test_every_way_in_keeps_every_column(workspace, number) -> None:
    full = {
        "name": "na\tme\n\\N",
        "campaign_id": uuid4(),
        "post_id": uuid4(),
        "link_id": uuid4(),
        "arm": "b",
        "is_bot": True,
        "bot_reason": "agent",
        "referrer": "t.co",
        "device": "bot",
        "language": "zh-CN",
        "value_micro": -5,
    }
    sent = rows(number, **full)
    assert add_events(workspace.pk, sent) == number
    assert add_events(workspace.pk, sent) == 0
    with workspace_scope(workspace.pk):
        stored = list(Event.objects.order_by("number").values(*EventRow._fields))
    assert sorted(stored, key=lambda row: row["id"]) == sorted((r._asdict() for r in sent), key=lambda row: row["id"])
    assert raw("SELECT count(DISTINCT number) FROM analytics_event") == number


def test_two_big_batches_in_one_transaction_do_not_mix(workspace, other_workspace) -> None:
    with transaction.atomic():
        assert add_events(workspace.pk, rows(50)) == 50
        assert add_events(other_workspace.pk, rows(60)) == 60
    with workspace_scope(workspace.pk):
        assert Event.objects.count() == 50


def test_nobody_writes_into_another_workspace(workspace, other_workspace) -> None:
    with (
        pytest.raises(DatabaseError, match="row-level security"),
        transaction.atomic(),
        workspace_scope(workspace.pk),
        connection.cursor() as cursor,
    ):
        cursor.execute(
            "INSERT INTO analytics_event (id, workspace_id, at, received_at, kind, name, arm, visitor, is_bot, "
            "bot_reason, referrer, device, language, value_micro) "
            "VALUES (%s, %s, %s, %s, 'click', '', '', '', FALSE, '', '', '', '', 0)",
            [uuid4(), other_workspace.pk, NOON, NOON],
        )


# --- at the same time -----------------------------------------------------------------------------------------


@pytest.mark.django_db(transaction=True)
def test_a_rollup_waits_for_whoever_writes_and_holds_nobody_up(workspace, monkeypatch) -> None:
    monkeypatch.setattr("analytics.rollups.PATIENCE_S", 0.05)
    wrote, may_commit = Flag(), Flag()

    def write_slowly() -> None:
        try:
            with transaction.atomic():
                add_events(workspace.pk, rows(1))
                wrote.set()
                may_commit.wait(20)
        finally:
            connection.close()

    writer = Thread(target=write_slowly)
    writer.start()
    assert wrote.wait(20)
    add_events(workspace.pk, rows(1))
    assert settled_number() is None
    assert roll_up() == 0
    # Exact all the same: what is committed is there.
    assert counts(workspace.pk, DAY, DAY)[0]["events"] == 1
    may_commit.set()
    writer.join()
    roll_up()
    assert raw("SELECT sum(events) FROM analytics_dayrollup") == 2


@pytest.mark.django_db(transaction=True)
def test_many_writers_readers_and_rollups_agree(workspace) -> None:
    done = Flag()

    def closing(work):
        def run(*args):
            try:
                return work(*args)
            finally:
                connection.close()

        return run

    def write(number: int) -> int:
        return sum(add_events(workspace.pk, rows(count)) for count in (1, 30, 2, number))

    def roll() -> int:
        moved = 0
        while not done.is_set():
            moved += roll_up(batch=29)
        return moved

    def read() -> list[int]:
        seen = []
        while not done.is_set():
            found = counts(workspace.pk, DAY, DAY, kinds=("click",))
            seen.append(found[0]["events"] if found else 0)
        return seen

    with ThreadPoolExecutor(7) as pool:
        rolling = [pool.submit(closing(roll)) for _ in range(2)]
        reading = pool.submit(closing(read))
        written = sum(pool.map(closing(write), range(40, 44)))
        done.set()
        seen = reading.result()
        assert all(one.result() >= 0 for one in rolling)
    assert seen == sorted(seen)
    for _ in range(2):
        assert counts(workspace.pk, DAY, DAY) == [{"events": written, "visitors": 7, "value_micro": 0}]
        roll_up()
    assert rebuild(DAY, keep=False) == 0


CHILD = """
import django, sys
django.setup()
from analytics import rollups
print("ready", flush=True)
while True:
    rollups.roll_up(batch=5)
"""


@pytest.mark.django_db(transaction=True)
def test_a_killed_rollup_counts_nothing_twice(workspace, child_env) -> None:
    add_events(workspace.pk, rows(4000))
    env = {**child_env, "DJANGO_SETTINGS_MODULE": "marketing.settings"}
    child = subprocess.Popen([sys.executable, "-c", CHILD], env=env, stdout=subprocess.PIPE, cwd=os.getcwd())
    try:
        assert child.stdout.readline() == b"ready\n"
        wait_for(lambda: raw("SELECT coalesce(max(number), 0) FROM analytics_rollupcursor") > 0)
    finally:
        child.send_signal(signal.SIGKILL)
        child.wait()
        child.stdout.close()
    assert counts(workspace.pk, DAY, DAY)[0]["events"] == 4000
    roll_up()
    assert raw("SELECT sum(events) FROM analytics_dayrollup") == 4000
    assert raw("SELECT sum(events) FROM analytics_hourrollup") == 4000
    assert rebuild(DAY, keep=False) == 0


def test_what_was_rolled_back_is_in_no_count(workspace) -> None:
    with transaction.atomic():
        add_events(workspace.pk, rows(3))
        transaction.set_rollback(True)
    add_events(workspace.pk, rows(2))
    roll_up()
    assert counts(workspace.pk, DAY, DAY)[0]["events"] == 2


def test_a_time_far_away_is_kept(workspace) -> None:
    far = now() + timedelta(days=4000)
    add_events(workspace.pk, [EventRow("click", far)])
    roll_up()
    assert counts(workspace.pk, far.date() - timedelta(days=1), far.date() + timedelta(days=1))[0]["events"] == 1
