"""One claim of a run, from taking it over to its pause or end."""

import random
from datetime import timedelta
from typing import Any
from uuid import UUID

import structlog

from accounts.scope import workspace_scope
from agents.llm.types import ModelError
from agents.models import Run
from agents.runs import claims
from agents.runs.claims import claim_due, claim_run, find_workspace
from agents.runs.endings import end_run
from agents.runs.errors import ClaimLost, OutOfTime, Paused, RunFailed
from agents.runs.flow import Flow
from agents.runs.identity import actor_of, plain
from agents.runs.refusals import as_failure, refusals
from agents.workflows.registry import WORKFLOWS
from lib.clock import now

__all__ = ["advance", "claim_due"]

log = structlog.get_logger(__name__)
Status = Run.Status
# Claims in a row without a new step.
MAX_STRIKES = 5
MAX_BACKOFF_S = 300


def advance(run_id: UUID) -> Status | None:
    """Take the run as far as it goes. Its status then; None where there is no such run."""
    workspace_id = find_workspace(run_id)
    if workspace_id is None:
        return None
    run = claim_run(workspace_id, run_id)
    if run is not None and (reached := _drive(run)):
        return reached
    with workspace_scope(workspace_id):
        status = Run.objects.filter(pk=run_id).values_list("status", flat=True).first()
    return Status(status) if status else None


def _drive(run: Run) -> Status | None:
    """Where it stands then; None where others may know better."""
    try:
        is_ours = _end(run, Status.SUCCEEDED, output=_perform(run))
        return Status.SUCCEEDED if is_ours else None
    except Paused:
        return Status(run.status)
    except ClaimLost:
        log.info("claim_lost", run=str(run.pk), fence=run.fence)
    except OutOfTime:
        _fail(run, "timed_out", "This took longer than it may.", status=Status.TIMED_OUT)
    except ModelError as error:
        _model_failed(run, error)
    except refusals() as error:
        failure = as_failure(error)
        _give_up(run, failure.code, failure.text, is_retryable=failure.is_retryable)
    except Exception as error:
        # The outermost loop of a worker: it may be a fault of the moment.
        log.exception("run_crashed", run=str(run.pk), fence=run.fence)
        _again(run, "crashed", "Something went wrong on our side. It was recorded.", raw=type(error).__name__)
    return None


def _perform(run: Run) -> Any:
    if run.strikes > MAX_STRIKES:
        code = (run.error or {}).get("code", "worker_lost")
        text = (run.error or {}).get("message", "Its worker was lost again and again.")
        raise RunFailed(code, text, is_retryable=True)
    workflow = WORKFLOWS.get(run.workflow)
    if workflow is None:
        raise RunFailed("no_workflow", "This kind of run does not exist any more.")
    with workspace_scope(run.workspace_id):
        flow = Flow(run, actor_of(run))
    return workflow.run(flow)


def _model_failed(run: Run, error: ModelError) -> None:
    # In a thread somebody sits and waits; elsewhere later may be better.
    if error.is_retryable and run.thread_id is None:
        _again(run, error.code, error.text, after_s=error.retry_after_s)
    else:
        _give_up(run, error.code, error.text, is_retryable=error.is_retryable)


def _again(run: Run, code: str, text: str, *, raw: str = "", after_s: float | None = None) -> None:
    """Back into the queue, later each time; the strikes count."""
    if run.strikes >= MAX_STRIKES:
        _give_up(run, code, text, is_retryable=True)
        return
    pause_s = max(after_s or 0.0, random.uniform(0, 2**run.strikes))  # noqa: S311  (full jitter)
    wake_at = now() + timedelta(seconds=min(MAX_BACKOFF_S, pause_s))
    error = {"code": code, "message": text, "is_retryable": True} | ({"raw": raw} if raw else {})
    try:
        with claims.held(run, status=Status.QUEUED, lease_until=None, wake_at=wake_at, error=error):
            pass
    except ClaimLost:
        log.info("claim_lost", run=str(run.pk), fence=run.fence)


def _give_up(run: Run, code: str, text: str, *, is_retryable: bool) -> None:
    status = Status.OVER_BUDGET if code == "over_budget" else Status.FAILED
    _fail(run, code, text, status=status, is_retryable=is_retryable)


def _fail(run: Run, code: str, text: str, *, status: str = Status.FAILED, is_retryable: bool = False) -> None:
    _end(run, status, error={"code": code, "message": text, "is_retryable": is_retryable})


def _end(run: Run, status: str, *, output: Any = None, error: dict[str, Any] | None = None) -> bool:
    with workspace_scope(run.workspace_id):
        mine = Run.objects.filter(pk=run.pk, fence=run.fence, status=Status.RUNNING)
        is_ours = end_run(mine, status, output=plain(output), error=error)
    if not is_ours:
        log.info("claim_lost", run=str(run.pk), fence=run.fence)
    return is_ours
