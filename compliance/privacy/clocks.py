"""The legal clock: those who must answer are told before it runs out, and again once it has."""

from datetime import timedelta

from django.db.models import F, Q

from accounts.access import Perm
from accounts.models import User
from accounts.scope import all_workspaces_scope, workspace_scope
from accounts.services import notify
from compliance.models import PrivacyRequest
from compliance.privacy import mails
from compliance.privacy.requests import ENDED
from lib.clock import now

AHEAD = timedelta(days=7)
BATCH = 200


def remind_due() -> int:
    """One reminder a week ahead and one when it is late; the number of reminders."""
    at = now()
    soon = Q(reminded_at=None, due_at__lt=at + AHEAD)
    late = Q(due_at__lt=at, reminded_at__lt=F("due_at"))
    with all_workspaces_scope("clocks of privacy requests"):
        open_ones = PrivacyRequest.objects.exclude(status__in=ENDED).select_related("workspace")
        rows = list(open_ones.filter(soon | late).order_by("due_at")[:BATCH])
    return sum(_remind(row) for row in rows)


def _remind(row: PrivacyRequest) -> bool:
    with all_workspaces_scope("clocks of privacy requests"):
        same = PrivacyRequest.objects.filter(pk=row.pk, reminded_at=row.reminded_at)
        if not same.update(reminded_at=now()):
            return False
    if row.workspace:
        _tell_admins(row)
    else:
        staff = User.objects.filter(is_staff=True, is_active=True)
        mails.remind(row, [*staff.values_list("email", flat=True)])
    return True


def _tell_admins(row: PrivacyRequest) -> None:
    assert row.workspace is not None
    when = "was due" if row.due_at < now() else "is due"
    text = f"A privacy request ({row.get_kind_display().lower()}) {when} on {row.due_at:%-d %B %Y}."
    with workspace_scope(row.workspace.pk):
        notify(
            row.workspace,
            "privacy.due",
            text,
            path=f"/settings/privacy/requests/{row.pk}",
            perm=Perm.SETTINGS,
            alert=True,
        )
