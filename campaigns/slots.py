"""Posting slots: wall-clock times of a connection, resolved date by date in their zone."""

from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

from django.core.exceptions import ValidationError
from django.db import transaction

from accounts import audit
from accounts.access import Actor, Perm
from accounts.models import check_time_zone
from campaigns.models import Delivery, Slot
from lib.clock import now
from social.models import Connection

HORIZON_DAYS = 90
State = Delivery.State
# A slot is free again when its post no longer wants it.
FREES_SLOT = {State.CANCELED, State.FAILED, State.MISSED}


def resolve(day: date, at: time, zone: str) -> datetime:
    """The instant of a wall-clock time. A time that a clock change skips moves forward by the gap; of a repeated
    hour the first one counts."""
    local = datetime.combine(day, at, ZoneInfo(zone))
    # A skipped time does not survive the way to UTC and back; zoneinfo maps it past the gap.
    return local.astimezone(UTC)


def upcoming(connection: Connection, start: datetime) -> Iterator[datetime]:
    """In order. Slots in several zones do not follow the order of their days."""
    days = [start.date() + timedelta(days=offset) for offset in range(-1, HORIZON_DAYS)]
    slots = list(Slot.objects.filter(connection=connection))
    instants = {
        resolve(day, slot.time, slot.time_zone) for day in days for slot in slots if slot.weekday == day.weekday()
    }
    yield from sorted(instant for instant in instants if instant > start)


def next_free_slot(connection: Connection, *, exclude: UUID) -> datetime | None:
    """Expects the connection's lock."""
    taken = set(
        Delivery.objects.filter(connection=connection, scheduled_at__gt=now())
        .exclude(state__in=FREES_SLOT)
        .exclude(pk=exclude)
        .values_list("scheduled_at", flat=True)
    )
    return next((instant for instant in upcoming(connection, now()) if instant not in taken), None)


def add_slot(connection: Connection, *, by: Actor, weekdays: list[int], at: time, time_zone: str) -> list[Slot]:
    by.require(Perm.PUBLISH)
    check_time_zone(time_zone)
    if not weekdays or not set(weekdays) <= set(range(7)):
        raise ValidationError({"weekdays": "Choose one or more days."})
    with transaction.atomic():
        slots = [
            Slot.objects.update_or_create(
                workspace=by.workspace,
                connection=connection,
                weekday=weekday,
                time=at,
                defaults={"time_zone": time_zone},
            )[0]
            for weekday in sorted(set(weekdays))
        ]
        audit.record("slot.add", connection, by=by, weekdays=weekdays, at=at.isoformat(), time_zone=time_zone)
    return slots


def edit_slot(slot: Slot, *, by: Actor, weekday: int, at: time, time_zone: str) -> Slot:
    """Posts that are planned for it keep their time."""
    by.require(Perm.PUBLISH)
    check_time_zone(time_zone)
    if weekday not in range(7):
        raise ValidationError({"weekday": "Choose a day."})
    with transaction.atomic():
        # The connection's lock: nobody gives the old time out meanwhile, nor adds the new one.
        Connection.objects.select_for_update(no_key=True).get(pk=slot.connection_id)
        twins = Slot.objects.filter(connection=slot.connection_id, weekday=weekday, time=at)
        if twins.exclude(pk=slot.pk).exists():
            raise ValidationError({"time": "There is a slot at this time already."})
        before = [slot.weekday, slot.time.isoformat(), slot.time_zone]
        slot.weekday, slot.time, slot.time_zone = weekday, at, time_zone
        slot.save(update_fields=["weekday", "time", "time_zone"])
        audit.record("slot.edit", slot.connection, by=by, before=before, after=[weekday, at.isoformat(), time_zone])
    return slot


def remove_slot(slot: Slot, *, by: Actor) -> None:
    by.require(Perm.PUBLISH)
    with transaction.atomic():
        audit.record("slot.remove", slot.connection, by=by, weekday=slot.weekday, at=slot.time.isoformat())
        slot.delete()
