from typing import Any
from uuid import UUID

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.views.decorators.http import require_POST

from accounts.access import Perm
from accounts.web import MemberRequest, add_errors, member_view
from analytics.access import get_funnel, visible_funnels
from analytics.charts import Table
from analytics.definitions import FEWEST_STEPS, MOST_STEPS, Steps, delete_funnel, save_funnel
from analytics.exports import tables_answer
from analytics.forms import FunnelForm
from analytics.models import Funnel
from analytics.queries.funnels import LABELS, NAMED, USUAL, funnel_counts
from analytics.queries.totals import totals
from analytics.views.dashboard import picker_context, read_wanted
from campaigns.access import visible_campaigns

SHOWN = 20


def _counted(request: MemberRequest) -> tuple[dict[str, Any], list[tuple[Funnel, Any]]]:
    """What the picker shows, and every funnel with its steps; the totals are asked for once."""
    actor, wanted = request.actor, read_wanted(request, request.actor)
    known = totals(actor.workspace, wanted.choice.period, campaign=wanted.campaign)
    found = [
        (funnel, funnel_counts(actor.workspace, funnel, wanted.choice.period, campaign=wanted.campaign, known=known))
        for funnel in visible_funnels(actor)[:SHOWN]
    ]
    return picker_context(actor, wanted), found


@member_view(Perm.VIEW)
def funnel_list(request: MemberRequest) -> HttpResponse:
    context, found = _counted(request)
    context |= {"found": found, "campaigns": visible_campaigns(request.actor).order_by("name")}
    return render(request, "analytics/funnels.html", context)


@member_view(Perm.VIEW)
def funnel_export(request: MemberRequest) -> HttpResponse:
    _context, found = _counted(request)
    rows = [[funnel.name, step.label, step.value, step.share, step.note] for funnel, steps in found for step in steps]
    table = Table("Funnels", ["Funnel", "Step", "Count", "Of the step before", "Why there is none"], rows)
    return tables_answer([table], request.GET.get("as", "csv"), "funnels")


@member_view(Perm.CONTENT_EDIT)
def funnel_new(request: MemberRequest) -> HttpResponse:
    return _edit(request, None)


@member_view(Perm.CONTENT_EDIT)
def funnel_edit(request: MemberRequest, funnel_id: UUID) -> HttpResponse:
    return _edit(request, get_funnel(request.actor, funnel_id))


def _edit(request: MemberRequest, funnel: Funnel | None) -> HttpResponse:
    """Buttons that add or take away a step show the form again; only Save saves."""
    form = FunnelForm(request.POST or None, initial={"name": funnel.name if funnel else ""})
    steps: Steps = list(funnel.steps if funnel else USUAL)
    problem = ""
    if request.method == "POST":
        steps = _change(_read(request.POST), request.POST.get("act", "save"))
        if request.POST.get("act", "save") == "save" and form.is_valid():
            try:
                save_funnel(form.cleaned_data["name"], steps, by=request.actor, funnel=funnel)
            except ValidationError as error:
                problem = " ".join(error.message_dict.pop("steps", []))
                add_errors(form, ValidationError({k: v for k, v in error.message_dict.items() if k != "steps"}))
            else:
                messages.success(request, "Saved.")
                return redirect("analytics:funnels")
    context = {
        "form": form,
        "funnel": funnel,
        "steps": steps,
        "kinds": LABELS,
        "named": NAMED,
        "problem": problem,
        "can_add": len(steps) < MOST_STEPS,
        "can_remove": len(steps) > FEWEST_STEPS,
    }
    is_refused = request.method == "POST" and request.POST.get("act", "save") == "save"
    return render(request, "analytics/funnel_form.html", context, status=422 if is_refused else 200)


def _read(posted: QueryDict) -> Steps:
    kinds, names = posted.getlist("kind")[:MOST_STEPS], posted.getlist("step_name")
    return [
        {"kind": kind, "name": names[place] if place < len(names) and kind in NAMED else ""}
        for place, kind in enumerate(kinds)
    ]


def _change(steps: Steps, act: str) -> Steps:
    """`add`, or `remove-<place>`, or `up-<place>`."""
    what, _, text = act.partition("-")
    place = int(text) if text.isascii() and text.isdigit() else -1
    if what == "add" and len(steps) < MOST_STEPS:
        return [*steps, {"kind": "conversion", "name": ""}]
    if what == "remove" and 0 <= place < len(steps) > FEWEST_STEPS:
        return steps[:place] + steps[place + 1 :]
    if what == "up" and 0 < place < len(steps):
        return [*steps[: place - 1], steps[place], steps[place - 1], *steps[place + 1 :]]
    return steps


@require_POST
@member_view(Perm.CONTENT_EDIT)
def funnel_delete(request: MemberRequest, funnel_id: UUID) -> HttpResponse:
    delete_funnel(get_funnel(request.actor, funnel_id), by=request.actor)
    messages.success(request, "The funnel is deleted.")
    return redirect("analytics:funnels")
