"""The hours of a week: when posts did well, and when people click."""

from bisect import bisect_right
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from statistics import median
from zoneinfo import ZoneInfo

from accounts.models import Workspace
from analytics.queries.aged import Aged
from analytics.queries.counted import Kind, count_by
from analytics.queries.period import Period
from analytics.queries.words import percent
from campaigns.models import Campaign

WEEKDAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
# A cell says nothing below so many posts.
ENOUGH = 3
LEVELS = 5


@dataclass(frozen=True)
class Cell:
    """`level` is 1 to LEVELS among the cells of the map, 0 for nothing; a cell of too few has no level."""

    weekday: int
    hour: int
    number: int
    value: float | None
    level: int = 0

    @property
    def is_too_few(self) -> bool:
        return self.number > 0 and self.value is None

    @property
    def day_name(self) -> str:
        return WEEKDAYS[self.weekday]

    @property
    def words(self) -> str:
        """Mon 09:00: 4, 2.1 %"""
        is_rate = self.value is not None and self.value != self.number
        rate = f", {percent(self.value)}" if is_rate else ""
        few = ", too few to say" if self.is_too_few else ""
        return f"{self.day_name} {self.hour:02}:00: {self.number:,}{rate}{few}"


def heat_of_posts(posts: Iterable[Aged], zone: str) -> list[list[Cell]]:
    """By weekday (Monday first) and hour: how many posts, and the median of their engagements per impression."""
    clock = ZoneInfo(zone)
    by_hour: dict[tuple[int, int], list[float | None]] = {}
    for post in posts:
        at = post.published_at.astimezone(clock)
        by_hour.setdefault((at.weekday(), at.hour), []).append(post.rate)
    found = {}
    for place, rates in by_hour.items():
        known = [rate for rate in rates if rate is not None]
        found[place] = (len(rates), median(known) if len(known) >= ENOUGH else None)
    return _grid(found)


def heat_of_clicks(workspace: Workspace, period: Period, *, campaign: Campaign | None = None) -> list[list[Cell]]:
    """By weekday and hour: how many clicks of people came."""
    counted = count_by(
        workspace.pk, period.start, period.end, ["hour"], campaign=campaign, unit="hour", kinds=[Kind.CLICK]
    )
    clock = ZoneInfo(period.zone)
    found: Counter[tuple[int, int]] = Counter()
    for (hour,), count in counted.items():
        at = hour.astimezone(clock)
        found[at.weekday(), at.hour] += count.events
    return _grid({place: (number, float(number)) for place, number in found.items() if number})


def _grid(found: dict[tuple[int, int], tuple[int, float | None]]) -> list[list[Cell]]:
    marks = _marks([value for _number, value in found.values() if value])
    return [
        [_cell(weekday, hour, *found.get((weekday, hour), (0, None)), marks=marks) for hour in range(24)]
        for weekday in range(7)
    ]


def _cell(weekday: int, hour: int, number: int, value: float | None, *, marks: list[float]) -> Cell:
    level = 1 + bisect_right(marks, value) if value else 0
    return Cell(weekday, hour, number, value, min(level, LEVELS))


def _marks(values: list[float]) -> list[float]:
    """Where one level ends and the next begins, at equal steps up to the highest value."""
    top = max(values, default=0.0)
    return [top * step / LEVELS for step in range(1, LEVELS)] if top else []


def is_empty(grid: list[list[Cell]]) -> bool:
    return not any(cell.number for row in grid for cell in row)
