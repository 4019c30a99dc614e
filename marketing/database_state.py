"""Does the database need `migrate`? Answered in a fraction of a second, without starting another Django."""

from __future__ import annotations

import psycopg


def applied_migrations(url: str) -> set[tuple[str, str]]:
    with psycopg.connect(url, connect_timeout=10) as connection:
        if connection.execute("SELECT to_regclass('django_migrations')").fetchone() == (None,):
            return set()
        return set(connection.execute("SELECT app, name FROM django_migrations").fetchall())


def has_pending_migrations(url: str) -> bool:
    from django.db.migrations.loader import MigrationLoader

    applied = applied_migrations(url)
    on_disk = MigrationLoader(None, ignore_no_migrations=True).disk_migrations
    for key, migration in on_disk.items():
        is_squash_done = bool(migration.replaces) and set(migration.replaces) <= applied
        if key not in applied and not is_squash_done:
            return True
    return False
