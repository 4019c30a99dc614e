"""Bringing a backup back: into an empty database only, all of it or nothing, and with publishing stopped.

Posts that were due since the backup may be live already, so they wait for a person; so does everything else, until
staff releases the installation.
"""

import contextlib
import fcntl
import json
import os
import re
import subprocess
import tarfile
import tempfile
from dataclasses import dataclass, field
from io import BytesIO, StringIO
from pathlib import Path
from typing import IO, Any

import structlog
from django.conf import settings
from django.core.cache import cache
from django.core.files.storage import default_storage
from django.core.management import call_command
from django.db import connection
from django.db.migrations.loader import MigrationLoader
from redis.exceptions import RedisError

from accounts.audit import record_staff
from accounts.audit_anchor import anchor_files
from accounts.models import AuditEntry, Switch
from accounts.scope import all_workspaces_scope
from compliance.privacy import ledger
from marketing import health
from marketing.backups import files, manifest, programs, rows
from marketing.backups.errors import BackupError
from marketing.backups.make import ANCHORS, DATABASE, ERASURES, LABEL, MEDIA, MEDIA_LIST, SOURCES
from marketing.backups.manifest import Manifest
from marketing.backups.seal import parse_key, unseal
from marketing.backups.targets import MANIFEST, NAME, Target

log = structlog.get_logger(__name__)
ACTION = "backup.restore"
# Part of the same transaction as the rows: nobody sees one without the other. What was being sent when the backup
# was made, and whose call had not begun, may have gone out since; the rest of those is looked up as after any crash.
AFTERWARDS = """
INSERT INTO public.accounts_switch (name, is_on, reason, changed_by, changed_at)
    VALUES ('publishing', true, '{reason}', 'restore', now())
    ON CONFLICT (name) DO UPDATE SET is_on = true, reason = excluded.reason, changed_by = 'restore', changed_at = now();
WITH sending AS (
    UPDATE public.campaigns_attempt a SET outcome = 'abandoned', finished_at = now(), code = 'restored',
        message = 'A backup from this moment was restored. It may have been sent since.'
    FROM public.campaigns_delivery d WHERE d.id = a.delivery_id AND d.state = 'publishing' AND a.number = d.fence
        AND a.submitting_part IS NULL
    RETURNING a.delivery_id
)
UPDATE public.campaigns_delivery SET state = 'missed', lease_until = NULL, updated_at = now()
WHERE state IN ('scheduled', 'retry_wait') AND due_at <= now() OR id IN (SELECT delivery_id FROM sending);
"""


@dataclass
class Restored:
    """What was found afterwards. `audit_faults` are sentences; with none and no unreadable secret all is well."""

    name: str
    tables: int
    rows: int
    secrets: int
    unreadable: int
    files: int
    erased_again: str
    missing_media: int = 0
    audit_faults: list[str] = field(default_factory=list)

    @property
    def is_whole(self) -> bool:
        return not (self.audit_faults or self.unreadable or self.missing_media)


def restore_backup(target: Target, name: str = "") -> Restored:
    """The named one, or the newest. Raises BackupError before anything is changed where it cannot be used.

    Killed while the database is filled, it leaves an empty one; later, call it again and it goes on.
    """
    name = name or next(reversed(target.names()), "")
    if not NAME.fullmatch(name):
        raise BackupError(f"{name} is no name of a backup." if name else "There is no whole backup here.")
    with tempfile.TemporaryDirectory(prefix="restore-") as work:
        source = Source(target, name, Path(work))
        check_alone()
        check_keys(source.manifest)
        check_code(source.manifest)
        if not is_unfinished(name):
            check_empty()
            fill_database(source)
            compare_counts(source.manifest)
        return finish(source)


class Source:
    """A backup's files, checked against its manifest, all of them, and decrypted when they are asked for."""

    def __init__(self, target: Target, name: str, work: Path) -> None:
        self.key, self.work = parse_key(settings.BACKUP_KEY), work
        self.manifest = manifest.load(target.fetch(name, MANIFEST, work).read_bytes(), self.key)
        if self.manifest.name != name:
            raise BackupError(f"{name} holds the manifest of {self.manifest.name}.")
        self.stored = {file: target.fetch(name, file, work) for file in self.manifest.files}
        for file, path in self.stored.items():
            self.manifest.check(file, path)

    def open(self, file: str) -> IO[bytes] | None:
        """At its beginning; None where the backup was made without it."""
        if file not in self.stored:
            return None
        # It has no name on the disk: a restore that is killed leaves nothing that can be read.
        plain = tempfile.TemporaryFile(dir=self.work)  # noqa: SIM115  whoever asked closes it
        with self.stored[file].open("rb") as stored:
            unseal(stored, plain, self.key if self.manifest.is_encrypted else b"", file)
        plain.seek(0)
        return plain


