"""Proposals: one sentence goes in, agents propose posts, people decide line by line."""

from dataclasses import dataclass, replace
from typing import Any
from uuid import UUID

from django.core.paginator import Paginator
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse

from accounts.access import Actor, Perm
from accounts.web import MemberRequest, member_view
from agents.models import Run, Step
from agents.runs.queries import current_agent
from campaigns import plan_lines, plans
from campaigns.access import visible_campaigns
from campaigns.draft_checks import LANGUAGES, Place, read_findings
from campaigns.guard_findings import Finding, Findings
from campaigns.models import Campaign, Plan, PlanLine
from campaigns.views.outcome import Refusal, attempt
from compliance.guard import Verdict
from lib.clock import now
from social.models import Connection

PAGE_SIZE = 20
STEPS_SHOWN = 6
LANGUAGES_SHOWN = 4


# --- asking -----------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Asked:
    """The box as it was filled in, or as it starts."""

    brief: str
    connections: list[UUID]
    languages: list[str]
    campaign: Campaign | None = None


def box_context(actor: Actor, asked: Asked | None = None, refusal: Refusal | None = None) -> dict[str, Any]:
    """For the box "What do you want to promote?": on the dashboard, above the campaigns, and on its own page."""
    asked = asked or _usual(actor)
    shown = [code for number, code in enumerate(LANGUAGES) if number < LANGUAGES_SHOWN or code in asked.languages]
    return {
        "asked": asked,
        "accounts": list(Connection.objects.shown().filter(workspace=actor.workspace)),
        "usual_languages": [(code, LANGUAGES[code]) for code in shown],
        "other_languages": [(code, name) for code, name in LANGUAGES.items() if code not in shown],
        "box_refusal": refusal,
        "most_lines": plans.MAX_LINES,
    }


def _usual(actor: Actor) -> Asked:
    """The languages of the last time, and as many accounts as fit."""
    last = Plan.objects.filter(workspace=actor.workspace).values_list("languages", flat=True).first()
    languages = list(last or ["en"])
    accounts = Connection.objects.shown().filter(workspace=actor.workspace).values_list("pk", flat=True)
    return Asked("", list(accounts[: plans.MAX_LINES // len(languages)]), languages)


@member_view(Perm.VIEW)
def plan_list(request: MemberRequest) -> HttpResponse:
    if request.method == "POST":
        return _start(request)
    # A campaign's page links here.
    campaign = _campaign(request, request.GET.get("campaign", ""))
    return _list_page(request, replace(_usual(request.actor), campaign=campaign))


def _list_page(request: MemberRequest, asked: Asked | None = None, refusal: Refusal | None = None) -> HttpResponse:
    page = Paginator(plans.visible_plans(request.actor), PAGE_SIZE).get_page(request.GET.get("page"))
    for plan in page:
        if plan.status == Plan.Status.WORKING:
            plans.follow_run(plan)
    context = box_context(request.actor, asked, refusal) | {"page": page}
    return render(request, "campaigns/plan_list.html", context, status=refusal.status if refusal else 200)


def _start(request: MemberRequest) -> HttpResponse:
    posted = request.POST
    asked = Asked(
        brief=posted.get("brief", ""),
        connections=[found for value in posted.getlist("connections") if (found := _uuid(value))],
        languages=posted.getlist("languages"),
        campaign=_campaign(request, posted.get("campaign", "")),
    )
    made: list[Plan] = []
    refusal = attempt(lambda: made.append(_make(asked, request.actor)))
    return _list_page(request, asked, refusal) if refusal else redirect(plan_path(made[0]))


def _make(asked: Asked, by: Actor) -> Plan:
    return plans.start_plan(
        asked.brief, by=by, connections=asked.connections, languages=asked.languages, campaign=asked.campaign
    )


def _campaign(request: MemberRequest, value: str) -> Campaign | None:
    campaign_id = _uuid(value)
    return visible_campaigns(request.actor).filter(pk=campaign_id).first() if campaign_id else None


def _uuid(value: str) -> UUID | None:
    try:
        return UUID(value)
    except ValueError:
        return None


def plan_path(plan: Plan) -> str:
    return reverse("campaigns:plan-detail", args=[plan.pk])


# --- one proposal -----------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Line:
    row: PlanLine
    guard: Findings
    findings: list[Finding]
    used: int
    limit: int
    # Its new wording is being written; or why that failed.
    is_rewriting: bool = False
    problem: str = ""
    refusal: Refusal | None = None

    @property
    def verdict(self) -> str:
        if self.row.findings.get("problems"):
            return Verdict.BLOCK.value
        return self.guard.verdict.value

    @property
    def is_open(self) -> bool:
        return self.row.status == PlanLine.Status.PROPOSED

    @property
    def is_late(self) -> bool:
        return self.row.planned_at is not None and self.row.planned_at < now()

    @property
    def is_over(self) -> bool:
        return self.used > self.limit

    @property
    def language(self) -> str:
        return LANGUAGES.get(self.row.language, self.row.language)


@member_view(Perm.VIEW)
def plan_detail(request: MemberRequest, plan_id: UUID) -> HttpResponse:
    return show_plan(request, plans.get_plan(request.actor, plan_id))


def show_plan(
    request: MemberRequest,
    plan: Plan,
    refusal: Refusal | None = None,
    refused: dict[UUID, Refusal] | None = None,
) -> HttpResponse:
    run = plans.follow_run(plan)
    lines = [_line(row, (refused or {}).get(row.pk)) for row in plan.lines.select_related("connection", "post")]
    is_working = plan.status == Plan.Status.WORKING
    context = {
        "plan": plan,
        "run": run,
        "agent": current_agent(run) if run and is_working else "",
        "steps": _steps(run) if run and is_working else [],
        "strategy": plan.strategy if plan.strategy.get("goal") else None,
        "lines": lines,
        "counts": {status: sum(line.row.status == status for line in lines) for status in PlanLine.Status.values},
        "is_working": is_working,
        "may_decide": request.actor.can(Perm.CONTENT_EDIT) and not is_working,
        "cost": plans.cost_of_plan(plan),
        "refusal": refusal,
        "has_late": any(line.is_late and line.is_open for line in lines),
    }
    wrong = next(iter((refused or {}).values()), refusal)
    return render(request, "campaigns/plan_detail.html", context, status=wrong.status if wrong else 200)


def _line(row: PlanLine, refusal: Refusal | None) -> Line:
    findings = read_findings(row.findings)
    place = Place(connection=row.connection) if row.connection else Place()
    run = plan_lines.rewriting_run(row)
    return Line(
        row=row,
        guard=Findings(Verdict(row.findings.get("verdict", "allow")), {0: findings}),
        findings=findings,
        used=place.length(row.text),
        limit=place.full_limit,
        is_rewriting=bool(run and not run.is_ended),
        problem=plans.why_ended(run) if run and run.is_ended and run.status != Run.Status.SUCCEEDED else "",
        refusal=refusal,
    )


def _steps(run: Run) -> list[Step]:
    """The last ones, the newest first."""
    return list(run.steps.exclude(agent="").order_by("-n")[:STEPS_SHOWN])
