"""Taking events in, beside a bare COPY into a table of the same columns and indexes without policies or partitions."""

import statistics
import time
from uuid import uuid4

from django.db import connection

from accounts.models import Workspace
from analytics.partitions import keep_partitions
from analytics.tracking.ingest import COLUMNS, EventRow, add_events
from lib.clock import now
from lib.ids import uuid7

ROWS = 20_000
ROUNDS = 5


def ingest_ratio() -> dict[str, float]:
    keep_partitions()
    workspace = Workspace.objects.create(name="Ingest", slug=f"ingest-{uuid4().hex[:8]}")
    with connection.cursor() as cursor:
        cursor.execute("CREATE TABLE bench_event (LIKE analytics_event INCLUDING DEFAULTS INCLUDING INDEXES)")
    raw, ours = [], []
    try:
        for _ in range(ROUNDS):
            raw.append(ROWS / _seconds(lambda rows: _copy(workspace, rows)))
            ours.append(ROWS / _seconds(lambda rows: add_events(workspace.pk, rows)))
    finally:
        with connection.cursor() as cursor:
            cursor.execute("DROP TABLE bench_event")
    return {
        "events_per_s_raw_copy": statistics.median(raw),
        "events_per_s_ingest": statistics.median(ours),
        "ingest_to_raw_copy": statistics.median(ours) / statistics.median(raw),
    }


def _seconds(work) -> float:  # type: ignore[no-untyped-def]
    rows = [_row(number) for number in range(ROWS)]
    started = time.perf_counter()
    assert work(rows) == ROWS
    return time.perf_counter() - started


def _row(number: int) -> EventRow:
    return EventRow(
        "click",
        now(),
        uuid7(),
        link_id=uuid7(),
        visitor=f"{number:032x}",
        referrer="t.co",
        device="phone",
        language="de-DE",
    )


def _copy(workspace: Workspace, rows: list[EventRow]) -> int:
    received_at = now()
    with connection.cursor() as cursor:
        with cursor.copy(f"COPY bench_event ({COLUMNS}) FROM STDIN") as copy:
            for row in rows:
                copy.write_row((workspace.pk, received_at, *row))
        return cursor.rowcount
