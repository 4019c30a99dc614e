"""What clocks do: the days on which they change, and the reader's own time beside the workspace's."""

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

MINUTE = timedelta(minutes=1)


def city(zone: ZoneInfo) -> str:
    """Short enough to stand beside a time: Berlin for Europe/Berlin."""
    return zone.key.rsplit("/", 1)[-1].replace("_", " ")


def own_time(at: datetime, zone: ZoneInfo, reader: ZoneInfo | None) -> str:
    """What a reader's clock shows, where that differs from the workspace's."""
    if reader is None:
        return ""
    here, there = at.astimezone(zone), at.astimezone(reader)
    if here.replace(tzinfo=None) == there.replace(tzinfo=None):
        return ""
    return f"{there:%H:%M}" if here.date() == there.date() else f"{there:%a %H:%M}"


def change_note(day: date, zone: ZoneInfo) -> str:
    """A sentence for a day on which the clocks change there; empty for any other."""
    # The minute before as well: some clocks change at midnight.
    start, end = _midnight(day, zone) - MINUTE, _midnight(day + timedelta(days=1), zone) - MINUTE
    if start.astimezone(zone).utcoffset() == end.astimezone(zone).utcoffset():
        return ""
    change = _change_between(start, end, zone)
    before, after = (change - MINUTE).astimezone(zone) + MINUTE, change.astimezone(zone)
    if after.replace(tzinfo=None) > before.replace(tzinfo=None):
        return f"Clocks go forward: {before:%H:%M} to {after:%H:%M} does not exist."
    return f"Clocks go back: {after:%H:%M} to {before:%H:%M} comes twice."


def skipped_hours(day: date, zone: ZoneInfo) -> set[int]:
    """Hours of the wall clock that the day does not have at all."""
    start, end = _midnight(day, zone), _midnight(day + timedelta(days=1), zone)
    steps = range(0, int((end - start) / MINUTE), 15)
    return set(range(24)) - {(start + step * MINUTE).astimezone(zone).hour for step in steps}


def _midnight(day: date, zone: ZoneInfo) -> datetime:
    return datetime.combine(day, time.min, zone).astimezone(UTC)


def _change_between(low: datetime, high: datetime, zone: ZoneInfo) -> datetime:
    """The first minute with the new offset."""
    former = low.astimezone(zone).utcoffset()
    while high - low > MINUTE:
        middle = low + (high - low) // MINUTE // 2 * MINUTE
        if middle.astimezone(zone).utcoffset() == former:
            low = middle
        else:
            high = middle
    return high
