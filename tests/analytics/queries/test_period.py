from datetime import UTC, date, datetime

import pytest

from accounts.models import Workspace
from analytics.queries.period import LONGEST, Choice, Period, last_days, read_choice
from tests.analytics.results_cast import DAY, TODAY


def days(start: date, end: date) -> Period:
    return Period(start, end, "Europe/Berlin")


def test_the_previous_period_is_as_long_and_just_before(week: Period) -> None:
    assert week.days == 7
    assert week.previous == days(TODAY - 13 * DAY, TODAY - 7 * DAY)


def test_a_period_begins_and_ends_at_midnight_on_the_workspaces_clock() -> None:
    # On the 29th the clocks of Berlin go forward.
    spring = days(date(2026, 3, 29), date(2026, 3, 29))
    assert spring.starts_at.astimezone(UTC) == datetime(2026, 3, 28, 23, tzinfo=UTC)
    assert spring.ends_at.astimezone(UTC) == datetime(2026, 3, 29, 22, tzinfo=UTC)


def test_the_last_days_end_today_where_the_workspace_is(workspace: Workspace) -> None:
    assert last_days(workspace, 7) == days(date(2026, 3, 4), date(2026, 3, 10))
    workspace.time_zone = "Pacific/Kiritimati"
    assert last_days(workspace, 1).end == date(2026, 3, 11)


@pytest.mark.parametrize(
    ("given", "start", "end"),
    [
        ({}, 27, 0),
        ({"days": "7"}, 6, 0),
        ({"days": "90"}, 89, 0),
        ({"days": "8"}, 27, 0),
        ({"days": "x"}, 27, 0),
        ({"from": str(TODAY - 3 * DAY), "to": str(TODAY - DAY)}, 3, 1),
        ({"from": str(TODAY - 3 * DAY), "to": str(TODAY - DAY), "days": "7"}, 3, 1),
        ({"from": str(TODAY - DAY), "to": str(TODAY - 3 * DAY)}, 27, 0),
        ({"from": str(TODAY), "to": str(TODAY + DAY)}, 27, 0),
        ({"from": str(TODAY - LONGEST * DAY), "to": str(TODAY)}, 27, 0),
        ({"from": "1999-01-01", "to": str(TODAY)}, 27, 0),
        ({"from": "9999-99-99", "to": ""}, 27, 0),
    ],
)
def test_what_makes_no_sense_in_an_address_counts_as_not_given(workspace, given, start: int, end: int) -> None:
    choice = read_choice(workspace, given)
    assert choice == Choice(days(TODAY - start * DAY, TODAY - end * DAY), choice.period.previous)
    assert choice.is_previous


def test_any_days_before_can_be_compared_with(workspace: Workspace) -> None:
    choice = read_choice(workspace, {"days": "7", "than": "2025-03-04"})
    assert choice.against == days(date(2025, 3, 4), date(2025, 3, 10))
    assert not choice.is_previous
    assert read_choice(workspace, {"days": "7", "than": str(TODAY - 6 * DAY)}).is_previous


@pytest.mark.parametrize(
    ("start", "end", "words"),
    [
        (date(2026, 3, 4), date(2026, 3, 10), "4 Mar – 10 Mar 2026"),
        (date(2025, 12, 30), date(2026, 1, 2), "30 Dec 2025 – 2 Jan 2026"),
        (date(2026, 3, 4), date(2026, 3, 4), "4 March 2026"),
    ],
)
def test_a_period_in_words(start: date, end: date, words: str) -> None:
    assert str(days(start, end)) == words


def test_a_period_is_cut_until_nothing_is_left(week: Period) -> None:
    assert week.cut(1) == days(week.start, week.end - DAY)
    assert week.cut(7) is None
