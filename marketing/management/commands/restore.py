import json
from argparse import ArgumentParser
from dataclasses import asdict
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from marketing.backups.errors import BackupError
from marketing.backups.restore import Restored, restore_backup
from marketing.backups.targets import open_target


class Command(BaseCommand):
    help = (
        "Bring a backup back into an empty database, with publishing stopped. Erases again whoever was erased since, "
        "and checks the audit trail. Exits with 1 where something is missing or damaged."
    )
    # There are no tables yet.
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("target", help="a folder, or s3://bucket/prefix")
        parser.add_argument("--backup", default="", metavar="NAME", help="which one; by default the newest")
        parser.add_argument("--json", action="store_true", help="say what was found as one line of JSON")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            restored = restore_backup(open_target(options["target"]), options["backup"])
        except (BackupError, OSError) as error:
            raise CommandError(str(error)) from error
        if options["json"]:
            self.stdout.write(json.dumps(asdict(restored)))
        else:
            self._tell(restored)
        if not restored.is_whole:
            raise SystemExit(1)

    def _tell(self, restored: Restored) -> None:
        counts = f"{restored.rows:,} rows in {restored.tables} tables, {restored.files} files"
        self.stdout.write(f"{restored.name}: {counts}.")
        self.stdout.write(restored.erased_again)
        if restored.unreadable:
            self.stdout.write(f"{restored.unreadable} of {restored.secrets} secrets cannot be read.")
        if restored.missing_media:
            self.stdout.write(f"{restored.missing_media} media are not in the storage.")
        for fault in restored.audit_faults:
            self.stdout.write(f"audit: {fault}")
        self.stdout.write("Publishing is stopped. See what is live, then release it: admin, Switches.")
