"""Anchors: what every chain's head said on a day, in files outside the database.

Whoever owns the database can rewrite a whole chain and its head. A file written before then still says otherwise.
Names are `<day>-<number>.jsonl`. The first line of a file is `{"file": 12, "at": …, "previous": <sha256 of file 11>}`,
each other one `{"chain": <workspace or zeros>, "number": 7, "hash": …}`. The instance's chain notes each file.
"""

import hashlib
import json
import os
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cached_property
from itertools import chain, islice
from pathlib import Path
from typing import Any
from uuid import UUID

import structlog
from django.conf import settings
from django.db import connection
from django.db.models import Exists, OuterRef, Q, QuerySet

from accounts.access import Actor, Perm
from accounts.audit import WORKSPACE_DELETED, Anchor, record_staff, verify_chain
from accounts.models import INSTANCE_CHAIN, AuditEntry, AuditHead
from accounts.scope import all_workspaces_scope
from lib.clock import now

log = structlog.get_logger(__name__)
ACTION = "audit.anchor"
LABEL = "daily anchor"
PATTERN = "????-??-??-??????.jsonl"
# An act is dated before it is committed: what was under way at the last anchor is looked at again.
OVERLAP = timedelta(hours=1)
# Any number will do that nothing else locks.
LOCK = 7_301_944


@dataclass(frozen=True)
class AnchorFile:
    path: Path

    @property
    def day(self) -> str:
        return self.path.name[:10]

    @property
    def number(self) -> int:
        digits = self.path.stem[11:]
        return int(digits) if digits.isdecimal() else 0

    @cached_property
    def header(self) -> dict[str, Any]:
        with self.path.open("rb") as lines:
            return _parsed(lines.readline())

    @cached_property
    def digest(self) -> str:
        with self.path.open("rb") as content:
            return hashlib.file_digest(content, "sha256").hexdigest()


def anchor_files() -> list[AnchorFile]:
    found = (AnchorFile(path) for path in Path(settings.AUDIT_ANCHOR_DIR).glob(PATTERN))
    return sorted(found, key=lambda file: file.number)


# --- writing ----------------------------------------------------------------------------------------------


def anchor_chains() -> Path | None:
    """Write down the heads that changed since the last file. None where none did, or another run is at it."""
    with all_workspaces_scope("audit anchor"):
        if not _is_alone():
            return None
        last = next(reversed(anchor_files()), None)
        if last and not _has_news(last):
            return None
        return _write_file(last)


def _is_alone() -> bool:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_xact_lock(%s)", [LOCK])
        return bool(cursor.fetchone()[0])


def _has_news(last: AnchorFile) -> bool:
    """Anything but the note that the last anchor itself left in the instance's chain."""
    seen = {pk: anchors[-1].number for pk, anchors in read_anchors(None, [last]).items()}
    seen[INSTANCE_CHAIN] = seen.get(INSTANCE_CHAIN, 0) + 1
    heads = _changed_heads(last).values_list("chain", "number")
    return any(number > seen.get(pk, 0) for pk, number in heads.iterator())


def _changed_heads(last: AnchorFile | None) -> QuerySet[AuditHead]:
    heads = AuditHead.objects.order_by("chain")
    since = _time_of(last)
    if since is None:
        return heads
    newest = AuditEntry.objects.filter(workspace=OuterRef("workspace"), number=OuterRef("number"))
    # An empty workspace equals nothing in SQL: the instance's own head is always written.
    return heads.filter(Q(workspace=None) | Exists(newest.filter(at__gte=since - OVERLAP)))


def _time_of(file: AnchorFile | None) -> datetime | None:
    with suppress(ValueError, TypeError):
        return datetime.fromisoformat(file.header.get("at", "")) if file else None
    return None


def _write_file(last: AnchorFile | None) -> Path:
    folder, at = Path(settings.AUDIT_ANCHOR_DIR), now()
    folder.mkdir(parents=True, exist_ok=True)
    # Also past files that were noted and are gone: a new one must not hide that.
    number = max([*_notes(), last.number if last else 0]) + 1
    path = folder / f"{at:%Y-%m-%d}-{number:06d}.jsonl"
    header = {"file": number, "at": at.isoformat(), "previous": last.digest if last else ""}
    part = path.with_suffix(".part")
    digest, chains = _write_lines(part, header, _changed_heads(last))
    # Noted before the file gets its name: should the note fail, there is no file.
    about = AuditHead.objects.filter(chain=INSTANCE_CHAIN).first() or AuditHead(chain=INSTANCE_CHAIN)
    record_staff(ACTION, about, staff=LABEL, file=path.name, sha256=digest, chains=chains)
    part.chmod(0o440)
    part.rename(path)
    _sync_folder(folder)
    log.info("audit_anchored", file=path.name, sha256=digest, chains=chains)
    return path


def _write_lines(path: Path, header: dict[str, Any], heads: QuerySet[AuditHead]) -> tuple[str, int]:
    """The digest of the file and how many chains are in it."""
    digest, chains = hashlib.sha256(), 0
    path.unlink(missing_ok=True)
    with path.open("xb") as file:
        for line in _lines(header, heads):
            file.write(line)
            digest.update(line)
            chains += 1
        file.flush()
        os.fsync(file.fileno())
    return digest.hexdigest(), chains - 1


def _lines(header: dict[str, Any], heads: QuerySet[AuditHead]) -> Iterator[bytes]:
    yield _line(header)
    for pk, number, hash_ in heads.values_list("chain", "number", "hash").iterator(chunk_size=2000):
        yield _line({"chain": str(pk), "number": number, "hash": hash_})


