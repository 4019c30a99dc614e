"""Visitors by the week in which they were first seen: how many came back, and how many converted."""

from dataclasses import dataclass
from datetime import date, timedelta

from django.db import connection

from accounts.models import Workspace
from analytics.models import Tracking
from analytics.queries.period import DAY, today

# Who was there on which day is kept for 45 days.
WEEKS = 6
NO_COOKIE = (
    "Visitors of this workspace are counted without a cookie: each is somebody new every day, so nobody can be seen "
    "coming back. The tracking settings can change that, where your visitors agree to it."
)
QUERY = """
WITH firsts AS (
    SELECT visitor, date_trunc('week', min(day))::date AS week FROM analytics_visitorday
    WHERE workspace_id = %(workspace)s AND day >= %(since)s AND kind = 'unique' GROUP BY visitor),
came AS (
    SELECT f.week, (date_trunc('week', v.day)::date - f.week) / 7 AS later, count(DISTINCT v.visitor) AS number
    FROM firsts f JOIN analytics_visitorday v USING (visitor)
    WHERE v.workspace_id = %(workspace)s AND v.day >= %(since)s AND v.kind = 'unique' GROUP BY 1, 2),
bought AS (
    SELECT f.week, count(DISTINCT v.visitor) AS number FROM firsts f JOIN analytics_visitorday v USING (visitor)
    WHERE v.workspace_id = %(workspace)s AND v.day >= %(since)s AND v.kind = 'conversion' GROUP BY 1)
SELECT c.week, c.later, c.number, coalesce(b.number, 0) FROM came c LEFT JOIN bought b USING (week) ORDER BY 1, 2
"""


@dataclass(frozen=True)
class Cohort:
    """`came` is by week: the first is all of them; None for a week that is still to come."""

    week: date
    came: list[int | None]
    converted: int

    @property
    def size(self) -> int:
        return self.came[0] or 0

    @property
    def shares(self) -> list[int | None]:
        """Percent of the first week, from the second on."""
        return [None if number is None else round(100 * number / self.size) for number in self.came[1:]]

    @property
    def converted_percent(self) -> int:
        return round(100 * self.converted / self.size)


@dataclass(frozen=True)
class Cohorts:
    """Empty with a reason where visitors cannot be told from day to day."""

    rows: list[Cohort]
    why_not: str = ""


def cohorts(workspace: Workspace) -> Cohorts:
    tracking = Tracking.objects.filter(workspace=workspace).only("uses_cookie").first()
    if tracking is None or not tracking.uses_cookie:
        return Cohorts([], NO_COOKIE)
    this_week = today(workspace) - today(workspace).weekday() * DAY
    since = this_week - timedelta(weeks=WEEKS - 1)
    with connection.cursor() as cursor:
        cursor.execute(QUERY, {"workspace": workspace.pk, "since": since})
        rows = cursor.fetchall()
    return Cohorts([_cohort(week, rows, this_week) for week in sorted({row[0] for row in rows})])


def _cohort(week: date, rows: list[tuple[date, int, int, int]], this_week: date) -> Cohort:
    mine = [row for row in rows if row[0] == week]
    came = {later: number for _week, later, number, _converted in mine}
    seen = (this_week - week).days // 7
    return Cohort(week, [came.get(later, 0) if later <= seen else None for later in range(WEEKS)], mine[0][3])
