"""What was spent: sums of the ledger for pages and the API."""

from calendar import monthrange
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from django.db.models import Count, DateField, Q, QuerySet, Sum
from django.db.models.functions import Coalesce, TruncDate

from accounts.models import UsageEntry, Workspace
from accounts.usage import month_scope, spent
from lib.clock import now
from lib.money import dollars

# The first days of a month say nothing of the rest.
FORECAST_FROM_DAY = 3
GROUPS = {"day": "day", "kind": "kind", "campaign": "campaign_id", "connection": "connection_id"}
Status = UsageEntry.Status


@dataclass(frozen=True)
class MonthSummary:
    """Micro-dollars; the words are for pages."""

    month: date
    spent_micro: int
    reserved_micro: int
    cap_micro: int | None
    forecast_micro: int | None

    @property
    def spent(self) -> str:
        return dollars(self.spent_micro)

    @property
    def reserved(self) -> str:
        return dollars(self.reserved_micro)

    @property
    def cap(self) -> str:
        return dollars(self.cap_micro or 0)

    @property
    def forecast(self) -> str:
        return dollars(self.forecast_micro or 0)

    @property
    def percent(self) -> int:
        used = self.spent_micro + self.reserved_micro
        return min(100, used * 100 // self.cap_micro) if self.cap_micro else 100

    @property
    def is_over(self) -> bool:
        return self.cap_micro is not None and (self.forecast_micro or 0) > self.cap_micro


@dataclass(frozen=True)
class Cost:
    """One row of a sum: the day, kind or id it is of (None: of none), and micro-dollars."""

    of: Any
    count: int
    spent_micro: int
    reserved_micro: int

    @property
    def spent(self) -> str:
        return dollars(self.spent_micro)

    @property
    def reserved(self) -> str:
        return dollars(self.reserved_micro)


def month_summary(workspace: Workspace, month: date | None = None) -> MonthSummary:
    at = now()
    month = (month or at.date()).replace(day=1)
    spent_micro, reserved_micro = spent(workspace, month_scope(month))
    forecast = _forecast(spent_micro, at) if month == at.date().replace(day=1) else None
    return MonthSummary(month, spent_micro, reserved_micro, workspace.monthly_cap_micro, forecast)


def _forecast(spent_micro: int, at: datetime) -> int | None:
    """As much every day as until now, in whole cents; None while it is too early to say."""
    if at.day < FORECAST_FROM_DAY:
        return None
    days = at.day - 1 + (at.hour * 60 + at.minute) / 1440
    return round(spent_micro / days * monthrange(at.year, at.month)[1] / 10_000) * 10_000


def entries_of(workspace: Workspace, month: date) -> QuerySet[UsageEntry]:
    """What was spent or is held back; what was released cost nothing."""
    entries = UsageEntry.objects.filter(workspace=workspace, month=month.replace(day=1))
    return entries.exclude(status=Status.RELEASED)


def costs_by(entries: QuerySet[UsageEntry], group: str) -> list[Cost]:
    """Sums by one of GROUPS: days newest first, anything else the dearest first."""
    column = GROUPS[group]
    rows = entries.order_by()
    if group == "day":
        rows = rows.annotate(day=TruncDate("created_at", output_field=DateField()))
    sums = rows.values(column).annotate(
        count=Count("pk"),
        spent_sum=Coalesce(Sum("amount_micro", filter=Q(status=Status.SETTLED)), 0),
        reserved_sum=Coalesce(Sum("amount_micro", filter=Q(status=Status.RESERVED)), 0),
    )
    order = ["-day"] if group == "day" else ["-spent_sum", "-reserved_sum", column]
    return [Cost(row[column], row["count"], row["spent_sum"], row["reserved_sum"]) for row in sums.order_by(*order)]
