"""The programs of the image on this machine, started by the same script, on ports that are free."""

import os
import re
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from django.conf import settings

from marketing.processes import kill_group, spawn

# gunicorn and uvicorn say where they listen when port 0 was asked for.
LISTENS = re.compile(r"(?:Listening at:|running on) http://[\d.]+:(\d+)")


@contextmanager
def program(*words: str, log: Path, env: Mapping[str, str] | None = None) -> Iterator[None]:
    """`deploy/entrypoint` with these words; its output goes to the file."""
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', '')}"
    environment = {**os.environ, "PATH": path, "STATIC_FROM_SOURCE": "1", **(env or {})}
    with log.open("ab") as output:
        process = _start(words, output, environment)
        try:
            yield
        finally:
            process.terminate()
            try:
                process.wait(timeout=30)
            except subprocess.TimeoutExpired:
                kill_group(process)
                process.wait()


def _start(words: tuple[str, ...], output: IO[bytes], environment: Mapping[str, str]) -> "subprocess.Popen[bytes]":
    script = settings.BASE_DIR / "deploy" / "entrypoint"
    return spawn([script, *words], output=output.fileno(), env=environment, cwd=settings.BASE_DIR)


@contextmanager
def server(word: str, log: Path, env: Mapping[str, str] | None = None) -> Iterator[str]:
    """`web` or `asgi`; answers its address."""
    # Where it listens is said to whoever listens to more than warnings.
    words = (word, "--log-level", "info")
    with program(*words, log=log, env={"PORT": "0", "ASGI_PORT": "0", "LOG_LEVEL": "INFO", **(env or {})}):
        yield f"http://127.0.0.1:{_port(log)}"


def _port(log: Path, timeout_s: float = 180) -> int:
    deadline = time.monotonic() + timeout_s
    while time.monotonic() < deadline:
        if found := LISTENS.search(log.read_text(errors="replace")):
            return int(found[1])
        time.sleep(0.1)
    raise TimeoutError(f"The server did not start:\n{log.read_text(errors='replace')[-2000:]}")
