"""The scans that nobody asks for: beat looks for new files now and then."""

import hashlib
from pathlib import Path
from uuid import UUID

import structlog
from django.core.cache import cache
from django.db.models import F, Q, Window
from django.db.models.functions import RowNumber

from accounts.scope import all_workspaces_scope, workspace_scope
from campaigns.errors import NotAllowedNow
from campaigns.folder import FolderError, Problem, resolve_inside
from campaigns.folder_walk import Found, walk
from campaigns.models import Source
from campaigns.source_items import MAX_FILES
from campaigns.source_scan import scan_source, sources_root
from lib.clock import now

log = structlog.get_logger(__name__)

BATCH = 500
SMALL_FILES, SMALL_BYTES = 200, 256 * 1024**2
# Reading gigabytes again because nothing changed is skipped this long; a full scan now and then finds the rest.
SKIP_UNCHANGED_S = 3600


def sources_to_rescan() -> list[tuple[UUID, UUID]]:
    """Workspace and source ids: every workspace's longest waiting source before anybody's second one."""
    waiting = F("scanned_at").asc(nulls_first=True)
    turn = Window(RowNumber(), partition_by="workspace", order_by=waiting)
    with all_workspaces_scope("find source folders to scan again"):
        sources = Source.objects.filter(is_active=True, workspace__is_suspended=False).annotate(turn=turn)
        sources = sources.filter(Q(next_scan_at=None) | Q(next_scan_at__lte=now()))
        return list(sources.order_by("turn", waiting).values_list("workspace_id", "pk")[:BATCH])


def is_small(source: Source) -> bool:
    """Read while the caller waits. A folder that is not there is answered at once, too; a feed may keep us waiting."""
    if source.kind == Source.Kind.FEED:
        return False
    try:
        folder = resolve_inside(sources_root(source.workspace), source.folder)
        sizes = [file.size for group in walk(folder, max_files=MAX_FILES) for file in _files(group)]
    except FolderError:
        return True
    return len(sizes) <= SMALL_FILES and sum(sizes) <= SMALL_BYTES


def _files(group: list[Found] | Problem) -> list[Found]:
    return [] if isinstance(group, Problem) else group


def rescan_source(workspace_id: UUID, source_id: UUID) -> None:
    with workspace_scope(workspace_id):
        source = Source.objects.select_related("workspace").filter(pk=source_id, is_active=True).first()
    if source is None:
        return
    key, state = f"source-state:{source.pk}", "" if source.kind == Source.Kind.FEED else _state_of(source)
    if state and cache.get(key) == state:
        return
    try:
        report = scan_source(source)
    except NotAllowedNow:
        log.info("scan_already_running", source=str(source.pk))
        return
    log.info("source_scanned", source=str(source.pk), created=report.created, problems=len(report.problems))
    cache.set(key, "" if report.error else state, SKIP_UNCHANGED_S)


def _state_of(source: Source) -> str:
    """Changes with every file that comes, goes or is written; empty where the folder cannot be read."""
    try:
        folder = resolve_inside(sources_root(source.workspace), source.folder)
        marks = [_mark(file.path) for group in walk(folder, max_files=MAX_FILES) for file in _files(group)]
    except (FolderError, OSError):
        return ""
    return hashlib.sha256("\n".join([source.folder, *marks]).encode("utf-8", "surrogateescape")).hexdigest()


def _mark(path: Path) -> str:
    status = path.stat()
    return f"{path} {status.st_size} {status.st_mtime_ns} {status.st_ctime_ns}"
