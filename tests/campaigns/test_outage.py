"""Many posts were missed at once, and a person says what becomes of them."""

from collections.abc import Callable
from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from django.core.exceptions import PermissionDenied, ValidationError

from accounts.access import Actor
from campaigns.engine import dispatch
from campaigns.models import Delivery
from campaigns.outage import find_outages, settle_missed
from campaigns.rendering import render
from campaigns.slots import add_slot, upcoming
from lib.clock import now, shifted
from social.models import Connection
from tests.campaigns.cast import add_post

State = Delivery.State
HOUR, GAP = timedelta(hours=1), timedelta(minutes=1)


@pytest.fixture
def overdue(bob_actor: Actor, roastery: Connection) -> Callable[..., Delivery]:
    """An approved post whose time passed while nothing ran."""

    def make(hours_ago: float = 3, to: Connection | None = None, state: str = State.SCHEDULED) -> Delivery:
        row = Delivery.objects.get(post=add_post(bob_actor, to or roastery, text=f"{now()}"))
        at = now() - hours_ago * HOUR
        Delivery.objects.filter(pk=row.pk).update(
            state=state, scheduled_at=at, due_at=at, approved_hash=render(row).content_hash
        )
        return stored(row)

    return make


@pytest.fixture
def missed(overdue) -> Callable[..., Delivery]:
    def make(hours_ago: float = 3, to: Connection | None = None) -> Delivery:
        return overdue(hours_ago, to, State.MISSED)

    return make


def stored(row: Delivery) -> Delivery:
    return Delivery.objects.select_related("workspace", "connection").get(pk=row.pk)


# --- finding it -------------------------------------------------------------------------------------------


def test_what_the_first_tick_after_an_outage_finds_late_is_one_outage(overdue, vic_actor) -> None:
    rows = [overdue(hours_ago) for hours_ago in (5, 3, 2)]
    dispatch.tick()
    (outage,) = find_outages(vic_actor)
    assert [row.pk for row in outage.deliveries] == [row.pk for row in rows]
    assert (outage.starts_at, outage.ends_at) == (rows[0].scheduled_at, rows[2].scheduled_at)


def test_nothing_goes_out_by_itself_after_an_outage(overdue) -> None:
    for hours_ago in (5, 3, 2):
        overdue(hours_ago)
    assert dispatch.tick().publish == []
    assert set(Delivery.objects.values_list("state", flat=True)) == {State.MISSED}


def test_two_missed_posts_are_no_outage(missed, vic_actor) -> None:
    missed(), missed()
    assert find_outages(vic_actor) == []


def test_posts_missed_one_at_a_time_are_no_outage(missed, vic_actor) -> None:
    for minutes in (0, 10, 20):
        Delivery.objects.filter(pk=missed().pk).update(updated_at=now() - minutes * GAP)
    assert find_outages(vic_actor) == []


def test_two_outages_are_told_apart_the_newer_first(missed, vic_actor) -> None:
    for days in (5, 5, 5, 1, 1, 1):
        Delivery.objects.filter(pk=missed(24 * days).pk).update(updated_at=now() - timedelta(days=days))
    newer, older = find_outages(vic_actor)
    assert newer.starts_at > older.ends_at


def test_an_outage_over_midnight_is_more_than_one_day(missed, vic_actor) -> None:
    with shifted(datetime(2026, 12, 30, 6, tzinfo=UTC) - now()):
        for hours_ago in (9, 8, 2):
            missed(hours_ago)
        assert not find_outages(vic_actor)[0].is_one_day


def test_another_workspace_has_no_part_in_it(missed, charlie_actor) -> None:
    for _ in range(3):
        missed()
    assert find_outages(charlie_actor) == []


# --- send now ---------------------------------------------------------------------------------------------


def test_sending_now_keeps_the_order_and_a_minute_between(missed, bob_actor) -> None:
    late, early = missed(2), missed(5)
    first, second = settle_missed([late, early], "send", by=bob_actor)
    assert [first.delivery.pk, second.delivery.pk] == [early.pk, late.pk]
    assert first.at
    assert second.at
    assert second.at - first.at == GAP
    assert stored(early).state == stored(late).state == State.SCHEDULED


def test_two_accounts_do_not_wait_for_each_other(missed, bob_actor, cafe) -> None:
    first, second = settle_missed([missed(), missed(to=cafe)], "send", by=bob_actor)
    assert first.at
    assert second.at
    assert abs(second.at - first.at) < timedelta(seconds=5)


def test_a_changed_post_is_not_sent_and_says_why(missed, bob_actor) -> None:
    row = missed()
    row.post.parts.update(text="Something else")
    (settled,) = settle_missed([row], "send", by=bob_actor)
    assert not settled.is_done
    assert "not what was approved" in settled.reason
    assert stored(row).state == State.MISSED


