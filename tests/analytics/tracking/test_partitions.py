"""Months of Event: made ahead, dropped whole, with the policy of the table on each."""

from datetime import UTC, date, datetime, timedelta
from threading import Event as Flag
from threading import Thread

import pytest
from django.core.management import call_command
from django.db import connection, transaction

from accounts.scope import workspace_scope
from analytics import partitions
from analytics.models import Event
from analytics.partitions import drop_month, first_whole_day, keep_partitions, known_months, make_month, name_of
from analytics.rollups import counts, roll_up
from analytics.tracking.ingest import EventRow, add_events
from compliance.privacy.holds import set_hold
from compliance.privacy.retention import sweep
from lib.clock import now, shifted
from tests.analytics.tracking.conftest import raw

AT = datetime(2026, 5, 31, 23, 59, 59, tzinfo=UTC)
MAY, JUNE = date(2026, 5, 1), date(2026, 6, 1)


@pytest.fixture
def at_midsummer():
    with shifted(datetime(2026, 6, 15, 12, tzinfo=UTC) - now()):
        yield


def test_months_are_made_ahead_and_only_once(db, at_midsummer) -> None:
    made, dropped = keep_partitions()
    assert made == [name_of(date(2026, month, 1)) for month in (6, 7, 8, 9)]
    assert dropped == []
    assert keep_partitions() == ([], [])
    with shifted(timedelta(days=200)):
        assert keep_partitions()[0] == [name_of(month) for month in (date(2027, m, 1) for m in (1, 2, 3, 4))]


def test_what_came_before_its_month_moves_into_it(workspace) -> None:
    moments = [AT, AT + timedelta(seconds=1), AT - timedelta(days=31)]
    add_events(workspace.pk, [EventRow("click", at) for at in moments])
    roll_up()
    assert make_month(MAY) == "analytics_event_y2026m05"
    assert [raw(f"SELECT count(*) FROM {name}") for name in (name_of(MAY), "analytics_event_default")] == [1, 2]
    add_events(workspace.pk, [EventRow("click", AT)])
    assert raw(f"SELECT count(*) FROM {name_of(MAY)}") == 2
    assert counts(workspace.pk, date(2026, 4, 1), JUNE)[0]["events"] == 4


def test_a_month_is_as_closed_as_the_table(workspace, other_workspace) -> None:
    make_month(MAY)
    add_events(workspace.pk, [EventRow("click", AT)])
    with workspace_scope(other_workspace.pk), connection.cursor() as cursor:
        for name in ("analytics_event", name_of(MAY)):
            cursor.execute(f"SELECT count(*) FROM {name}")
            assert cursor.fetchone() == (0,)
    flags = "SELECT relrowsecurity AND relforcerowsecurity FROM pg_class WHERE relname = %s"
    assert raw(flags, name_of(MAY)) is True
    indexes = "SELECT count(*) FROM pg_indexes WHERE tablename = %s"
    assert raw(indexes, name_of(MAY)) == raw(indexes, "analytics_event_default")


@pytest.mark.parametrize(("today", "stays"), [(datetime(2027, 6, 30), True), (datetime(2027, 7, 1), False)])
def test_a_month_goes_when_all_of_it_is_old(workspace, today, stays) -> None:
    make_month(MAY)
    add_events(workspace.pk, [EventRow("click", AT)])
    roll_up()
    with shifted(today.replace(tzinfo=UTC) - now()):
        keep_partitions()
        assert (MAY in known_months()) is stays
        assert first_whole_day() > MAY
    assert counts(workspace.pk, MAY, JUNE)[0]["events"] == 1
    with workspace_scope(workspace.pk):
        assert Event.objects.exists() is stays


def test_how_many_months_is_a_setting(db, settings) -> None:
    make_month(MAY)
    settings.EVENT_MONTHS = 2
    with shifted(datetime(2026, 8, 1, tzinfo=UTC) - now()):
        assert keep_partitions()[1] == [name_of(MAY)]


def test_a_legal_hold_keeps_the_month_and_the_sweep_takes_the_rest(workspace, other_workspace, alice_actor) -> None:
    make_month(MAY)
    for one in (workspace, other_workspace):
        add_events(one.pk, [EventRow("click", AT)])
    with workspace_scope(workspace.pk):
        set_hold("workspace", workspace.pk, "A court asked.", by=alice_actor)
    with shifted(AT - now() + timedelta(days=500)):
        assert drop_month(MAY) == ""
        sweep()
    assert raw(f"SELECT count(*) FROM {name_of(MAY)}") == 1
    assert raw("SELECT workspace_id FROM analytics_event") == workspace.pk


@pytest.mark.django_db(transaction=True)
def test_a_month_in_use_is_left_for_the_next_turn(workspace, monkeypatch) -> None:
    monkeypatch.setattr(partitions, "LOCK_TIMEOUT", "50ms")
    writing, may_end = Flag(), Flag()

    def write() -> None:
        try:
            with transaction.atomic():
                add_events(workspace.pk, [EventRow("click", AT)])
                writing.set()
                may_end.wait(20)
        finally:
            connection.close()

    writer = Thread(target=write)
    writer.start()
    assert writing.wait(20)
    assert make_month(MAY) == ""
    may_end.set()
    writer.join()
    assert make_month(MAY) == name_of(MAY)
    assert raw(f"SELECT count(*) FROM {name_of(MAY)}") == 1


def test_the_command_proves_that_the_counts_are_right(workspace, capsys) -> None:
    add_events(workspace.pk, [EventRow("click", now()), EventRow("view", now())])
    roll_up()
    day = now().date() - timedelta(days=3)
    call_command("rebuild_rollups", f"--since={day}", "--check")
    assert "0 rows differ" in capsys.readouterr().out
