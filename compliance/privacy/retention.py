"""What is older than the inventory says is deleted: in small transactions, by one sweeper, never against a hold."""

from datetime import timedelta
from uuid import UUID

import structlog
from django.core.files.storage import default_storage
from django.db import transaction
from django.db.models import DateField, DateTimeField, Model, QuerySet

from accounts.inventory import INVENTORY, Declaration, Person
from accounts.scope import all_workspaces_scope
from compliance.models import PrivacyRequest
from compliance.models.privacy import SubjectKind
from compliance.privacy import holds
from compliance.privacy.erase import COPIES, KEPT, drop_file
from compliance.privacy.mentions import allow_erasing
from lib.clock import now
from lib.locks import held_lock

log = structlog.get_logger(__name__)
BATCH = 1000
SWEEPER_LOCK = 7_301_010


def sweep(*, batch: int = BATCH) -> dict[str, int]:
    """The rows deleted, by model. Nothing while another sweeper runs; a kill loses nothing but the rest of the work."""
    with held_lock(SWEEPER_LOCK) as is_only:
        if not is_only:
            return {}
        deleted = {d.label: count for d in INVENTORY.values() if d.keep.since and (count := _sweep_model(d, batch))}
        if files := _drop_old_files():
            deleted["files"] = files
    if deleted:
        log.info("retention_swept", **deleted)
    return deleted


def _sweep_model(declaration: Declaration, batch: int) -> int:
    deleted = 0
    while True:
        with all_workspaces_scope("retention"):
            allow_erasing()
            old = expired(declaration).select_for_update(no_key=True, skip_locked=True, of=("self",)).order_by("pk")
            keys = list(old.values_list("pk", flat=True)[:batch])
            declaration.model._base_manager.filter(pk__in=keys).delete()
        deleted += len(keys)
        if len(keys) < batch:
            return deleted


def expired(declaration: Declaration) -> QuerySet[Model]:
    """Rows past their time that no hold keeps (inside the all-workspaces scope)."""
    cutoff = now() - timedelta(days=declaration.keep.days or 0)
    field = declaration.model._meta.get_field(declaration.keep.since)
    is_day = isinstance(field, DateField) and not isinstance(field, DateTimeField)
    rows = declaration.model._base_manager.filter(
        **{f"{declaration.keep.since}__lt": cutoff.date() if is_day else cutoff}
    )
    if declaration.path:
        rows = rows.exclude(**{f"{declaration.path}__in": _held(SubjectKind.WORKSPACE)})
    for person, path in declaration.subjects.items():
        kind = SubjectKind.USER if person == Person.USER else SubjectKind.CONTACT
        rows = rows.exclude(**{f"{path}__in": _held(kind)})
    return rows


def _held(kind: str) -> list[UUID]:
    return list(holds.standing().filter(subject_kind=kind).values_list("subject_id", flat=True))


def _drop_old_files() -> int:
    """Exports are copies: a hold keeps what they were made from, not them."""
    with all_workspaces_scope("retention of exports"), transaction.atomic():
        rows = list(PrivacyRequest.objects.filter(file_expires_at__lt=now()).exclude(file="")[:BATCH])
        for row in rows:
            drop_file(row)
        known = set(PrivacyRequest.objects.exclude(file="").values_list("file", flat=True))
    return len(rows) + _drop_strays(known)


def _drop_strays(known: set[str]) -> int:
    """Copies without a request: made by the command, or left by a worker that died."""
    try:
        names = {f"{COPIES}/{name}" for name in default_storage.listdir(COPIES)[1]} - known
    except (FileNotFoundError, NotImplementedError):
        return 0
    old = [name for name in names if default_storage.get_modified_time(name) < now() - KEPT]
    for name in old:
        default_storage.delete(name)
    return len(old)
