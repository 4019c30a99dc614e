"""Reviews: asking for a decision and making it. The app that owns the subject registers what a decision does."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID

from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction

from accounts import audit
from accounts.access import Actor, Perm
from accounts.models import User
from compliance.decisions import guard_settings
from compliance.guard import Decision
from compliance.models import Review, ReviewEvent
from compliance.models.review import Risk
from lib.clock import now
from lib.text import storable


class ReviewClosed(Exception):
    """Somebody decided already, or the content changed meanwhile."""


@dataclass(frozen=True)
class Subject:
    """What a kind of review stands for: who made the content, and what follows from a decision."""

    authors: Callable[[UUID], set[UUID]]
    approve: Callable[[Review, Actor], None]
    reject: Callable[[Review, Actor], None]


# How soon somebody has to look, by risk, where the workspace says nothing else.
SLA_MINUTES: dict[str, int] = {Risk.HIGH: 15, Risk.MEDIUM: 4 * 60, Risk.LOW: 24 * 60}
CLOSED = "This was decided already, or the post changed meanwhile."
SUBJECTS: dict[str, Subject] = {}


def request_review(
    kind: str,
    object_id: UUID,
    *,
    by: Actor,
    action_hash: str,
    snapshot: dict[str, Any],
    scopes: Iterable[UUID] = (),
    decision: Decision | None = None,
    risk: str = Risk.LOW,
) -> Review:
    """Put it in the queue, with what the guard said. An older waiting review of the same object is obsolete.

    `scopes` are the ids of what it belongs to (post, campaign). The risk sets how soon a decision is wanted.
    """
    withdraw_reviews(kind, object_id, by=by)
    settings, at = guard_settings(by.workspace), now()
    review = Review.objects.create(
        workspace=by.workspace,
        kind=kind,
        object_id=object_id,
        scopes=list(scopes),
        action_hash=action_hash,
        snapshot=snapshot,
        guard=as_data(decision) if decision else {},
        risk=risk,
        requested_by=by.user,
        requested_at=at,
        due_at=at + timedelta(minutes=(SLA_MINUTES | settings.sla_minutes)[risk]),
        expires_at=at + timedelta(hours=settings.expires_after_hours),
    )
    note_event(review, ReviewEvent.Kind.REQUESTED, by=by)
    return review


def note_event(review: Review, kind: str, *, by: Actor, text: str = "") -> None:
    ReviewEvent.objects.create(
        workspace=by.workspace, review=review, kind=kind, user=by.user, label=by.label[:120], text=text
    )


def as_data(decision: Decision) -> dict[str, Any]:
    return {
        "verdict": decision.verdict.value,
        "disclosure": decision.disclosure,
        "hits": [hit.as_data() for hit in decision.hits],
    }


def withdraw_reviews(kind: str, object_id: UUID, *, by: Actor) -> None:
    Review.objects.filter(workspace=by.workspace, kind=kind, object_id=object_id, status=Review.Status.WAITING).update(
        status=Review.Status.OBSOLETE, decided_at=now()
    )


def approve_review(review: Review, *, by: Actor, seen_hash: str) -> None:
    """`seen_hash` is what the reviewer had on the screen: approval never covers content nobody looked at."""
    by.require(Perm.REVIEW)
    if seen_hash != review.action_hash:
        raise ReviewClosed("The content changed after this page was opened. Look at it again.")
    subject = SUBJECTS[review.kind]
    if by.workspace.four_eyes and _is_own(subject, review, by.user):
        raise PermissionDenied("This workspace wants four eyes: somebody else has to approve your post.")
    _require_open(review)
    with transaction.atomic():
        # The subject is locked before its review, as an edit does it: the other way round they would deadlock.
        subject.approve(review, by)
        _close(review, Review.Status.APPROVED, by)
        audit.record("review.approve", review, by=by, hash=review.action_hash, object=str(review.object_id))


def reject_review(review: Review, *, by: Actor, reason: str) -> None:
    by.require(Perm.REVIEW)
    if not storable(reason).strip():
        raise ValidationError({"reason": "Say why, so that the author knows what to change."})
    _require_open(review)
    review.reason = storable(reason).strip()
    with transaction.atomic():
        SUBJECTS[review.kind].reject(review, by)
        _close(review, Review.Status.REJECTED, by)
        audit.record("review.reject", review, by=by, reason=review.reason, object=str(review.object_id))


def _is_own(subject: Subject, review: Review, user: User | None) -> bool:
    return user is None or user.pk == review.requested_by_id or user.pk in subject.authors(review.object_id)


def _require_open(review: Review) -> None:
    """Says it early and in plain words; `_close` is what really keeps a second decision out."""
    if not Review.objects.filter(pk=review.pk, status=Review.Status.WAITING).exists():
        raise ReviewClosed(CLOSED)


def _close(review: Review, status: str, by: Actor) -> None:
    """Write the decision down, unless somebody was faster: then everything is undone."""
    fields = {"status": status, "decided_by": by.user, "decided_at": now(), "reason": review.reason}
    if not Review.objects.filter(pk=review.pk, status=Review.Status.WAITING).update(**fields):
        raise ReviewClosed(CLOSED)
    for name, value in fields.items():
        setattr(review, name, value)
    note_event(review, status, by=by, text=review.reason)
