import json
import sys
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand

from marketing.stack import run_in_own_stack, sandbox_inside


class Command(BaseCommand):
    help = "Measure the dispatcher with up to a million scheduled deliveries; exits 1 when it is later than promised."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--sizes", default="1000,100000,1000000", help="scheduled deliveries, comma separated")
        parser.add_argument("--seconds", type=float, default=30, help="of the steady stream")
        parser.add_argument("--flood", type=int, default=100_000, help="deliveries of the one workspace that floods")

    def handle(self, *args: Any, **options: Any) -> None:
        words = [f"--{name}={options[name]}" for name in ("sizes", "seconds", "flood")]
        if not sandbox_inside():
            sys.exit(run_in_own_stack(["prove", *words], {}))
        from django.conf import settings

        from marketing.benching import scale

        sizes = [int(size) for size in options["sizes"].split(",")]
        found = scale.run(sizes, seconds=options["seconds"], flooded=options["flood"])
        for name, value in found.items():
            self.stdout.write(f"{name:<32}  {value:>12,.3f}")
        self.stdout.write(json.dumps({name: round(value, 3) for name, value in found.items()}))
        if found["late_p99_s"] > settings.DISPATCH_EVERY_S + 2:
            sys.exit(1)
