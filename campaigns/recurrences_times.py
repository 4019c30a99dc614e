"""When a recurring post comes again: wall clock and zone, resolved date by date."""

from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from campaigns.models import Delivery, Recurrence
from campaigns.slots import resolve

# Occurrences are made so far ahead, for their reviewers' sake.
AHEAD = timedelta(days=7)
WEEKS_TRIED = 2
DAY = timedelta(days=1)


def prefix_of(recurrence: Recurrence) -> str:
    return f"recurrence:{recurrence.pk}:"


def name_of(recurrence: Recurrence, day: date) -> str:
    """The external id of an occurrence: with its unique constraint there is one for each date, whatever crashes."""
    return f"{prefix_of(recurrence)}{day:%Y-%m-%d}"


def local_day(recurrence: Recurrence, at: datetime) -> date:
    return at.astimezone(ZoneInfo(recurrence.time_zone)).date()


def next_time(recurrence: Recurrence, after: datetime) -> datetime | None:
    """The first set time after this moment; None where the last day is over."""
    assert recurrence.time is not None
    first = local_day(recurrence, after)
    for offset in range(7 * WEEKS_TRIED):
        day = first + offset * DAY
        if recurrence.ends_on and day > recurrence.ends_on:
            return None
        at = resolve(day, recurrence.time, recurrence.time_zone)
        if day.weekday() in recurrence.weekdays and at > after:
            return at
    return None


def occurrences(recurrence: Recurrence) -> list[Delivery]:
    """Deliveries of all that was made, and of the post itself: it went out once, too."""
    mine = Delivery.objects.filter(workspace=recurrence.workspace_id)
    made = mine.filter(post__external_id__startswith=prefix_of(recurrence))
    return list(made | mine.filter(post=recurrence.post_id))


def rested_at(recurrence: Recurrence, rows: list[Delivery]) -> datetime | None:
    """When the cooldown since the last one is over; None where none went out or is planned."""
    moments = [at for row in rows if (at := row.published_at or row.scheduled_at)]
    return max(moments) + recurrence.cooldown_days * DAY if moments else None
