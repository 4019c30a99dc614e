"""From seen to converted: how many came to each step."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from accounts.models import Workspace
from analytics.models import Funnel
from analytics.queries.counted import Count, Kind, count_by
from analytics.queries.period import Period
from analytics.queries.totals import Totals, totals
from analytics.queries.words import percent
from campaigns.models import Campaign

LABELS = {
    "impressions": "Seen",
    "engagements": "Engaged",
    "click": "Clicked",
    "view": "Viewed a page",
    "conversion": "Converted",
    "custom": "Event",
}
USUAL = [{"kind": kind, "name": ""} for kind in ("impressions", "engagements", "click", "conversion")]
# Kinds of events that carry a name of their own.
NAMED = ("view", "conversion", "custom")
FROM_TOTALS = {"impressions": "impressions", "engagements": "engagements"}


@dataclass(frozen=True)
class Step:
    """`share` is of the step before, `of_first` of the first one; None where a number is missing."""

    label: str
    value: int | None
    share: float | None
    of_first: float | None
    note: str = ""

    @property
    def share_text(self) -> str:
        return percent(self.share)

    @property
    def bar(self) -> int:
        return 0 if self.of_first is None else max(0, min(100, round(100 * self.of_first)))


def funnel_counts(
    workspace: Workspace,
    funnel: Funnel | None,
    period: Period,
    *,
    campaign: Campaign | None = None,
    known: Totals | None = None,
) -> list[Step]:
    """Counts, not people: networks do not say who saw a post. Without a funnel the usual one."""
    steps = funnel.steps if funnel else USUAL
    known = known or totals(workspace, period, campaign=campaign)
    counted = count_by(workspace.pk, period.start, period.end, ["kind", "name"], campaign=campaign)
    return _shares([(_label(step), *_value(step, known, counted)) for step in steps])


def _label(step: dict[str, str]) -> str:
    name = step.get("name", "")
    return f"{LABELS[step['kind']]}: {name}" if name else LABELS[step["kind"]]


def _value(step: dict[str, str], known: Totals, counted: dict[tuple[Any, ...], Count]) -> tuple[int | None, str]:
    kind, name = step["kind"], step.get("name", "")
    if kind in FROM_TOTALS:
        return getattr(known, FROM_TOTALS[kind]), known.notes.get(kind, "")
    if kind == Kind.CLICK:
        return known.clicks, known.notes.get("clicks", "")
    if kind == Kind.CONVERSION and known.conversions is None:
        return None, known.notes.get("conversions", "")
    # Without a name, all of the kind.
    return sum(count.events for key, count in counted.items() if key[0] == kind and name in {"", key[1]}), ""


def _shares(steps: Sequence[tuple[str, int | None, str]]) -> list[Step]:
    first = next((value for _label, value, _note in steps if value), None)
    found: list[Step] = []
    for number, (label, value, note) in enumerate(steps):
        before = steps[number - 1][1] if number else None
        found.append(Step(label, value, _share(value, before), _share(value, first), note))
    return found


def _share(value: int | None, whole: int | None) -> float | None:
    return None if value is None or not whole else value / whole
