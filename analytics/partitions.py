"""Months of Event: the coming ones are made ahead, the old ones dropped whole, which takes no time."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta

import structlog
from django.conf import settings
from django.db import DatabaseError, connection

from accounts.scope import all_workspaces_scope
from accounts.tenancy import POLICY
from compliance.models.privacy import SubjectKind
from compliance.privacy import holds
from lib.clock import now

log = structlog.get_logger(__name__)
PREFIX = "analytics_event_y"
AHEAD = 3
# The tables are locked for the moment of the change: whoever cannot get the lock leaves it to the next turn.
LOCK_TIMEOUT = "2s"


def keep_partitions() -> tuple[list[str], list[str]]:
    """The names of the months made and dropped. A month that somebody uses right now is left for the next turn."""
    this = now().date().replace(day=1)
    made = [name for month in range(AHEAD + 1) if (name := make_month(_add_months(this, month)))]
    dropped = [name for month in known_months() if _is_over(month) and (name := drop_month(month))]
    if made or dropped:
        log.info("event_months_kept", made=made, dropped=dropped)
    return made, dropped


def known_months() -> list[date]:
    with connection.cursor() as cursor:
        cursor.execute("SELECT inhrelid::regclass::text FROM pg_inherits WHERE inhparent = 'analytics_event'::regclass")
        names = [name for (name,) in cursor.fetchall()]
    return sorted(date(int(name[-7:-3]), int(name[-2:]), 1) for name in names if name.startswith(PREFIX))


def name_of(month: date) -> str:
    return f"{PREFIX}{month.year:04d}m{month.month:02d}"


def first_whole_day() -> date:
    """From here on no event was dropped, whatever the workspace's clock; before it only rollups remain."""
    kept = next(month for number in range(1200) if not _is_over(month := _add_months(date(2000, 1, 1), number)))
    return max([kept, *known_months()[:1]]) + timedelta(days=1)


def make_month(month: date) -> str:
    """Its name, or nothing where it is there already. What the default partition holds of it moves over."""
    name, end = name_of(month), _add_months(month, 1)
    if month in known_months():
        return ""
    with _brief_lock(f"making {name}") as cursor:
        if cursor is None:
            return ""
        cursor.execute("LOCK TABLE analytics_event_default IN ACCESS EXCLUSIVE MODE")
        cursor.execute(f"CREATE TABLE {name} (LIKE analytics_event INCLUDING DEFAULTS INCLUDING CONSTRAINTS)")
        cursor.execute(
            f"WITH gone AS (DELETE FROM analytics_event_default WHERE at >= %s AND at < %s RETURNING *) "  # noqa: S608
            f"INSERT INTO {name} SELECT * FROM gone",
            [_utc(month), _utc(end)],
        )
        cursor.execute(f"ALTER TABLE {name} ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY")
        cursor.execute(f"CREATE POLICY tenant ON {name} USING ({POLICY}) WITH CHECK ({POLICY})")
        cursor.execute(
            f"ALTER TABLE analytics_event ATTACH PARTITION {name} FOR VALUES FROM (%s) TO (%s)",
            [_utc(month), _utc(end)],
        )
        return name
    return ""


def drop_month(month: date) -> str:
    """Its name, or nothing where it stays: for a legal hold, or because it is in use. Without holds it goes whole."""
    name = name_of(month)
    with _brief_lock(f"dropping {name}") as cursor:
        if cursor is None or _is_held(cursor, name):
            return ""
        cursor.execute(f"DROP TABLE {name}")
        return name
    return ""


def _is_held(cursor, name: str) -> bool:  # type: ignore[no-untyped-def]
    """What others have in a month that is held goes row by row, with the retention of all other tables."""
    held = holds.standing().filter(subject_kind=SubjectKind.WORKSPACE).values_list("subject_id", flat=True)
    cursor.execute(
        f"SELECT EXISTS (SELECT 1 FROM {name} WHERE workspace_id = ANY(%s))",  # noqa: S608 (our own name)
        [list(held)],
    )
    return bool(cursor.fetchone()[0])


@contextmanager
def _brief_lock(what: str) -> Iterator:
    try:
        with all_workspaces_scope(what), connection.cursor() as cursor:
            cursor.execute("SELECT set_config('lock_timeout', %s, true)", [LOCK_TIMEOUT])
            yield cursor
    except DatabaseError as error:
        log.warning("event_month_left", what=what, error=str(error))


def _is_over(month: date) -> bool:
    return _add_months(month, 1) <= _add_months(now().date(), -settings.EVENT_MONTHS)


def _add_months(day: date, months: int) -> date:
    years, month = divmod(day.month - 1 + months, 12)
    # The first of a month, or a day that every month has.
    return date(day.year + years, month + 1, min(day.day, 28))


def _utc(day: date) -> datetime:
    return datetime(day.year, day.month, day.day, tzinfo=UTC)
