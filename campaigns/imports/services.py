"""Acts on imports: upload, choose columns, check, apply, forget."""

from collections import Counter
from collections.abc import Mapping

from django.core.exceptions import ValidationError
from django.db import transaction

from accounts import audit
from accounts.access import Actor, Perm
from accounts.models import check_time_zone
from campaigns.errors import NotAllowedNow
from campaigns.imports.mapping import clean_mapping, guess_mapping, normal
from campaigns.imports.plan import Fate, decide, existing_posts, read_plan
from campaigns.imports.reading import read_table
from campaigns.models import Import
from lib.text import storable

Status = Import.Status
REMEMBERED = 50


def create_import(name: str, content: bytes, *, by: Actor, time_zone: str = "") -> Import:
    """Nothing is made of it yet. Its columns are guessed, as they were chosen last time for a file like this."""
    by.require(Perm.CONTENT_EDIT)
    table = read_table(name, content)
    zone = time_zone or by.workspace.time_zone
    check_time_zone(zone)
    with transaction.atomic():
        imported = Import.objects.create(
            workspace=by.workspace,
            name=storable(name).strip()[:200] or "plan",
            columns=table.columns,
            rows=table.rows,
            mapping=_remembered(by, table.columns) or guess_mapping(table.columns),
            time_zone=zone,
            created_by=by.user,
        )
        audit.record("import.create", imported, by=by, name=imported.name, rows=len(table.rows))
    return imported


def _remembered(by: Actor, columns: list[str]) -> dict[str, str]:
    """What was chosen for the last file with the same columns, in whatever order."""
    wanted = sorted(map(normal, columns))
    for earlier in Import.objects.filter(workspace=by.workspace).exclude(status=Status.MAPPING)[:REMEMBERED]:
        if sorted(map(normal, earlier.columns)) == wanted:
            names = {normal(column): column for column in columns}
            return {name: names[normal(column)] for name, column in earlier.mapping.items()}
    return {}


def check_import(
    imported: Import, *, by: Actor, mapping: Mapping[str, str] | None = None, time_zone: str = ""
) -> Import:
    """The dry run: each row's fate, and nothing else changes. May be repeated until it is applied."""
    by.require(Perm.CONTENT_EDIT)
    with transaction.atomic():
        row = (
            Import.objects.select_for_update(no_key=True, of=("self",)).select_related("workspace").get(pk=imported.pk)
        )
        _refuse_begun(row)
        row.mapping = clean_mapping(row.mapping if mapping is None else mapping, row.columns)
        row.time_zone = time_zone or row.time_zone
        try:
            check_time_zone(row.time_zone)
        except ValidationError as error:
            raise ValidationError({"time_zone": error.messages}) from error
        row.fates = [fate.as_json() for fate in _fates(row)]
        row.status, row.done_rows = Status.CHECKED, 0
        row.save(update_fields=["mapping", "time_zone", "fates", "status", "done_rows"])
    return row


def _fates(imported: Import) -> list[Fate]:
    plan = read_plan(imported)
    posts = existing_posts(imported, plan.groups)
    fates = dict(plan.fates)
    for fate in fates.values():
        fate.is_done = True
    for group in plan.groups:
        decided = decide(group, posts.get(group.external_id), plan.known)
        for row in group.rows:
            fates[row.number] = decided
    return [fates[number] for number in range(len(imported.rows))]


def start_import(imported: Import, *, by: Actor) -> Import:
    """Let the background make it so. Pressing twice starts it once."""
    by.require(Perm.CONTENT_EDIT)
    # Times in the file are plans.
    by.require(Perm.PUBLISH)
    with transaction.atomic():
        row = Import.objects.select_for_update(no_key=True).get(pk=imported.pk)
        if row.status == Status.MAPPING:
            raise NotAllowedNow("Check the rows first.")
        if row.status == Status.CHECKED:
            row.status = Status.APPLYING
            row.save(update_fields=["status"])
            audit.record("import.apply", row, by=by, **count_fates(row))
    return row


def delete_import(imported: Import, *, by: Actor) -> None:
    """The file is forgotten; posts made from it stay."""
    by.require(Perm.CONTENT_EDIT)
    with transaction.atomic():
        row = Import.objects.select_for_update(no_key=True).get(pk=imported.pk)
        if row.status == Status.APPLYING:
            raise NotAllowedNow("It is being applied. Wait until it is done.")
        audit.record("import.delete", row, by=by, name=row.name)
        row.delete()


def count_fates(imported: Import) -> dict[str, int]:
    counts = Counter(fate["action"] for fate in imported.fates)
    return {action: counts[action] for action in ("create", "update", "same", "skip", "error")}


def _refuse_begun(row: Import) -> None:
    if row.status in {Status.APPLYING, Status.APPLIED}:
        raise NotAllowedNow("This import was applied already. Upload the file again to change what it made.")
