"""The end of a workspace: thirty days in which everything can be taken back, then everything it owns goes for good."""

import shutil
from collections.abc import Iterator
from datetime import timedelta
from functools import lru_cache
from graphlib import TopologicalSorter
from typing import Any
from uuid import UUID

import structlog
from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.files.storage import default_storage
from django.db import connection, models, transaction

from accounts import audit
from accounts.access import Actor, Perm
from accounts.guests import drop_grants
from accounts.inventory import INVENTORY, Declaration, of_workspaces
from accounts.models import Membership, Notification, User, Workspace
from accounts.scope import all_workspaces_scope, workspace_scope
from accounts.services import emit
from accounts.stops import stop_workspace
from compliance.models import Erasure, PrivacyRequest
from compliance.models.privacy import SubjectKind
from compliance.privacy import caches, holds, ledger
from compliance.privacy.erase import drop_archived
from compliance.privacy.errors import NotErasable
from compliance.privacy.export import MEDIA_FIELDS
from lib.clock import now

log = structlog.get_logger(__name__)
GRACE = timedelta(days=30)
BATCH = 2000
STOPPED = "This workspace is going to be deleted."


def ask_deletion(typed_name: str, *, by: Actor) -> bool:
    """Stop everything at once and start the clock; False where it runs already."""
    by.require(Perm.DELETE)
    if " ".join(typed_name.split()) != " ".join(by.workspace.name.split()):
        raise ValidationError({"name": f"Type the name exactly as it is written: {by.workspace.name}"})
    holds.require_no_hold_in_workspace(by.workspace)
    deletes_at = now() + GRACE
    with transaction.atomic():
        open_ones = Workspace.objects.filter(pk=by.workspace.pk, deletes_at=None)
        if not open_ones.update(deletes_at=deletes_at):
            return False
        stop_workspace(STOPPED, by=by)
        emit(by.workspace, "workspace.deletion_asked", deletes_at=deletes_at.isoformat())
        _tell_everybody(by.workspace, f"{by.workspace.name} will be deleted on {deletes_at:%-d %B %Y} (UTC).")
        audit.record("workspace.deletion_ask", by.workspace, by=by, deletes_at=deletes_at.isoformat())
    by.workspace.deletes_at = deletes_at
    return True


def cancel_deletion(*, by: Actor) -> bool:
    """Everything is as before, but stays stopped until somebody releases it. False where nothing was asked."""
    by.require(Perm.DELETE)
    with transaction.atomic():
        # Past its time it may already be half gone.
        waiting = Workspace.objects.filter(pk=by.workspace.pk, deletes_at__gt=now())
        if not waiting.update(deletes_at=None):
            return False
        emit(by.workspace, "workspace.deletion_canceled")
        _tell_everybody(by.workspace, f"{by.workspace.name} will not be deleted. Publishing waits for its release.")
        audit.record("workspace.deletion_cancel", by.workspace, by=by)
    by.workspace.deletes_at = None
    return True


def _tell_everybody(workspace: Workspace, text: str) -> None:
    members = Membership.objects.filter(workspace=workspace).values_list("user_id", flat=True)
    Notification.objects.bulk_create(
        Notification(
            workspace=workspace, user_id=user, kind="workspace.deletion", text=text[:300], path="/", is_alert=True
        )
        for user in members
    )


# --- for good -----------------------------------------------------------------------------------------------


def due_workspaces() -> list[UUID]:
    return [*Workspace.objects.filter(deletes_at__lte=now()).order_by("deletes_at").values_list("pk", flat=True)]


def delete_workspace(workspace_id: UUID) -> dict[str, int]:
    """All of a workspace whose time is over; the rows deleted, by model. May be killed and started again anywhere."""
    workspace = Workspace.objects.filter(pk=workspace_id, deletes_at__lte=now()).first()
    if workspace is None:
        return {}
    try:
        holds.require_no_hold_in_workspace(workspace)
    except NotErasable as error:
        log.warning("deletion_held", workspace=str(workspace_id), reason=error.messages[0])
        return {}
    ledger.append(SubjectKind.WORKSPACE, workspace_id, workspace_id)
    _drop_grants(workspace)
    _delete_files(workspace_id)
    counts = {d.label: count for d in _children_first() if (count := _delete_rows(d, workspace_id))}
    _delete_last(workspace, counts)
    # Once more: a job that was under way may have written one.
    _delete_files(workspace_id)
    caches.forget(frozenset({str(workspace_id)}))
    return counts


