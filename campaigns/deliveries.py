"""Acts on deliveries: ask for review, schedule, move, cancel, settle what is uncertain."""

import re
from datetime import datetime, timedelta
from uuid import UUID

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import QuerySet

from accounts import audit
from accounts.access import Actor, Perm, system_actor
from accounts.services import LAST_MOMENT, emit, notify
from campaigns.errors import NotAllowedNow
from campaigns.models import Attempt, Campaign, Delivery, LivePart, Post
from campaigns.queries import with_content
from campaigns.rendering import check_delivery, render
from campaigns.slots import next_free_slot
from compliance.models import Review
from compliance.services import ReviewClosed, Subject, request_review, withdraw_reviews
from lib.clock import now
from social.models import Connection

State = Delivery.State
KIND = "delivery"
# A little in the past is a slow click; more is a mistake.
PAST_TOLERANCE = timedelta(minutes=5)
# An id alone, or the link of a post, whatever follows the id.
STATUS_LINK = re.compile(r"(?:^|/status(?:es)?/)([0-9]{1,19})(?:$|[/?#])")
WAITING = {State.SCHEDULED, State.RETRY_WAIT}
REVOKED_BY_EDIT = {State.APPROVED, State.SCHEDULED, State.RETRY_WAIT, State.MISSED, State.PAUSED, State.FAILED}


# --- review -----------------------------------------------------------------------------------------------


def submit_post(post: Post, *, by: Actor) -> list[Delivery]:
    """Send every draft of the post to review. Raises ValidationError with all that a network would refuse."""
    by.require(Perm.CONTENT_EDIT)
    with transaction.atomic():
        rows = _locked(Delivery.objects.filter(post=post, state=State.DRAFT))
        if not rows:
            _explain_nothing_to_submit(post)
        if problems := [f"{row.connection}: {text}" for row in rows for text in check_delivery(row)]:
            raise ValidationError(problems)
        for row in rows:
            _enter_review(row, by)
        _ask_reviewers(post)
        audit.record("post.submit", post, by=by, deliveries=[str(row.pk) for row in rows])
    return rows


def _ask_reviewers(post: Post) -> None:
    notify(post.workspace, "review.requested", f"“{post}” waits for approval.", path="/reviews", perm=Perm.REVIEW)


def _explain_nothing_to_submit(post: Post) -> None:
    if not Delivery.objects.filter(post=post).exists():
        raise ValidationError("Choose at least one connection first.")
    raise NotAllowedNow("Every part of this post is in review already, or further.")


def _enter_review(delivery: Delivery, by: Actor) -> None:
    """Expects the row's lock and its content loaded."""
    rendered = render(delivery)
    delivery.state, delivery.due_at, delivery.approved_hash = State.IN_REVIEW, None, ""
    delivery.approved_by, delivery.approved_at, delivery.updated_at = None, None, now()
    delivery.problem_code = delivery.problem_text = ""
    # A new content starts with a clean slate: the failures were those of the old one.
    delivery.failures = 0
    delivery.save()
    request_review(KIND, delivery.pk, by=by, action_hash=rendered.content_hash, snapshot=rendered.snapshot())
    emit(delivery.workspace, "delivery.in_review", delivery=str(delivery.pk))


def request_delivery_review(delivery: Delivery, *, code: str = "", message: str = "") -> None:
    """The engine found other content than was approved: ask again, in the workspace's name."""
    row = _locked(Delivery.objects.filter(pk=delivery.pk))[0]
    _enter_review(row, system_actor(row.workspace, "publishing engine", ()))
    Delivery.objects.filter(pk=row.pk).update(problem_code=code, problem_text=message)
    _ask_reviewers(row.post)


def recheck_approvals(post: Post, *, by: Actor) -> None:
    """After an edit: whatever is no longer what was approved needs a new approval, and keeps its planned time."""
    asked_anew = False
    for row in _locked(Delivery.objects.filter(post=post)):
        is_revoked = row.state in REVOKED_BY_EDIT and row.approved_hash != render(row).content_hash
        if row.state == State.IN_REVIEW or is_revoked:
            if check_delivery(row):
                _back_to_draft(row, by)
            else:
                _enter_review(row, by)
                asked_anew = asked_anew or is_revoked
        elif row.state in WAITING:
            # The edit may have moved it to a campaign that has not begun.
            _start_campaign(row, by)
    if asked_anew:
        _ask_reviewers(post)


def _back_to_draft(delivery: Delivery, by: Actor) -> None:
    withdraw_review(delivery, by=by)
    delivery.state, delivery.due_at, delivery.approved_hash = State.DRAFT, None, ""
    delivery.save()


def withdraw_review(delivery: Delivery, *, by: Actor) -> None:
    withdraw_reviews(KIND, delivery.pk, by=by)


