from datetime import UTC, datetime, time, timedelta

import pytest

from campaigns.models import Slot
from campaigns.slot_preview import NextTime, next_times
from lib.clock import now, shifted

BERLIN = "Europe/Berlin"


def slot(weekday: int, at: str, zone: str = BERLIN) -> Slot:
    return Slot(weekday=weekday, time=time.fromisoformat(at), time_zone=zone)


def preview(start: datetime, *slots: Slot) -> list[NextTime]:
    with shifted(start - now()):
        return next_times(list(slots))


BEFORE_SPRING = datetime(2026, 3, 25, 12, tzinfo=UTC)
BEFORE_AUTUMN = datetime(2026, 10, 21, 12, tzinfo=UTC)


def test_five_times_are_shown_the_nearest_first() -> None:
    found = preview(BEFORE_SPRING, slot(0, "09:00"), slot(3, "18:30"))
    assert [f"{row.local:%a %d %H:%M}" for row in found] == [
        "Thu 26 18:30",
        "Mon 30 09:00",
        "Thu 02 18:30",
        "Mon 06 09:00",
        "Thu 09 18:30",
    ]


def test_without_slots_there_is_nothing_to_come() -> None:
    assert preview(BEFORE_SPRING) == []


def test_a_slot_of_today_counts_until_it_is_over() -> None:
    wednesday_noon = slot(2, "13:00")
    assert preview(BEFORE_SPRING - timedelta(minutes=1), wednesday_noon)[0].local.day == 25
    assert preview(BEFORE_SPRING, wednesday_noon)[0].local.day == 1


def test_the_half_of_the_year_is_named() -> None:
    assert [row.zone_name for row in preview(BEFORE_SPRING, slot(5, "09:00"))[:2]] == ["CET", "CEST"]


def test_after_a_change_the_wall_clock_stays_and_the_note_names_the_day() -> None:
    first, second, *_ = preview(BEFORE_SPRING, slot(5, "09:00"))
    assert first.note == ""
    assert second.note == "After the clock change of 29 March: still 09:00 on the wall."
    assert second.at - first.at == timedelta(days=7, hours=-1)


def test_a_time_that_spring_skips_says_when_it_goes_out() -> None:
    (skipped, *_) = preview(BEFORE_SPRING, slot(6, "02:30"))
    assert skipped.note == "Clocks go forward: 02:30 does not exist that day, so it goes out at 03:30."
    assert skipped.at == datetime(2026, 3, 29, 1, 30, tzinfo=UTC)


def test_a_time_that_autumn_repeats_says_which_one_counts() -> None:
    (repeated, *_) = preview(BEFORE_AUTUMN, slot(6, "02:30"))
    assert repeated.note == "Clocks go back: 02:30 comes twice that day, and the first one counts."
    assert repeated.at == datetime(2026, 10, 25, 0, 30, tzinfo=UTC)


@pytest.mark.parametrize("start", [BEFORE_SPRING, BEFORE_AUTUMN])
def test_where_clocks_never_change_there_is_no_note(start: datetime) -> None:
    assert {row.note for row in preview(start, slot(6, "02:30", "Asia/Shanghai"))} == {""}


def test_slots_of_several_zones_stand_in_the_order_of_their_instants() -> None:
    found = preview(
        BEFORE_SPRING,
        slot(5, "08:00", "Pacific/Kiritimati"),
        slot(4, "23:00", "Pacific/Pago_Pago"),
        slot(4, "20:00", "Europe/Berlin"),
    )
    assert [row.slot.time_zone for row in found[:3]] == ["Pacific/Kiritimati", "Europe/Berlin", "Pacific/Pago_Pago"]
    assert [row.at for row in found] == sorted(row.at for row in found)
