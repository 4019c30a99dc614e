"""What a tick costs, how late work starts and who waits, while up to a million deliveries are scheduled."""

import json
import statistics
import time
from collections.abc import Callable, Sequence
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db import connection, transaction

from accounts.scope import all_workspaces_scope
from campaigns.engine import dispatch
from campaigns.models import Delivery
from lib.clock import now
from marketing.benching import fill

State = Delivery.State
ROUNDS = 9
DUE = 100


def run(sizes: Sequence[int], *, seconds: float, flooded: int, **shape: int) -> dict[str, float]:
    """`shape`: workspaces, and accounts of each."""
    shape = {"workspaces": fill.WORKSPACES, "accounts": fill.ACCOUNTS} | shape
    found: dict[str, float] = {}
    for size in sizes:
        fill.fill(size, **shape)
        found |= tick_cost(size)
    found[f"tick_{sizes[-1]}_to_{sizes[0]}"] = found[f"tick_ms_at_{sizes[-1]}"] / found[f"tick_ms_at_{sizes[0]}"]
    found |= lateness(seconds, per_s=20)
    found |= flood_cost(flooded, **shape)
    return found


def tick_cost(size: int) -> dict[str, float]:
    """The same hundred rows are due, however many there are."""
    make_due(DUE)
    found = {f"tick_ms_at_{size}": tick_ms(), f"claim_table_scans_at_{size}": float(len(table_scans()))}
    run_sql("UPDATE campaigns_delivery SET due_at = due_at + interval '6 hours' WHERE due_at <= %(now)s", now=now())
    return found


def flood_cost(flooded: int, *, workspaces: int, accounts: int) -> dict[str, float]:
    """One workspace floods; a hundred others have one each. How long the tick takes, and how long they wait."""
    make_due(DUE, skip=workspaces)
    calm = tick_ms()
    fill.flood(flooded, workspaces=workspaces, accounts=accounts)
    run_sql("ANALYZE campaigns_delivery")
    found = {"tick_ms_before_flood": calm, "tick_ms_in_flood": tick_ms()}
    others = "UPDATE campaigns_delivery SET due_at = %(now)s WHERE due_at <= %(now)s AND workspace_id <> %(first)s"
    run_sql(others, now=now(), first=UUID("00000000-0000-7000-8000-000000000000"))
    late = pump(DUE, lambda delivery_id: not is_of_flood(delivery_id))
    return found | {"flood_others_late_p99_s": percentile(late, 99)}


def lateness(seconds: float, *, per_s: int) -> dict[str, float]:
    """From due to claimed, at the pace of the scheduler, with a steady stream over all workspaces."""
    expected = int(seconds * per_s)
    run_sql(
        """
        WITH chosen AS (
            SELECT DISTINCT ON (connection_id) id FROM campaigns_delivery WHERE state = 'scheduled'
            ORDER BY connection_id, id LIMIT %(count)s
        ), numbered AS (SELECT id, row_number() OVER () AS n FROM chosen)
        UPDATE campaigns_delivery d SET scheduled_at = %(now)s, due_at = %(now)s + numbered.n * %(gap)s * interval '1 s'
        FROM numbered WHERE numbered.id = d.id
        """,
        count=expected,
        gap=1 / per_s,
        now=now(),
    )
    late = pump(expected)
    return {"late_p50_s": statistics.median(late), "late_p99_s": percentile(late, 99)}


def pump(expected: int, counts: Callable[[UUID], bool] = lambda _id: True) -> list[float]:
    """Ticks at the scheduler's pace until that many are claimed; each is published at once. Their seconds of delay."""
    late: list[float] = []
    deadline = time.monotonic() + expected + 60
    while len(late) < expected and time.monotonic() < deadline:
        started = time.monotonic()
        claimed = [delivery_id for _, delivery_id, _ in dispatch.tick().publish]
        taken_at = now()
        rows = run_sql(PUBLISHED, ids=claimed)
        late += [(taken_at - due_at).total_seconds() for delivery_id, due_at in rows if counts(delivery_id)]
        time.sleep(max(0, started + settings.DISPATCH_EVERY_S - time.monotonic()))
    return late


PUBLISHED = """
UPDATE campaigns_delivery SET state = 'published', lease_until = NULL WHERE id = ANY(%(ids)s::uuid[])
RETURNING id, due_at
"""


def is_of_flood(delivery_id: UUID) -> bool:
    return delivery_id.int & (2**48 - 1) >= fill.FLOOD_FROM


def make_due(count: int, skip: int = 0) -> None:
    """The first of as many accounts, from the `skip`th on."""
    run_sql(
        """
        UPDATE campaigns_delivery SET due_at = %(now)s, scheduled_at = %(now)s WHERE id IN (
            SELECT DISTINCT ON (connection_id) id FROM campaigns_delivery WHERE state = 'scheduled'
            ORDER BY connection_id, id LIMIT %(count)s OFFSET %(skip)s)
        """,
        now=now(),
        count=count,
        skip=skip,
    )


def tick_ms() -> float:
    """The median; what was claimed is given back in between."""
    took = []
    for _ in range(ROUNDS):
        started = time.perf_counter()
        claimed = dispatch.tick().publish
        took.append((time.perf_counter() - started) * 1000)
        assert claimed, "nothing was due"
        run_sql("UPDATE campaigns_delivery SET state = 'scheduled', lease_until = NULL WHERE state = 'publishing'")
    return statistics.median(took)


def table_scans() -> list[str]:
    """Tables of deliveries or accounts that the claim reads from end to end."""
    params: dict[str, Any] = {
        "now": now(),
        "lease": now(),
        "batch": settings.DISPATCH_BATCH,
        "breaker": settings.BREAKER_NETWORK,
    }
    with all_workspaces_scope("explain"), connection.cursor() as cursor:
        cursor.execute(dispatch.DUE_ACCOUNTS, params)
        params["due"] = [row[0] for row in cursor.fetchall()]
        cursor.execute(f"EXPLAIN (FORMAT JSON) {dispatch.CLAIM_DUE}", params)
        (plan,) = cursor.fetchone()
        transaction.set_rollback(True)
    return _scans(json.loads(plan) if isinstance(plan, str) else plan)


def _scans(node: Any) -> list[str]:
    if isinstance(node, list):
        return [name for one in node for name in _scans(one)]
    if not isinstance(node, dict):
        return []
    name = node.get("Relation Name")
    is_scan = node.get("Node Type") == "Seq Scan" and name in BIG
    return [str(name)] * is_scan + [found for value in node.values() for found in _scans(value)]


BIG = {"campaigns_delivery", "social_connection"}


def percentile(values: Sequence[float], percent: int) -> float:
    return statistics.quantiles(values, n=100, method="inclusive")[percent - 1]


def run_sql(sql: str, **params: Any) -> list[Any]:
    with all_workspaces_scope("benchmark"), connection.cursor() as cursor:
        cursor.execute(sql, params)
        return cursor.fetchall() if cursor.description else []
