"""A read replica for what is long and only read: dashboards, exports, searches (`REPLICA_URL`).

Inside `reading_from_replica()` the router sends reads there, and every scope is set there, too. One that is away, or
further behind than REPLICA_LAG_S, is left alone: then everything is as without.
"""

import math
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any

import structlog
from django.conf import settings
from django.db import DEFAULT_DB_ALIAS, DatabaseError, OperationalError, connections, transaction
from django.http import HttpRequest, HttpResponse

from accounts import scope

log = structlog.get_logger(__name__)
ALIAS = "replica"
# What was measured holds so long in a process; after an error it is left alone for longer.
REMEMBERED_S = 1.0
AWAY_S = 10.0
# Nothing left to replay is no delay, as long as somebody still sends: the receiver's row says so to every role.
LAG = """
SELECT CASE WHEN NOT pg_is_in_recovery() THEN 0
            WHEN NOT EXISTS (SELECT FROM pg_stat_wal_receiver WHERE pid IS NOT NULL) THEN 'infinity'::float8
            WHEN pg_last_wal_receive_lsn() = pg_last_wal_replay_lsn() THEN 0
            ELSE extract(epoch FROM clock_timestamp() - pg_last_xact_replay_timestamp()) END
"""
# By name of the address: long, and only reading.
VIEWS = frozenset(
    {
        *(
            "accounts:audit",
            "accounts:audit-export",
            "agents:budgets-export",
            "campaigns:export",
            "campaigns:usage-export",
        ),
        *("analytics:results", "analytics:results-export", "analytics:campaign", "analytics:campaign-export"),
        *("analytics:audience", "analytics:audience-export", "analytics:cohorts", "analytics:cohorts-export"),
        *("analytics:funnel", "analytics:funnels-export", "analytics:segment-size", "analytics:segment-export"),
        *("analytics-api:dashboard", "analytics-api:campaign", "integrations:search"),
    }
)
_is_reading: ContextVar[bool] = ContextVar("is_reading_from_replica", default=False)


@dataclass
class Seen:
    """What this process measured last, and until when it believes that."""

    lag_s: float = math.inf
    until: float = 0.0


SEEN = Seen()


class ReplicaRouter:
    """The replica only inside `reading_from_replica`. Never by where a row came from: that may be over by then."""

    def db_for_read(self, model: Any, **_hints: Any) -> str:
        return ALIAS if _is_reading.get() else DEFAULT_DB_ALIAS

    def db_for_write(self, model: Any, **_hints: Any) -> str:
        return DEFAULT_DB_ALIAS

    def allow_relation(self, *_objects: Any, **_hints: Any) -> bool:
        return True

    def allow_migrate(self, db: str, app_label: str, **_hints: Any) -> bool:
        return db == DEFAULT_DB_ALIAS


class ReplicaMiddleware:
    """Asks the replica for the pages of VIEWS, and the first database again where that fails. Comes last."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_view(
        self, request: HttpRequest, view: Callable[..., HttpResponse], args: Any, kwargs: Any
    ) -> HttpResponse | None:
        match = request.resolver_match
        if request.method not in {"GET", "HEAD"} or match is None or match.view_name not in VIEWS:
            return None
        try:
            with reading_from_replica() as is_reading:
                return view(request, *args, **kwargs) if is_reading else None
        except OperationalError:
            # It went away, or had to drop what this query read. The page only reads: once more, elsewhere.
            leave_alone()
            return None


@contextmanager
def reading_from_replica() -> Iterator[bool]:
    """False where the first database answers instead."""
    lag = lag_s()
    if lag is None or lag > settings.REPLICA_LAG_S:
        yield False
        return
    reading, following = _is_reading.set(True), scope.FOLLOWERS.set((ALIAS,))
    try:
        with transaction.atomic(using=ALIAS):
            yield True
    finally:
        _is_reading.reset(reading)
        scope.FOLLOWERS.reset(following)


def lag_s() -> float | None:
    """How far behind it is, infinite where it does not answer; None where there is none."""
    if not settings.REPLICA_URL:
        return None
    if time.monotonic() >= SEEN.until:
        try:
            with connections[ALIAS].cursor() as cursor:
                cursor.execute(LAG)
                SEEN.lag_s, SEEN.until = float(cursor.fetchone()[0]), time.monotonic() + REMEMBERED_S
        except DatabaseError:
            leave_alone()
    return SEEN.lag_s


def leave_alone() -> None:
    log.warning("replica_left_alone", exc_info=True)
    connections[ALIAS].close()
    SEEN.lag_s, SEEN.until = math.inf, time.monotonic() + AWAY_S
