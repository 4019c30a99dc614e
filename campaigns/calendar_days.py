"""What stands on each day of the calendar, and in each hour where a view has hours."""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import date, datetime
from functools import cached_property
from uuid import UUID
from zoneinfo import ZoneInfo

from campaigns.calendar_clock import change_note, skipped_hours
from campaigns.calendar_span import DAY, Span
from campaigns.models import Delivery, Slot
from campaigns.slot_preview import clock_note
from campaigns.slots import resolve
from social.models import Connection

# A cell shows so many; the rest folds out.
CHIPS_SHOWN = 3
# What went out, or is just going out, stays where it is.
LOCKED = {Delivery.State.PUBLISHING, Delivery.State.PUBLISHED, Delivery.State.UNCONFIRMED}
# The hours of a week or a day that are always shown; others where something stands in them.
BUSY_HOURS = range(7, 22)


@dataclass(frozen=True)
class Chip:
    """A delivery in the calendar: where it stands is when it went out, or else when it is planned."""

    delivery: Delivery
    # In the zone of the calendar.
    at: datetime
    # On the reader's own clock, where it shows something else.
    own_time: str = ""
    warnings: tuple[str, ...] = ()
    actions: frozenset[str] = frozenset()
    # The asset's key.
    picture: UUID | None = None

    # A month shows hundreds of chips, and each of these words several times.
    @cached_property
    def title(self) -> str:
        return str(self.delivery.post)

    @cached_property
    def account(self) -> str:
        return str(self.delivery.connection)

    @cached_property
    def state_label(self) -> str:
        return str(self.delivery.get_state_display())

    @cached_property
    def moment(self) -> str:
        return self.at.isoformat()

    @cached_property
    def day(self) -> str:
        return f"{self.at:%Y-%m-%d}"

    @cached_property
    def clock(self) -> str:
        return f"{self.at:%H:%M}"

    @cached_property
    def can_move(self) -> bool:
        return "schedule" in self.actions and self.delivery.state != Delivery.State.CANCELED

    @cached_property
    def can_select(self) -> bool:
        return self.can_move or "cancel" in self.actions

    @property
    def is_locked(self) -> bool:
        return self.delivery.state in LOCKED


@dataclass(frozen=True)
class FreeSlot:
    connection: Connection
    at: datetime
    note: str = ""


@dataclass
class Hour:
    number: int
    is_skipped: bool
    is_past: bool
    chips: list[Chip] = field(default_factory=list)
    slots: list[FreeSlot] = field(default_factory=list)


@dataclass
class CalendarDay:
    date: date
    is_out: bool
    is_past: bool
    is_today: bool
    chips: list[Chip] = field(default_factory=list)
    slots: list[FreeSlot] = field(default_factory=list)
    holidays: list[str] = field(default_factory=list)
    clock_note: str = ""
    hours: list[Hour] = field(default_factory=list)

    @cached_property
    def key(self) -> str:
        """In addresses and for scripts."""
        return self.date.isoformat()

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


def lay_out(span: Span, today: date, chips: Iterable[Chip], slots: Iterable[FreeSlot]) -> list[CalendarDay]:
    days = {
        day: CalendarDay(
            day,
            is_out=not span.first <= day <= span.last,
            is_past=day < today,
            is_today=day == today,
            clock_note=change_note(day, span.zone),
        )
        for day in span.days
    }
    for chip in sorted(chips, key=lambda chip: chip.at):
        days[chip.at.astimezone(span.zone).date()].chips.append(chip)
    for slot in sorted(slots, key=lambda slot: slot.at):
        days[slot.at.astimezone(span.zone).date()].slots.append(slot)
    return list(days.values())


def add_hours(days: list[CalendarDay], zone: ZoneInfo, at: datetime, *, shows_all: bool = False) -> list[int]:
    """Deal each day out into hours; answers which ones are shown, the same for all the days."""
    moments = [chip.at for day in days for chip in day.chips] + [slot.at for day in days for slot in day.slots]
    used = {at.astimezone(zone).hour for at in moments}
    hours = range(24) if shows_all else range(min(used | {BUSY_HOURS[0]}), max(used | {BUSY_HOURS[-1]}) + 1)
    local = at.astimezone(zone)
    for day in days:
        skipped = skipped_hours(day.date, zone) if day.clock_note else set()
        is_over = day.is_past
        cells = {hour: Hour(hour, hour in skipped, is_over or (day.is_today and hour < local.hour)) for hour in hours}
        for chip in day.chips:
            cells[chip.at.astimezone(zone).hour].chips.append(chip)
        for slot in day.slots:
            cells[slot.at.astimezone(zone).hour].slots.append(slot)
        day.hours = list(cells.values())
    return list(hours)


def free_slots(
    span: Span, slots: Iterable[Slot], taken: set[tuple[object, datetime]], after: datetime
) -> Iterator[FreeSlot]:
    """Of the shown days, those that are ahead and that no post has. The slots may be in other zones."""
    start, end = span.bounds
    by_weekday = defaultdict(list)
    for slot in slots:
        by_weekday[slot.weekday].append(slot)
    days = span.days
    # Clocks on earth are up to 26 hours apart: a day elsewhere can reach two days in.
    for day in (days[0] - 2 * DAY, days[0] - DAY, *days, days[-1] + DAY, days[-1] + 2 * DAY):
        for slot in by_weekday[day.weekday()]:
            at = resolve(day, slot.time, slot.time_zone)
            if max(start, after) <= at < end and (slot.connection_id, at) not in taken:
                yield FreeSlot(slot.connection, at, clock_note(slot, at))
