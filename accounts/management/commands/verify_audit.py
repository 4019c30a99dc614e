from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from accounts.audit import verify_chain
from accounts.models import AuditEntry, AuditHead, Workspace
from accounts.scope import all_workspaces_scope


class Command(BaseCommand):
    help = "Check the hash chains of the audit trail. Prints one line per fault and exits with 1 where there is one."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--workspace", metavar="SLUG", help="only this one; by default all, and the staff's chain")

    def handle(self, *args: Any, **options: Any) -> None:
        faults = chains = 0
        for workspace in chosen_chains(options["workspace"]):
            chains += 1
            # A transaction per chain: its head stays locked until the transaction ends.
            with all_workspaces_scope("audit verification"):
                for fault in verify_chain(workspace):
                    faults += 1
                    self.stdout.write(f"{workspace.slug if workspace else 'staff'}: {fault}")
        if faults:
            raise SystemExit(1)
        self.stdout.write(f"{chains} {'chain is' if chains == 1 else 'chains are'} whole.")


def chosen_chains(slug: str | None) -> list[Workspace | None]:
    if slug:
        workspace = Workspace.objects.filter(slug=slug).first()
        if workspace is None:
            raise CommandError(f"There is no workspace {slug}.")
        return [workspace]
    with all_workspaces_scope("audit verification"):
        # Both tables: either may have been emptied.
        known = {*AuditHead.objects.values_list("workspace", flat=True)}
        known |= {*AuditEntry.objects.order_by().values_list("workspace", flat=True).distinct()}
    return [None, *Workspace.objects.filter(pk__in=known - {None}).order_by("slug")]
