"""Trying the newest backup: restored into a database of its own, looked at, and taken away again."""

import json
import os
import secrets
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import psycopg
from django.conf import settings
from psycopg import sql
from psycopg.conninfo import conninfo_to_dict

from marketing.backups.errors import BackupError
from marketing.backups.programs import as_url
from marketing.backups.targets import open_target
from marketing.embedded import throwaway_services
from marketing.placement import ServiceError

PREFIX = "rostrum_drill_"
# Its owner is gone when nobody is connected; one that just begins is younger.
STALE = """
SELECT datname FROM pg_database d WHERE datname LIKE 'rostrum\\_drill\\_%'
    AND NOT EXISTS (SELECT FROM pg_stat_activity a WHERE a.datname = d.datname)
"""


def run_drill(address: str, name: str = "", redis_url: str = "") -> dict[str, Any]:
    """What `restore --json` says, with "seconds" and "ok". Raises BackupError where nothing could be restored."""
    started = time.monotonic()
    if not (name or open_target(address).names()):
        raise BackupError("There is no whole backup here.")
    with _database() as url, tempfile.TemporaryDirectory(prefix="drill-") as folder, _cache(redis_url) as redis:
        done = subprocess.run(  # noqa: S603
            [sys.executable, "manage.py", "restore", address, "--json", *(["--backup", name] if name else [])],
            cwd=settings.BASE_DIR,
            env=_environment(redis | _apart(url, Path(folder))),
            capture_output=True,
            text=True,
            check=False,
        )
    try:
        found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    except (IndexError, ValueError):
        raise BackupError(done.stderr.strip()[-500:] or f"restore ended with {done.returncode}") from None
    return found | {"seconds": round(time.monotonic() - started, 1), "ok": done.returncode == 0}


def _environment(changed: dict[str, str]) -> dict[str, str]:
    # A value that is read from a file would win.
    return {name: value for name, value in os.environ.items() if name.removesuffix("_FILE") not in changed} | changed


def _apart(url: str, folder: Path) -> dict[str, str]:
    """No file, row or message of the installation is touched: what is erased again is erased in the copy only."""
    return {
        "DATABASE_URL": url,
        "BACKUP_DATABASE_URL": "",
        "REPLICA_URL": "",
        "APP_DATA": str(folder),
        "SOURCES_ROOT": str(folder / "sources"),
        "AUDIT_ANCHOR_DIR": str(folder / "anchors"),
        "ERASURES_FILE": "",
        "S3_BUCKET": "",
        "OTLP_ENDPOINT": "",
        "EMAIL_BACKEND": "django.core.mail.backends.dummy.EmailBackend",
    }


@contextmanager
def _database() -> Iterator[str]:
    """An empty one on the same server. Those that killed drills left go first."""
    name = f"{PREFIX}{secrets.token_hex(6)}"
    with psycopg.connect(settings.BACKUP_DATABASE_URL, autocommit=True, connect_timeout=10) as admin:
        for (stale,) in admin.execute(STALE).fetchall():
            admin.execute(sql.SQL("DROP DATABASE IF EXISTS {}").format(sql.Identifier(stale)))
        try:
            admin.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
        except psycopg.errors.InsufficientPrivilege:
            raise BackupError("The role may not make databases: ALTER ROLE … CREATEDB, for the drill.") from None
        try:
            yield as_url({**conninfo_to_dict(settings.BACKUP_DATABASE_URL), "dbname": name})
        finally:
            admin.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name)))


@contextmanager
def _cache(url: str) -> Iterator[dict[str, str]]:
    """The given one, which is emptied, or one of our own."""
    if url:
        yield {"REDIS_URL": url, "BROKER_URL": url}
        return
    with ExitStack() as stack:
        try:
            urls = stack.enter_context(throwaway_services(names=["REDIS_URL"]))
        except ServiceError as error:
            raise BackupError(f"{error}. Or name an empty Redis for the drill: --redis.") from error
        # The broker of the installation must not be found through the environment either.
        yield urls | {"BROKER_URL": urls["REDIS_URL"]}
