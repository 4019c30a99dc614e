import json
import sys
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from marketing.stack import run_in_own_stack, sandbox_inside
from marketing.storming.crowd import Crowd
from marketing.storming.faults import FAULTS
from marketing.storming.storm import Storm

# Short waits, in the proportions of the defaults: the rules are the same, the storm is over sooner.
ENGINE = {
    "X_TIMEOUT_S": "3",
    "TELEGRAM_TIMEOUT_S": "3",
    "LEASE_S": "12",
    "LATE_ACCEPT_S": "4",
    "READ_LAG_S": "2",
    "RETRY_BASE_S": "1",
    "RETRY_LIMIT": "20",
    "DISPATCH_EVERY_S": "0.5",
    "BREAKER_OPEN_S": "1",
}


class Command(BaseCommand):
    help = "Publish through a faulty network while workers are killed, then count: nothing lost, nothing doubled."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--deliveries", type=int, default=500)
        parser.add_argument("--networks", default=",".join(FAULTS), help="comma separated")
        parser.add_argument("--seed", type=int, default=1)
        parser.add_argument(
            "--timeout", type=float, default=1800, help="seconds after which what is open counts as lost"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        networks = options["networks"].split(",")
        if unknown := [name for name in networks if name not in FAULTS]:
            raise CommandError(f"There is no network {unknown[0]!r}; there are {', '.join(FAULTS)}.")
        if options["deliveries"] < 1:
            raise CommandError("--deliveries must be at least 1.")
        if sandbox := sandbox_inside():
            self._inside(sandbox, options)
            return
        words = [f"--{name}={options[name]}" for name in ("deliveries", "networks", "seed", "timeout")]
        sys.exit(run_in_own_stack(["storm", *words], ENGINE, durable=True))

    def _inside(self, sandbox: str, options: dict[str, Any]) -> None:
        crowd = Crowd(sandbox, options["seed"], options["networks"].split(","))
        storm = Storm(options["deliveries"], crowd)
        summary = storm.run(options["timeout"])
        self.stdout.write(json.dumps(summary))
        if any(summary[wrong] for wrong in ("lost", "doubled", "denied", "foreign")):
            sys.exit(1)
