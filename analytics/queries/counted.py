"""Counts of events as the questions want them: people's and bots' apart."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any
from uuid import UUID

from analytics.models import Event
from analytics.rollups import counts
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
    workspace_id: UUID,
    since: date,
    until: date,
    by: Sequence[str],
    *,
    campaign: Campaign | None = None,
    **more: Any,
) -> dict[tuple[Any, ...], Count]:
    """By the names that `rollups.counts` knows; both days are included."""
    rows = counts(workspace_id, since, until, by=[*by, "is_bot"], campaign_id=campaign.pk if campaign else None, **more)
    found: dict[tuple[Any, ...], Count] = {}
    for row in rows:
        key = tuple(row[name] for name in by)
        people = Count(row["events"], row["visitors"], row["value_micro"])
        found[key] = found.get(key, Count()) + (Count(bots=row["events"]) if row["is_bot"] else people)
    return found
