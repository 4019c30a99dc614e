"""Wall-clock slots: the next free one, whatever the clocks do."""

from datetime import UTC, date, datetime, time

import pytest
from django.core.exceptions import PermissionDenied, ValidationError

from accounts.models import AuditEntry
from campaigns.deliveries import add_to_next_slot, cancel_delivery, unschedule
from campaigns.errors import NotAllowedNow
from campaigns.models import Delivery, Slot
from campaigns.slots import add_slot, edit_slot, next_free_slot, remove_slot, resolve, upcoming
from lib import clock
from lib.clock import now
from tests.campaigns.cast import add_post

BERLIN = "Europe/Berlin"
SUNDAY = 6


@pytest.fixture
def slot(roastery, bob_actor):
    def add(hour: int, minute: int = 0, *, zone: str = BERLIN, weekdays: list[int] | None = None) -> list[Slot]:
        days = list(range(7)) if weekdays is None else weekdays
        return add_slot(roastery, by=bob_actor, weekdays=days, at=time(hour, minute), time_zone=zone)

    return add


@pytest.fixture
def at_moment():
    """Lets the rest of the test happen then."""
    from contextlib import ExitStack

    with ExitStack() as stack:
        yield lambda moment: stack.enter_context(clock.shifted(moment - now()))


def utc(*parts: int) -> datetime:
    return datetime(*parts, tzinfo=UTC)


# --- one slot on one day -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("day", "at", "zone", "instant"),
    [
        (date(2026, 3, 28), time(2, 30), BERLIN, utc(2026, 3, 28, 1, 30)),
        (date(2026, 3, 29), time(2, 30), BERLIN, utc(2026, 3, 29, 1, 30)),
        (date(2026, 3, 30), time(2, 30), BERLIN, utc(2026, 3, 30, 0, 30)),
        (date(2026, 10, 25), time(2, 30), BERLIN, utc(2026, 10, 25, 0, 30)),
        (date(2026, 10, 25), time(3, 0), BERLIN, utc(2026, 10, 25, 2, 0)),
        (date(2026, 10, 4), time(2, 15), "Australia/Lord_Howe", utc(2026, 10, 3, 15, 45)),
        (date(2026, 6, 1), time(0, 15), "Pacific/Kiritimati", utc(2026, 5, 31, 10, 15)),
        (date(2026, 6, 1), time(23, 45), "Pacific/Pago_Pago", utc(2026, 6, 2, 10, 45)),
        (date(2026, 6, 1), time(9), "Asia/Kathmandu", utc(2026, 6, 1, 3, 15)),
    ],
    ids=["winter", "gap", "summer", "fold", "after fold", "half-hour gap", "+14", "-11", "quarter hour"],
)
def test_a_wall_clock_time_is_one_instant(day, at, zone, instant):
    assert resolve(day, at, zone) == instant


# --- upcoming ----------------------------------------------------------------------------------------------


def test_upcoming_slots_keep_their_wall_clock_over_a_clock_change(roastery, slot):
    slot(9)
    first = list(upcoming(roastery, utc(2026, 3, 27, 12)))[:3]
    assert first == [utc(2026, 3, 28, 8), utc(2026, 3, 29, 7), utc(2026, 3, 30, 7)]


def test_slots_of_several_zones_come_in_order(roastery, slot):
    slot(23, zone="America/Los_Angeles")
    slot(0, 30, zone="Asia/Tokyo")
    slot(12, zone="Pacific/Kiritimati")
    found = list(upcoming(roastery, utc(2026, 6, 1, 5)))
    assert found == sorted(found)
    assert found[0] == utc(2026, 6, 1, 6)


def test_a_slot_on_the_edge_of_the_date_line_is_not_skipped(roastery, slot):
    slot(0, 15, zone="Pacific/Kiritimati", weekdays=[1])
    assert next(upcoming(roastery, utc(2026, 6, 1, 9))) == utc(2026, 6, 1, 10, 15)


def test_a_slot_that_is_now_is_over(roastery, slot):
    slot(9, zone="UTC")
    assert next(upcoming(roastery, utc(2026, 6, 1, 9))) == utc(2026, 6, 2, 9)


def test_a_skipped_slot_and_the_one_it_moves_to_are_one(roastery, slot):
    slot(2, 30, weekdays=[SUNDAY])
    slot(3, 30, weekdays=[SUNDAY])
    assert list(upcoming(roastery, utc(2026, 3, 29, 0)))[:3] == [
        utc(2026, 3, 29, 1, 30),
        utc(2026, 4, 5, 0, 30),
        utc(2026, 4, 5, 1, 30),
    ]


def test_a_connection_without_slots_has_none_upcoming(roastery):
    assert list(upcoming(roastery, now())) == []


# --- the next free one --------------------------------------------------------------------------------------


def test_posts_queue_up_in_the_slots(roastery, slot, bob_actor, at_moment):
    at_moment(utc(2026, 3, 28, 12))
    slot(2, 30)
    rows = [Delivery.objects.get(post=add_post(bob_actor, roastery)) for _ in range(3)]
    times = [add_to_next_slot(row, by=bob_actor).scheduled_at for row in rows]
    assert times == [utc(2026, 3, 29, 1, 30), utc(2026, 3, 30, 0, 30), utc(2026, 3, 31, 0, 30)]


