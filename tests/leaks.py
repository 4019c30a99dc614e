"""What a test may not leave behind, because the next one on the same worker would meet it."""

import os
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

import pytest
from django.db import connection, transaction
from pytest_django import DjangoDbBlocker

# Made by migrations, and changed by no test that commits.
STAYING = {"django_migrations", "django_content_type", "auth_permission", "auth_group", "auth_group_permissions"}
COMMITTING = {"transactional_db", "live_server", "django_db_reset_sequences", "django_db_serialized_rollback"}
# Set and reset around every test by pytest itself.
CHANGING = {"PYTEST_CURRENT_TEST"}

TABLES = """
SELECT c.relname, c.relispartition FROM pg_class c
WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p')
"""
# Our triggers before (2) DELETE (8) and TRUNCATE (32): those after it only follow it.
GUARDS = """
SELECT tgrelid::regclass::text, tgname, tgtype & 32 <> 0 FROM pg_trigger
WHERE NOT tgisinternal AND tgtype & 2 <> 0 AND tgtype & 40 <> 0
"""
# From here on it is quicker to truncate all tables than to delete rows.
MANY_BYTES = 30_000_000


@dataclass
class Start:
    """The database as the migrations made it, and the environment before the first test."""

    tables: set[str] = field(default_factory=set)
    guarded: set[str] = field(default_factory=set)
    staying: dict[str, int] = field(default_factory=dict)
    environ: dict[str, str] = field(default_factory=dict)
    blocker: DjangoDbBlocker | None = None

    def remember(self, blocker: DjangoDbBlocker) -> None:
        self.blocker = blocker
        self.tables = set(all_tables())
        self.guarded = open_to_truncate()
        self.staying = {name: count(name) for name in sorted(STAYING)}


START = Start()


def all_tables() -> dict[str, bool]:
    """Each with whether it is a partition of another."""
    with connection.cursor() as cursor:
        cursor.execute(TABLES)
        return dict(cursor.fetchall())


def open_to_truncate() -> set[str]:
    """The append-only tables refuse DELETE, and now no longer TRUNCATE."""
    with connection.cursor() as cursor:
        cursor.execute(GUARDS)
        guards = cursor.fetchall()
        for table, trigger, refuses_truncate in guards:
            if refuses_truncate:
                cursor.execute(f"ALTER TABLE {table} DISABLE TRIGGER {trigger}")
    return {table for table, _trigger, refuses_truncate in guards if not refuses_truncate}


def count(table: str) -> int:
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT count(*) FROM {connection.ops.quote_name(table)}")
        return cursor.fetchone()[0]


def environ() -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if name not in CHANGING}


def is_committing(item: pytest.Item) -> bool:
    marker = item.get_closest_marker("django_db")
    return bool(marker and marker.kwargs.get("transaction")) or not COMMITTING.isdisjoint(item.fixturenames)


@contextmanager
def all_workspaces() -> Iterator[None]:
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute("SET LOCAL app.all_workspaces = 'on'")
        yield


def filled(tables: set[str]) -> list[str]:
    """Which of these have rows."""
    query = " UNION ALL ".join(
        f"(SELECT '{name}' FROM {connection.ops.quote_name(name)} LIMIT 1)" for name in sorted(tables)
    )
    with all_workspaces(), connection.cursor() as cursor:
        cursor.execute(query)
        return [name for (name,) in cursor.fetchall()]


def find_leaks() -> list[str]:
    """In words; looked for between tests, outside any transaction."""
    now = set(all_tables())
    leaks = [f"the table {name}" for name in sorted(now - START.tables)]
    leaks += [f"the database without its table {name}" for name in sorted(START.tables - now)]
    leaks += [f"rows in {name}" for name in filled((now & START.tables) - STAYING)]
    leaks += [f"changed rows in {name}" for name, rows in START.staying.items() if count(name) != rows]
    return leaks


def find_changed_environment() -> list[str]:
    now = environ()
    names = sorted(name for name in now | START.environ if now.get(name) != START.environ.get(name))
    return [f"another value of {name} in the environment" for name in names]


def empty_tables() -> None:
    """In place of Django's flush, which makes every permission anew and truncates what is empty: that takes longest.

    Months of a table that came with its rows go with them.
    """
    found = all_tables()
    drop(name for name, is_partition in found.items() if is_partition and name not in START.tables)
    rows = filled(START.tables & found.keys() - STAYING)
    if size(rows) > MANY_BYTES:
        truncate(START.tables & found.keys() - STAYING)
    else:
        truncate(name for name in rows if name in START.guarded)
        delete(rows)


def drop(tables: Iterable[str]) -> None:
    with connection.cursor() as cursor:
        for name in tables:
            cursor.execute(f"DROP TABLE IF EXISTS {connection.ops.quote_name(name)} CASCADE")


def truncate(tables: Iterable[str]) -> None:
    if names := ", ".join(map(connection.ops.quote_name, tables)):
        with connection.cursor() as cursor:
            cursor.execute(f"TRUNCATE {names} CASCADE")


def delete(tables: Iterable[str]) -> None:
    with all_workspaces(), connection.cursor() as cursor:
        for name in tables:
            cursor.execute(f"DELETE FROM {connection.ops.quote_name(name)}")


def size(tables: Sequence[str]) -> int:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT coalesce(sum(pg_total_relation_size(name::regclass)), 0) FROM unnest(%s::text[]) name", [tables]
        )
        return cursor.fetchone()[0]


def remove_leaks() -> None:
    drop(all_tables().keys() - START.tables)
    empty_tables()


def restore_environment() -> None:
    os.environ.update(START.environ)
    for name in environ().keys() - START.environ.keys():
        del os.environ[name]


def check(item: pytest.Item, nextitem: pytest.Item | None) -> None:
    """After each test that commits, and after the last one of each file."""
    is_last = nextitem is None or nextitem.path != item.path
    leaks = take_away() if is_last or is_committing(item) else []
    if is_last:
        leaks += find_changed_environment()
        restore_environment()
    if leaks:
        who = "It" if is_committing(item) else "A test of this file"
        pytest.fail(f"{who} left behind: {', '.join(leaks)}", pytrace=False)


def take_away() -> list[str]:
    """So that only the test that left something fails."""
    if not START.blocker:
        return []
    with START.blocker.unblock():
        if leaks := find_leaks():
            remove_leaks()
    return leaks
