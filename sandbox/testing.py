"""Starting the real process, for test suites and throwaway stacks."""

import json
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Sequence
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parent.parent
START_SECONDS = 15.0


class SandboxDidNotStart(RuntimeError):
    """The process ended or stayed silent."""


def start_sandbox(
    data_dir: Path, port: int = 0, seed: int = 1, *, is_demo: bool = False, extra: Sequence[str] = ()
) -> tuple[str, subprocess.Popen[bytes]]:
    """(base URL, process). The caller terminates the process; state stays in data_dir."""
    port = port or free_port()
    command = [sys.executable, "-m", "sandbox", "--port", str(port), "--data", str(data_dir), "--seed", str(seed)]
    command += [*(["--demo"] if is_demo else []), *extra]
    process = subprocess.Popen(command, cwd=REPOSITORY, stdout=subprocess.DEVNULL)  # noqa: S603
    base_url = f"http://127.0.0.1:{port}"
    _wait_until_healthy(base_url, process)
    return base_url, process


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _wait_until_healthy(base_url: str, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline and process.poll() is None:
        try:
            with urllib.request.urlopen(f"{base_url}/_sandbox/health", timeout=1) as answer:  # noqa: S310
                # Somebody else may own the port, and would answer too.
                if json.load(answer)["pid"] == process.pid:
                    return
        except (urllib.error.URLError, OSError):
            pass
        time.sleep(0.05)
    process.kill()
    raise SandboxDidNotStart(base_url)
