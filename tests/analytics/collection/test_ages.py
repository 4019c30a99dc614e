"""When a post is measured, as pure functions of its moment."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from analytics.ages import (
    AGES,
    DAY,
    HOUR,
    MINUTE,
    PRIVATE_FOR,
    age_label,
    age_reached,
    closes_at,
    first_open,
    planned_at,
    tolerance,
    turn_of,
)

MOMENTS = st.datetimes(datetime(2026, 1, 1), datetime(2027, 12, 31), timezones=st.just(UTC))
INDEXES = st.integers(0, len(AGES) - 1)
NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)


def at(hour: int, minute: int = 0, day: int = 20) -> datetime:
    return datetime(2026, 11, day, hour, minute, tzinfo=UTC)


@pytest.mark.parametrize(
    ("age_s", "label"),
    [
        (15 * MINUTE, "15 minutes"),
        (HOUR, "1 hour"),
        (DAY, "24 hours"),
        (3 * DAY, "72 hours"),
        (7 * DAY, "7 days"),
        (30 * DAY, "30 days"),
    ],
)
def test_ages_have_names(age_s, label):
    assert age_label(age_s) == label


@pytest.mark.parametrize(("age_s", "minutes"), [(15 * MINUTE, 5), (HOUR, 6), (DAY, 144), (7 * DAY, 1008)])
def test_a_tenth_of_the_age_is_tolerated_and_five_minutes_at_least(age_s, minutes):
    assert tolerance(age_s) == timedelta(minutes=minutes)


def test_the_last_look_comes_before_private_numbers_vanish():
    assert planned_at(NOON, len(AGES) - 1) < NOON + PRIVATE_FOR


@given(MOMENTS, INDEXES)
def test_whenever_an_age_is_measured_it_is_within_its_tolerance(published, index):
    turn = turn_of(published, index, is_daily=True)
    assert planned_at(published, index) <= turn <= closes_at(published, index)


@given(MOMENTS, INDEXES)
def test_joining_never_moves_an_age_behind_the_next_one(published, index):
    if index + 1 < len(AGES):
        assert turn_of(published, index, is_daily=True) < planned_at(published, index + 1)


@given(MOMENTS)
def test_joining_never_pays_for_more_days_and_misses_no_age(published):
    def days(is_daily: bool) -> list:
        paid, found = None, []
        for index in range(len(AGES)):
            paid = turn_of(published, index, paid_on=paid, is_daily=is_daily)
            found.append(paid.date())
        return found

    joined, plain = days(True), days(False)
    assert len(joined) == len(plain) == len(AGES)
    assert len(set(joined)) <= len(set(plain))


@pytest.mark.parametrize(
    ("published", "index", "is_joined"),
    [
        (at(19, 30), 5, True),
        (at(22), 5, True),
        (at(12), 5, False),
        (at(23, 43), 0, True),
        (at(23, 30), 0, False),
        (at(19, 30), 6, False),
    ],
)
def test_an_age_alone_on_its_day_waits_for_midnight_where_it_is_not_missed(published, index, is_joined):
    turn = turn_of(published, index, is_daily=True)
    assert (turn > planned_at(published, index)) is is_joined
    assert turn.time().isoformat()[:5] == (
        "00:00" if is_joined else planned_at(published, index).time().isoformat()[:5]
    )


def test_a_day_that_is_paid_already_needs_no_waiting():
    published = at(22)
    paid = planned_at(published, 5)
    assert turn_of(published, 5, paid_on=paid, is_daily=True) == paid


def test_networks_that_do_not_charge_by_the_day_are_asked_when_planned():
    assert turn_of(at(22), 5) == planned_at(at(22), 5)


@given(MOMENTS, INDEXES, st.integers(0, 40 * DAY))
def test_a_look_counts_for_one_age_that_is_open_or_for_none(published, next_age, later):
    moment = published + timedelta(seconds=later)
    age_s, following = age_reached(published, next_age, moment)
    assert next_age <= following <= len(AGES)
    if age_s is not None:
        index = AGES.index(age_s)
        assert following == index + 1
        assert planned_at(published, index) <= moment <= closes_at(published, index)


@pytest.mark.parametrize(
    ("minutes", "expected"),
    [
        (14, (None, 0)),
        (15, (15 * MINUTE, 1)),
        (20, (15 * MINUTE, 1)),
        (21, (None, 1)),
        (62, (HOUR, 2)),
        (120, (None, 2)),
    ],
)
def test_a_late_number_is_not_that_of_an_earlier_age(minutes, expected):
    assert age_reached(NOON, 0, NOON + timedelta(minutes=minutes)) == expected


@given(MOMENTS, st.integers(0, 40 * DAY))
def test_a_post_found_late_begins_with_an_age_that_can_still_be_measured(published, later):
    moment = published + timedelta(seconds=later)
    index = first_open(published, moment)
    assert index == len(AGES) or moment <= closes_at(published, index)
    assert index == 0 or moment > closes_at(published, index - 1)
