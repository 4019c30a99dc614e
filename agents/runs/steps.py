"""Writing a step, and the steps that pin prompts."""

from datetime import datetime
from typing import Any

from accounts.models import Workspace
from agents.models import Run, Step
from agents.prompts import Pinned, PromptNotFound, current_prompt
from agents.runs.errors import RunFailed
from agents.runs.identity import digest, new_span_id, plain, root_span_id
from lib.clock import now

MAX_STEPS = 60


def next_number(run: Run) -> int:
    """Raises RunFailed("max_steps")."""
    if run.step_count >= MAX_STEPS:
        raise RunFailed("max_steps", f"This took more than {MAX_STEPS} steps.")
    return run.step_count + 1


def add_step(
    run: Run, key: str, kind: str, started: datetime, *, input: Any = None, output: Any = None, **fields: Any
) -> Step:
    """Expects the run's lock and its `step_count` raised to `next_number`, so that no number is taken twice."""
    n = next_number(run)
    sent = plain({} if input is None else input)
    fields.setdefault("input_sha256", digest(sent))
    step = Step.objects.create(
        workspace_id=run.workspace_id,
        run=run,
        n=n,
        key=key,
        kind=kind,
        input=sent,
        output=plain(output),
        span_id=new_span_id(),
        parent_span_id=root_span_id(run),
        started_at=started,
        ended_at=now(),
        **fields,
    )
    run.step_count, run.strikes = n, 0
    return step


def prompt_step(key: str) -> str:
    return f"prompt {key}"


def find_prompt(workspace: Workspace, key: str) -> Pinned | None:
    try:
        return current_prompt(workspace, key)
    except PromptNotFound:
        return None


def pin(found: Pinned) -> dict[str, Any]:
    return {"key": found.key, "version": found.version, "sha256": found.sha256, "body": found.body}
