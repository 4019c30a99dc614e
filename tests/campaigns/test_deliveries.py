"""Acts on one delivery: plan, move, take back, cancel, settle."""

from datetime import UTC, datetime, timedelta

import pytest
from django.core.exceptions import PermissionDenied, ValidationError

from accounts.models import AuditEntry, Event
from campaigns import deliveries
from campaigns.errors import NotAllowedNow
from campaigns.models import Attempt, Campaign, Delivery, LivePart, Post
from campaigns.services import PartDraft, PostDraft, create_post
from compliance import fingerprints
from compliance.models import Fingerprint, Review
from lib import clock
from lib.clock import now
from tests.campaigns.cast import add_post, set_state

State = Delivery.State
SENT = [State.PUBLISHING, State.PUBLISHED, State.UNCONFIRMED]
LINK = "https://x.com/roastery/status/1234567890123456789"


def fresh(delivery: Delivery) -> Delivery:
    return Delivery.objects.get(pk=delivery.pk)


@pytest.fixture
def tomorrow() -> datetime:
    return datetime.now(UTC) + timedelta(days=1)


# --- planning ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("state", [State.DRAFT, State.IN_REVIEW])
def test_before_approval_a_plan_is_only_remembered(delivery, bob_actor, tomorrow, state):
    set_state(delivery.post, state)
    deliveries.schedule_delivery(delivery, tomorrow, by=bob_actor)
    row = fresh(delivery)
    assert (row.state, row.scheduled_at, row.due_at) == (state, tomorrow, None)


@pytest.mark.parametrize("state", [State.APPROVED, State.SCHEDULED, State.RETRY_WAIT, State.FAILED, State.MISSED])
def test_after_approval_a_plan_is_what_the_engine_keeps_to(approved, post, bob_actor, tomorrow, state):
    delivery = approved(post)
    set_state(post, state, failures=5, problem_code="x", problem_text="y")
    deliveries.schedule_delivery(delivery, tomorrow, by=bob_actor)
    row = fresh(delivery)
    assert (row.state, row.scheduled_at, row.due_at) == (State.SCHEDULED, tomorrow, tomorrow)
    assert (row.failures, row.problem_code, row.problem_text) == (0, "", "")
    assert AuditEntry.objects.filter(action="delivery.schedule").count() == 1


@pytest.mark.parametrize("state", SENT)
def test_what_is_sent_keeps_its_time(delivery, bob_actor, tomorrow, state):
    set_state(delivery.post, state)
    with pytest.raises(NotAllowedNow):
        deliveries.schedule_delivery(delivery, tomorrow, by=bob_actor)
    with pytest.raises(NotAllowedNow):
        deliveries.publish_now(delivery, by=bob_actor)


def test_a_slow_click_is_forgiven_and_a_mistake_is_not(delivery, bob_actor):
    slow = now() - timedelta(minutes=4)
    assert deliveries.schedule_delivery(delivery, slow, by=bob_actor).scheduled_at == slow
    with pytest.raises(ValidationError, match="has passed"):
        deliveries.schedule_delivery(delivery, now() - timedelta(minutes=6), by=bob_actor)


@pytest.mark.parametrize("state", [State.DRAFT, State.IN_REVIEW, State.CANCELED])
def test_nothing_goes_out_now_without_an_approval(delivery, bob_actor, state):
    set_state(delivery.post, state)
    with pytest.raises(NotAllowedNow, match="approval"):
        deliveries.publish_now(delivery, by=bob_actor)
    assert fresh(delivery).scheduled_at is None


def test_publishing_now_makes_it_due_at_once(approved, post, bob_actor):
    delivery = approved(post)
    deliveries.publish_now(delivery, by=bob_actor)
    assert fresh(delivery).due_at <= now()


def test_a_canceled_delivery_that_is_planned_anew_starts_as_a_draft(delivery, bob_actor, tomorrow):
    deliveries.cancel_delivery(delivery, by=bob_actor)
    deliveries.schedule_delivery(delivery, tomorrow, by=bob_actor)
    assert (fresh(delivery).state, fresh(delivery).due_at) == (State.DRAFT, None)


def test_planning_starts_a_draft_campaign_and_leaves_a_paused_one_paused(approved, post, campaign, bob_actor, tomorrow):
    Post.objects.update(campaign=campaign)
    delivery = approved(post)
    deliveries.schedule_delivery(delivery, tomorrow, by=bob_actor)
    assert Campaign.objects.get().status == Campaign.Status.RUNNING
    Campaign.objects.update(status=Campaign.Status.PAUSED)
    deliveries.schedule_delivery(delivery, tomorrow, by=bob_actor)
    assert Campaign.objects.get().status == Campaign.Status.PAUSED


@pytest.mark.parametrize("status", ["completed", "archived"])
def test_a_campaign_that_has_ended_takes_no_plan_that_would_never_be_kept(
    approved, post, campaign, bob_actor, tomorrow, status
):
    Post.objects.update(campaign=campaign)
    delivery = approved(post)
    Campaign.objects.update(status=status)
    with pytest.raises(NotAllowedNow, match=status):
        deliveries.schedule_delivery(delivery, tomorrow, by=bob_actor)
    assert fresh(delivery).state == State.APPROVED


