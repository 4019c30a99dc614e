"""One turn, from a claim to its end. Each loads one person's context, writes, and forgets it."""

import time
from datetime import timedelta

import structlog
from django.conf import settings
from django.core.exceptions import PermissionDenied

from accounts.access import Actor, Perm, actor_for
from accounts.models import Membership, Notification
from accounts.scope import workspace_scope
from agents.models import PeriodicTask, PeriodicTurn
from agents.periodic import registry
from agents.periodic.claims import BATCH, Claim, claim_due, count_due
from agents.periodic.registry import KINDS, Outcome, OutcomeStatus, TurnFailed
from agents.periodic.services import stop
from agents.periodic.times import plan_next
from lib.clock import now

log = structlog.get_logger(__name__)
Status = PeriodicTurn.Status
MAX_FAILURES = 10
BACKOFF_S = 60
MAX_BACKOFF_S = 6 * 3600
OUR_FAULT = "Something went wrong on our side. It was recorded."
LOST = "Its worker was lost again and again."
GONE = "Its person does not work in this workspace any more."
HELD = "Skipped: the workspace was stopped."
NO_KIND = "This kind of task does not exist any more."


def wanted_pumps() -> int:
    """How many workers the due tasks are worth."""
    most = settings.PERIODIC_PUMPS
    return min(most, -(-count_due(most * BATCH) // BATCH))


def pump(seconds: float) -> int:
    """Claim and do turns until nothing is due or the time is over. How many were claimed."""
    ends, total = time.monotonic() + seconds, 0
    while time.monotonic() < ends:
        batch = claim_due()
        if not batch.claims and not batch.wait_s:
            break
        for claim in batch.claims:
            do_turn(claim)
        total += len(batch.claims)
        if batch.wait_s:
            time.sleep(min(batch.wait_s, seconds))
    return total


def do_turn(claim: Claim) -> Status | None:
    """How it ended; None where the claim is no longer ours, or its time was done before."""
    try:
        with workspace_scope(claim.workspace_id):
            task = _locked(claim)
            return _do(task, claim) if task else None
    except (TurnFailed, PermissionDenied) as refusal:
        return _failed(claim, str(refusal))
    except Exception:
        # The outermost loop of a worker: the next person's turn must come all the same.
        log.exception("periodic_turn_crashed", task=str(claim.task_id), fence=claim.fence)
        return _failed(claim, OUR_FAULT)


def _locked(claim: Claim) -> PeriodicTask | None:
    """Locked to the end of the transaction: nobody can take the turn over meanwhile."""
    tasks = PeriodicTask.objects.select_for_update(no_key=True, of=("self",)).select_related("workspace", "user")
    mine = tasks.filter(pk=claim.task_id, fence=claim.fence, lease_until__isnull=False)
    return mine.first()


def _do(task: PeriodicTask, claim: Claim) -> Status | None:
    if claim.turn_id is None:
        _go_on(task)
        return None
    turn = PeriodicTurn(
        pk=claim.turn_id,
        workspace_id=claim.workspace_id,
        task=task,
        wanted_at=claim.wanted_at,
        missed=claim.missed,
        status=Status.RUNNING,
    )
    if task.workspace.is_suspended or task.workspace.is_stopped:
        return _end(task, turn, Status.QUIET, HELD)
    actor = _actor(task)
    if actor is None:
        return _stop(task, turn, GONE)
    if task.failures_in_row >= MAX_FAILURES:
        return _give_up(task, turn, LOST)
    outcome = _perform(task, turn, actor)
    status = Status.QUIET if outcome.status == OutcomeStatus.QUIET else Status.DONE
    turn.object_id, task.failures_in_row = outcome.object_id, 0
    return _end(task, turn, status, outcome.text)


def _perform(task: PeriodicTask, turn: PeriodicTurn, actor: Actor) -> Outcome:
    kind = KINDS.get(task.kind)
    if kind is None:
        raise TurnFailed(NO_KIND)
    actor.require(Perm(kind.perm))
    return kind.do(task, turn, actor)


def _actor(task: PeriodicTask) -> Actor | None:
    """With the rights of this moment; None where the person is gone."""
    member = Membership.objects.filter(user_id=task.user_id, workspace_id=task.workspace_id).first()
    if member is None or not task.user.is_active:
        return None
    member.user, member.workspace = task.user, task.workspace
    return actor_for(member)


def _failed(claim: Claim, text: str) -> Status | None:
    """Again later, and later each time, but never in place of the next one; in the end its person is told."""
    with workspace_scope(claim.workspace_id):
        task = _locked(claim)
        if task is None or claim.turn_id is None:
            return None
        turn = PeriodicTurn(pk=claim.turn_id, workspace_id=claim.workspace_id, task=task, wanted_at=claim.wanted_at)
        task.failures_in_row += 1
        if task.failures_in_row >= MAX_FAILURES:
            return _give_up(task, turn, text)
        at, wanted_at = now(), task.wanted_at
        retry_at = at + timedelta(seconds=min(MAX_BACKOFF_S, BACKOFF_S * 2 ** (task.failures_in_row - 1)))
        plan_next(task, at, after=wanted_at)
        if task.due_at is None or retry_at < task.due_at:
            task.wanted_at, task.due_at = wanted_at, retry_at
        _close(turn, Status.FAILED, text)
        _save(task)
    return Status.FAILED


def _end(task: PeriodicTask, turn: PeriodicTurn, status: Status, text: str) -> Status:
    _close(turn, status, text)
    _go_on(task)
    return status


def _give_up(task: PeriodicTask, turn: PeriodicTurn, text: str) -> Status:
    note = f"“{task.name}” is paused after {MAX_FAILURES} failures in a row. The last one: {text}"
    Notification.objects.create(
        workspace_id=task.workspace_id,
        user_id=task.user_id,
        kind="periodic.paused",
        text=note[:300],
        path=registry.TASKS_PATH,
        is_alert=True,
    )
    return _stop(task, turn, text)


def _stop(task: PeriodicTask, turn: PeriodicTurn, text: str) -> Status:
    _close(turn, Status.FAILED, text)
    stop(task)
    _save(task)
    return Status.FAILED


def _go_on(task: PeriodicTask) -> None:
    plan_next(task, now(), after=task.wanted_at)
    task.is_active = task.due_at is not None
    _save(task)


def _close(turn: PeriodicTurn, status: Status, text: str) -> None:
    rows = PeriodicTurn.objects.filter(pk=turn.pk)
    rows.update(status=status, text=text[:300], object_id=turn.object_id, ended_at=now())


def _save(task: PeriodicTask) -> None:
    task.lease_until = None
    task.save(update_fields=["is_active", "wanted_at", "due_at", "lease_until", "fence", "failures_in_row"])
