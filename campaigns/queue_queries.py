"""The queue of a connection as a page shows it: its slots ahead, with the posts that have them."""

from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from zoneinfo import ZoneInfo

from accounts.access import Actor
from campaigns.access import visible_deliveries
from campaigns.calendar_clock import own_time
from campaigns.calendar_queries import reader_zone
from campaigns.models import Delivery, Slot
from campaigns.queue import queued
from campaigns.slot_preview import clock_note
from campaigns.slots import FREES_SLOT, resolve, upcoming
from lib.clock import now
from social.models import Connection

State = Delivery.State
SLOTS_SHOWN = 15
WAITING_SHOWN = 30


@dataclass(frozen=True)
class Entry:
    at: datetime
    own_time: str
    row: Delivery | None = None
    # From 0 among those that can be moved; None where the time was set by hand or is too near.
    place: int | None = None
    note: str = ""


def queue_entries(connection: Connection, actor: Actor) -> list[Entry]:
    """All posts ahead, and the free slots between and after them."""
    rows = visible_deliveries(actor).filter(connection=connection, scheduled_at__gt=now())
    rows = rows.exclude(state__in=FREES_SLOT | {State.PUBLISHED}).select_related("post").order_by("scheduled_at", "pk")
    places = {pk: number for number, pk in enumerate(queued(connection).values_list("pk", flat=True))}
    taken = {row.scheduled_at for row in rows}
    slots = list(Slot.objects.filter(connection=connection))
    free = [at for at in islice(upcoming(connection, now()), SLOTS_SHOWN) if at not in taken]
    zone, reader = ZoneInfo(actor.workspace.time_zone), reader_zone(actor)
    found = [(row.scheduled_at, row) for row in rows if row.scheduled_at] + [(at, None) for at in free]
    return [
        Entry(at, own_time(at, zone, reader), row, places.get(row.pk) if row else None, _note(slots, at))
        for at, row in sorted(found, key=lambda pair: pair[0])
    ]


def _note(slots: list[Slot], at: datetime) -> str:
    """Where the clocks move a slot of that day, why."""
    for slot in slots:
        day = at.astimezone(ZoneInfo(slot.time_zone)).date()
        if slot.weekday == day.weekday() and resolve(day, slot.time, slot.time_zone) == at:
            return clock_note(slot, at)
    return ""


def posts_without_time(connection: Connection, actor: Actor) -> list[Delivery]:
    """What could be added."""
    states = [State.DRAFT, State.IN_REVIEW, State.APPROVED]
    rows = visible_deliveries(actor).filter(connection=connection, scheduled_at=None, state__in=states)
    return list(rows.select_related("post").order_by("-created_at")[:WAITING_SHOWN])
