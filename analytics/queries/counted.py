"""Counts of events, from their rollups: the one place where questions read them."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any
from uuid import UUID

from django.db.models import Sum

from analytics.models import DayRollup, Event
from campaigns.models import Campaign

Kind = Event.Kind


@dataclass(frozen=True)
class Count:
    """How often people did something, what it was worth, and bots apart. Visitors are counted anew every day."""

    events: int = 0
    visitors: int = 0
    value_micro: int = 0
    bots: int = 0

    def __add__(self, other: "Count") -> "Count":
        return Count(
            self.events + other.events,
            self.visitors + other.visitors,
            self.value_micro + other.value_micro,
            self.bots + other.bots,
        )


def count_by(
    workspace_id: UUID, since: date, until: date, by: Sequence[str], *, campaign: Campaign | None = None
) -> dict[tuple[Any, ...], Count]:
    """By any of day, kind, name, campaign_id, post_id, link_id, arm; both days are included."""
    found: dict[tuple[Any, ...], Count] = {}
    for row in _rows(workspace_id, since, until, [*by, "is_bot"], campaign):
        key = tuple(row[name] for name in by)
        count = (
            Count(bots=row["events"]) if row["is_bot"] else Count(row["events"], row["visitors"], row["value_micro"])
        )
        found[key] = found.get(key, Count()) + count
    return found


def _rows(
    workspace_id: UUID, since: date, until: date, by: list[str], campaign_id: UUID | None
) -> list[dict[str, Any]]:
    rows = DayRollup.objects.filter(workspace_id=workspace_id, day__range=(since, until))
    if campaign:
        rows = rows.filter(campaign_id=campaign.pk)
    sums = {"events": Sum("events"), "visitors": Sum("visitors"), "value_micro": Sum("value_micro")}
    # The names of the sums are those of the columns.
    named = {f"{name}_sum": total for name, total in sums.items()}
    found = rows.order_by().values(*by).annotate(**named)
    return [{**row, **{name: row[f"{name}_sum"] for name in sums}} for row in found]
