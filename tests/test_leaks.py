"""What a test leaves behind is found, named and removed."""

import os
from collections.abc import Iterator

import pytest
from django.contrib.auth.models import Group
from django.db import connection

from accounts.models import AuditEntry, User
from accounts.scope import workspace_scope
from accounts.services import create_workspace
from compliance.models import Contact
from tests import leaks

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def nothing_stays() -> Iterator[None]:
    assert leaks.find_leaks() == []
    yield
    leaks.remove_leaks()
    assert leaks.find_leaks() == []


def execute(statement: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(statement)


def test_table_is_named_and_dropped() -> None:
    execute("CREATE TABLE crumbs AS SELECT 1 AS one")
    assert leaks.find_leaks() == ["the table crumbs"]
    leaks.remove_leaks()
    assert leaks.find_leaks() == []


def test_rows_of_every_workspace_are_named_and_deleted(alice: User, charlie: User) -> None:
    for name, owner in (("Roastery", alice), ("Bakery", charlie)):
        workspace = create_workspace(name, owner=owner)
        with workspace_scope(workspace.pk):
            Contact.objects.create(workspace=workspace, name="Ada", email="ada@example.org")
            assert AuditEntry.objects.exists()
    found = leaks.find_leaks()
    assert {"rows in accounts_user", "rows in accounts_auditentry", "rows in compliance_contact"} <= set(found)
    leaks.empty_tables()
    assert leaks.find_leaks() == []


def test_many_rows_go_as_quickly(alice: User, monkeypatch) -> None:
    monkeypatch.setattr(leaks, "MANY_BYTES", 0)
    leaks.empty_tables()
    assert leaks.find_leaks() == []


def test_month_of_a_table_goes_with_its_rows() -> None:
    far = "FROM ('2131-01-01') TO ('2131-02-01')"
    execute(f"CREATE TABLE analytics_event_far PARTITION OF analytics_event FOR VALUES {far}")
    leaks.empty_tables()
    assert leaks.find_leaks() == []


def test_what_migrations_wrote_is_watched_too() -> None:
    group = Group.objects.create(name="Crumbs")
    try:
        assert leaks.find_leaks() == ["changed rows in auth_group"]
    finally:
        group.delete()


def test_environment_is_compared_and_restored(monkeypatch) -> None:
    monkeypatch.setattr(leaks.START, "environ", leaks.environ())
    changed = next(iter(leaks.environ()))
    monkeypatch.setenv(changed, "else")
    monkeypatch.setenv("CRUMBS", "1")
    assert leaks.find_changed_environment() == [
        f"another value of {name} in the environment" for name in sorted([changed, "CRUMBS"])
    ]
    leaks.restore_environment()
    assert leaks.find_changed_environment() == []
    assert "CRUMBS" not in os.environ
