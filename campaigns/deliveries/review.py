"""Asking for an approval, what it does, and what an edit does to it."""

from collections.abc import Collection, Iterable
from datetime import datetime, timedelta
from functools import cached_property, partial
from uuid import UUID

from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import DurationField, ExpressionWrapper, F

from accounts import audit, rate
from accounts.access import Actor, Perm, system_actor
from accounts.models import LatePolicy, Workspace
from accounts.rate import Limit
from accounts.services import emit, notify
from campaigns import publishing_log
from campaigns.autonomy import Asked, approve_by_policy, check_may_submit, may_submit
from campaigns.deliveries.loading import locked, may_be_live
from campaigns.errors import NotAllowedNow
from campaigns.guarding import KIND, Judged, explain_hits, judge_delivery, keep_judged
from campaigns.models import AutonomyPolicy, Campaign, Delivery, LivePart, Post
from campaigns.rendering import Rendered, check_delivery, render
from campaigns.repeats import check_repeats
from campaigns.replies import check_reply
from compliance import fingerprints
from compliance.decisions import risk_of
from compliance.models import GuardDecision, Review
from compliance.services import TOLD, ReviewClosed, Subject, request_review, withdraw_reviews
from lib.clock import now
from social.models import TelegramLink

State = Delivery.State
WAITING = {State.SCHEDULED, State.RETRY_WAIT}
REVOKED_BY_EDIT = {State.APPROVED, State.SCHEDULED, State.RETRY_WAIT, State.MISSED, State.PAUSED, State.FAILED}


class Sheet:
    """A locked delivery as it would be sent, and what the guard says to it; each worked out once, when it is needed."""

    def __init__(self, row: Delivery) -> None:
        self.row = row

    @cached_property
    def rendered(self) -> Rendered:
        return render(self.row)

    @cached_property
    def judged(self) -> Judged:
        return judge_delivery(self.row, self.rendered)


def submit_post(post: Post, *, by: Actor) -> list[Delivery]:
    """Send every draft of the post to review. Raises ValidationError with all that a network would refuse."""
    by.require(Perm.CONTENT_EDIT)
    check_may_submit(post.campaign_id, by)
    with transaction.atomic():
        rows = locked(Delivery.objects.filter(post=post, state=State.DRAFT))
        if not rows:
            _explain_nothing_to_submit(post)
        sheets = [Sheet(row) for row in rows]
        if problems := [f"{sheet.row.connection}: {text}" for sheet in sheets for text in _refusals(sheet)]:
            raise ValidationError(problems)
        waiting = [sheet.row for sheet in sheets if not _enter_review(sheet, by)]
        if waiting:
            _ask_reviewers(post)
        rate.require(submissions(by.workspace), text="This workspace submits too much at once.")
        audit.record("post.submit", post, by=by, deliveries=[str(row.pk) for row in rows])
    return rows


def submissions(workspace: Workspace) -> Limit:
    """Each asks people for their time."""
    return Limit(("submit", workspace.pk), 2000, timedelta(hours=1), burst=2000)


def _refusals(sheet: Sheet) -> list[str]:
    """Why it may not even be asked for: what the network, or a rule, forbids."""
    row, rendered = sheet.row, sheet.rendered
    return (
        check_delivery(row, rendered)
        or check_reply(row)
        or check_repeats(row, rendered)
        or explain_hits(sheet.judged.decision.blocking)
    )


def _ask_in_chats(review: Review) -> None:
    if TelegramLink.objects.exists():
        from campaigns.tasks import send_review_prompts

        transaction.on_commit(partial(send_review_prompts.delay, str(review.workspace_id), str(review.pk)))


def _ask_reviewers(post: Post) -> None:
    notify(post.workspace, "review.requested", f"“{post}” waits for approval.", path="/reviews", perm=Perm.REVIEW)
    from campaigns.guest_reviews import tell_guests

    tell_guests(post)


