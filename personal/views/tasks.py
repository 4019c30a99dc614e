"""One's periodic tasks: made in choices, kept in words."""

from collections.abc import Callable
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from django.contrib import messages
from django.core.exceptions import PermissionDenied, ValidationError
from django.core.paginator import Paginator
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_GET, require_POST

from accounts.access import Perm
from accounts.web import MemberRequest, add_errors, member_view
from agents.models import PeriodicTask
from agents.periodic import services
from agents.periodic.registry import KINDS
from lib.clock import now
from personal.forms import KEEP, TaskForm
from personal.schedule_words import coming_times, first_times, schedule_words

HISTORY = 30
SHOWN_TIMES = 3
# What stands in the fields of a new task's time.
START = {"day": "1", "hours": "6", "at": "09:00"}
OFFERED = {
    "brief": ("Daily brief", "What needs you, what goes out today, yesterday's results, and news of your watchlist."),
    "report": ("Report", "Numbers of the last day, week or month, with their changes."),
    "prompt": ("Ask my assistant", "Your assistant answers the same question again and again, and keeps the answers."),
}
NAMES = {"brief": "Morning brief", "report": "Weekly report", "prompt": ""}
# A field of the service to the field of the form that holds it.
FIELDS = {"spec": "repeat", "mode": "repeat", "args": "name", "time_zone": "repeat"}


def shown(task: PeriodicTask) -> dict[str, Any]:
    return {
        "task": task,
        "kind": KINDS[task.kind].label if task.kind in KINDS else task.kind,
        "when": schedule_words(task.mode, task.spec, ZoneInfo(task.time_zone)),
    }


@require_GET
@member_view(Perm.VIEW)
def task_list(request: MemberRequest) -> HttpResponse:
    rows = services.visible_tasks(request.actor)
    return render(request, "personal/task_list.html", {"rows": [shown(row) for row in rows], "offered": OFFERED})


@member_view(Perm.VIEW)
def task_new(request: MemberRequest, kind: str) -> HttpResponse:
    if kind not in OFFERED:
        raise Http404
    request.actor.require(Perm(KINDS[kind].perm))
    start = {"name": NAMES[kind], "repeat": "weekly" if kind == "report" else "weekdays"}
    form = TaskForm(request.POST or None, kind=kind, initial=start)
    if form.is_bound and (task := _create(request, form, kind)):
        messages.success(request, f"“{task.name}” is set up.")
        return redirect("personal:task", task.pk)
    chosen = form if form.is_bound else TaskForm(_timing(request, start["repeat"]), kind=kind)
    context = {"form": form, "title": OFFERED[kind][0], "text": OFFERED[kind][1], **_coming(request, chosen)}
    return render(request, "personal/task_form.html", context, status=422 if form.is_bound else 200)


@member_view(Perm.VIEW)
def task_edit(request: MemberRequest, task_id: UUID) -> HttpResponse:
    task = services.get_task(request.actor, task_id)
    if task.kind not in OFFERED:
        raise Http404
    request.actor.require(Perm(KINDS[task.kind].perm))
    own = {"kind": task.kind, "now_words": shown(task)["when"]}
    form = TaskForm(request.POST or None, initial={**task.args, "name": task.name, "repeat": KEEP}, **own)
    if form.is_bound and _change(request, form, task):
        messages.success(request, "Saved.")
        return redirect("personal:task", task.pk)
    chosen = form if form.is_bound else TaskForm(_timing(request, KEEP), **own)
    context = {"form": form, "task": task, "title": task.name, "text": OFFERED[task.kind][0]}
    context |= _coming(request, chosen, task)
    return render(request, "personal/task_form.html", context, status=422 if form.is_bound else 200)


def _zone(request: MemberRequest) -> str:
    return request.user.time_zone or request.actor.workspace.time_zone


def _timing(request: MemberRequest, repeat: str) -> dict[str, str]:
    """What the page asks about while somebody chooses, or what stands there at first."""
    return START | {"repeat": repeat} | request.GET.dict()


def _coming(request: MemberRequest, form: TaskForm, task: PeriodicTask | None = None) -> dict[str, Any]:
    """The first times that are chosen, or why there are none; of a task whose time stays, its own."""
    zone, timing = _zone(request), form.time()
    if task and not timing and form.cleaned_data.get("repeat") == KEEP:
        return {"zone": task.time_zone, "times": coming_times(task, now(), SHOWN_TIMES)}
    try:
        return {"zone": zone, "times": first_times(*timing, zone, SHOWN_TIMES) if timing else []}
    except ValidationError as error:
        return {"zone": zone, "problem": " ".join(error.messages)}


def _create(request: MemberRequest, form: TaskForm, kind: str) -> PeriodicTask | None:
    timing = form.time()
    if not form.is_valid() or not timing:
        return None
    own = {"kind": kind, "name": form.cleaned_data["name"], "args": form.args()}
    try:
        return services.create_task(**own, mode=timing[0], spec=timing[1], by=request.actor)
    except ValidationError as error:
        _add_errors(form, error)
        return None


def _change(request: MemberRequest, form: TaskForm, task: PeriodicTask) -> bool:
    if not form.is_valid():
        return False
    fields = {"name": form.cleaned_data["name"], "args": form.args()}
    if timing := form.time():
        fields |= {"mode": timing[0], "spec": timing[1], "time_zone": _zone(request)}
    try:
        services.change_task(task, by=request.actor, **fields)
    except ValidationError as error:
        _add_errors(form, error)
        return False
    return True


def _add_errors(form: TaskForm, error: ValidationError) -> None:
    if not hasattr(error, "error_dict"):
        add_errors(form, error)
        return
    for name, errors in error.error_dict.items():
        field = FIELDS.get(name, name)
        form.add_error(field if field in form.fields else None, errors)


@require_GET
@member_view(Perm.VIEW)
def task_detail(request: MemberRequest, task_id: UUID) -> HttpResponse:
    task = services.get_task(request.actor, task_id)
    page = Paginator(services.turns_of(task), HISTORY).get_page(request.GET.get("page"))
    later = coming_times(task, task.wanted_at, SHOWN_TIMES - 1) if task.wanted_at else []
    context = {**shown(task), "page": page, "later": later, "can_edit": task.kind in OFFERED}
    return render(request, "personal/task_detail.html", context)


@member_view(Perm.VIEW)
@require_POST
def task_act(request: MemberRequest, task_id: UUID, act: str) -> HttpResponse:
    task = services.get_task(request.actor, task_id)
    if act not in ACTS:
        raise Http404
    do, text = ACTS[act]
    try:
        do(task, by=request.actor)
    except (ValidationError, services.TaskBusy, PermissionDenied) as error:
        messages.error(request, " ".join(getattr(error, "messages", None) or [str(error)]))
    else:
        messages.success(request, text)
        if act == "delete":
            return redirect("personal:tasks")
    return redirect("personal:task", task_id)


ACTS: dict[str, tuple[Callable[..., Any], str]] = {
    "run": (services.run_now, "It runs as soon as a worker is free."),
    "pause": (services.pause_task, "Paused. What passes meanwhile is not caught up with."),
    "resume": (services.resume_task, "It goes on with its next time."),
    "delete": (services.delete_task, "Deleted. What it made stays."),
}
