"""After an outage: many posts missed at once, and what a person does with them. Nothing happens by itself."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise
from uuid import UUID
from zoneinfo import ZoneInfo

from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import QuerySet

from accounts import audit
from accounts.access import Actor, Perm
from campaigns.access import visible_deliveries
from campaigns.dead_letters import plain_text, refusal_to_send
from campaigns.deliveries import add_to_next_slot, cancel_delivery, schedule_delivery
from campaigns.deliveries.loading import lock_accounts
from campaigns.errors import NotAllowedNow
from campaigns.models import Delivery
from campaigns.queries import with_content
from campaigns.slots import resolve
from campaigns.spacing import spaced_times
from lib.clock import now

State = Delivery.State
SEND, SLOT, MOVE, DROP = "send", "slot", "move", "drop"
ACTIONS = (SEND, SLOT, MOVE, DROP)
# Fewer are single mishaps, which the list of what needs attention shows.
MANY = 3
# One tick marks all that an outage made late; a busy one may need several.
AT_ONCE = timedelta(minutes=2)
MOST_AT_ONCE = 200
MAX_DAYS, MAX_HOURS = 60, 24 * 60


@dataclass(frozen=True)
class Outage:
    """Posts that were found missed at the same time."""

    deliveries: list[Delivery]

    @property
    def starts_at(self) -> datetime:
        return min(_planned(row) for row in self.deliveries)

    @property
    def ends_at(self) -> datetime:
        return max(_planned(row) for row in self.deliveries)

    @property
    def is_one_day(self) -> bool:
        zone = ZoneInfo(self.deliveries[0].workspace.time_zone)
        return self.starts_at.astimezone(zone).date() == self.ends_at.astimezone(zone).date()


def _planned(delivery: Delivery) -> datetime:
    return delivery.scheduled_at or delivery.updated_at


def find_outages(actor: Actor) -> list[Outage]:
    """The newest first. What is missed one at a time is no outage."""
    groups = [group for group in _groups(_missed(actor).order_by("updated_at", "pk")) if len(group) >= MANY]
    return [Outage(sorted(group, key=lambda row: (_planned(row), row.pk))) for group in reversed(groups)]


def _missed(actor: Actor) -> QuerySet[Delivery]:
    missed = visible_deliveries(actor).filter(state=State.MISSED)
    return missed.select_related("post", "connection", "workspace")


def _groups(rows: QuerySet[Delivery]) -> Iterator[list[Delivery]]:
    found = list(rows)
    if not found:
        return
    group = found[:1]
    for before, row in pairwise(found):
        if row.updated_at - before.updated_at > AT_ONCE:
            yield group
            group = []
        group.append(row)
    yield group


# --- settling ---------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Settled:
    delivery: Delivery
    is_done: bool
    # When it goes out now, where it does.
    at: datetime | None = None
    # Why nothing was done, for people.
    reason: str = ""


def settle_missed(
    deliveries: Sequence[Delivery], action: str, *, by: Actor, days: int = 0, hours: int = 0
) -> list[Settled]:
    """Send now (in order, spaced), move to the next free slot, move by days and hours, or drop: one result for each.

    Raises ValidationError for an act that makes no sense; what a single row refuses stands in its result.
    """
    by.require(Perm.PUBLISH)
    _check(deliveries, action, days, hours)
    with transaction.atomic():
        rows = with_content(Delivery.objects.filter(pk__in=[row.pk for row in deliveries]))
        in_order = sorted(rows, key=lambda row: (str(row.connection_id), _planned(row), str(row.pk)))
        lock_accounts(row.connection_id for row in in_order)
        list(Delivery.objects.select_for_update(no_key=True).filter(pk__in=[row.pk for row in in_order]).order_by("pk"))
        act = _act(action, in_order, by, timedelta(days=days), timedelta(hours=hours))
        settled = [_settle_one(row, action, act) for row in in_order]
        done = [str(one.delivery.pk) for one in settled if one.is_done]
        audit.record("deliveries.settle_missed", by.workspace, by=by, choice=action, deliveries=done)
    return sorted(settled, key=lambda one: _planned(one.delivery))


def _check(deliveries: Sequence[Delivery], action: str, days: int, hours: int) -> None:
    if action not in ACTIONS:
        raise ValidationError({"action": f"Choose one of {', '.join(ACTIONS)}."})
    if not deliveries:
        raise ValidationError({"deliveries": "Choose at least one post."})
    if len(deliveries) > MOST_AT_ONCE:
        raise ValidationError({"deliveries": f"Choose at most {MOST_AT_ONCE} at a time."})
    if not (0 <= days <= MAX_DAYS and 0 <= hours <= MAX_HOURS):
        raise ValidationError({"days": f"Move by at most {MAX_DAYS} days."})
    if action == MOVE and not days and not hours:
        raise ValidationError({"days": "Say by how many days or hours to move them."})


def _settle_one(row: Delivery, action: str, act: Callable[[Delivery], Delivery]) -> Settled:
    if row.state != State.MISSED:
        return Settled(row, False, reason=f"It is {row.get_state_display().lower()}, so somebody settled it already.")
    if action != DROP and (reason := refusal_to_send(row)):
        return Settled(row, False, reason=reason)
    try:
        # A row that refuses leaves nothing behind, the others stand.
        with transaction.atomic():
            after = act(row)
    except (NotAllowedNow, ValidationError) as refusal:
        return Settled(row, False, reason=plain_text(refusal))
    return Settled(row, True, at=None if action == DROP else after.due_at)


def _act(
    action: str, rows: Sequence[Delivery], by: Actor, days: timedelta, hours: timedelta
) -> Callable[[Delivery], Delivery]:
    if action == DROP:
        return lambda row: cancel_delivery(row, by=by)
    if action == SLOT:
        return lambda row: add_to_next_slot(row, by=by)
    if action == MOVE:
        return lambda row: schedule_delivery(row, moved(row, days, hours), by=by)
    times: dict[UUID, Iterator[datetime]] = {}
    for row in rows:
        times.setdefault(row.connection_id, spaced_times(row.connection))
    return lambda row: schedule_delivery(row, next(times[row.connection_id]), by=by)


def moved(delivery: Delivery, days: timedelta, hours: timedelta) -> datetime:
    """Days keep the time on the wall, also over a clock change; hours are hours."""
    zone = delivery.workspace.time_zone
    local = _planned(delivery).astimezone(ZoneInfo(zone))
    at = resolve(local.date() + days, local.time().replace(tzinfo=None), zone) + hours
    if at <= now():
        raise ValidationError({"days": "That is still in the past. Move it further."})
    return at
