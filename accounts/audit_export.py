"""The audit trail as a file. JSON lines carry the salts and hashes too, so that anybody can check them."""

import json
from collections.abc import Iterator
from typing import Any

from django.db.models import QuerySet
from django.http import StreamingHttpResponse

from accounts.access import Actor
from accounts.audit_queries import AuditFilter, search_entries
from accounts.models import AuditEntry
from accounts.scope import workspace_scope
from lib.clock import now
from lib.csv_cells import csv_lines

FORMATS = {"csv": "text/csv; charset=utf-8", "jsonl": "application/x-ndjson"}
COLUMNS = ("number", "at", "who", "action", "object_kind", "object_id", "details", "hash")
BATCH = 500


def export_entries(wanted: AuditFilter, form: str, *, by: Actor) -> StreamingHttpResponse:
    """The newest first, in short transactions: a long download holds none open."""
    # Asked here already: the answer begins only when it is sent.
    search_entries(by, wanted)
    pieces = _csv(wanted, by) if form == "csv" else _json_lines(wanted, by)
    name = f"audit-{by.workspace.slug}-{now():%Y-%m-%d}.{form}"
    headers = {"Content-Disposition": f'attachment; filename="{name}"'}
    return StreamingHttpResponse(pieces, content_type=FORMATS[form], headers=headers)


def _batches(wanted: AuditFilter, by: Actor) -> Iterator[list[AuditEntry]]:
    before: int | None = None
    while True:
        with workspace_scope(by.workspace.pk):
            entries = search_entries(by, wanted)
            rows = list(_older(entries, before)[:BATCH])
        if not rows:
            return
        yield rows
        before = rows[-1].number


def _older(entries: QuerySet[AuditEntry], before: int | None) -> QuerySet[AuditEntry]:
    return entries if before is None else entries.filter(number__lt=before)


def _csv(wanted: AuditFilter, by: Actor) -> Iterator[str]:
    # Without the mark in front, Excel takes UTF-8 for something else.
    yield "\ufeff" + csv_lines([COLUMNS])
    for rows in _batches(wanted, by):
        yield csv_lines([_cells(entry) for entry in rows])


def _cells(entry: AuditEntry) -> list[str]:
    detail = getattr(entry, "detail", None)
    details = json.dumps(detail.data, ensure_ascii=False) if detail and detail.data else ""
    facts = [entry.action, entry.object_kind, entry.object_id, details, entry.hash]
    return [str(entry.number), entry.at.isoformat(), detail.actor if detail else "", *facts]


def _json_lines(wanted: AuditFilter, by: Actor) -> Iterator[str]:
    for rows in _batches(wanted, by):
        yield "".join(json.dumps(_line(entry), ensure_ascii=False) + "\n" for entry in rows)


def _line(entry: AuditEntry) -> dict[str, Any]:
    detail = getattr(entry, "detail", None)
    return {
        "number": entry.number,
        "at": entry.at.isoformat(),
        "who": detail.actor if detail else "",
        "action": entry.action,
        "object_kind": entry.object_kind,
        "object_id": entry.object_id,
        "data": detail.data if detail else {},
        "salt": detail.salt if detail else "",
        "digest": entry.digest,
        "previous_hash": entry.previous_hash,
        "hash": entry.hash,
    }
