"""Counts by hour and day: what the rollups and their tail say is what counting the raw events says, always."""

import random
from datetime import UTC, date, datetime, timedelta
from uuid import uuid4
from zoneinfo import ZoneInfo

import pytest

from accounts.models import Workspace
from analytics.models import RollupCursor
from analytics.rollups import counts, rebuild, roll_up
from analytics.tracking.ingest import EventRow, add_events
from tests.analytics.tracking.conftest import NOON, raw, rows_of

DAY = date(2026, 3, 10)
KINDS = ("click", "view", "conversion")
# Half hours, quarters, both ways of summer time, and the half hour of it on Lord Howe.
ZONES = ("UTC", "Asia/Kolkata", "Asia/Kathmandu", "Europe/Berlin", "America/New_York", "Australia/Lord_Howe")
CHANGES = [datetime(2026, 3, 29), datetime(2026, 10, 25), datetime(2026, 4, 5), datetime(2026, 3, 8)]


def random_rows(seed: int, number: int) -> list[EventRow]:
    """Around the hours in which clocks change, most of them alike."""
    dice = random.Random(seed)
    ids = [None, *(uuid4() for _ in range(3))]
    return [
        EventRow(
            dice.choice(KINDS),
            dice.choice(CHANGES).replace(tzinfo=UTC) + timedelta(minutes=dice.randrange(-900, 1500)),
            name=dice.choice(["", "buy"]),
            campaign_id=dice.choice(ids),
            link_id=dice.choice(ids),
            arm=dice.choice(["", "a", "b"]),
            visitor=dice.choice(["", *(f"{n:032x}" for n in range(6))]),
            is_bot=dice.random() < 0.2,
            value_micro=dice.choice([0, 5_000_000, -1_000_000]),
        )
        for _ in range(number)
    ]


def by_hand(rows: list[EventRow], zone: str, since: date, until: date, names: tuple[str, ...]) -> dict:
    """The same answer by the plainest of loops."""
    found, seen = {}, set()
    fine = {"link_id", "arm", "name", "post_id"} & set(names)
    level = "link_id" if fine else "campaign_id" if "campaign_id" in names else ""
    for row in rows:
        local = row.at.astimezone(ZoneInfo(zone))
        if not since <= local.date() <= until:
            continue
        values = {**row._asdict(), "day": local.date()}
        group = found.setdefault(tuple(values[name] for name in names), [0, 0, 0])
        # Finer than a campaign only clicks know.
        place = values[level] if level and (level == "link_id" or row.kind == "click") else None
        place = row.link_id if row.kind != "click" else place
        who = (local.date(), row.kind, place, row.visitor)
        # What takes value away is a refund: nobody did anything once more.
        is_counted = row.value_micro >= 0
        is_new = bool(row.visitor) and not row.is_bot and is_counted and who not in seen
        if is_new:
            seen.add(who)
        group[0] += is_counted
        group[1] += is_new
        group[2] += row.value_micro
    return {key: tuple(value) for key, value in found.items()}


def asked(workspace: Workspace, since: date, until: date, names: tuple[str, ...]) -> dict:
    rows = counts(workspace.pk, since, until, by=names)
    return {tuple(row[name] for name in names): (row["events"], row["visitors"], row["value_micro"]) for row in rows}


@pytest.mark.parametrize("zone", ZONES)
def test_the_answer_is_exact_however_much_is_rolled_up(workspace, zone) -> None:
    workspace.time_zone = zone
    workspace.save(update_fields=["time_zone"])
    rows = random_rows(len(zone), 400)
    span = (date(2026, 3, 7), date(2026, 10, 26))
    finest = ("day", "kind", "link_id", "arm", "name")
    questions = [("kind",), ("day", "kind", "is_bot"), ("kind", "campaign_id"), finest]
    for start in range(0, 400, 100):
        add_events(workspace.pk, rows[start : start + 100])
        for names in questions:
            assert asked(workspace, *span, names) == by_hand(rows[: start + 100], zone, *span, names)
        if start != 200:
            roll_up(batch=37)
        for names in questions:
            assert asked(workspace, *span, names) == by_hand(rows[: start + 100], zone, *span, names)
    assert rebuild(date(2026, 1, 1), keep=False, batch=53) == 0
    assert sum(row["events"] for row in counts(workspace.pk, *span, by=("hour",), unit="hour")) == sum(
        row.value_micro >= 0 for row in rows
    )


def test_hours_are_those_of_the_clock_and_the_repeated_one_stays_two(workspace, events) -> None:
    workspace.time_zone = "Europe/Berlin"
    workspace.save(update_fields=["time_zone"])
    at = datetime(2026, 10, 25, 0, 30, tzinfo=UTC)
    events({"at": at}, {"at": at + timedelta(minutes=29)}, {"at": at + timedelta(hours=1)})
    roll_up()
    found = counts(workspace.pk, at.date(), at.date(), by=("hour",), unit="hour")
    assert [(row["hour"].hour, row["events"]) for row in found] == [(0, 2), (1, 1)]


