"""Moving posts in the calendar, one and several, and back again."""

from datetime import UTC, date, datetime, time, timedelta

import pytest
from django.core.exceptions import PermissionDenied, ValidationError

from campaigns import calendar_moves as moves
from campaigns.deliveries import add_to_next_slot, cancel_delivery, schedule_delivery
from campaigns.errors import NotAllowedNow
from campaigns.models import Delivery
from campaigns.slots import add_slot
from lib.clock import now, shifted
from tests.campaigns.cast import add_post, set_state

State = Delivery.State
TUESDAY = datetime(2026, 12, 15, 8, tzinfo=UTC)
LATER = TUESDAY + timedelta(days=2)


@pytest.fixture(autouse=True)
def on_monday():
    with shifted(datetime(2026, 12, 14, 12, tzinfo=UTC) - now()):
        yield


@pytest.fixture
def planned(roastery, bob_actor):
    """A draft to roastery, planned for Tuesday at nine in Berlin unless another moment is given."""

    def add(text: str = "Fresh beans.", at: datetime = TUESDAY) -> Delivery:
        return schedule_delivery(Delivery.objects.get(post=add_post(bob_actor, roastery, text=text)), at, by=bob_actor)

    return add


def time_of(delivery: Delivery) -> datetime | None:
    return Delivery.objects.get(pk=delivery.pk).scheduled_at


# --- one --------------------------------------------------------------------------------------------------


def test_a_post_moves_to_another_moment(planned, bob_actor):
    row = planned()
    moved = moves.move_delivery(row, LATER, by=bob_actor, seen=TUESDAY)
    assert (moved.before, moved.after) == (TUESDAY, LATER)
    assert time_of(row) == LATER


def test_what_was_moved_meanwhile_stays_where_it_is(planned, bob_actor):
    row = planned()
    schedule_delivery(row, LATER, by=bob_actor)
    with pytest.raises(NotAllowedNow, match="meanwhile"):
        moves.move_delivery(row, TUESDAY + timedelta(hours=1), by=bob_actor, seen=TUESDAY)
    assert time_of(row) == LATER


def test_nothing_moves_into_the_past(planned, bob_actor):
    row = planned()
    with pytest.raises(ValidationError, match="has passed"):
        moves.move_delivery(row, TUESDAY - timedelta(days=7), by=bob_actor, seen=TUESDAY)
    assert time_of(row) == TUESDAY


@pytest.mark.parametrize("state", [State.PUBLISHING, State.PUBLISHED, State.UNCONFIRMED])
def test_what_is_out_is_locked(planned, bob_actor, state):
    row = planned()
    set_state(row.post, state)
    with pytest.raises(NotAllowedNow, match="cannot change"):
        moves.move_delivery(row, LATER, by=bob_actor, seen=TUESDAY)


def test_a_post_that_was_removed_cannot_move(planned, bob_actor):
    row = planned()
    Delivery.objects.filter(pk=row.pk).delete()
    with pytest.raises(NotAllowedNow, match="removed"):
        moves.move_delivery(row, LATER, by=bob_actor, seen=TUESDAY)


def test_a_move_by_hand_leaves_the_queue(roastery, planned, bob_actor):
    add_slot(roastery, by=bob_actor, weekdays=[2], at=time(9), time_zone="Europe/Berlin")
    row = add_to_next_slot(planned(), by=bob_actor)
    moves.move_delivery(row, LATER, by=bob_actor, seen=row.scheduled_at)
    assert not Delivery.objects.get(pk=row.pk).is_queued


# --- where a drop leads -----------------------------------------------------------------------------------


def drop(at: datetime, day: date, clock: time | None = None, zone: str = "Europe/Berlin") -> datetime:
    return moves.target_of(Delivery(scheduled_at=at), day, clock, zone)


def test_a_drop_on_a_day_keeps_the_time_on_the_wall() -> None:
    assert drop(TUESDAY, date(2027, 7, 1)) == datetime(2027, 7, 1, 7, tzinfo=UTC)


def test_a_drop_on_an_hour_takes_that_hour() -> None:
    assert drop(TUESDAY, date(2026, 12, 16), time(15)) == datetime(2026, 12, 16, 14, tzinfo=UTC)


def test_a_drop_into_the_hour_that_spring_skips_moves_past_it() -> None:
    assert drop(datetime(2027, 1, 1, 1, 30, tzinfo=UTC), date(2027, 3, 28)) == datetime(2027, 3, 28, 1, 30, tzinfo=UTC)


