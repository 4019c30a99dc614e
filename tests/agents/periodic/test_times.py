from datetime import UTC, datetime, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest
from django.core.exceptions import ValidationError

from agents.models import PeriodicTask
from agents.periodic.times import MOST_MISSED, catch_up, least_gap_s, next_time, plan_next, read_spec, slot, slot_of

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)


def task(mode="cron", spec="0 9 * * *", zone="Europe/Berlin", wanted="", window_s=0, created=NOON):
    return PeriodicTask(
        pk=UUID(int=7),
        user_id=UUID(int=9),
        mode=mode,
        spec=spec,
        time_zone=zone,
        window_s=window_s,
        created_at=created,
        wanted_at=datetime.fromisoformat(wanted) if wanted else None,
    )


def coming(spec, zone, after, number):
    found, moment = [], datetime.fromisoformat(after)
    for _ in range(number):
        moment = next_time(task(spec=spec, zone=zone), moment)
        found.append(f"{moment:%m-%dT%H:%M}")
    return found


# (cron, zone, after, times in UTC)
CALENDARS = [
    # Nine stays nine when clocks change.
    ("0 9 * * *", "Europe/Berlin", "2026-10-24T00:00+00:00", ["10-24T07:00", "10-25T08:00", "10-26T08:00"]),
    ("0 9 * * *", "America/New_York", "2027-03-13T00:00+00:00", ["03-13T14:00", "03-14T13:00", "03-15T13:00"]),
    ("0 9 * * *", "Asia/Shanghai", "2026-11-22T01:00+00:00", ["11-23T01:00", "11-24T01:00"]),
    # Half past two does not exist on that day: the next moment that does.
    ("30 2 * * *", "Europe/Berlin", "2026-03-28T12:00+00:00", ["03-29T01:00", "03-30T00:30"]),
    ("15,45 2 * * *", "Europe/Berlin", "2026-03-28T12:00+00:00", ["03-29T01:00", "03-30T00:15", "03-30T00:45"]),
    # It occurs twice: once, and not again when asked between the two, or after both began.
    ("30 2 * * *", "Europe/Berlin", "2026-10-24T12:00+00:00", ["10-25T00:30", "10-26T01:30"]),
    ("30 2 * * *", "Europe/Berlin", "2026-10-25T00:45+00:00", ["10-26T01:30", "10-27T01:30"]),
    ("30 2 * * *", "Europe/Berlin", "2026-10-25T01:10+00:00", ["10-26T01:30", "10-27T01:30"]),
    # An hour is an hour there, too.
    ("*/30 * * * *", "Europe/Berlin", "2026-10-25T00:10+00:00", ["10-25T00:30", "10-25T01:00", "10-25T01:30"]),
    # Half an hour of daylight saving.
    ("0 9 * * *", "Australia/Lord_Howe", "2027-04-02T12:00+00:00", ["04-02T22:00", "04-03T22:30"]),
    ("0 9 * * 1-5", "UTC", "2026-11-20T10:00+00:00", ["11-23T09:00", "11-24T09:00"]),
    ("0 0 29 2 *", "UTC", "2026-11-20T10:00+00:00", ["02-29T00:00"]),
]


@pytest.mark.parametrize(("spec", "zone", "after", "expected"), CALENDARS)
def test_cron_keeps_to_the_clock_on_the_wall(spec, zone, after, expected):
    assert coming(spec, zone, after, len(expected)) == expected


@pytest.mark.parametrize("zone", ["Europe/Berlin", "America/Sao_Paulo", "Pacific/Apia", "Africa/Cairo", "UTC"])
def test_every_time_is_later_than_the_one_before_and_once_a_day_at_most(zone):
    moment, days = datetime(2026, 1, 1, tzinfo=UTC), []
    for _ in range(400):
        later = next_time(task(spec="30 0 * * *", zone=zone), moment)
        assert later > moment
        moment = later
        days.append(later.astimezone(ZoneInfo(zone)).date())
    assert len(set(days)) == len(days)


def test_seconds_are_counted_from_the_beginning_so_that_a_late_turn_moves_nothing():
    hourly = task("every", "3600")
    assert next_time(hourly, NOON) == NOON + timedelta(hours=1)
    assert next_time(hourly, NOON + timedelta(minutes=59, seconds=59)) == NOON + timedelta(hours=1)
    assert next_time(hourly, NOON + timedelta(hours=5, minutes=7)) == NOON + timedelta(hours=6)


def test_a_moment_comes_once():
    once = task("at", (NOON + timedelta(hours=1)).isoformat())
    assert next_time(once, NOON) == NOON + timedelta(hours=1)
    assert next_time(once, NOON + timedelta(hours=1)) is None


@pytest.mark.parametrize(
    ("mode", "spec", "zone", "stored"),
    [
        ("at", "2026-11-23T09:00", "Europe/Berlin", "2026-11-23T08:00:00+00:00"),
        ("at", "2026-11-23T09:00:00Z", "Europe/Berlin", "2026-11-23T09:00:00+00:00"),
        ("at", "2027-03-28T02:30", "Europe/Berlin", "2027-03-28T01:30:00+00:00"),
        ("at", "2027-10-31T02:30", "Europe/Berlin", "2027-10-31T00:30:00+00:00"),
        ("every", " 0900 ", "UTC", "900"),
        ("cron", " 0  9 * *  1 ", "UTC", "0 9 * * 1"),
    ],
)
def test_a_spec_is_stored_plainly(mode, spec, zone, stored):
    assert read_spec(mode, spec, zone, NOON) == stored