def approve_delivery(review: Review, by: Actor) -> None:
    """What an approval does. The hash is computed again: an approval never covers what changed meanwhile."""
    row = _reviewed(review)
    if render(row).content_hash != review.action_hash:
        raise ReviewClosed("The content changed after it was sent to review.")
    planned = row.scheduled_at
    row.state = State.SCHEDULED if planned else State.APPROVED
    row.due_at, row.approved_hash, row.approved_by, row.approved_at = planned, review.action_hash, by.user, now()
    row.updated_at = now()
    row.save()
    if planned:
        _start_campaign(row, by)
    emit(row.workspace, "delivery.approved", delivery=str(row.pk))


def reject_delivery(review: Review, by: Actor) -> None:
    row = _reviewed(review)
    row.state, row.due_at = State.DRAFT, None
    row.problem_code, row.problem_text, row.updated_at = "rejected", f"Rejected: {review.reason}"[:300], now()
    row.save()
    emit(row.workspace, "delivery.rejected", delivery=str(row.pk))
    text = f"“{row.post}” was rejected: {review.reason}"
    notify(row.workspace, "delivery.rejected", text, path=f"/posts/{row.post_id}", perm=Perm.CONTENT_EDIT)


def _reviewed(review: Review) -> Delivery:
    rows = _locked(Delivery.objects.filter(pk=review.object_id, state=State.IN_REVIEW))
    if not rows:
        raise ReviewClosed("This post is no longer in review.")
    return rows[0]


def authors_of(delivery_id: UUID) -> set[UUID]:
    authors = Post.objects.filter(deliveries__pk=delivery_id).values_list("authors", flat=True).first()
    return {UUID(author) for author in authors or []}


REVIEW_SUBJECT = Subject(authors=authors_of, approve=approve_delivery, reject=reject_delivery)


# --- time -------------------------------------------------------------------------------------------------


def schedule_delivery(delivery: Delivery, at: datetime, *, by: Actor) -> Delivery:
    """Plan it. Before approval the plan is only remembered; afterwards it is what the engine keeps to."""
    by.require(Perm.PUBLISH)
    if at < now() - PAST_TOLERANCE:
        raise ValidationError({"at": "This moment has passed. Choose a later one, or publish now."})
    if at >= LAST_MOMENT:
        raise ValidationError({"at": "This is too far away. Choose a moment in this century."})
    with transaction.atomic():
        row = _locked_one(delivery)
        _plan(row, at, by)
        audit.record("delivery.schedule", row, by=by, at=at.isoformat())
    return row


def publish_now(delivery: Delivery, *, by: Actor) -> Delivery:
    by.require(Perm.PUBLISH)
    with transaction.atomic():
        row = _locked_one(delivery)
        if row.state in {State.DRAFT, State.IN_REVIEW, State.CANCELED}:
            raise NotAllowedNow("It needs an approval first. Submit it for review.")
        _plan(row, now(), by)
        audit.record("delivery.publish_now", row, by=by)
    return row


def add_to_next_slot(delivery: Delivery, *, by: Actor) -> Delivery:
    """The next free slot of its connection; the connection's lock keeps two posts out of one slot."""
    by.require(Perm.PUBLISH)
    with transaction.atomic():
        row = _locked_one(delivery)
        at = next_free_slot(row.connection, exclude=row.pk)
        if at is None:
            raise NotAllowedNow("This connection has no posting slots yet. Add some on its page, or pick a time.")
        _plan(row, at, by)
        audit.record("delivery.slot", row, by=by, at=at.isoformat())
    return row


def _plan(row: Delivery, at: datetime, by: Actor) -> None:
    if row.state in {State.PUBLISHING, State.PUBLISHED, State.UNCONFIRMED}:
        raise NotAllowedNow(f"It is {row.get_state_display().lower()}, so its time cannot change any more.")
    if row.state == State.CANCELED:
        row.state = State.DRAFT
    row.scheduled_at, row.updated_at = at, now()
    if row.state not in {State.DRAFT, State.IN_REVIEW}:
        _refuse_ended_campaign(row)
        row.state, row.due_at, row.failures = State.SCHEDULED, at, 0
        row.problem_code = row.problem_text = ""
        _start_campaign(row, by)
    row.save()


def _refuse_ended_campaign(row: Delivery) -> None:
    """The engine would never claim it, and the author would only hear of it when it is too late."""
    campaign = row.post.campaign
    if campaign and campaign.status in {Campaign.Status.COMPLETED, Campaign.Status.ARCHIVED}:
        raise NotAllowedNow(f"Its campaign is {campaign.get_status_display().lower()}. Start the campaign again first.")


def _start_campaign(row: Delivery, by: Actor) -> None:
    """The first planned post starts its campaign; a paused one stays paused."""
    draft = Campaign.objects.filter(posts=row.post_id, status=Campaign.Status.DRAFT)
    if draft.update(status=Campaign.Status.RUNNING, updated_at=now()):
        emit(by.workspace, "campaign.running", campaign=str(row.post.campaign_id))


