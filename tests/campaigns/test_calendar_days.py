from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest

from campaigns.calendar_days import CHIPS_SHOWN, CalendarDay, Chip, add_hours, free_slots, lay_out, moment_of
from campaigns.calendar_span import Span, read_span
from campaigns.models import Delivery, Slot
from social.models import Connection

BERLIN, NEW_YORK, SHANGHAI = "Europe/Berlin", "America/New_York", "Asia/Shanghai"
ZONES = [BERLIN, NEW_YORK, SHANGHAI, "UTC", "Pacific/Kiritimati", "Pacific/Pago_Pago"]
NOON = datetime(2026, 12, 15, 12, tzinfo=UTC)
NEVER: set = set()


def month(text: str, zone: str = BERLIN) -> Span:
    return read_span({"month": text}, zone, NOON)


def chip(at: datetime, **fields: object) -> Chip:
    row = Delivery(scheduled_at=at, **fields)
    return Chip(row, moment_of(row))


def day_of(at: datetime, shown: Span) -> date:
    return next(day.date for day in lay_out(shown, NOON.date(), [chip(at)], []) if day.chips)


def slot(weekday: int, at: str, zone: str = BERLIN) -> Slot:
    return Slot(connection=Connection(handle="roastery"), weekday=weekday, time=time.fromisoformat(at), time_zone=zone)


def free(shown: Span, *slots: Slot, taken: set = NEVER, after: datetime = datetime(2020, 1, 1, tzinfo=UTC)) -> list:
    return [found.at for found in free_slots(shown, slots, taken, after)]


# --- which month ------------------------------------------------------------------------------------------


def test_a_month_is_read_from_the_address() -> None:
    assert month("2026-12").first == date(2026, 12, 1)


@pytest.mark.parametrize("text", ["", "2026", "2026-13", "next", "0001-01", "9999-12", "2026-12-24", "'; --"])
def test_anything_else_is_this_month(text: str) -> None:
    assert month(text).first == date(2026, 12, 1)


@pytest.mark.parametrize(("zone", "expected"), [(SHANGHAI, 1), (BERLIN, 1), (NEW_YORK, 12), ("UTC", 12)])
def test_this_month_is_that_of_the_zone(zone: str, expected: int) -> None:
    last_minutes = datetime(2026, 12, 31, 23, 30, tzinfo=UTC)
    assert read_span({}, zone, last_minutes).first.month == expected


@pytest.mark.parametrize(
    ("text", "before", "after"), [("2026-12", "2026-11", "2027-01"), ("2026-01", "2025-12", "2026-02")]
)
def test_months_follow_each_other_over_the_year(text: str, before: str, after: str) -> None:
    assert (str(month(text).previous), str(month(text).next)) == (before, after)


# --- whole weeks ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("text", "weeks"), [("2027-02", 4), ("2026-11", 6), ("2026-12", 5), ("2028-02", 5)])
def test_a_month_is_shown_in_whole_weeks(text: str, weeks: int) -> None:
    assert len(month(text).days) == 7 * weeks


@pytest.mark.parametrize("number", range(1, 13))
def test_weeks_run_from_monday_to_sunday_and_hold_the_whole_month(number: int) -> None:
    shown = month(f"2026-{number:02}")
    assert (shown.days[0].weekday(), shown.days[-1].weekday()) == (0, 6)
    assert shown.days[0] <= shown.first <= shown.last <= shown.days[-1]


# --- where a moment stands --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("zone", "expected"),
    [(BERLIN, date(2027, 1, 1)), (NEW_YORK, date(2026, 12, 31)), (SHANGHAI, date(2027, 1, 1))],
)
def test_half_past_eleven_utc_on_the_last_day_stands_on_the_day_of_the_zone(zone: str, expected: date) -> None:
    at = datetime(2026, 12, 31, 23, 30, tzinfo=UTC)
    assert day_of(at, Span("month", expected, ZoneInfo(zone))) == expected


@pytest.mark.parametrize("zone", ZONES)
@pytest.mark.parametrize("text", ["2026-03", "2026-10", "2026-11", "2026-12"])
def test_the_first_and_last_moment_of_the_shown_days_belong_to_them(zone: str, text: str) -> None:
    shown = month(text, zone)
    start, end = shown.bounds
    assert day_of(start, shown) == shown.days[0]
    assert day_of(end - timedelta(microseconds=1), shown) == shown.days[-1]


