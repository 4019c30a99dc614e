"""The queue of a connection: what moves, what never moves, and that no slot is ever booked twice."""

from datetime import UTC, datetime, time, timedelta

import pytest
from django.core.exceptions import PermissionDenied

from accounts.models import AuditEntry
from campaigns.deliveries import add_to_next_slot, schedule_delivery, unschedule
from campaigns.errors import NotAllowedNow
from campaigns.models import Delivery
from campaigns.queue import move_in_queue, prioritise_delivery, queued
from campaigns.slots import add_slot
from lib.clock import now, shifted
from tests.campaigns.cast import add_post, set_state

State = Delivery.State
MONDAY_NOON = datetime(2026, 12, 7, 12, tzinfo=UTC)


@pytest.fixture(autouse=True)
def on_monday():
    with shifted(MONDAY_NOON - now()):
        yield


@pytest.fixture
def daily(roastery, bob_actor):
    add_slot(roastery, by=bob_actor, weekdays=list(range(7)), at=time(9), time_zone="Europe/Berlin")


@pytest.fixture
def make(roastery, bob_actor):
    def one(text: str) -> Delivery:
        return Delivery.objects.select_related("connection").get(post=add_post(bob_actor, roastery, text=text))

    return one


@pytest.fixture
def queue(daily, make, bob_actor):
    """A on Tuesday, B on Wednesday, C on Thursday, all at nine."""
    return [add_to_next_slot(make(text), by=bob_actor) for text in "ABC"]


def plan(connection) -> dict[str, int]:
    """Day of December by text."""
    rows = Delivery.objects.filter(connection=connection).exclude(scheduled_at=None).order_by("scheduled_at")
    return {str(row.post): row.scheduled_at.day for row in rows.select_related("post")}


def by_hand(delivery: Delivery, day: int, by) -> Delivery:
    return schedule_delivery(delivery, datetime(2026, 12, day, 8, tzinfo=UTC), by=by)


# --- who is in it -----------------------------------------------------------------------------------------


def test_what_takes_a_slot_is_in_the_queue(roastery, queue):
    assert [str(row.post) for row in queued(roastery)] == ["A", "B", "C"]


def test_a_time_set_by_hand_is_not_in_the_queue(roastery, queue, bob_actor):
    schedule_delivery(queue[0], queue[0].scheduled_at, by=bob_actor)
    assert [str(row.post) for row in queued(roastery)] == ["B", "C"]


def test_what_is_taken_out_of_the_calendar_leaves_the_queue(roastery, queue, bob_actor):
    assert not unschedule(queue[1], by=bob_actor).is_queued
    assert [str(row.post) for row in queued(roastery)] == ["A", "C"]


@pytest.mark.parametrize("state", ["draft", "in_review", "approved", "scheduled"])
def test_what_was_not_sent_yet_moves(roastery, queue, state):
    set_state(queue[0].post, state)
    assert queue[0] in queued(roastery)


@pytest.mark.parametrize(
    "state", ["publishing", "published", "unconfirmed", "retry_wait", "failed", "missed", "paused", "canceled"]
)
def test_what_is_on_its_way_or_over_does_not_move(roastery, queue, state):
    set_state(queue[0].post, state)
    assert queue[0] not in queued(roastery)


def test_what_goes_out_this_minute_does_not_move(roastery, queue):
    with shifted(queue[0].scheduled_at - timedelta(seconds=10) - now()):
        assert [str(row.post) for row in queued(roastery)] == ["B", "C"]


# --- one place --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("who", "place", "expected"),
    [(0, 1, "BAC"), (2, 1, "ACB"), (2, 0, "CAB"), (0, 2, "BCA"), (0, 99, "BCA"), (2, -3, "CAB"), (1, 1, "ABC")],
)
def test_a_post_moves_to_a_place_and_those_between_move_by_one(roastery, queue, bob_actor, who, place, expected):
    move_in_queue(queue[who], place, by=bob_actor)
    assert plan(roastery) == dict(zip(expected, [8, 9, 10], strict=True))


def test_the_time_of_the_engine_follows_the_plan(queue, bob_actor):
    set_state(queue[2].post, State.SCHEDULED, due_at=queue[2].scheduled_at)
    move_in_queue(queue[2], 0, by=bob_actor)
    row = Delivery.objects.get(pk=queue[2].pk)
    assert row.due_at == row.scheduled_at == queue[0].scheduled_at


def test_what_waits_for_its_approval_gets_no_time_of_the_engine(queue, bob_actor):
    move_in_queue(queue[2], 0, by=bob_actor)
    assert Delivery.objects.get(pk=queue[2].pk).due_at is None


