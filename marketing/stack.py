"""Run a management command again inside a stack of its own: empty stores and a sandbox, gone afterwards."""

import os
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

from django.core.management.base import CommandError

from marketing.embedded import throwaway_services
from sandbox.testing import start_sandbox

INSIDE = "STACK_SANDBOX_URL"


def sandbox_inside() -> str:
    """The sandbox's address when this process already runs inside a throwaway stack, else nothing."""
    return os.environ.get(INSIDE, "")


def run_in_own_stack(words: Sequence[str], settings: Mapping[str, str]) -> int:
    """`words` follow manage.py; `settings` are environment variables. Answers the exit code."""
    if os.environ.get("DATABASE_URL") or os.environ.get("REDIS_URL"):
        raise CommandError("This starts its own stack: unset DATABASE_URL and REDIS_URL.")
    with throwaway_services() as stores, tempfile.TemporaryDirectory(prefix="stack-") as folder:
        sandbox, process = start_sandbox(Path(folder) / "sandbox")
        own = {
            "APP_DATA": folder,
            "LOG_LEVEL": "ERROR",
            "X_API_BASE_URL": f"{sandbox}/x",
            "X_WEB_BASE_URL": f"{sandbox}/x",
            "X_CLIENT_ID": "sandbox-client",
            "X_CLIENT_SECRET": "sandbox-secret",
            INSIDE: sandbox,
        }
        environment = {**os.environ, **own, **stores, **settings}
        manage = [sys.executable, sys.argv[0]]
        try:
            subprocess.run([*manage, "migrate", "-v0"], env=environment, check=True)  # noqa: S603
            return subprocess.run([*manage, *words], env=environment, check=False).returncode  # noqa: S603
        finally:
            process.terminate()
            process.wait()
