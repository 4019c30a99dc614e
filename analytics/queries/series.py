"""Numbers day by day. A day on which nothing could be measured is a gap; one on which nothing happened is zero."""

from collections.abc import Iterable, Sequence
from datetime import date
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

from django.db.models import DateField, Min, Sum
from django.db.models.functions import TruncDate

from accounts.models import Workspace
from analytics.models import Conversion, Link
from analytics.queries.counted import Count, Kind, count_by
from analytics.queries.period import Period, today
from analytics.queries.totals import measured_posts
from campaigns.models import Campaign
from social.models import Connection

# By the name of a number: the kind of event, and what of its count.
OF_EVENTS = {
    "clicks": (Kind.CLICK, "events"),
    "bot_clicks": (Kind.CLICK, "bots"),
    "visitors": (Kind.CLICK, "visitors"),
    "conversions": (Kind.CONVERSION, "events"),
    "revenue_micro": (Kind.CONVERSION, "value_micro"),
}
OF_POSTS = ("impressions", "engagements", "joins")
METRICS = (*OF_EVENTS, *OF_POSTS)


class Point(NamedTuple):
    day: date
    value: int | None


def series(
    workspace: Workspace,
    period: Period,
    metric: str,
    *,
    campaign: Campaign | None = None,
    connection: Connection | None = None,
) -> list[Point]:
    """One of METRICS. Those of posts stand on the day of publishing, with what each has gathered until now."""
    return series_of(workspace, period, [metric], campaign=campaign, connection=connection)[metric]


def series_of(
    workspace: Workspace,
    period: Period,
    metrics: Sequence[str],
    *,
    campaign: Campaign | None = None,
    connection: Connection | None = None,
) -> dict[str, list[Point]]:
    """Several at once, in as many questions as one takes."""
    events = [name for name in metrics if name in OF_EVENTS]
    posts = [name for name in metrics if name in OF_POSTS]
    found: dict[str, list[Point]] = {}
    if events:
        found |= _events(workspace, period, events, campaign, is_known=connection is None)
    if posts:
        found |= _posts(workspace, period, posts, campaign, connection)
    return found


def _events(
    workspace: Workspace, period: Period, metrics: list[str], campaign: Campaign | None, *, is_known: bool
) -> dict[str, list[Point]]:
    if not is_known:
        return {name: [Point(day, None) for day in period.dates] for name in metrics}
    counted = count_by(workspace.pk, period.start, period.end, ["day", "kind"], campaign=campaign)
    began = _began(workspace, period.zone, counted)
    last = today(workspace)

    def value(day: date, name: str) -> int | None:
        kind, part = OF_EVENTS[name]
        since = began[kind]
        if since is None or not since <= day <= last:
            return None
        return getattr(counted.get((day, kind), Count()), part)

    return {name: [Point(day, value(day, name)) for day in period.dates] for name in metrics}


def _began(workspace: Workspace, zone: str, counted: Iterable[tuple[date, str]]) -> dict[str, date | None]:
    """From when on there was anything to count clicks and conversions with: what was counted outlives its link."""
    clicks = Link.objects.filter(workspace=workspace).aggregate(at=Min("created_at"))["at"]
    bought = Conversion.objects.filter(workspace=workspace).aggregate(at=Min("at"))["at"]
    moments = {Kind.CLICK: clicks, Kind.CONVERSION: bought}
    known: dict[str, list[date]] = {
        kind: [moment.astimezone(ZoneInfo(zone)).date()] if moment else [] for kind, moment in moments.items()
    }
    for day, kind in counted:
        known.get(kind, []).append(day)
    return {kind: min(days, default=None) for kind, days in known.items()}


def _posts(
    workspace: Workspace, period: Period, metrics: list[str], campaign: Campaign | None, connection: Connection | None
) -> dict[str, list[Point]]:
    rows: Any = measured_posts(workspace, period, campaign=campaign, connection=connection)
    day = TruncDate("published_at", tzinfo=ZoneInfo(period.zone), output_field=DateField())
    sums = {f"{name}_sum": Sum(name) for name in metrics}
    by_day = {row["day"]: row for row in rows.order_by().annotate(day=day).values("day").annotate(**sums)}
    return {name: [Point(day, by_day.get(day, {}).get(f"{name}_sum")) for day in period.dates] for name in metrics}
