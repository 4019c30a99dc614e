import argparse
from datetime import date
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from analytics.partitions import first_whole_day
from analytics.rollups import rebuild, roll_up


class Command(BaseCommand):
    help = "Count the rollups again from the events. With --check nothing changes; a difference is an error either way."

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        parser.add_argument("--since", type=date.fromisoformat, help="the first day; by default the first whole one")
        parser.add_argument("--check", action="store_true", help="only compare")

    def handle(self, *args: Any, since: date | None = None, check: bool = False, **options: Any) -> None:
        first = first_whole_day()
        if since is not None and since < first:
            raise CommandError(f"The events before {first} are gone: their counts cannot be made again.")
        roll_up()
        differing = rebuild(since or first, keep=not check)
        self.stdout.write(f"{differing} rows differ.")
        if check and differing:
            raise CommandError("Run it without --check to mend them.")