@pytest.mark.parametrize(
    ("zone", "text", "hours"), [(BERLIN, "2026-03", -1), (BERLIN, "2026-10", 1), (SHANGHAI, "2026-03", 0)]
)
def test_weeks_with_a_clock_change_are_an_hour_shorter_or_longer(zone: str, text: str, hours: int) -> None:
    shown = month(text, zone)
    start, end = shown.bounds
    assert end - start == timedelta(days=len(shown.days), hours=hours)


@pytest.mark.parametrize(
    ("at", "expected"),
    [
        (datetime(2026, 3, 28, 23, 30, tzinfo=UTC), date(2026, 3, 29)),
        (datetime(2026, 3, 29, 21, 59, tzinfo=UTC), date(2026, 3, 29)),
        (datetime(2026, 3, 29, 22, 0, tzinfo=UTC), date(2026, 3, 30)),
    ],
)
def test_days_beside_the_spring_change_begin_at_their_own_midnight(at: datetime, expected: date) -> None:
    assert day_of(at, month("2026-03")) == expected


def test_every_hour_of_the_autumn_change_stands_on_its_day() -> None:
    shown = month("2026-10")
    first = shown.midnight(date(2026, 10, 25))
    assert {day_of(first + timedelta(hours=n), shown) for n in range(25)} == {date(2026, 10, 25)}
    assert day_of(first + timedelta(hours=25), shown) == date(2026, 10, 26)


def test_what_went_out_stands_where_it_went_out() -> None:
    planned, published = datetime(2026, 12, 1, 9, tzinfo=UTC), datetime(2026, 12, 2, 9, tzinfo=UTC)
    late = chip(planned, published_at=published)
    days = lay_out(month("2026-12"), NOON.date(), [late], [])
    assert [(day.date.day, day.chips[0].at) for day in days if day.chips] == [(2, published)]


def test_a_day_is_in_the_order_of_its_times() -> None:
    times = [datetime(2026, 12, 3, hour, tzinfo=UTC) for hour in (15, 7, 11)]
    days = lay_out(month("2026-12"), NOON.date(), map(chip, times), [])
    assert [chip.at.hour for chip in next(day for day in days if day.chips).chips] == [7, 11, 15]


def test_days_know_whether_they_are_over_today_or_of_another_month() -> None:
    days = {day.date: day for day in lay_out(month("2026-12"), date(2026, 12, 15), [], [])}
    assert days[date(2026, 12, 14)].is_past
    assert days[date(2026, 12, 15)].is_today
    assert not days[date(2026, 12, 15)].is_past
    assert days[date(2026, 11, 30)].is_out


@pytest.mark.parametrize(
    ("number", "shown", "folded"), [(0, 0, 0), (3, 3, 0), (4, 4, 0), (5, CHIPS_SHOWN, 2), (9, 3, 6)]
)
def test_a_full_day_folds_what_does_not_fit(number: int, shown: int, folded: int) -> None:
    day = CalendarDay(NOON.date(), False, False, False, [chip(NOON)] * number)
    assert (len(day.shown), len(day.folded)) == (shown, folded)


# --- free slots -------------------------------------------------------------------------------------------


def test_a_slot_comes_every_week_at_the_same_wall_clock_time() -> None:
    shown = month("2026-03")
    local = [at.astimezone(ZoneInfo(BERLIN)) for at in free(shown, slot(0, "09:00"))]
    assert {(at.weekday(), at.hour) for at in local} == {(0, 9)}
    assert [at.utcoffset() for at in local[-2:]] == [timedelta(hours=1), timedelta(hours=2)]


def test_a_slot_in_the_hour_that_spring_skips_goes_out_after_it() -> None:
    skipped = [at for at in free(month("2026-03"), slot(6, "02:30")) if at.date() == date(2026, 3, 29)]
    assert skipped == [datetime(2026, 3, 29, 1, 30, tzinfo=UTC)]


def test_a_slot_in_the_hour_that_autumn_repeats_comes_once() -> None:
    repeated = [at for at in free(month("2026-10"), slot(6, "02:30")) if at.date() == date(2026, 10, 25)]
    assert repeated == [datetime(2026, 10, 25, 0, 30, tzinfo=UTC)]


@pytest.mark.parametrize("zone", ZONES)
@pytest.mark.parametrize("slot_zone", ZONES)
def test_slots_of_other_zones_fill_the_shown_days_and_no_others(zone: str, slot_zone: str) -> None:
    shown = month("2026-12", zone)
    found = free(shown, *(slot(weekday, "00:15", slot_zone) for weekday in range(7)))
    assert len(found) == len(shown.days)
    lay_out(shown, NOON.date(), [], free_slots(shown, [slot(0, "23:45", slot_zone)], NEVER, shown.bounds[0]))


