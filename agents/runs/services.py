"""Acts on runs. Pages, API, tasks and other apps call these."""

import hmac
from collections.abc import Mapping
from datetime import timedelta
from typing import Any
from uuid import UUID

import jsonschema
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import IntegrityError
from django.db.models import F

from accounts import audit
from accounts.access import Actor, Perm
from accounts.scope import all_workspaces_scope, workspace_scope
from agents.models import Assistant, Interrupt, Message, Run, Step, Thread
from agents.runs.claims import HANDED_OUT_S
from agents.runs.endings import end_run, enqueue
from agents.runs.errors import AlreadyAnswered, KeyReused, RunConflict, ThreadBusy
from agents.runs.flow import deadline_in
from agents.runs.identity import call_digest, new_trace_id, plain
from agents.runs.steps import add_step, find_prompt, pin, prompt_step
from agents.workflows.registry import WORKFLOWS, Workflow
from lib import public_http
from lib.clock import now

Status, Answer, Multitask = Run.Status, Interrupt.Answer, Run.Multitask
BUSY = (Status.QUEUED, Status.RUNNING)


def start_run(
    workflow: str,
    input: Any,
    *,
    by: Actor,
    thread: Thread | None = None,
    assistant: Assistant | None = None,
    multitask: str = Multitask.ENQUEUE,
    idem_key: str = "",
    webhook_url: str = "",
    campaign_id: UUID | None = None,
    cap_micro: int | None = None,
    timeout_s: float | None = None,
    replay_of: UUID | None = None,
) -> Run:
    """Queue a run and wake a worker. The same `idem_key` is the same run.

    Raises PermissionDenied, ValidationError, ThreadBusy (multitask "reject"), KeyReused.
    """
    kind = _find_workflow(workflow)
    by.require(Perm(kind.perm))
    sent = _checked_input(kind, input)
    _check_webhook(webhook_url)
    run = Run(
        workspace=by.workspace,
        thread=thread,
        assistant=assistant,
        workflow=workflow,
        input=sent,
        multitask=multitask,
        user=by.user,
        api_key_id=by.api_key_id,
        started_by=by.label[:120],
        campaign_id=campaign_id,
        cap_micro=cap_micro,
        idem_key=idem_key,
        webhook_url=webhook_url,
        deadline_at=deadline_in(timeout_s),
        trace_id=new_trace_id(),
        replay_of=replay_of,
        # In the broker's hands: the pump leaves it alone for a moment.
        lease_until=now() + timedelta(seconds=HANDED_OUT_S),
    )
    try:
        with workspace_scope(by.workspace.pk):
            if known := _same_request(run):
                return known
            canceled = _make_room(thread, multitask) if thread else []
            _insert(run)
            enqueue(run.pk)
            _record_canceled(canceled, by)
    except IntegrityError:
        # Two requests with one key at the same moment.
        with workspace_scope(by.workspace.pk):
            if known := _same_request(run):
                return known
        raise
    return run


def _find_workflow(name: str) -> Workflow:
    if name not in WORKFLOWS:
        raise ValidationError({"workflow": f"There is no workflow called {name}."})
    return WORKFLOWS[name]


def _checked_input(kind: Workflow, input: Any) -> Any:
    sent = plain(input)
    if kind.schema:
        error = next(jsonschema.Draft202012Validator(kind.schema).iter_errors(sent), None)
        if error:
            where = ".".join(map(str, error.absolute_path)) or "input"
            raise ValidationError({"input": f"{where}: {error.message}"[:300]})
    return sent


def _check_webhook(url: str) -> None:
    try:
        if url:
            public_http.check_url(url)
    except public_http.FetchError as error:
        raise ValidationError({"webhook_url": error.message}) from error


def _insert(run: Run) -> None:
    """With its assistant's prompt pinned, as its first step: an edit from now on does not reach it."""
    pinned = find_prompt(run.workspace, run.assistant.key) if run.assistant else None
    if pinned:
        run.prompt_version_id, run.prompt_sha256 = pinned.version_id, pinned.sha256
        run.step_count = 1
    run.save(force_insert=True)
    if pinned:
        run.step_count = 0
        add_step(run, prompt_step(pinned.key), Step.Kind.PLAIN, now(), output=pin(pinned))


