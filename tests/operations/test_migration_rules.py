"""What migrations of a release may not do. Each fault beside the way to do it well."""

import json

import pytest
from django.apps import apps
from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import models
from django.db.migrations import Migration, operations
from django.db.migrations.loader import MigrationLoader

from accounts.tenancy import SecureTenantKeys
from marketing import migration_rules
from marketing.migration_rules import BIG, RELEASED, Seen, faults_of, find_faults, new_migrations, read_released

NEW = operations.CreateModel("Fresh", [("id", models.BigAutoField(primary_key=True))])
INDEX = models.Index(fields=["state"], name="one")
CHECK = models.CheckConstraint(condition=models.Q(fence__gte=0), name="two")


def nothing(_apps, _editor) -> None:
    pass


@pytest.fixture(scope="module")
def loader() -> MigrationLoader:
    return MigrationLoader(None, ignore_no_migrations=True)


@pytest.fixture
def faults(loader):
    def find(*changes, app: str = "campaigns", **attributes) -> list[str]:
        migration = type("Migration", (Migration,), {"operations": list(changes), **attributes})("9999", app)
        return list(faults_of(migration, Seen(loader.project_state(), set())))

    return find


REFUSED = {
    "taken away": operations.RemoveField("post", "created_by"),
    "a table taken away": operations.DeleteModel("slot"),
    "another name": operations.RenameField("post", "created_by", "author"),
    "a table's other name": operations.AlterModelTable("slot", "slots"),
    "a column that is asked of old code": operations.AddField("post", "mood", models.TextField(default="")),
    "an index of a new column": operations.AddField("delivery", "mood", models.TextField(null=True, db_index=True)),
    "a key of a new column": operations.AddField(
        "delivery", "mood", models.ForeignKey("campaigns.Campaign", models.CASCADE, null=True)
    ),
    "nothing refused from now on": operations.AlterField("attempt", "http_status", models.PositiveSmallIntegerField()),
    "shorter text": operations.AlterField("attempt", "code", models.CharField(max_length=5)),
    "another type": operations.AlterField("attempt", "number", models.BigIntegerField()),
    "an index of a column": operations.AlterField("attempt", "code", models.CharField(max_length=40, db_index=True)),
    "an index": operations.AddIndex("delivery", INDEX),
    "an index taken away": operations.RemoveIndex("delivery", "delivery_list"),
    "a constraint": operations.AddConstraint("delivery", CHECK),
    "a tenant key": SecureTenantKeys("Delivery.post"),
    "no way back": operations.RunPython(nothing),
    "no way back in SQL": operations.RunSQL("SELECT 1"),
}
FINE = {
    "a new table": NEW,
    "a column that may be empty": operations.AddField("post", "mood", models.TextField(null=True)),
    "a column that fills itself": operations.AddField("post", "mood", models.TextField(db_default="")),
    "many to many": operations.AddField("slot", "friends", models.ManyToManyField("campaigns.Slot")),
    "longer text": operations.AlterField("attempt", "code", models.CharField(max_length=50)),
    "text without an end": operations.AlterField("attempt", "code", models.TextField()),
    "empty from now on": operations.AlterField("attempt", "number", models.PositiveIntegerField(null=True)),
    "an index of a small table": operations.AddIndex("slot", models.Index(fields=["id"], name="small")),
    "rows, both ways": operations.RunPython(nothing, nothing),
    "SQL, both ways": operations.RunSQL("SELECT 1", operations.RunSQL.noop),
}


@pytest.mark.parametrize("what", REFUSED)
def test_what_stops_the_former_release_or_locks_a_table_is_named(faults, what):
    found = faults(REFUSED[what])
    assert len(found) == 1, found
    assert REFUSED[what].describe() in found[0]


@pytest.mark.parametrize("what", FINE)
def test_what_harms_nobody_passes(faults, what):
    assert faults(FINE[what]) == []


def test_index_made_beside_the_work_passes_alone(faults):
    aside = AddIndexConcurrently("delivery", INDEX)
    assert faults(aside, atomic=False) == []
    assert "a kill leaves half" in faults(aside, FINE["a column that may be empty"], atomic=False)[0]


def test_rows_and_schema_are_changed_apart(faults):
    rows, column = FINE["rows, both ways"], FINE["a column that may be empty"]
    assert "make two of it" in faults(column, rows)[0]
    assert faults(NEW, rows) == []


def test_table_of_the_same_release_may_still_change(faults):
    more = operations.AddField("fresh", "mood", models.TextField(default=""))
    assert faults(NEW, more) == []


def test_reason_lets_it_pass(loader, monkeypatch):
    bad, state = REFUSED["an index"], loader.project_state()
    for attributes, count in (({}, 1), ({"unsafe_because": "The table is empty everywhere."}, 0)):
        one = type("Migration", (Migration,), {"operations": [bad], **attributes})("0001_bad", "campaigns")
        monkeypatch.setattr(migration_rules, "new_migrations", lambda *_any, one=one: [one])
        monkeypatch.setattr(MigrationLoader, "project_state", lambda *_any, **_more: state.clone())
        assert len(list(find_faults(loader, {}))) == count


def test_only_what_came_after_the_release_is_looked_at(loader):
    released = read_released()
    assert json.loads(RELEASED.read_text()) == released
    names = {(one.app_label, one.name) for one in new_migrations(loader, released)}
    assert all(app in released for app, _name in names)
    assert not names & {tuple(item) for item in released.items()}
    older = released | {"integrations": "0001_initial"}
    assert names < {(one.app_label, one.name) for one in new_migrations(loader, older)}


def test_migrations_of_this_release_keep_the_rules(loader):
    assert list(find_faults(loader, read_released())) == []


def test_large_tables_exist():
    assert {model._meta.db_table for model in apps.get_models()} >= BIG