def _explain_nothing_to_submit(post: Post) -> None:
    if not Delivery.objects.filter(post=post).exists():
        raise ValidationError("Choose at least one connection first.")
    raise NotAllowedNow("Every part of this post is in review already, or further.")


def _enter_review(sheet: Sheet, by: Actor, *, needs_person: bool = False) -> bool:
    """Whether a policy approved it at once. Expects the row's lock and its content loaded."""
    delivery, rendered, judged = sheet.row, sheet.rendered, sheet.judged
    delivery.state, delivery.due_at, delivery.approved_hash = State.IN_REVIEW, None, ""
    delivery.approved_by, delivery.approved_at, delivery.updated_at = None, None, now()
    delivery.approved_policy = None
    delivery.problem_code = delivery.problem_text = ""
    # A new content starts with a clean slate: the failures were those of the old one.
    delivery.failures = 0
    delivery.save()
    review = request_review(
        KIND,
        delivery.pk,
        by=by,
        action_hash=rendered.content_hash,
        snapshot=rendered.snapshot(),
        scopes=[key for key in (delivery.post_id, delivery.post.campaign_id) if key],
        decision=judged.decision,
        risk=risk_of(judged.decision, judged.context),
    )
    keep_judged(judged, delivery, rendered, GuardDecision.Stage.DRAFT)
    emit(delivery.workspace, "delivery.in_review", delivery=str(delivery.pk))
    publishing_log.write(delivery, "submitted", publishing_log.INFO)
    if not needs_person and approve_by_policy(Asked(delivery, rendered, judged, review)):
        delivery.refresh_from_db(fields=["state", "due_at", "approved_hash", "approved_at", "approved_policy"])
        return True
    _ask_in_chats(review)
    return False


def request_delivery_review(delivery: Delivery, *, code: str = "", message: str = "") -> None:
    """The engine found other content than was approved: ask again, in the workspace's name."""
    row = locked(Delivery.objects.filter(pk=delivery.pk))[0]
    _enter_review(Sheet(row), system_actor(row.workspace, "publishing engine", ()), needs_person=True)
    Delivery.objects.filter(pk=row.pk).update(problem_code=code, problem_text=message)
    _ask_reviewers(row.post)


def recheck_approvals(post: Post, *, by: Actor) -> None:
    """After an edit: whatever is no longer what was approved needs a new approval, and keeps its planned time."""
    asked_anew = False
    for row in locked(Delivery.objects.filter(post=post)):
        sheet = Sheet(row)
        is_revoked = row.state in REVOKED_BY_EDIT and row.approved_hash != sheet.rendered.content_hash
        if row.state == State.IN_REVIEW or is_revoked:
            if _refusals(sheet) or not may_submit(post, by):
                _back_to_draft(row, by)
            elif not _enter_review(sheet, by):
                asked_anew = asked_anew or is_revoked
        elif row.state in WAITING:
            # The edit may have moved it to a campaign that has not begun.
            start_campaign(row, by)
    if asked_anew:
        _ask_reviewers(post)


def take_back_approvals(policy: AutonomyPolicy) -> int:
    """The policy ended: what it approved and nobody has begun to send waits for a person. The number of these."""
    by = system_actor(policy.workspace, "end of a policy", ())
    rows = locked(Delivery.objects.filter(approved_policy=policy, state__in=REVOKED_BY_EDIT).order_by("pk"))
    begun = set(LivePart.objects.filter(delivery__in=rows).values_list("delivery", flat=True))
    for row in (taken := [row for row in rows if row.pk not in begun and not may_be_live(row)]):
        _enter_review(Sheet(row), by, needs_person=True)
    for post in {row.post_id: row.post for row in taken}.values():
        _ask_reviewers(post)
    return len(taken)


def _back_to_draft(delivery: Delivery, by: Actor) -> None:
    withdraw_review(delivery, by=by)
    fingerprints.forget(delivery.pk)
    delivery.state, delivery.due_at, delivery.approved_hash = State.DRAFT, None, ""
    delivery.save()


