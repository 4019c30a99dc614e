"""A month of the calendar, in the workspace's zone."""

import calendar
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from campaigns.models import Delivery, Slot
from campaigns.slots import resolve
from social.models import Connection

DAY = timedelta(days=1)
YEARS = range(2000, 2101)
# A cell shows so many; the rest folds out.
CHIPS_SHOWN = 3


@dataclass(frozen=True)
class Month:
    first: date
    zone: ZoneInfo

    @property
    def last(self) -> date:
        return self.next.first - DAY

    @property
    def next(self) -> "Month":
        return Month((self.first + timedelta(days=31)).replace(day=1), self.zone)

    @property
    def previous(self) -> "Month":
        return Month((self.first - DAY).replace(day=1), self.zone)

    @property
    def days(self) -> list[date]:
        """Whole weeks, from a Monday to a Sunday."""
        weeks = calendar.Calendar(firstweekday=calendar.MONDAY).monthdatescalendar(self.first.year, self.first.month)
        return [day for week in weeks for day in week]

    @property
    def bounds(self) -> tuple[datetime, datetime]:
        """The instants at which the first shown day begins and the last one ends."""
        days = self.days
        return self.midnight(days[0]), self.midnight(days[-1] + DAY)

    def midnight(self, day: date) -> datetime:
        return datetime.combine(day, time.min, self.zone).astimezone(UTC)

    def __str__(self) -> str:
        return f"{self.first:%Y-%m}"


def read_month(text: str, zone: str, at: datetime) -> Month:
    """`2026-12`, or else the month that `at` lies in there."""
    local = ZoneInfo(zone)
    try:
        day = datetime.strptime(text, "%Y-%m").date()
    except ValueError:
        day = at.astimezone(local).date()
    if day.year not in YEARS:
        day = at.astimezone(local).date()
    return Month(day.replace(day=1), local)


@dataclass(frozen=True)
class Chip:
    """A delivery in the calendar: where it stands is when it went out, or else when it is planned."""

    delivery: Delivery
    at: datetime


@dataclass(frozen=True)
class FreeSlot:
    connection: Connection
    at: datetime


@dataclass
class CalendarDay:
    date: date
    is_out: bool
    is_past: bool
    is_today: bool
    chips: list[Chip] = field(default_factory=list)
    slots: list[FreeSlot] = field(default_factory=list)

    @property
    def shown(self) -> list[Chip]:
        # One more is no longer than the line that would announce it.
        return self.chips if len(self.chips) == CHIPS_SHOWN + 1 else self.chips[:CHIPS_SHOWN]

    @property
    def folded(self) -> list[Chip]:
        return self.chips[len(self.shown) :]

    @property
    def is_empty(self) -> bool:
        return not (self.chips or self.slots)


def moment_of(delivery: Delivery) -> datetime:
    at = delivery.published_at or delivery.scheduled_at
    assert at is not None
    return at


def lay_out(month: Month, today: date, deliveries: Iterable[Delivery], slots: Iterable[FreeSlot]) -> list[CalendarDay]:
    days = {
        day: CalendarDay(day, is_out=day.month != month.first.month, is_past=day < today, is_today=day == today)
        for day in month.days
    }
    for chip in sorted((Chip(row, moment_of(row)) for row in deliveries), key=lambda chip: chip.at):
        days[chip.at.astimezone(month.zone).date()].chips.append(chip)
    for slot in sorted(slots, key=lambda slot: slot.at):
        days[slot.at.astimezone(month.zone).date()].slots.append(slot)
    return list(days.values())


def free_slots(
    month: Month, slots: Iterable[Slot], taken: set[tuple[object, datetime]], after: datetime
) -> Iterator[FreeSlot]:
    """Of the shown days, those that are ahead and that no post has. The slots may be in other zones."""
    start, end = month.bounds
    by_weekday = defaultdict(list)
    for slot in slots:
        by_weekday[slot.weekday].append(slot)
    # Clocks on earth are up to 26 hours apart: a day elsewhere can reach two days in.
    around = (month.days[0] - 2 * DAY, month.days[0] - DAY, *month.days, month.days[-1] + DAY, month.days[-1] + 2 * DAY)
    for day in around:
        for slot in by_weekday[day.weekday()]:
            at = resolve(day, slot.time, slot.time_zone)
            if max(start, after) <= at < end and (slot.connection_id, at) not in taken:
                yield FreeSlot(slot.connection, at)
