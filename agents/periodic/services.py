"""Acts on one's own periodic tasks. Nobody sees or changes another person's."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any
from uuid import UUID

import jsonschema
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction
from django.db.models import QuerySet
from django.http import Http404

from accounts import audit, plans, rate
from accounts.access import Actor, Perm
from accounts.models import User, check_time_zone
from agents.models import PeriodicTask, PeriodicTurn
from agents.periodic.registry import KINDS, PeriodicKind
from agents.periodic.times import least_gap_s, plan_next, read_spec
from agents.runs.identity import plain
from lib.clock import now
from lib.text import one_line, storable

MAX_NAME = 120
MAX_WINDOW_S = 3600
DEFAULT_WINDOW_S = 900
# Who asks for one moment means it.
AT_WINDOW_S = 60
NOBODY = "A periodic task belongs to a person: log in, or use a key that a person made."
RUN_NOW = (20, timedelta(hours=1), 5)


class TaskBusy(Exception):
    """Its state does not allow this now. (API: 409)"""


def visible_tasks(by: Actor) -> QuerySet[PeriodicTask]:
    by.require(Perm.VIEW)
    return PeriodicTask.objects.filter(workspace=by.workspace, user=_person(by))


def get_task(by: Actor, task_id: UUID) -> PeriodicTask:
    task = visible_tasks(by).filter(pk=task_id).first()
    if task is None:
        raise Http404
    return task


def turns_of(task: PeriodicTask) -> QuerySet[PeriodicTurn]:
    """Newest first."""
    return PeriodicTurn.objects.filter(workspace=task.workspace_id, task=task)


def create_task(
    *,
    kind: str,
    name: str,
    mode: str,
    spec: str,
    by: Actor,
    args: Mapping[str, Any] | None = None,
    time_zone: str = "",
    window_s: int | None = None,
) -> PeriodicTask:
    """`spec`: an instant in ISO 8601 (at), seconds (every), or five fields of cron in `time_zone` (cron).

    Without a zone it is the person's, or the workspace's. Raises ValidationError by field, PlanLimit, PermissionDenied.
    """
    person = _person(by)
    by.require(Perm.VIEW)
    task = PeriodicTask(
        workspace=by.workspace,
        user=person,
        kind=kind,
        name=name,
        args=plain(dict(args or {})),
        mode=mode,
        spec=spec,
        time_zone=time_zone or person.time_zone or by.workspace.time_zone,
    )
    _check(task, by, window_s)
    with transaction.atomic():
        plans.require_room(by.workspace, "tasks", visible_tasks(by).count)
        plan_next(task, task.created_at, after=task.created_at)
        task.save(force_insert=True)
        audit.record("periodic.create", task, by=by, kind=kind)
    return task


def change_task(task: PeriodicTask, *, by: Actor, **fields: Any) -> PeriodicTask:
    """Any of name, args, mode, spec, time_zone, window_s. A new time begins anew, and takes a turn from its worker."""
    if unknown := fields.keys() - {"name", "args", "mode", "spec", "time_zone", "window_s"}:
        raise TypeError(f"{', '.join(sorted(unknown))}: nothing that can be changed.")
    with transaction.atomic():
        task = _locked(task, by)
        # One that was given once is kept as far as the new times allow.
        is_new_window, window_s = "window_s" in fields, fields.pop("window_s", task.window_s)
        was = (task.mode, task.spec, task.time_zone, task.window_s)
        for field, value in fields.items():
            setattr(task, field, plain(value))
        # A moment that was right when it was given is not asked for again.
        is_new_time = bool(fields.keys() & {"mode", "spec", "time_zone"}) or is_new_window
        _check(task, by, window_s, checks_time=is_new_time)
        if is_new_time and was != (task.mode, task.spec, task.time_zone, task.window_s):
            task.failures_in_row = 0
            _begin(task)
        task.save()
        audit.record("periodic.change", task, by=by, fields=sorted(fields))
    return task


def pause_task(task: PeriodicTask, *, by: Actor) -> PeriodicTask:
    with transaction.atomic():
        task = _locked(task, by)
        if task.is_active:
            stop(task)
            task.save()
            audit.record("periodic.pause", task, by=by)
    return task


def resume_task(task: PeriodicTask, *, by: Actor) -> PeriodicTask:
    """From now on: what passed meanwhile is not caught up with."""
    with transaction.atomic():
        task = _locked(task, by)
        if not task.is_active:
            _kind_of(task, by)
            task.is_active, task.failures_in_row = True, 0
            _begin(task)
            if task.due_at is None:
                raise ValidationError("Its time has passed. Give it another one.")
            task.save()
            audit.record("periodic.resume", task, by=by)
    return task


def delete_task(task: PeriodicTask, *, by: Actor) -> None:
    with transaction.atomic():
        task = _locked(task, by)
        audit.record("periodic.delete", task, by=by, kind=task.kind)
        task.delete()


def run_now(task: PeriodicTask, *, by: Actor) -> PeriodicTask:
    """One turn more, as soon as a worker is free; its other times stay. Raises TaskBusy, RateLimited."""
    with transaction.atomic():
        task = _locked(task, by)
        _kind_of(task, by)
        if task.lease_until:
            raise TaskBusy("It is at work already.")
        if not task.is_active:
            raise TaskBusy("It is paused. Resume it first.")
        count, per, burst = RUN_NOW
        rate.require(rate.Limit(("periodic", task.user_id), count, per, burst), text="That was often enough.")
        task.wanted_at = task.due_at = now()
        task.save(update_fields=["wanted_at", "due_at"])
    return task


def stop(task: PeriodicTask) -> None:
    """Nothing comes any more; a worker that has it loses it. The caller saves it."""
    task.is_active, task.wanted_at, task.due_at = False, None, None
    _take_away(task)


def _begin(task: PeriodicTask) -> None:
    at = now()
    if task.is_active:
        plan_next(task, at, after=at)
    _take_away(task)


def _take_away(task: PeriodicTask) -> None:
    task.lease_until, task.fence = None, task.fence + 1


def _locked(task: PeriodicTask, by: Actor) -> PeriodicTask:
    found = visible_tasks(by).select_for_update(no_key=True).filter(pk=task.pk).first()
    if found is None:
        raise Http404
    return found


def _person(by: Actor) -> User:
    if by.user is None:
        raise PermissionDenied(NOBODY)
    return by.user


def _kind_of(task: PeriodicTask, by: Actor) -> PeriodicKind:
    kind = KINDS.get(task.kind)
    if kind is None:
        raise ValidationError({"kind": f"There is no such kind of task. Choose one of {', '.join(sorted(KINDS))}."})
    by.require(Perm(kind.perm))
    return kind


def _check(task: PeriodicTask, by: Actor, window_s: int | None, *, checks_time: bool = True) -> None:
    kind, at = _kind_of(task, by), now()
    task.name = one_line(storable(task.name)).strip()[:MAX_NAME]
    if not task.name:
        raise ValidationError({"name": "Give the task a name."})
    _check_args(task, kind)
    if not checks_time:
        return
    if task.mode not in PeriodicTask.Mode.values:
        raise ValidationError({"mode": f"Choose one of {', '.join(PeriodicTask.Mode.values)}."})
    try:
        check_time_zone(task.time_zone)
    except ValidationError as error:
        raise ValidationError({"time_zone": error}) from error
    task.spec = read_spec(task.mode, task.spec, task.time_zone, at)
    gap_s = least_gap_s(task.mode, task.spec, task.time_zone, at)
    if gap_s is not None:
        _check_pace(kind, by, gap_s)
    task.window_s = _window_s(task, gap_s, window_s)


def _check_args(task: PeriodicTask, kind: PeriodicKind) -> None:
    if problem := next(jsonschema.Draft202012Validator(kind.schema).iter_errors(task.args), None):
        where = ".".join(str(step) for step in problem.absolute_path)
        raise ValidationError({"args": f"{where}: {problem.message}"[:300] if where else problem.message[:300]})


def _check_pace(kind: PeriodicKind, by: Actor, gap_s: float) -> None:
    if gap_s < kind.min_every_s:
        raise ValidationError({"spec": f"{kind.label} comes every {plans.in_words(kind.min_every_s)} at most."})
    plans.require_pace(by.workspace, gap_s)


def _window_s(task: PeriodicTask, gap_s: float | None, wanted: int | None) -> int:
    """Never longer than until the next turn, or two turns could change places."""
    if wanted is not None and not 0 <= wanted <= MAX_WINDOW_S:
        raise ValidationError({"window_s": f"From 0 to {MAX_WINDOW_S} seconds."})
    own = AT_WINDOW_S if task.mode == PeriodicTask.Mode.AT else DEFAULT_WINDOW_S
    return int(min(own if wanted is None else wanted, gap_s or MAX_WINDOW_S))
