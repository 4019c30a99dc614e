"""Walks the database itself: what the models promise must stand in the catalogue."""

import itertools
import uuid

import pytest
from django.apps import apps
from django.db import IntegrityError, connection, models, transaction
from django.db.migrations.state import ProjectState

from accounts.models import User, Workspace
from accounts.scope import workspace_scope
from accounts.services import create_api_key, emit, notify
from accounts.tenancy import SecureTenantTables, TenantModel, tenant_keys

pytestmark = pytest.mark.django_db

# Rows that belong to no workspace, or that are read before one is known. A new table must be put here on purpose.
GLOBAL_TABLES = {
    "accounts_user",
    "accounts_user_groups",
    "accounts_user_user_permissions",
    "accounts_workspace",
    "accounts_switch",
    "social_networkstate",
    "social_ratebucket",
    # What a bot hears is somebody's only once it is read.
    "social_botreceiver",
    "social_inboundupdate",
    "social_botchat",
    "social_telegramlink",
    # Keyed digests without text: X forbids repeats across customers.
    "compliance_fingerprint",
    # Rules as every workspace has them; ids of who was erased; rate cells named by digests.
    "compliance_guardrule",
    "compliance_erasure",
    "accounts_ratecell",
    # Integrators and their names for workspaces are read before the workspace is known.
    "accounts_serviceclient",
    "accounts_servicetenant",
    # Breakers of keys that all share, by digest.
    "agents_circuit",
    # How far rollups are, and how the product itself does.
    "analytics_rollupcursor",
    "analytics_performancesample",
    # Programs register before they know a workspace; what is public is read once for all who watch it.
    "integrations_oauthclient",
    "personal_watchvalue",
    "personal_observation",
    "accounts_membership",
    "accounts_invitation",
    "auth_group",
    "auth_group_permissions",
    "auth_permission",
    "django_admin_log",
    "django_content_type",
    "django_migrations",
    "django_session",
    "guardian_groupobjectpermission",
    "guardian_userobjectpermission",
    "account_emailaddress",
    "account_emailconfirmation",
    "mfa_authenticator",
    "socialaccount_socialaccount",
    "socialaccount_socialapp",
    "socialaccount_socialtoken",
    "django_celery_beat_clockedschedule",
    "django_celery_beat_crontabschedule",
    "django_celery_beat_intervalschedule",
    "django_celery_beat_periodictask",
    "django_celery_beat_periodictasks",
    "django_celery_beat_solarschedule",
}
NUMBERS = itertools.count(100)
RESOLVERS = {
    "analytics_tracking": "pixel_key",
    "analytics_link": "code",
    "analytics_sharedpage": "token_hash",
    "accounts_apikey": "key_hash",
    "compliance_reviewlink": "token_hash",
    "social_oauthstate": "state_hash",
    "social_telegramcode": "code_hash",
    "campaigns_reviewprompt": "token",
    "integrations_oauthcode": "code_hash",
    "integrations_mcptoken": "token_hash",
}


def rows(sql: str, *params: object) -> list[tuple]:
    with connection.cursor() as cursor:
        cursor.execute(sql, params)
        return cursor.fetchall()


def tables() -> dict[str, tuple[bool, bool]]:
    """Every table with: is row-level security on, does it bind the owner too."""
    found = rows(
        "SELECT relname, relrowsecurity, relforcerowsecurity FROM pg_class "
        "WHERE relkind IN ('r', 'p') AND relnamespace = 'public'::regnamespace"
    )
    return {name: (enabled, forced) for name, enabled, forced in found}


def tenant_models() -> list[type[models.Model]]:
    return [model for model in apps.get_models() if model._meta.db_table in tables().keys() - GLOBAL_TABLES]


def all_tenant_keys() -> list[models.ForeignKey]:
    return [key for model in apps.get_models() for key in tenant_keys(model)]


def test_every_table_is_secured_or_named_global():
    open_tables = {name for name, (enabled, forced) in tables().items() if not (enabled and forced)}
    assert open_tables == GLOBAL_TABLES & tables().keys()


