"""Copies of data: a ZIP with one file of JSON lines per model, the media, and a manifest that proves what is in it.

manifest.json: {"format", "subject", "generated_at", "models": {label: {"file", "rows", "sha256", "fields": {name:
type}}}, "media": [{"file", "bytes", "sha256"}], "notes": [...]}.
"""

import hashlib
import json
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from tempfile import NamedTemporaryFile
from typing import IO, Any
from uuid import UUID

from django.core.files import File
from django.core.files.storage import default_storage, storages
from django.core.serializers.json import DjangoJSONEncoder
from django.db.models import DateField, DateTimeField, Field, Model, Q, QuerySet

from accounts.inventory import INVENTORY, Declaration, Person, Rule
from accounts.models import Workspace
from accounts.scope import all_workspaces_scope, workspace_scope
from compliance.models.privacy import SubjectKind
from compliance.privacy.traces import Traces
from lib.clock import now

FORMAT = 1
BEAT_ROWS = 1000
MEDIA_FIELDS = ("file", "thumbnail")
NOTES = [
    "Each line of a file is one row, as JSON. Times are UTC.",
    "Passwords, tokens and keys are left out.",
]
Manifest = dict[str, Any]


@dataclass(frozen=True)
class Part:
    """Rows of one model, with the fields that are given of them."""

    declaration: Declaration
    rows: QuerySet[Model]
    fields: tuple[str, ...]


@dataclass(frozen=True)
class Copy:
    kind: str
    id: UUID
    parts: list[Part]
    # None: rows of several workspaces.
    workspace_id: UUID | None = None


# --- whose data ---------------------------------------------------------------------------------------------


def copy_of_person(traces: Traces) -> Copy:
    """Their own rows in full; of rows that only name them, the dates and what stands there about them."""
    parts = [part for declaration in INVENTORY.values() for part in _parts_of(declaration, traces)]
    return Copy(traces.person.value, traces.pk, parts, traces.workspace_id)


def _parts_of(declaration: Declaration, traces: Traces) -> Iterator[Part]:
    rows = declaration.model._base_manager.order_by("pk")
    if traces.workspace_id:
        if not declaration.path:
            return
        rows = rows.filter(**{declaration.path: traces.workspace_id})
    path = declaration.subjects.get(traces.person)
    if path:
        yield Part(declaration, rows.filter(**{path: traces.pk}), _own_fields(declaration))
    elif traces.person == Person.USER and (wanted := _naming(declaration, traces)):
        yield Part(declaration, rows.filter(wanted), _mentioning_fields(declaration))


def _own_fields(declaration: Declaration) -> tuple[str, ...]:
    return tuple(f.name for f in declaration.model._meta.concrete_fields if f.name not in declaration.hidden)


def _naming(declaration: Declaration, traces: Traces) -> Q:
    """By a reference, or by their address written out."""
    wanted = Q()
    for name in declaration.fields(Rule.UNLINK):
        wanted |= Q(**{name: traces.pk})
    for name in declaration.fields(Rule.LABEL, Rule.WHOLE, Rule.ROW):
        if declaration.model._meta.get_field(name).get_internal_type() in {"CharField", "EmailField"}:
            wanted |= Q(**{f"{name}__in": traces.strong})
    return wanted


def _mentioning_fields(declaration: Declaration) -> tuple[str, ...]:
    if declaration.export:
        return ("pk", *declaration.export)
    fields = [f for f in declaration.model._meta.concrete_fields if isinstance(f, DateField | DateTimeField)]
    return ("pk", *(f.name for f in fields), *declaration.fields(Rule.UNLINK))


def copy_of_workspace(workspace: Workspace) -> Copy:
    parts = [
        Part(
            declaration,
            declaration.model._base_manager.filter(**{declaration.path: workspace.pk}).order_by("pk"),
            _workspace_fields(declaration),
        )
        for declaration in INVENTORY.values()
        if declaration.path and not declaration.is_private
    ]
    return Copy(SubjectKind.WORKSPACE, workspace.pk, parts, workspace.pk)


def _workspace_fields(declaration: Declaration) -> tuple[str, ...]:
    # Of members their name and address, which every member can see; nothing else of their accounts.
    of_member = ("user__email", "user__name") if declaration.subjects.get(Person.USER) == "user" else ()
    return (*_own_fields(declaration), *of_member)


# --- the file -----------------------------------------------------------------------------------------------


