"""A dashboard over millions of events: what it costs from the rollups, and what the same answer costs from the rows."""

import statistics
import time
from collections.abc import Callable, Sequence
from datetime import date, timedelta
from typing import Any
from uuid import uuid4

from django.db import connection

from accounts.models import Workspace
from accounts.scope import all_workspaces_scope, workspace_scope
from analytics.partitions import make_month
from analytics.rollups import counts, roll_up
from lib.clock import now

DAYS, LINKS, CAMPAIGNS = 30, 100, 5
ROUNDS = 40

FILL = """
INSERT INTO analytics_event (id, workspace_id, at, received_at, kind, name, campaign_id, link_id, arm, visitor, is_bot,
    bot_reason, referrer, device, language, value_micro)
SELECT gen_random_uuid(), %(workspace)s, at, at, kind, '', md5('campaign' || n %% %(campaigns)s)::uuid,
    md5('link' || n %% %(links)s)::uuid, '', md5((n %% (%(count)s / 5))::text), n %% 9 = 0, '', 't.co', 'phone', 'en',
    CASE WHEN kind = 'conversion' THEN 5000000 ELSE 0 END
FROM (SELECT n, %(start)s::timestamptz + random() * %(days)s * interval '1 day' AS at,
    CASE WHEN n %% 25 = 0 THEN 'conversion' ELSE 'click' END AS kind
    FROM generate_series(%(first)s + 1, %(last)s) n) one
"""
RAW = """
SELECT (at AT TIME ZONE 'UTC')::date AS day, is_bot, count(*) AS events,
    count(DISTINCT visitor) FILTER (WHERE NOT is_bot AND kind = 'click') AS visitors
FROM analytics_event WHERE workspace_id = %(workspace)s AND kind = 'click' AND at >= %(start)s AND at < %(end)s
GROUP BY 1, 2
"""


def sizes_up_to(events: int) -> tuple[int, int]:
    return max(events // 10, 1), events


def events_ratio(sizes: Sequence[int]) -> dict[str, float]:
    """Events of one workspace in a month; each size fills up the one before."""
    workspace = Workspace.objects.create(name="Events", slug=f"events-{uuid4().hex[:8]}")
    start = (now() - timedelta(days=DAYS)).replace(hour=0, minute=0, second=0, microsecond=0)
    for day in (start.date(), now().date()):
        make_month(day.replace(day=1))
    found: dict[str, float] = {}
    former = 0
    for size in sizes:
        found |= _at(workspace, former, size, start)
        former = size
    smallest, largest = sizes[0], sizes[-1]
    found["dashboard_p95_growth"] = found[f"dashboard_p95_ms_at_{largest}"] / found[f"dashboard_p95_ms_at_{smallest}"]
    found["dashboard_raw_to_rollup"] = found[f"raw_ms_at_{largest}"] / found[f"dashboard_p50_ms_at_{largest}"]
    return found


def _at(workspace: Workspace, former: int, size: int, start: Any) -> dict[str, float]:
    values = {"workspace": workspace.pk, "start": start, "end": start + timedelta(days=DAYS), "days": DAYS}
    values |= {"links": LINKS, "campaigns": CAMPAIGNS, "first": former, "last": size, "count": size}
    with all_workspaces_scope("fill for a measurement"), connection.cursor() as cursor:
        cursor.execute(FILL, values)
    took = _seconds(roll_up)
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE analytics_event, analytics_dayrollup, analytics_visitorday")
    first, last = start.date(), (start + timedelta(days=DAYS - 1)).date()
    answers = [_ms(lambda: dashboard(workspace, first, last)) for _ in range(ROUNDS)]
    raw = [_ms(lambda: _raw(workspace, values)) for _ in range(2)]
    _check_same(workspace, first, last, values)
    return {
        f"rolled_per_s_at_{size}": (size - former) / took,
        f"dashboard_p50_ms_at_{size}": statistics.median(answers),
        f"dashboard_p95_ms_at_{size}": statistics.quantiles(answers, n=100, method="inclusive")[94],
        f"raw_ms_at_{size}": min(raw),
    }


def dashboard(workspace: Workspace, first: date, last: date) -> dict[tuple[Any, ...], tuple[int, int]]:
    rows = counts(workspace.pk, first, last, by=("day", "is_bot"), kinds=("click",))
    return {(row["day"], row["is_bot"]): (row["events"], row["visitors"]) for row in rows}


def _raw(workspace: Workspace, values: dict[str, Any]) -> dict[tuple[Any, ...], tuple[int, int]]:
    with workspace_scope(workspace.pk), connection.cursor() as cursor:
        cursor.execute(RAW, values)
        return {(day, is_bot): (events, visitors) for day, is_bot, events, visitors in cursor.fetchall()}


def _check_same(workspace: Workspace, first: date, last: date, values: dict[str, Any]) -> None:
    """A quick answer that is another one would be worth nothing."""
    assert dashboard(workspace, first, last) == _raw(workspace, values), "rollups and rows differ"


def _seconds(work: Callable[[], Any]) -> float:
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


def _ms(work: Callable[[], Any]) -> float:
    return _seconds(work) * 1000
