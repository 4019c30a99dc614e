"""Loading reports and their schedules: 404 to strangers."""

from uuid import UUID

from django.db.models import QuerySet
from django.http import Http404

from accounts.access import Actor, Perm
from analytics.models import Report, ReportSchedule


def visible_reports(actor: Actor) -> QuerySet[Report]:
    actor.require(Perm.VIEW)
    return Report.objects.filter(workspace=actor.workspace).select_related("schedule", "campaign", "created_by")


def visible_schedules(actor: Actor) -> QuerySet[ReportSchedule]:
    actor.require(Perm.VIEW)
    return ReportSchedule.objects.filter(workspace=actor.workspace).select_related("campaign")


def get_report(actor: Actor, pk: UUID) -> Report:
    report = visible_reports(actor).select_related("workspace").filter(pk=pk).first()
    if report is None:
        raise Http404("There is no such report.")
    return report


def get_schedule(actor: Actor, pk: UUID) -> ReportSchedule:
    schedule = visible_schedules(actor).select_related("workspace").filter(pk=pk).first()
    if schedule is None:
        raise Http404("There is no such schedule.")
    return schedule
