"""Acts on reports and on their schedules."""

from collections.abc import Collection
from datetime import date, timedelta
from typing import Any
from uuid import UUID

from django.core.exceptions import ValidationError
from django.db import transaction

from accounts import audit
from accounts.access import Actor, Perm
from accounts.models import Membership, check_time_zone
from analytics.models import Report, ReportSchedule
from analytics.queries.period import FIRST_DAY, Period
from analytics.reporting.turns import PERIODS, check_cron, next_turn
from campaigns.models import Campaign
from lib.clock import now

LANGUAGES = {"en": "English", "zh": "中文"}
MAX_DAYS = 366
FIELDS = ("name", "cron", "time_zone", "period", "campaign", "language", "recipients")


def request_report(
    start: date, end: date, *, by: Actor, campaign: Campaign | None = None, language: str = "en"
) -> Report:
    """A report of these days, made by a worker. Raises ValidationError, PermissionDenied."""
    by.require(Perm.CONTENT_EDIT)
    _check_days(start, end)
    if language not in LANGUAGES:
        raise ValidationError({"language": "Choose one of the languages."})
    with transaction.atomic():
        report = Report.objects.create(
            workspace=by.workspace,
            title=title_of(str(campaign or by.workspace), Period(start, end, by.workspace.time_zone)),
            campaign=campaign,
            starts_on=start,
            ends_on=end,
            time_zone=by.workspace.time_zone,
            language=language,
            created_by=by.user,
        )
        audit.record("report.request", report, by=by, starts_on=str(start), ends_on=str(end))
    return report


def _check_days(start: date, end: date) -> None:
    if start < FIRST_DAY:
        raise ValidationError({"start": f"Nothing was measured before {FIRST_DAY.year}."})
    if end < start:
        raise ValidationError({"end": "The last day is before the first."})
    if end - start >= timedelta(days=MAX_DAYS):
        raise ValidationError({"end": f"A report covers {MAX_DAYS} days at most."})
    if start > now().date() + timedelta(days=1):
        raise ValidationError({"start": "These days have not come yet."})


def title_of(name: str, period: Period) -> str:
    return f"{name[:110]}, {period}"


def create_schedule(*, by: Actor, **fields: Any) -> ReportSchedule:
    """Fields: name, cron, time_zone, period, campaign, language, recipients (ids of members)."""
    by.require(Perm.CONTENT_EDIT)
    schedule = ReportSchedule(workspace=by.workspace, created_by=by.user, **fields)
    _check_schedule(schedule)
    schedule.due_at = next_turn(schedule.cron, schedule.time_zone, now())
    with transaction.atomic():
        schedule.save(force_insert=True)
        audit.record("report_schedule.create", schedule, by=by, name=schedule.name, cron=schedule.cron)
    return schedule


def change_schedule(schedule: ReportSchedule, *, by: Actor, **fields: Any) -> ReportSchedule:
    by.require(Perm.CONTENT_EDIT)
    with transaction.atomic():
        schedule = ReportSchedule.objects.select_for_update(no_key=True).get(pk=schedule.pk)
        changed = {name: value for name, value in fields.items() if name in FIELDS and getattr(schedule, name) != value}
        for name, value in changed.items():
            setattr(schedule, name, value)
        _check_schedule(schedule)
        schedule.due_at = next_turn(schedule.cron, schedule.time_zone, now())
        schedule.save()
        if changed:
            audit.record("report_schedule.change", schedule, by=by, changed=sorted(changed))
    return schedule


def switch_schedule(schedule: ReportSchedule, is_active: bool, *, by: Actor) -> bool:
    """True where it changed. What was missed while it was off is not caught up."""
    by.require(Perm.CONTENT_EDIT)
    due = next_turn(schedule.cron, schedule.time_zone, now())
    with transaction.atomic():
        mine = ReportSchedule.objects.filter(pk=schedule.pk, is_active=not is_active)
        if not mine.update(is_active=is_active, due_at=due):
            return False
        audit.record("report_schedule.resume" if is_active else "report_schedule.pause", schedule, by=by)
    return True


def delete_schedule(schedule: ReportSchedule, *, by: Actor) -> None:
    """The reports that it made stay."""
    by.require(Perm.CONTENT_EDIT)
    with transaction.atomic():
        audit.record("report_schedule.delete", schedule, by=by, name=schedule.name)
        schedule.delete()


def delete_report(report: Report, *, by: Actor) -> None:
    by.require(Perm.CONTENT_EDIT)
    with transaction.atomic():
        audit.record("report.delete", report, by=by, title=report.title)
        report.delete()


def _check_schedule(schedule: ReportSchedule) -> None:
    if not schedule.name.strip():
        raise ValidationError({"name": "Give it a name."})
    if schedule.period not in PERIODS:
        raise ValidationError({"period": "Choose which days it is about."})
    if schedule.language not in LANGUAGES:
        raise ValidationError({"language": "Choose one of the languages."})
    try:
        check_time_zone(schedule.time_zone)
    except ValidationError as error:
        raise ValidationError({"time_zone": error.messages}) from error
    check_cron(schedule.cron, schedule.time_zone, now())
    schedule.recipients = _members(schedule.workspace_id, schedule.recipients)


def _members(workspace_id: UUID, ids: Collection[str]) -> list[str]:
    """Raises ValidationError where one is not a member: a report is not mailed to strangers."""
    wanted = {str(one) for one in ids}
    known = Membership.objects.filter(workspace_id=workspace_id).exclude(role="guest").values_list("user_id", flat=True)
    if wanted - {str(pk) for pk in known}:
        raise ValidationError({"recipients": "Reports are mailed to members of the workspace only."})
    return sorted(wanted)
