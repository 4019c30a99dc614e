"""The database that every test database is a copy of: migrated once, while the tests are still being collected."""

from __future__ import annotations

import fcntl
import gc
import hashlib
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from urllib.parse import urlsplit

import psycopg

from marketing.placement import postgres_account, postgres_tree

NAME = "migrated"
LOCK = "TEST_TEMPLATE_LOCK"
ROOT = Path(__file__).parents[1]
KEPT = ROOT / "var" / "test-schema"
# What the migrations themselves are made of, besides Django.
ALSO = ("accounts/tenancy.py", "lib/crypto.py", "lib/tables.py", "requirements.txt")


def start_migrating() -> Callable[[], None]:
    """In a process of its own, which holds a lock until it ends. Gives what ends it early."""
    handle, path = tempfile.mkstemp(prefix="test-template-")
    fcntl.flock(handle, fcntl.LOCK_EX)
    process = subprocess.Popen(  # noqa: S603
        [sys.executable, "-m", __name__], cwd=ROOT, pass_fds=[handle], stdout=subprocess.DEVNULL
    )
    os.close(handle)
    os.environ[LOCK] = path

    def end() -> None:
        process.kill()
        process.wait()
        Path(path).unlink()

    return end


def migrated_template() -> str:
    """Its name, once it is there; empty where nobody makes one, or that failed: then each worker migrates."""
    if not (path := os.environ.get(LOCK)):
        return ""
    with Path(path).open() as file:
        fcntl.flock(file, fcntl.LOCK_SH)
    with psycopg.connect(os.environ["DATABASE_URL"]) as admin:
        return NAME if admin.execute("SELECT 1 FROM pg_database WHERE datname = %s", [NAME]).fetchone() else ""


def make_template(url: str) -> None:
    new = f"{NAME}_new"
    target = urlsplit(url)._replace(path=f"/{new}").geturl()
    file = KEPT / f"{digest()}.sql"
    with psycopg.connect(url, autocommit=True) as admin:
        admin.execute(f"CREATE DATABASE {new}")
        if file.exists():
            run("psql", "-q", "-1", "-v", "ON_ERROR_STOP=1", "-f", file, target)
        else:
            migrate(target)
            keep(target, file)
        # Under this name it is whole.
        admin.execute(f"ALTER DATABASE {new} RENAME TO {NAME}")


def digest() -> str:
    files = [*sorted(ROOT.glob("*/migrations/*.py")), *(ROOT / name for name in ALSO)]
    found = hashlib.sha256(sys.version.encode())
    for file in files:
        found.update(f"{file.relative_to(ROOT)}\n".encode() + file.read_bytes())
    return found.hexdigest()[:20]


def migrate(url: str) -> None:
    import django
    from django.core.management import call_command
    from django.db import connections

    os.environ |= {"DATABASE_URL": url, "DJANGO_SETTINGS_MODULE": "marketing.settings"}
    # Thousands of model classes come and go; looking for them often is a quarter of the time.
    gc.set_threshold(100_000)
    django.setup()
    call_command("migrate", verbosity=0)
    connections.close_all()


def keep(url: str, file: Path) -> None:
    """For the next run with the same migrations."""
    file.parent.mkdir(parents=True, exist_ok=True)
    aside = file.with_suffix(f".{os.getpid()}")
    run("pg_dump", "--no-owner", "--no-comments", "--enable-row-security", "-f", aside, url)
    for older in file.parent.glob("*.sql"):
        older.unlink(missing_ok=True)
    aside.rename(file)


def run(program: str, *words: str | Path) -> None:
    command = [postgres_tree(postgres_account()) / "bin" / program, *words]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)  # noqa: S603


if __name__ == "__main__":
    make_template(os.environ["DATABASE_URL"])
