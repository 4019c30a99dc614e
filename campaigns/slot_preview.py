"""The next posting times of a connection, with a word where the clocks change."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from campaigns.models import Slot
from campaigns.slots import resolve
from lib.clock import now

SHOWN = 5
DAYS_AHEAD = 8 * SHOWN


@dataclass(frozen=True)
class NextTime:
    """A slot on a certain day, on the clock of its own zone."""

    slot: Slot
    at: datetime
    note: str

    @property
    def local(self) -> datetime:
        return self.at.astimezone(ZoneInfo(self.slot.time_zone))

    @property
    def zone_name(self) -> str:
        """CET or CEST, for one: the half of the year decides."""
        return self.local.tzname() or self.slot.time_zone


def next_times(slots: list[Slot]) -> list[NextTime]:
    start = now()
    days = [(start + timedelta(days=offset)).date() for offset in range(-1, DAYS_AHEAD)]
    found = [
        (resolve(day, slot.time, slot.time_zone), slot)
        for day in days
        for slot in slots
        if slot.weekday == day.weekday()
    ]
    # Zones differ, so the order of the days is not yet that of the instants.
    ahead = sorted((pair for pair in found if pair[0] > start), key=lambda pair: pair[0])
    return [NextTime(slot, at, _note(slot, at, start)) for at, slot in ahead[:SHOWN]]


def clock_note(slot: Slot, at: datetime) -> str:
    """What becomes of a time that the clocks skip or repeat that day."""
    zone = ZoneInfo(slot.time_zone)
    local = at.astimezone(zone)
    if local.time() != slot.time:
        return f"Clocks go forward: {slot.time:%H:%M} does not exist that day, so it goes out at {local:%H:%M}."
    twin = local.replace(fold=1)
    if twin.utcoffset() != local.utcoffset():
        return f"Clocks go back: {slot.time:%H:%M} comes twice that day, and the first one counts."
    return ""


def _note(slot: Slot, at: datetime, start: datetime) -> str:
    if note := clock_note(slot, at):
        return note
    zone = ZoneInfo(slot.time_zone)
    local = at.astimezone(zone)
    if local.utcoffset() != start.astimezone(zone).utcoffset():
        change = _last_change(local, zone)
        return f"After the clock change of {change.day} {change:%B}: still {slot.time:%H:%M} on the wall."
    return ""


def _last_change(local: datetime, zone: ZoneInfo) -> datetime:
    """The day, going back, on which the clocks were changed to what they show at `local`."""
    day = local.astimezone(UTC)
    while day.astimezone(zone).utcoffset() == local.utcoffset():
        day -= timedelta(days=1)
    return (day + timedelta(days=1)).astimezone(zone)