def write_copy(copy: Copy, name: str, *, beat: Callable[[int, int], None]) -> Manifest:
    """Store the ZIP under the name and return its manifest. `beat(done, of)` is called often: it keeps a lease alive.

    Nothing is held in memory: the archive grows in a temporary file, which is then streamed to the storage.
    """
    with NamedTemporaryFile(suffix=".zip") as file:
        with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
            manifest = _fill(archive, copy, beat)
            archive.writestr("manifest.json", json.dumps(manifest, indent=2, ensure_ascii=False))
        file.seek(0)
        if default_storage.exists(name):
            default_storage.delete(name)
        default_storage.save(name, File(file))
    return manifest


def _fill(archive: zipfile.ZipFile, copy: Copy, beat: Callable[[int, int], None]) -> Manifest:
    models: dict[str, Any] = {}
    media: list[dict[str, Any]] = []
    for number, part in enumerate(copy.parts):
        step = partial(beat, number, len(copy.parts))
        step()
        written = _write_rows(archive, part, copy.workspace_id, step)
        if written["rows"]:
            models[part.declaration.label] = written
        if set(MEDIA_FIELDS) <= set(part.fields):
            media += _write_media(archive, part, copy.workspace_id, step)
        media += _write_archived(archive, part, copy.workspace_id, step)
    return {
        "format": FORMAT,
        "subject": {"kind": copy.kind, "id": str(copy.id)},
        "generated_at": now().isoformat(),
        "models": models,
        "media": media,
        "notes": NOTES,
    }


def _write_rows(
    archive: zipfile.ZipFile, part: Part, workspace_id: UUID | None, step: Callable[[], None]
) -> dict[str, Any]:
    name = f"data/{part.declaration.label.lower()}.jsonl"
    digest, count = hashlib.sha256(), 0
    # Asked first, so that a model without rows leaves no empty file behind.
    if not _exists(part, workspace_id):
        return {"rows": 0}
    with archive.open(name, "w", force_zip64=True) as file:
        for row in _values(part, workspace_id):
            line = json.dumps(row, cls=DjangoJSONEncoder, ensure_ascii=False).encode() + b"\n"
            file.write(line)
            digest.update(line)
            count += 1
            if count % BEAT_ROWS == 0:
                step()
    return {"file": name, "rows": count, "sha256": digest.hexdigest(), "fields": _types(part)}


def _exists(part: Part, workspace_id: UUID | None) -> bool:
    with _scope(workspace_id):
        return part.rows.exists()


def _values(part: Part, workspace_id: UUID | None) -> Iterator[dict[str, Any]]:
    with _scope(workspace_id):
        yield from part.rows.values(*part.fields).iterator(chunk_size=BEAT_ROWS)


def _scope(workspace_id: UUID | None) -> Any:
    return workspace_scope(workspace_id) if workspace_id else all_workspaces_scope("a person's copy of their data")


def _types(part: Part) -> dict[str, str]:
    own = {f.name: f for f in part.declaration.model._meta.concrete_fields}
    own["pk"] = part.declaration.model._meta.pk
    return {name: _type(own.get(name)) for name in part.fields}


def _type(field: Field | None) -> str:
    return field.get_internal_type() if field is not None else "Related"


def _write_media(
    archive: zipfile.ZipFile, part: Part, workspace_id: UUID | None, step: Callable[[], None]
) -> Iterator[dict[str, Any]]:
    with _scope(workspace_id):
        stored = list(part.rows.values_list(*MEDIA_FIELDS))
    for name in sorted({name for names in stored for name in names if name}):
        step()
        # A file that is lost is no reason to keep the rest back.
        if default_storage.exists(name):
            with default_storage.open(name) as source:
                yield _write_file(archive, f"media/{name}", source)


def _write_archived(
    archive: zipfile.ZipFile, part: Part, workspace_id: UUID | None, step: Callable[[], None]
) -> Iterator[dict[str, Any]]:
    """What rows keep in cold storage, as it lies there."""
    for field in part.declaration.archived_in:
        with _scope(workspace_id):
            stored = set(part.rows.exclude(**{field: ""}).values_list(field, flat=True))
        for name in sorted(stored):
            step()
            if storages["archive"].exists(name):
                with storages["archive"].open(name) as source:
                    yield _write_file(archive, f"archive/{name}", source)


def _write_file(archive: zipfile.ZipFile, name: str, source: IO[bytes] | File) -> dict[str, Any]:
    digest, size = hashlib.sha256(), 0
    with archive.open(name, "w", force_zip64=True) as target:
        while block := source.read(1024 * 1024):
            target.write(block)
            digest.update(block)
            size += len(block)
    return {"file": name, "bytes": size, "sha256": digest.hexdigest()}
