"""Moving posts in the calendar: one, several, and back again. Each goes through the services of deliveries."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from django.core import signing
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction

from accounts.access import Actor, Perm
from campaigns.access import visible_deliveries
from campaigns.deliveries import cancel_delivery, schedule_delivery, unschedule
from campaigns.errors import NotAllowedNow
from campaigns.models import Delivery
from campaigns.slots import FREES_SLOT, resolve
from social.models import Connection

UNDO_SALT = "campaigns.calendar.undo"
UNDO_MAX_AGE_S = 3600
MAX_AT_ONCE = 200
MAX_DAYS = 366
MOVED_MEANWHILE = "Somebody moved it meanwhile. This is where it stands now: look, then move it again."
SLOT_TAKEN = "Another post has its slot by now, so it stays where it is."


@dataclass(frozen=True)
class Moved:
    delivery_id: UUID
    title: str
    before: datetime | None
    was_queued: bool
    after: datetime | None


@dataclass
class Outcome:
    """What was done to several, and for the rest why not."""

    moved: list[Moved] = field(default_factory=list)
    refused: list[tuple[str, str]] = field(default_factory=list)


def wall_clock_of(delivery: Delivery, zone: str) -> time:
    """The time that a move to another day keeps; nine in the morning where there is none yet."""
    at = delivery.scheduled_at
    return at.astimezone(ZoneInfo(zone)).time() if at else time(9)


def move_delivery(delivery: Delivery, at: datetime, *, by: Actor, seen: datetime | None) -> Moved:
    """`seen` is the time that the person saw it at: a move never overrides one that they have not seen."""
    by.require(Perm.PUBLISH)
    with transaction.atomic():
        row = _locked(delivery)
        if row.scheduled_at != seen:
            raise NotAllowedNow(MOVED_MEANWHILE)
        schedule_delivery(row, at, by=by)
    return Moved(row.pk, str(delivery.post), seen, row.is_queued, at)


def _locked(delivery: Delivery) -> Delivery:
    # The connection first, as every act on a time does.
    Connection.objects.select_for_update(no_key=True).get(pk=delivery.connection_id)
    row = Delivery.objects.select_for_update(no_key=True).filter(pk=delivery.pk).first()
    if row is None:
        raise NotAllowedNow("This was removed meanwhile.")
    return row


# --- several ----------------------------------------------------------------------------------------------


def move_by_days(ids: Iterable[UUID], days: int, *, by: Actor) -> Outcome:
    """The wall clock stays, whatever the clocks do between the two days."""
    if not days or abs(days) > MAX_DAYS:
        raise ValidationError({"days": f"Move by 1 to {MAX_DAYS} days, back with a minus."})
    zone = by.workspace.time_zone

    def act(row: Delivery) -> Moved:
        if row.scheduled_at is None:
            raise NotAllowedNow("It has no time yet.")
        day = row.scheduled_at.astimezone(ZoneInfo(zone)).date() + timedelta(days=days)
        return move_delivery(row, resolve(day, wall_clock_of(row, zone), zone), by=by, seen=row.scheduled_at)

    return _each(ids, act, by)


def unschedule_several(ids: Iterable[UUID], *, by: Actor) -> Outcome:
    def act(row: Delivery) -> Moved:
        unschedule(row, by=by)
        return Moved(row.pk, str(row.post), row.scheduled_at, row.is_queued, None)

    return _each(ids, act, by)


def cancel_several(ids: Iterable[UUID], *, by: Actor) -> Outcome:
    def act(row: Delivery) -> Moved:
        cancel_delivery(row, by=by)
        return Moved(row.pk, str(row.post), row.scheduled_at, row.is_queued, row.scheduled_at)

    return _each(ids, act, by)


def _each(ids: Iterable[UUID], act: Callable[[Delivery], Moved], by: Actor) -> Outcome:
    """One that is refused does not keep the others from being done."""
    by.require(Perm.PUBLISH)
    wanted = list(dict.fromkeys(ids))
    if not wanted:
        raise ValidationError("Select at least one post first.")
    if len(wanted) > MAX_AT_ONCE:
        raise ValidationError(f"At most {MAX_AT_ONCE} at once. Select fewer.")
    outcome, rows = Outcome(), _all_locked(wanted, by)
    for pk in wanted:
        if (row := rows.get(pk)) is None:
            outcome.refused.append(("A post", "It was removed meanwhile."))
            continue
        try:
            with transaction.atomic():
                outcome.moved.append(act(row))
        except ValidationError as error:
            outcome.refused.append((str(row.post), " ".join(error.messages)))
        except NotAllowedNow as error:
            outcome.refused.append((str(row.post), str(error)))
    return outcome


def _all_locked(ids: list[UUID], by: Actor) -> dict[UUID, Delivery]:
    """All locks before the first act: its audit row holds the chain, and nobody must wait for us meanwhile."""
    rows = visible_deliveries(by).filter(pk__in=ids)
    connections = set(rows.values_list("connection_id", flat=True))
    list(Connection.objects.select_for_update(no_key=True).filter(pk__in=connections).order_by("pk"))
    list(rows.order_by("pk").select_for_update(no_key=True).values_list("pk", flat=True))
    return {row.pk: row for row in rows.select_related("post__campaign", "connection", "workspace")}


# --- back -------------------------------------------------------------------------------------------------


def undo_token(moved: list[Moved], *, by: Actor) -> str:
    rows = [[str(row.delivery_id), _text(row.before), row.was_queued, _text(row.after)] for row in moved]
    return signing.dumps([str(by.workspace.pk), rows], salt=UNDO_SALT, compress=True)


def undo_moves(token: str, *, by: Actor) -> Outcome:
    by.require(Perm.PUBLISH)
    try:
        workspace, rows = signing.loads(token, salt=UNDO_SALT, max_age=UNDO_MAX_AGE_S)
    except signing.BadSignature:
        raise NotAllowedNow("This can no longer be undone. Move the post by hand.") from None
    if workspace != str(by.workspace.pk):
        raise PermissionDenied
    facts = {UUID(pk): (_moment(before), was_queued, _moment(after)) for pk, before, was_queued, after in rows}
    return _each(facts, lambda row: _move_back(row, *facts[row.pk], by), by)


def _move_back(delivery: Delivery, before: datetime | None, was_queued: bool, after: datetime | None, by: Actor) -> Any:
    row = _locked(delivery)
    if row.scheduled_at != after or row.state == Delivery.State.CANCELED:
        raise NotAllowedNow(MOVED_MEANWHILE)
    if was_queued and _is_taken(row, before):
        raise NotAllowedNow(SLOT_TAKEN)
    if before is None:
        unschedule(row, by=by)
    else:
        schedule_delivery(row, before, by=by)
        Delivery.objects.filter(pk=row.pk).update(is_queued=was_queued)
    return Moved(row.pk, str(delivery.post), after, row.is_queued, before)


def _is_taken(row: Delivery, at: datetime | None) -> bool:
    others = Delivery.objects.filter(connection=row.connection_id, scheduled_at=at).exclude(pk=row.pk)
    return others.exclude(state__in=FREES_SLOT).exists()


def _text(at: datetime | None) -> str:
    return at.isoformat() if at else ""


def _moment(text: str) -> datetime | None:
    return datetime.fromisoformat(text) if text else None


def target_of(delivery: Delivery, day: date, at: time | None, zone: str) -> datetime:
    """Dropping on a day keeps the time on the wall; an hour or a form says another."""
    return resolve(day, at if at is not None else wall_clock_of(delivery, zone), zone)
