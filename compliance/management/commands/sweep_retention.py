from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand

from accounts.inventory import INVENTORY
from accounts.scope import all_workspaces_scope
from compliance.privacy import retention


class Command(BaseCommand):
    help = "Delete what is older than the inventory says, as the daily task does. May be killed at any moment."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--dry-run", action="store_true", help="only count")

    def handle(self, *args: Any, **options: Any) -> None:
        for label, count in (self._count() if options["dry_run"] else retention.sweep()).items():
            self.stdout.write(f"{label}: {count}")

    def _count(self) -> dict[str, int]:
        with all_workspaces_scope("counting what retention would delete"):
            counts = {d.label: retention.expired(d).count() for d in INVENTORY.values() if d.keep.since}
        return {label: count for label, count in counts.items() if count}