def _same_request(run: Run) -> Run | None:
    known = Run.objects.filter(idem_key=run.idem_key).first() if run.idem_key else None
    if known is None:
        return None
    if (known.workflow, known.input, known.thread_id) != (run.workflow, run.input, run.thread_id):
        raise KeyReused("This idempotency key was used for another request.")
    return known


def _make_room(thread: Thread, multitask: str) -> list[Run]:
    """What becomes of the thread's other runs: those that were canceled.

    The thread's row is the lock: two starts do not miss each other.
    """
    Thread.objects.select_for_update(no_key=True).get(pk=thread.pk)
    busy = Run.objects.filter(thread=thread, status__in=BUSY)
    if multitask == Multitask.REJECT and busy.exists():
        raise ThreadBusy("The assistant is still at work in this thread.")
    canceled: list[Run] = []
    if multitask in {Multitask.INTERRUPT, Multitask.ROLLBACK}:
        for other in Run.objects.filter(thread=thread, status__in=Run.OPEN).order_by("created_at"):
            canceled += _cancel(other, "Another message came in between.")
            if multitask == Multitask.ROLLBACK:
                Message.objects.filter(thread=thread, run=other).delete()
    return canceled


def cancel_run(run: Run, *, by: Actor) -> Run:
    """At once, wherever it stands: a worker that has it finds its claim gone at the next call."""
    by.require(Perm.CONTENT_EDIT)
    with workspace_scope(by.workspace.pk):
        canceled = _cancel(run, "Somebody stopped it.")
        if not canceled:
            raise RunConflict("This run has ended already.")
        _record_canceled(canceled, by)
        return Run.objects.get(pk=run.pk)


def _cancel(run: Run, why: str) -> list[Run]:
    """The run and its children, those that had not ended."""
    error = {"code": "canceled", "message": why, "is_retryable": False}
    if not end_run(Run.objects.filter(pk=run.pk), Status.CANCELED, error=error, cancel_at=now()):
        return []
    children = Run.objects.filter(parent=run, status__in=Run.OPEN).order_by("created_at")
    return [run, *(ended for child in children for ended in _cancel(child, why))]


def _record_canceled(runs: list[Run], by: Actor) -> None:
    """Last: the trail's lock is taken after all rows."""
    for run in runs:
        audit.record("run.cancel", run, by=by, workflow=run.workflow)


def answer_interrupt(
    interrupt: Interrupt,
    answer: str,
    *,
    by: Actor,
    given: Mapping[str, Any] | None = None,
    seen_sha256: str | None = None,
) -> Interrupt:
    """A person's yes or no, once. `seen_sha256` is the digest of what they were shown.

    Raises PermissionDenied, ValidationError, AlreadyAnswered, RunConflict (changed, expired, ended).
    """
    if answer not in {Answer.APPROVED, Answer.REJECTED}:
        raise ValidationError({"answer": "Approve or reject."})
    by.require(Perm(interrupt.perm))
    if by.is_agent or by.api_key_id or by.user is None:
        raise PermissionDenied("Only a person can approve this.")
    with workspace_scope(by.workspace.pk):
        # The run before its interrupt, as the worker takes them.
        run = Run.objects.select_for_update(no_key=True).get(pk=interrupt.run_id)
        row = Interrupt.objects.select_for_update(no_key=True).get(pk=interrupt.pk)
        _check_answerable(row, run, answer, by, seen_sha256)
        at = now()
        Interrupt.objects.filter(pk=row.pk, answer="").update(
            answer=answer,
            given=plain(dict(given or {})),
            answered_by=by.user,
            answered_label=by.label[:120],
            answered_at=at,
        )
        _go_on(run, row)
        audit.record(f"run.{answer}", row, by=by, call=row.action, args_sha256=row.args_sha256)
        row.refresh_from_db()
    return row


