from typing import Any

from django.core.management.base import BaseCommand

from accounts.models import Workspace
from accounts.scope import all_workspaces_scope
from agents.memory.index import MODELS, index_memory
from agents.models import SearchScope


class Command(BaseCommand):
    help = "Index what assistants remember anew: after a change of SECRET_KEY, which hides the words of the index."

    def handle(self, *args: Any, **options: Any) -> None:
        # What is not in the index is looked through row by row: nothing is missed meanwhile.
        with all_workspaces_scope("memory is indexed anew"):
            SearchScope.objects.all().delete()
            for model in MODELS.values():
                model._base_manager.filter(is_indexed=True).update(is_indexed=False)
        count = sum(index_memory(pk) for pk in Workspace.objects.values_list("pk", flat=True))
        self.stdout.write(f"{count} rows are in the index.")
