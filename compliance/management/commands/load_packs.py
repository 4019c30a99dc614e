from typing import Any

from django.core.management.base import BaseCommand, CommandError

from compliance.guard.rules import BadPack
from compliance.rulesets import load_packs


class Command(BaseCommand):
    help = "Put the rules that the packs ship into the table, for staff to see and change; what they changed stays."

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            counts = load_packs()
        except BadPack as fault:
            raise CommandError(str(fault)) from fault
        self.stdout.write(", ".join(f"{number} {name}" for name, number in counts.items()))
