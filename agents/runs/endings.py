"""How a run ends: by one conditional update, whoever ends it."""

from functools import partial
from typing import Any
from uuid import UUID

from django.db import transaction
from django.db.models import QuerySet

from accounts.services import emit, notify
from agents.models import Interrupt, Run
from lib.clock import now

Status = Run.Status
SAID = {
    Status.FAILED: "An assistant's run failed",
    Status.TIMED_OUT: "An assistant's run took too long",
    Status.OVER_BUDGET: "An assistant's run was stopped by its budget",
}


def end_run(
    held: QuerySet[Run], status: str, *, output: Any = None, error: dict[str, Any] | None = None, **fields: Any
) -> bool:
    """Expects a scope. `held` is the one run and what must still be true of it; False where it is not."""
    at = now()
    run = (
        held.filter(status__in=Run.OPEN)
        .select_related("workspace")
        .select_for_update(no_key=True, of=("self",))
        .first()
    )
    if run is None:
        return False
    ended = {"status": status, "output": output, "error": error, "ended_at": at, "lease_until": None, "progress": ""}
    # What follows is the webhook's: when it is due, and how often it was tried.
    Run.objects.filter(pk=run.pk).update(**ended | {"strikes": 0, "wake_at": at} | fields)
    Interrupt.objects.filter(run=run, answer="").update(answer=Interrupt.Answer.EXPIRED, answered_at=at)
    emit(run.workspace, f"run.{status}", run=str(run.pk), workflow=run.workflow)
    if status in SAID and not run.thread_id and not run.replay_of:
        message = (error or {}).get("message", "")
        notify(run.workspace, f"run.{status}", f"{SAID[Status(status)]}. {message}".strip(), path=f"/runs/{run.pk}")
    wake_after(run)
    return True


def wake_after(run: Run) -> None:
    """Once committed: its webhook, and whoever waits in the thread."""
    if run.webhook_url:
        from agents import tasks

        wake = partial(tasks.send_webhook.delay, str(run.workspace_id), str(run.pk))
        transaction.on_commit(wake, robust=True)
    if run.thread_id:
        waiting = Run.objects.filter(thread_id=run.thread_id, status=Status.QUEUED).order_by("created_at", "id")
        following: UUID | None = waiting.values_list("pk", flat=True).first()
        if following:
            enqueue(following)


def enqueue(run_id: UUID) -> None:
    """Wake a worker once this is committed. A lost message costs a moment: the pump looks again."""
    from agents import tasks

    transaction.on_commit(partial(tasks.advance_run.delay, str(run_id)), robust=True)
