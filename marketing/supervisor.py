"""Keeps a set of programs running, shows their output as one stream and stops them in order."""

from __future__ import annotations

import contextlib
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import IO, TextIO

from marketing.processes import kill_group, stop_all

BACKOFF_S = (0.5, 1, 2, 4, 8, 15)
PATIENCE_S = 1.0  # `make` passes SIGTERM on, so one wish may arrive twice
STEADY_S = 30.0  # after this long alive, the next failure counts as the first again
COLOURS = (36, 33, 35, 32, 34, 96, 93)


class StopRequested(Exception):
    """Ctrl-C, SIGTERM or a closed terminal."""


class Console:
    """One stream for everybody; lines of different programs never mix."""

    def __init__(self, stream: TextIO) -> None:
        self.stream = stream
        self.has_colour = stream.isatty()
        self.lock = threading.Lock()
        self.colours: dict[str, int] = {}
        self.open_step = ""

    def write(self, text: str) -> None:
        # A closed pipe or terminal must not stop the readers: a full pipe would block the children.
        with self.lock, contextlib.suppress(OSError, ValueError):
            self.stream.write(text)
            self.stream.flush()

    def say(self, text: str) -> None:
        interrupted, self.open_step = self.open_step, ""
        self.write(f"\n{text}\n" if interrupted else f"{text}\n")

    def line(self, name: str, text: str) -> None:
        prefix = f"{name:<9}"
        if self.has_colour:
            colour = self.colours.setdefault(name, COLOURS[len(self.colours) % len(COLOURS)])
            prefix = f"\033[{colour}m{prefix}\033[0m"
        self.say(f"{prefix} {text}")

    @contextlib.contextmanager
    def step(self, what: str) -> Iterator[None]:
        self.write(f"{what}… ")
        self.open_step = what
        started = time.monotonic()
        yield
        took = f"{time.monotonic() - started:.1f} s"
        # Output of a program may have broken the line in the meantime.
        text = took if self.open_step else f"{what}: {took}"
        self.open_step = ""
        self.say(text)

    def follow(self, name: str, pipe: IO[bytes]) -> None:
        threading.Thread(target=self._copy, args=(name, pipe), daemon=True).start()

    def _copy(self, name: str, pipe: IO[bytes]) -> None:
        with pipe:
            for line in pipe:
                if text := line.decode(errors="replace").rstrip():
                    self.line(name, text)


@dataclass
class Program:
    name: str
    launch: Callable[[], subprocess.Popen[bytes]]
    stop_signal: int = signal.SIGTERM
    stop_s: float = 8.0
    stop_stage: int = 0  # lower stages stop first
    process: subprocess.Popen[bytes] | None = None
    started_at: float = 0.0
    failures: int = 0
    start_again_at: float | None = None


@dataclass
class Supervisor:
    console: Console
    programs: list[Program] = field(default_factory=list)
    asked_to_stop_at: float | None = None

    def listen_for_signals(self) -> None:
        for signum in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            if signal.getsignal(signum) != signal.SIG_IGN:  # nohup
                signal.signal(signum, self.on_signal)

    def on_signal(self, _signum: int, _frame: object) -> None:
        if self.asked_to_stop_at is None:
            self.asked_to_stop_at = time.monotonic()
            raise StopRequested
        if time.monotonic() - self.asked_to_stop_at < PATIENCE_S:
            return
        # Impatient: no more waiting. PostgreSQL recovers from SIGQUIT at the next start.
        for program in self.programs:
            if program.process is not None and program.process.poll() is None:
                is_store = program.stop_signal == signal.SIGINT
                kill_group(program.process, signal.SIGQUIT if is_store else signal.SIGKILL)

    def adopt(self, program: Program, process: subprocess.Popen[bytes]) -> None:
        """Watch a program that somebody else has started."""
        program.process, program.started_at = process, time.monotonic()
        self.programs.append(program)

    def start(self, program: Program) -> None:
        if program not in self.programs:
            self.programs.append(program)
        program.process = program.launch()
        program.started_at, program.start_again_at = time.monotonic(), None
        if program.process.stdout is not None:
            self.console.follow(program.name, program.process.stdout)

    def watch(self) -> None:
        """One look at every program; call it in a loop."""
        for program in self.programs:
            if program.start_again_at is not None:
                if time.monotonic() >= program.start_again_at:
                    self.start(program)
            elif program.process is not None and program.process.poll() is not None:
                self.plan_restart(program, program.process)

    def plan_restart(self, program: Program, process: subprocess.Popen[bytes]) -> None:
        kill_group(process)  # workers of a killed master must not linger
        if time.monotonic() - program.started_at > STEADY_S:
            program.failures = 0
        wait_s = BACKOFF_S[min(program.failures, len(BACKOFF_S) - 1)]
        program.failures += 1
        program.start_again_at = time.monotonic() + wait_s
        why = describe_exit(process.returncode)
        self.console.line(program.name, f"stopped unexpectedly ({why}); starting it again in {wait_s} s")

    def stop(self) -> None:
        if self.asked_to_stop_at is None:  # after an error: a first signal must not break off the stopping
            self.asked_to_stop_at = time.monotonic()
        for stage in sorted({program.stop_stage for program in self.programs}):
            programs = [program for program in self.programs if program.stop_stage == stage]
            for signum in {program.stop_signal for program in programs}:
                members = [program for program in programs if program.stop_signal == signum]
                processes = [program.process for program in members if program.process is not None]
                stop_all(processes, signum, max(program.stop_s for program in members))


def describe_exit(code: int) -> str:
    if code < 0:
        return f"killed by {signal.Signals(-code).name}"
    return f"exit code {code}"


def plain_console() -> Console:
    # A terminal in a narrow encoding shows "?" instead of stopping the whole.
    if hasattr(sys.stdout, "reconfigure"):
        sys.stdout.reconfigure(errors="replace")
    return Console(sys.stdout)