def test_a_drop_into_the_hour_that_comes_twice_takes_the_first() -> None:
    assert drop(TUESDAY, date(2026, 10, 25), time(2, 30)) == datetime(2026, 10, 25, 0, 30, tzinfo=UTC)


@pytest.mark.parametrize(("zone", "hour", "minute"), [("Asia/Kolkata", 3, 30), ("Asia/Kathmandu", 3, 15)])
def test_zones_between_the_hours_keep_their_own_wall(zone: str, hour: int, minute: int) -> None:
    assert drop(TUESDAY, date(2026, 12, 20), time(9), zone) == datetime(2026, 12, 20, hour, minute, tzinfo=UTC)


def test_what_has_no_time_yet_lands_at_nine() -> None:
    assert moves.target_of(Delivery(), date(2026, 12, 16), None, "Europe/Berlin").hour == 8


# --- several ----------------------------------------------------------------------------------------------


def test_several_move_by_days_and_keep_their_clock(planned, bob_actor):
    rows = [planned("one"), planned("two", TUESDAY + timedelta(hours=3))]
    outcome = moves.move_by_days([row.pk for row in rows], 7, by=bob_actor)
    assert [time_of(row) for row in rows] == [TUESDAY + timedelta(days=7), TUESDAY + timedelta(days=7, hours=3)]
    assert len(outcome.moved) == 2
    assert outcome.refused == []


def test_over_a_clock_change_the_wall_stays_and_the_instant_moves(planned, bob_actor):
    row = planned(at=datetime(2027, 3, 27, 8, tzinfo=UTC))
    moves.move_by_days([row.pk], 1, by=bob_actor)
    assert time_of(row) == datetime(2027, 3, 28, 7, tzinfo=UTC)


def test_one_that_is_refused_does_not_hold_the_others(planned, bob_actor):
    good, locked = planned("good"), planned("locked")
    set_state(locked.post, State.PUBLISHED)
    outcome = moves.move_by_days([locked.pk, good.pk], 1, by=bob_actor)
    assert [row.title for row in outcome.moved] == ["good"]
    assert outcome.refused == [("locked", "It is published, so its time cannot change any more.")]


def test_what_would_land_in_the_past_is_refused_with_its_reason(planned, bob_actor):
    outcome = moves.move_by_days([planned().pk], -3, by=bob_actor)
    assert outcome.refused == [("Fresh beans.", "This moment has passed. Choose a later one, or publish now.")]


def test_what_has_no_time_cannot_move_by_days(post, bob_actor):
    outcome = moves.move_by_days([Delivery.objects.get(post=post).pk], 1, by=bob_actor)
    assert outcome.refused == [("Fresh beans.", "It has no time yet.")]


@pytest.mark.parametrize("days", [0, 367, -367])
def test_days_are_a_number_that_makes_sense(planned, bob_actor, days):
    with pytest.raises(ValidationError, match="1 to 366"):
        moves.move_by_days([planned().pk], days, by=bob_actor)


def test_nothing_selected_is_told(bob_actor, in_workspace):
    with pytest.raises(ValidationError, match="Select at least one"):
        moves.cancel_several([], by=bob_actor)


def test_too_many_at_once_are_refused(bob_actor, in_workspace, roastery):
    with pytest.raises(ValidationError, match="At most 200"):
        moves.cancel_several([type(roastery)().pk for _ in range(201)], by=bob_actor)


def test_several_leave_the_calendar(planned, bob_actor):
    rows = [planned("one"), planned("two")]
    moves.unschedule_several([row.pk for row in rows], by=bob_actor)
    assert [time_of(row) for row in rows] == [None, None]


def test_several_are_canceled_and_the_published_one_says_why_not(planned, bob_actor):
    one, live = planned("one"), planned("live")
    set_state(live.post, State.PUBLISHED)
    outcome = moves.cancel_several([one.pk, live.pk], by=bob_actor)
    assert Delivery.objects.get(pk=one.pk).state == State.CANCELED
    assert outcome.refused == [("live", "It is published: too late to cancel.")]


def test_posts_of_another_workspace_are_gone_for_us(planned, bob_actor, charlie_actor):
    row = planned()
    outcome = moves.cancel_several([row.pk], by=charlie_actor)
    assert outcome.refused == [("A post", "It was removed meanwhile.")]
    assert Delivery.objects.get(pk=row.pk).state == State.DRAFT


