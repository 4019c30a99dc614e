from typing import Any

from django.core.management.base import BaseCommand

from accounts.audit_anchor import anchor_chains


class Command(BaseCommand):
    help = "Write the heads of the audit chains that changed into a file outside the database. Runs daily by itself."

    def handle(self, *args: Any, **options: Any) -> None:
        path = anchor_chains()
        self.stdout.write(str(path) if path else "Nothing changed since the last anchor.")