# --- refusals -----------------------------------------------------------------------------------------------


def check_alone() -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid() "
            "AND backend_type = 'client backend'"
        )
        (others,) = cursor.fetchone()
    if others:
        raise BackupError(f"{others} other connections use this database: stop web, workers and scheduler first.")
    try:
        age = health.age_s(health.WORKER_KEY)
    except RedisError:
        return
    if age is not None and age <= health.SILENT_S:
        raise BackupError(f"A worker reported {age:.0f} s ago: stop all workers first.")


def check_keys(wanted: Manifest) -> None:
    if missing := sorted(set(wanted.field_keys) - rows.own_keys()):
        raise BackupError(f"Its secrets need keys that are not in FIELD_KEYS: {', '.join(missing)}.")


def check_code(wanted: Manifest) -> None:
    if unknown := sorted(set(wanted.migrations) - known_migrations()):
        raise BackupError(f"A newer version of the product made it: this one has no {unknown[0]}.")


def known_migrations() -> set[str]:
    return {".".join(key) for key in MigrationLoader(None, ignore_no_migrations=True).disk_migrations}


def check_empty() -> None:
    with connection.cursor() as cursor:
        cursor.execute(rows.TABLES)
        found = cursor.fetchall()
    if found:
        raise BackupError(f"The database is not empty: it has {len(found)} tables. Restore into a new one.")