def test_hours_of_a_zone_with_45_minutes_begin_on_its_clock(workspace, events) -> None:
    workspace.time_zone = "Asia/Kathmandu"
    workspace.save(update_fields=["time_zone"])
    events({"at": datetime(2026, 3, 10, 18, 14, tzinfo=UTC)}, {"at": datetime(2026, 3, 10, 18, 15, tzinfo=UTC)})
    roll_up()
    days = counts(workspace.pk, DAY, DAY + timedelta(days=1), by=("day",))
    assert [(row["day"], row["events"]) for row in days] == [(DAY, 1), (DAY + timedelta(days=1), 1)]
    hours = counts(workspace.pk, DAY, DAY + timedelta(days=1), by=("hour",), unit="hour")
    assert [(row["hour"].hour, row["hour"].minute) for row in hours] == [(17, 15), (18, 15)]


def test_a_late_event_is_counted_on_its_own_day(workspace, events) -> None:
    events({"at": NOON})
    roll_up()
    events({"at": NOON - timedelta(days=20)})
    roll_up()
    first = (NOON - timedelta(days=20)).date()
    days = counts(workspace.pk, first, DAY, by=("day",))
    assert [(row["day"], row["events"]) for row in days] == [(first, 1), (DAY, 1)]


def test_the_same_event_again_changes_nothing(workspace, events) -> None:
    row = {"id": uuid4(), "visitor": "a" * 32}
    assert events(row, row) == 1
    roll_up()
    assert events(row) == 0
    assert events(*[row] * 30, *[{"id": uuid4()} for _ in range(30)]) == 30
    roll_up()
    assert counts(workspace.pk, DAY, DAY) == [{"events": 31, "visitors": 1, "value_micro": 0}]


def test_a_visitor_of_two_links_is_one_of_the_workspace(workspace, events) -> None:
    one, two, campaign = uuid4(), uuid4(), uuid4()
    clicks = [{"link_id": pk, "campaign_id": campaign, "visitor": "a" * 32} for pk in (one, one, two)]
    events(*clicks[:2])
    roll_up()
    events(clicks[2], {"link_id": two, "visitor": "b" * 32})
    for _ in range(2):
        assert counts(workspace.pk, DAY, DAY)[0]["visitors"] == 2
        by_link = {row["link_id"]: row["visitors"] for row in counts(workspace.pk, DAY, DAY, by=("link_id",))}
        assert by_link == {one: 1, two: 2}
        assert counts(workspace.pk, DAY, DAY, campaign_id=campaign)[0]["visitors"] == 1
        assert counts(workspace.pk, DAY, DAY, link_id=two)[0]["events"] == 2
        roll_up()


def test_bots_are_counted_apart_and_are_nobody(workspace, events) -> None:
    events({"visitor": "a" * 32, "is_bot": True}, {"visitor": "b" * 32})
    roll_up()
    found = {row["is_bot"]: (row["events"], row["visitors"]) for row in counts(workspace.pk, DAY, DAY, by=("is_bot",))}
    assert found == {True: (1, 0), False: (1, 1)}


def test_kinds_can_be_chosen(workspace, events) -> None:
    events({"kind": "click"}, {"kind": "view"}, {"kind": "conversion", "name": "buy", "value_micro": 7})
    assert counts(workspace.pk, DAY, DAY, kinds=("conversion",), by=("name",)) == [
        {"name": "buy", "events": 1, "visitors": 0, "value_micro": 7}
    ]


def test_nothing_is_nothing(workspace) -> None:
    assert counts(workspace.pk, DAY, DAY) == []
    assert roll_up() >= 0


@pytest.mark.parametrize(("by", "unit"), [(("color",), "day"), (("hour",), "day"), ((), "week")])
def test_what_cannot_be_counted_by_is_refused(workspace, by, unit) -> None:
    with pytest.raises(ValueError, match="There is no"):
        counts(workspace.pk, DAY, DAY, by=by, unit=unit)


def test_a_workspace_sees_its_own_events_only(workspace, other_workspace, events) -> None:
    events({}, {})
    add_events(other_workspace.pk, [EventRow("click", NOON)])
    roll_up()
    assert [counts(one.pk, DAY, DAY)[0]["events"] for one in (workspace, other_workspace)] == [2, 1]


def test_a_rebuild_mends_what_was_damaged(workspace, events) -> None:
    events(*[{"visitor": f"{n % 3:032x}", "link_id": uuid4()} for n in range(9)])
    roll_up()
    rows_of("UPDATE analytics_dayrollup SET events = events + 1 RETURNING 1")
    rows_of("DELETE FROM analytics_hourrollup RETURNING 1")
    assert counts(workspace.pk, DAY, DAY)[0]["events"] > 9
    assert rebuild(DAY, keep=False) > 0
    assert counts(workspace.pk, DAY, DAY)[0]["events"] > 9
    assert rebuild(DAY) > 0
    assert counts(workspace.pk, DAY, DAY) == [{"events": 9, "visitors": 3, "value_micro": 0}]
    assert rebuild(DAY) == 0


def test_a_rebuild_leaves_earlier_days_alone(workspace, events) -> None:
    events({}, {"at": NOON - timedelta(days=40)})
    roll_up()
    rows_of("DELETE FROM analytics_event RETURNING 1")
    assert rebuild(DAY) == 2
    days = counts(workspace.pk, date(2026, 1, 1), DAY, by=("day",))
    assert [row["day"] for row in days] == [(NOON - timedelta(days=40)).date()]


def test_what_is_not_rolled_up_waits_with_the_cursor(workspace, events) -> None:
    events({})
    assert roll_up() > 0
    assert roll_up() == 0
    assert raw("SELECT number FROM analytics_rollupcursor") == raw("SELECT last_value FROM analytics_event_number")
    assert RollupCursor.objects.count() == 1
