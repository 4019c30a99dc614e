"""Reads of the publishing log and of its hourly counts."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import DateTimeField, QuerySet, Sum
from django.db.models.functions import TruncDay

from accounts.access import Actor, Perm
from campaigns.models import HourlyRollup, PublishingLog

# Names in addresses and the columns behind them. The API calls a source a project.
COLUMNS = {
    "action": "action",
    "status": "status",
    "delivery": "delivery_id",
    "post": "post_id",
    "project": "source_id",
    "connection": "connection_id",
    "campaign": "campaign_id",
    "since": "at__gte",
    "until": "at__lt",
}
COUNTS = ("created", "completed", "failed")


def log_lines(actor: Actor, **wanted: Any) -> QuerySet[PublishingLog]:
    """Newest first; `wanted` is any of COLUMNS."""
    actor.require(Perm.VIEW)
    lines = PublishingLog.objects.filter(workspace=actor.workspace)
    return lines.filter(**{COLUMNS[name]: value for name, value in wanted.items()}).order_by("-at", "-id")


@dataclass(frozen=True)
class Bucket:
    """An hour or a day, in UTC."""

    start: datetime
    created: int
    completed: int
    failed: int


def count_by(actor: Actor, *, since: datetime, until: datetime, by: str = "hour", **wanted: Any) -> list[Bucket]:
    """Hours or days in which something happened, the newest first; all projects together unless one is named."""
    actor.require(Perm.VIEW)
    rows = HourlyRollup.objects.filter(workspace=actor.workspace, hour__gte=since, hour__lt=until)
    rows = rows.filter(**{COLUMNS[name]: value for name, value in wanted.items()})
    field = "hour" if by == "hour" else "day"
    if by == "day":
        rows = rows.annotate(day=TruncDay("hour", output_field=DateTimeField()))
    totals = rows.order_by().values(field).annotate(**{f"{name}_sum": Sum(name) for name in COUNTS})
    return [Bucket(row[field], *(row[f"{name}_sum"] for name in COUNTS)) for row in totals.order_by(f"-{field}")]