def test_one_refusal_leaves_the_others_done(missed, bob_actor) -> None:
    changed, good = missed(5), missed(3)
    changed.post.parts.update(text="Something else")
    assert [one.is_done for one in settle_missed([changed, good], "send", by=bob_actor)] == [False, True]
    assert stored(good).state == State.SCHEDULED


def test_what_somebody_settled_meanwhile_is_left_as_it_is(missed, bob_actor) -> None:
    row = missed()
    settle_missed([row], "drop", by=bob_actor)
    (settled,) = settle_missed([row], "send", by=bob_actor)
    assert (settled.is_done, settled.reason) == (False, "It is canceled, so somebody settled it already.")


# --- move -------------------------------------------------------------------------------------------------


def test_moving_by_days_keeps_the_time_on_the_wall_over_a_clock_change(missed, bob_actor) -> None:
    # Berlin's clocks go back in the night before 25 October 2026.
    with shifted(datetime(2026, 10, 24, 12, tzinfo=UTC) - now()):
        row = missed()
        Delivery.objects.filter(pk=row.pk).update(scheduled_at=datetime(2026, 10, 24, 7, tzinfo=UTC))
        (settled,) = settle_missed([row], "move", by=bob_actor, days=1)
    assert settled.at == datetime(2026, 10, 25, 8, tzinfo=UTC)
    assert settled.at.astimezone(ZoneInfo("Europe/Berlin")).time() == time(9)


def test_moving_by_hours_is_hours_from_the_plan(missed, bob_actor) -> None:
    row = missed(3)
    (settled,) = settle_missed([row], "move", by=bob_actor, hours=10)
    assert settled.at == row.scheduled_at + 10 * HOUR  # type: ignore[operator]


def test_a_move_that_stays_in_the_past_is_refused_row_by_row(missed, bob_actor) -> None:
    old, recent = missed(50), missed(3)
    results = settle_missed([old, recent], "move", by=bob_actor, days=1)
    assert [(one.is_done, one.reason) for one in results] == [
        (False, "That is still in the past. Move it further."),
        (True, ""),
    ]


def test_the_next_free_slots_are_taken_in_order(missed, bob_actor, roastery) -> None:
    add_slot(roastery, by=bob_actor, weekdays=list(range(7)), at=time(9), time_zone="UTC")
    slots = upcoming(roastery, now())
    first, second = settle_missed([missed(2), missed(5)], "slot", by=bob_actor)
    assert [first.at, second.at] == [next(slots), next(slots)]


def test_an_account_without_slots_says_so(missed, bob_actor) -> None:
    (settled,) = settle_missed([missed()], "slot", by=bob_actor)
    assert "no posting slots" in settled.reason


# --- drop -------------------------------------------------------------------------------------------------


def test_dropping_cancels(missed, bob_actor) -> None:
    row = missed()
    (settled,) = settle_missed([row], "drop", by=bob_actor)
    assert (settled.is_done, settled.at, stored(row).state) == (True, None, State.CANCELED)


def test_a_changed_post_can_still_be_dropped(missed, bob_actor) -> None:
    row = missed()
    row.post.parts.update(text="Something else")
    assert settle_missed([row], "drop", by=bob_actor)[0].is_done


# --- refusals ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("given", "field"),
    [
        ({"action": "explode"}, "action"),
        ({"action": "move"}, "days"),
        ({"action": "move", "days": -1}, "days"),
        ({"action": "move", "days": 61}, "days"),
        ({"action": "move", "hours": 100_000}, "days"),
    ],
)
def test_an_act_that_makes_no_sense_is_refused_as_a_whole(missed, bob_actor, given, field) -> None:
    row = missed()
    with pytest.raises(ValidationError) as refused:
        settle_missed([row], by=bob_actor, **given)
    assert field in refused.value.message_dict
    assert stored(row).state == State.MISSED


def test_nothing_chosen_is_refused(bob_actor, in_workspace) -> None:
    with pytest.raises(ValidationError, match="Choose at least one post"):
        settle_missed([], "drop", by=bob_actor)


def test_too_many_at_once_are_refused(missed, bob_actor) -> None:
    with pytest.raises(ValidationError, match="at most 200"):
        settle_missed([missed()] * 201, "drop", by=bob_actor)


@pytest.mark.parametrize("who", ["rita", "vic", "gwen"])
def test_only_who_may_publish_settles(request, missed, who) -> None:
    row = missed()
    with pytest.raises(PermissionDenied):
        settle_missed([row], "drop", by=request.getfixturevalue(f"{who}_actor"))
    assert stored(row).state == State.MISSED
