import json
import os
import subprocess
import sys
import tempfile
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from marketing.embedded import throwaway_services
from marketing.storm import Storm
from sandbox.testing import start_sandbox

INSIDE = "STORM_SANDBOX_URL"
# Short waits, in the proportions of the defaults: the rules are the same, the storm is over sooner.
ENGINE = {
    "X_TIMEOUT_S": "3",
    "LEASE_S": "12",
    "LATE_ACCEPT_S": "4",
    "READ_LAG_S": "2",
    "RETRY_BASE_S": "1",
    "RETRY_LIMIT": "20",
    "DISPATCH_EVERY_S": "0.5",
}


class Command(BaseCommand):
    help = "Publish through a faulty network while workers are killed, then count: nothing lost, nothing doubled."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--deliveries", type=int, default=500)
        parser.add_argument("--networks", default="x", help="comma separated; only x so far")
        parser.add_argument("--seed", type=int, default=1)
        parser.add_argument(
            "--timeout", type=float, default=900, help="seconds after which what is open counts as lost"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        if options["networks"] != "x":
            raise CommandError("Only --networks x so far.")
        if options["deliveries"] < 1:
            raise CommandError("--deliveries must be at least 1.")
        if sandbox := os.environ.get(INSIDE):
            self._inside(sandbox, options)
            return
        if os.environ.get("DATABASE_URL") or os.environ.get("REDIS_URL"):
            raise CommandError("storm starts its own stack: unset DATABASE_URL and REDIS_URL.")
        self._around(options)

    def _around(self, options: dict[str, Any]) -> None:
        """Start throwaway stores and a sandbox, and run this command again inside them."""
        with throwaway_services() as stores, tempfile.TemporaryDirectory(prefix="storm-") as folder:
            sandbox, process = start_sandbox(Path(folder) / "sandbox")
            urls = {"X_API_BASE_URL": f"{sandbox}/x", "X_WEB_BASE_URL": f"{sandbox}/x", INSIDE: sandbox}
            keys = {"X_CLIENT_ID": "sandbox-client", "X_CLIENT_SECRET": "sandbox-secret", "LOG_LEVEL": "ERROR"}
            environment = {**os.environ, **ENGINE, **stores, **urls, **keys, "APP_DATA": folder}
            words = [f"--{name}={options[name]}" for name in ("deliveries", "networks", "seed", "timeout")]
            try:
                manage = [sys.executable, sys.argv[0]]
                subprocess.run([*manage, "migrate", "-v0"], env=environment, check=True)  # noqa: S603
                code = subprocess.run([*manage, "storm", *words], env=environment, check=False).returncode  # noqa: S603
            finally:
                process.terminate()
                process.wait()
        sys.exit(code)

    def _inside(self, sandbox: str, options: dict[str, Any]) -> None:
        storm = Storm(deliveries=options["deliveries"], seed=options["seed"], sandbox=sandbox)
        summary = storm.run(options["timeout"])
        self.stdout.write(json.dumps(summary))
        if summary["lost"] or summary["doubled"] or summary["foreign"]:
            sys.exit(1)
