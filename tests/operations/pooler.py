"""PgBouncer of the system in transaction mode, as a child of ours, and tests that run through it.

`python -m tests.operations.pooler [pytest's words]` starts an own Postgres with the pooler before it.
"""

import contextlib
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

import psycopg

from marketing.embedded import Postgres, own_services
from marketing.placement import ROLE, make_private, postgres_account
from marketing.processes import spawn, stop_all
from marketing.pytest_template import NAME, make_template
from tests.waiting import wait_for

PORT = 6432
DATABASE = "test_marketing"
# What a pooler could break: locks, scopes, cursors, the queue, and everything that drives real workers.
FILES = [
    "tests/accounts/test_scope.py",
    "tests/accounts/test_scope_nesting.py",
    "tests/accounts/test_tenancy.py",
    "tests/accounts/test_notifications.py",
    "tests/accounts/test_audit_anchor.py",
    "tests/accounts/test_rotate_keys.py",
    "tests/agents/evaluation",
    "tests/analytics/tracking",
    "tests/campaigns/engine",
    "tests/campaigns/test_source_pages.py",
    "tests/compliance/test_privacy_retention.py",
    "tests/compliance/test_privacy_workers.py",
    "tests/lib/test_locks.py",
    "tests/operations/test_observability.py",
    "tests/operations/test_reindex_memory.py",
    "tests/social/telegram/test_receiver_processes.py",
]
CONFIG = """\
[databases]
* = host={postgres}

[pgbouncer]
listen_addr =
listen_port = {port}
unix_socket_dir = {folder}
unix_socket_mode = 0777
auth_type = trust
auth_file = {folder}/users
pool_mode = transaction
max_client_conn = 400
# Few: what waits on a connection of its own for ever shows.
default_pool_size = 16
server_idle_timeout = 600
logfile = {folder}/pgbouncer.log
"""


def missing() -> str:
    """Why it cannot be tried here; empty where it can."""
    return "" if program() else "PgBouncer is not installed"


def program() -> str | None:
    return shutil.which("pgbouncer") or shutil.which("pgbouncer", path="/usr/sbin")


@contextlib.contextmanager
def pooled(postgres: Postgres) -> Iterator[str]:
    """The folder of its socket."""
    account = postgres_account()
    folder = make_private(Path(tempfile.mkdtemp(prefix="pooler-")), account)
    folder.chmod(0o755)
    (folder / "users").write_text(f'"{ROLE}" ""\n"postgres" ""\n')
    (folder / "config.ini").write_text(CONFIG.format(postgres=postgres.sockets, port=PORT, folder=folder))
    with (folder / "output").open("wb") as output:
        process = spawn([str(program()), folder / "config.ini"], output=output, account=account)
    try:
        wait_for(lambda: answers(folder, process), what=(folder / "output").read_text)
        yield str(folder)
    finally:
        stop_all([process])
        shutil.rmtree(folder)


def answers(folder: Path, process: subprocess.Popen[bytes]) -> bool:
    assert process.poll() is None, (folder / "output").read_text()
    with contextlib.suppress(psycopg.OperationalError):
        psycopg.connect(host=str(folder), port=PORT, user=ROLE, dbname=DATABASE).close()
        return True
    return False


def run(words: list[str]) -> int:
    with own_services(names=["DATABASE_URL"]) as (services, urls):
        postgres = services[0]
        assert isinstance(postgres, Postgres)
        # Made beforehand: a pooler keeps connections, and a database in use can be neither copied nor dropped.
        make_template(urls["DATABASE_URL"])
        with postgres.connect() as admin:
            admin.execute(f"ALTER DATABASE {NAME} RENAME TO {DATABASE}")
        with pooled(postgres) as folder:
            url = f"postgres://{ROLE}@/marketing?host={quote(folder, safe='/')}&port={PORT}"
            environment = {**os.environ, "DATABASE_URL": url, "DATABASE_POOLED": "1"}
            tests = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "--reuse-db", *words]
            return subprocess.run(tests, env=environment, check=False).returncode


if __name__ == "__main__":
    if reason := missing():
        print(f"Skipped: {reason}.")
        sys.exit(0)
    sys.exit(run(sys.argv[1:] or FILES))
