"""Events by hour and by day, counted once each: late ones, repeated ones, and those of a worker that was killed.

Events are read in the order of their numbers, up to one below which nothing can come any more. The rollups change in
the transaction that moves the cursor. What came since is added by `counts`: answers are exact at any moment.

Beside the kinds of events there are two that hold nothing but `visitors`: `unique`, the different visitors who clicked
on a day in the whole workspace, and `unique_c`, those of each campaign. On all other rows they are those of a link.
"""

import time
from collections.abc import Sequence
from datetime import date, timedelta
from typing import Any
from uuid import UUID

from django.db import connection, transaction

from accounts.scope import all_workspaces_scope, workspace_scope
from analytics.models import RollupCursor
from analytics.tracking.ingest import WRITERS_LOCK
from lib.clock import now

BATCH = 100_000
# How long to wait for those who write events right now; the next turn tries again.
PATIENCE_S = 2.0
DIMENSIONS = ("kind", "name", "campaign_id", "post_id", "link_id", "arm", "is_bot")
Row = dict[str, Any]


# --- what is settled --------------------------------------------------------------------------------------


def settled_number() -> int | None:
    """No event up to this number can appear any more; None where somebody writes for too long.

    Numbers are drawn under a shared lock that is held until the commit. So whoever is about to commit a number up to
    the last one holds that lock now, and only those few have to be waited for; new writers are not held up.
    """
    with connection.cursor() as cursor:
        cursor.execute("SELECT last_value FROM analytics_event_number")
        last = cursor.fetchone()[0]
    until = time.monotonic() + PATIENCE_S
    before = _writers()
    while before:
        if time.monotonic() > until:
            return None
        time.sleep(0.005)
        before &= _writers()
    return int(last)


def _writers() -> set[tuple[int, str]]:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT pid, virtualtransaction FROM pg_locks WHERE locktype = 'advisory' AND classid = 0 AND objsubid = 1 "
            "AND objid = %s AND pid <> pg_backend_pid() AND granted "
            "AND database = (SELECT oid FROM pg_database WHERE datname = current_database())",
            [WRITERS_LOCK],
        )
        return set(cursor.fetchall())


# --- rolling up -------------------------------------------------------------------------------------------

LOCAL = "(e.at AT TIME ZONE w.time_zone)"
# An instant, not a reading of the clock: the two hours of one name in autumn stay apart.
BATCHED = f"""
SELECT e.number, e.workspace_id, e.kind, e.name, e.campaign_id, e.post_id, e.link_id, e.arm, e.is_bot, e.visitor,
    e.value_micro, {LOCAL}::date AS day, e.at - ({LOCAL} - date_trunc('hour', {LOCAL})) AS hour
FROM analytics_event e JOIN accounts_workspace w ON w.id = e.workspace_id
"""  # noqa: S608 (our own names)
# The first event of each visitor on a day: by number, so that it is the same however the batches fall. `place` is what
# the visitor is counted for, and `part` its kind in VisitorDay.
IS_PERSON = "visitor <> '' AND NOT is_bot AND value_micro >= 0"
PEOPLE = f"SELECT b.*, {{part}} AS part, {{place}} AS place FROM batch b WHERE {IS_PERSON}"  # noqa: S608
FIRSTS = f"""
people AS (
    {PEOPLE.format(part="kind", place="link_id")}
    UNION ALL {PEOPLE.format(part="'unique'", place="NULL")} AND kind = 'click'
    UNION ALL {PEOPLE.format(part="'unique_c'", place="campaign_id")} AND kind = 'click'),
firsts AS (
    SELECT DISTINCT ON (workspace_id, day, part, place, visitor) * FROM people
    ORDER BY workspace_id, day, part, place, visitor, number)
"""  # noqa: S608 (our own names)
# Twice, because no index finds what is not distinct from null.
KNOWN = """
SELECT 1 FROM analytics_visitorday v WHERE v.workspace_id = f.workspace_id AND v.day = f.day AND v.kind = f.part
    AND v.visitor = f.visitor AND v.link_id
"""
COUNTED = f"""
counted AS MATERIALIZED (
    SELECT f.* FROM firsts f WHERE f.place IS NOT NULL AND NOT EXISTS ({KNOWN} = f.place)
    UNION ALL
    SELECT f.* FROM firsts f WHERE f.place IS NULL AND NOT EXISTS ({KNOWN} IS NULL))
"""  # noqa: S608 (our own names)
# Events and visitors apart: they are added up anyway, and nothing has to be joined.
LINES = """
lines AS (
    SELECT workspace_id, day, hour, kind, name, campaign_id, post_id, link_id, arm, is_bot,
        -- A refund takes its value away; it is no further conversion.
        (value_micro >= 0)::int AS events, 0 AS visitors, value_micro FROM batch
    UNION ALL
    SELECT workspace_id, day, hour, kind, name, campaign_id, post_id, link_id, arm, is_bot, 0, 1, 0
    FROM counted WHERE part = kind
    UNION ALL
    SELECT workspace_id, day, hour, part, '', place, NULL, NULL, '', FALSE, 0, 1, 0 FROM counted WHERE part <> kind)
"""


