"""Reads for the pages of sources."""

from dataclasses import dataclass, field
from pathlib import Path

from django.db.models import Count, Prefetch, Q, QuerySet

from accounts.models import Workspace
from campaigns.models import PartMedia, PostPart, Source, SourceItem
from campaigns.sources import sources_root

Status = SourceItem.Status
FOLDERS_OFFERED = 50
DEPTH = 3


@dataclass
class Items:
    """The files of a source as the last scan saw them."""

    used: list[SourceItem] = field(default_factory=list)
    problems: list[SourceItem] = field(default_factory=list)
    vanished: list[SourceItem] = field(default_factory=list)


def with_counts(sources: QuerySet[Source]) -> QuerySet[Source]:
    counts = {f"{status.value}_files": Count("items", filter=Q(items__status=status)) for status in Status}
    return sources.annotate(**counts).select_related("campaign")


def items_of(source: Source) -> Items:
    parts = PostPart.objects.filter(position=0).prefetch_related(
        Prefetch("media", PartMedia.objects.select_related("asset"))
    )
    rows = source.items.select_related("post").prefetch_related(Prefetch("post__parts", parts), "post__deliveries")
    items = Items()
    places = {Status.USED: items.used, Status.PROBLEM: items.problems, Status.VANISHED: items.vanished}
    for row in rows.order_by("path"):
        places[Status(row.status)].append(row)
    return items


def free_folders(workspace: Workspace) -> list[str]:
    """Folders on the disk that no source reads yet, the nearest first."""
    root = sources_root(workspace)
    claimed = set(Source.objects.filter(workspace=workspace).values_list("folder", flat=True))
    found: list[str] = []
    level = [root]
    for _ in range(DEPTH):
        level = [child for parent in level for child in _folders_in(parent)]
        found += [str(path.relative_to(root)) for path in level]
    return [folder for folder in found if folder not in claimed][:FOLDERS_OFFERED]


def _folders_in(parent: Path) -> list[Path]:
    """Without links, which could lead anywhere, and without what is hidden."""
    try:
        children = sorted(parent.iterdir())
    except OSError:
        return []
    return [path for path in children if path.is_dir() and not path.is_symlink() and not path.name.startswith(".")]
