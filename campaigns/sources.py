"""Acts on sources: media folders and feeds that become posts."""

import re
import unicodedata
from collections.abc import Collection, Mapping, Sequence
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
from campaigns.source_config import clean_config
from campaigns.source_report import ScanReport
from campaigns.source_scan import scan_source, sources_root
from lib.public_http import FetchError, check_url
from lib.text import storable
from social.models import Connection

__all__ = ["ScanReport", "create_source", "delete_source", "scan_source", "sources_root", "update_source"]

EDITABLE = ("name", "folder", "feed_url", "config", "campaign", "is_active")
Kind = Source.Kind
# A source keeps its kind: what belongs to the other is not looked at.
OTHER_PLACE: dict[str, str] = {Kind.FOLDER: "feed_url", Kind.FEED: "folder"}
# Of another feed everything that is there already is old news, and what the old server said is not about it.
FEED_UNREAD = {
    "read_at": None,
    "next_scan_at": None,
    "failures": 0,
    "scan_error": "",
    "feed_etag": "",
    "feed_modified": "",
}


def create_source(
    *,
    by: Actor,
    name: str,
    folder: str = "",
    feed_url: str = "",
    config: Mapping[str, Any] | None = None,
    campaign: Campaign | None = None,
    connections: Collection[UUID] = (),
) -> Source:
    """A feed where an address is given, otherwise a folder."""
    by.require(Perm.CONTENT_EDIT)
    kind = Kind.FEED if feed_url else Kind.FOLDER
    source = Source(
        workspace=by.workspace,
        kind=kind,
        name=name.strip(),
        folder="" if feed_url else _clean_folder(folder, by.workspace),
        feed_url=_clean_address(feed_url) if feed_url else "",
        config=clean_config(config or {}),
        campaign=campaign,
        created_by=by.user,
    )
    with transaction.atomic():
        _save(source, [])
        _write_targets(source, connections)
        audit.record("source.create", source, by=by, name=source.name, place=_place(source))
    return source


def update_source(source: Source, *, by: Actor, connections: Collection[UUID] | None = None, **fields: Any) -> Source:
    """Any of EDITABLE, and where new posts go. Posts that exist keep their campaign and connections."""
    by.require(Perm.CONTENT_EDIT)
    fields = {name: value for name, value in fields.items() if name != OTHER_PLACE[source.kind]}
    if "folder" in fields:
        fields["folder"] = _clean_folder(fields["folder"], by.workspace)
    if "feed_url" in fields:
        fields["feed_url"] = _clean_address(fields["feed_url"])
    if "config" in fields:
        # What is not given stays.
        fields["config"] = clean_config(source.config | fields["config"])
    if fields.get("feed_url", source.feed_url) != source.feed_url:
        fields |= FEED_UNREAD
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
    """The folder or feed and the posts made from it stay."""
    by.require(Perm.CONTENT_EDIT)
    with transaction.atomic():
        audit.record("source.delete", source, by=by, name=source.name, place=_place(source))
        source.delete()


def _place(source: Source) -> str:
    return source.feed_url or source.folder


def _clean_address(url: str) -> str:
    """With its scheme: people copy addresses without it, and browsers hand out feed://."""
    url = re.sub(r"^feed:(//)?", "", storable(url).strip())
    url = url if "://" in url else f"https://{url}"
    try:
        check_url(url)
    except FetchError as fault:
        raise ValidationError({"feed_url": fault.message}) from fault
    return url


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
        place = "folder" if source.kind == Kind.FOLDER else "feed"
        field = "folder" if source.kind == Kind.FOLDER else "feed_url"
        raise ValidationError({field: f"Another source reads this {place} already."}) from error


def _refuse_overlap(source: Source) -> None:
    """One file under two sources would become two posts."""
    if source.kind == Kind.FEED:
        return
    own = PurePosixPath(source.folder)
    for other in Source.objects.filter(workspace=source.workspace, kind=Kind.FOLDER).exclude(pk=source.pk):
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