def test_no_name_in_the_list_is_stale():
    assert tables().keys() >= GLOBAL_TABLES


def test_no_global_table_has_a_policy():
    assert not {name for (name,) in rows("SELECT tablename FROM pg_policies")} & GLOBAL_TABLES


def test_secured_tables_have_the_one_tenant_policy():
    found = rows("SELECT tablename, qual, with_check FROM pg_policies WHERE policyname = 'tenant'")
    assert {name for name, _qual, _check in found} == tables().keys() - GLOBAL_TABLES
    assert len({(qual, check) for _name, qual, check in found}) == 1


def test_only_resolvers_have_a_second_policy_and_it_only_reads():
    found = rows("SELECT tablename, cmd FROM pg_policies WHERE policyname != 'tenant'")
    assert dict(found) == dict.fromkeys(RESOLVERS, "SELECT")


def test_key_of_a_resolver_is_unique():
    for table, column in RESOLVERS.items():
        assert rows("SELECT 1 FROM pg_indexes WHERE tablename = %s AND indexdef LIKE %s", table, f"%UNIQUE%({column})")


def test_every_tenant_model_has_a_workspace_column():
    assert not [model for model in tenant_models() if "workspace_id" not in {f.column for f in model._meta.fields}]


def test_every_tenant_model_of_ours_is_in_a_secured_table():
    ours = [model for model in apps.get_models() if issubclass(model, TenantModel)]
    assert ours
    assert {model._meta.db_table for model in ours} <= tables().keys() - GLOBAL_TABLES


def test_database_role_cannot_pass_by_the_policies():
    assert rows("SELECT rolsuper, rolbypassrls FROM pg_roles WHERE rolname = current_user") == [(False, False)]


def test_raw_select_without_a_scope_returns_no_row(workspace, alice_actor):
    with workspace_scope(workspace.pk):
        create_api_key("Test", ["read"], by=alice_actor)
        emit(workspace, "test.happened")
        notify(workspace, "test", "Something happened")
    for model in tenant_models():
        assert rows(f'SELECT count(*) FROM "{model._meta.db_table}"') == [(0,)], model


def composite_keys() -> set[tuple[str, str, str]]:
    found = rows(
        "SELECT c.conrelid::regclass::text, c.confrelid::regclass::text, "
        "  (SELECT array_agg(a.attname ORDER BY k.n) FROM unnest(c.conkey) WITH ORDINALITY k(num, n) "
        "   JOIN pg_attribute a ON a.attrelid = c.conrelid AND a.attnum = k.num), "
        "  (SELECT array_agg(a.attname ORDER BY k.n) FROM unnest(c.confkey) WITH ORDINALITY k(num, n) "
        "   JOIN pg_attribute a ON a.attrelid = c.confrelid AND a.attnum = k.num) "
        "FROM pg_constraint c WHERE c.contype = 'f' AND cardinality(c.conkey) = 2"
    )
    return {
        (table, target, columns[1])
        for table, target, columns, target_columns in found
        if columns[0] == "workspace_id" == target_columns[0]
    }


def test_every_reference_between_tenant_tables_is_composite():
    wanted = {(f.model._meta.db_table, f.related_model._meta.db_table, f.column) for f in all_tenant_keys()}
    assert wanted
    assert wanted <= composite_keys()


def test_no_reference_to_a_tenant_table_has_a_single_column():
    single = [
        field
        for model in apps.get_models()
        for field in model._meta.concrete_fields
        if isinstance(field, models.ForeignKey)
        and field.db_constraint
        and field.related_model._meta.db_table not in GLOBAL_TABLES
    ]
    assert not single