def is_unfinished(name: str) -> bool:
    """The rows of this backup are in, and a kill prevented what comes after."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT to_regclass('public.accounts_switch') IS NOT NULL")
        if not cursor.fetchone()[0]:
            return False
    with all_workspaces_scope("restore"):
        is_ours = Switch.objects.filter(name=Switch.PUBLISHING, is_on=True, reason=reason_of(name)).exists()
        return is_ours and not _notes(name).exists()


def _notes(name: str) -> Any:
    return AuditEntry.objects.filter(workspace=None, action=ACTION, detail__data__name=name)


def reason_of(name: str) -> str:
    return f"Restored from {name}. Look what went out since, then release it."


# --- the database -------------------------------------------------------------------------------------------


def fill_database(source: Source) -> None:
    """In one transaction, through psql: pg_restore alone could not add what must be true at the same moment.

    The script commits by itself, at its end: psql's own --single-transaction also does where a kill cuts it short.
    """
    archive = source.open(DATABASE)
    if archive is None:
        raise BackupError("It has no database.")
    listed = source.work / "listed"
    listed.write_text(_without_extensions(_contents(archive)))
    database, environment = programs.reach(programs.own_database())
    script = [programs.program("pg_restore"), "--no-owner", "--no-privileges", f"--use-list={listed}", "--file=-"]
    # Keys are checked when the policies stand already, and see what the role sees.
    script.append("--enable-row-security")
    psql = [programs.program("psql"), "-X", "-q", "-v", "ON_ERROR_STOP=1", "-o", "/dev/null"]
    # Both programs read from where the first one stopped.
    os.lseek(archive.fileno(), 0, os.SEEK_SET)
    with (
        archive,
        tempfile.TemporaryFile(dir=source.work) as words,
        subprocess.Popen(script, stdin=archive, stdout=subprocess.PIPE, stderr=words) as reader,  # noqa: S603
        subprocess.Popen(  # noqa: S603
            [*psql, "-d", database], env=environment, stdin=subprocess.PIPE, stderr=words
        ) as writer,
    ):
        is_read = _pass_on(reader, writer, AFTERWARDS.format(reason=reason_of(source.manifest.name)))
        if writer.wait() or not is_read:
            words.seek(0)
            raise BackupError(f"Nothing was restored: {words.read().decode(errors='replace').strip()[-500:]}")
    connection.close()


def _pass_on(reader: subprocess.Popen[bytes], writer: subprocess.Popen[bytes], last: str) -> bool:
    """False where the script could not be read to its end: then nothing says COMMIT."""
    assert reader.stdout is not None, "a pipe"
    assert writer.stdin is not None, "a pipe"
    try:
        writer.stdin.write(b"BEGIN; SET LOCAL app.all_workspaces = 'on';\n")
        while more := reader.stdout.read(1024 * 1024):
            writer.stdin.write(more)
        is_read = reader.wait() == 0
        if is_read:
            writer.stdin.write(f"{last}COMMIT;\n".encode())
        writer.stdin.close()
    except BrokenPipeError:
        reader.kill()
        return False
    return is_read


def _without_extensions(listing: str) -> str:
    """They are in the new database already: only a superuser may make them."""
    return "\n".join(line for line in listing.splitlines() if not re.search(r" EXTENSION ", line)) + "\n"


def _contents(archive: IO[bytes]) -> str:
    words = [programs.program("pg_restore"), "--list"]
    done = subprocess.run(words, stdin=archive, capture_output=True, text=True, check=False)  # noqa: S603
    if done.returncode:
        raise BackupError(f"pg_restore failed: {done.stderr.strip()[-500:]}")
    return done.stdout


# --- afterwards ---------------------------------------------------------------------------------------------


def finish(source: Source) -> Restored:
    """Each of these may run twice."""
    wanted = source.manifest
    if known_migrations() - set(wanted.migrations):
        call_command("migrate", verbosity=0)
    count = bring_files(source)
    missing = _missing_media(source)
    bring_anchors(source)
    bring_erasures(source)
    cache.clear()
    erased = _said_by("replay_erasures")
    with all_workspaces_scope("restore"):
        readable, unreadable = rows.read_secrets()
        if not _notes(wanted.name).exists():
            record_staff(ACTION, Switch(name=LABEL), staff=LABEL, name=wanted.name)
    return Restored(
        name=wanted.name,
        tables=len(wanted.tables),
        rows=sum(wanted.tables.values()),
        secrets=readable + unreadable,
        unreadable=unreadable,
        files=count,
        erased_again=erased,
        missing_media=missing,
        audit_faults=_audit_faults(),
    )


def compare_counts(wanted: Manifest) -> None:
    with all_workspaces_scope("restore"):
        found = rows.count_rows()
    # Of the switches one may be new: that publishing stands still.
    wrong = [name for name, count in wanted.tables.items() if found.get(name) != count and name != "accounts_switch"]
    if wrong:
        raise BackupError(f"Rows are missing after the restore, in {', '.join(wrong)}. Use another backup.")


def bring_files(source: Source) -> int:
    count = 0
    for archive, folder in ((MEDIA, files.media_folder()), (SOURCES, Path(settings.SOURCES_ROOT))):
        plain = source.open(archive)
        if plain and folder:
            with plain:
                count += files.unpack(plain, folder)
    return count


def _missing_media(source: Source) -> int:
    """Of those that only their list was kept of."""
    plain = source.open(MEDIA_LIST)
    if plain is None:
        return 0
    with plain:
        names = [json.loads(line)["name"] for line in plain]
    return sum(not default_storage.exists(name) for name in names)


def bring_anchors(source: Source) -> None:
    """Younger ones speak of acts that this database never saw: they are evidence, and moved aside."""
    folder = Path(settings.AUDIT_ANCHOR_DIR)
    if plain := source.open(ANCHORS):
        with plain:
            files.unpack(plain, folder)
            plain.seek(0)
            with tarfile.open(fileobj=plain) as archive:
                known = set(archive.getnames())
        aside = folder / f"before-{source.manifest.name}"
        for file in anchor_files():
            if file.path.name not in known:
                aside.mkdir(exist_ok=True)
                file.path.rename(aside / file.path.name)


def bring_erasures(source: Source) -> None:
    """The list of today counts, and what only the backup has."""
    plain = source.open(ERASURES) or BytesIO()
    path = ledger.path()
    path.parent.mkdir(parents=True, exist_ok=True)
    with plain, path.open("a+b") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        file.seek(0)
        known = set(file.read().splitlines())
        for line in plain.read().splitlines():
            if line not in known:
                file.write(line + b"\n")


def _said_by(command: str) -> str:
    said = StringIO()
    # A fault is said, and answered with an exit code.
    with contextlib.suppress(SystemExit):
        call_command(command, stdout=said)
    return said.getvalue().strip()


def _audit_faults() -> list[str]:
    lines = _said_by("verify_audit").splitlines()
    return [line for line in lines if not line.endswith(("chain is whole.", "chains are whole."))]
