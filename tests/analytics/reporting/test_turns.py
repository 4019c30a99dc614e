from datetime import UTC, date, datetime

import pytest
from django.core.exceptions import ValidationError

from analytics.queries.period import Period
from analytics.reporting.turns import check_cron, last_whole, next_turn

NOON = datetime(2026, 3, 27, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("cron", "zone", "after", "turn"),
    [
        # Clocks change on 29 March: nine stays nine.
        ("0 9 * * *", "Europe/Berlin", NOON, datetime(2026, 3, 28, 8, tzinfo=UTC)),
        ("0 9 * * 1", "Europe/Berlin", NOON, datetime(2026, 3, 30, 7, tzinfo=UTC)),
        ("0 9 1 * *", "Asia/Shanghai", NOON, datetime(2026, 4, 1, 1, tzinfo=UTC)),
        ("30 9 * * 5", "Asia/Kolkata", NOON, datetime(2026, 4, 3, 4, tzinfo=UTC)),
        # Half past two does not exist that night.
        ("30 2 29 3 *", "Europe/Berlin", NOON, datetime(2026, 3, 29, 1, tzinfo=UTC)),
    ],
)
def test_turns_are_on_the_wall_clock(cron, zone, after, turn):
    assert next_turn(cron, zone, after) == turn


def test_a_turn_is_strictly_later():
    first = next_turn("0 9 * * *", "UTC", NOON)
    assert next_turn("0 9 * * *", "UTC", first) > first


@pytest.mark.parametrize(
    "cron", ["", "nine", "* * * * *", "0 * * * *", "0 9,15 * * *", "0 9 * * * *", "0 9 30 2 *", "99 9 * * *"]
)
def test_what_is_no_daily_cron_is_refused(cron):
    with pytest.raises(ValidationError) as refused:
        check_cron(cron, "Europe/Berlin", NOON)
    assert "cron" in refused.value.message_dict


@pytest.mark.parametrize("cron", ["0 9 * * *", "0 9 * * 1-5", "0 9 1 * *"])
def test_usual_times_are_fine(cron):
    check_cron(cron, "Europe/Berlin", NOON)


@pytest.mark.parametrize(
    ("period", "at", "zone", "start", "end"),
    [
        ("day", NOON, "UTC", date(2026, 3, 26), date(2026, 3, 26)),
        # Already Saturday there.
        ("day", datetime(2026, 3, 27, 18, tzinfo=UTC), "Asia/Tokyo", date(2026, 3, 27), date(2026, 3, 27)),
        ("week", NOON, "UTC", date(2026, 3, 16), date(2026, 3, 22)),
        ("week", datetime(2026, 3, 30, 1, tzinfo=UTC), "UTC", date(2026, 3, 23), date(2026, 3, 29)),
        ("month", NOON, "UTC", date(2026, 2, 1), date(2026, 2, 28)),
        ("month", datetime(2026, 1, 1, 1, tzinfo=UTC), "UTC", date(2025, 12, 1), date(2025, 12, 31)),
    ],
)
def test_a_report_is_about_whole_days_weeks_and_months(period, at, zone, start, end):
    assert last_whole(period, at, zone) == Period(start, end, zone)


@pytest.mark.parametrize("hour", range(0, 24, 3))
def test_twice_a_day_is_too_often_at_any_hour(hour):
    with pytest.raises(ValidationError, match="once a day"):
        check_cron("30 9,10 * * 1,4", "UTC", NOON.replace(hour=hour))
    check_cron("30 9 * * 1,4", "UTC", NOON.replace(hour=hour))
