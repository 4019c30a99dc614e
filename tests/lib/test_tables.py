"""Many tables in one operation: the same state and the same tables as one operation for each."""

import pytest
from django.db import connection, models
from django.db.migrations.operations import CreateModel
from django.db.migrations.state import ModelState, ProjectState
from django.db.migrations.writer import OperationWriter

from lib.tables import CreateTables

# The first refers to the second: the order says nothing.
SIP = CreateModel(
    "Sip",
    [("id", models.IntegerField(primary_key=True)), ("cup", models.ForeignKey("scratch.Cup", models.CASCADE))],
    {"constraints": [models.UniqueConstraint(fields=["cup"], name="one_sip")]},
)
CUP = CreateModel("Cup", [("id", models.IntegerField(primary_key=True)), ("code", models.CharField(max_length=9))])
BOTH = CreateTables(models=[SIP, CUP])


@pytest.fixture
def before() -> ProjectState:
    return ProjectState(
        {("scratch", "shelf"): ModelState("scratch", "Shelf", [("id", models.IntegerField(primary_key=True))])}
    )


@pytest.fixture
def after(before: ProjectState) -> ProjectState:
    state = before.clone()
    BOTH.state_forwards("scratch", state)
    return state


def scratch_tables() -> set[str]:
    return {name for name in connection.introspection.table_names() if name.startswith("scratch_")}


def test_state_is_that_of_single_operations(before: ProjectState, after: ProjectState) -> None:
    single = before.clone()
    for model in (CUP, SIP):
        model.state_forwards("scratch", single)
    assert {key for key in after.models if key not in before.models} == {("scratch", "sip"), ("scratch", "cup")}
    for key in ("scratch", "sip"), ("scratch", "cup"):
        assert after.models[key] == single.models[key]


def test_classes_that_were_built_before_know_the_new_ones(before: ProjectState) -> None:
    assert list(before.apps.all_models["scratch"]) == ["shelf"]
    BOTH.state_forwards("scratch", before)
    sip = before.apps.get_model("scratch", "Sip")
    assert sip._meta.get_field("cup").related_model is before.apps.get_model("scratch", "Cup")


@pytest.mark.django_db
def test_tables_come_and_go(before: ProjectState, after: ProjectState) -> None:
    with connection.schema_editor() as editor:
        BOTH.database_forwards("scratch", editor, before, after)
    assert scratch_tables() == {"scratch_cup", "scratch_sip"}
    with connection.cursor() as cursor:
        found = connection.introspection.get_constraints(cursor, "scratch_sip")
    assert found["one_sip"]["unique"]
    assert ("scratch_cup", "id") in [constraint["foreign_key"] for constraint in found.values()]
    with connection.schema_editor() as editor:
        BOTH.database_backwards("scratch", editor, after, before)
    assert scratch_tables() == set()


def test_file_of_a_migration_can_name_it() -> None:
    text, imports = OperationWriter(BOTH, indentation=0).serialize()
    assert "import lib.tables" in imports
    assert text.index("name='Sip'") < text.index("name='Cup'")


def test_description_names_the_tables() -> None:
    assert BOTH.describe() == "Create the tables of Sip, Cup"
