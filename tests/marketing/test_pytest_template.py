import os
from pathlib import Path
from urllib.parse import urlsplit

import psycopg
import pytest
from django.db import connection

from marketing import pytest_template
from marketing.database_state import has_pending_migrations
from marketing.pytest_template import LOCK, digest, keep, make_template, migrated_template

OURS = "'public'::regnamespace"
THINGS = {
    "tables": "SELECT tablename, rowsecurity FROM pg_tables WHERE schemaname = 'public'",
    "forced": f"SELECT relname, relforcerowsecurity FROM pg_class WHERE relkind = 'r' AND relnamespace = {OURS}",
    "policies": "SELECT tablename, policyname, qual, with_check FROM pg_policies",
    "triggers": "SELECT tgrelid::regclass::text, tgname FROM pg_trigger WHERE NOT tgisinternal",
    "indexes": "SELECT tablename, indexname FROM pg_indexes WHERE schemaname = 'public'",
    "constraints": f"SELECT conname, contype::text, convalidated FROM pg_constraint WHERE connamespace = {OURS}",
    "migrations": "SELECT app, name FROM django_migrations",
    "permissions": "SELECT codename, content_type_id FROM auth_permission",
}


def address(name: str) -> str:
    return urlsplit(os.environ["DATABASE_URL"])._replace(path=f"/{name}").geturl()


def things(url: str) -> dict[str, set]:
    with psycopg.connect(url) as database:
        return {name: set(database.execute(query).fetchall()) for name, query in THINGS.items()}


@pytest.mark.django_db
def test_database_kept_for_the_next_run_is_the_one_that_was_migrated(tmp_path, monkeypatch) -> None:
    tested = address(connection.settings_dict["NAME"])
    assert not has_pending_migrations(tested)
    name = f"again_{os.getpid()}"
    monkeypatch.setattr(pytest_template, "NAME", name)
    monkeypatch.setattr(pytest_template, "KEPT", tmp_path)
    keep(tested, tmp_path / f"{digest()}.sql")
    try:
        make_template(os.environ["DATABASE_URL"])
        assert things(address(name)) == things(tested)
    finally:
        with psycopg.connect(os.environ["DATABASE_URL"], autocommit=True) as admin:
            admin.execute(f"DROP DATABASE IF EXISTS {name}")
            admin.execute(f"DROP DATABASE IF EXISTS {name}_new")


def test_only_the_newest_is_kept(tmp_path, monkeypatch) -> None:
    monkeypatch.setattr(pytest_template, "run", lambda *words: Path(words[-2]).write_text("--"))
    for name in ("older", "newer"):
        keep("postgres://", tmp_path / f"{name}.sql")
    assert [path.name for path in tmp_path.iterdir()] == ["newer.sql"]


@pytest.mark.parametrize("changed", ["accounts/migrations/0001_initial.py", "accounts/tenancy.py", "requirements.txt"])
def test_other_migrations_are_another_database(tmp_path, monkeypatch, changed: str) -> None:
    for name in ("accounts/migrations/0001_initial.py", *pytest_template.ALSO):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("1")
    monkeypatch.setattr(pytest_template, "ROOT", tmp_path)
    before = digest()
    (tmp_path / changed).write_text("2")
    assert digest() != before


def test_without_anybody_who_makes_one_there_is_none(monkeypatch) -> None:
    monkeypatch.delenv(LOCK, raising=False)
    assert migrated_template() == ""


def test_one_that_could_not_be_made_is_not_waited_for(monkeypatch, tmp_path) -> None:
    (tmp_path / "lock").touch()
    monkeypatch.setenv(LOCK, str(tmp_path / "lock"))
    monkeypatch.setattr(pytest_template, "NAME", "never_made")
    assert migrated_template() == ""
