"""Times for several posts at once: a backlog never goes out in one burst."""

from collections.abc import Iterator
from datetime import datetime, timedelta

from campaigns.models import Delivery
from lib.clock import now
from social.models import Connection

State = Delivery.State
# The least that lies between two posts of one account which were let go together.
GAP = timedelta(minutes=1)
ON_THEIR_WAY = (State.SCHEDULED, State.RETRY_WAIT, State.PUBLISHING)


def spaced_times(connection: Connection, start: datetime | None = None) -> Iterator[datetime]:
    """From now on, a minute apart, and a minute from whatever else this account is about to send."""
    at = start or now()
    planned = Delivery.objects.filter(connection=connection, state__in=ON_THEIR_WAY, due_at__gt=at - GAP)
    taken = sorted(due for due in planned.values_list("due_at", flat=True) if due)
    while True:
        at = _first_free(at, taken)
        yield at
        at += GAP


def _first_free(at: datetime, taken: list[datetime]) -> datetime:
    """Expects `taken` in order."""
    for other in taken:
        if abs(other - at) < GAP:
            at = other + GAP
    return at
