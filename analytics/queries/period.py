"""Days on a workspace's clock: what is asked about, and what it is held against."""

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from accounts.models import Workspace
from lib.clock import now

LENGTHS = (7, 28, 90)
USUAL = 28
LONGEST = 750
FIRST_DAY = date(2020, 1, 1)
DAY = timedelta(days=1)


@dataclass(frozen=True)
class Period:
    """Both days are included."""

    start: date
    end: date
    zone: str

    @property
    def days(self) -> int:
        return (self.end - self.start).days + 1

    @property
    def previous(self) -> "Period":
        """As long, and just before."""
        return Period(self.start - self.days * DAY, self.start - DAY, self.zone)

    @property
    def dates(self) -> list[date]:
        return [self.start + n * DAY for n in range(self.days)]

    @property
    def starts_at(self) -> datetime:
        return _midnight(self.start, self.zone)

    @property
    def ends_at(self) -> datetime:
        """The first moment after it."""
        return _midnight(self.end + DAY, self.zone)

    def cut(self, days: int) -> "Period | None":
        """Without its last days."""
        end = self.end - days * DAY
        return Period(self.start, end, self.zone) if end >= self.start else None

    def __str__(self) -> str:
        if self.start == self.end:
            return f"{self.end.day} {self.end:%B %Y}"
        first = f"{self.start.day} {self.start:%b}" + ("" if self.start.year == self.end.year else f" {self.start:%Y}")
        return f"{first} – {self.end.day} {self.end:%b %Y}"


@dataclass(frozen=True)
class Choice:
    """A period, and the one that it is compared with."""

    period: Period
    against: Period

    @property
    def is_previous(self) -> bool:
        return self.against == self.period.previous


def _midnight(day: date, zone: str) -> datetime:
    return datetime.combine(day, time(), ZoneInfo(zone))


def today(workspace: Workspace) -> date:
    return now().astimezone(ZoneInfo(workspace.time_zone)).date()


def last_days(workspace: Workspace, days: int = USUAL) -> Period:
    end = today(workspace)
    return Period(end - (days - 1) * DAY, end, workspace.time_zone)


def read_day(text: str) -> date | None:
    try:
        day = date.fromisoformat(text)
    except ValueError:
        return None
    return day if FIRST_DAY <= day <= date(2100, 1, 1) else None


def read_choice(workspace: Workspace, given: dict[str, str]) -> Choice:
    """From the fields of an address: `days`, or `from` and `to`; `than` is the first day of a comparison of its own.

    What makes no sense counts as not given.
    """
    period = _read_period(workspace, given)
    than = read_day(given.get("than", ""))
    if than is None or than >= period.start:
        return Choice(period, period.previous)
    return Choice(period, Period(than, than + (period.days - 1) * DAY, period.zone))


def _read_period(workspace: Workspace, given: dict[str, str]) -> Period:
    start, end = read_day(given.get("from", "")), read_day(given.get("to", ""))
    if start and end and start <= end <= today(workspace) and (end - start).days < LONGEST:
        return Period(start, end, workspace.time_zone)
    days = given.get("days", "")
    return last_days(workspace, int(days) if days in {str(n) for n in LENGTHS} else USUAL)
