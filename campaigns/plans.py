"""Plans: what agents propose for one sentence, and what people make of it, line by line."""

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.core.exceptions import ValidationError
from django.db import transaction
from django.http import Http404

from accounts import audit
from accounts.access import Actor, Perm
from agents.models import ModelCall, Run
from agents.runs.errors import RunConflict
from agents.runs.services import cancel_run, resume_run, start_run
from campaigns.draft_checks import LANGUAGES
from campaigns.errors import NotAllowedNow
from campaigns.models import Campaign, Plan, PlanLine
from lib.money import dollars
from lib.text import storable
from social.models import Connection

Data = dict[str, Any]
Status, LineStatus = Plan.Status, PlanLine.Status
CAMPAIGN = "campaign"
# An account in a language is a line; a run has only so many steps.
MAX_LINES = 6
MAX_BRIEF = 2_000
# A run that ended so goes on after its last step.
GOES_ON = {Run.Status.FAILED, Run.Status.TIMED_OUT, Run.Status.OVER_BUDGET}
STOPPED = "Stopped by a person."
ENDED = {
    Run.Status.CANCELED: "It was stopped.",
    Run.Status.TIMED_OUT: "It took too long and was ended.",
    Run.Status.OVER_BUDGET: "The budget for the assistant is used up. Raise it, or try again next month.",
}


# --- starting ---------------------------------------------------------------------------------------------


def start_plan(
    brief: str,
    *,
    by: Actor,
    connections: Sequence[UUID],
    languages: Sequence[str],
    campaign: Campaign | None = None,
) -> Plan:
    """Agents go to work on it. Raises ValidationError beside the field that is wrong."""
    by.require(Perm.CONTENT_EDIT)
    brief = storable(brief).strip()
    accounts = _clean_accounts(connections, by)
    languages = _clean_languages(languages)
    if not brief or len(brief) > MAX_BRIEF:
        raise ValidationError({"brief": f"Say in a sentence or two what to promote (up to {MAX_BRIEF:,} characters)."})
    if len(accounts) * len(languages) > MAX_LINES:
        raise ValidationError({"languages": f"At most {MAX_LINES} posts at once: accounts times languages."})
    with transaction.atomic():
        plan = Plan.objects.create(
            workspace=by.workspace,
            campaign=campaign,
            brief=brief,
            languages=languages,
            strategy={"accounts": [str(account.pk) for account in accounts]},
            created_by=by.user,
        )
        _set_to_work(plan, by)
        audit.record("plan.start", plan, by=by, languages=languages, accounts=[str(pk) for pk in accounts])
    return plan


def _clean_accounts(wanted: Sequence[UUID], by: Actor) -> list[Connection]:
    found = Connection.objects.shown().filter(workspace=by.workspace, pk__in=wanted)
    if not wanted or len(found) != len(set(wanted)):
        raise ValidationError({"connections": "Choose one or more of the accounts."})
    return list(found)


def _clean_languages(wanted: Sequence[str]) -> list[str]:
    languages = list(dict.fromkeys(wanted))
    if not languages or not set(languages) <= LANGUAGES.keys():
        raise ValidationError({"languages": "Choose one or more of the languages."})
    return languages


def _set_to_work(plan: Plan, by: Actor) -> None:
    run = start_run(CAMPAIGN, {"plan": str(plan.pk)}, by=by, campaign_id=plan.campaign_id)
    plan.run_id, plan.status, plan.problem = run.pk, Status.WORKING, ""
    plan.strategy = plan.strategy | {"runs": [*plan.strategy.get("runs", []), str(run.pk)]}
    plan.save(update_fields=["run_id", "status", "problem", "strategy"])


def try_again(plan: Plan, *, by: Actor) -> Plan:
    """After a failure, from where it ended: what was written and paid for stays."""
    by.require(Perm.CONTENT_EDIT)
    with transaction.atomic():
        plan = Plan.objects.select_for_update(no_key=True).get(pk=plan.pk)
        if plan.status != Status.FAILED:
            raise NotAllowedNow("It is not stopped, so there is nothing to try again.")
        run = run_of(plan)
        if run and run.status in GOES_ON:
            resume_run(run, by=by)
            Plan.objects.filter(pk=plan.pk).update(status=Status.WORKING, problem="")
        else:
            plan.lines.filter(status=LineStatus.PROPOSED).delete()
            _set_to_work(plan, by)
        audit.record("plan.retry", plan, by=by)
    plan.refresh_from_db()
    return plan


