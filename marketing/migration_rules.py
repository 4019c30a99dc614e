"""What a migration may do while the former release still runs beside the new one, and tables are large.

Those of RELEASED are not looked at: nobody can change them any more. A migration that must break a rule says why in an
attribute of its class, `unsafe_because`.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from django.contrib.postgres import operations as postgres
from django.db import connection, models
from django.db.migrations import Migration, operations
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.operations.base import Operation
from django.db.migrations.state import ProjectState

from accounts.tenancy import SecureTenantKeys, SecureTenantTables

RELEASED = Path(__file__).with_name("released_migrations.json")
Key = tuple[str, str]
# Those of which an installation has millions of rows: an index takes minutes to make, and meanwhile nobody may write.
BIG = frozenset(
    {
        *("accounts_auditentry", "accounts_auditdetail", "accounts_event", "accounts_notification"),
        *("accounts_usageentry", "accounts_ratecell"),
        *("agents_memoryitem", "agents_modelcall", "agents_run", "agents_step"),
        *("agents_periodictask", "agents_periodicturn"),
        *("analytics_event", "analytics_snapshot", "analytics_visitorday", "analytics_performancesample"),
        *("campaigns_attempt", "campaigns_delivery", "campaigns_post", "campaigns_postpart"),
        *("campaigns_publishinglog", "compliance_contact"),
        *("integrations_webhookdelivery", "integrations_searchentry"),
        *("personal_brief", "social_inboundupdate"),
    }
)
GONE = (
    operations.RemoveField,
    operations.DeleteModel,
    operations.RenameField,
    operations.RenameModel,
    operations.AlterModelTable,
)
CONCURRENT = (postgres.AddIndexConcurrently, postgres.RemoveIndexConcurrently)
DATA = (operations.RunPython, operations.RunSQL)
ON_NEW_TABLES = (operations.CreateModel, SecureTenantTables)


@dataclass
class Seen:
    """What was new before the operation that is looked at."""

    state: ProjectState
    tables: set[str] = field(default_factory=set)


def new_migrations(loader: MigrationLoader, released: dict[str, str]) -> Iterator[Migration]:
    """In the order in which they run; of apps of ours only."""
    known = {key for app, name in released.items() for key in loader.graph.forwards_plan((app, name))}
    plan: dict[Key, None] = {}
    for leaf in loader.graph.leaf_nodes():
        plan |= dict.fromkeys(loader.graph.forwards_plan(leaf))
    for key in plan:
        if key not in known and key[0] in released:
            yield loader.graph.nodes[key]


def read_released() -> dict[str, str]:
    """By app, the last one that an installation may have run already."""
    found: dict[str, str] = json.loads(RELEASED.read_text())
    return found


def write_released(loader: MigrationLoader) -> None:
    found = {app: name for app, name in sorted(loader.graph.leaf_nodes()) if app in read_released()}
    RELEASED.write_text(json.dumps(found, indent=1) + "\n")


def find_faults(loader: MigrationLoader, released: dict[str, str]) -> Iterator[str]:
    """Sentences, each with what to do instead."""
    tables: set[str] = set()
    for migration in new_migrations(loader, released):
        key = (migration.app_label, migration.name)
        faults = list(faults_of(migration, Seen(loader.project_state(key, at_end=False), tables)))
        if not getattr(migration, "unsafe_because", ""):
            yield from (f"{key[0]}.{key[1]}: {fault}" for fault in faults)


def faults_of(migration: Migration, seen: Seen) -> Iterator[str]:
    yield from _mixtures(migration)
    for operation in migration.operations:
        yield from _faults(operation, migration.app_label, seen)
        if isinstance(operation, operations.CreateModel):
            options = operation.options
            seen.tables.add(options.get("db_table") or f"{migration.app_label}_{operation.name_lower}")
        operation.state_forwards(migration.app_label, seen.state)


def _mixtures(migration: Migration) -> Iterator[str]:
    data = [one for one in migration.operations if isinstance(one, DATA)]
    rest = [one for one in migration.operations if not isinstance(one, (*DATA, *ON_NEW_TABLES))]
    if data and rest:
        yield "changes rows and the schema in one transaction, which holds its locks all the while; make two of it."
    if not migration.atomic and not all(isinstance(one, CONCURRENT) for one in migration.operations):
        yield "is not atomic, so a kill leaves half of it; only indexes made concurrently may be in such a migration."


def _faults(operation: Operation, app: str, seen: Seen) -> Iterator[str]:
    what = operation.describe()
    if isinstance(operation, GONE):
        yield f"{what}: the former release still uses it. First stop using it, and take it away one release later."
    if isinstance(operation, operations.RunPython) and operation.reverse_code is None:
        yield f"{what}: there is no way back; give reverse_code, or RunPython.noop."
    if isinstance(operation, operations.RunSQL) and operation.reverse_sql is None:
        yield f"{what}: there is no way back; give reverse_sql, or RunSQL.noop."
    if isinstance(operation, operations.AddField):
        yield from _added_field(operation, what, _table(operation.model_name, app, seen), seen)
    if isinstance(operation, operations.AlterField):
        yield from _altered_field(operation, what, app, seen)
    yield from _locks(operation, what, app, seen)


def _added_field(operation: operations.AddField, what: str, table: str, seen: Seen) -> Iterator[str]:
    field: Any = operation.field
    if table in seen.tables or isinstance(field, models.ManyToManyField | models.GeneratedField):
        return
    if not field.null and not field.has_db_default():
        yield f"{what}: the former release inserts rows without it; give null=True or db_default."
    if table in BIG and (field.unique or field.db_index):
        yield f"{what}: its index locks a large table; add it without one, then AddIndexConcurrently."


def _altered_field(operation: operations.AlterField, what: str, app: str, seen: Seen) -> Iterator[str]:
    table = _table(operation.model_name, app, seen)
    if table in seen.tables:
        return
    model = seen.state.apps.get_model(app, operation.model_name)
    former: Any = model._meta.get_field(operation.name)
    wanted: Any = operation.field
    wanted.set_attributes_from_name(operation.name)
    if former.null and not wanted.null:
        yield f"{what}: NOT NULL reads the whole table under a lock, and the former release may still write nothing."
    types = [_type(one) for one in (former, wanted)]
    if types[0] != types[1] and not _is_wider(*types):
        yield f"{what}: another type writes the whole table anew; add a column and move over."
    if table in BIG and not (former.unique or former.db_index) and (wanted.unique or wanted.db_index):
        yield f"{what}: its index locks a large table; AddIndexConcurrently instead."


def _type(field: Any) -> str:
    if field.is_relation:
        return "relation"
    return str(field.db_type(connection) or "")


def _is_wider(former: str, wanted: str) -> bool:
    """Text that may only become longer is not written anew."""
    limits = [one.removeprefix("varchar(").rstrip(")") for one in (former, wanted)]
    if not former.startswith("varchar("):
        return False
    return wanted == "text" or (wanted.startswith("varchar(") and int(limits[1]) >= int(limits[0]))


def _locks(operation: Operation, what: str, app: str, seen: Seen) -> Iterator[str]:
    if isinstance(operation, CONCURRENT):
        return
    name = getattr(operation, "model_name", None) or getattr(operation, "name", "")
    names = [one.split(".")[0] for one in operation.names] if isinstance(operation, SecureTenantKeys) else [name]
    if not any(_table(one, app, seen) in BIG - seen.tables for one in names if one):
        return
    if isinstance(operation, operations.AddIndex | operations.RemoveIndex):
        yield f"{what}: it locks a large table; AddIndexConcurrently and RemoveIndexConcurrently, with atomic = False."
    if isinstance(operation, operations.AddConstraint | operations.AlterUniqueTogether | SecureTenantKeys):
        yield f"{what}: it reads a large table under a lock; AddConstraintNotValid, then ValidateConstraint."


def _table(model: str, app: str, seen: Seen) -> str:
    state = seen.state.models.get((app, model.lower()))
    options = state.options if state else {}
    return str(options.get("db_table") or f"{app}_{model.lower()}")
