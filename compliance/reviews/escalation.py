"""What happens while nobody decides: a reminder, then more people, and in the end it expires."""

from collections.abc import Iterator
from datetime import datetime
from uuid import UUID

import structlog
from django.db.models import DurationField, ExpressionWrapper, F, Q

from accounts.access import system_actor
from accounts.models import Membership, Notification, Role
from accounts.scope import all_workspaces_scope, workspace_scope
from accounts.services import emit
from compliance.models import Review, ReviewEvent
from compliance.reviews.decisions import authors_of, expire_review
from compliance.reviews.requests import note_event, withdraw_reviews
from compliance.reviews.subjects import SUBJECTS, ReviewClosed
from lib.clock import now
from lib.text import one_line

log = structlog.get_logger(__name__)
QUEUE = "review queue"
BATCH, CHUNK = 200, 1000
WAITING = Review.Status.WAITING
# Who is told when: at half of the time, when it is over, and half of it later.
REMINDED = frozenset({Role.REVIEWER})
LADDER: dict[int, frozenset[Role]] = {1: frozenset({Role.REVIEWER, Role.ADMIN}), 2: frozenset({Role.OWNER})}
DECIDERS = frozenset({Role.REVIEWER, Role.ADMIN, Role.OWNER})
HALF = ExpressionWrapper((F("due_at") - F("requested_at")) / 2, DurationField())


def tend_reviews() -> int:
    """Remind, escalate and expire what is due; the number of reviews looked at. May run twice without harm."""
    at = now()
    with all_workspaces_scope("reviews that nobody decides"):
        due = Review.objects.filter(_is_due(at), status=WAITING, workspace__is_suspended=False)
        found = list(due.order_by("due_at").values_list("workspace_id", "pk")[:BATCH])
    for workspace_id, review_id in found:
        _tend(workspace_id, review_id, at)
    return len(found)


def _is_due(at: datetime) -> Q:
    free = Q(held_at=None)
    half = free & Q(reminded_at=None, escalation_level=0, due_at__lte=at + HALF)
    over = free & Q(escalation_level=0, due_at__lte=at)
    last = free & Q(escalation_level=1, due_at__lte=at - HALF)
    return Q(expires_at__lte=at) | half | over | last


def _tend(workspace_id: UUID, review_id: UUID, at: datetime) -> None:
    try:
        with workspace_scope(workspace_id):
            review = Review.objects.select_related("workspace").get(pk=review_id)
            if review.expires_at and review.expires_at <= at:
                _expire(review)
            elif review.due_at:
                _climb(review, review.due_at, at)
    except Exception:
        # The outermost loop of a worker: one broken review must not keep the others from being seen.
        log.exception("review_not_tended", review=str(review_id))


def _climb(review: Review, due_at: datetime, at: datetime) -> None:
    """Tell everybody whose turn has come since the last look, in one step."""
    level = 2 if at >= due_at + (due_at - review.requested_at) / 2 else 1 if at >= due_at else 0
    rows = Review.objects.filter(pk=review.pk, status=WAITING, held_at=None, escalation_level=review.escalation_level)
    if level == 0:
        if rows.filter(reminded_at=None).update(reminded_at=at):
            _tell(review, REMINDED, ReviewEvent.Kind.REMINDED, "waits for a decision; half of its time is over.")
    elif level > review.escalation_level and rows.update(escalation_level=level, reminded_at=at):
        roles = frozenset[Role]().union(*(LADDER[step] for step in range(review.escalation_level + 1, level + 1)))
        _tell(review, roles, ReviewEvent.Kind.ESCALATED, "is late: nobody has decided it yet.")
        emit(review.workspace, "review.escalated", review=str(review.pk), level=level)


def _tell(review: Review, roles: frozenset[Role], kind: str, words: str) -> None:
    people = _audience(review, roles) or _audience(review, DECIDERS)
    text = f"“{title_of(review)}” {words}"
    Notification.objects.bulk_create(
        Notification(
            workspace=review.workspace,
            user=member.user,
            kind=f"review.{kind}",
            text=text[:300],
            path=f"/reviews/{review.pk}",
            is_alert=True,
        )
        for member in people
    )
    told = ", ".join(str(member.user) for member in people) or "nobody: no member may decide it"
    note_event(review, kind, by=system_actor(review.workspace, QUEUE, ()), text=f"Told: {told}")


def _audience(review: Review, roles: frozenset[Role]) -> list[Membership]:
    """Under four eyes its authors cannot decide, so they are not asked to."""
    members = Membership.objects.select_related("user").filter(
        workspace=review.workspace_id, role__in=roles, user__is_active=True
    )
    own = authors_of(review) | {review.requested_by_id} if review.workspace.four_eyes else set()
    return [member for member in members.order_by("pk") if member.user_id not in own]


def title_of(review: Review) -> str:
    """The first words of what is asked for."""
    parts = review.snapshot.get("parts") or [{}]
    return one_line(review.snapshot.get("text") or parts[0].get("text") or review.kind)[:80]


# --- the end ----------------------------------------------------------------------------------------------


def expire_late_reviews() -> int:
    """Those whose planned time has passed by too much; the number of them."""
    at = now()
    with all_workspaces_scope("reviews whose time has passed"):
        late = list(_late(at))
    for workspace_id, review_id in late:
        with workspace_scope(workspace_id):
            review = Review.objects.select_related("workspace").filter(pk=review_id, status=WAITING).first()
            if review:
                _expire(review)
    return len(late)


def _late(at: datetime) -> Iterator[tuple[UUID, UUID]]:
    for kind, subject in SUBJECTS.items():
        waiting = Review.objects.filter(kind=kind, status=WAITING).order_by("pk")
        rows = list(waiting.values_list("object_id", "workspace_id", "pk"))
        for start in range(0, len(rows), CHUNK):
            chunk = {object_id: (workspace, pk) for object_id, workspace, pk in rows[start : start + CHUNK]}
            yield from (chunk[object_id] for object_id in subject.too_late(list(chunk), at))


def _expire(review: Review) -> None:
    by = system_actor(review.workspace, QUEUE, ())
    try:
        expire_review(review, by=by)
    except ReviewClosed:
        # What it was about left the queue by another way: it must not come up again and again.
        withdraw_reviews(review.kind, review.object_id, by=by)