def _drop_grants(workspace: Workspace) -> None:
    """Grants on single objects name them only by their id."""
    members = Membership.objects.filter(workspace=workspace).select_related("user")
    with workspace_scope(workspace.pk):
        for member in members:
            drop_grants(member.user, workspace)


def _delete_files(workspace_id: UUID) -> None:
    for name in _stored_names(workspace_id):
        default_storage.delete(name)
    with workspace_scope(workspace_id):
        for declaration in of_workspaces():
            drop_archived(declaration, declaration.model._base_manager.all())
    _delete_folder(str(workspace_id))
    shutil.rmtree(settings.SOURCES_ROOT / str(workspace_id), ignore_errors=True)


def _stored_names(workspace_id: UUID) -> list[str]:
    with workspace_scope(workspace_id):
        names = [*PrivacyRequest.objects.exclude(file="").values_list("file", flat=True)]
        for declaration in of_workspaces():
            if set(MEDIA_FIELDS) <= {f.name for f in declaration.model._meta.fields}:
                rows = declaration.model._base_manager.values_list(*MEDIA_FIELDS)
                names += [name for row in rows for name in row if name]
    return names


def _delete_folder(folder: str) -> None:
    """What lies there without a row as well."""
    try:
        folders, files = default_storage.listdir(folder)
    except (FileNotFoundError, NotImplementedError):
        return
    for name in files:
        default_storage.delete(f"{folder}/{name}")
    for name in folders:
        _delete_folder(f"{folder}/{name}")
    # A folder is a thing of its own on a disk only.
    default_storage.delete(folder)


def _delete_rows(declaration: Declaration, workspace_id: UUID) -> int:
    """Batch by batch, by plain SQL: Django would load everything that refers to it."""
    meta = declaration.model._meta
    column = "workspace_id"
    sql = (
        f'DELETE FROM "{meta.db_table}" WHERE ctid = ANY(ARRAY('  # noqa: S608 (names from the models)
        f'SELECT ctid FROM "{meta.db_table}" WHERE {column} = %s LIMIT {BATCH}))'
    )
    deleted = 0
    while True:
        with all_workspaces_scope("deletion of a workspace"), connection.cursor() as cursor:
            _allow(cursor, workspace_id)
            cursor.execute(sql, [workspace_id])
            count = cursor.rowcount
        deleted += count
        if count < BATCH:
            return deleted


def _allow(cursor: Any, workspace_id: UUID) -> None:
    cursor.execute(
        "SELECT set_config('app.erasing', 'on', true), set_config('app.deleting_workspace', %s, true)",
        [str(workspace_id)],
    )


def _delete_last(workspace: Workspace, counts: dict[str, int]) -> None:
    with all_workspaces_scope("deletion of a workspace"):
        User.objects.filter(last_workspace=workspace).update(last_workspace=None)
        with connection.cursor() as cursor:
            _allow(cursor, workspace.pk)
            cursor.execute("DELETE FROM accounts_workspace WHERE id = %s", [workspace.pk])
        Erasure.objects.create(
            subject_kind=SubjectKind.WORKSPACE, subject_id=workspace.pk, workspace_id=workspace.pk, counts=counts
        )
        audit.record_staff("workspace.delete", workspace, staff="retention", rows=sum(counts.values()))


@lru_cache(maxsize=1)
def _children_first() -> tuple[Declaration, ...]:
    """Whoever refers to a row goes before it."""
    mine = {d.model: d for d in of_workspaces() if d.model is not Workspace}
    graph = {model: {target for target in _targets(model) if target in mine} for model in mine}
    order = [*TopologicalSorter(graph).static_order()]
    return tuple(mine[model] for model in reversed(order))


def _targets(model: type[models.Model]) -> Iterator[type[models.Model]]:
    for field in model._meta.concrete_fields:
        target = field.related_model
        if isinstance(target, type) and target is not model and target in INVENTORY:
            yield target
