"""The days that a view of the calendar shows, in the workspace's zone."""

import calendar
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

DAY = timedelta(days=1)
YEARS = range(2000, 2101)
VIEWS = {"month": "Month", "week": "Week", "day": "Day", "list": "List"}


@dataclass(frozen=True)
class Span:
    view: str
    # Any of the days it is about.
    day: date
    zone: ZoneInfo

    @property
    def is_of_month(self) -> bool:
        return self.view in {"month", "list"}

    @property
    def first(self) -> date:
        if self.is_of_month:
            return self.day.replace(day=1)
        return self.day - self.day.weekday() * DAY if self.view == "week" else self.day

    @property
    def last(self) -> date:
        return self.next.first - DAY

    @property
    def next(self) -> "Span":
        step = {"week": 7, "day": 1}.get(self.view, 31)
        return replace(self, day=self.first + step * DAY)

    @property
    def previous(self) -> "Span":
        return replace(self, day=self.first - DAY)

    @property
    def days(self) -> list[date]:
        """A month is shown in whole weeks, from a Monday to a Sunday."""
        if self.view == "month":
            weeks = calendar.Calendar(firstweekday=calendar.MONDAY).monthdatescalendar(self.day.year, self.day.month)
            return [day for week in weeks for day in week]
        return [self.first + number * DAY for number in range((self.last - self.first).days + 1)]

    @property
    def bounds(self) -> tuple[datetime, datetime]:
        """The instants at which the first shown day begins and the last one ends."""
        days = self.days
        return self.midnight(days[0]), self.midnight(days[-1] + DAY)

    def midnight(self, day: date) -> datetime:
        return datetime.combine(day, time.min, self.zone).astimezone(UTC)

    def seen_as(self, view: str, today: date) -> "Span":
        """The same days in another view; of a month today, where it is one of its days."""
        is_inside = self.first <= today <= self.last
        return Span(view, today if is_inside and self.view != "day" else self.first, self.zone)

    @property
    def month(self) -> str | None:
        """For the address; the other of the two is left out of it."""
        return f"{self.first:%Y-%m}" if self.is_of_month else None

    @property
    def date(self) -> str | None:
        return None if self.is_of_month else f"{self.first:%Y-%m-%d}"

    @property
    def title(self) -> str:
        first, last = self.first, self.last
        if self.is_of_month:
            return f"{first:%B %Y}"
        if self.view == "day":
            return f"{first:%A}, {first.day} {first:%B %Y}"
        head = f"{first.day}" if first.month == last.month else f"{first.day} {first:%b}"
        head += "" if first.year == last.year else f" {first.year}"
        return f"{head} – {last.day} {last:%b %Y}"

    def __str__(self) -> str:
        return self.month or self.date or ""


def read_span(query: Mapping[str, str], zone: str, at: datetime) -> Span:
    """`view`, and `month=2026-12` or `day=2026-12-24`; or else the days that `at` lies in there."""
    local = ZoneInfo(zone)
    view = query.get("view", "")
    today = at.astimezone(local).date()
    day = _read_day(query.get("day", "")) or _read_day(f"{query.get('month', '')}-01") or today
    return Span(view if view in VIEWS else "month", day, local)


def _read_day(text: str) -> date | None:
    try:
        day = datetime.strptime(text, "%Y-%m-%d").date()
    except ValueError:
        return None
    return day if day.year in YEARS else None
