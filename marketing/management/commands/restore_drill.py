import json
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from marketing.backups.drill import run_drill
from marketing.backups.errors import BackupError


class Command(BaseCommand):
    help = "Restore the newest backup into a throwaway database, check it, and take it away. Exits with 1 on any fault."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("target", help="a folder, or s3://bucket/prefix")
        parser.add_argument("--backup", default="", metavar="NAME", help="which one; by default the newest")
        parser.add_argument(
            "--redis", default="", metavar="URL", help="an empty Redis for it; by default one of its own"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            found = run_drill(options["target"], options["backup"], options["redis"])
        except (BackupError, OSError) as error:
            raise CommandError(str(error)) from error
        self.stdout.write(json.dumps(found))
        if not found["ok"]:
            raise SystemExit(1)
