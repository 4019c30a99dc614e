from collections.abc import Callable
from uuid import UUID

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_POST

from accounts.access import Perm
from accounts.web import MemberRequest, add_errors, member_view
from campaigns import recurrences as services
from campaigns.access import get_post, get_recurrence, visible_recurrences
from campaigns.forms import WEEKDAYS
from campaigns.models import Recurrence
from campaigns.recurrences_form import RecurrenceForm
from campaigns.views.outcome import Refusal, attempt

SHOWN = 200
# What it is called in the address: the act, and what is said afterwards.
ACTS: dict[str, tuple[Callable[..., object], str]] = {
    "pause": (services.pause_recurrence, "Paused. What was made already keeps its time."),
    "resume": (services.resume_recurrence, "It goes on from here."),
    "skip": (services.skip_next, "The next date is left out."),
    "end": (services.end_recurrence, "It has ended. What was made already keeps its time."),
    "delete": (services.delete_recurrence, "Deleted. The posts that it made stay."),
}


@member_view(Perm.VIEW)
def recurrence_list(request: MemberRequest) -> HttpResponse:
    return _show(request)


def _show(request: MemberRequest, refusal: Refusal | None = None) -> HttpResponse:
    rows = visible_recurrences(request.actor).select_related("post").order_by("-is_active", "next_at", "-created_at")
    found = list(rows[:SHOWN])
    for row in found:
        row.day_names = _day_names(row)  # type: ignore[attr-defined]
    context = {"recurrences": found, "refusal": refusal}
    return render(request, "campaigns/recurrence_list.html", context, status=refusal.status if refusal else 200)


def _day_names(row: Recurrence) -> str:
    return ", ".join(name for number, name in WEEKDAYS if number in row.weekdays)


@member_view(Perm.CONTENT_EDIT)
def recurrence_new(request: MemberRequest, post_id: UUID) -> HttpResponse:
    post = get_post(request.actor, post_id)
    initial = {"kind": "weekly", "at": "09:00", "time_zone": request.actor.workspace.time_zone, "cooldown_days": 30}
    form = RecurrenceForm(request.POST or None, initial=initial)
    if request.method == "POST" and form.is_valid():
        try:
            services.repeat_post(post, by=request.actor, **form.values())
        except ValidationError as error:
            add_errors(form, error)
        else:
            messages.success(request, "It repeats from now on. Each copy goes to review first.")
            return redirect("campaigns:recurrence-list")
    context = {"post": post, "form": form}
    return render(request, "campaigns/recurrence_form.html", context, status=422 if form.errors else 200)


@require_POST
@member_view(Perm.VIEW)
def recurrence_act(request: MemberRequest, recurrence_id: UUID, act: str) -> HttpResponse:
    row = get_recurrence(request.actor, recurrence_id)
    if act not in ACTS:
        raise Http404("No such act.")
    service, done = ACTS[act]
    refusal = attempt(lambda: service(row, by=request.actor))
    if refusal:
        return _show(request, refusal)
    messages.success(request, done)
    return redirect("campaigns:recurrence-list")