def _grown(table: str, unit: str, constraint: str) -> str:
    columns = f"workspace_id, {unit}, {', '.join(DIMENSIONS)}"
    return f"""
INSERT INTO {table} ({columns}, events, visitors, value_micro)
SELECT {columns}, sum(events), sum(visitors), sum(value_micro) FROM lines GROUP BY {columns}
ON CONFLICT ON CONSTRAINT {constraint} DO UPDATE SET events = {table}.events + EXCLUDED.events,
    visitors = {table}.visitors + EXCLUDED.visitors, value_micro = {table}.value_micro + EXCLUDED.value_micro
"""  # noqa: S608 (our own names)


ROLL = f"""
WITH batch AS MATERIALIZED (
    {BATCHED} WHERE e.number > %(after)s AND e.number <= %(upto)s AND {LOCAL}::date >= %(since)s),
{FIRSTS},
{COUNTED},
fresh AS (
    INSERT INTO analytics_visitorday (workspace_id, day, kind, link_id, visitor)
    SELECT workspace_id, day, part, place, visitor FROM counted ON CONFLICT DO NOTHING),
{LINES},
hours AS ({_grown("analytics_hourrollup", "hour", "hour_rollup_once")})
{_grown("analytics_dayrollup", "day", "day_rollup_once")}
"""  # noqa: S608 (our own names)


def roll_up(*, batch: int = BATCH) -> int:
    """How many numbers the cursor moved. Nothing while somebody else rolls up."""
    upto = settled_number()
    moved = 0
    while upto is not None and (step := _roll_batch(upto, batch)):
        moved += step
    return moved


def _roll_batch(settled: int, batch: int) -> int:
    with all_workspaces_scope("rollup of events"):
        cursor = locked_cursor(skip_locked=True)
        if cursor is None or cursor.number >= settled:
            return 0
        upto = min(settled, cursor.number + batch)
        _roll(cursor.number, upto, date.min)
        step = upto - cursor.number
        cursor.number, cursor.rolled_at = upto, now()
        cursor.save(update_fields=["number", "rolled_at"])
    return step


def _roll(after: int, upto: int, since: date) -> None:
    with connection.cursor() as cursor:
        cursor.execute(ROLL, {"after": after, "upto": upto, "since": since})


def locked_cursor(*, skip_locked: bool = False) -> RollupCursor | None:
    """The one row, made where it is missing; None where somebody else has it."""
    RollupCursor.objects.bulk_create([RollupCursor()], ignore_conflicts=True)
    return RollupCursor.objects.select_for_update(no_key=True, skip_locked=skip_locked).first()


# --- questions --------------------------------------------------------------------------------------------


def counts(
    workspace_id: UUID,
    since: date,
    until: date,
    *,
    by: Sequence[str] = (),
    unit: str = "day",
    kinds: Sequence[str] = (),
    campaign_id: UUID | None = None,
    post_id: UUID | None = None,
    link_id: UUID | None = None,
) -> list[Row]:
    """Rows of `events`, `visitors`, `value_micro` and the names in `by`: `day` (or `hour` with `unit="hour"`) and
    DIMENSIONS. Days are those of the workspace's clock, both ends included.

    Visitors are the different ones of each day, added up over the days: of the workspace, of each campaign where
    campaigns are asked for, of each link where anything finer is.
    """
    unknown = set(by) - {unit, *DIMENSIONS}
    if unknown or unit not in {"day", "hour"}:
        raise ValueError(f"There is no {', '.join(sorted(unknown)) or unit} to count by.")
    filters = {"campaign_id": campaign_id, "post_id": post_id, "link_id": link_id}
    asked = {*by, *(name for name, value in filters.items() if value)}
    query = _question(by, unit, _level(asked), [name for name, value in filters.items() if value], bool(kinds))
    values = {"workspace": workspace_id, "since": since, "until": until, "kinds": list(kinds), **filters}
    values |= {"from": since - timedelta(days=2), "to": until + timedelta(days=2)}
    with workspace_scope(workspace_id):
        while True:
            edge = RollupCursor.objects.values_list("number", flat=True).first() or 0
            rows, seen = _ask(query, values | {"edge": edge})
            # The cursor moved between the two looks: what it passed would be there twice.
            if seen == edge:
                return rows


def _level(asked: set[str]) -> str:
    if asked & {"post_id", "link_id", "arm", "name"}:
        return "click"
    return "unique_c" if "campaign_id" in asked else "unique"


