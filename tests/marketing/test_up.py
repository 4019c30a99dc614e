import os
import re
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import psycopg
import pytest
import requests

from marketing.database_state import has_pending_migrations
from marketing.embedded import scratch_folder
from marketing.placement import local_urls, service_home
from marketing.supervisor import PATIENCE_S

pytestmark = [pytest.mark.up]

ROOT = Path(__file__).parents[2]
CHOSEN_BY_UP = {"DATABASE_URL", "REDIS_URL", "PORT", "SANDBOX_PORT", "APP_DATA", "DEBUG", "DJANGO_SETTINGS_MODULE"}


def wait_for(is_done: Callable[[], bool], what: str, timeout_s: float = 120) -> None:
    deadline = time.monotonic() + timeout_s
    while not is_done():
        assert time.monotonic() < deadline, what
        time.sleep(0.1)


def session_of(pid: str) -> int | None:
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except (FileNotFoundError, ProcessLookupError):
        return None
    return None if fields[0] == "Z" else int(fields[3])


def commands_in_session(session: int) -> dict[int, str]:
    found = {}
    for folder in Path("/proc").glob("[0-9]*"):
        if session_of(folder.name) == session:
            found[int(folder.name)] = (folder / "cmdline").read_text().replace("\0", " ")
    return found


@dataclass
class Stack:
    """`manage.py up` in a folder, in a session of its own so that all it started can be found again."""

    data: Path
    environ: dict[str, str] = field(default_factory=dict)
    process: subprocess.Popen[str] | None = None
    output: str = ""

    def start(self) -> None:
        given = {name: value for name, value in os.environ.items() if name not in CHOSEN_BY_UP}
        self.output = ""
        self.process = subprocess.Popen(
            [sys.executable, "manage.py", "up"],
            env={**given, "APP_DATA": str(self.data), **self.environ},
            cwd=ROOT,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )
        threading.Thread(target=self.read, args=(self.process,), daemon=True).start()

    def read(self, process: subprocess.Popen[str]) -> None:
        assert process.stdout is not None
        for line in process.stdout:
            self.output += line

    @property
    def pid(self) -> int:
        assert self.process is not None
        return self.process.pid

    @property
    def url(self) -> str:
        return re.search(r"Open +(http://\S+)", self.output)[1]

    def is_running(self) -> bool:
        return self.process is not None and self.process.poll() is None

    def wait_welcome(self) -> None:
        wait_for(lambda: "Stop     Ctrl-C" in self.output or self.has_failed(), self.output)
        assert not self.has_failed(), self.output

    def has_failed(self) -> bool:
        return not self.is_running() or "web       stopped unexpectedly" in self.output

    def wait_well(self) -> dict[str, object]:
        def is_well() -> bool:
            return requests.get(f"{self.url}/healthz", timeout=10).status_code == 200

        wait_for(is_well, f"never well: {self.output}")
        return requests.get(f"{self.url}/healthz", timeout=10).json()

    def end(self, signum: int) -> int:
        assert self.process is not None
        self.process.send_signal(signum)
        return self.process.wait(60)

    def leftovers(self) -> dict[int, str]:
        return commands_in_session(self.pid)

    def child(self, *words: str) -> int:
        """The main process of one program: a direct child of `up`."""
        for pid, command in self.leftovers().items():
            parent = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1]
            if int(parent) == self.pid and all(word in command for word in words):
                return pid
        raise AssertionError(f"no {words} in {self.leftovers()}")


@pytest.fixture(scope="module")
def prepared() -> Iterator[Stack]:
    data = scratch_folder() / f"marketing-up-{os.getpid()}"
    data.mkdir()
    data.chmod(0o711)
    stack = Stack(data)
    yield stack
    if stack.is_running():
        stack.end(signal.SIGTERM)
    shutil.rmtree(data)


@pytest.fixture
def stack(prepared: Stack) -> Stack:
    if not prepared.is_running():
        prepared.start()
        prepared.wait_welcome()
    return prepared


def refused(data: Path, **environ: str) -> str:
    second = Stack(data, environ)
    second.start()
    assert second.process is not None
    assert second.process.wait(20) == 1
    wait_for(lambda: "Error" in second.output, "no reason was given")
    return second.output


def database(stack: Stack) -> str:
    return local_urls(stack.data)["DATABASE_URL"]


def test_every_part_is_alive(stack: Stack) -> None:
    answer = stack.wait_well()
    assert {name: part["ok"] for name, part in answer["parts"].items()} == {
        "web": True,
        "database": True,
        "cache": True,
        "worker": True,
        "scheduler": True,
    }


def test_sandbox_answers_at_the_printed_address(stack: Stack) -> None:
    address = re.search(r"Sandbox +(http://\S+)", stack.output)[1]
    wait_for(lambda: requests.get(address, timeout=10).status_code < 500, "the sandbox is silent")


def test_schema_is_complete(stack: Stack) -> None:
    assert not has_pending_migrations(database(stack))


