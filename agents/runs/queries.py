"""Reads over runs, for API and pages. All expect the workspace's scope."""

from typing import Any

from django.db.models import Count, Sum

from agents.models import Interrupt, ModelCall, Run
from agents.runs.partial import read_agent


def run_status(run: Run) -> dict[str, Any]:
    """{id, status, workflow, progress, current_agent, waiting_on, usage, error, output, steps, …}; times in ISO."""
    return {
        "id": str(run.pk),
        "thread_id": str(run.thread_id) if run.thread_id else None,
        "workflow": run.workflow,
        "status": run.status,
        "progress": run.progress,
        "current_agent": current_agent(run),
        "steps": run.step_count,
        "waiting_on": [as_question(asked) for asked in run.interrupts.filter(answer="")],
        "usage": usage_of(run),
        "output": run.output,
        "error": shown_error(run),
        "created_at": run.created_at.isoformat(),
        "started_at": run.started_at.isoformat() if run.started_at else None,
        "ended_at": run.ended_at.isoformat() if run.ended_at else None,
        "deadline_at": run.deadline_at.isoformat() if run.deadline_at else None,
    }


def current_agent(run: Run) -> str:
    """Whose turn it is; once the run has ended, nobody's."""
    if run.is_ended:
        return ""
    return (
        read_agent(run.pk) or run.steps.exclude(agent="").order_by("-n").values_list("agent", flat=True).first() or ""
    )


def as_question(asked: Interrupt) -> dict[str, Any]:
    return {
        "id": str(asked.pk),
        "action": asked.action,
        "args": asked.args,
        "args_sha256": asked.args_sha256,
        "reason": asked.reason,
        "perm": asked.perm,
        "expires_at": asked.expires_at.isoformat(),
    }


def usage_of(run: Run) -> dict[str, int]:
    """From the ledger: what failed tries cost is in it."""
    names = ("input_tokens", "cached_tokens", "output_tokens", "reasoning_tokens", "cost_micro")
    sums = ModelCall.objects.filter(run_id=run.pk).aggregate(calls=Count("pk"), **{name: Sum(name) for name in names})
    return {name: value or 0 for name, value in sums.items()}


def shown_error(run: Run) -> dict[str, Any] | None:
    if run.error is None or run.status not in Run.ENDED:
        return None
    return {name: run.error.get(name) for name in ("code", "message", "is_retryable")}