def _check_answerable(row: Interrupt, run: Run, answer: str, by: Actor, seen_sha256: str | None) -> None:
    if row.answer in {Answer.APPROVED, Answer.REJECTED}:
        raise AlreadyAnswered(f"{row.answered_label or 'Somebody'} has answered this already.")
    if row.answer or row.expires_at <= now():
        raise RunConflict("The time to answer this is over.")
    if run.status != Status.WAITING:
        raise RunConflict("The run does not wait for an answer any more.")
    actual = call_digest(row.action, row.args)
    if not hmac.compare_digest(actual, row.args_sha256) or seen_sha256 not in {None, actual}:
        raise RunConflict("This is not what you were shown. Look at it again.")
    # What is published needs other eyes; what one's own assistant remembers does not.
    needs_others = by.workspace.four_eyes and row.perm == Perm.REVIEW
    if answer == Answer.APPROVED and needs_others and by.user and run.user_id == by.user.pk:
        raise PermissionDenied("Somebody else has to approve what you started.")


def _go_on(run: Run, asked: Interrupt) -> None:
    """Back into the queue, with the time that was left when it began to wait."""
    unused = max(timedelta(), asked.expires_at - now())
    moved = Run.objects.filter(pk=run.pk, status=Status.WAITING).update(
        status=Status.QUEUED,
        wake_at=now(),
        lease_until=now() + timedelta(seconds=HANDED_OUT_S),
        deadline_at=F("deadline_at") - unused,
        progress="",
    )
    if moved:
        enqueue(run.pk)


def resume_run(run: Run, *, by: Actor, timeout_s: float | None = None) -> Run:
    """Let a run that failed go on after its last step, in its own person's name."""
    with workspace_scope(by.workspace.pk):
        row = Run.objects.select_for_update(no_key=True).get(pk=run.pk)
        by.require(Perm(_find_workflow(row.workflow).perm))
        if row.status not in {Status.FAILED, Status.TIMED_OUT, Status.OVER_BUDGET}:
            raise RunConflict("Only a run that failed can go on.")
        Run.objects.filter(pk=row.pk).update(
            status=Status.QUEUED,
            error=None,
            ended_at=None,
            webhook_sent_at=None,
            strikes=0,
            wake_at=now(),
            deadline_at=deadline_in(timeout_s),
            lease_until=now() + timedelta(seconds=HANDED_OUT_S),
        )
        audit.record("run.resume", row, by=by, workflow=row.workflow)
        enqueue(row.pk)
        return Run.objects.get(pk=row.pk)


def end_expired(limit: int = 200) -> int:
    """Runs past their deadline end; questions nobody answered in time let theirs go on. How many of both."""
    at = now()
    with all_workspaces_scope("end what is too late"):
        late = Run.objects.filter(status__in=Run.OPEN, deadline_at__lte=at)
        asked = Interrupt.objects.filter(answer="", expires_at__lte=at, run__status=Status.WAITING)
        # Answered, and yet waiting: what no code of ours leaves behind.
        stuck = Run.objects.filter(status=Status.WAITING).exclude(interrupts__answer="")
        expired = list(asked.values_list("workspace_id", "pk")[:limit])
        runs = list(late.values_list("workspace_id", "pk")[:limit])
        forgotten = list(stuck.values_list("workspace_id", "pk")[:limit])
    done = sum(_expire(workspace_id, pk) for workspace_id, pk in expired)
    done += sum(_time_out(workspace_id, pk) for workspace_id, pk in runs)
    for workspace_id, pk in forgotten:
        with workspace_scope(workspace_id):
            Run.objects.filter(pk=pk, status=Status.WAITING).update(status=Status.QUEUED, wake_at=now())
    return done + len(forgotten)


def _expire(workspace_id: UUID, interrupt_id: UUID) -> bool:
    with workspace_scope(workspace_id):
        asked = Interrupt.objects.filter(pk=interrupt_id).first()
        run = (
            Run.objects.select_for_update(no_key=True).filter(pk=asked.run_id, status=Status.WAITING).first()
            if asked
            else None
        )
        open_ = Interrupt.objects.filter(pk=interrupt_id, answer="", expires_at__lte=now())
        if asked is None or run is None or not open_.update(answer=Answer.EXPIRED, answered_at=now()):
            return False
        _go_on(run, asked)
    return True


def _time_out(workspace_id: UUID, run_id: UUID) -> bool:
    error = {"code": "timed_out", "message": "This took longer than it may.", "is_retryable": False}
    with workspace_scope(workspace_id):
        return end_run(Run.objects.filter(pk=run_id, deadline_at__lte=now()), Status.TIMED_OUT, error=error)
