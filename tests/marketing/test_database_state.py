import os
from collections.abc import Iterator

import psycopg
import pytest
from django.apps import apps
from django.conf import settings
from django.db.migrations.autodetector import MigrationAutodetector
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.state import ProjectState

from marketing.database_state import applied_migrations, has_pending_migrations


@pytest.fixture
def url() -> Iterator[str]:
    """An empty database beside the one of the tests."""
    server = os.environ["DATABASE_URL"]
    name = f"state_{os.getpid()}"
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name}")
        yield server.replace("/marketing?", f"/{name}?")
        connection.execute(f"DROP DATABASE {name}")


@pytest.fixture
def migrated(url: str, db: None) -> str:
    """Marked as migrated like the database of the tests, without its tables."""
    from django.db import connection as tested

    with tested.cursor() as cursor:
        cursor.execute("SELECT app, name FROM django_migrations")
        rows = cursor.fetchall()
    with psycopg.connect(url) as connection:
        connection.execute("CREATE TABLE django_migrations (app text, name text)")
        connection.cursor().executemany("INSERT INTO django_migrations VALUES (%s, %s)", rows)
    return url


def test_empty_database_has_everything_pending(url: str) -> None:
    assert applied_migrations(url) == set()
    assert has_pending_migrations(url)


def test_migrated_database_has_nothing_pending(migrated: str) -> None:
    assert not has_pending_migrations(migrated)


def test_one_missing_migration_is_noticed(migrated: str) -> None:
    with psycopg.connect(migrated) as connection:
        connection.execute("DELETE FROM django_migrations WHERE app = 'accounts' AND name = '0001_initial'")
    assert has_pending_migrations(migrated)


def test_migration_of_a_removed_app_is_no_reason_to_migrate(migrated: str) -> None:
    with psycopg.connect(migrated) as connection:
        connection.execute("INSERT INTO django_migrations VALUES ('gone', '0001_initial')")
    assert not has_pending_migrations(migrated)


@pytest.fixture(scope="module")
def loader() -> MigrationLoader:
    return MigrationLoader(None)


@pytest.mark.parametrize("app", ["accounts", "agents", "campaigns", "compliance", "social"])
def test_empty_database_gets_the_tables_of_an_app_at_once(loader: MigrationLoader, app: str) -> None:
    squashed = loader.replacements[next(key for key in loader.replacements if key[0] == app)]
    files = sorted((settings.BASE_DIR / app / "migrations").glob("0*.py"))
    names = [file.stem for file in files if "_squashed_" not in file.stem]
    assert [name for _app, name in squashed.replaces] == names[: len(squashed.replaces)]
    assert squashed.name == f"0001_squashed_{squashed.replaces[-1][1]}"
    assert (app, "0001_initial") not in loader.graph.nodes


def test_no_model_waits_for_a_migration(loader: MigrationLoader) -> None:
    changes = MigrationAutodetector(loader.project_state(), ProjectState.from_apps(apps)).changes(loader.graph)
    assert changes == {}
