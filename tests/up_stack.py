"""One running product for every test that wants the whole of it: starting it costs more than most of them."""

import os
import re
import shutil
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
import requests

from marketing.embedded import scratch_folder
from tests.waiting import wait_for

ROOT = Path(__file__).parents[1]
CHOSEN_BY_UP = {
    "DATABASE_URL",
    "REDIS_URL",
    "PORT",
    "SANDBOX_PORT",
    "ASGI_PORT",
    "APP_DATA",
    "DEBUG",
    "DJANGO_SETTINGS_MODULE",
}
# On a loaded machine a start takes its time.
START_S = 480


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
        self.wait(lambda: "Stop     Ctrl-C" in self.output or self.has_failed())
        assert not self.has_failed(), self.output

    def started(self) -> "Stack":
        if not self.is_running():
            self.start()
            self.wait_welcome()
        return self

    def wait(self, is_done: Callable[[], object], timeout_s: float = START_S) -> None:
        wait_for(is_done, what=lambda: self.output, timeout_s=timeout_s, every_s=0.1)

    def has_failed(self) -> bool:
        return not self.is_running() or "web       stopped unexpectedly" in self.output

    def wait_well(self) -> dict[str, object]:
        def is_well() -> bool:
            return requests.get(f"{self.url}/healthz", timeout=10).status_code == 200

        self.wait(is_well)
        return requests.get(f"{self.url}/healthz", timeout=10).json()

    def end(self, signum: int) -> int:
        assert self.process is not None
        self.process.send_signal(signum)
        return self.process.wait(START_S)

    def leftovers(self) -> dict[int, str]:
        return commands_in_session(self.pid)

    def child(self, *words: str) -> int:
        """The main process of one program: a direct child of `up`."""
        for pid, command in self.leftovers().items():
            parent = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1]
            if int(parent) == self.pid and all(word in command for word in words):
                return pid
        raise AssertionError(f"no {words} in {self.leftovers()}")


@pytest.fixture(scope="session")
def prepared() -> Iterator[Stack]:
    """Not started yet. Its tests run on one worker, those that kill it last (`marketing.pytest_services.STACKS`)."""
    data = scratch_folder() / f"marketing-up-{os.getpid()}"
    data.mkdir()
    data.chmod(0o711)
    stack = Stack(data)
    yield stack
    if stack.is_running():
        stack.end(signal.SIGTERM)
    shutil.rmtree(data)