# --- back -------------------------------------------------------------------------------------------------


def test_a_move_can_be_undone(planned, bob_actor):
    row = planned()
    moved = moves.move_delivery(row, LATER, by=bob_actor, seen=TUESDAY)
    moves.undo_moves(moves.undo_token([moved], by=bob_actor), by=bob_actor)
    assert time_of(row) == TUESDAY


def test_undo_puts_it_back_into_the_queue(roastery, planned, bob_actor):
    add_slot(roastery, by=bob_actor, weekdays=[2], at=time(9), time_zone="Europe/Berlin")
    row = add_to_next_slot(planned(), by=bob_actor)
    moved = moves.move_delivery(row, LATER, by=bob_actor, seen=row.scheduled_at)
    moves.undo_moves(moves.undo_token([moved], by=bob_actor), by=bob_actor)
    assert Delivery.objects.get(pk=row.pk).is_queued


def test_undo_never_takes_a_slot_that_was_given_away(roastery, planned, bob_actor):
    add_slot(roastery, by=bob_actor, weekdays=[2], at=time(9), time_zone="Europe/Berlin")
    row = add_to_next_slot(planned("first"), by=bob_actor)
    moved = moves.move_delivery(row, LATER, by=bob_actor, seen=row.scheduled_at)
    add_to_next_slot(planned("second"), by=bob_actor)
    outcome = moves.undo_moves(moves.undo_token([moved], by=bob_actor), by=bob_actor)
    assert outcome.refused == [("first", moves.SLOT_TAKEN)]
    assert time_of(row) == LATER


def test_undo_of_what_moved_on_is_refused(planned, bob_actor):
    row = planned()
    moved = moves.move_delivery(row, LATER, by=bob_actor, seen=TUESDAY)
    schedule_delivery(row, LATER + timedelta(days=1), by=bob_actor)
    outcome = moves.undo_moves(moves.undo_token([moved], by=bob_actor), by=bob_actor)
    assert outcome.refused == [("Fresh beans.", moves.MOVED_MEANWHILE)]


def test_undo_of_a_canceled_post_does_not_revive_it_silently(planned, bob_actor):
    row = planned()
    moved = moves.move_delivery(row, LATER, by=bob_actor, seen=TUESDAY)
    cancel_delivery(row, by=bob_actor)
    outcome = moves.undo_moves(moves.undo_token([moved], by=bob_actor), by=bob_actor)
    assert outcome.refused == [("Fresh beans.", moves.MOVED_MEANWHILE)]
    assert Delivery.objects.get(pk=row.pk).state == State.CANCELED


def test_undo_of_several_puts_each_back(planned, bob_actor):
    rows = [planned("one"), planned("two", LATER)]
    outcome = moves.unschedule_several([row.pk for row in rows], by=bob_actor)
    moves.undo_moves(moves.undo_token(outcome.moved, by=bob_actor), by=bob_actor)
    assert [time_of(row) for row in rows] == [TUESDAY, LATER]


@pytest.mark.parametrize("token", ["", "nonsense", "e30:1abc:xyz"])
def test_a_forged_undo_does_nothing(bob_actor, in_workspace, token):
    with pytest.raises(NotAllowedNow, match="no longer"):
        moves.undo_moves(token, by=bob_actor)


def test_an_undo_of_another_workspace_is_refused(planned, bob_actor, charlie_actor):
    moved = moves.move_delivery(planned(), LATER, by=bob_actor, seen=TUESDAY)
    with pytest.raises(PermissionDenied):
        moves.undo_moves(moves.undo_token([moved], by=bob_actor), by=charlie_actor)


@pytest.mark.parametrize("name", ["rita", "vic", "gwen"])
def test_times_belong_to_those_who_publish(request, planned, bob_actor, name):
    row, by = planned(), request.getfixturevalue(f"{name}_actor")
    moved = moves.Moved(row.pk, "", LATER, False, TUESDAY)
    for act in (
        lambda: moves.move_delivery(row, LATER, by=by, seen=TUESDAY),
        lambda: moves.move_by_days([row.pk], 1, by=by),
        lambda: moves.unschedule_several([row.pk], by=by),
        lambda: moves.cancel_several([row.pk], by=by),
        lambda: moves.undo_moves(moves.undo_token([moved], by=bob_actor), by=by),
    ):
        with pytest.raises(PermissionDenied):
            act()
    assert time_of(row) == TUESDAY
