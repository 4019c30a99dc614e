"""What failed or was missed, by its cause, and sending all of one cause again once the cause is gone."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import Count, Max, Min, OuterRef, QuerySet, Subquery

from accounts import audit
from accounts.access import Actor, Perm
from accounts.models import Workspace
from campaigns.deliveries import schedule_delivery
from campaigns.errors import NotAllowedNow
from campaigns.models import Attempt, Delivery
from campaigns.queries import with_content
from campaigns.rendering import render
from campaigns.spacing import spaced_times
from social.models import Connection

State = Delivery.State
STUCK = (State.FAILED, State.MISSED)
# More would fill the account's hours; the rest is offered again.
MOST_AT_ONCE = 200
MAY_BE_LIVE = "It may be live already. Look at the account, then send it by its own button."
UNAPPROVED = "Its content is not what was approved. Submit it for review again."


@dataclass(frozen=True)
class Cause:
    """One account and one reason, and how many posts it stopped."""

    connection: Connection
    code: str
    text: str
    count: int
    first_at: datetime | None
    last_at: datetime | None

    @property
    def can_retry(self) -> bool:
        return self.connection.status == Connection.Status.ACTIVE


@dataclass(frozen=True)
class LeftOut:
    delivery: Delivery
    reason: str


@dataclass(frozen=True)
class Retried:
    """What was planned again, in order, and what was not and why."""

    planned: list[Delivery] = field(default_factory=list)
    left_out: list[LeftOut] = field(default_factory=list)
    # How many of the same cause are left for the next time.
    remaining: int = 0

    def __str__(self) -> str:
        return " ".join([_planned_text(self.planned), *_reasons(self.left_out), *self._rest()]).strip()

    def _rest(self) -> list[str]:
        return [f"{self.remaining} more are left: retry again for those."] if self.remaining else []


def _planned_text(planned: Sequence[Delivery]) -> str:
    if not planned:
        return "Nothing is sent again."
    if len(planned) == 1:
        return "1 post is on its way."
    return f"{len(planned)} posts go out, a minute or more apart."


def _reasons(left_out: Iterable[LeftOut]) -> list[str]:
    """Each reason once, with how many it stopped."""
    counts: dict[str, int] = {}
    for row in left_out:
        counts[row.reason] = counts.get(row.reason, 0) + 1
    return [f"{number} left out: {reason}" for reason, number in counts.items()]


def causes_of(deliveries: QuerySet[Delivery]) -> list[Cause]:
    """The largest first. The text is that of the newest delivery of each cause; two queries however many there are."""
    newest = deliveries.filter(connection=OuterRef("connection"), problem_code=OuterRef("problem_code"))
    groups: list[Any] = list(
        deliveries.order_by()
        .values("connection", "problem_code")
        .annotate(
            count=Count("pk"),
            first_at=Min("scheduled_at"),
            last_at=Max("scheduled_at"),
            text=Subquery(newest.order_by("-updated_at").values("problem_text")[:1]),
        )
        .order_by("-count", "connection", "problem_code")
    )
    connections = Connection.objects.in_bulk({group["connection"] for group in groups})
    return [_cause(group, connections[group["connection"]]) for group in groups]


def _cause(group: dict[str, Any], connection: Connection) -> Cause:
    text = group["text"] or "The reason was not kept."
    return Cause(connection, group["problem_code"], text, group["count"], group["first_at"], group["last_at"])


def stuck_counts(workspace: Workspace) -> dict[UUID, int]:
    """By connection: what waits to be sent again."""
    stuck = Delivery.objects.filter(workspace=workspace, state__in=STUCK).order_by()
    return dict(stuck.values_list("connection").annotate(Count("pk")))


# --- sending again ----------------------------------------------------------------------------------------


def retry_failed(
    connection: Connection, *, by: Actor, code: str | None = None, states: Sequence[str] = STUCK
) -> Retried:
    """Plan what failed on this account again, in the order it was due, spaced out in time. `code`: one cause only."""
    by.require(Perm.PUBLISH)
    with transaction.atomic():
        # The same lock as for slots: two who press the button at once do not book the same minutes.
        locked = Connection.objects.select_for_update(no_key=True).get(pk=connection.pk)
        _refuse_stopped(locked)
        found = _stuck_on(locked, code, states)
        rows = list(found[:MOST_AT_ONCE])
        # All of them before the first audit row: whoever holds one may be waiting for the chain.
        list(Delivery.objects.select_for_update(no_key=True).filter(pk__in=[row.pk for row in rows]).order_by("pk"))
        retried = _plan_all(locked, rows, by, remaining=max(0, found.count() - MOST_AT_ONCE))
        audit.record(
            "connection.retry_failed",
            locked,
            by=by,
            handle=locked.handle,
            code=code or "",
            planned=[str(row.pk) for row in retried.planned],
            left_out=len(retried.left_out),
        )
    return retried


def _stuck_on(connection: Connection, code: str | None, states: Sequence[str]) -> QuerySet[Delivery]:
    rows = Delivery.objects.filter(connection=connection, state__in=[state for state in states if state in STUCK])
    rows = rows if code is None else rows.filter(problem_code=code)
    return with_content(rows).order_by("scheduled_at", "created_at", "pk")


def _refuse_stopped(connection: Connection) -> None:
    if connection.status == Connection.Status.ACTIVE:
        return
    if connection.status == Connection.Status.PAUSED:
        raise NotAllowedNow(f"{connection} is paused. Resume it first, then retry.")
    raise NotAllowedNow(f"{connection} does not work: {connection.get_status_display().lower()}. Reconnect it first.")


def _plan_all(connection: Connection, rows: list[Delivery], by: Actor, *, remaining: int) -> Retried:
    times = spaced_times(connection)
    retried = Retried(remaining=remaining)
    doubtful = _doubtful(rows)
    at = next(times)
    for row in rows:
        if reason := MAY_BE_LIVE if row.pk in doubtful else refusal_to_send(row):
            retried.left_out.append(LeftOut(row, reason))
            continue
        try:
            retried.planned.append(schedule_delivery(row, at, by=by))
        except (NotAllowedNow, ValidationError) as refusal:
            retried.left_out.append(LeftOut(row, plain_text(refusal)))
        else:
            at = next(times)
    return retried


def _doubtful(rows: Sequence[Delivery]) -> set[UUID]:
    """Given up while nobody knew whether it is live: only a person who looked may send it again."""
    open_calls = Attempt.objects.filter(delivery__in=rows).exclude(submitting_part=None)
    return set(open_calls.values_list("delivery_id", flat=True))


def refusal_to_send(delivery: Delivery) -> str:
    """Why a button for many may not send this one; empty when its approval still stands. Expects its content loaded."""
    stands = delivery.approved_hash and delivery.approved_hash == render(delivery).content_hash
    return "" if stands else UNAPPROVED


def plain_text(refusal: NotAllowedNow | ValidationError) -> str:
    return " ".join(refusal.messages) if isinstance(refusal, ValidationError) else str(refusal)


def note_stuck(connection: Connection) -> str:
    """After a new log-in: what it may set right."""
    count = stuck_counts(connection.workspace).get(connection.pk, 0)
    if not count:
        return ""
    posts = "1 post" if count == 1 else f"{count} posts"
    return f"{posts} did not go out on {connection}. “Retry all” on its card sends what is still approved."
