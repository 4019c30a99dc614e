"""Mails finished reports: once each, to members who are still members."""

from datetime import timedelta
from uuid import UUID

import structlog
from django.conf import settings
from django.core.mail import EmailMessage
from django.template.loader import render_to_string

from accounts.models import Membership
from accounts.scope import all_workspaces_scope, workspace_scope
from analytics.models import Report
from analytics.reporting.pdf import as_pdf
from lib.clock import now
from lib.text import one_line

log = structlog.get_logger(__name__)
DONE = (Report.Status.READY, Report.Status.WITHOUT_TEXT)
# An older one is news no more.
FRESH = timedelta(days=2)


def mail_reports(limit: int = 50) -> int:
    """The number of reports that were mailed."""
    with all_workspaces_scope("find reports to mail"):
        waiting = Report.objects.filter(status__in=DONE, mailed_at=None, ready_at__gt=now() - FRESH)
        waiting = waiting.exclude(schedule=None).exclude(schedule__recipients=[])
        found = list(waiting.values_list("workspace_id", "pk")[:limit])
    return sum(_mail(workspace_id, pk) for workspace_id, pk in found)


def _mail(workspace_id: UUID, pk: UUID) -> bool:
    with workspace_scope(workspace_id):
        # Claimed before it is sent: rather a mail too few, which the page shows anyway, than the same mail twice.
        if not Report.objects.filter(pk=pk, mailed_at=None).update(mailed_at=now()):
            return False
        report = Report.objects.select_related("workspace", "schedule").get(pk=pk)
        wanted = report.schedule.recipients if report.schedule else []
        members = Membership.objects.filter(workspace=report.workspace, user_id__in=wanted).exclude(role="guest")
        addresses = list(members.values_list("user__email", flat=True))
    url = f"{settings.BASE_URL}/w/{report.workspace.slug}/results/reports/{report.pk}"
    text = render_to_string("analytics/mail_report.txt", {"report": report, "url": url})
    for address in addresses:
        mail = EmailMessage(one_line(report.title)[:150], text, None, [address])
        mail.attach(f"report-{report.starts_on}-{report.ends_on}.pdf", as_pdf(report), "application/pdf")
        try:
            mail.send()
        except OSError:
            log.exception("report_not_mailed", report=str(report.pk))
    return bool(addresses)
