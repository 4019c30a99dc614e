"""Making the occurrences of recurring posts: each is a post of its own, and goes through the rules and the review."""

from datetime import datetime, timedelta
from uuid import UUID

import structlog
from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import Q

from accounts.access import Actor, Perm, system_actor
from accounts.scope import all_workspaces_scope, workspace_scope
from accounts.services import notify
from campaigns.deliveries import add_to_next_slot, schedule_delivery, submit_post
from campaigns.errors import NotAllowedNow
from campaigns.models import Delivery, Post, Recurrence
from campaigns.recurrences_times import AHEAD, local_day, name_of, next_time, occurrences, rested_at
from campaigns.services import duplicate_post
from lib.clock import now
from social.models import Connection

log = structlog.get_logger(__name__)

State, Kind = Delivery.State, Recurrence.Kind
BATCH = 500
OVER = {State.PUBLISHED, State.CANCELED, State.FAILED, State.MISSED}
LABEL = "recurring posts"
# An evergreen post that cannot go out now is tried again after this.
LATER = timedelta(hours=6)


def due_recurrences() -> list[tuple[UUID, UUID]]:
    """Workspace and recurrence ids."""
    is_due = Q(kind=Kind.WEEKLY, next_at__lte=now() + AHEAD) | Q(kind=Kind.EVERGREEN, next_at__lte=now())
    with all_workspaces_scope("find recurring posts that are due"):
        rows = Recurrence.objects.filter(is_due, is_active=True, workspace__is_suspended=False)
        return list(rows.order_by("next_at").values_list("workspace_id", "pk")[:BATCH])


def make_occurrence(workspace_id: UUID, recurrence_id: UUID) -> Post | None:
    """The next occurrence, in one transaction: a crash leaves nothing, and a second worker finds it made."""
    with workspace_scope(workspace_id):
        rows = Recurrence.objects.select_for_update(no_key=True, of=("self",), skip_locked=True)
        rows = rows.select_related("post__created_by", "post__campaign", "workspace")
        row = rows.filter(pk=recurrence_id, is_active=True).exclude(next_at=None).first()
        if row is None:
            return None
        return _make_weekly(row) if row.kind == Kind.WEEKLY else _make_evergreen(row)


def _make_weekly(row: Recurrence) -> Post | None:
    at = row.next_at
    assert at is not None
    if at > now() + AHEAD:
        return None
    if at <= now():
        _give_up(row, at)
        return None
    return _make(row, at)


def _give_up(row: Recurrence, at: datetime) -> None:
    """Nobody wants last week's post today."""
    day = local_day(row, at)
    why = row.problem_text or "nothing could be made in time"
    text = f"“{row.post}” did not repeat on {day.day} {day:%b}: {why}"
    notify(row.workspace, "recurrence.skipped", text[:300], path="/recurrences", perm=Perm.CONTENT_EDIT)
    _save(row, next_time(row, now()), text)


def _make_evergreen(row: Recurrence) -> Post | None:
    rows = occurrences(row)
    rested = rested_at(row, rows)
    is_open = any(one.state not in OVER for one in rows if one.post_id != row.post_id)
    if is_open or (rested and rested > now()):
        _save(row, max(rested or now(), now() + LATER), "")
        return None
    if row.ends_on and local_day(row, now()) > row.ends_on:
        _save(row, None, "")
        return None
    return _make(row, now())


def _make(row: Recurrence, at: datetime) -> Post | None:
    name = name_of(row, local_day(row, at))
    if Post.objects.filter(workspace=row.workspace, external_id=name).exists():
        _save(row, _following(row, at), "")
        return None
    try:
        with transaction.atomic():
            post = _copy(row, name, at)
    except (ValidationError, NotAllowedNow) as error:
        _refused(row, " ".join(error.messages) if isinstance(error, ValidationError) else str(error))
        return None
    _save(row, _following(row, at), "")
    log.info("occurrence_made", recurrence=str(row.pk), post=str(post.pk))
    return post


def _copy(row: Recurrence, name: str, at: datetime) -> Post:
    by = system_actor(row.workspace, LABEL, (Perm.CONTENT_EDIT, Perm.PUBLISH), author=row.post.created_by)
    targets = Delivery.objects.filter(post=row.post).values("connection")
    # Before the first audit row: whoever holds a connection may be waiting for the chain.
    list(Connection.objects.select_for_update(no_key=True).filter(pk__in=targets).order_by("pk"))
    post = duplicate_post(row.post, by=by)
    day = local_day(row, at)
    post.title = f"{row.post.title[:185]} ({day.day} {day:%b})"
    post.external_id = name
    post.save(update_fields=["title", "external_id"])
    for delivery in Delivery.objects.filter(post=post).order_by("connection_id"):
        _plan(row, delivery, at, by)
    submit_post(post, by=by)
    return post


def _plan(row: Recurrence, delivery: Delivery, at: datetime, by: Actor) -> None:
    if row.kind == Kind.WEEKLY:
        schedule_delivery(delivery, at, by=by)
    else:
        add_to_next_slot(delivery, by=by)


def _following(row: Recurrence, at: datetime) -> datetime | None:
    if row.kind == Kind.WEEKLY:
        return next_time(row, at)
    return rested_at(row, occurrences(row)) or now() + LATER


def _refused(row: Recurrence, why: str) -> None:
    """A set date is tried again until it comes: the text may be mended. Whoever looks at the list sees why."""
    _save(row, row.next_at if row.kind == Kind.WEEKLY else now() + LATER, why)


def _save(row: Recurrence, following: datetime | None, problem: str) -> None:
    Recurrence.objects.filter(pk=row.pk).update(next_at=following, problem_text=problem[:300])
