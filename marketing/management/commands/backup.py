from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from marketing.backups.errors import BackupError
from marketing.backups.make import Options, make_backup
from marketing.backups.targets import open_target


class Command(BaseCommand):
    help = "Copy the database, media, sources, audit anchors and the list of erasures. May run while everything works."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("target", help="a folder, or s3://bucket/prefix")
        parser.add_argument("--keep", type=int, default=0, metavar="N", help="afterwards delete all but the newest N")
        parser.add_argument("--without-media", action="store_true", help="only list the files of posts")
        parser.add_argument("--without-sources", action="store_true", help="leave the source folders out")

    def handle(self, *args: Any, **options: Any) -> None:
        if options["keep"] < 0:
            raise CommandError("--keep must not be negative.")
        wanted = Options(not options["without_media"], not options["without_sources"], options["keep"])
        try:
            made = make_backup(open_target(options["target"]), wanted)
        except (BackupError, OSError) as error:
            raise CommandError(str(error)) from error
        size = sum(file["bytes"] for file in made.files.values())
        sealed = "encrypted" if made.is_encrypted else "NOT encrypted: BACKUP_KEY is not set"
        self.stdout.write(f"{made.name}: {size:,} bytes, {sum(made.tables.values()):,} rows, {sealed}.")