def test_asking_again_keeps_the_slot(delivery, slot, bob_actor):
    slot(9)
    first = add_to_next_slot(delivery, by=bob_actor).scheduled_at
    assert add_to_next_slot(delivery, by=bob_actor).scheduled_at == first


@pytest.mark.parametrize("give_up", [cancel_delivery, unschedule])
def test_a_slot_that_is_given_up_is_free_again(roastery, delivery, slot, bob_actor, give_up):
    slot(9)
    first = add_to_next_slot(delivery, by=bob_actor).scheduled_at
    give_up(delivery, by=bob_actor)
    other = Delivery.objects.get(post=add_post(bob_actor, roastery))
    assert add_to_next_slot(other, by=bob_actor).scheduled_at == first


def test_accounts_do_not_take_each_others_slots(roastery, cafe, bob_actor):
    for connection in (roastery, cafe):
        add_slot(connection, by=bob_actor, weekdays=list(range(7)), at=time(9), time_zone=BERLIN)
    post = add_post(bob_actor, roastery, cafe)
    times = {add_to_next_slot(row, by=bob_actor).scheduled_at for row in Delivery.objects.filter(post=post)}
    assert len(times) == 1


def test_without_slots_there_is_advice(delivery, bob_actor):
    with pytest.raises(NotAllowedNow, match="no posting slots"):
        add_to_next_slot(delivery, by=bob_actor)


def test_all_slots_taken_is_no_slot(roastery, slot, bob_actor, at_moment):
    at_moment(utc(2026, 6, 1, 12))
    slot(9, weekdays=[0])
    instants = list(upcoming(roastery, now()))
    for instant in instants:
        Delivery.objects.filter(post=add_post(bob_actor, roastery)).update(scheduled_at=instant)
    free = Delivery.objects.get(post=add_post(bob_actor, roastery))
    assert next_free_slot(roastery, exclude=free.pk) is None


# --- changing slots ------------------------------------------------------------------------------------------


def test_a_slot_is_added_once_per_day_and_time(roastery, slot):
    slot(9, weekdays=[0, 2, 2])
    slot(9, weekdays=[0], zone="UTC")
    assert list(Slot.objects.values_list("weekday", "time_zone")) == [(0, "UTC"), (2, BERLIN)]
    assert AuditEntry.objects.filter(action="slot.add").count() == 2


@pytest.mark.parametrize("weekdays", [[], [7], [-1, 2]])
def test_days_are_days_of_the_week(slot, weekdays):
    with pytest.raises(ValidationError):
        slot(9, weekdays=weekdays)
    assert not Slot.objects.exists()


@pytest.mark.parametrize("zone", ["Mars/Base", "", "../etc/passwd", "CET\x00"])
def test_a_zone_is_a_zone(slot, zone):
    with pytest.raises(ValidationError):
        slot(9, zone=zone)


def test_removing_a_slot_leaves_what_was_planned(delivery, slot, bob_actor):
    (only,) = slot(9, weekdays=[3])
    at = add_to_next_slot(delivery, by=bob_actor).scheduled_at
    remove_slot(only, by=bob_actor)
    assert Delivery.objects.get(pk=delivery.pk).scheduled_at == at
    assert AuditEntry.objects.filter(action="slot.remove").count() == 1


@pytest.mark.parametrize("name", ["rita", "vic", "gwen"])
def test_slots_belong_to_those_who_publish(request, roastery, slot, name):
    actor = request.getfixturevalue(f"{name}_actor")
    (only,) = slot(9, weekdays=[3])
    with pytest.raises(PermissionDenied):
        add_slot(roastery, by=actor, weekdays=[0], at=time(9), time_zone=BERLIN)
    with pytest.raises(PermissionDenied):
        remove_slot(only, by=actor)
    assert Slot.objects.count() == 1


def test_a_changed_slot_leaves_what_was_planned(delivery, slot, bob_actor):
    (only,) = slot(9, weekdays=[3])
    at = add_to_next_slot(delivery, by=bob_actor).scheduled_at
    edit_slot(only, by=bob_actor, weekday=4, at=time(10), time_zone="UTC")
    assert Delivery.objects.get(pk=delivery.pk).scheduled_at == at
    assert Slot.objects.values_list("weekday", "time", "time_zone").get() == (4, time(10), "UTC")
    assert AuditEntry.objects.filter(action="slot.edit").count() == 1


def test_two_slots_never_share_a_time(slot, bob_actor):
    one, _other = slot(9, weekdays=[3, 4])
    with pytest.raises(ValidationError, match="already"):
        edit_slot(one, by=bob_actor, weekday=4, at=time(9), time_zone=BERLIN)


@pytest.mark.parametrize("name", ["rita", "vic", "gwen"])
def test_changing_a_slot_belongs_to_those_who_publish(request, slot, name):
    (only,) = slot(9, weekdays=[3])
    with pytest.raises(PermissionDenied):
        edit_slot(only, by=request.getfixturevalue(f"{name}_actor"), weekday=4, at=time(9), time_zone=BERLIN)
