"""How a report comes about: a schedule's turn, the numbers, the text. Each is a claim that may be repeated."""

from datetime import timedelta
from typing import Any
from uuid import UUID

import structlog
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.db.models import Q

from accounts.access import Actor, actor_for
from accounts.models import Membership
from accounts.scope import all_workspaces_scope, workspace_scope
from accounts.services import emit, notify
from agents.models import Run
from agents.runs.identity import digest
from agents.runs.services import start_run
from analytics.models import Report, ReportSchedule
from analytics.queries.period import Period
from analytics.reporting.gather import gather
from analytics.reporting.services import title_of
from analytics.reporting.turns import last_whole, next_turn
from lib.clock import now

log = structlog.get_logger(__name__)
Status = Report.Status
LEASE = timedelta(minutes=5)
# A text that has not come by then is not waited for.
PATIENCE = timedelta(hours=1)
BATCH = 50
FAILED = "It could not be made. Ask for it again; the operator sees why."
NO_TEXT = "The text named a figure that is not in the data, so it is left out: {}."


# --- turns ----------------------------------------------------------------------------------------------


def take_turns(limit: int = BATCH) -> int:
    """Make a report of each schedule that is due. What was missed while nothing ran becomes one report, the last."""
    moment = now()
    with all_workspaces_scope("find reports that are due"), transaction.atomic():
        due = ReportSchedule.objects.select_for_update(no_key=True, skip_locked=True, of=("self",)).select_related(
            "workspace"
        )
        due = due.filter(is_active=True, due_at__lte=moment, workspace__is_suspended=False, workspace__deletes_at=None)
        found = list(due.order_by("due_at")[:limit])
        for schedule in found:
            _take_turn(schedule)
    return len(found)


def _take_turn(schedule: ReportSchedule) -> None:
    period = last_whole(schedule.period, now(), schedule.time_zone)
    report = Report(
        workspace=schedule.workspace,
        schedule=schedule,
        due_at=schedule.due_at,
        title=title_of(schedule.name, period),
        campaign_id=schedule.campaign_id,
        starts_on=period.start,
        ends_on=period.end,
        time_zone=schedule.time_zone,
        language=schedule.language,
        created_by_id=schedule.created_by_id,
    )
    Report.objects.bulk_create([report], ignore_conflicts=True)
    schedule.due_at = next_turn(schedule.cron, schedule.time_zone, now())
    schedule.save(update_fields=["due_at"])


# --- numbers and text -----------------------------------------------------------------------------------


def make_reports(limit: int = BATCH) -> int:
    """Take the next step of each report that is being made. The number of reports."""
    moment = now()
    free = Q(lease_until=None) | Q(lease_until__lt=moment)
    with all_workspaces_scope("find reports to make"), transaction.atomic():
        waiting = Report.objects.select_for_update(no_key=True, skip_locked=True).filter(free, status=Status.MAKING)
        found = list(waiting.order_by("created_at").values_list("workspace_id", "pk")[:limit])
        Report.objects.filter(pk__in=[pk for _, pk in found]).update(lease_until=moment + LEASE)
    for workspace_id, pk in found:
        try:
            make_report(workspace_id, pk)
        except Exception:
            # The next one is not to wait for this one; its lease ends, and it is tried again.
            log.exception("report_not_made", report=str(pk))
            _give_up_late(workspace_id, pk)
    return len(found)


def _give_up_late(workspace_id: UUID, pk: UUID) -> None:
    """What could not be made for so long is not tried for ever."""
    with workspace_scope(workspace_id):
        late = Report.objects.filter(pk=pk, status=Status.MAKING, created_at__lt=now() - PATIENCE)
        late.update(status=Status.FAILED, lease_until=None, problem_text=FAILED)


def make_report(workspace_id: UUID, pk: UUID) -> None:
    """One step: gather the numbers and ask for the text, or see whether the text has come."""
    with workspace_scope(workspace_id):
        report = Report.objects.select_related("workspace", "campaign").filter(pk=pk, status=Status.MAKING).first()
        if report is None:
            return
        if not report.data:
            _gather(report)
        run = Run.objects.filter(pk=report.run_id).first() if report.run_id else None
        by = _author(report)
    if run is None and not report.run_id:
        _ask_for_text(report, by)
    elif run is None or run.is_ended or report.created_at < now() - PATIENCE:
        finish_report(report, [], "The text could not be written; the numbers are complete.")
    else:
        with workspace_scope(workspace_id):
            Report.objects.filter(pk=pk, status=Status.MAKING).update(lease_until=now() + timedelta(seconds=20))


def _gather(report: Report) -> None:
    period = Period(report.starts_on, report.ends_on, report.time_zone)
    report.data = gather(report.workspace, period, campaign=report.campaign, language=report.language)
    report.data_hash = digest(report.data)
    report.save(update_fields=["data", "data_hash"])


def _author(report: Report) -> Actor | None:
    if report.created_by_id is None:
        return None
    mine = Membership.objects.filter(workspace=report.workspace, user_id=report.created_by_id)
    membership = mine.select_related("user", "workspace").first()
    return actor_for(membership) if membership else None


def _ask_for_text(report: Report, by: Actor | None) -> None:
    if by is None:
        problem = "Whoever asked for it is no longer a member, so nobody pays for a text."
    elif not report.data["facts"]:
        problem = "Nothing was measured in these days."
    else:
        problem = _start_text(report, by)
    if problem:
        finish_report(report, [], problem)


def _start_text(report: Report, by: Actor) -> str:
    """Why it could not be asked for; empty where it was."""
    try:
        run = start_run("report", {"report": str(report.pk)}, by=by, idem_key=f"report:{report.pk}")
    except PermissionDenied:
        return f"{by.label} may no longer ask assistants for a text here."
    with workspace_scope(report.workspace_id):
        changes = {"run_id": run.pk, "lease_until": now() + timedelta(seconds=20)}
        Report.objects.filter(pk=report.pk, status=Status.MAKING).update(**changes)
    return ""


def finish_report(report: Report, insight: list[dict[str, Any]], problem: str = "") -> bool:
    """Ready, once: a second caller changes nothing."""
    status = Status.READY if insight else Status.WITHOUT_TEXT
    with workspace_scope(report.workspace_id):
        mine = Report.objects.filter(pk=report.pk, status=Status.MAKING)
        facts = {"insight": insight, "problem_text": problem[:300], "ready_at": now(), "lease_until": None}
        if not mine.update(status=status, **facts):
            return False
        emit(report.workspace, "report.ready", report=str(report.pk), title=report.title)
        notify(report.workspace, "report.ready", f"Ready: {report.title}", path=f"/results/reports/{report.pk}")
    return True
