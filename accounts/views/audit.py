from django.http import HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import render

from accounts.access import Perm
from accounts.audit_anchor import verify_workspace
from accounts.audit_export import FORMATS, export_entries
from accounts.audit_queries import AuditFilter, actions_of, changes_of, search_entries
from accounts.models import AuditHead
from accounts.web import MemberRequest, member_view

PAGE = 50


@member_view(Perm.AUDIT)
def audit_trail(request: MemberRequest) -> HttpResponse:
    actor, wanted, before = request.actor, AuditFilter.of(request.GET), _before(request)
    entries = search_entries(actor, wanted)
    if before:
        entries = entries.filter(number__lt=before)
    # One more than shown tells whether there is an older page.
    rows = list(entries[: PAGE + 1])
    context = {
        "wanted": wanted,
        "before": before,
        "rows": rows[:PAGE],
        "lines": [(entry, changes_of(entry)) for entry in rows[:PAGE]],
        "older": rows[PAGE - 1].number if len(rows) > PAGE else None,
        "actions": actions_of(actor),
        "head": AuditHead.objects.filter(chain=actor.workspace.pk).first(),
        "report": verify_workspace(by=actor) if "verify" in request.GET else None,
    }
    return render(request, "accounts/audit.html", context)


def _before(request: MemberRequest) -> int | None:
    before = request.GET.get("before", "")
    return int(before) if before.isdecimal() and len(before) < 19 else None


# The decorator takes any response; its type names the common one.
@member_view(Perm.AUDIT)  # type: ignore[arg-type]
def audit_export(request: MemberRequest) -> HttpResponseBase:
    form = request.GET.get("as", "csv")
    return export_entries(AuditFilter.of(request.GET), form if form in FORMATS else "csv", by=request.actor)
