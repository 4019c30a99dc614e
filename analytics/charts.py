"""Charts as data: what `static/js/analytics.js` draws, and the table that says the same."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from analytics.queries.series import Point

Value = float | int | None
SPARK_WIDTH, SPARK_HEIGHT = 100, 24


@dataclass(frozen=True)
class Line:
    """`colour` is a variable of `tokens.css` without its dashes. `is_right`: on an axis of its own, at the right."""

    label: str
    values: Sequence[Value]
    colour: str = "accent"
    is_dashed: bool = False
    is_right: bool = False


@dataclass(frozen=True)
class Chart:
    """`kind` is line or bar. A value of None is a gap, and “–” in the table."""

    id: str
    title: str
    labels: Sequence[str]
    lines: Sequence[Line]
    kind: str = "line"
    label: str = "Day"
    note: str = ""
    # What stands there instead where nothing was measured.
    empty: str = "Nothing was measured in these days."

    @property
    def is_empty(self) -> bool:
        return not any(value is not None for line in self.lines for value in line.values)

    @property
    def data_id(self) -> str:
        return f"{self.id}-data"

    @property
    def data(self) -> dict[str, Any]:
        return {
            "kind": self.kind,
            "labels": list(self.labels),
            "lines": [
                {
                    "label": line.label,
                    "values": list(line.values),
                    "colour": line.colour,
                    "dashed": line.is_dashed,
                    "right": line.is_right,
                }
                for line in self.lines
            ],
        }

    @property
    def headings(self) -> list[str]:
        return [self.label, *(line.label for line in self.lines)]

    @property
    def rows(self) -> list[list[str]]:
        """Without those in which there is nothing at all."""
        found = zip(self.labels, *(line.values for line in self.lines), strict=True)
        return [[label, *map(number, values)] for label, *values in found if any(value is not None for value in values)]

    @property
    def summary(self) -> str:
        """What a screen reader says in place of the picture."""
        return f"{self.title}, {len(self.rows)} rows. The table below holds the numbers."


@dataclass(frozen=True)
class Table:
    """A part of an export."""

    title: str
    headings: Sequence[str]
    rows: Sequence[Sequence[Any]] = field(default_factory=list)


def number(value: Value) -> str:
    if value is None:
        return "–"
    return f"{value:,}" if isinstance(value, int) else f"{value:,.2f}"


def day_label(day: date) -> str:
    return f"{day.day} {day:%b}"


def day_chart(id: str, title: str, days: Sequence[date], lines: Sequence[Line], **more: Any) -> Chart:
    return Chart(id, title, [day_label(day) for day in days], lines, **more)


def values_of(points: Sequence[Point], *, per: int = 1) -> list[Value]:
    """`per` 1,000,000 makes units of millionths."""
    if per == 1:
        return [point.value for point in points]
    return [None if point.value is None else point.value / per for point in points]


def spark(values: Sequence[Value]) -> list[str]:
    """Points of polylines, one for each stretch without a gap; nothing below two values."""
    known = [value for value in values if value is not None]
    if len(known) < 2:
        return []
    low, high = min(0, *known), max(known)
    span = (high - low) or 1
    step = SPARK_WIDTH / (len(values) - 1)
    stretches: list[list[str]] = [[]]
    for place, value in enumerate(values):
        if value is None:
            stretches.append([])
            continue
        y = 1 + (SPARK_HEIGHT - 2) * (1 - (value - low) / span)
        stretches[-1].append(f"{place * step:.1f},{y:.1f}")
    return [" ".join(points) for points in stretches if len(points) > 1]
