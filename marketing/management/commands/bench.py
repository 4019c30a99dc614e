import argparse
import json
import sys
from typing import Any

from django.core.management.base import BaseCommand

from marketing.stack import run_in_own_stack, sandbox_inside

# Limits would measure themselves; everything else is as in production.
SETTINGS = {"API_RATE": "1000000/min", "ALLOWED_HOSTS": "testserver,localhost", "STATIC_FROM_SOURCE": "1"}


class Command(BaseCommand):
    help = "Measure ratios against baselines in the same run: a table, and last one line of JSON."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        parser.add_argument("--events", type=int, default=1_000_000, help="how many events the dashboard is over")

    def handle(self, *args: Any, events: int, **options: Any) -> None:
        sandbox = sandbox_inside()
        if not sandbox:
            sys.exit(run_in_own_stack(["bench", f"--events={events}"], SETTINGS))
        from marketing import bench

        results = bench.run(sandbox, events=events)
        width = max(map(len, results))
        for name, value in results.items():
            self.stdout.write(f"{name:<{width}}  {value:>12,.3f}")
        self.stdout.write(json.dumps(results))
