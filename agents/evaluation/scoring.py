"""Ended runs get their scores in the background."""

import structlog
from django.conf import settings
from django.core.exceptions import PermissionDenied

from accounts.scope import all_workspaces_scope, workspace_scope
from agents.evaluation.evaluators import VERSION, case_of, judge
from agents.memory import brand_of
from agents.models import Run, Score
from agents.runs.identity import actor_of
from lib.clock import now

log = structlog.get_logger(__name__)
BATCH = 50
HUNDRED = 100


def score_ended_runs() -> int:
    """The oldest first, a part of them by the sample; answers how many were looked at."""
    with all_workspaces_scope("runs without scores"):
        rows = Run.objects.filter(scored_at=None, status=Run.Status.SUCCEEDED, replay_of=None)
        due = list(rows.order_by("ended_at").values_list("workspace_id", "pk")[:BATCH])
    for workspace_id, run_id in due:
        with workspace_scope(workspace_id):
            _score(Run.objects.select_related("workspace", "user").get(pk=run_id))
    return len(due)


def _score(run: Run) -> None:
    if not Run.objects.filter(pk=run.pk, scored_at=None).update(scored_at=now()) or not _is_sampled(run):
        return
    try:
        by = actor_of(run)
    except PermissionDenied:
        return
    found = judge(case_of(run, brand_of(run.workspace, run.user), by))
    Score.objects.bulk_create(
        Score(
            workspace_id=run.workspace_id,
            run=run,
            name=name,
            value=one.value,
            comment=one.comment,
            evaluator=f"{name} {VERSION}",
        )
        for name, one in found.items()
    )


def _is_sampled(run: Run) -> bool:
    """By its id: the same run is in or out, whoever asks."""
    return run.pk.int % HUNDRED < settings.EVALUATE_PERCENT
