import json
import sys
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand

from marketing.stack import run_in_own_stack, sandbox_inside


class Command(BaseCommand):
    help = "Measure dispatcher and periodic tasks at full size, and simulate what experiments promise."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--only", choices=["experiments", "dispatcher", "personal"], help="one; all without it")
        parser.add_argument("--archive", help="CSV of headline tests: clickability_test_id, impressions, clicks")
        parser.add_argument("--sizes", default="1000,100000,1000000", help="scheduled deliveries, comma separated")
        parser.add_argument("--seconds", type=float, default=30, help="of the steady stream")
        parser.add_argument("--people", type=int, default=100_000, help="each with a daily report at nine")
        parser.add_argument("--peak-seconds", type=float, default=60, help="of nine o'clock's window, in real time")
        parser.add_argument("--full", action="store_true", help="the whole window of 15 minutes in each of --zones")
        parser.add_argument("--zones", type=int, default=1, help="how many of the four zones, one after another")
        parser.add_argument("--flood", type=int, default=100_000, help="deliveries of the one workspace that floods")

    def handle(self, *args: Any, **options: Any) -> None:
        """Exits 1 when a bound does not hold."""
        held = []
        if options["only"] in (None, "experiments"):
            held.append(self._prove_experiments(options["archive"]))
        if options["only"] in (None, "dispatcher"):
            held.append(self._prove_dispatcher(options))
        if options["only"] in (None, "personal"):
            held.append(self._prove_personal(options))
        if not all(held):
            sys.exit(1)

    def _prove_experiments(self, archive: str | None) -> bool:
        """Without a stack: the statistics need no server."""
        from experiments.simulations import runner

        findings = runner.run(archive)
        for line in runner.lines(findings):
            self.stdout.write(line)
        self.stdout.write(runner.summary(findings))
        return runner.all_passed(findings)

    def _prove_dispatcher(self, options: dict[str, Any]) -> bool:
        words = [f"--{name}={options[name]}" for name in ("sizes", "seconds", "flood")]
        if not sandbox_inside():
            return run_in_own_stack(["prove", "--only=dispatcher", *words], {}) == 0
        from django.conf import settings

        from marketing.benching import scale

        sizes = [int(size) for size in options["sizes"].split(",")]
        found = scale.run(sizes, seconds=options["seconds"], flooded=options["flood"])
        self._show(found)
        return bool(found["late_p99_s"] <= settings.DISPATCH_EVERY_S + 2)

    def _prove_personal(self, options: dict[str, Any]) -> bool:
        from marketing.proving.limits import LEASE_S, WINDOW_S

        seconds = WINDOW_S if options["full"] else options["peak_seconds"]
        if not sandbox_inside():
            words = [f"--people={options['people']}", f"--peak-seconds={seconds}", f"--zones={options['zones']}"]
            # A killed worker's turns come back soon enough to be waited for.
            return run_in_own_stack(["prove", "--only=personal", *words], {"PERIODIC_LEASE_S": str(LEASE_S)}) == 0
        from marketing.proving import personal, watching

        self.stdout.write(f"The first {seconds:.0f} of {WINDOW_S} s after nine, in real time, one worker killed.")
        found = personal.run(options["people"], seconds, options["zones"], self.stdout.write)
        polled = watching.run(options["people"], options["people"] // 50, self.stdout.write)
        self._show(found | polled)
        return personal.holds(found) and watching.holds(polled)

    def _show(self, found: dict[str, float]) -> None:
        for name, value in found.items():
            self.stdout.write(f"{name:<32}  {value:>12,.3f}")
        self.stdout.write(json.dumps({name: round(value, 3) for name, value in found.items()}))