def withdraw_review(delivery: Delivery, *, by: Actor) -> None:
    withdraw_reviews(KIND, delivery.pk, by=by)


def approve_delivery(review: Review, by: Actor) -> None:
    """What an approval does. The hash is computed again: an approval never covers what changed meanwhile."""
    row = _reviewed(review)
    rendered = render(row)
    if rendered.content_hash != review.action_hash:
        raise ReviewClosed("The content changed after it was sent to review.")
    judged = judge_delivery(row, rendered)
    if judged.decision.blocking:
        # A rule may have come, or a fact changed, since it was asked for.
        raise ValidationError(explain_hits(judged.decision.blocking))
    keep_judged(judged, row, rendered, GuardDecision.Stage.APPROVAL)
    planned = row.scheduled_at
    row.state = State.SCHEDULED if planned else State.APPROVED
    row.due_at, row.approved_hash, row.approved_by, row.approved_at = planned, review.action_hash, by.user, now()
    row.updated_at = now()
    row.save()
    if planned:
        start_campaign(row, by)
    emit(row.workspace, "delivery.approved", delivery=str(row.pk))
    publishing_log.write(row, "approved", publishing_log.INFO, f"Approved by {by.label}.")


def send_back_delivery(review: Review, by: Actor, status: str) -> None:
    """Rejected, changes wanted, or nobody decided in time: a draft again, with the reason."""
    row = _reviewed(review)
    fingerprints.forget(row.pk)
    row.state, row.due_at, row.updated_at = State.DRAFT, None, now()
    row.problem_code, row.problem_text = status, f"{Review.Status(status).label}: {review.reason}"[:300]
    row.save()
    emit(row.workspace, f"delivery.{status}", delivery=str(row.pk))
    publishing_log.write(row, status, publishing_log.WARNING, row.problem_text)
    text = f"“{row.post}” {TOLD[status]}: {review.reason}"
    path, is_expired = f"/posts/{row.post_id}", status == Review.Status.EXPIRED
    # Nobody looked: its author would not expect that it does not go out.
    notify(row.workspace, f"delivery.{status}", text, path=path, perm=Perm.CONTENT_EDIT, alert=is_expired)


def too_late(delivery_ids: Collection[UUID], at: datetime) -> set[UUID]:
    """Their planned time has passed by more than the workspace allows: approved now, the engine would not send them."""
    late_after = ExpressionWrapper(F("workspace__late_minutes") * timedelta(minutes=1), DurationField())
    rows = Delivery.objects.filter(pk__in=delivery_ids, state=State.IN_REVIEW)
    rows = rows.exclude(workspace__late_policy=LatePolicy.SEND)
    return set(rows.filter(scheduled_at__lt=at - late_after).values_list("pk", flat=True))


def lock_deliveries(delivery_ids: Iterable[UUID]) -> None:
    list(Delivery.objects.select_for_update(no_key=True).filter(pk__in=delivery_ids).order_by("pk").values_list("pk"))


def _reviewed(review: Review) -> Delivery:
    rows = locked(Delivery.objects.filter(pk=review.object_id, state=State.IN_REVIEW))
    if not rows:
        raise ReviewClosed("This post is no longer in review.")
    return rows[0]


def authors_of(delivery_id: UUID) -> set[UUID]:
    authors = Post.objects.filter(deliveries__pk=delivery_id).values_list("authors", flat=True).first()
    return {UUID(author) for author in authors or []}


REVIEW_SUBJECT = Subject(
    authors=authors_of, approve=approve_delivery, send_back=send_back_delivery, too_late=too_late, lock=lock_deliveries
)


def start_campaign(row: Delivery, by: Actor) -> None:
    """The first planned post starts its campaign; a paused one stays paused."""
    draft = Campaign.objects.filter(posts=row.post_id, status=Campaign.Status.DRAFT)
    if draft.update(status=Campaign.Status.RUNNING, updated_at=now()):
        emit(by.workspace, "campaign.running", campaign=str(row.post.campaign_id))
