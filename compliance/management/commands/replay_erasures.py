from datetime import timedelta
from typing import Any

from django.core.management.base import BaseCommand

from accounts.models import Workspace
from compliance.models.privacy import SubjectKind
from compliance.privacy import ledger
from compliance.privacy.deletion import delete_workspace
from compliance.privacy.erase import replay
from lib.clock import now


class Command(BaseCommand):
    help = "After restoring a backup: erase again whoever was erased since it was made. May run as often as you like."

    def handle(self, *args: Any, **options: Any) -> None:
        # Read to the end first: what is erased now is added to the same file.
        done = sum(self._again(line) for line in {(x.kind, x.id): x for x in ledger.lines()}.values())
        self.stdout.write(f"{done} erased again.")

    def _again(self, line: ledger.Line) -> bool:
        if line.kind != SubjectKind.WORKSPACE:
            return replay(line.kind, line.id)
        # In the backup its time may not have come yet.
        if not Workspace.objects.filter(pk=line.id).update(deletes_at=now() - timedelta(seconds=1)):
            return False
        delete_workspace(line.id)
        return True
