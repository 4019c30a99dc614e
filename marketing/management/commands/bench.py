import json
import sys
from typing import Any

from django.core.management.base import BaseCommand

from marketing.stack import run_in_own_stack, sandbox_inside

# Limits would measure themselves; everything else is as in production.
SETTINGS = {"API_RATE": "1000000/min", "ALLOWED_HOSTS": "testserver,localhost"}


class Command(BaseCommand):
    help = "Measure ratios against baselines in the same run: a table, and last one line of JSON."
    requires_system_checks: list[str] = []

    def handle(self, *args: Any, **options: Any) -> None:
        sandbox = sandbox_inside()
        if not sandbox:
            sys.exit(run_in_own_stack(["bench"], SETTINGS))
        from marketing import bench

        results = bench.run(sandbox)
        width = max(map(len, results))
        for name, value in results.items():
            self.stdout.write(f"{name:<{width}}  {value:>12,.3f}")
        self.stdout.write(json.dumps(results))
