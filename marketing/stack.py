"""Run a management command again inside a stack of its own: empty stores and a sandbox, gone afterwards."""

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

from django.core.management.base import CommandError

from marketing.embedded import Service, own_services
from marketing.processes import kill_group
from sandbox.testing import start_sandbox

INSIDE = "STACK_SANDBOX_URL"
# A folder in which the command inside asks for a store to be killed: a file with its name, gone when it is back.
CONTROL = "STACK_CONTROL"


def sandbox_inside() -> str:
    """The sandbox's address when this process already runs inside a throwaway stack, else nothing."""
    return os.environ.get(INSIDE, "")


def kill_store(name: str, timeout_s: float = 60) -> bool:
    """From inside: SIGKILL `postgres` or `valkey` and wait until it is back. False when nobody answers."""
    order = Path(os.environ[CONTROL]) / name
    order.touch()
    deadline = time.monotonic() + timeout_s
    while order.exists() and time.monotonic() < deadline:
        time.sleep(0.1)
    return not order.exists()


def run_in_own_stack(words: Sequence[str], settings: Mapping[str, str], *, durable: bool = False) -> int:
    """`words` follow manage.py; `settings` are environment variables. Answers the exit code.

    `durable`: what is committed survives the death of the store.
    """
    if os.environ.get("DATABASE_URL") or os.environ.get("REDIS_URL"):
        raise CommandError("This starts its own stack: unset DATABASE_URL and REDIS_URL.")
    with own_services(durable=durable) as (services, stores), tempfile.TemporaryDirectory(prefix="stack-") as folder:
        sandbox, process = start_sandbox(Path(folder) / "sandbox")
        control = Path(folder) / "control"
        control.mkdir()
        own = {
            "APP_DATA": folder,
            "LOG_LEVEL": "ERROR",
            "X_API_BASE_URL": f"{sandbox}/x",
            "X_WEB_BASE_URL": f"{sandbox}/x",
            "X_CLIENT_ID": "sandbox-client",
            "X_CLIENT_SECRET": "sandbox-secret",
            "X_BEARER_TOKEN": "sandbox-client-bearer",
            "DATA_API_BASE_URL": f"{sandbox}/data",
            "DATA_API_KEY": "sandbox-key",
            "TELEGRAM_API_BASE_URL": f"{sandbox}/tg",
            "TELEGRAM_WEB_BASE_URL": f"{sandbox}/tg/web",
            "SANDBOX_LLM_URL": sandbox,
            INSIDE: sandbox,
            CONTROL: str(control),
        }
        environment = {**os.environ, **own, **stores, **settings}
        manage = [sys.executable, sys.argv[0]]
        try:
            subprocess.run([*manage, "migrate", "-v0"], env=environment, check=True)  # noqa: S603
            return _tend([*manage, *words], environment, services, control)
        finally:
            process.terminate()
            process.wait()


def _tend(command: Sequence[str], environment: Mapping[str, str], services: list[Service], control: Path) -> int:
    """Run it, and kill and revive the stores it asks for. From the main thread: children die with their thread."""
    with subprocess.Popen(command, env=environment) as running:  # noqa: S603
        while running.poll() is None:
            for service in services:
                if (control / service.name).exists():
                    kill_and_relaunch(service)
                    (control / service.name).unlink()
            time.sleep(0.1)
    return running.returncode


def kill_and_relaunch(service: Service) -> None:
    assert service.process is not None, "a started service"
    kill_group(service.process)
    service.process.wait()
    service.launch()
    service.wait_ready()
