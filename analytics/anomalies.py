"""Days that are unlike what was to be expected: found once a day, told once.

Expected is the median of the same weekday of the eight weeks before. How far off is usual is their median absolute
deviation, but at least what chance alone makes of counts of that size. Neither is moved by an odd day or two.
"""

import math
from dataclasses import dataclass
from datetime import date, timedelta
from statistics import median
from zoneinfo import ZoneInfo

import structlog

from accounts.access import Actor, Perm
from accounts.models import Workspace
from accounts.scope import all_workspaces_scope, workspace_scope
from accounts.services import notify
from analytics.models import Anomaly, DayRollup
from analytics.queries.period import DAY, Period, today
from analytics.queries.series import series_of
from analytics.queries.words import amount
from analytics.tracking.tracking import tracking_of
from campaigns.models import Campaign
from lib.clock import now

log = structlog.get_logger(__name__)
WEEKS, FEWEST_WEEKS = 8, 6
# In the night after the day, and often enough that a scheduler that stood still for an hour misses none.
LOOK_HOURS = range(2, 6)
# In deviations of a normal distribution: about one day in two thousand by chance.
FAR = 3.5
NORMAL = 1.4826
METRICS = {"clicks": "clicks", "conversions": "conversions", "revenue_micro": "revenue"}
# Below so many on both sides, a difference is not worth a message.
WORTH = {"clicks": 10, "conversions": 5, "revenue_micro": 0}


@dataclass(frozen=True)
class Expected:
    middle: float
    low: float
    high: float


def expect(values: list[int], *, is_count: bool = True) -> Expected | None:
    """From the same weekdays of the weeks before; None from too few."""
    if len(values) < FEWEST_WEEKS:
        return None
    middle = float(median(values))
    spread = NORMAL * median(abs(value - middle) for value in values)
    # Counts spread by the root of their size even when nothing is odd.
    spread = max(spread, math.sqrt(max(middle, 1.0))) if is_count else max(spread, middle / 10)
    return Expected(middle, max(0.0, middle - FAR * spread), middle + FAR * spread)


def find_anomalies() -> int:
    """Of yesterday, where anything happened lately and the clock stands in LOOK_HOURS; how many are new."""
    with all_workspaces_scope("looking for unusual days"):
        recent = DayRollup.objects.filter(day__gte=now().date() - timedelta(weeks=2))
        ids = list(recent.order_by().values_list("workspace_id", flat=True).distinct())
    found = 0
    for workspace in Workspace.objects.filter(pk__in=ids, is_suspended=False):
        if now().astimezone(ZoneInfo(workspace.time_zone)).hour not in LOOK_HOURS:
            continue
        # One workspace that fails must not keep the others from being looked at.
        try:
            with workspace_scope(workspace.pk):
                found += look_at_yesterday(workspace)
        except Exception:
            log.exception("anomalies_not_found", workspace=workspace.slug)
    return found


def look_at_yesterday(workspace: Workspace) -> int:
    """Inside the workspace's scope: the whole of it and each running campaign. A repeat finds nothing new."""
    day = today(workspace) - DAY
    running = Campaign.objects.filter(workspace=workspace, status=Campaign.Status.RUNNING)
    return sum(_look(workspace, day, campaign) for campaign in [None, *running])


def _look(workspace: Workspace, day: date, campaign: Campaign | None) -> int:
    period = Period(day - timedelta(weeks=WEEKS), day, workspace.time_zone)
    lines = series_of(workspace, period, list(METRICS), campaign=campaign)
    found = [row for name, points in lines.items() if (row := _judge(name, dict(points), day, workspace, campaign))]
    fresh = [row for row in found if _is_new(row)]
    for row in fresh:
        notify(workspace, "anomaly", row.text, path="/results/unusual", perm=Perm.VIEW)
    return len(fresh)


def _judge(
    name: str, values: dict[date, int | None], day: date, workspace: Workspace, campaign: Campaign | None
) -> Anomaly | None:
    value = values[day]
    former = [values[day - timedelta(weeks=week)] for week in range(1, WEEKS + 1)]
    expected = expect([one for one in former if one is not None], is_count=name != "revenue_micro")
    if value is None or expected is None or expected.low <= value <= expected.high:
        return None
    if max(value, expected.middle) < WORTH[name]:
        return None
    return Anomaly(
        workspace=workspace,
        metric=name,
        object_kind="campaign" if campaign else "",
        object_id=campaign.pk if campaign else None,
        day=day,
        value=value,
        low=expected.low,
        high=expected.high,
        text=_words(name, value, expected, day, workspace, campaign),
    )


def _words(
    name: str, value: int, expected: Expected, day: date, workspace: Workspace, campaign: Campaign | None
) -> str:
    currency = tracking_of(workspace).currency
    where = f" in {campaign}" if campaign else ""
    much = "more" if value > expected.high else "fewer" if name != "revenue_micro" else "less"
    middle = amount(name, round(expected.middle), currency)
    return (
        f"{day:%A}, {day.day} {day:%B}: {amount(name, value, currency)} {METRICS[name]}{where}, {much} than usual "
        f"(about {middle} on a {day:%A})."
    )[:300]


def _is_new(row: Anomaly) -> bool:
    Anomaly.objects.bulk_create([row], ignore_conflicts=True)
    # A row of an earlier look has another id.
    return Anomaly.objects.filter(pk=row.pk).exists()


def mark_seen(anomaly: Anomaly, *, by: Actor) -> None:
    by.require(Perm.VIEW)
    Anomaly.objects.filter(pk=anomaly.pk, seen_at=None).update(seen_at=now())
