"""What every scan shares: its report, its rights, and that it runs alone."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from django.db import connection

from accounts.access import Actor, Perm, system_actor
from campaigns.errors import NotAllowedNow
from campaigns.folder_walk import Problem
from campaigns.models import Source
from lib.locks import held_lock, transaction_lock

SCAN_PERMS = {Perm.CONTENT_EDIT, Perm.PUBLISH}


@dataclass
class ScanReport:
    """What a scan did. `problems` names every file or entry that was not used as it is, with the reason."""

    created: int = 0
    updated: int = 0
    unchanged: int = 0
    renamed: int = 0
    vanished: int = 0
    problems: list[Problem] = field(default_factory=list)
    # Why nothing could be scanned at all.
    error: str = ""

    @property
    def has_changes(self) -> bool:
        return bool(self.created or self.updated or self.renamed or self.vanished)


def scanner(source: Source, by: Actor | None) -> Actor:
    """Who scans: whoever asked, or the source itself."""
    by = by or system_actor(source.workspace, f"source {source.name}", SCAN_PERMS, author=source.created_by)
    by.require(Perm.CONTENT_EDIT)
    return by


@contextmanager
def only_scan_of(source: Source) -> Iterator[None]:
    """Raises NotAllowedNow while another scan of this source runs."""
    key = f"source {source.pk}"
    # Inside a caller's transaction the lock must outlive this function: until then nobody else sees the rows.
    with transaction_lock(key) if connection.in_atomic_block else held_lock(key) as is_only:
        if not is_only:
            noun = "feed" if source.kind == Source.Kind.FEED else "folder"
            raise NotAllowedNow(f"A scan of this {noun} is running. Wait until it is done.")
        yield
