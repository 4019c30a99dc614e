"""Old briefs in cold storage: one object a person and month, JSON lines, gzip.

An object is complete before the rows let go of their data, and is written once: what comes late to a month gets another
object. A killed run leaves at most an object that no row names; the next run writes it anew under the same name.
"""

import gzip
import hashlib
import json
from datetime import timedelta
from itertools import groupby
from typing import Any
from uuid import UUID

from django.conf import settings
from django.core.files.base import ContentFile
from django.core.files.storage import storages

from accounts.scope import all_workspaces_scope, workspace_scope
from lib.clock import now
from personal.models import Brief

STORAGE = "archive"
LIMIT = 5_000


def archive_briefs(limit: int = LIMIT) -> int:
    """The number of briefs that moved."""
    cutoff = now() - timedelta(days=settings.BRIEF_ARCHIVE_DAYS)
    with all_workspaces_scope("find briefs to archive"):
        old = Brief.objects.filter(archived_at=None, created_at__lt=cutoff)
        rows = list(old.order_by("workspace_id", "user_id", "wanted_at").values_list(*FACTS)[:limit])
    groups = groupby(rows, key=lambda row: (row[0], row[1], f"{row[2]:%Y-%m}"))
    return sum(
        _archive(workspace, user, month, [row[3] for row in group]) for (workspace, user, month), group in groups
    )


FACTS = ("workspace_id", "user_id", "wanted_at", "pk")


def _archive(workspace_id: UUID, user_id: UUID, month: str, ids: list[UUID]) -> int:
    """Written outside of the transaction that reads; whoever was erased or changed meanwhile is left alone."""
    with workspace_scope(workspace_id):
        rows = list(Brief.objects.filter(pk__in=ids, archived_at=None).order_by("pk"))
    if not rows:
        return 0
    key = _name(workspace_id, user_id, month, [row.pk for row in rows])
    lines = "".join(json.dumps({"id": str(row.pk), "data": row.data}, ensure_ascii=False) + "\n" for row in rows)
    storage = storages[STORAGE]
    if storage.exists(key):
        storage.delete(key)
    storage.save(key, ContentFile(gzip.compress(lines.encode(), mtime=0)))
    with workspace_scope(workspace_id):
        mine = Brief.objects.filter(pk__in=[row.pk for row in rows], archived_at=None)
        moved = mine.update(data=None, archive_key=key, archived_at=now())
        is_named = Brief.objects.filter(workspace=workspace_id, archive_key=key).exists()
    # The person was erased while it was written. Another run may have moved the same rows: its object stays.
    if not is_named:
        storage.delete(key)
    return moved


def _name(workspace_id: UUID, user_id: UUID, month: str, ids: list[UUID]) -> str:
    """By what is in it, so that a repeat writes the same object, and what comes later another one."""
    digest = hashlib.sha256("".join(map(str, ids)).encode()).hexdigest()[:12]
    return f"{workspace_id}/briefs/{user_id}/{month}-{digest}.jsonl.gz"


def data_of(brief: Brief) -> dict[str, Any]:
    """From wherever it is. Empty where the object is lost."""
    if brief.data is not None or not brief.archive_key:
        return brief.data or {}
    return _month_of(brief.archive_key).get(str(brief.pk)) or {}


def _month_of(key: str) -> dict[str, dict[str, Any]]:
    storage = storages[STORAGE]
    if not storage.exists(key):
        return {}
    with storage.open(key) as file:
        # Not `splitlines`: texts hold line ends of other kinds, which JSON writes as they are.
        lines = gzip.decompress(file.read()).decode().split("\n")
    return {row["id"]: row["data"] for row in map(json.loads, filter(None, lines))}
