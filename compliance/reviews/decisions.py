"""Deciding: approve, reject, ask for changes. Every door calls these."""

from datetime import datetime
from typing import Any

from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction

from accounts import audit
from accounts.access import Actor, Perm
from accounts.models import User
from compliance.models import Review, ReviewLink
from compliance.reviews.claims import check_claim, open_to
from compliance.reviews.requests import LABEL_CHARACTERS, note_event
from compliance.reviews.subjects import CLOSED, SUBJECTS, ReviewClosed, ReviewHeld
from lib.clock import now
from lib.text import storable

Status = Review.Status
LONGEST_REASON = 2000
TOO_LATE = "Nobody decided in time. Submit it again if it should still go out."
FOUR_EYES = "This workspace wants four eyes: somebody else has to approve your post."


def approve_review(
    review: Review, *, by: Actor, seen_hash: str, vouched_by: User | None = None, link: ReviewLink | None = None
) -> None:
    """`seen_hash` is what the reviewer had on the screen: approval never covers content nobody looked at.

    `vouched_by` answers for a decision without a person of the workspace: the signer of a policy, the maker of a
    client's `link`. Raises ReviewClosed, PermissionDenied, and ValidationError where a rule now forbids it.
    """
    _require_decider(by)
    if seen_hash != review.action_hash:
        raise ReviewClosed("The content changed after this page was opened. Look at it again.")
    if by.workspace.four_eyes and is_own(review, by.user or vouched_by):
        raise PermissionDenied(FOUR_EYES)
    _check_open(review, by, Status.APPROVED)
    with transaction.atomic():
        # The subject is locked before its review, as an edit does it: the other way round they would deadlock.
        SUBJECTS[review.kind].approve(review, by)
        _close(review, Status.APPROVED, by, link)
        audit.record("review.approve", review, by=by, hash=review.action_hash, object=str(review.object_id))


def reject_review(review: Review, *, by: Actor, reason: str, link: ReviewLink | None = None) -> None:
    _send_back(review, Status.REJECTED, by, clean_reason(reason), link)


def request_changes(review: Review, *, by: Actor, reason: str, link: ReviewLink | None = None) -> None:
    """Back to the author as well, but meant to come again."""
    _send_back(review, Status.CHANGES, by, clean_reason(reason), link)


ACTIONS = {Status.REJECTED: "review.reject", Status.CHANGES: "review.changes"}


def _send_back(review: Review, status: str, by: Actor, reason: str, link: ReviewLink | None) -> None:
    _require_decider(by)
    _check_open(review, by, status)
    review.reason = reason
    with transaction.atomic():
        SUBJECTS[review.kind].send_back(review, by, status)
        _close(review, status, by, link)
        audit.record(ACTIONS[Status(status)], review, by=by, reason=reason, object=str(review.object_id))


def _require_decider(by: Actor) -> None:
    """Whatever rights a program was given: it never decides."""
    by.require(Perm.REVIEW)
    if by.is_agent:
        raise PermissionDenied("Only people decide about reviews.")


def expire_review(review: Review, *, by: Actor) -> None:
    """Nobody decided in time. Raises ReviewClosed where somebody just did."""
    review.reason = TOO_LATE
    with transaction.atomic():
        SUBJECTS[review.kind].send_back(review, by, Status.EXPIRED)
        _close(review, Status.EXPIRED, by, None)
        audit.record("review.expire", review, by=by, object=str(review.object_id))


def clean_reason(reason: str) -> str:
    reason = storable(reason).strip()[:LONGEST_REASON]
    if not reason:
        raise ValidationError({"reason": "Say why, so that the author knows what to change."})
    return reason


def is_own(review: Review, user: User | None) -> bool:
    """They wrote or submitted it. Nobody in particular is no second pair of eyes."""
    return user is None or user.pk == review.requested_by_id or user.pk in authors_of(review)


def authors_of(review: Review) -> set[Any]:
    return SUBJECTS[review.kind].authors(review.object_id)


def _check_open(review: Review, by: Actor, status: str) -> None:
    """Says it early and in plain words; `_close` is what really keeps a second decision out."""
    found = Review.objects.select_related("claimed_by", "workspace").filter(pk=review.pk).first()
    if found is None or found.status != Status.WAITING:
        raise ReviewClosed(CLOSED)
    at = now()
    check_claim(found, by.user, at)
    if status == Status.APPROVED:
        _check_approvable(found, at)


def _check_approvable(review: Review, at: datetime) -> None:
    if review.held_at:
        raise ReviewHeld(f"{review.held_by_label} put this on hold: {review.hold_reason} Take it off hold first.")
    if (review.expires_at and review.expires_at <= at) or _is_too_late(review, at):
        raise ReviewClosed(TOO_LATE)


def _is_too_late(review: Review, at: datetime) -> bool:
    return review.object_id in SUBJECTS[review.kind].too_late([review.object_id], at)


def _close(review: Review, status: str, by: Actor, link: ReviewLink | None) -> None:
    """Write the decision down, unless somebody was faster: then everything is undone."""
    at = now()
    fields = {
        "status": status,
        "decided_by": by.user,
        "decided_label": "" if by.user else by.label[:LABEL_CHARACTERS],
        "decided_link": link,
        "decided_at": at,
        "reason": review.reason,
        "claimed_by": None,
        "claimed_until": None,
    }
    rows = Review.objects.filter(pk=review.pk, status=Status.WAITING)
    if status != Status.EXPIRED:
        rows = rows.filter(open_to(by.user, at))
    if status == Status.APPROVED:
        rows = rows.filter(held_at=None)
    if not rows.update(**fields):
        _check_open(review, by, status)
        raise ReviewClosed(CLOSED)
    for name, value in fields.items():
        setattr(review, name, value)
    note_event(review, status, by=by, text=review.reason)