def _line(data: dict[str, Any]) -> bytes:
    return json.dumps(data, separators=(",", ":")).encode() + b"\n"


def _sync_folder(folder: Path) -> None:
    """A new name is on the disk only when its folder is."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


# --- reading ----------------------------------------------------------------------------------------------


def read_anchors(chains: Collection[UUID] | None, files: list[AnchorFile] | None = None) -> dict[UUID, list[Anchor]]:
    """By chain, oldest first; `None` for every chain."""
    wanted = None if chains is None else {str(pk).encode() for pk in chains}
    found: dict[UUID, list[Anchor]] = defaultdict(list)
    for pk, anchor in _anchors(wanted, anchor_files() if files is None else files):
        found[pk].append(anchor)
    return found


def anchored_chains() -> set[UUID]:
    return {pk for pk, _anchor in _anchors(None, anchor_files())}


def _anchors(wanted: set[bytes] | None, files: list[AnchorFile]) -> Iterator[tuple[UUID, Anchor]]:
    """Lines that cannot be read count as missing: the digest of their file tells."""
    for file in files:
        for line in _wanted_lines(file, wanted):
            data = _parsed(line)
            with suppress(KeyError, ValueError, TypeError, AttributeError):
                yield UUID(data["chain"]), Anchor(int(data["number"]), str(data["hash"]), file.day)


def _wanted_lines(file: AnchorFile, wanted: set[bytes] | None) -> Iterator[bytes]:
    """Without parsing what is not wanted: a year of files has millions of lines."""
    with file.path.open("rb") as lines:
        next(lines, None)
        for line in lines:
            if wanted is None or line[CHAIN] in wanted:
                yield line


# Where `_line` puts the chain's id.
CHAIN = slice(len('{"chain":"'), len('{"chain":"') + 36)


def _parsed(line: bytes) -> dict[str, Any]:
    try:
        data = json.loads(line)
    except ValueError:
        return {}
    return data if isinstance(data, dict) else {}


def verify_files() -> Iterator[str]:
    """Yield one sentence per fault of the files themselves: one missing, added or changed.

    Needs the all-workspaces scope: the instance's chain has a note about each file.
    """
    noted, former = _notes(), None
    number = 0
    for file in anchor_files():
        yield from _missing(range(number + 1, file.number), noted)
        yield from _verify_file(file, former, noted)
        number, former = file.number, file
    yield from _missing(range(number + 1, max(noted, default=0) + 1), noted)


def _notes() -> dict[int, tuple[str, str]]:
    """By number: what a file is called, and its digest."""
    entries = AuditEntry.objects.filter(workspace=None, action=ACTION).order_by("number")
    details = entries.values_list("detail__data", flat=True)
    # An erased note says nothing.
    names = [(data["file"], data["sha256"]) for data in details if data and "file" in data]
    return {AnchorFile(Path(name)).number: (name, digest) for name, digest in names}


def _missing(numbers: Iterable[int], noted: dict[int, tuple[str, str]]) -> Iterator[str]:
    for number in numbers:
        yield f"anchor file {noted[number][0] if number in noted else number} is missing"


def _verify_file(file: AnchorFile, former: AnchorFile | None, noted: dict[int, tuple[str, str]]) -> Iterator[str]:
    name, digest = noted.get(file.number, (file.path.name, file.digest))
    if (file.path.name, file.digest) != (name, digest):
        yield f"anchor file {file.path.name} was changed"
    is_next = file.number == (former.number if former else 0) + 1
    previous = former.digest if former else ""
    if file.header.get("file") != file.number or (is_next and file.header.get("previous") != previous):
        yield f"anchor file {file.path.name} does not follow the one before it"
    elif former and file.number <= former.number:
        yield f"anchor file {file.path.name} is there twice"


# --- checking ---------------------------------------------------------------------------------------------

# A broken chain may break at every entry: the first faults tell where.
FAULTS_SHOWN = 20


@dataclass(frozen=True)
class Report:
    """What a check of one workspace's chain found. `anchored_to` is the newest entry that an anchor covers."""

    entries: int
    anchors: int
    anchored_to: int
    anchored_on: str
    faults: list[str]

    @property
    def is_whole(self) -> bool:
        return not self.faults


def verify_workspace(*, by: Actor) -> Report:
    """Its chain against itself and the anchors, and the anchors against each other."""
    by.require(Perm.AUDIT)
    workspace = by.workspace
    # The notes about the files stand in the instance's chain.
    with all_workspaces_scope("audit verification"):
        anchors = read_anchors({workspace.pk}).get(workspace.pk, [])
        found = chain(verify_chain(workspace, anchors), verify_files())
        faults = list(islice(found, FAULTS_SHOWN))
        head = AuditHead.objects.filter(chain=workspace.pk).first()
    newest = max(anchors, key=lambda anchor: anchor.number, default=Anchor(0, "", ""))
    return Report(head.number if head else 0, len(anchors), newest.number, newest.day, faults)


def verify_gone(known: Collection[UUID]) -> Iterator[str]:
    """Yield one sentence per anchored chain whose workspace is gone, although nobody recorded its deletion."""
    gone = sorted(anchored_chains() - {*known, INSTANCE_CHAIN})
    deletions = AuditEntry.objects.filter(workspace=None, action=WORKSPACE_DELETED, object_kind="workspace")
    recorded = set(deletions.filter(object_id__in=[str(pk) for pk in gone]).values_list("object_id", flat=True))
    for pk in gone:
        if str(pk) not in recorded:
            yield f"the chain of workspace {pk} is gone, and no deletion was recorded"
