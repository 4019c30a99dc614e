"""Keeping a review from being decided for now, and talking about it."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction
from django.db.models import F

from accounts import audit
from accounts.access import Actor, Perm
from accounts.models import Notification
from compliance.models import Review, ReviewEvent
from compliance.reviews.claims import check_claim, open_to
from compliance.reviews.decisions import LONGEST_REASON, clean_reason
from compliance.reviews.requests import LABEL_CHARACTERS, note_event
from compliance.reviews.subjects import CLOSED, ReviewClosed
from lib.clock import now
from lib.text import storable

WAITING = Review.Status.WAITING


def hold_review(review: Review, *, by: Actor, reason: str) -> None:
    """It waits on, and nobody may approve it until somebody takes it off hold."""
    by.require(Perm.REVIEW)
    reason, at = clean_reason(reason), now()
    fields = {"held_at": at, "held_by_label": by.label[:LABEL_CHARACTERS], "hold_reason": reason}
    _change(review, by, at, {"held_at": None}, fields)
    with transaction.atomic():
        note_event(review, ReviewEvent.Kind.HELD, by=by, text=reason)
        audit.record("review.hold", review, by=by, reason=reason, object=str(review.object_id))


def resume_review(review: Review, *, by: Actor) -> None:
    """The time on hold does not count against those who decide."""
    by.require(Perm.REVIEW)
    at = now()
    later = F("due_at") + (at - F("held_at"))
    fields = {"held_at": None, "held_by_label": "", "hold_reason": "", "due_at": later}
    _change(review, by, at, {"held_at__isnull": False}, fields)
    with transaction.atomic():
        note_event(review, ReviewEvent.Kind.RESUMED, by=by)
        audit.record("review.resume", review, by=by, object=str(review.object_id))


def _change(review: Review, by: Actor, at: datetime, only: Mapping[str, Any], fields: Mapping[str, Any]) -> None:
    rows = Review.objects.filter(open_to(by.user, at), pk=review.pk, status=WAITING, **only)
    if rows.update(**fields):
        review.refresh_from_db()
        return
    found = Review.objects.select_related("claimed_by", "workspace").filter(pk=review.pk, status=WAITING).first()
    if found is None:
        raise ReviewClosed(CLOSED)
    check_claim(found, by.user, at)
    raise ReviewClosed("It is on hold already." if found.held_at else "It is not on hold.")


def comment_review(review: Review, *, by: Actor, text: str) -> None:
    """For the team; clients never see it. Who asked for the review is told."""
    if not (by.can(Perm.REVIEW) or by.can(Perm.CONTENT_EDIT)):
        raise PermissionDenied("Your role can read reviews, but not comment on them.")
    text = storable(text).strip()[:LONGEST_REASON]
    if not text:
        raise ValidationError({"text": "Write something first."})
    note_event(review, ReviewEvent.Kind.COMMENTED, by=by, text=text)
    if review.requested_by_id and (by.user is None or by.user.pk != review.requested_by_id):
        Notification.objects.create(
            workspace=by.workspace,
            user_id=review.requested_by_id,
            kind="review.comment",
            text=f"{by.user or by.label} on what you submitted: {text}"[:300],
            path=f"/reviews/{review.pk}",
        )