def test_other_commands_use_the_running_database(stack: Stack) -> None:
    given = {name: value for name, value in os.environ.items() if name not in CHOSEN_BY_UP}
    shown = subprocess.run(
        [sys.executable, "manage.py", "showmigrations", "accounts"],
        env={**given, "APP_DATA": str(stack.data)},
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    assert "[X] 0001_initial" in shown.stdout


def test_secrets_never_reach_the_output(stack: Stack) -> None:
    values = [line.split("=", 1)[1] for line in (stack.data / "secrets.env").read_text().splitlines()]
    assert not [value for value in values if value in stack.output]


def test_second_copy_in_the_same_folder_is_refused(stack: Stack) -> None:
    assert f"already runs there (process {stack.pid})" in refused(stack.data)


def test_taken_port_is_named(stack: Stack, tmp_path: Path) -> None:
    port = stack.url.rpartition(":")[2]
    assert f"PORT={port}: another program is listening" in refused(tmp_path / "other", PORT=port)


def test_killed_worker_is_started_again(stack: Stack) -> None:
    stack.wait_well()
    killed = stack.child("celery", "worker")
    os.kill(killed, signal.SIGKILL)
    wait_for(lambda: "worker    stopped unexpectedly (killed by SIGKILL)" in stack.output, stack.output)
    wait_for(lambda: bool(re.search(r"celery .*worker", " ".join(stack.leftovers().values()))), "not restarted")
    assert stack.child("celery", "worker") != killed


def test_callers_wait_instead_of_being_refused_while_the_web_server_restarts(stack: Stack) -> None:
    os.kill(stack.child("gunicorn"), signal.SIGKILL)
    wait_for(lambda: "web       stopped unexpectedly" in stack.output, stack.output)
    assert requests.get(f"{stack.url}/healthz", timeout=20).status_code in {200, 503}


def test_killed_database_comes_back_with_its_rows(stack: Stack) -> None:
    with psycopg.connect(database(stack)) as connection:
        connection.execute("CREATE TABLE IF NOT EXISTS survivor AS SELECT 1 AS one")
    os.kill(stack.child("postgres", "-D"), signal.SIGKILL)
    wait_for(lambda: "postgres  stopped unexpectedly" in stack.output, stack.output)

    def count() -> int:
        try:
            with psycopg.connect(database(stack)) as connection:
                return connection.execute("SELECT count(*) FROM survivor").fetchone()[0]
        except psycopg.OperationalError:
            return 0

    wait_for(lambda: count() == 1, stack.output)


def test_killed_supervisor_takes_everything_down_and_the_next_start_keeps_the_data(stack: Stack) -> None:
    with psycopg.connect(database(stack)) as connection:
        connection.execute("CREATE TABLE IF NOT EXISTS kept AS SELECT 42 AS answer")
    secrets = (stack.data / "secrets.env").read_text()
    stack.end(signal.SIGKILL)
    started = time.monotonic()
    wait_for(lambda: not stack.leftovers(), f"left behind: {stack.leftovers()}", timeout_s=15)
    stack.start()
    stack.wait_welcome()
    with psycopg.connect(database(stack)) as connection:
        assert connection.execute("SELECT answer FROM kept").fetchone() == (42,)
    assert (stack.data / "secrets.env").read_text() == secrets
    assert time.monotonic() - started < 30


def test_start_right_after_the_kill_waits_for_the_last_run_to_end(stack: Stack) -> None:
    stack.end(signal.SIGKILL)
    stack.start()
    stack.wait_welcome()
    assert stack.wait_well()["status"] == "ok"


@pytest.mark.parametrize("signum", [signal.SIGTERM, signal.SIGINT])
def test_signal_stops_everything_and_leaves_nothing_behind(stack: Stack, signum: int) -> None:
    started = time.monotonic()
    assert stack.end(signum) == 0
    assert time.monotonic() - started < 10
    assert stack.leftovers() == {}
    assert not list((service_home(stack.data) / "run").glob("*.sock"))
    assert not (service_home(stack.data) / "postgres/postmaster.pid").exists()


def test_signal_during_the_start_stops_it(prepared: Stack, stack: Stack) -> None:
    stack.end(signal.SIGTERM)
    stack.start()
    wait_for(lambda: "Starting" in stack.output, stack.output)
    assert stack.end(signal.SIGINT) == 0
    assert stack.leftovers() == {}


def test_second_signal_is_not_patient(stack: Stack) -> None:
    assert stack.process is not None
    os.kill(stack.child("celery", "worker"), signal.SIGSTOP)  # a worker that never answers
    stack.process.send_signal(signal.SIGINT)
    wait_for(lambda: "Stopping" in stack.output, stack.output)
    time.sleep(PATIENCE_S)
    started = time.monotonic()
    assert stack.end(signal.SIGINT) == 0
    assert time.monotonic() - started < 5
    assert stack.leftovers() == {}
