"""When: plan, move, publish now, take back, cancel."""

from datetime import datetime, timedelta

from django.core.exceptions import ValidationError
from django.db import transaction

from accounts import audit
from accounts.access import Actor, Perm
from accounts.services import LAST_MOMENT
from campaigns import publishing_log
from campaigns.deliveries.loading import locked_one, may_be_live
from campaigns.deliveries.review import WAITING, start_campaign, withdraw_review
from campaigns.engine.job import TAKEN_DOWN, is_taken_down
from campaigns.errors import NotAllowedNow
from campaigns.models import Campaign, Delivery
from campaigns.slots import next_free_slot
from compliance import fingerprints
from lib.clock import now

State = Delivery.State
# A little in the past is a slow click; more is a mistake.
PAST_TOLERANCE = timedelta(minutes=5)
MAY_BE_LIVE = "Nobody knows whether the last try is live. Look at the account, and say what you see there first."


def schedule_delivery(delivery: Delivery, at: datetime, *, by: Actor) -> Delivery:
    """Plan it. Before approval the plan is only remembered; afterwards it is what the engine keeps to."""
    by.require(Perm.PUBLISH)
    if at < now() - PAST_TOLERANCE:
        raise ValidationError({"at": "This moment has passed. Choose a later one, or publish now."})
    if at >= LAST_MOMENT:
        raise ValidationError({"at": "This is too far away. Choose a moment in this century."})
    with transaction.atomic():
        row = locked_one(delivery)
        _plan(row, at, by)
        audit.record("delivery.schedule", row, by=by, at=at.isoformat())
    return row


def publish_now(delivery: Delivery, *, by: Actor) -> Delivery:
    by.require(Perm.PUBLISH)
    with transaction.atomic():
        row = locked_one(delivery)
        if row.state in {State.DRAFT, State.IN_REVIEW, State.CANCELED}:
            raise NotAllowedNow("It needs an approval first. Submit it for review.")
        _plan(row, now(), by)
        audit.record("delivery.publish_now", row, by=by)
    return row


def add_to_next_slot(delivery: Delivery, *, by: Actor) -> Delivery:
    """The next free slot of its connection; the connection's lock keeps two posts out of one slot."""
    by.require(Perm.PUBLISH)
    with transaction.atomic():
        row = locked_one(delivery)
        at = next_free_slot(row.connection, exclude=row.pk)
        if at is None:
            raise NotAllowedNow("This connection has no posting slots yet. Add some on its page, or pick a time.")
        _plan(row, at, by, is_queued=True)
        audit.record("delivery.slot", row, by=by, at=at.isoformat())
    return row


def _plan(row: Delivery, at: datetime, by: Actor, *, is_queued: bool = False) -> None:
    if row.state in {State.PUBLISHING, State.PUBLISHED, State.UNCONFIRMED}:
        raise NotAllowedNow(f"It is {row.get_state_display().lower()}, so its time cannot change any more.")
    if is_taken_down(row):
        raise NotAllowedNow(TAKEN_DOWN)
    if may_be_live(row):
        raise NotAllowedNow(MAY_BE_LIVE)
    if row.state == State.CANCELED:
        row.state = State.DRAFT
    row.scheduled_at, row.is_queued, row.updated_at = at, is_queued, now()
    if row.state not in {State.DRAFT, State.IN_REVIEW}:
        _refuse_ended_campaign(row)
        row.state, row.due_at, row.failures = State.SCHEDULED, at, 0
        row.problem_code = row.problem_text = ""
        start_campaign(row, by)
    row.save()
    if row.state == State.SCHEDULED:
        publishing_log.write(row, "scheduled", publishing_log.INFO, f"By {by.label}.", at=at.isoformat())


def _refuse_ended_campaign(row: Delivery) -> None:
    """The engine would never claim it, and the author would only hear of it when it is too late."""
    campaign = row.post.campaign
    if campaign and campaign.status in {Campaign.Status.COMPLETED, Campaign.Status.ARCHIVED}:
        raise NotAllowedNow(f"Its campaign is {campaign.get_status_display().lower()}. Start the campaign again first.")


def unschedule(delivery: Delivery, *, by: Actor) -> Delivery:
    """Take it out of the calendar; the approval stays."""
    by.require(Perm.PUBLISH)
    with transaction.atomic():
        row = locked_one(delivery)
        if row.state not in WAITING | {State.MISSED, State.DRAFT, State.IN_REVIEW, State.APPROVED}:
            raise NotAllowedNow(f"It is {row.get_state_display().lower()}, so it cannot be taken back.")
        if row.state in WAITING | {State.MISSED}:
            row.state = State.APPROVED
        row.scheduled_at, row.due_at, row.is_queued, row.updated_at = None, None, False, now()
        row.save()
        audit.record("delivery.unschedule", row, by=by)
    return row


def cancel_delivery(delivery: Delivery, *, by: Actor) -> Delivery:
    by.require(Perm.PUBLISH)
    with transaction.atomic():
        row = locked_one(delivery)
        if row.state in {State.PUBLISHING, State.PUBLISHED, State.UNCONFIRMED}:
            raise NotAllowedNow(f"It is {row.get_state_display().lower()}: too late to cancel.")
        _cancel(row, by)
        audit.record("delivery.cancel", row, by=by)
    return row


def drop_delivery(delivery: Delivery, *, by: Actor) -> None:
    """The connection was taken off the post. What was ever tried keeps its receipts. Expects the row's lock."""
    if delivery.fence:
        _cancel(delivery, by)
    else:
        withdraw_review(delivery, by=by)
        fingerprints.forget(delivery.pk)
        delivery.delete()


def _cancel(row: Delivery, by: Actor) -> None:
    withdraw_review(row, by=by)
    fingerprints.forget(row.pk)
    publishing_log.write(row, "canceled", publishing_log.WARNING, f"Canceled by {by.label}.")
    row.state, row.due_at, row.approved_hash, row.updated_at = State.CANCELED, None, "", now()
    row.save()
