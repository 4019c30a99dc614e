from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from accounts.rotation import PATIENCE_S, Progress, rotate, stores


class Command(BaseCommand):
    help = (
        "Encrypt every stored secret under the first of FIELD_KEYS. Every process must already know that key. "
        "May be stopped and started again at any moment."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--batch", type=int, default=500, help="rows in one transaction")
        parser.add_argument("--patience", type=float, default=PATIENCE_S, help="seconds to wait for rows in use")

    def handle(self, *args: Any, **options: Any) -> None:
        if options["batch"] < 1:
            raise CommandError("--batch must be at least 1.")
        faults = [fault for store in stores() for fault in self._rotate(store, options)]
        if faults:
            raise CommandError("Not everything is under the first key: keep the older keys. " + " ".join(faults))
        self.stdout.write("Everything is under the first key. The older keys may go.")

    def _rotate(self, store: Any, options: dict[str, Any]) -> list[str]:
        progress = rotate(store, batch=options["batch"], patience_s=options["patience"])
        self.stdout.write(f"{progress.name}: {progress.moved} moved")
        return describe(progress)


def describe(progress: Progress) -> list[str]:
    faults = []
    if progress.unreadable:
        faults.append(f"{progress.name}: {progress.unreadable} rows hold a secret that no key of FIELD_KEYS opens.")
    if progress.left > 0:
        faults.append(f"{progress.name}: {progress.left} rows were in use; run it again.")
    return faults