def unschedule(delivery: Delivery, *, by: Actor) -> Delivery:
    """Take it out of the calendar; the approval stays."""
    by.require(Perm.PUBLISH)
    with transaction.atomic():
        row = _locked_one(delivery)
        if row.state not in WAITING | {State.MISSED, State.DRAFT, State.IN_REVIEW, State.APPROVED}:
            raise NotAllowedNow(f"It is {row.get_state_display().lower()}, so it cannot be taken back.")
        if row.state in WAITING | {State.MISSED}:
            row.state = State.APPROVED
        row.scheduled_at, row.due_at, row.updated_at = None, None, now()
        row.save()
        audit.record("delivery.unschedule", row, by=by)
    return row


def cancel_delivery(delivery: Delivery, *, by: Actor) -> Delivery:
    by.require(Perm.PUBLISH)
    with transaction.atomic():
        row = _locked_one(delivery)
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
        delivery.delete()


def _cancel(row: Delivery, by: Actor) -> None:
    withdraw_review(row, by=by)
    row.state, row.due_at, row.approved_hash, row.updated_at = State.CANCELED, None, "", now()
    row.save()


# --- what only a person can settle ------------------------------------------------------------------------


def confirm_live(delivery: Delivery, link: str, *, by: Actor) -> Delivery:
    """A person saw it live: the link (or id) of the post becomes its receipt."""
    by.require(Perm.PUBLISH)
    given = STATUS_LINK.search(link.strip())
    if given is None:
        raise ValidationError({"link": "Paste the link of the post, such as https://x.com/name/status/123."})
    remote_id = given[1]
    with transaction.atomic():
        row, attempt, position = _uncertain(delivery)
        if LivePart.objects.filter(connection=row.connection, remote_id=remote_id).exists():
            raise ValidationError({"link": "Another delivery has this post already."})
        parts = render(row).parts
        LivePart.objects.create(
            workspace=row.workspace,
            delivery=row,
            connection=row.connection,
            position=position,
            content_hash=parts[position].content_hash,
            remote_id=remote_id,
            # Ours, not the pasted one: that may lead anywhere.
            url=f"{settings.X_WEB_BASE_URL}/i/status/{remote_id}",
            was_found=True,
        )
        _answer(attempt, Attempt.Outcome.ACCEPTED, f"{by.label} says it is live.")
        is_last = position + 1 == len(parts)
        row.state = State.PUBLISHED if is_last else State.RETRY_WAIT
        row.published_at, row.due_at = (now(), None) if is_last else (None, now())
        row.lease_until, row.problem_code, row.problem_text = None, "", ""
        row.save()
        if is_last:
            emit(row.workspace, "delivery.published", delivery=str(row.pk), post=str(row.post_id))
        audit.record("delivery.confirm_live", row, by=by, remote_id=remote_id)
    return row


def send_again(delivery: Delivery, *, by: Actor) -> Delivery:
    """A person looked and it is not there."""
    by.require(Perm.PUBLISH)
    with transaction.atomic():
        row, attempt, _position = _uncertain(delivery)
        if attempt.submitting_at and now() < attempt.submitting_at + _call_period():
            raise NotAllowedNow("The network may still take the first try. Look again in a minute or two.")
        _answer(attempt, Attempt.Outcome.REFUSED, f"{by.label} says it is not live.")
        row.state, row.due_at, row.lease_until = State.RETRY_WAIT, now(), None
        row.scheduled_at = now()
        row.save()
        audit.record("delivery.send_again", row, by=by)
    return row


def _call_period() -> timedelta:
    """How long after its beginning a call may still go through."""
    return timedelta(seconds=settings.X_TIMEOUT_S + settings.LATE_ACCEPT_S + settings.READ_LAG_S)


def _uncertain(delivery: Delivery) -> tuple[Delivery, Attempt, int]:
    row = _locked_one(delivery)
    attempt = row.attempts.exclude(submitting_part=None).order_by("-number").first()
    if row.state != State.UNCONFIRMED or attempt is None or attempt.submitting_part is None:
        raise NotAllowedNow("This is settled already.")
    return row, attempt, attempt.submitting_part


def _answer(attempt: Attempt, result: str, message: str) -> None:
    Attempt.objects.filter(delivery_id=attempt.delivery_id).exclude(submitting_part=None).update(submitting_part=None)
    Attempt.objects.filter(pk=attempt.pk).update(outcome=result, message=message[:300], finished_at=now())


# --- loading ----------------------------------------------------------------------------------------------


def _locked_one(delivery: Delivery) -> Delivery:
    # The connection first: slots are given out under its lock. The weaker kind, since the engine holds a delivery
    # while the foreign key of its receipt asks for the connection.
    Connection.objects.select_for_update(no_key=True).get(pk=delivery.connection_id)
    rows = _locked(Delivery.objects.filter(pk=delivery.pk))
    if not rows:
        raise NotAllowedNow("This was removed meanwhile.")
    return rows[0]


def _locked(rows: QuerySet[Delivery]) -> list[Delivery]:
    """Loaded only once the locks are held: a join in the locking query would show the post as it was before."""
    ids = list(rows.select_for_update().values_list("pk", flat=True))
    return list(with_content(Delivery.objects.filter(pk__in=ids)))