def filler(field: models.Field) -> object:
    """Something the column takes, so that only the reference can be what is refused."""
    if field.has_default():
        return field.get_default()
    if field.null:
        return None
    samples = {
        "UUIDField": uuid.uuid4(),
        "BooleanField": False,
        "BinaryField": b"",
        "JSONField": {},
        "ArrayField": [],
        "DateTimeField": "2026-01-01T00:00:00Z",
        "TimeField": "10:00",
        "DateField": "2026-01-01",
        "FloatField": 1.0,
    }
    number = next(NUMBERS)
    text = f"x{number}"[: field.max_length]
    return samples.get(field.get_internal_type(), number if "Integer" in field.get_internal_type() else text)


def build(model: type[models.Model], workspace: Workspace, **given: object) -> models.Model:
    """A row with its own references left empty or filled by rows of the same workspace."""
    values = dict(given)
    for field in model._meta.concrete_fields:
        if field.name in values or field.attname in values or isinstance(field, models.BigAutoField):
            continue
        if field.name == "workspace":
            values["workspace"] = workspace
        elif isinstance(field, models.ForeignKey) and not field.null:
            values[field.attname] = parent(field, workspace).pk
        elif not isinstance(field, models.ForeignKey):
            values[field.attname] = filler(field)
    return model(**values)


def parent(field: models.ForeignKey, workspace: Workspace) -> models.Model:
    if field.related_model is User:
        return workspace.memberships.get().user
    row = build(field.related_model, workspace)
    row.save(force_insert=True)
    return row


@pytest.fixture
def foreign_and_own(workspace, other_workspace):
    """For one reference: the same row pointing at a row of its own workspace, and at one of another."""

    def make(key: models.ForeignKey) -> tuple[models.Model, models.Model]:
        with workspace_scope(other_workspace.pk):
            foreign = parent(key, other_workspace)
        with workspace_scope(workspace.pk):
            own = parent(key, workspace)
        return foreign, own

    return make


def insert(key: models.ForeignKey, workspace: Workspace, target: models.Model) -> None:
    with workspace_scope(workspace.pk):
        build(key.model, workspace, **{key.attname: target.pk}).save(force_insert=True)
        with connection.cursor() as cursor:
            cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
            cursor.execute("SET CONSTRAINTS ALL DEFERRED")


def pytest_generate_tests(metafunc):
    if "key" in metafunc.fixturenames:
        keys = [key for model in apps.get_models() for key in tenant_keys(model)]
        metafunc.parametrize("key", keys, ids=[f"{key.model.__name__}.{key.name}" for key in keys])


def test_reference_to_a_row_of_another_workspace_is_refused(key, workspace, foreign_and_own):
    foreign, own = foreign_and_own(key)
    with pytest.raises(IntegrityError, match=f"{key.column}_fk"), transaction.atomic():
        insert(key, workspace, foreign)
    # The same row with a target of its own is taken, so nothing else was in the way.
    insert(key, workspace, own)


def secured(table: str) -> tuple[tuple[bool, bool], int, int]:
    policies = rows("SELECT count(*) FROM pg_policies WHERE tablename = %s", table)[0][0]
    keys = rows("SELECT count(*) FROM pg_constraint WHERE conrelid = %s::regclass AND contype = 'f'", table)[0][0]
    return tables()[table], policies, keys


@pytest.mark.parametrize(
    ("name", "table"), [("AuditDetail", "accounts_auditdetail"), ("ApiKey:key_hash", "accounts_apikey")]
)
def test_securing_a_table_can_be_undone_and_done_again(db, name, table):
    operation, state = SecureTenantTables(name), ProjectState.from_apps(apps)
    before = secured(table)
    with connection.schema_editor() as editor:
        operation.database_backwards("accounts", editor, state, state)
    assert secured(table)[:2] == ((False, False), 0)
    with connection.schema_editor() as editor:
        operation.database_forwards("accounts", editor, state, state)
    assert secured(table) == before


def test_operation_says_what_it_does():
    operation = SecureTenantTables("Post", "Campaign")
    assert operation.describe() == "Secure the tenant tables Post, Campaign"
    assert operation.deconstruct() == ("SecureTenantTables", ["Post", "Campaign"], {})
