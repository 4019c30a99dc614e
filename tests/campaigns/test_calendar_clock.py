from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

import pytest

from campaigns.calendar_clock import change_note, city, own_time, skipped_hours

BERLIN = ZoneInfo("Europe/Berlin")
AT = datetime(2026, 12, 15, 8, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("zone", "day", "note"),
    [
        ("Europe/Berlin", date(2026, 3, 29), "Clocks go forward: 02:00 to 03:00 does not exist."),
        ("Europe/Berlin", date(2026, 10, 25), "Clocks go back: 02:00 to 03:00 comes twice."),
        ("America/New_York", date(2026, 11, 1), "Clocks go back: 01:00 to 02:00 comes twice."),
        ("Australia/Lord_Howe", date(2026, 10, 4), "Clocks go forward: 02:00 to 02:30 does not exist."),
        ("Australia/Lord_Howe", date(2026, 4, 5), "Clocks go back: 01:30 to 02:00 comes twice."),
        ("Africa/Cairo", date(2026, 4, 24), "Clocks go forward: 00:00 to 01:00 does not exist."),
        ("America/Havana", date(2026, 11, 1), "Clocks go back: 00:00 to 01:00 comes twice."),
        ("Pacific/Chatham", date(2026, 9, 27), "Clocks go forward: 02:45 to 03:45 does not exist."),
    ],
)
def test_a_day_with_a_clock_change_says_what_happens(zone: str, day: date, note: str) -> None:
    assert change_note(day, ZoneInfo(zone)) == note


@pytest.mark.parametrize("zone", ["Europe/Berlin", "America/New_York", "Africa/Cairo", "Pacific/Chatham"])
def test_two_days_of_a_year_have_a_note(zone: str) -> None:
    days = [date.fromordinal(date(2026, 1, 1).toordinal() + n) for n in range(365)]
    assert len([day for day in days if change_note(day, ZoneInfo(zone))]) == 2


@pytest.mark.parametrize("zone", ["UTC", "Asia/Shanghai", "Asia/Kathmandu"])
def test_where_clocks_never_change_no_day_has_a_note(zone: str) -> None:
    days = [date.fromordinal(date(2026, 1, 1).toordinal() + n) for n in range(365)]
    assert [day for day in days if change_note(day, ZoneInfo(zone))] == []


@pytest.mark.parametrize(
    ("zone", "day", "hours"),
    [
        ("Europe/Berlin", date(2026, 3, 29), {2}),
        ("Europe/Berlin", date(2026, 10, 25), set()),
        ("Australia/Lord_Howe", date(2026, 10, 4), set()),
        ("Africa/Cairo", date(2026, 4, 24), {0}),
    ],
)
def test_hours_that_a_day_does_not_have(zone: str, day: date, hours: set[int]) -> None:
    assert skipped_hours(day, ZoneInfo(zone)) == hours


@pytest.mark.parametrize(
    ("reader", "expected"),
    [
        ("Europe/London", "08:00"),
        ("Asia/Kathmandu", "13:45"),
        ("Pacific/Kiritimati", "22:00"),
        ("Pacific/Pago_Pago", "Mon 21:00"),
    ],
)
def test_a_reader_elsewhere_is_told_their_own_time(reader: str, expected: str) -> None:
    assert own_time(AT, BERLIN, ZoneInfo(reader)) == expected


@pytest.mark.parametrize("reader", ["Europe/Berlin", "Europe/Paris", "Africa/Lagos"])
def test_a_reader_with_the_same_time_is_not_told_it_twice(reader: str) -> None:
    assert own_time(AT, BERLIN, ZoneInfo(reader)) == ""


def test_zones_that_agree_only_in_winter_differ_in_summer() -> None:
    july = datetime(2026, 7, 1, 8, 0, tzinfo=UTC)
    assert own_time(july, BERLIN, ZoneInfo("Africa/Lagos")) == "09:00"


def test_a_reader_who_gave_no_zone_is_told_nothing() -> None:
    assert own_time(AT, BERLIN, None) == ""


@pytest.mark.parametrize(
    ("zone", "name"), [("Europe/Berlin", "Berlin"), ("America/Argentina/Buenos_Aires", "Buenos Aires"), ("UTC", "UTC")]
)
def test_a_zone_is_named_shortly(zone: str, name: str) -> None:
    assert city(ZoneInfo(zone)) == name