def _question(by: Sequence[str], unit: str, level: str, filters: Sequence[str], has_kinds: bool) -> str:
    table = f"analytics_{unit}rollup"
    columns = f"{unit}, {', '.join(DIMENSIONS)}, events, visitors, value_micro"
    days = "day BETWEEN %(since)s AND %(until)s"
    local_day = f"(r.hour AT TIME ZONE w.time_zone)::date {days.removeprefix('day ')}"
    rolled = (
        f"SELECT {columns} FROM {table} WHERE workspace_id = %(workspace)s AND {days}"  # noqa: S608
        if unit == "day"
        else f"SELECT r.hour, {', '.join('r.' + name for name in DIMENSIONS)}, r.events, r.visitors, r.value_micro "  # noqa: S608
        f"FROM {table} r JOIN accounts_workspace w ON w.id = r.workspace_id WHERE r.workspace_id = %(workspace)s "
        f"AND r.hour BETWEEN %(from)s AND %(to)s AND {local_day}"
    )
    kept = [f"{name} = %({name})s" for name in filters] + (["kind = ANY(%(kinds)s)"] if has_kinds else [])
    names = "".join(f"{name}, " for name in by)
    return f"""
WITH batch AS MATERIALIZED (
    {BATCHED} WHERE e.workspace_id = %(workspace)s AND e.number > %(edge)s AND e.at BETWEEN %(from)s AND %(to)s
    AND {LOCAL}::date {days.removeprefix("day ")}),
{FIRSTS},
{COUNTED},
{LINES},
everything AS ({rolled} UNION ALL SELECT {columns} FROM lines),
leveled AS (
    SELECT {unit}, CASE WHEN kind IN ('unique', 'unique_c') THEN 'click' ELSE kind END AS kind,
        {", ".join(name for name in DIMENSIONS if name != "kind")}, events, value_micro,
        CASE WHEN kind = 'click' AND '{level}' <> 'click' THEN 0 ELSE visitors END AS visitors
    FROM everything WHERE kind NOT IN ('unique', 'unique_c') OR kind = '{level}'),
asked AS (
    SELECT {names}sum(events)::bigint AS events, sum(visitors)::bigint AS visitors,
        sum(value_micro)::bigint AS value_micro
    FROM leveled{" WHERE " + " AND ".join(kept) if kept else ""}{" GROUP BY " + names.rstrip(", ") if by else ""})
SELECT coalesce((SELECT number FROM analytics_rollupcursor), 0) AS edge, asked.*
FROM (SELECT 1) one LEFT JOIN asked ON events IS NOT NULL{" ORDER BY " + names.rstrip(", ") if by else ""}
"""  # noqa: S608 (our own names)


def _ask(query: str, values: Row) -> tuple[list[Row], int]:
    with connection.cursor() as cursor:
        cursor.execute(query, values)
        names = [column.name for column in cursor.description or ()]
        found = [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]
    edge = found[0]["edge"]
    rows = [{name: value for name, value in row.items() if name != "edge"} for row in found]
    return [row for row in rows if row["events"] is not None], edge


# --- building anew ----------------------------------------------------------------------------------------

TABLES = (("analytics_hourrollup", "hour"), ("analytics_dayrollup", "day"))


def rebuild(since: date, *, keep: bool = True, batch: int = BATCH) -> int:
    """Count all days from `since` again from the events; how many rows came out different. `keep=False` undoes it.

    The events of these days must still all be there (`partitions.first_whole_day`).
    """
    with all_workspaces_scope("counting all over again"):
        cursor = locked_cursor()
        assert cursor is not None, "not skipped"
        _set_aside(since)
        for after in range(0, cursor.number, batch):
            _roll(after, min(after + batch, cursor.number), since)
        differing = _differing(since)
        transaction.set_rollback(not keep)
    return differing


def _set_aside(since: date) -> None:
    with connection.cursor() as cursor:
        for table, unit in TABLES:
            cursor.execute(f"CREATE TEMPORARY TABLE former_{unit} ON COMMIT DROP AS {_shown(table, unit)}", [since])
            cursor.execute(f"DELETE FROM {table} WHERE {_from(unit)}", [since])  # noqa: S608 (our own names)
        cursor.execute("DELETE FROM analytics_visitorday WHERE day >= %s", [since])


def _differing(since: date) -> int:
    total = 0
    with connection.cursor() as cursor:
        for table, unit in TABLES:
            new, former = _shown(table, unit), f"SELECT * FROM former_{unit}"  # noqa: S608 (our own names)
            query = f"SELECT count(*) FROM (({new} EXCEPT {former}) UNION ALL ({former} EXCEPT {new})) d"  # noqa: S608
            cursor.execute(query, [since, since])
            total += cursor.fetchone()[0]
            cursor.execute(f"DROP TABLE former_{unit}")
    return total


def _shown(table: str, unit: str) -> str:
    columns = f"workspace_id, {unit}, {', '.join(DIMENSIONS)}, events, visitors, value_micro"
    return f"SELECT {columns} FROM {table} WHERE {_from(unit)}"  # noqa: S608 (our own names)


def _from(unit: str) -> str:
    if unit == "day":
        return "day >= %s"
    zone = "(SELECT time_zone FROM accounts_workspace w WHERE w.id = workspace_id)"
    return f"(hour AT TIME ZONE {zone})::date >= %s"