def test_a_time_set_by_hand_never_moves(roastery, queue, make, bob_actor):
    by_hand(make("hand"), 9, bob_actor)
    move_in_queue(queue[2], 0, by=bob_actor)
    prioritise_delivery(queue[1], by=bob_actor)
    assert plan(roastery)["hand"] == 9


def test_what_is_published_never_moves(roastery, queue, bob_actor):
    set_state(queue[0].post, State.PUBLISHED)
    move_in_queue(queue[2], 0, by=bob_actor)
    assert plan(roastery) == {"A": 8, "C": 9, "B": 10}


def test_what_is_not_queued_has_no_place(roastery, queue, make, bob_actor):
    with pytest.raises(NotAllowedNow, match="not in the queue"):
        move_in_queue(make("outside"), 0, by=bob_actor)


def test_each_account_has_a_queue_of_its_own(roastery, cafe, queue, bob_actor):
    add_slot(cafe, by=bob_actor, weekdays=[2], at=time(9), time_zone="Europe/Berlin")
    other = add_to_next_slot(Delivery.objects.get(post=add_post(bob_actor, cafe, text="other")), by=bob_actor)
    move_in_queue(queue[2], 0, by=bob_actor)
    assert plan(cafe) == {"other": 9}
    assert list(queued(cafe)) == [other]


# --- first ------------------------------------------------------------------------------------------------


def test_what_is_put_first_moves_the_others_one_slot_back(roastery, queue, bob_actor):
    prioritise_delivery(queue[2], by=bob_actor)
    assert plan(roastery) == {"C": 8, "A": 9, "B": 10}


def test_those_behind_it_stay_where_they_are(roastery, queue, bob_actor):
    prioritise_delivery(queue[1], by=bob_actor)
    assert plan(roastery) == {"B": 8, "A": 9, "C": 10}


def test_a_post_from_outside_is_put_first_and_the_last_takes_a_new_slot(roastery, queue, make, bob_actor):
    prioritise_delivery(make("new"), by=bob_actor)
    assert plan(roastery) == {"new": 8, "A": 9, "B": 10, "C": 11}


def test_a_post_with_a_time_of_its_own_comes_into_the_queue(roastery, queue, make, bob_actor):
    mine = by_hand(make("mine"), 20, bob_actor)
    prioritise_delivery(mine, by=bob_actor)
    assert plan(roastery) == {"mine": 8, "A": 9, "B": 10, "C": 11}


def test_a_free_slot_before_all_others_moves_nobody(roastery, queue, bob_actor):
    unschedule(queue[0], by=bob_actor)
    prioritise_delivery(queue[2], by=bob_actor)
    assert plan(roastery) == {"C": 8, "B": 9}


def test_a_hole_in_the_queue_takes_up_those_who_move_back(roastery, queue, make, bob_actor):
    unschedule(queue[1], by=bob_actor)
    prioritise_delivery(make("new"), by=bob_actor)
    assert plan(roastery) == {"new": 8, "A": 9, "C": 10}


def test_the_first_stays_first(roastery, queue, bob_actor):
    prioritise_delivery(queue[0], by=bob_actor)
    assert plan(roastery) == {"A": 8, "B": 9, "C": 10}


def test_without_slots_nothing_can_be_put_first(make, bob_actor):
    with pytest.raises(NotAllowedNow, match="no posting slots"):
        prioritise_delivery(make("alone"), by=bob_actor)


def test_slots_keep_their_wall_clock_over_the_clock_change(roastery, daily, make, bob_actor):
    with shifted(datetime(2027, 3, 27, 12, tzinfo=UTC) - now()):
        rows = [add_to_next_slot(make(text), by=bob_actor) for text in "AB"]
        prioritise_delivery(rows[1], by=bob_actor)
    times = Delivery.objects.order_by("scheduled_at").values_list("scheduled_at", flat=True)
    assert list(times) == [datetime(2027, 3, 28, 7, tzinfo=UTC), datetime(2027, 3, 29, 7, tzinfo=UTC)]


# --- who may, and the trail -------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["rita", "vic", "gwen"])
@pytest.mark.parametrize("act", [prioritise_delivery, lambda row, by: move_in_queue(row, 0, by=by)])
def test_the_order_belongs_to_those_who_publish(request, roastery, queue, name, act):
    with pytest.raises(PermissionDenied):
        act(queue[2], by=request.getfixturevalue(f"{name}_actor"))
    assert plan(roastery) == {"A": 8, "B": 9, "C": 10}


def test_each_change_of_the_order_is_on_the_trail(queue, bob_actor):
    move_in_queue(queue[2], 0, by=bob_actor)
    prioritise_delivery(queue[1], by=bob_actor)
    actions = AuditEntry.objects.order_by("-number").values_list("action", flat=True)[:2]
    assert list(actions) == ["queue.prioritise", "queue.move"]
