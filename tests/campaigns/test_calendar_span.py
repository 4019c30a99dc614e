from datetime import UTC, date, datetime, timedelta

import pytest

from campaigns.calendar_span import VIEWS, Span, read_span

NOON = datetime(2026, 12, 15, 12, tzinfo=UTC)


def span(zone: str = "Europe/Berlin", **query: str) -> Span:
    return read_span(query, zone, NOON)


@pytest.mark.parametrize("view", VIEWS)
def test_every_view_begins_with_today(view: str) -> None:
    assert date(2026, 12, 15) in span(view=view).days


@pytest.mark.parametrize(("view", "number"), [("month", 35), ("week", 7), ("day", 1), ("list", 31)])
def test_a_view_shows_its_days(view: str, number: int) -> None:
    days = span(view=view).days
    assert len(days) == number
    assert days == [days[0] + timedelta(days=n) for n in range(number)]


def test_an_unknown_view_is_the_month() -> None:
    assert span(view="year").view == "month"


@pytest.mark.parametrize("text", ["", "2026", "2026-02-30", "1999-12-31", "2101-01-01", "0001-01-01", "next"])
def test_a_day_that_cannot_be_shown_is_today(text: str) -> None:
    assert span(view="day", day=text).first == date(2026, 12, 15)


def test_a_week_runs_from_monday_to_sunday() -> None:
    week = span(view="week", day="2027-01-01")
    assert (week.first, week.last) == (date(2026, 12, 28), date(2027, 1, 3))


@pytest.mark.parametrize(
    ("query", "before", "after"),
    [
        ({"view": "week", "day": "2026-12-30"}, "2026-12-21", "2027-01-04"),
        ({"view": "day", "day": "2026-12-31"}, "2026-12-30", "2027-01-01"),
        ({"view": "list", "month": "2026-01"}, "2025-12", "2026-02"),
        ({"view": "month", "month": "2026-01"}, "2025-12", "2026-02"),
    ],
)
def test_going_back_and_forth(query: dict, before: str, after: str) -> None:
    assert (str(span(**query).previous), str(span(**query).next)) == (before, after)


@pytest.mark.parametrize("view", VIEWS)
@pytest.mark.parametrize("day", ["2026-03-29", "2026-10-25", "2026-12-31", "2028-02-29"])
def test_there_and_back_is_the_same_place(view: str, day: str) -> None:
    here = span(view=view, day=day)
    assert here.next.previous.days == here.days
    assert here.next.first == here.last + timedelta(days=1)


@pytest.mark.parametrize(
    ("query", "title"),
    [
        ({"view": "month", "month": "2026-12"}, "December 2026"),
        ({"view": "week", "day": "2026-12-15"}, "14 – 20 Dec 2026"),
        ({"view": "week", "day": "2026-11-30"}, "30 Nov – 6 Dec 2026"),
        ({"view": "week", "day": "2027-01-01"}, "28 Dec 2026 – 3 Jan 2027"),
        ({"view": "day", "day": "2026-12-15"}, "Tuesday, 15 December 2026"),
    ],
)
def test_what_is_shown_has_a_name(query: dict, title: str) -> None:
    assert span(**query).title == title


def test_from_this_month_the_week_and_the_day_are_those_of_today() -> None:
    today = date(2026, 12, 15)
    assert span(view="month").seen_as("week", today).first == date(2026, 12, 14)
    assert span(view="month").seen_as("day", today).first == today


def test_from_another_month_the_day_is_its_first() -> None:
    assert span(month="2027-03").seen_as("day", date(2026, 12, 15)).first == date(2027, 3, 1)


def test_from_a_day_the_other_views_are_those_around_it() -> None:
    day = span(view="day", day="2027-03-31")
    assert day.seen_as("month", NOON.date()).month == "2027-03"
    assert day.seen_as("week", NOON.date()).first == date(2027, 3, 29)


def test_the_address_names_the_month_or_the_day_and_not_both() -> None:
    assert (span(view="list").month, span(view="list").date) == ("2026-12", None)
    assert (span(view="week").month, span(view="week").date) == (None, "2026-12-14")


@pytest.mark.parametrize(
    ("zone", "day", "hours"),
    [
        ("Europe/Berlin", "2026-03-29", 23),
        ("Europe/Berlin", "2026-10-25", 25),
        ("Australia/Lord_Howe", "2026-10-04", 23.5),
        ("Africa/Cairo", "2026-04-24", 23),
        ("Asia/Kathmandu", "2026-03-29", 24),
        ("Asia/Kolkata", "2026-10-25", 24),
    ],
)
def test_a_day_is_as_long_as_its_clocks_make_it(zone: str, day: str, hours: float) -> None:
    start, end = span(zone, view="day", day=day).bounds
    assert end - start == timedelta(hours=hours)


@pytest.mark.parametrize("zone", ["Asia/Kathmandu", "Asia/Kolkata", "Australia/Eucla", "America/St_Johns"])
def test_days_of_zones_between_the_hours_follow_each_other_without_a_gap(zone: str) -> None:
    day = span(zone, view="day", day="2026-03-08")
    for _ in range(3):
        assert day.bounds[1] == day.next.bounds[0]
        day = day.next
