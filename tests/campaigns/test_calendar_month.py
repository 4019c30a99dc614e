from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest

from campaigns.models import Delivery, Slot
from campaigns.month import CHIPS_SHOWN, CalendarDay, Chip, Month, free_slots, lay_out, read_month
from social.models import Connection

BERLIN, NEW_YORK, SHANGHAI = "Europe/Berlin", "America/New_York", "Asia/Shanghai"
ZONES = [BERLIN, NEW_YORK, SHANGHAI, "UTC", "Pacific/Kiritimati", "Pacific/Pago_Pago"]
NOON = datetime(2026, 12, 15, 12, tzinfo=UTC)
NEVER: set = set()


def month(text: str, zone: str = BERLIN) -> Month:
    return read_month(text, zone, NOON)


def delivery(at: datetime, **fields: object) -> Delivery:
    return Delivery(scheduled_at=at, **fields)


def day_of(at: datetime, shown: Month) -> date:
    return next(day.date for day in lay_out(shown, NOON.date(), [delivery(at)], []) if day.chips)


def slot(weekday: int, at: str, zone: str = BERLIN) -> Slot:
    return Slot(connection=Connection(handle="roastery"), weekday=weekday, time=time.fromisoformat(at), time_zone=zone)


def free(shown: Month, *slots: Slot, taken: set = NEVER, after: datetime = datetime(2020, 1, 1, tzinfo=UTC)) -> list:
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
    assert read_month("", zone, last_minutes).first.month == expected


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
    assert day_of(at, Month(expected.replace(day=1), ZoneInfo(zone))) == expected


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
    row = delivery(planned, published_at=published)
    days = lay_out(month("2026-12"), NOON.date(), [row], [])
    assert [(day.date.day, day.chips[0].at) for day in days if day.chips] == [(2, published)]


def test_a_day_is_in_the_order_of_its_times() -> None:
    times = [datetime(2026, 12, 3, hour, tzinfo=UTC) for hour in (15, 7, 11)]
    days = lay_out(month("2026-12"), NOON.date(), map(delivery, times), [])
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
    day = CalendarDay(NOON.date(), False, False, False, [Chip(delivery(NOON), NOON)] * number)
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
