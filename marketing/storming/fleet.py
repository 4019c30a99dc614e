"""The programs that a storm kills: workers and a scheduler, each a process group of its own."""

import os
import random
import subprocess
import sys
import time
from pathlib import Path

from django.conf import settings

from marketing.processes import kill_group, spawn


class Fleet:
    """Three workers and a scheduler, each a process group of its own."""

    def __init__(self) -> None:
        self.log = (settings.APP_DATA / "fleet.log").open("ab")
        self.started_at: dict[int, float] = {}
        self.workers = {number: self._worker(number) for number in range(3)}
        self.beat = self._beat()

    def kill_one(self, rng: random.Random) -> int:
        # One that still starts holds nothing yet; on a slow machine, killing those would leave none to work.
        at_work = [number for number in self.workers if self._is_at_work(number)]
        if not at_work:
            return 0
        number = rng.choice(at_work)
        kill_group(self.workers[number])
        self.workers[number].wait()
        self._pid_file(number).unlink()
        self.workers[number] = self._worker(number)
        return 1

    def kill_scheduler(self) -> None:
        kill_group(self.beat)
        self.beat.wait()
        self.beat = self._beat()

    def revive(self) -> None:
        """What a supervisor does: start again whatever has ended by itself (a store it needs was away)."""
        for number, process in self.workers.items():
            if process.poll() is not None:
                self._pid_file(number).unlink(missing_ok=True)
                self.workers[number] = self._worker(number)
        if self.beat.poll() is not None:
            self.beat = self._beat()

    def stop(self) -> None:
        for process in [self.beat, *self.workers.values()]:
            kill_group(process)
            process.wait()

    def _beat(self) -> subprocess.Popen[bytes]:
        return self._celery("beat", "--schedule", str(settings.APP_DATA / "beat"))

    def _worker(self, number: int) -> subprocess.Popen[bytes]:
        self.started_at[number] = time.time()
        name, pid_file = f"storm{number}@%h", str(self._pid_file(number))
        return self._celery(
            "worker", "--concurrency", "4", "--hostname", name, "--pidfile", pid_file, "--without-mingle"
        )

    def _is_at_work(self, number: int) -> bool:
        """For at least as long as it took to start: then half of its life is work, on any machine."""
        if not self._pid_file(number).exists():
            return False
        loaded_at = self._pid_file(number).stat().st_mtime
        return time.time() - loaded_at >= loaded_at - self.started_at[number]

    def _pid_file(self, number: int) -> Path:
        """Written by the worker once it has loaded everything."""
        return Path(settings.APP_DATA / f"storm{number}.pid")

    def _celery(self, *words: str) -> subprocess.Popen[bytes]:
        command = [sys.executable, "-m", "celery", "-q", "-A", "marketing", *words]
        return spawn(command, output=self.log, env=os.environ, cwd=settings.BASE_DIR)
