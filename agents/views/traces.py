"""Runs and their traces."""

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django import forms
from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_GET, require_POST

from accounts.access import Perm
from accounts.web import MemberRequest, member_view
from agents.budgets import Total, run_total, run_totals
from agents.evaluation.datasets import visible_datasets
from agents.models import Run
from agents.runs.errors import RunConflict
from agents.runs.services import cancel_run, resume_run
from agents.traces import find_runs, get_run, score_run, title_of, trace_of, workflows_used

PAGE_SIZE = 40
BADGES = {
    "succeeded": "badge-success",
    "failed": "badge-danger",
    "timed_out": "badge-danger",
    "over_budget": "badge-warning",
    "waiting": "badge-warning",
    "running": "badge-info",
    "queued": "badge-info",
    "canceled": "",
}
CAN_GO_ON = ("failed", "timed_out", "over_budget")


class RunFilter(forms.Form):
    q = forms.CharField(max_length=200, required=False)
    status = forms.ChoiceField(choices=Run.Status.choices, required=False)
    workflow = forms.SlugField(max_length=40, required=False)
    person = forms.UUIDField(required=False)

    def wanted(self) -> dict[str, Any]:
        self.is_valid()
        return {name: value for name, value in self.cleaned_data.items() if value}


@dataclass(frozen=True)
class Row:
    run: Run
    title: str
    badge: str
    cost: str
    took_s: float | None


@member_view(Perm.VIEW)
@require_GET
def run_list(request: MemberRequest) -> HttpResponse:
    wanted = RunFilter(request.GET).wanted()
    rows = find_runs(
        request.actor,
        words=wanted.get("q", ""),
        status=wanted.get("status", ""),
        workflow=wanted.get("workflow", ""),
        person=wanted.get("person"),
    )
    page = Paginator(rows, PAGE_SIZE).get_page(request.GET.get("page"))
    totals = run_totals(request.actor.workspace, [run.pk for run in page])
    context = {
        "wanted": wanted,
        "page": page,
        "rows": [_row(run, totals.get(run.pk)) for run in page],
        "statuses": Run.Status.choices,
        "workflows": workflows_used(request.actor),
    }
    return render(request, "agents/run_list.html", context)


@member_view(Perm.VIEW)
@require_GET
def run_detail(request: MemberRequest, run_id: UUID) -> HttpResponse:
    run = get_run(request.actor, run_id)
    trace = trace_of(run)
    context = {
        "run": run,
        "row": _row(run, run_total(run.workspace, run.pk, run.cap_micro)),
        "trace": trace,
        "thumb": next((score for score in trace.scores if score.user_id == request.user.pk), None),
        "datasets": visible_datasets(request.actor),
        "judged": [(_label(score.name), score) for score in trace.scores if score.evaluator],
        "can_go_on": run.status in CAN_GO_ON,
    }
    return render(request, "agents/run_detail.html", context)


@member_view(Perm.CONTENT_EDIT)
@require_POST
def run_act(request: MemberRequest, run_id: UUID, act: str) -> HttpResponse:
    run = get_run(request.actor, run_id)
    try:
        if act == "stop":
            cancel_run(run, by=request.actor)
        elif act == "resume":
            resume_run(run, by=request.actor)
        else:
            score_run(run, act, by=request.actor, comment=request.POST.get("comment", ""))
    except RunConflict as error:
        messages.error(request, str(error))
    return redirect("agents:run", run_id)


def _row(run: Run, total: Total | None) -> Row:
    took = (run.ended_at - run.created_at).total_seconds() if run.ended_at else None
    return Row(
        run,
        title_of(run),
        BADGES[run.status],
        total.spent if total else "",
        round(took, 1) if took is not None else None,
    )


def _label(evaluator: str) -> str:
    """language_kept is Language on the page."""
    return evaluator.removesuffix("_kept").replace("_", " ").capitalize()
