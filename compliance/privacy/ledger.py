"""Who was erased, outside the database: a backup that is restored brings them back, and this list takes them out again.

One JSON object a line: {"kind", "id", "workspace", "at"}. Ids only.
"""

import fcntl
import json
import os
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from uuid import UUID

from django.conf import settings

from lib.clock import now


@dataclass(frozen=True)
class Line:
    kind: str
    id: UUID
    workspace: UUID | None
    at: datetime


def path() -> Path:
    return Path(settings.ERASURES_FILE or Path(settings.AUDIT_ANCHOR_DIR) / "erasures.jsonl")


def append(kind: str, subject_id: UUID, workspace_id: UUID | None) -> None:
    """On the disk when it returns: it must be there before the rows are gone."""
    line = {
        "kind": kind,
        "id": str(subject_id),
        "workspace": str(workspace_id) if workspace_id else None,
        "at": now().isoformat(),
    }
    path().parent.mkdir(parents=True, exist_ok=True)
    with path().open("ab") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        file.write(json.dumps(line).encode() + b"\n")
        file.flush()
        os.fsync(file.fileno())


def lines() -> Iterator[Line]:
    """Oldest first. A line that a crash cut off says nothing, and stops nobody."""
    if not path().exists():
        return
    with path().open(encoding="utf-8") as file:
        for text in file:
            try:
                found = json.loads(text)
                workspace = UUID(found["workspace"]) if found["workspace"] else None
                yield Line(found["kind"], UUID(found["id"]), workspace, datetime.fromisoformat(found["at"]))
            except (ValueError, KeyError, TypeError):
                continue
