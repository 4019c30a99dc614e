"""Who clicks: devices, languages and where they came from, of the newest clicks of a period."""

from dataclasses import dataclass, field
from typing import Any

from django.db import connection

from accounts.models import Workspace
from analytics.queries.patience import answer_soon
from analytics.queries.period import Period
from campaigns.models import Campaign

# Shares of so many are as exact as anybody needs.
MOST = 100_000
SHOWN = 8
PARTS = {"device": "Devices", "language": "Languages", "referrer": "Where they came from"}
UNKNOWN = {"device": "Unknown", "language": "Not said", "referrer": "Direct, or not said"}
QUERY = """
WITH newest AS MATERIALIZED (
    SELECT device, lower(split_part(language, '-', 1)) AS language, referrer FROM analytics_event
    WHERE workspace_id = %(workspace)s AND at >= %(since)s AND at < %(until)s AND kind = 'click' AND NOT is_bot
    {campaign} ORDER BY at DESC LIMIT %(most)s)
SELECT CASE WHEN grouping(device) = 0 THEN 'device' WHEN grouping(language) = 0 THEN 'language'
            WHEN grouping(referrer) = 0 THEN 'referrer' ELSE 'all' END,
       coalesce(device, language, referrer, ''), count(*)
FROM newest GROUP BY GROUPING SETS ((device), (language), (referrer), ())
"""


@dataclass(frozen=True)
class Share:
    label: str
    number: int
    share: float

    @property
    def percent(self) -> int:
        return round(100 * self.share)


@dataclass(frozen=True)
class Audience:
    """`clicks` is how many were looked at. None where the database would have needed too long."""

    clicks: int | None = None
    parts: dict[str, list[Share]] = field(default_factory=dict)

    @property
    def is_sample(self) -> bool:
        return self.clicks == MOST


def audience(workspace: Workspace, period: Period, *, campaign: Campaign | None = None) -> Audience:
    rows = answer_soon(lambda: _ask(workspace, period, campaign))
    if rows is None:
        return Audience()
    total = sum(number for part, _value, number in rows if part == "all")
    by_part: dict[str, list[tuple[str, int]]] = {name: [] for name in PARTS}
    for part, value, number in rows:
        if part in by_part:
            by_part[part].append((value, number))
    return Audience(total, {name: _shares(name, found, total) for name, found in by_part.items()})


def _ask(workspace: Workspace, period: Period, campaign: Campaign | None) -> list[tuple[str, str, int]]:
    values: dict[str, Any] = {
        "workspace": workspace.pk,
        "since": period.starts_at,
        "until": period.ends_at,
        "most": MOST,
    }
    with connection.cursor() as cursor:
        query = QUERY.format(campaign="AND campaign_id = %(campaign)s" if campaign else "")
        cursor.execute(query, values | ({"campaign": campaign.pk} if campaign else {}))
        return cursor.fetchall()


def _shares(part: str, found: list[tuple[str, int]], total: int) -> list[Share]:
    """The largest ones, and the rest together."""
    rows = sorted(found, key=lambda row: (-row[1], row[0]))
    shares = [
        Share(value.capitalize() if part == "device" else value, number, number / total)
        for value, number in rows[:SHOWN]
    ]
    shares = [Share(row.label or UNKNOWN[part], row.number, row.share) for row in shares]
    rest = sum(number for _value, number in rows[SHOWN:])
    return [*shares, Share("Others", rest, rest / total)] if rest else shares
