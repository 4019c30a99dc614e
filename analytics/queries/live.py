"""The numbers of a page as server-sent events, sent when one of them changes.

A connection ends after a minute: clients of event streams come back by themselves.
"""

import json
import time
from collections.abc import Callable, Iterator
from typing import Any

from django.db import connection as database

from accounts.models import Workspace
from accounts.scope import workspace_scope
from analytics.queries.overview import KPIS
from analytics.queries.period import Period
from analytics.queries.totals import totals
from analytics.queries.words import amount
from campaigns.models import Campaign
from social.models import Connection

LOOK_S = 3.0
# Only a write finds out that a page is gone, and a thread is held until then.
KEEP_ALIVE_S = 5.0
CONNECTION_S = 55.0
# A page whose place was taken does not take it back at once.
COME_BACK_MS = 60_000


def kpi_texts(workspace: Workspace, period: Period, **only: Any) -> dict[str, str]:
    """By the name of a number, what its card says."""
    known = totals(workspace, period, **only)
    return {name: amount(name, getattr(known, name), known.currency) for name in KPIS}


def kpi_events(
    workspace: Workspace,
    period: Period,
    *,
    campaign: Campaign | None = None,
    connection: Connection | None = None,
    is_wanted: Callable[[], bool] = lambda: True,
    clock: Callable[[], float] = time.monotonic,
    sleep: Callable[[float], None] = time.sleep,
) -> Iterator[bytes]:
    """Bytes of a text/event-stream; holds no connection to the database while it sleeps."""
    told: dict[str, str] = {}
    ends, spoken = clock() + CONNECTION_S, clock()
    while True:
        with workspace_scope(workspace.pk):
            texts = kpi_texts(workspace, period, campaign=campaign, connection=connection)
        if not database.in_atomic_block:
            database.close()
        if texts != told:
            told, spoken = texts, clock()
            yield f"event: kpis\ndata: {json.dumps(texts, ensure_ascii=False)}\n\n".encode()
        elif clock() - spoken > KEEP_ALIVE_S:
            spoken = clock()
            yield b": still here\n\n"
        if clock() > ends:
            yield b"retry: 500\n\n"
            return
        sleep(LOOK_S)
        if not is_wanted():
            yield f"retry: {COME_BACK_MS}\n\n".encode()
            return