@pytest.mark.parametrize(
    ("mode", "spec"),
    [
        ("at", "2026-11-22T12:59"),
        ("at", "2026-11-22T12:00:00Z"),
        ("at", "tomorrow"),
        ("at", ""),
        ("at", "2199-01-01T00:00"),
        ("at", "0001-01-01T00:00"),
        ("every", "0"),
        ("every", "-5"),
        ("every", "1.5"),
        ("every", "٣٦٠٠"),
        ("every", "9" * 40),
        # Its first digits alone would be a year.
        ("every", "000031622400" + "0" * 9),
        ("every", "0" * 5000 + "60"),
        ("every", str(366 * 86_400 + 1)),
        ("cron", "0 9 * *"),
        ("cron", "0 0 9 * * *"),
        ("cron", "61 9 * * *"),
        ("cron", "0 0 31 2 *"),
        ("cron", "@daily"),
        ("cron", ""),
        ("cron", "0 9 * * \x00"),
    ],
)
def test_a_spec_that_means_nothing_is_refused_beside_its_field(mode, spec):
    with pytest.raises(ValidationError) as refusal:
        read_spec(mode, spec, "Europe/Berlin", NOON)
    assert list(refusal.value.message_dict) == ["spec"]


@pytest.mark.parametrize(
    ("mode", "spec", "gap_s"),
    [
        ("at", "2026-11-23T09:00", None),
        ("every", "900", 900),
        ("cron", "0 9 * * *", 86_400),
        ("cron", "0,1 9 * * *", 60),
        ("cron", "*/5 9 * * 1", 300),
        ("cron", "0 0 29 2 *", 1461 * 86_400),
    ],
)
def test_how_often_a_spec_comes(mode, spec, gap_s):
    assert least_gap_s(mode, spec, "UTC", NOON) == gap_s


def test_the_slot_is_always_the_same_and_inside_its_window():
    user, one = UUID(int=9), UUID(int=7)
    assert slot(user, one, 900) == slot(user, one, 900)
    assert slot(user, one, 0) == timedelta()
    assert all(timedelta() <= slot(user, UUID(int=n), 10) < timedelta(seconds=10) for n in range(100))


def test_slots_of_a_whole_zone_stay_under_the_peak():
    seconds = [slot(UUID(int=n), UUID(int=n + 10**6), 900).seconds for n in range(25_000)]
    busiest = max(seconds.count(second) for second in range(900))
    assert busiest <= 60
    assert min(seconds.count(second) for second in range(900)) >= 5


@pytest.mark.parametrize(
    ("fields", "at", "expected", "missed"),
    [
        ({"wanted": "2026-11-20T08:00+00:00"}, "2026-11-20T08:00:05+00:00", "2026-11-20T08:00", 0),
        ({"wanted": "2026-11-20T08:00+00:00"}, "2026-11-21T07:59:00+00:00", "2026-11-20T08:00", 0),
        ({"wanted": "2026-11-20T08:00+00:00"}, "2026-11-21T08:00:00+00:00", "2026-11-21T08:00", 1),
        ({"wanted": "2026-11-10T08:00+00:00"}, "2026-11-20T20:00:00+00:00", "2026-11-20T08:00", 10),
        (
            {"mode": "every", "spec": "3600", "wanted": "2026-11-22T13:00+00:00"},
            "2026-11-22T17:30:00+00:00",
            "2026-11-22T17:00",
            4,
        ),
        (
            {"mode": "at", "spec": "2026-11-20T08:00:00+00:00", "wanted": "2026-11-20T08:00+00:00"},
            "2026-12-01T08:00:00+00:00",
            "2026-11-20T08:00",
            0,
        ),
    ],
)
def test_after_an_outage_the_last_time_stands_for_all(fields, at, expected, missed):
    wanted, found = catch_up(task(**fields), datetime.fromisoformat(at))
    assert (f"{wanted:%Y-%m-%dT%H:%M}", found) == (expected, missed)


def test_a_turn_that_is_late_within_its_window_misses_nothing():
    soon = task("every", "300", wanted="2026-11-22T12:05+00:00", window_s=300)
    at = soon.wanted_at + slot_of(soon) + timedelta(seconds=20)
    assert catch_up(soon, at) == (soon.wanted_at, 0)


def test_an_outage_of_years_is_one_turn_and_the_next_lies_ahead():
    minutely = task("every", "60", wanted="2026-11-22T12:01+00:00")
    at = NOON + timedelta(days=900)
    wanted, missed = catch_up(minutely, at)
    assert missed == MOST_MISSED
    plan_next(minutely, at, after=wanted)
    assert at < minutely.wanted_at <= at + timedelta(seconds=60)


def test_the_next_time_never_comes_before_the_one_that_was_done():
    late = task(wanted="2026-11-20T08:00+00:00")
    plan_next(late, datetime(2026, 11, 20, 7, tzinfo=UTC), after=late.wanted_at)
    assert late.wanted_at == datetime(2026, 11, 21, 8, tzinfo=UTC)
    assert late.due_at == late.wanted_at
