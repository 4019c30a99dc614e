"""The measurements of the dispatcher, at a tiny size: that they measure what they say."""

import json
from datetime import timedelta
from io import StringIO
from uuid import UUID

import pytest
from django.core.management import call_command
from django.db import connection

from accounts.models import Workspace
from accounts.scope import all_workspaces_scope
from campaigns.engine import dispatch
from campaigns.models import Delivery, Post
from lib.clock import now
from marketing.benching import fill, scale
from marketing.stack import INSIDE
from social.models import Connection

pytestmark = pytest.mark.django_db
State = Delivery.State
SHAPE = {"workspaces": 4, "accounts": 3}


@pytest.fixture
def everything():
    with all_workspaces_scope("test"):
        yield


@pytest.fixture
def filled(monkeypatch, settings) -> None:
    settings.DISPATCH_EVERY_S = 0.02
    monkeypatch.setattr(scale, "DUE", 2)
    monkeypatch.setattr(scale, "ROUNDS", 3)
    fill.fill(30, **SHAPE)


# --- filling ----------------------------------------------------------------------------------------------------


def test_filling_makes_as_many_deliveries_as_asked(filled, everything) -> None:
    assert Delivery.objects.count() == 30
    assert Post.objects.count() == 10


def test_filling_makes_workspaces_and_their_accounts(filled, everything) -> None:
    assert Workspace.objects.filter(slug__startswith="scale-").count() == 4
    assert Connection.objects.count() == 12


def test_filled_posts_go_to_accounts_of_their_own_workspace(filled, everything) -> None:
    # The composite keys are deferred: now, not at the end of the test.
    connection.cursor().execute("SET CONSTRAINTS ALL IMMEDIATE")
    rows = Delivery.objects.values_list("workspace", "post__workspace", "connection__workspace")
    assert all(len(set(row)) == 1 for row in rows)


def test_every_account_has_something_scheduled(filled, everything) -> None:
    assert Delivery.objects.values("connection").distinct().count() == 12


def test_filling_again_adds_only_what_is_missing(filled, everything) -> None:
    fill.fill(40, **SHAPE)
    assert Delivery.objects.count() == 40


def test_nothing_that_was_filled_is_due(filled) -> None:
    assert dispatch.tick().publish == []


def test_flood_is_due_and_of_one_workspace(filled, everything) -> None:
    fill.flood(9, **SHAPE)
    flooded = Delivery.objects.filter(due_at__lte=now())
    assert flooded.count() == 9
    assert flooded.values("workspace").distinct().count() == 1
    assert flooded.values("connection").distinct().count() == 3


# --- ticks ------------------------------------------------------------------------------------------------------


def test_as_many_accounts_as_asked_have_something_due(filled, everything) -> None:
    scale.make_due(5)
    assert Delivery.objects.filter(due_at__lte=now()).values("connection").distinct().count() == 5


def test_accounts_can_be_left_out_from_what_is_made_due(filled, everything) -> None:
    scale.make_due(1, skip=2)
    due = Delivery.objects.get(due_at__lte=now())
    assert due.connection_id == UUID("00000000-0000-7000-8000-000000000002")


def test_tick_without_work_is_no_measurement(filled) -> None:
    with pytest.raises(AssertionError, match="nothing was due"):
        scale.tick_ms()


def test_measured_claims_are_given_back(filled, everything) -> None:
    scale.make_due(2)
    assert scale.tick_ms() > 0
    assert not Delivery.objects.filter(state=State.PUBLISHING).exists()


def test_after_measuring_one_size_nothing_is_due(filled, everything) -> None:
    found = scale.tick_cost(30)
    assert found["tick_ms_at_30"] > 0
    assert not Delivery.objects.filter(due_at__lte=now()).exists()


def test_scan_of_the_big_tables_is_found_in_a_plan() -> None:
    scan = {"Node Type": "Seq Scan", "Relation Name": "campaigns_delivery"}
    assert scale._scans([{"Plan": {"Node Type": "Limit", "Plans": [scan]}}]) == ["campaigns_delivery"]


def test_scan_of_a_small_table_does_not_count() -> None:
    assert scale._scans({"Node Type": "Seq Scan", "Relation Name": "accounts_switch"}) == []


# --- waiting ----------------------------------------------------------------------------------------------------


def test_lateness_is_counted_from_the_due_time(filled, everything) -> None:
    Delivery.objects.filter(pk=fill_id(0)).update(due_at=now() - timedelta(minutes=5))
    (late,) = scale.pump(1)
    assert 300 <= late < 330


def test_stream_is_claimed_and_published(filled, everything) -> None:
    found = scale.lateness(0.2, per_s=20)
    assert 0 <= found["late_p50_s"] <= found["late_p99_s"]
    assert Delivery.objects.filter(state=State.PUBLISHED).count() == 4


def test_who_floods_does_not_make_others_wait(filled) -> None:
    found = scale.flood_cost(60, **SHAPE)
    assert found["tick_ms_in_flood"] > 0
    assert found["flood_others_late_p99_s"] < 10


def test_delays_of_the_flood_itself_do_not_count(filled) -> None:
    fill.flood(6, **SHAPE)
    assert not scale.is_of_flood(fill_id(29))
    assert scale.is_of_flood(fill_id(fill.FLOOD_FROM + 5))


def test_percentile_is_between_the_smallest_and_the_largest() -> None:
    assert scale.percentile([1.0, 2.0, 3.0], 50) == 2.0
    assert scale.percentile(range(101), 99) == 99


def test_all_measurements_come_in_one_run(filled) -> None:
    found = scale.run([30, 36], seconds=0.1, flooded=12, **SHAPE)
    assert found["tick_36_to_30"] == pytest.approx(found["tick_ms_at_36"] / found["tick_ms_at_30"])


# --- the command ------------------------------------------------------------------------------------------------


@pytest.fixture
def prove(monkeypatch):
    def run(**found: float) -> list[str]:
        monkeypatch.setenv(INSIDE, "http://127.0.0.1:1")
        monkeypatch.setattr(scale, "run", lambda *_args, **_options: found)
        out = StringIO()
        call_command("prove", "--only=dispatcher", stdout=out)
        return out.getvalue().splitlines()

    return run


def test_command_prints_a_table_and_then_one_line_of_json(prove) -> None:
    *table, last = prove(late_p99_s=1.25)
    assert [line.split() for line in table] == [["late_p99_s", "1.250"]]
    assert json.loads(last) == {"late_p99_s": 1.25}


def test_command_fails_when_posts_start_late(prove, settings) -> None:
    with pytest.raises(SystemExit, match="1"):
        prove(late_p99_s=settings.DISPATCH_EVERY_S + 2.1)


def fill_id(number: int) -> UUID:
    return UUID(f"00000000-0000-7000-8000-{number:012x}")
