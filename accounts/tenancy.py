"""Tenant tables: the model base, the foreign key, and the migration operation that secures them.

A tenant table has forced row-level security (it binds the table's owner too) and composite foreign keys
(workspace_id, id), because referential checks bypass policies and would let one tenant point at another's row.
"""

from typing import Any, cast

from django.apps.registry import Apps
from django.db import models
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.migrations.operations.base import Operation
from django.db.migrations.state import ProjectState

from lib.ids import uuid7

POLICY = (
    "workspace_id = NULLIF(current_setting('app.workspace', true), '')::uuid "
    "OR current_setting('app.all_workspaces', true) = 'on'"
)


class TenantForeignKey(models.ForeignKey):
    """A reference inside one workspace. The constraint is composite and written by `SecureTenantTables`."""

    def __init__(self, to: Any, on_delete: Any, **kwargs: Any) -> None:
        kwargs["db_constraint"] = False
        super().__init__(to, on_delete, **kwargs)


class TenantModel(models.Model):
    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    workspace = models.ForeignKey("accounts.Workspace", on_delete=models.CASCADE, editable=False, related_name="+")

    class Meta:
        abstract = True


RESOLVER_POLICY = "{column} = NULLIF(current_setting('app.resolve', true), '')"


class SecureOperation(Operation):
    """Changes nothing that Django keeps in its state."""

    reduces_to_sql = True
    reversible = True

    def __init__(self, *names: str) -> None:
        self.names = names

    def deconstruct(self) -> tuple[str, list[str], dict[str, Any]]:
        return self.__class__.__name__, list(self.names), {}

    def state_forwards(self, app_label: str, state: ProjectState) -> None:
        pass


class SecureTenantTables(SecureOperation):
    """Put policies and composite foreign keys on the named models of this migration's app.

    `Model:column` names a resolver table: its one row with the key given to `resolver_scope` is readable too.
    """

    def database_forwards(
        self,
        app_label: str,
        schema_editor: BaseDatabaseSchemaEditor,
        from_state: ProjectState,
        to_state: ProjectState,
    ) -> None:
        for name in self.names:
            for statement in secure_sql(to_state.apps, app_label, name):
                schema_editor.execute(statement)

    def database_backwards(
        self,
        app_label: str,
        schema_editor: BaseDatabaseSchemaEditor,
        from_state: ProjectState,
        to_state: ProjectState,
    ) -> None:
        for name in reversed(self.names):
            model = from_state.apps.get_model(app_label, name.partition(":")[0])
            table = model._meta.db_table
            for field in tenant_keys(model):
                schema_editor.execute(f"ALTER TABLE {table} DROP CONSTRAINT {table}_{field.column}_fk")
            # CASCADE: keys of other apps may still refer to this one.
            schema_editor.execute(f"ALTER TABLE {table} DROP CONSTRAINT {table}_tenant_key CASCADE")
            schema_editor.execute(f"DROP POLICY tenant ON {table}")
            schema_editor.execute(f"DROP POLICY IF EXISTS resolver ON {table}")
            schema_editor.execute(f"ALTER TABLE {table} NO FORCE ROW LEVEL SECURITY")
            schema_editor.execute(f"ALTER TABLE {table} DISABLE ROW LEVEL SECURITY")

    def describe(self) -> str:
        return f"Secure the tenant tables {', '.join(self.names)}"


class SecureTenantKeys(SecureOperation):
    """Composite foreign keys for `Model.field`s that were added to tables secured before."""

    def database_forwards(
        self,
        app_label: str,
        schema_editor: BaseDatabaseSchemaEditor,
        from_state: ProjectState,
        to_state: ProjectState,
    ) -> None:
        for model, field in self._keys(to_state.apps, app_label):
            schema_editor.execute(composite_key_sql(model, field))

    def database_backwards(
        self,
        app_label: str,
        schema_editor: BaseDatabaseSchemaEditor,
        from_state: ProjectState,
        to_state: ProjectState,
    ) -> None:
        for model, field in self._keys(from_state.apps, app_label):
            table = model._meta.db_table
            schema_editor.execute(f"ALTER TABLE {table} DROP CONSTRAINT {table}_{field.column}_fk")

    def _keys(self, apps: Apps, app_label: str) -> list[tuple[type[models.Model], models.ForeignKey]]:
        pairs = [name.split(".") for name in self.names]
        found = [(apps.get_model(app_label, model), field) for model, field in pairs]
        return [(model, cast(models.ForeignKey, model._meta.get_field(field))) for model, field in found]

    def describe(self) -> str:
        return f"Secure the tenant keys {', '.join(self.names)}"


def secure_sql(apps: Apps, app_label: str, model_name: str) -> list[str]:
    model_name, _, key_column = model_name.partition(":")
    model = apps.get_model(app_label, model_name)
    table = model._meta.db_table
    resolvers = [f"CREATE POLICY resolver ON {table} FOR SELECT USING ({RESOLVER_POLICY.format(column=key_column)})"]
    statements = [
        f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY",
        f"ALTER TABLE {table} FORCE ROW LEVEL SECURITY",
        f"CREATE POLICY tenant ON {table} USING ({POLICY}) WITH CHECK ({POLICY})",
        f"ALTER TABLE {table} ADD CONSTRAINT {table}_tenant_key UNIQUE (workspace_id, {model._meta.pk.column})",
    ]
    return (
        statements
        + (resolvers if key_column else [])
        + [composite_key_sql(model, field) for field in tenant_keys(model)]
    )


def tenant_keys(model: type[models.Model]) -> list[models.ForeignKey]:
    """The references to other tenant tables: those whose single-column constraint is left out."""
    return [
        f for f in model._meta.concrete_fields if isinstance(f, models.ForeignKey) and not cast(Any, f).db_constraint
    ]


def composite_key_sql(model: type[models.Model], field: models.ForeignKey) -> str:
    table, target = model._meta.db_table, field.remote_field.model._meta
    return (
        f"ALTER TABLE {table} ADD CONSTRAINT {table}_{field.column}_fk "
        f"FOREIGN KEY (workspace_id, {field.column}) REFERENCES {target.db_table} (workspace_id, {target.pk.column}) "
        "DEFERRABLE INITIALLY DEFERRED"
    )
