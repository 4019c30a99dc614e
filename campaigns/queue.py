"""The queue of a connection: posts that were given slots. Reordering deals the same times out anew, so nothing is
booked twice, and a time that a person chose never moves."""

from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import QuerySet

from accounts import audit
from accounts.access import Actor, Perm
from campaigns.deliveries import add_to_next_slot
from campaigns.errors import NotAllowedNow
from campaigns.models import Delivery
from campaigns.slots import next_free_slot
from lib.clock import now
from social.models import Connection

State = Delivery.State
MOVABLE = {State.DRAFT, State.IN_REVIEW, State.APPROVED, State.SCHEDULED}
# What is about to be claimed keeps its time: moving it would race with the engine for nothing.
ABOUT_TO_GO = timedelta(seconds=30)
NOT_IN_QUEUE = "It is not in the queue any more. Look at the page again."


def queued(connection: Connection) -> QuerySet[Delivery]:
    """Those that reordering moves, in the order of their times."""
    rows = Delivery.objects.filter(connection=connection, is_queued=True, state__in=MOVABLE)
    return rows.filter(scheduled_at__gt=now() + ABOUT_TO_GO).order_by("scheduled_at", "pk")


def move_in_queue(delivery: Delivery, place: int, *, by: Actor) -> None:
    """To this place, from 0; those between move by one."""
    by.require(Perm.PUBLISH)
    with transaction.atomic():
        rows = _locked(delivery.connection)
        order = [row for row in rows if row.pk != delivery.pk]
        if len(order) == len(rows):
            raise NotAllowedNow(NOT_IN_QUEUE)
        order.insert(max(0, place), next(row for row in rows if row.pk == delivery.pk))
        _deal_out([row.scheduled_at for row in rows if row.scheduled_at], order)
        audit.record("queue.move", delivery, by=by, place=place)


def prioritise_delivery(delivery: Delivery, *, by: Actor) -> None:
    """Put it first; the others move one slot back. A free slot before all of them is simply taken."""
    by.require(Perm.PUBLISH)
    with transaction.atomic():
        rows = _locked(delivery.connection)
        free = next_free_slot(delivery.connection, exclude=delivery.pk)
        first = next((row.scheduled_at for row in rows if row.pk != delivery.pk), None)
        is_queued = any(row.pk == delivery.pk for row in rows)
        if not is_queued or (free and first and free < first):
            add_to_next_slot(delivery, by=by)
            rows = _locked(delivery.connection)
        order = sorted(rows, key=lambda row: row.pk != delivery.pk)
        _deal_out([row.scheduled_at for row in rows if row.scheduled_at], order)
        audit.record("queue.prioritise", delivery, by=by)


def _locked(connection: Connection) -> list[Delivery]:
    """The connection first, as every act on a time does: then nobody gives out a slot meanwhile."""
    Connection.objects.select_for_update(no_key=True).get(pk=connection.pk)
    return list(queued(connection).select_for_update(no_key=True))


def _deal_out(times: list[datetime], order: list[Delivery]) -> None:
    for at, row in zip(times, order, strict=True):
        if row.scheduled_at != at:
            due = at if row.state == State.SCHEDULED else row.due_at
            Delivery.objects.filter(pk=row.pk).update(scheduled_at=at, due_at=due, updated_at=now())
