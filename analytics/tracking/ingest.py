"""The one way into Event."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from itertools import islice
from typing import Any, NamedTuple
from uuid import UUID

from django.db import connection

from accounts.scope import workspace_scope
from analytics.tracking.splits import EXPOSURE
from lib.clock import now
from lib.ids import uuid7

# Whoever writes events holds it together with the others until the commit: `rollups.settled_number` waits for them.
WRITERS_LOCK = 7_301_020
# Up to here plain INSERTs are faster than a COPY.
FEW = 20
CHUNK = 10_000


class EventRow(NamedTuple):
    """`at` of a click is when its id was made (`clicks.new_click`); a known id and instant are no new event."""

    kind: str
    at: datetime
    id: UUID | None = None
    name: str = ""
    campaign_id: UUID | None = None
    post_id: UUID | None = None
    link_id: UUID | None = None
    arm: str = ""
    visitor: str = ""
    is_bot: bool = False
    bot_reason: str = ""
    referrer: str = ""
    device: str = ""
    language: str = ""
    value_micro: int = 0


COLUMNS = ", ".join(["workspace_id", "received_at", *EventRow._fields])
VALUES = ", ".join(["%s"] * (len(EventRow._fields) + 2))
# The lock comes before the number of the first row is drawn.
INSERT = f"""
WITH locked AS MATERIALIZED (SELECT pg_advisory_xact_lock_shared({WRITERS_LOCK}) AS held)
INSERT INTO analytics_event ({COLUMNS}) SELECT {VALUES} FROM locked ON CONFLICT (at, id) DO NOTHING
"""  # noqa: S608 (our own names)
# The arm is that of the exposure, which may be older than the draw.
EXPOSE_AND_INSERT = f"""
WITH locked AS MATERIALIZED (SELECT pg_advisory_xact_lock_shared({WRITERS_LOCK}) AS held), drawn AS ({EXPOSURE})
INSERT INTO analytics_event ({COLUMNS.replace(", arm,", ",")}, arm)
SELECT {VALUES.removesuffix(", %s")}, drawn.arm FROM locked, drawn RETURNING arm
"""  # noqa: S608 (our own names)
INCOMING = """
CREATE TEMPORARY TABLE IF NOT EXISTS incoming_event (
    workspace_id uuid, received_at timestamptz, kind varchar, at timestamptz, id uuid, name varchar, campaign_id uuid,
    post_id uuid, link_id uuid, arm varchar, visitor varchar, is_bot boolean, bot_reason varchar, referrer varchar,
    device varchar, language varchar, value_micro bigint) ON COMMIT DELETE ROWS
"""
TAKE = f"""
INSERT INTO analytics_event ({COLUMNS}) SELECT {COLUMNS} FROM incoming_event ON CONFLICT (at, id) DO NOTHING
"""  # noqa: S608 (our own names)


def add_events(workspace_id: UUID, rows: Iterable[EventRow]) -> int:
    """How many were new. In one transaction, or as part of the caller's."""
    added, waiting = 0, iter(rows)
    with workspace_scope(workspace_id):
        while chunk := list(islice(waiting, CHUNK)):
            if len(chunk) <= FEW:
                added += sum(add_event(workspace_id, row) for row in chunk)
            else:
                added += _copy(workspace_id, chunk)
    return added


def add_event(workspace_id: UUID, row: EventRow) -> bool:
    """Whether it was new. Inside the workspace's scope."""
    kind, at, pk, *rest = row
    with connection.cursor() as cursor:
        cursor.execute(INSERT, [workspace_id, now(), kind, at, pk or uuid7(), *rest])
        return cursor.rowcount == 1


def add_exposed(workspace_id: UUID, row: EventRow, exposure: Sequence[Any]) -> str:
    """The event of a new visitor of a split, and its exposure (`splits.EXPOSURE`): the arm that stands."""
    kind, at, pk, *rest = row._replace(arm="")
    del rest[EventRow._fields.index("arm") - 3]
    with connection.cursor() as cursor:
        cursor.execute(EXPOSE_AND_INSERT, [*exposure, workspace_id, now(), kind, at, pk, *rest])
        return str(cursor.fetchone()[0])


def _copy(workspace_id: UUID, rows: Sequence[EventRow]) -> int:
    """COPY goes past row-level security only into a table of our own, so the rows come by way of one."""
    received_at = now()
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT pg_advisory_xact_lock_shared({WRITERS_LOCK})")
        cursor.execute(INCOMING)
        cursor.execute("TRUNCATE incoming_event")
        with cursor.copy(f"COPY incoming_event ({COLUMNS}) FROM STDIN") as copy:
            for kind, at, pk, *rest in rows:
                copy.write_row((workspace_id, received_at, kind, at, pk or uuid7(), *rest))
        cursor.execute(TAKE)
        return cursor.rowcount
