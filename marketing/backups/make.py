"""Making a backup: one snapshot of the database, and the files that belong to it."""

import io
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import structlog
from django.conf import settings
from django.db import connection, transaction

from accounts.audit import record_staff
from accounts.audit_anchor import ACTION as ANCHORED
from accounts.audit_anchor import anchor_files
from accounts.models import AuditEntry, Switch
from accounts.scope import all_workspaces_scope
from compliance.privacy import ledger
from lib.clock import now
from lib.locks import held_lock
from marketing.backups import files, manifest, programs, rows
from marketing.backups.errors import BackupError
from marketing.backups.manifest import Manifest
from marketing.backups.seal import parse_key, seal
from marketing.backups.targets import MANIFEST, Target

log = structlog.get_logger(__name__)
LOCK = "backup"
# In the instance's chain: when the last one was made, for the alert of its age.
ACTION = "backup.make"
LABEL = "backup"
DATABASE, MEDIA, MEDIA_LIST, SOURCES, ANCHORS, ERASURES = (
    "database.dump",
    "media.tar",
    "media.jsonl",
    "sources.tar",
    "anchors.tar",
    "erasures.jsonl",
)


@dataclass(frozen=True)
class Options:
    """Folders that somebody else keeps copies of may be left out."""

    media: bool = True
    sources: bool = True
    keep: int = 0


def make_backup(target: Target, options: Options | None = None) -> Manifest:
    """Raises BackupError. Killed at any moment, it leaves nothing that counts as a backup."""
    options, key = options or Options(), parse_key(settings.BACKUP_KEY)
    with held_lock(LOCK) as is_only:
        if not is_only:
            raise BackupError("Another backup is being made.")
        with _snapshot() as (snapshot, made):
            folder = target.begin(made.name)
            _dump_database(folder / DATABASE, snapshot, key)
            anchors = _noted_anchors()
        _keep(folder / ANCHORS, anchors, key)
        _keep_erasures(folder / ERASURES, key)
        _keep_media(folder, made, options, key)
        if options.sources:
            _keep(folder / SOURCES, files.files_below(settings.SOURCES_ROOT), key)
        for path in sorted(folder.iterdir()):
            made.add(path)
        (folder / MANIFEST).write_bytes(manifest.dump(made, key))
        target.finish(made.name)
    _note(made)
    for name in target.names()[: -options.keep] if options.keep else []:
        target.drop(name)
    return made


@contextmanager
def _snapshot() -> Iterator[tuple[str, Manifest]]:
    """What pg_dump sees as well, and what the manifest says of it. Everything in one state of the database."""
    at = now()
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
            cursor.execute("SELECT pg_export_snapshot()")
            (snapshot,) = cursor.fetchone()
        with all_workspaces_scope("backup"):
            yield (
                snapshot,
                Manifest(
                    name=f"rostrum-{at:%Y%m%dT%H%M%SZ}",
                    made_at=at,
                    is_encrypted=bool(settings.BACKUP_KEY),
                    field_keys=rows.needed_keys(),
                    migrations=rows.applied_migrations(),
                    tables=rows.count_rows(),
                    media="kept" if files.media_folder() else "listed",
                ),
            )


def _dump_database(path: Path, snapshot: str, key: bytes) -> None:
    database, environment = programs.reach(programs.past_any_pooler(), programs.ALL_ROWS)
    # The role is bound by the policies like everybody; they show it all rows (PGOPTIONS).
    command = [programs.program("pg_dump"), "--format=custom", "--no-owner", "--no-privileges", "--enable-row-security"]
    with (
        subprocess.Popen(  # noqa: S603
            [*command, f"--snapshot={snapshot}", f"--dbname={database}"],
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        ) as process,
        path.open("wb") as file,
    ):
        assert process.stdout is not None, "a pipe"
        seal(process.stdout, file, key, path.name)
        _stdout, words = process.communicate()
    if process.returncode:
        raise BackupError(f"pg_dump failed: {words.decode(errors='replace').strip()[-500:]}")


def _noted_anchors() -> list[files.Found]:
    """Those that the snapshot knows: a younger one speaks of entries that the dump does not have."""
    details = AuditEntry.objects.filter(workspace=None, action=ANCHORED).values_list("detail__data", flat=True)
    noted = {data["file"] for data in details if data and "file" in data}
    return [(file.path.name, file.path) for file in anchor_files() if file.path.name in noted]


def _keep(path: Path, found: Iterator[files.Found] | list[files.Found], key: bytes) -> None:
    plain = path.with_suffix(".plain")
    with plain.open("wb") as file:
        files.pack(found, file)
    with plain.open("rb") as source, path.open("wb") as file:
        seal(source, file, key, path.name)
    plain.unlink()


def _keep_erasures(path: Path, key: bytes) -> None:
    source = ledger.path()
    content = source.read_bytes() if source.exists() else b""
    with path.open("wb") as file:
        seal(io.BytesIO(content), file, key, path.name)


def _keep_media(folder: Path, made: Manifest, options: Options, key: bytes) -> None:
    kept = files.media_folder()
    if kept and options.media:
        _keep(folder / MEDIA, files.files_below(kept), key)
        return
    made.media = "listed"
    found = files.media_list() if options.media or not kept else []
    with (folder / MEDIA_LIST).open("wb") as file:
        seal(files.as_lines(found), file, key, MEDIA_LIST)


def _note(made: Manifest) -> None:
    """In the audit trail: when, and what it was."""
    size = sum(file["bytes"] for file in made.files.values())
    log.info("backup_made", name=made.name, bytes=size)
    with all_workspaces_scope("backup"):
        record_staff(ACTION, Switch(name=LABEL), staff=LABEL, name=made.name, bytes=size)