def test_a_delivery_that_was_removed_says_so(delivery, bob_actor, tomorrow):
    Delivery.objects.all().delete()
    with pytest.raises(NotAllowedNow, match="removed"):
        deliveries.schedule_delivery(delivery, tomorrow, by=bob_actor)


# --- taking back -------------------------------------------------------------------------------------------


def test_unscheduling_keeps_the_approval(approved, post, bob_actor, tomorrow):
    delivery = approved(post)
    deliveries.schedule_delivery(delivery, tomorrow, by=bob_actor)
    deliveries.unschedule(delivery, by=bob_actor)
    row = fresh(delivery)
    assert (row.state, row.scheduled_at, row.due_at) == (State.APPROVED, None, None)
    assert row.approved_hash


@pytest.mark.parametrize("state", [*SENT, State.FAILED, State.CANCELED])
def test_what_is_not_planned_cannot_be_unscheduled(delivery, bob_actor, state):
    set_state(delivery.post, state)
    with pytest.raises(NotAllowedNow):
        deliveries.unschedule(delivery, by=bob_actor)


def test_canceling_takes_it_out_of_the_queue_and_voids_the_approval(submitted, post, delivery, bob_actor):
    submitted(post)
    deliveries.cancel_delivery(delivery, by=bob_actor)
    row = fresh(delivery)
    assert (row.state, row.due_at, row.approved_hash) == (State.CANCELED, None, "")
    assert Review.objects.get().status == Review.Status.OBSOLETE
    assert AuditEntry.objects.filter(action="delivery.cancel").count() == 1


@pytest.mark.parametrize("state", SENT)
def test_it_is_too_late_to_cancel_what_is_sent(delivery, bob_actor, state):
    set_state(delivery.post, state)
    with pytest.raises(NotAllowedNow, match="too late"):
        deliveries.cancel_delivery(delivery, by=bob_actor)
    assert fresh(delivery).state == state


# --- settling what is uncertain ------------------------------------------------------------------------------


@pytest.fixture
def uncertain(roastery, bob_actor, approved):
    """Its call for one part had no answer, some time ago."""

    def make(*texts: str, position: int = 0, seconds_ago: float = 300) -> Delivery:
        parts = tuple(map(PartDraft, texts or ("Is it live?",)))
        delivery = approved(create_post(PostDraft(parts, connections=(roastery.pk,)), by=bob_actor))
        set_state(delivery.post, State.UNCONFIRMED, fence=1, due_at=now(), scheduled_at=now() - timedelta(hours=9))
        Attempt.objects.create(
            workspace=delivery.workspace,
            delivery=delivery,
            number=1,
            outcome=Attempt.Outcome.UNKNOWN,
            submitting_part=position,
            submitting_at=now() - timedelta(seconds=seconds_ago),
        )
        return delivery

    return make


def test_saying_that_it_is_live_gives_it_a_receipt(uncertain, bob_actor, settings):
    delivery = deliveries.confirm_live(uncertain(), LINK, by=bob_actor)
    part = LivePart.objects.get(delivery=delivery)
    assert (fresh(delivery).state, fresh(delivery).due_at) == (State.PUBLISHED, None)
    assert part.remote_id == "1234567890123456789"
    assert part.url == f"{settings.X_WEB_BASE_URL}/i/status/{part.remote_id}"
    assert delivery.attempts.get().outcome == Attempt.Outcome.ACCEPTED
    assert Event.objects.filter(kind="delivery.published").count() == 1


def test_what_a_person_saw_live_counts_as_said(uncertain, bob_actor, roastery):
    delivery = uncertain()
    fingerprints.remember(
        "x", "Is it live?", workspace_id=roastery.workspace_id, connection_id=roastery.pk, delivery_id=delivery.pk
    )
    deliveries.confirm_live(delivery, LINK, by=bob_actor)
    assert Fingerprint.objects.get(delivery_id=delivery.pk).is_published


@pytest.mark.parametrize(
    "link",
    [
        "1234567890123456789",
        f"  {LINK}  ",
        f"{LINK}/",
        f"{LINK}?s=20&t=abc",
        f"{LINK}/?s=20",
        f"{LINK}/photo/1",
        f"{LINK}#m",
        "twitter.com/i/web/status/1234567890123456789",
        "https://mobile.twitter.com/roastery/statuses/1234567890123456789",
    ],
)
def test_any_form_of_the_link_will_do(uncertain, bob_actor, link):
    deliveries.confirm_live(uncertain(), link, by=bob_actor)
    assert LivePart.objects.get().remote_id == "1234567890123456789"


