"""The accounts of a workspace: their followers, and what their posts gathered."""

from dataclasses import dataclass
from datetime import date
from typing import Any

from django.db.models import Count, Sum

from accounts.models import Workspace
from analytics.models import FollowerCount
from analytics.queries.period import Period
from analytics.queries.totals import measured_posts
from campaigns.models import Campaign
from social.models import Connection


@dataclass(frozen=True)
class Account:
    """Followers as they were read, and the numbers of the posts of the period; None is not known."""

    connection: Connection
    readings: list[tuple[date, int]]
    posts: int
    impressions: int | None
    engagements: int | None

    @property
    def followers(self) -> int | None:
        return self.readings[-1][1] if self.readings else None

    @property
    def gained(self) -> int | None:
        """None from one reading alone."""
        return self.readings[-1][1] - self.readings[0][1] if len(self.readings) > 1 else None


def accounts(
    workspace: Workspace,
    period: Period,
    *,
    campaign: Campaign | None = None,
    connection: Connection | None = None,
) -> list[Account]:
    """Of a campaign those to which its posts went, with the numbers of these posts."""
    shown = Connection.objects.shown().filter(workspace=workspace).order_by("network", "name")
    if connection:
        shown = shown.filter(pk=connection.pk)
    readings, posts = _readings(workspace, period), _posts(workspace, period, campaign)
    return [
        Account(
            connection=row,
            readings=readings.get(row.pk, []),
            posts=posts.get(row.pk, {}).get("number", 0),
            impressions=posts.get(row.pk, {}).get("seen"),
            engagements=posts.get(row.pk, {}).get("engaged"),
        )
        for row in shown
        if campaign is None or row.pk in posts
    ]


def _readings(workspace: Workspace, period: Period) -> dict[Any, list[tuple[date, int]]]:
    rows = FollowerCount.objects.filter(workspace=workspace, day__range=(period.start, period.end)).order_by("day")
    found: dict[Any, list[tuple[date, int]]] = {}
    for connection_id, day, count in rows.values_list("connection_id", "day", "count"):
        found.setdefault(connection_id, []).append((day, count))
    return found


def _posts(workspace: Workspace, period: Period, campaign: Campaign | None) -> dict[Any, dict[str, Any]]:
    rows = measured_posts(workspace, period, campaign=campaign).order_by().values("connection_id")
    rows = rows.annotate(number=Count("pk"), seen=Sum("impressions"), engaged=Sum("engagements"))
    return {row["connection_id"]: row for row in rows}
