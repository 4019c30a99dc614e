"""What a tick does with what is due, late, held or cut off."""

from datetime import timedelta

import pytest

from accounts.models import Event, Notification
from campaigns import deliveries
from campaigns.engine import dispatch, job
from campaigns.models import Attempt, Campaign, Delivery, LivePart
from campaigns.services import create_campaign
from compliance.models import Review
from lib import clock
from lib.clock import now
from social.models import Connection
from tests.campaigns.cast import add_connection

State = Delivery.State


@pytest.fixture
def connection(workspace, in_workspace):
    """Nothing here talks to X."""
    return add_connection(workspace)


@pytest.fixture
def lives_partly(due):
    """A thread of which one part is live, and that waits for its next try."""

    def make(**fields) -> Delivery:
        delivery = due("One", "Two")
        LivePart.objects.create(
            workspace=delivery.workspace,
            delivery=delivery,
            connection=delivery.connection,
            position=0,
            content_hash="x",
            remote_id="1",
            url="",
        )
        Delivery.objects.filter(pk=delivery.pk).update(state=State.RETRY_WAIT, **fields)
        return delivery

    return make


def tick_later(seconds: float) -> dispatch.Tick:
    with clock.shifted(timedelta(seconds=seconds)):
        return dispatch.tick()


# --- claims ------------------------------------------------------------------------------------------------


def test_a_claim_has_a_lease_an_open_attempt_and_a_higher_fence(due, reload, settings):
    delivery = due("Claim me")
    (claimed,) = dispatch.tick().publish
    row = reload(delivery)
    assert claimed == (row.workspace_id, row.pk, 1)
    assert row.lease_until > now() + timedelta(seconds=settings.LEASE_S - 5)
    assert row.attempts.values_list("number", "outcome").get() == (1, Attempt.Outcome.OPEN)


def test_what_is_not_due_yet_is_left_alone(due, alice_actor):
    delivery = due("Tomorrow")
    deliveries.schedule_delivery(delivery, now() + timedelta(days=1), by=alice_actor)
    assert dispatch.tick().publish == []


@pytest.mark.parametrize("state", sorted(set(State) - {State.SCHEDULED, State.RETRY_WAIT}))
def test_only_planned_and_waiting_deliveries_are_claimed(due, state):
    delivery = due("Not now")
    Delivery.objects.filter(pk=delivery.pk).update(state=state)
    assert dispatch.tick().publish == []


def test_the_batch_is_the_limit(workspace, draft, approve, alice_actor, settings):
    settings.DISPATCH_BATCH = 2
    for number in range(3):
        row = approve(draft(f"Post {number}", to=add_connection(workspace, f"account{number}")))
        deliveries.publish_now(row, by=alice_actor)
    assert len(dispatch.tick().publish) == 2


def test_an_account_in_its_rate_window_waits(due, connection):
    due("Wait")
    Connection.objects.filter(pk=connection.pk).update(limited_until=now() + timedelta(minutes=5))
    assert dispatch.tick().publish == []
    assert len(tick_later(301).publish) == 1


@pytest.mark.parametrize("status", [Campaign.Status.DRAFT, "paused", "completed", "archived"])
def test_only_a_running_campaign_publishes(due, alice_actor, status):
    delivery = due("Held")
    campaign = create_campaign(by=alice_actor, name="Spring")
    delivery.post.campaign = campaign
    delivery.post.save()
    Campaign.objects.update(status=status)
    assert dispatch.tick().publish == []


def test_a_lost_claim_returns_at_the_end_of_its_lease_not_before(due, reload, settings):
    delivery = due("Back again")
    dispatch.tick()
    assert tick_later(settings.LEASE_S - 5).returned == 0
    found = tick_later(settings.LEASE_S + 5)
    assert (found.returned, [row[2] for row in found.publish]) == (1, [2])
    assert reload(delivery).state == State.PUBLISHING


def test_a_renewed_lease_keeps_the_claim(due, settings):
    due("Long upload")
    begun = job.start_job(*dispatch.tick().publish[0])
    with clock.shifted(timedelta(seconds=settings.LEASE_S - 10)):
        job.keep_lease(begun)
    assert tick_later(settings.LEASE_S + 5).returned == 0


def test_a_lease_that_ran_out_cannot_be_renewed(due, settings):
    due("Too long an upload")
    begun = job.start_job(*dispatch.tick().publish[0])
    with clock.shifted(timedelta(seconds=settings.LEASE_S + 1)), pytest.raises(job.ClaimLost):
        job.keep_lease(begun)


# --- late --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("minutes", "missed"), [(59, 0), (61, 1)])
def test_the_workspace_says_how_late_is_too_late(due, minutes, missed):
    due("Late?")
    assert tick_later(minutes * 60).missed == missed


