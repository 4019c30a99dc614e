"""What people press on the page of a proposal: for all of it, and for one line."""

from collections.abc import Callable
from datetime import datetime
from uuid import UUID
from zoneinfo import ZoneInfo

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import Http404, HttpResponse
from django.shortcuts import redirect
from django.views.decorators.http import require_POST

from accounts.web import MemberRequest, member_view
from campaigns import plan_lines, plans
from campaigns.models import Plan, PlanLine
from campaigns.views.outcome import Refusal, attempt
from campaigns.views.plans import plan_path, show_plan
from campaigns.wall_clock import parse_local

# --- acts on the whole ------------------------------------------------------------------------------------


@require_POST
@member_view()
def plan_act(request: MemberRequest, plan_id: UUID, act: str) -> HttpResponse:
    plan = plans.get_plan(request.actor, plan_id)
    if act not in ACTS:
        raise Http404("Not found.")
    refused: dict[UUID, Refusal] = {}
    refusal = attempt(lambda: refused.update(ACTS[act](request, plan)))
    if refusal or refused:
        plan.refresh_from_db()
        return show_plan(request, plan, refusal, refused)
    return redirect(plan_path(plan))


def _accept_all(request: MemberRequest, plan: Plan) -> dict[UUID, Refusal]:
    outcome = plan_lines.accept_all(plan, by=request.actor)
    if outcome.done:
        messages.success(request, f"{outcome.done} post{'s'[: outcome.done > 1]} sent to review.")
    return {line_id: Refusal(422, [why]) for line_id, why in outcome.left.items()}


def _reject_all(request: MemberRequest, plan: Plan) -> dict[UUID, Refusal]:
    plan_lines.reject_all(plan, by=request.actor)
    return {}


def _stop(request: MemberRequest, plan: Plan) -> dict[UUID, Refusal]:
    plans.stop_plan(plan, by=request.actor)
    return {}


def _again(request: MemberRequest, plan: Plan) -> dict[UUID, Refusal]:
    plans.try_again(plan, by=request.actor)
    return {}


def _new_times(request: MemberRequest, plan: Plan) -> dict[UUID, Refusal]:
    plan_lines.new_times(plan, by=request.actor)
    return {}


ACTS: dict[str, Callable[[MemberRequest, Plan], dict[UUID, Refusal]]] = {
    "accept": _accept_all,
    "reject": _reject_all,
    "stop": _stop,
    "again": _again,
    "new-times": _new_times,
}


# --- acts on one line -------------------------------------------------------------------------------------


@require_POST
@member_view()
def plan_line_act(request: MemberRequest, plan_id: UUID, line_id: UUID, act: str) -> HttpResponse:
    line = plan_lines.get_line(request.actor, plan_id, line_id)
    if act not in LINE_ACTS:
        raise Http404("Not found.")
    # For itself: what was typed stays, even where the act is refused.
    refusal = attempt(lambda: _keep_typed(request, line)) if act in TAKES_TYPED else None
    refusal = refusal or attempt(lambda: LINE_ACTS[act](request, line))
    if refusal:
        # Only 422 is shown in place of the line.
        refused = {line.pk: Refusal(422, refusal.messages)}
        return show_plan(request, plans.get_plan(request.actor, plan_id), refused=refused)
    return redirect(f"{plan_path(line.plan)}#line-{line.n}")


def _accept(request: MemberRequest, line: PlanLine) -> None:
    plan_lines.accept_line(line, by=request.actor)


def _keep_typed(request: MemberRequest, line: PlanLine) -> None:
    """What stands in the fields: accepting takes what people see."""
    text, at = request.POST.get("text"), request.POST.get("at", "")
    if text is None and not at:
        return
    zone = request.actor.workspace.time_zone
    planned_at = parse_local(at, zone) if at and at != local_value(line.planned_at, zone) else None
    is_new = text is not None and text.replace("\r\n", "\n").strip() != line.text
    if is_new or planned_at:
        plan_lines.edit_line(line, by=request.actor, text=text if is_new else None, planned_at=planned_at)


def local_value(at: datetime | None, zone: str) -> str:
    return f"{at.astimezone(ZoneInfo(zone)):%Y-%m-%dT%H:%M}" if at else ""


def _reject(request: MemberRequest, line: PlanLine) -> None:
    plan_lines.reject_line(line, by=request.actor)


def _undo(request: MemberRequest, line: PlanLine) -> None:
    plan_lines.propose_again(line, by=request.actor)


def _variant(request: MemberRequest, line: PlanLine) -> None:
    number = request.POST.get("variant", "")
    if not number.isdecimal() or len(number) > 2:
        raise ValidationError({"variant": "Choose one of the wordings."})
    plan_lines.use_variant(line, int(number), by=request.actor)


def _rewrite(request: MemberRequest, line: PlanLine) -> None:
    plan_lines.rewrite_line(line, request.POST.get("wish", ""), by=request.actor)


TAKES_TYPED = {"accept", "variant", "rewrite"}
LINE_ACTS: dict[str, Callable[[MemberRequest, PlanLine], None]] = {
    "accept": _accept,
    "reject": _reject,
    "undo": _undo,
    "edit": _keep_typed,
    "variant": _variant,
    "rewrite": _rewrite,
}
