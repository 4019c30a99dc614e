"""When the lines of a plan could go out: free slots first, else sensible hours on the workspace's clock."""

from collections.abc import Iterator, Sequence
from datetime import datetime, time, timedelta
from uuid import UUID

from campaigns.models import Delivery, PlanLine, Slot
from campaigns.slots import FREES_SLOT, resolve, upcoming
from lib.clock import now
from social.models import Connection

# One a day, at another hour each day; weekends are left out.
HOURS = (time(9, 30), time(12, 30), time(17, 30))
SATURDAY = 5
DAYS_AHEAD = 60
# A person has to accept it and another to approve it before it can go out.
SOONEST = timedelta(hours=3)


def suggest_times(
    connection: Connection, count: int, zone: str, *, exclude: UUID | None = None, hours: Sequence[time] = ()
) -> list[datetime]:
    """`count` moments, in order, at `hours` where some are given. Lines of the plan `exclude` do not count as taken."""
    taken = _taken(connection, exclude)
    candidates = sensible_hours(now() + SOONEST, zone, hours) if hours else _candidates(connection, zone)
    free = (at for at in candidates if at not in taken)
    return [at for at, _ in zip(free, range(count), strict=False)]


def _candidates(connection: Connection, zone: str) -> Iterator[datetime]:
    start = now() + SOONEST
    if Slot.objects.filter(connection=connection).exists():
        yield from upcoming(connection, start)
    yield from sensible_hours(start, zone)


def sensible_hours(start: datetime, zone: str, hours: Sequence[time] = HOURS) -> Iterator[datetime]:
    """On working days after `start`, one a day."""
    first = start.date()
    days = [first + timedelta(days=offset) for offset in range(DAYS_AHEAD)]
    workdays = [day for day in days if day.weekday() < SATURDAY]
    for number, day in enumerate(workdays):
        at = resolve(day, hours[number % len(hours)], zone)
        if at > start:
            yield at


def _taken(connection: Connection, exclude: UUID | None) -> set[datetime]:
    planned = Delivery.objects.filter(connection=connection, scheduled_at__gt=now()).exclude(state__in=FREES_SLOT)
    open_lines = PlanLine.objects.filter(connection=connection, status=PlanLine.Status.PROPOSED)
    proposed = open_lines.exclude(planned_at=None).exclude(plan=exclude)
    taken = [*planned.values_list("scheduled_at", flat=True), *proposed.values_list("planned_at", flat=True)]
    return {at for at in taken if at}