@pytest.mark.parametrize(
    "link",
    [
        "",
        "https://x.com/roastery",
        "https://x.com/roastery/status/",
        "https://x.com/roastery/status/12a",
        "١٢٣",
        "12²",
        "1" * 20,
        f"{LINK}99",
        "javascript:alert(1)",
        "https://x.com/" + "a" * 5000,
        "12\x00",
    ],
)
def test_anything_else_is_refused_beside_the_field(uncertain, bob_actor, link):
    delivery = uncertain()
    with pytest.raises(ValidationError) as refusal:
        deliveries.confirm_live(delivery, link, by=bob_actor)
    assert "link" in refusal.value.message_dict
    assert fresh(delivery).state == State.UNCONFIRMED


def test_a_link_with_a_long_tail_does_not_break_the_receipt(uncertain, bob_actor):
    deliveries.confirm_live(uncertain(), f"{LINK}?utm={'x' * 2000}", by=bob_actor)
    assert LivePart.objects.get().url.endswith("1234567890123456789")


def test_a_post_belongs_to_one_delivery(uncertain, bob_actor):
    first, second = uncertain("First of two"), uncertain("Second of two")
    deliveries.confirm_live(first, LINK, by=bob_actor)
    with pytest.raises(ValidationError, match="Another delivery"):
        deliveries.confirm_live(second, LINK, by=bob_actor)


def test_a_thread_goes_on_after_the_part_that_a_person_saw(uncertain, bob_actor):
    delivery = deliveries.confirm_live(uncertain("One", "Two"), LINK, by=bob_actor)
    row = fresh(delivery)
    assert (row.state, row.published_at) == (State.RETRY_WAIT, None)
    assert row.due_at <= now()
    assert not Event.objects.filter(kind="delivery.published").exists()


def test_sending_again_makes_it_due_and_not_late(uncertain, bob_actor):
    delivery = deliveries.send_again(uncertain(), by=bob_actor)
    row = fresh(delivery)
    assert row.state == State.RETRY_WAIT
    assert min(row.scheduled_at, row.due_at) > now() - timedelta(minutes=1)
    assert delivery.attempts.get().outcome == Attempt.Outcome.REFUSED
    assert delivery.attempts.get().submitting_part is None


def test_nobody_sends_again_while_the_network_may_still_take_the_first_try(uncertain, bob_actor, settings):
    delivery = uncertain(seconds_ago=0)
    with pytest.raises(NotAllowedNow, match="may still take"):
        deliveries.send_again(delivery, by=bob_actor)
    assert fresh(delivery).state == State.UNCONFIRMED
    with clock.shifted(timedelta(seconds=settings.X_TIMEOUT_S + settings.LATE_ACCEPT_S + settings.READ_LAG_S + 1)):
        assert deliveries.send_again(delivery, by=bob_actor).state == State.RETRY_WAIT


# A delivery that failed with a call out may be live as well: it is settled like an unconfirmed one.
@pytest.mark.parametrize("state", sorted(set(State) - {State.UNCONFIRMED, State.FAILED}))
def test_only_what_is_uncertain_is_settled(uncertain, bob_actor, state):
    delivery = uncertain()
    set_state(delivery.post, state)
    with pytest.raises(NotAllowedNow, match="settled"):
        deliveries.confirm_live(delivery, LINK, by=bob_actor)
    with pytest.raises(NotAllowedNow, match="settled"):
        deliveries.send_again(delivery, by=bob_actor)
    assert not LivePart.objects.exists()


# --- who may -----------------------------------------------------------------------------------------------

ACTS = {
    "schedule": lambda row, by: deliveries.schedule_delivery(row, now(), by=by),
    "publish": lambda row, by: deliveries.publish_now(row, by=by),
    "slot": lambda row, by: deliveries.add_to_next_slot(row, by=by),
    "unschedule": lambda row, by: deliveries.unschedule(row, by=by),
    "cancel": lambda row, by: deliveries.cancel_delivery(row, by=by),
    "confirm": lambda row, by: deliveries.confirm_live(row, LINK, by=by),
    "again": lambda row, by: deliveries.send_again(row, by=by),
}


@pytest.mark.parametrize("act", ACTS)
def test_reviewers_viewers_and_guests_plan_nothing(delivery, rita_actor, vic_actor, gwen_actor, act):
    for actor in (rita_actor, vic_actor, gwen_actor):
        with pytest.raises(PermissionDenied):
            ACTS[act](delivery, actor)
    assert fresh(delivery).state == State.DRAFT


def test_taking_a_connection_off_a_post_keeps_what_was_tried(roastery, cafe, bob_actor, approved):
    from campaigns.services import update_post

    own = {cafe.pk: ["Cakes at the cafe, all day long"]}
    post = add_post(bob_actor, roastery, cafe, overrides=own)
    approved(post)
    tried = Delivery.objects.get(connection=cafe)
    Delivery.objects.filter(pk=tried.pk).update(state=State.FAILED, fence=1)
    Attempt.objects.create(workspace=post.workspace, delivery=tried, number=1)
    update_post(post, PostDraft((PartDraft("Only the roastery"),), connections=(roastery.pk,)), by=bob_actor)
    assert fresh(tried).state == State.CANCELED
    assert Attempt.objects.count() == 1
