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
from personal.forms import TaskForm
from personal.schedule_words import schedule_words

HISTORY = 30
OFFERED = {
    "brief": ("Daily brief", "What needs you, what goes out today, yesterday's results, and news of your watchlist."),
    "report": ("Report", "Numbers of the last day, week or month, with their changes."),
    "prompt": ("Ask my assistant", "Your assistant answers the same question again and again, and keeps the answers."),
}
NAMES = {"brief": "Morning brief", "report": "Weekly report", "prompt": ""}
# A field of the service to the field of the form that holds it.
FIELDS = {"spec": "repeat", "mode": "repeat", "args": "name", "time_zone": "repeat"}


def shown(task: PeriodicTask) -> dict[str, Any]:
    zone = ZoneInfo(task.time_zone)
    return {
        "task": task,
        "kind": KINDS[task.kind].label if task.kind in KINDS else task.kind,
        "when": schedule_words(task.mode, task.spec, zone),
        "next": task.wanted_at.astimezone(zone) if task.wanted_at else None,
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
    initial = {"name": NAMES[kind], "repeat": "weekly" if kind == "report" else "weekdays"}
    form = TaskForm(request.POST or None, kind=kind, initial=initial)
    status = 200
    if request.method == "POST":
        task = _create(request, form, kind)
        if task:
            messages.success(request, f"“{task.name}” is set up.")
            return redirect("personal:task", task.pk)
        status = 422
    zone = request.user.time_zone or request.actor.workspace.time_zone
    context = {"form": form, "kind": kind, "title": OFFERED[kind][0], "text": OFFERED[kind][1], "zone": zone}
    return render(request, "personal/task_form.html", context, status=status)


def _create(request: MemberRequest, form: TaskForm, kind: str) -> PeriodicTask | None:
    if not form.is_valid():
        return None
    mode, spec = form.time()
    try:
        return services.create_task(
            kind=kind, name=form.cleaned_data["name"], args=form.args(), mode=mode, spec=spec, by=request.actor
        )
    except ValidationError as error:
        _add_errors(form, error)
        return None


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
    return render(request, "personal/task_detail.html", {**shown(task), "page": page})


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
