import argparse
import json
import sys
from contextlib import ExitStack
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from marketing.stack import run_in_own_stack, sandbox_inside

# Everybody comes from one address here: its limits on log-ins would measure themselves.
LIMITS = {"RATE_LIMITS": "0", "API_AUTH_RATE": "100000/min"}
SETTINGS = {**LIMITS, "ALLOWED_HOSTS": "127.0.0.1,localhost", "WEB_CONCURRENCY": "2"}


class Command(BaseCommand):
    help = "Let many people use an own stack at once: pages, HTMX, drafts, API, MCP. Ends with 1 at any error."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        parser.add_argument("--minutes", type=float, default=10)
        parser.add_argument("--users", type=int, default=50)

    def handle(self, *args: Any, minutes: float, users: int, **options: Any) -> None:
        if users < 1 or minutes <= 0:
            raise CommandError("At least one user, and some time.")
        if not sandbox_inside():
            sys.exit(run_in_own_stack(["load", f"--minutes={minutes}", f"--users={users}"], SETTINGS))
        summary = self._run(users, minutes * 60)
        for kind, of in summary["by_kind"].items():
            self.stdout.write(
                f"{kind:<20} {of['requests']:>7} requests  p50 {of['p50_ms']:>8} ms  p95 {of['p95_ms']:>8} ms"
            )
        self.stdout.write(json.dumps(summary))
        if summary["errors"]:
            for log in sorted(settings.APP_DATA.glob("*.log")):
                self.stderr.write(f"--- {log.name}\n{log.read_text(errors='replace')[-4000:]}")
            sys.exit(1)

    def _run(self, users: int, seconds: float) -> dict[str, Any]:
        from marketing.benching.load import Addresses, prepare, run_load
        from marketing.benching.programs import program, server

        accounts, folder = prepare(users), settings.APP_DATA
        with ExitStack() as running:
            web = running.enter_context(server("web", folder / "web.log"))
            asgi = running.enter_context(server("asgi", folder / "asgi.log", {"WEB_CONCURRENCY": "1"}))
            for word in ("worker", "beat"):
                running.enter_context(program(word, log=folder / f"{word}.log", env={"WORKER_CONCURRENCY": "2"}))
            return run_load(accounts, Addresses(web, asgi), seconds)
