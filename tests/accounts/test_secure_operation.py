"""The migration operation on two scratch tables: what it puts on them, and that it takes it off again."""

import pytest
from django.db import Error, IntegrityError, connection, models, transaction
from django.db.migrations.operations import CreateModel
from django.db.migrations.state import ModelState, ProjectState

from accounts.models import Workspace
from accounts.scope import all_workspaces_scope, resolver_scope, workspace_scope
from accounts.tenancy import SecureTenantTables, TenantForeignKey, composite_key_sql, secure_sql, tenant_keys
from lib.ids import uuid7

pytestmark = pytest.mark.django_db


def tenant_fields() -> list[tuple[str, models.Field]]:
    return [
        ("id", models.UUIDField(primary_key=True, default=uuid7)),
        ("workspace", models.ForeignKey("accounts.Workspace", models.CASCADE, related_name="+")),
    ]


CUP = CreateModel("Cup", [*tenant_fields(), ("code", models.CharField(max_length=20, unique=True))])
SIP = CreateModel(
    "Sip",
    [
        *tenant_fields(),
        ("cup", TenantForeignKey("scratch.Cup", models.CASCADE, related_name="+")),
        ("spoiled", TenantForeignKey("scratch.Cup", models.CASCADE, null=True, related_name="+")),
    ],
)
# All that they refer to: the classes of a hundred other models take their time to build.
REFERENCED = {("accounts", "workspace"): ModelState.from_model(Workspace)}


@pytest.fixture
def state(db) -> ProjectState:
    """Both tables as CreateModel leaves them: open to everybody."""
    after = ProjectState(REFERENCED.copy())
    for operation in (CUP, SIP):
        before = after.clone()
        operation.state_forwards("scratch", after)
        with connection.schema_editor() as editor:
            operation.database_forwards("scratch", editor, before, after)
    return after


@pytest.fixture
def operation() -> SecureTenantTables:
    return SecureTenantTables("Cup:code", "Sip")


@pytest.fixture
def secured(state, operation) -> ProjectState:
    run(operation.database_forwards, state)
    return state


def run(step, state: ProjectState) -> None:
    with connection.cursor() as cursor:
        # A table with waiting checks cannot be altered.
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
    with connection.schema_editor() as editor:
        step("scratch", editor, state, state)


@pytest.fixture
def put(state):
    """A row in a workspace, checked as at the end of its transaction."""

    def insert(name: str, workspace, **values: object) -> models.Model:
        with workspace_scope(workspace.pk):
            row = state.apps.get_model("scratch", name).objects.create(workspace_id=workspace.pk, **values)
            with connection.cursor() as cursor:
                cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
            return row

    return insert


def count(state: ProjectState, name: str = "Cup") -> int:
    return state.apps.get_model("scratch", name).objects.count()


def test_table_is_open_before_the_operation(state, put, workspace):
    put("Cup", workspace, code="a")
    assert count(state) == 1


def test_secured_table_shows_nothing_without_a_scope(secured, put, workspace, other_workspace):
    put("Cup", workspace, code="a")
    put("Cup", other_workspace, code="b")
    assert count(secured) == 0
    with workspace_scope(workspace.pk):
        assert count(secured) == 1
    with all_workspaces_scope("test"):
        assert count(secured) == 2


def test_secured_table_refuses_rows_without_a_scope(secured, workspace):
    cups = secured.apps.get_model("scratch", "Cup").objects
    with pytest.raises(Error, match="row-level security"), transaction.atomic():
        cups.create(workspace_id=workspace.pk, code="a")


def test_named_column_makes_a_table_that_is_read_by_its_key(secured, put, workspace, other_workspace):
    put("Cup", workspace, code="a")
    put("Cup", other_workspace, code="b")
    with resolver_scope("b"):
        assert secured.apps.get_model("scratch", "Cup").objects.get().workspace_id == other_workspace.pk


def test_table_without_a_named_column_is_read_by_no_key(secured, put, workspace):
    cup = put("Cup", workspace, code="a")
    put("Sip", workspace, cup_id=cup.pk)
    with resolver_scope(str(cup.pk)):
        assert count(secured, "Sip") == 0


@pytest.mark.parametrize("column", ["cup_id", "spoiled_id"])
def test_reference_stays_inside_the_workspace(secured, put, workspace, other_workspace, column):
    own, foreign = put("Cup", workspace, code="a"), put("Cup", other_workspace, code="b")
    with pytest.raises(IntegrityError, match=f"scratch_sip_{column}_fk"):
        put("Sip", workspace, **({"cup_id": own.pk} | {column: foreign.pk}))
    put("Sip", workspace, **({"cup_id": own.pk} | {column: own.pk}))


def test_reference_left_empty_is_no_reference(secured, put, workspace):
    cup = put("Cup", workspace, code="a")
    assert put("Sip", workspace, cup_id=cup.pk).spoiled_id is None


def test_row_that_others_refer_to_cannot_change_its_workspace(secured, put, workspace, other_workspace):
    put("Sip", workspace, cup_id=put("Cup", workspace, code="a").pk)
    cups = secured.apps.get_model("scratch", "Cup").objects
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
    with pytest.raises(IntegrityError, match="scratch_sip_cup_id_fk"), all_workspaces_scope("test"):
        cups.update(workspace_id=other_workspace.pk)


def test_undone_operation_leaves_the_tables_open_and_the_references_free(
    secured, operation, put, workspace, other_workspace
):
    foreign = put("Cup", other_workspace, code="b")
    run(operation.database_backwards, secured)
    put("Sip", workspace, cup_id=foreign.pk)
    assert (count(secured), count(secured, "Sip")) == (1, 1)


def test_operation_can_be_done_again_after_it_was_undone(secured, operation, put, workspace):
    run(operation.database_backwards, secured)
    run(operation.database_forwards, secured)
    put("Cup", workspace, code="a")
    assert count(secured) == 0


def test_operation_does_not_change_what_django_knows_of_the_tables(state, operation):
    after = state.clone()
    operation.state_forwards("scratch", after)
    # Clones of an array's inner field never compare equal, so the names of the fields have to do.
    assert {key: list(model.fields) for key, model in after.models.items()} == {
        key: list(model.fields) for key, model in state.models.items()
    }


def test_statements_of_a_table_come_in_the_order_that_the_references_need(state):
    statements = [*secure_sql(state.apps, "scratch", "Cup"), *secure_sql(state.apps, "scratch", "Sip")]
    target = next(i for i, sql in enumerate(statements) if "scratch_cup_tenant_key" in sql)
    users = [i for i, sql in enumerate(statements) if "REFERENCES scratch_cup" in sql]
    assert len(users) == 2
    assert target < min(users)


def test_references_to_global_tables_are_left_to_django(state):
    sip = state.apps.get_model("scratch", "Sip")
    assert [field.name for field in tenant_keys(sip)] == ["cup", "spoiled"]


def test_reference_is_checked_at_the_end_so_that_rows_may_come_in_any_order(state):
    sip = state.apps.get_model("scratch", "Sip")
    assert composite_key_sql(sip, sip._meta.get_field("cup")).endswith(
        "FOREIGN KEY (workspace_id, cup_id) REFERENCES scratch_cup (workspace_id, id) DEFERRABLE INITIALLY DEFERRED"
    )
