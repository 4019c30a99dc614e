from argparse import ArgumentParser
from collections.abc import Iterable, Iterator
from itertools import chain
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from accounts.audit import verify_chain
from accounts.audit_anchor import anchored_chains, read_anchors, verify_files, verify_gone
from accounts.models import INSTANCE_CHAIN, AuditEntry, AuditHead, Workspace
from accounts.scope import all_workspaces_scope

# The anchors of so many chains are held in memory at once.
BATCH = 1000
STAFF = "staff"


class Command(BaseCommand):
    help = (
        "Check the hash chains of the audit trail, and hold them against the anchors. "
        "Prints one line per fault and exits with 1 where there is one."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--workspace", metavar="SLUG", help="only this one; by default all, and the staff's chain")

    def handle(self, *args: Any, **options: Any) -> None:
        chosen = chosen_chains(options["workspace"])
        faults = 0
        for fault in chain(anchor_faults(chosen, is_all=not options["workspace"]), chain_faults(chosen)):
            faults += 1
            self.stdout.write(fault)
        if faults:
            raise SystemExit(1)
        self.stdout.write(f"{len(chosen)} {'chain is' if len(chosen) == 1 else 'chains are'} whole.")


def chosen_chains(slug: str | None) -> list[Workspace | None]:
    if slug:
        workspace = Workspace.objects.filter(slug=slug).first()
        if workspace is None:
            raise CommandError(f"There is no workspace {slug}.")
        return [workspace]
    with all_workspaces_scope("audit verification"):
        # Both tables, and the anchors: either may have been emptied.
        known = {*AuditHead.objects.values_list("workspace", flat=True)}
        known |= {*AuditEntry.objects.order_by().values_list("workspace", flat=True).distinct()}
    known |= anchored_chains()
    return [None, *Workspace.objects.filter(pk__in=known - {None}).order_by("slug")]


def anchor_faults(chosen: list[Workspace | None], *, is_all: bool) -> Iterator[str]:
    with all_workspaces_scope("audit verification"):
        for fault in verify_files():
            yield f"anchors: {fault}"
        if is_all:
            for fault in verify_gone([workspace.pk for workspace in chosen if workspace]):
                yield f"anchors: {fault}"


def chain_faults(chosen: list[Workspace | None]) -> Iterator[str]:
    for start in range(0, len(chosen), BATCH):
        yield from batch_faults(chosen[start : start + BATCH])


def batch_faults(chosen: Iterable[Workspace | None]) -> Iterator[str]:
    anchors = read_anchors({workspace.pk if workspace else INSTANCE_CHAIN for workspace in chosen})
    for workspace in chosen:
        seen = anchors.get(workspace.pk if workspace else INSTANCE_CHAIN, [])
        # A transaction per chain: its head stays locked until the transaction ends.
        with all_workspaces_scope("audit verification"):
            for fault in verify_chain(workspace, seen):
                yield f"{workspace.slug if workspace else STAFF}: {fault}"
