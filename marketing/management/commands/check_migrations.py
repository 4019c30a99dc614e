from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand
from django.db.migrations.loader import MigrationLoader

from marketing.migration_rules import find_faults, read_released, write_released


class Command(BaseCommand):
    help = "Find in the migrations since the last release what would stop the one before it, or lock a large table."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--released", action="store_true", help="these are out now: look at later ones only")

    def handle(self, *args: Any, **options: Any) -> None:
        loader = MigrationLoader(None, ignore_no_migrations=True)
        if options["released"]:
            write_released(loader)
            return
        faults = list(find_faults(loader, read_released()))
        for fault in faults:
            self.stdout.write(fault)
        if faults:
            self.stdout.write("Where there is no other way, say why: `unsafe_because` in the migration.")
            raise SystemExit(1)
