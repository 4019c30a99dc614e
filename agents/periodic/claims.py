"""Who does a turn: due tasks are claimed in small batches, fair by workspace, at most so many in a second."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db import connection

from accounts import rate
from accounts.scope import all_workspaces_scope
from agents.models import PeriodicTask
from agents.periodic.times import catch_up
from lib.clock import now
from lib.ids import uuid7

CLAIM_LOCK = 7_301_012
# Few, so that a worker that dies holds up few.
BATCH = 5
# A flood of one workspace fills the first look; then it has its share in work, and the next look sees the others.
LOOKS = 3
SEEN = 2000


@dataclass(frozen=True)
class Claim:
    """One turn in a worker's hands. `turn_id` is None where that time was done before: only the next is planned."""

    workspace_id: UUID
    task_id: UUID
    fence: int
    wanted_at: datetime
    missed: int
    turn_id: UUID | None


@dataclass
class Batch:
    claims: list[Claim] = field(default_factory=list)
    # More may be due, but the second is full: ask again after so long.
    wait_s: float = 0.0


def claim_due(limit: int = BATCH) -> Batch:
    """Claim at most `limit` due turns. Their start is this moment: together with all other workers' at most
    PERIODIC_PER_S in a second, and a fifth more in any one second.
    """
    batch = Batch()
    with all_workspaces_scope("claim due periodic tasks"):
        # One claims at a time: the starts of a second are counted exactly.
        _rows("SELECT pg_advisory_xact_lock(%(lock)s)", lock=CLAIM_LOCK)
        at, least = now(), max(1, _burst() // 2)
        free = rate.remaining(_starts(), at)
        if free < least:
            batch.wait_s = least / settings.PERIODIC_PER_S
            return batch
        for _ in range(LOOKS):
            found, is_flood = _claim(min(limit, free) - len(batch.claims), at)
            batch.claims += found
            if not is_flood or len(batch.claims) >= min(limit, free):
                break
        if batch.claims:
            rate.take(_starts(len(batch.claims)), at=at, is_undone=True)
    return batch


def count_due(most: int) -> int:
    """How many wait for a worker, counted up to `most`."""
    with all_workspaces_scope("count due periodic tasks"):
        return int(_rows(COUNT_DUE, now=now(), most=most)[0][0])


def _burst() -> int:
    return max(1, int(settings.PERIODIC_PER_S / 5))


def _starts(cost: int = 1) -> rate.Limit:
    return rate.Limit(("periodic", "starts"), settings.PERIODIC_PER_S, timedelta(seconds=1), _burst(), cost)


def _claim(limit: int, at: datetime) -> tuple[list[Claim], bool]:
    """And whether more is due than one look sees."""
    rows = _rows(PICK, now=at, batch=limit, most=settings.PERIODIC_PER_WORKSPACE, seen=SEEN)
    if not rows:
        return [], False
    ids = [row[0] for row in rows]
    tasks = list(PeriodicTask.objects.filter(pk__in=ids))
    times = {task.pk: catch_up(task, at) for task in tasks}
    fences = dict(_rows(LEASE, **_columns(tasks, times), now=at, until=lease_end(at)))
    turns = dict(_rows(BEGIN, **_columns(tasks, times), now=at))
    claims = [
        Claim(task.workspace_id, task.pk, fences[task.pk], *times[task.pk], turn_id=turns.get(task.pk))
        for task in sorted(tasks, key=lambda task: ids.index(task.pk))
    ]
    return claims, rows[0][1] == SEEN


def lease_end(at: datetime) -> datetime:
    return at + timedelta(seconds=settings.PERIODIC_LEASE_S)


def _columns(tasks: Sequence[PeriodicTask], times: dict[UUID, tuple[datetime, int]]) -> dict[str, list[Any]]:
    return {
        "ids": [task.pk for task in tasks],
        "workspaces": [task.workspace_id for task in tasks],
        "wanted": [times[task.pk][0] for task in tasks],
        "missed": [times[task.pk][1] for task in tasks],
        "turns": [uuid7() for _ in tasks],
    }


def _rows(sql: str, **params: Any) -> list[Any]:
    with connection.cursor() as cursor:
        cursor.execute(sql, params)
        return cursor.fetchall()


COUNT_DUE = """
SELECT count(*) FROM (
    SELECT 1 FROM agents_periodictask
    WHERE is_active AND due_at <= %(now)s AND (lease_until IS NULL OR lease_until <= %(now)s) LIMIT %(most)s
) due
"""

# Fair: one of each workspace in turn, and whoever has turns in work already comes later. A lease that ran out is free.
PICK = """
WITH busy AS MATERIALIZED (
    SELECT workspace_id, count(*) AS turns FROM agents_periodictask WHERE lease_until > %(now)s GROUP BY workspace_id
), due AS MATERIALIZED (
    SELECT t.id, t.workspace_id, t.due_at, coalesce(b.turns, 0) AS busy FROM agents_periodictask t
    LEFT JOIN busy b ON b.workspace_id = t.workspace_id
    WHERE t.is_active AND t.due_at <= %(now)s AND (t.lease_until IS NULL OR t.lease_until <= %(now)s)
        AND coalesce(b.turns, 0) < %(most)s
    ORDER BY t.due_at LIMIT %(seen)s
), fair AS (
    SELECT id, due_at, busy + row_number() OVER (PARTITION BY workspace_id ORDER BY due_at, id) AS turn FROM due
)
SELECT t.id, (SELECT count(*) FROM due) FROM agents_periodictask t JOIN fair ON fair.id = t.id
-- Asked again under the lock: its person may have moved it since this statement began.
WHERE fair.turn <= %(most)s AND t.is_active AND t.due_at <= %(now)s
ORDER BY fair.turn, fair.due_at LIMIT %(batch)s
FOR UPDATE OF t SKIP LOCKED
"""

# A lease that ran out counts as a failure: what kills its worker each time must end.
LEASE = """
UPDATE agents_periodictask t
SET fence = t.fence + 1, lease_until = %(until)s, wanted_at = asked.wanted_at,
    failures_in_row = t.failures_in_row + (t.lease_until IS NOT NULL)::int
FROM unnest(%(ids)s::uuid[], %(wanted)s::timestamptz[]) AS asked (id, wanted_at)
WHERE t.id = asked.id RETURNING t.id, t.fence
"""

# The same time again: a worker was lost, or it failed. What is done stays done.
BEGIN = """
INSERT INTO agents_periodicturn AS turn (id, workspace_id, task_id, wanted_at, missed, status, text, started_at)
SELECT asked.id, workspace_id, task_id, wanted_at, missed, 'running', '', %(now)s
FROM unnest(%(turns)s::uuid[], %(workspaces)s::uuid[], %(ids)s::uuid[], %(wanted)s::timestamptz[], %(missed)s::int[])
    AS asked (id, workspace_id, task_id, wanted_at, missed)
ON CONFLICT (task_id, wanted_at) DO UPDATE
SET status = 'running', started_at = %(now)s, ended_at = NULL, text = ''
WHERE turn.status IN ('running', 'failed')
RETURNING task_id, id
"""
