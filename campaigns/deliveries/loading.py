"""Deliveries under their locks."""

from collections.abc import Iterable
from uuid import UUID

from django.db.models import QuerySet

from campaigns.errors import NotAllowedNow
from campaigns.models import Delivery
from campaigns.queries import with_content
from social.models import Connection


def lock_accounts(ids: Iterable[UUID]) -> None:
    """Before the first of several acts: its audit row is held to the end, and whoever holds an account waits for it."""
    list(Connection.objects.select_for_update(no_key=True).filter(pk__in=set(ids)).order_by("pk"))


def locked_one(delivery: Delivery) -> Delivery:
    # The connection first: slots are given out under its lock. The weaker kind, since the engine holds a delivery
    # while the foreign key of its receipt asks for the connection.
    Connection.objects.select_for_update(no_key=True).get(pk=delivery.connection_id)
    rows = locked(Delivery.objects.filter(pk=delivery.pk))
    if not rows:
        raise NotAllowedNow("This was removed meanwhile.")
    return rows[0]


def locked(rows: QuerySet[Delivery]) -> list[Delivery]:
    """Loaded only once the locks are held: a join in the locking query would show the post as it was before."""
    ids = list(rows.select_for_update(no_key=True).values_list("pk", flat=True))
    return list(with_content(Delivery.objects.filter(pk__in=ids)))


def may_be_live(row: Delivery) -> bool:
    """It was given up with a call whose answer nobody knows: only a person who has looked can say what follows."""
    return row.state == Delivery.State.FAILED and row.attempts.exclude(submitting_part=None).exists()