def test_a_taken_slot_is_not_free() -> None:
    wanted = slot(0, "09:00")
    first, *others = free(month("2026-12"), wanted)
    assert free(month("2026-12"), wanted, taken={(wanted.connection_id, first)}) == others


def test_a_slot_that_another_account_uses_is_free() -> None:
    wanted, other = slot(0, "09:00"), slot(0, "09:00")
    taken = {(other.connection_id, at) for at in free(month("2026-12"), other)}
    assert len(free(month("2026-12"), wanted, taken=taken)) == 5


def test_slots_of_the_past_are_gone() -> None:
    found = free(month("2026-12"), slot(0, "09:00"), after=NOON)
    assert found
    assert min(found) > NOON


# --- hours ------------------------------------------------------------------------------------------------


def hours_of(day: date, zone: str, *times: datetime, shows_all: bool = False) -> dict[int, list[datetime]]:
    shown = Span("day", day, ZoneInfo(zone))
    days = lay_out(shown, NOON.date(), [chip(at) for at in times], [])
    add_hours(days, shown.zone, NOON, shows_all=shows_all)
    return {hour.number: [found.at for found in hour.chips] for hour in days[0].hours}


def test_a_day_shows_its_busy_hours() -> None:
    assert list(hours_of(date(2026, 12, 15), BERLIN)) == list(range(7, 22))


def test_a_post_at_night_widens_the_day() -> None:
    found = hours_of(date(2026, 12, 15), BERLIN, datetime(2026, 12, 15, 22, 59, tzinfo=UTC))
    assert (min(found), max(found)) == (7, 23)
    assert len(found[23]) == 1


def test_all_hours_can_be_shown() -> None:
    assert list(hours_of(date(2026, 12, 15), BERLIN, shows_all=True)) == list(range(24))


def test_an_hour_that_comes_twice_holds_the_posts_of_both() -> None:
    twice = [datetime(2026, 10, 25, 0, 30, tzinfo=UTC), datetime(2026, 10, 25, 1, 30, tzinfo=UTC)]
    assert hours_of(date(2026, 10, 25), BERLIN, *twice)[2] == twice


@pytest.mark.parametrize(("zone", "hour"), [("Asia/Kathmandu", 13), ("Asia/Kolkata", 13), ("Australia/Eucla", 16)])
def test_zones_between_the_hours_put_a_post_into_the_hour_of_their_clock(zone: str, hour: int) -> None:
    assert hours_of(date(2026, 12, 15), zone, datetime(2026, 12, 15, 8, tzinfo=UTC))[hour]


def test_hours_of_today_that_are_over_are_past() -> None:
    shown = Span("day", NOON.date(), ZoneInfo(BERLIN))
    days = lay_out(shown, NOON.date(), [], [])
    add_hours(days, shown.zone, NOON)
    assert [hour.number for hour in days[0].hours if not hour.is_past] == list(range(13, 22))


def test_an_hour_that_the_clocks_skip_is_marked() -> None:
    shown = Span("day", date(2026, 3, 29), ZoneInfo(BERLIN))
    days = lay_out(shown, NOON.date(), [], [])
    add_hours(days, shown.zone, NOON, shows_all=True)
    assert [hour.number for hour in days[0].hours if hour.is_skipped] == [2]


def test_days_of_a_week_share_their_hours() -> None:
    shown = Span("week", NOON.date(), ZoneInfo(BERLIN))
    days = lay_out(shown, NOON.date(), [chip(datetime(2026, 12, 15, 4, tzinfo=UTC))], [])
    assert add_hours(days, shown.zone, NOON) == list(range(5, 22))
    assert {len(day.hours) for day in days} == {17}


def test_a_free_slot_that_the_clocks_move_says_so() -> None:
    shown = Span("day", date(2026, 3, 29), ZoneInfo(BERLIN))
    (found,) = free_slots(shown, [slot(6, "02:30")], NEVER, datetime(2020, 1, 1, tzinfo=UTC))
    assert found.note == "Clocks go forward: 02:30 does not exist that day, so it goes out at 03:30."


def test_days_with_a_clock_change_carry_their_note() -> None:
    days = lay_out(month("2026-03"), NOON.date(), [], [])
    assert [day.date for day in days if day.clock_note] == [date(2026, 3, 29)]
