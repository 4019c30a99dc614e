"""Asking for a decision, and taking the question back."""

from collections.abc import Iterable
from datetime import timedelta
from typing import Any
from uuid import UUID

from accounts.access import Actor
from compliance.decisions import guard_settings
from compliance.guard import Decision
from compliance.models import Review, ReviewEvent
from compliance.models.review import Risk
from lib.clock import now

# How soon somebody has to look, by risk, where the workspace says nothing else.
SLA_MINUTES: dict[str, int] = {Risk.HIGH: 15, Risk.MEDIUM: 4 * 60, Risk.LOW: 24 * 60}
LABEL_CHARACTERS = 120


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
    hold = _hold_of_older(kind, object_id, by)
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
        **hold,
    )
    note_event(review, ReviewEvent.Kind.REQUESTED, by=by)
    return review


def _hold_of_older(kind: str, object_id: UUID, by: Actor) -> dict[str, Any]:
    """Whoever held it back wanted to stop the post, not one of its wordings: only a decision ends that."""
    older = Review.objects.filter(workspace=by.workspace, kind=kind, object_id=object_id)
    last = older.order_by("-requested_at", "-pk").first()
    if last is None or last.held_at is None or last.status not in (Review.Status.WAITING, Review.Status.OBSOLETE):
        return {}
    return {name: getattr(last, name) for name in ("held_at", "held_by_label", "hold_reason")}


def as_data(decision: Decision) -> dict[str, Any]:
    return {
        "verdict": decision.verdict.value,
        "disclosure": decision.disclosure,
        "hits": [hit.as_data() for hit in decision.hits],
    }


def withdraw_reviews(kind: str, object_id: UUID, *, by: Actor) -> None:
    waiting = Review.objects.filter(workspace=by.workspace, kind=kind, object_id=object_id)
    for review in waiting.filter(status=Review.Status.WAITING):
        closed = Review.objects.filter(pk=review.pk, status=Review.Status.WAITING)
        if closed.update(status=Review.Status.OBSOLETE, decided_at=now()):
            note_event(review, ReviewEvent.Kind.OBSOLETE, by=by)


def note_event(review: Review, kind: str, *, by: Actor, text: str = "") -> None:
    ReviewEvent.objects.create(
        workspace=by.workspace, review=review, kind=kind, user=by.user, label=by.label[:LABEL_CHARACTERS], text=text
    )
