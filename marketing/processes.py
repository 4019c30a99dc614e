"""Child processes that never outlive this one, and locks that outlive nobody."""

from __future__ import annotations

import contextlib
import ctypes
import fcntl
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

PR_SET_PDEATHSIG = 1
# Linux only. Elsewhere an orphan is found by the folder lock at the next start.
LIBC = ctypes.CDLL(None) if sys.platform == "linux" else None


@dataclass(frozen=True)
class Account:
    """The operating-system user a child runs as."""

    uid: int
    gid: int


def spawn(
    argv: Sequence[str | Path],
    *,
    output: IO[bytes] | int,
    env: Mapping[str, str] | None = None,
    cwd: Path | str = "/",
    death_signal: int = signal.SIGTERM,
    account: Account | None = None,
    keep_fds: Iterable[int] = (),
) -> subprocess.Popen[bytes]:
    """Start a child that gets `death_signal` when we die. Call it from the main thread only: the kernel
    sends that signal when the *thread* that forked ends."""
    parent = os.getpid()

    def die_with_parent() -> None:
        if LIBC is not None:
            LIBC.prctl(PR_SET_PDEATHSIG, int(death_signal))
        if os.getppid() != parent:  # we were killed between fork and prctl
            os._exit(1)

    identity: dict[str, Any] = {}
    if account is not None:
        identity = {"user": account.uid, "group": account.gid, "extra_groups": []}
    return subprocess.Popen(  # noqa: S603 - fixed programs, no shell
        [str(word) for word in argv],
        env=env,
        cwd=cwd,
        stdin=subprocess.DEVNULL,
        stdout=output,
        stderr=subprocess.STDOUT,
        # Its own group: Ctrl-C in the terminal reaches us alone, and we stop things in order.
        process_group=0,
        preexec_fn=die_with_parent,  # noqa: PLW1509 - one ctypes call, prepared before the fork
        pass_fds=tuple(keep_fds),
        **identity,
    )


def kill_group(process: subprocess.Popen[bytes], signum: int = signal.SIGKILL) -> None:
    """Signal a child and all it forked; the leader may be gone already."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signum)


def stop_all(
    processes: Iterable[subprocess.Popen[bytes]], signum: int = signal.SIGTERM, timeout_s: float = 10.0
) -> None:
    """Ask, wait for all together, then kill what is left, grandchildren included."""
    running = list(processes)
    for process in running:
        if process.poll() is None:
            process.send_signal(signum)
    deadline = time.monotonic() + timeout_s
    for process in running:
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(max(0.0, deadline - time.monotonic()))
        kill_group(process)
        process.wait()


def lock_file(path: Path, wait_s: float = 0.0) -> int | None:
    """Take an exclusive lock and return its descriptor, or None when a live process holds it."""
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    deadline = time.monotonic() + wait_s
    while True:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() >= deadline:
                os.close(descriptor)
                return None
            time.sleep(0.1)
        else:
            return descriptor
