"""Acts on sources: media folders that become posts."""

import unicodedata
from collections.abc import Collection, Sequence
from pathlib import PurePosixPath
from typing import Any
from uuid import UUID

from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction

from accounts import audit
from accounts.access import Actor, Perm
from accounts.models import Workspace
from campaigns.folder import FolderError, resolve_inside
from campaigns.models import Campaign, Source, SourceConnection
from campaigns.source_scan import ScanReport, scan_source, sources_root
from social.models import Connection

__all__ = ["ScanReport", "create_source", "delete_source", "scan_source", "sources_root", "update_source"]

EDITABLE = ("name", "folder", "campaign", "is_active")


def create_source(
    *,
    by: Actor,
    name: str,
    folder: str,
    campaign: Campaign | None = None,
    connections: Collection[UUID] = (),
) -> Source:
    by.require(Perm.CONTENT_EDIT)
    source = Source(
        workspace=by.workspace,
        name=name.strip(),
        folder=_clean_folder(folder, by.workspace),
        campaign=campaign,
        created_by=by.user,
    )
    with transaction.atomic():
        _save(source, [])
        _write_targets(source, connections)
        audit.record("source.create", source, by=by, name=source.name, folder=source.folder)
    return source


def update_source(source: Source, *, by: Actor, connections: Collection[UUID] | None = None, **fields: Any) -> Source:
    """Any of EDITABLE, and where new posts go. Posts that exist keep their campaign and connections."""
    by.require(Perm.CONTENT_EDIT)
    if "folder" in fields:
        fields["folder"] = _clean_folder(fields["folder"], by.workspace)
    for name, value in fields.items():
        setattr(source, name, value.strip() if isinstance(value, str) else value)
    with transaction.atomic():
        _save(source, list(fields))
        if connections is not None:
            _write_targets(source, connections)
        changed = [*fields, *(["connections"] if connections is not None else [])]
        audit.record("source.update", source, by=by, changed=sorted(changed))
    return source


def delete_source(source: Source, *, by: Actor) -> None:
    """The folder and the posts made from it stay."""
    by.require(Perm.CONTENT_EDIT)
    with transaction.atomic():
        audit.record("source.delete", source, by=by, name=source.name, folder=source.folder)
        source.delete()


def _clean_folder(folder: str, workspace: Workspace) -> str:
    # One spelling per folder, whichever form the keyboard makes.
    folder = unicodedata.normalize("NFC", folder.strip()).rstrip("/")
    if not folder:
        raise ValidationError({"folder": "Name a folder; a single dot stands for all of the workspace's folder."})
    try:
        resolve_inside(sources_root(workspace), folder)
    except FolderError as fault:
        raise ValidationError({"folder": fault.message}) from fault
    return str(PurePosixPath(folder))


def _save(source: Source, changed: Sequence[str]) -> None:
    source.full_clean(exclude={field.name for field in Source._meta.fields} - set(EDITABLE))
    _refuse_overlap(source)
    try:
        with transaction.atomic():
            source.save(update_fields=list(changed) or None)
    except IntegrityError as error:
        # Somebody named the same folder at the same moment.
        raise ValidationError({"folder": "Another source reads this folder already."}) from error


def _refuse_overlap(source: Source) -> None:
    """One file under two sources would become two posts."""
    own = PurePosixPath(source.folder)
    for other in Source.objects.filter(workspace=source.workspace).exclude(pk=source.pk):
        theirs = PurePosixPath(other.folder)
        if own.is_relative_to(theirs) or theirs.is_relative_to(own):
            raise ValidationError({"folder": f"The source “{other}” reads this folder, or one inside it, already."})


def _write_targets(source: Source, connections: Collection[UUID]) -> None:
    wanted = set(connections)
    known = Connection.objects.shown().filter(workspace=source.workspace, pk__in=wanted)
    if missing := wanted - {connection.pk for connection in known}:
        raise ValidationError({"connections": f"There is no connection {', '.join(map(str, missing))} here."})
    SourceConnection.objects.filter(source=source).exclude(connection__in=wanted).delete()
    SourceConnection.objects.bulk_create(
        [SourceConnection(workspace=source.workspace, source=source, connection_id=pk) for pk in wanted],
        ignore_conflicts=True,
    )
