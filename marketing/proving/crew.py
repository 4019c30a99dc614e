"""Four worker processes, one of which is killed, and the scheduler's wake-ups for them."""

import os
import subprocess
import sys
import time
from pathlib import Path

from django.conf import settings

from agents.tasks import wake_periodic
from marketing.celery import app
from marketing.processes import kill_group, spawn

WORKERS = 4
TICK_S = 1.0


class Crew:
    """Each worker is a process with one slot."""

    def __init__(self) -> None:
        self.log = (settings.APP_DATA / "crew.log").open("ab")
        self.workers = {number: self._worker(number) for number in range(WORKERS)}
        # At work since the beginning, in kilobytes when first asked.
        self.first_kb: dict[int, int] = {}
        self.growth_mb = 0.0

    def wait_ready(self, timeout_s: float = 240) -> None:
        """Until each answers: what it still loads after that belongs to the measurement."""
        deadline = time.monotonic() + timeout_s
        while len(app.control.ping(timeout=2)) < len(self.workers):
            if time.monotonic() > deadline:
                raise TimeoutError("The workers do not start.")

    def tick(self) -> None:
        """What the scheduler does each second."""
        wake_periodic.delay()

    def kill_one(self) -> None:
        """SIGKILL in the middle of its work; a supervisor starts another one."""
        number = max(self.workers)
        kill_group(self.workers[number])
        self.workers[number].wait()
        self.first_kb.pop(number, None)
        self.workers[number + 1] = self._worker(number + 1)
        del self.workers[number]

    def note_memory(self) -> None:
        for number, process in self.workers.items():
            self.first_kb.setdefault(number, resident_kb(process.pid))

    def note_growth(self) -> None:
        """Of the worker that grew most since it was first asked."""
        grown = [resident_kb(self.workers[number].pid) - first for number, first in self.first_kb.items()]
        self.growth_mb = max(self.growth_mb, *(kb / 1024 for kb in grown))

    def cpu_s(self) -> float:
        """Of the workers that live."""
        return sum(cpu_seconds(process.pid) for process in self.workers.values())

    def stop(self) -> None:
        for process in self.workers.values():
            kill_group(process)
            process.wait()

    def _worker(self, number: int) -> subprocess.Popen[bytes]:
        words = ["worker", "--pool", "solo", "--hostname", f"crew{number}@%h", "--without-mingle", "--without-gossip"]
        command = [sys.executable, "-m", "celery", "-q", "-A", "marketing.proving.app", *words]
        return spawn(command, output=self.log, env=os.environ, cwd=settings.BASE_DIR)


def cpu_seconds(pid: int) -> float:
    # User and system time, in ticks; the name before them may hold spaces.
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def resident_kb(pid: int) -> int:
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1])
    raise ProcessLookupError(pid)