def stop_plan(plan: Plan, *, by: Actor) -> Plan:
    by.require(Perm.CONTENT_EDIT)
    with transaction.atomic():
        if not Plan.objects.filter(pk=plan.pk, status=Status.WORKING).update(status=Status.FAILED, problem=STOPPED):
            raise NotAllowedNow("It is not being written any more.")
        run = run_of(plan)
        if run and not run.is_ended:
            with suppress(RunConflict):
                cancel_run(run, by=by)
        audit.record("plan.stop", plan, by=by)
    plan.refresh_from_db()
    return plan


def run_of(plan: Plan) -> Run | None:
    return Run.objects.filter(pk=plan.run_id).first() if plan.run_id else None


def follow_run(plan: Plan) -> Run | None:
    """The run that writes it, and what its end means: a run that ended without a plan leaves a failed one."""
    run = run_of(plan)
    if plan.status == Status.WORKING and run and run.is_ended:
        problem = why_ended(run) or "It ended without a proposal."
        open_plan = Plan.objects.filter(pk=plan.pk, status=Status.WORKING, run_id=run.pk)
        open_plan.update(status=Status.FAILED, problem=problem[:300])
        plan.refresh_from_db()
    return run


def why_ended(run: Run) -> str:
    if run.status in ENDED:
        return ENDED[Run.Status(run.status)]
    return str((run.error or {}).get("message", ""))


# --- what the run writes ----------------------------------------------------------------------------------


def save_strategy(plan_id: UUID, strategy: Data) -> None:
    plan = Plan.objects.select_for_update(no_key=True).get(pk=plan_id)
    plan.strategy = plan.strategy | strategy
    plan.save(update_fields=["strategy"])


def save_line(plan_id: UUID, number: int, written: Data) -> str:
    """A new line, or the one of this number written anew. Its id."""
    row = PlanLine.objects.select_for_update(no_key=True).filter(plan=plan_id, n=number).first()
    if row is None:
        workspace_id = Plan.objects.values_list("workspace_id", flat=True).get(pk=plan_id)
        row = PlanLine(workspace_id=workspace_id, plan_id=plan_id, n=number)
    elif row.status != LineStatus.PROPOSED:
        # Somebody decided on it before the run was started anew.
        return str(row.pk)
    for name, value in written.items():
        setattr(row, name, value)
    row.save()
    return str(row.pk)


def save_rewritten(line_id: UUID, written: Data) -> None:
    """Nobody decided meanwhile: otherwise the old words stand."""
    line = PlanLine.objects.select_for_update(no_key=True).get(pk=line_id)
    if line.status != LineStatus.PROPOSED:
        return
    former = {"text": line.text, "angle": "Before"}
    for name, value in written.items():
        setattr(line, name, value)
    line.variants = [former, *line.variants][:4]
    line.save(update_fields=[*written, "variants"])


def finish_plan(plan_id: UUID) -> None:
    Plan.objects.filter(pk=plan_id, status=Status.WORKING).update(status=Status.READY)


# --- looking ----------------------------------------------------------------------------------------------


def get_plan(actor: Actor, plan_id: UUID) -> Plan:
    plan = visible_plans(actor).filter(pk=plan_id).first()
    if plan is None:
        raise Http404("Not found.")
    return plan


def visible_plans(actor: Actor) -> Any:
    actor.require(Perm.VIEW)
    return Plan.objects.filter(workspace=actor.workspace).select_related("campaign", "created_by")


@dataclass(frozen=True)
class PlanCost:
    """Micro-dollars of all its model calls; what is still under way is held back."""

    spent_micro: int
    held_micro: int
    calls: int
    is_sandbox: bool

    @property
    def spent(self) -> str:
        return dollars(self.spent_micro)

    @property
    def held(self) -> str:
        return dollars(self.held_micro) if self.held_micro else ""


def cost_of_plan(plan: Plan) -> PlanCost:
    """From the ledger, which outlives the runs."""
    rows = list(ModelCall.objects.filter(workspace=plan.workspace_id, run_id__in=runs_of(plan)))
    is_open = ModelCall.Status.OPEN
    return PlanCost(
        spent_micro=sum(row.cost_micro for row in rows if row.status != is_open),
        held_micro=sum(row.reserved_micro for row in rows if row.status == is_open),
        calls=len(rows),
        is_sandbox=any(row.is_sandbox for row in rows),
    )


def runs_of(plan: Plan) -> list[str]:
    return list(plan.strategy.get("runs", []))
