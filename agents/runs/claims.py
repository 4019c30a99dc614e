"""Who has a run: handing out what is due, taking it over, keeping it. The fence guards every write."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import structlog
from django.conf import settings
from django.db import IntegrityError, connection

from accounts.scope import all_workspaces_scope, workspace_scope
from agents.models import Run
from agents.runs.errors import ClaimLost
from lib.clock import now

log = structlog.get_logger(__name__)
Status = Run.Status
# A message that no worker took up by then was lost.
HANDED_OUT_S = 60


def claim_due(limit: int) -> list[UUID]:
    """Hand out at most `limit` runs that wait for a worker, one per workspace in turn; lost ones come back first."""
    at = now()
    with all_workspaces_scope("hand out due runs"):
        _rows(RETURN_LOST, now=at)
        ((waiting,),) = _rows(COUNT_HANDED_OUT, now=at)
        until = at + timedelta(seconds=HANDED_OUT_S)
        rows = _rows(HAND_OUT, now=at, until=until, batch=max(0, limit - waiting)) if limit > waiting else []
    return [row[0] for row in rows]


def _rows(sql: str, **params: Any) -> list[Any]:
    with connection.cursor() as cursor:
        cursor.execute(sql, params)
        return cursor.fetchall()


def find_workspace(run_id: UUID) -> UUID | None:
    with all_workspaces_scope("a worker knows only the run's id"):
        return Run.objects.filter(pk=run_id).values_list("workspace_id", flat=True).first()


def claim_run(workspace_id: UUID, run_id: UUID) -> Run | None:
    """Take it over: a new fence and a lease. None where somebody has it, it is not its turn, or it has ended."""
    try:
        with workspace_scope(workspace_id):
            at = now()
            if not _rows(CLAIM, run=run_id, now=at, until=lease_end(at)):
                return None
            return Run.objects.select_related("workspace", "thread", "assistant", "user").get(pk=run_id)
    except IntegrityError:
        # Another run of the thread was claimed this moment.
        return None


def lease_end(at: datetime) -> datetime:
    return at + timedelta(seconds=settings.RUN_LEASE_S)


@contextmanager
def held(run: Run, **changes: Any) -> Iterator[None]:
    """A transaction in which the run is this worker's, its row locked. Raises ClaimLost."""
    with workspace_scope(run.workspace_id):
        mine = Run.objects.filter(pk=run.pk, fence=run.fence, status=Status.RUNNING)
        if not mine.update(**{"lease_until": lease_end(now())} | changes):
            raise ClaimLost
        yield


@contextmanager
def lease_kept(run: Run, *, look_every_s: float | None = None) -> Iterator[threading.Event]:
    """Renews the lease while something slow runs. The event is set once the run is no longer ours."""
    done, lost = threading.Event(), threading.Event()
    pause_s = look_every_s or settings.RUN_LEASE_S / 3
    watch = threading.Thread(target=_renew, args=(run, pause_s, done, lost), daemon=True, name=f"lease {run.pk}")
    watch.start()
    try:
        yield lost
    finally:
        done.set()


def _renew(run: Run, pause_s: float, done: threading.Event, lost: threading.Event) -> None:
    try:
        while not done.wait(pause_s):
            with held(run):
                pass
    except ClaimLost:
        lost.set()
    except Exception:
        # The lease may run out; then the fence keeps us from writing.
        log.exception("lease_not_renewed", run=str(run.pk))
    finally:
        connection.close()


RETURN_LOST = """
UPDATE agents_run SET status = 'queued', lease_until = NULL, wake_at = %(now)s
WHERE id IN (SELECT id FROM agents_run WHERE status = 'running' AND lease_until < %(now)s FOR UPDATE SKIP LOCKED)
RETURNING id
"""

# In a broker's hands and not taken up by a worker yet.
COUNT_HANDED_OUT = "SELECT count(*) FROM agents_run WHERE status = 'queued' AND lease_until > %(now)s"

# The oldest of a thread goes first, one at a time. A run that waits for a person holds nobody up.
IS_NEXT = """
(r.thread_id IS NULL OR NOT EXISTS (
    SELECT 1 FROM agents_run o WHERE o.thread_id = r.thread_id AND o.id <> r.id
        AND (o.status = 'running' OR o.status = 'queued' AND (o.created_at, o.id) < (r.created_at, r.id))
))
"""

# Fair: whoever has runs at work already comes later.
HAND_OUT = f"""
WITH due AS MATERIALIZED (
    SELECT r.id, r.workspace_id, r.wake_at FROM agents_run r
    JOIN accounts_workspace w ON w.id = r.workspace_id AND NOT w.is_suspended
    WHERE r.status = 'queued' AND r.wake_at <= %(now)s AND (r.lease_until IS NULL OR r.lease_until <= %(now)s)
        AND {IS_NEXT}
), busy AS (
    SELECT workspace_id, count(*) AS runs FROM agents_run WHERE status = 'running' GROUP BY workspace_id
), fair AS (
    SELECT due.id, due.wake_at,
        row_number() OVER (PARTITION BY due.workspace_id ORDER BY due.wake_at, due.id) + coalesce(busy.runs, 0) AS turn
    FROM due LEFT JOIN busy ON busy.workspace_id = due.workspace_id
), picked AS (
    SELECT r.id FROM agents_run r JOIN fair ON fair.id = r.id
    -- Asked again under the lock: somebody may have moved it since this statement began.
    WHERE r.status = 'queued' AND (r.lease_until IS NULL OR r.lease_until <= %(now)s)
    ORDER BY fair.turn, fair.wake_at LIMIT %(batch)s FOR UPDATE OF r SKIP LOCKED
)
UPDATE agents_run r SET lease_until = %(until)s FROM picked WHERE r.id = picked.id RETURNING r.id
"""  # noqa: S608  (no value of anybody's in it)

CLAIM = f"""
UPDATE agents_run r
SET status = 'running', fence = r.fence + 1, strikes = r.strikes + 1, lease_until = %(until)s,
    started_at = coalesce(r.started_at, %(now)s)
WHERE r.id = %(run)s
    AND EXISTS (SELECT 1 FROM accounts_workspace w WHERE w.id = r.workspace_id AND NOT w.is_suspended)
    AND (r.status = 'queued' AND r.wake_at <= %(now)s OR r.status = 'running' AND r.lease_until < %(now)s)
    AND {IS_NEXT}
RETURNING r.id
"""  # noqa: S608
