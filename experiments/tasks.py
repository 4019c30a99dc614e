"""The tick: what is due is claimed, looked at, and gets its next shares."""

from datetime import timedelta
from uuid import UUID

import structlog
from celery import shared_task
from django.db.models import Q

from accounts.scope import all_workspaces_scope, workspace_scope
from experiments import allocation
from experiments.looks import look_at, next_due
from experiments.models import Experiment
from lib.clock import now

log = structlog.get_logger(__name__)

BATCH = 200
LEASE = timedelta(minutes=10)
Status = Experiment.Status


@shared_task(name="experiments.tick", expires=50)
def tick() -> None:
    for workspace_id, experiment_id in claim_due():
        tend_experiment.delay(str(workspace_id), str(experiment_id))


@shared_task(name="experiments.tend_experiment")
def tend_experiment(workspace_id: str, experiment_id: str) -> None:
    tend(UUID(workspace_id), UUID(experiment_id))


def claim_due() -> list[tuple[UUID, UUID]]:
    """Workspace and experiment ids. Until its lease ends nobody else claims one; a dead worker's comes again."""
    with all_workspaces_scope("find experiments that are due"):
        is_free = Q(lease_until=None) | Q(lease_until__lte=now())
        rows = Experiment.objects.select_for_update(no_key=True, skip_locked=True, of=("self",))
        due = rows.filter(is_free, status=Status.RUNNING, due_at__lte=now(), workspace__is_suspended=False)
        found = list(due.order_by("due_at").values_list("workspace_id", "pk")[:BATCH])
        Experiment.objects.filter(pk__in=[pk for _, pk in found]).update(lease_until=now() + LEASE)
    return found


def tend(workspace_id: UUID, experiment_id: UUID) -> bool:
    """In one transaction: a crash leaves nothing, and a second worker finds it done."""
    with workspace_scope(workspace_id):
        rows = Experiment.objects.select_for_update(no_key=True, skip_locked=True, of=("self",)).select_related(
            "workspace"
        )
        row = rows.filter(pk=experiment_id, status=Status.RUNNING, due_at__lte=now()).first()
        if row is None:
            return False
        look = look_at(row)
        log.info("experiment_looked_at", experiment=str(row.pk), verdict=look.verdict)
        if row.status == Status.RUNNING:
            allocation.next_epoch(row)
            row.due_at = next_due(row)
        row.lease_until = None
        row.save(update_fields=["due_at", "lease_until"])
    return True