def test_a_backlog_after_an_outage_is_not_flushed(due, alice_actor, live_nowhere):
    rows = [due(f"Post {number}") for number in range(3)]
    found = tick_later(6 * 3600)
    assert (found.missed, found.publish) == (len(rows), [])


@pytest.fixture
def live_nowhere():
    yield
    assert not LivePart.objects.exists()


def test_a_thread_that_has_begun_is_finished_however_late(lives_partly):
    delivery = lives_partly(scheduled_at=now() - timedelta(days=2))
    found = dispatch.tick()
    assert (found.missed, [row[1] for row in found.publish]) == (0, [delivery.pk])


def test_a_retry_that_waits_for_a_rate_window_is_not_missed_before_it_opens(due):
    delivery = due("Wait for the window")
    Delivery.objects.filter(pk=delivery.pk).update(state=State.RETRY_WAIT, due_at=now() + timedelta(hours=3))
    assert tick_later(2 * 3600).missed == 0
    assert tick_later(4 * 3600).missed == 1


def test_a_held_post_becomes_missed_and_people_hear_of_it(due, connection, alice):
    due("Paused for long")
    Connection.objects.filter(pk=connection.pk).update(status=Connection.Status.PAUSED)
    assert tick_later(61 * 60).missed == 1
    assert Notification.objects.filter(user=alice, kind="delivery.missed").count() == 1


# --- cut off -----------------------------------------------------------------------------------------------


@pytest.fixture
def cut_off(connection):
    def run() -> None:
        Connection.objects.filter(pk=connection.pk).update(status=Connection.Status.DISCONNECTED)

    return run


def test_an_uncertain_delivery_of_a_disconnected_account_asks_people_once(due, cut_off, reload, alice):
    delivery = due("Nobody can look")
    Delivery.objects.filter(pk=delivery.pk).update(state=State.UNCONFIRMED, due_at=now())
    cut_off()
    for later in (1, 2, 3):
        tick_later(later)
    assert (reload(delivery).state, reload(delivery).problem_code) == (State.UNCONFIRMED, "cut_off")
    assert Notification.objects.filter(user=alice, kind="delivery.cut_off").count() == 1
    assert Event.objects.filter(kind="delivery.cut_off").count() == 1


def test_a_half_live_thread_of_a_disconnected_account_asks_people(lives_partly, cut_off, reload):
    delivery = lives_partly(due_at=now())
    cut_off()
    tick_later(1)
    assert (reload(delivery).state, reload(delivery).problem_code) == (State.RETRY_WAIT, "cut_off")


def test_connecting_again_lets_both_go_on(lives_partly, cut_off, connection):
    delivery = lives_partly(due_at=now())
    cut_off()
    tick_later(1)
    Connection.objects.filter(pk=connection.pk).update(status=Connection.Status.ACTIVE)
    assert [row[1] for row in tick_later(2).publish] == [delivery.pk]


def test_a_plain_post_of_a_disconnected_account_is_only_missed(due, cut_off, alice):
    due("Too bad")
    cut_off()
    tick_later(1)
    assert not Notification.objects.filter(user=alice, kind="delivery.cut_off").exists()


# --- look-ups ----------------------------------------------------------------------------------------------


def test_a_look_up_is_handed_out_once_until_its_lease_ends(due, settings):
    delivery = due("Look")
    Delivery.objects.filter(pk=delivery.pk).update(state=State.UNCONFIRMED, due_at=now())
    assert len(tick_later(1).look_up) == 1
    assert tick_later(2).look_up == []
    assert len(tick_later(settings.LEASE_S + 5).look_up) == 1


# --- content that is not what was approved ------------------------------------------------------------------


def test_reviewers_hear_of_content_that_changed_after_the_approval(due, rita, reload, tick):
    delivery = due("What was approved")
    delivery.post.parts.update(text="What was not")
    tick()
    row = reload(delivery)
    assert (row.state, row.problem_code) == (State.IN_REVIEW, "changed")
    assert Notification.objects.filter(user=rita, kind="review.requested").count() == 2
    assert Review.objects.filter(object_id=delivery.pk, status="waiting").count() == 1


def test_a_delivery_whose_parts_are_all_live_is_finished_without_a_call(lives_partly, tick, reload):
    delivery = lives_partly(due_at=now())
    part = delivery.live_parts.get()
    part.pk, part.position, part.remote_id = None, 1, "2"
    part._state.adding = True
    part.save(force_insert=True)
    tick()
    row = reload(delivery)
    assert (row.state, row.due_at, row.attempts.get().outcome) == (State.PUBLISHED, None, Attempt.Outcome.ABANDONED)
