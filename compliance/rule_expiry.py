"""Rules and words that end soon: somebody is told once, while there is time to look whether they still hold."""

from collections.abc import Sequence
from datetime import date, timedelta
from uuid import UUID

import structlog
from django.conf import settings
from django.core.mail import send_mail

from accounts.access import Perm
from accounts.models import Notification, User, Workspace
from accounts.scope import all_workspaces_scope, workspace_scope
from accounts.services import notify
from compliance.models import GuardRule, WorkspaceTerm
from compliance.rule_admin import ending_rules
from compliance.terms import ending_terms
from lib.clock import now

log = structlog.get_logger(__name__)
TERM_ENDS = "guard.term_ends"
TERMS_AHEAD = timedelta(days=7)


def tell_staff() -> int:
    """The number of rules told about. A mail that fails is tried again at the next round."""
    with all_workspaces_scope("rules that end soon"):
        rows = list(ending_rules(GuardRule.objects.filter(expiry_told_at=None)))
        # Guarded: of two rounds at once one tells.
        mine = [row for row in rows if _mark(row)]
        addresses = [user.email for user in _rule_keepers()]
    if not mine:
        return 0
    log.warning("rules_end_soon", rules=[row.rule for row in mine])
    try:
        for address in addresses:
            send_mail(f"{len(mine)} rule{'s'[: len(mine) > 1]} will end soon", _mail(mine), None, [address])
    except OSError:
        with all_workspaces_scope("rules that end soon"):
            GuardRule.objects.filter(pk__in=[row.pk for row in mine]).update(expiry_told_at=None)
        raise
    return len(mine)


def _mark(row: GuardRule) -> bool:
    return bool(GuardRule.objects.filter(pk=row.pk, expiry_told_at=None).update(expiry_told_at=now()))


def _rule_keepers() -> list[User]:
    staff = User.objects.filter(is_active=True, is_staff=True).order_by("email")
    return [user for user in staff if user.has_perm("compliance.change_guardrule")]


def _mail(rows: Sequence[GuardRule]) -> str:
    lines = [f"{row.valid_to:%Y-%m-%d}  {row.rule}  {row.data.get('message', '')}" for row in rows]
    where = f"{settings.BASE_URL}/admin/compliance/guardrule/?end=soon"
    return "\n".join(
        ["Look whether the law or policy still holds, and give them a new end:", "", *lines, "", where, ""]
    )


def workspaces_with_ending_terms() -> list[UUID]:
    with all_workspaces_scope("words that end soon"):
        found = WorkspaceTerm.objects.filter(valid_to__gte=now().date(), valid_to__lte=_until())
        return list(found.order_by().values_list("workspace_id", flat=True).distinct())


def tell_workspace(workspace_id: UUID) -> int:
    with workspace_scope(workspace_id):
        workspace = Workspace.objects.get(pk=workspace_id)
        told = 0
        for row in ending_terms(WorkspaceTerm.objects.select_for_update(no_key=True), _until()):
            # The address says which word and which end: told once for each.
            path = f"/settings/guard/words/{row.pk}?until={row.valid_to}"
            if not Notification.objects.filter(workspace=workspace, kind=TERM_ENDS, path=path).exists():
                text = f"“{row.term}” leaves your list after {row.valid_to:%-d %B %Y}."
                notify(workspace, TERM_ENDS, text, path=path, perm=Perm.SETTINGS)
                told += 1
        return told


def _until() -> date:
    return now().date() + TERMS_AHEAD
