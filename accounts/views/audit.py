from dataclasses import dataclass

from django.db.models import Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from accounts.access import Perm
from accounts.audit import verify_chain
from accounts.models import AuditEntry, AuditHead
from accounts.web import MemberRequest, member_view

PAGE = 50
# A broken chain may break at every entry: the first ones tell where.
FAULTS_SHOWN = 20


@dataclass(frozen=True)
class Filters:
    action: str
    who: str
    about: str
    before: int | None

    @classmethod
    def of(cls, request: HttpRequest) -> "Filters":
        action, who, about, before = (
            request.GET.get(name, "").replace("\0", "").strip()[:120] for name in ("action", "who", "about", "before")
        )
        return cls(action, who, about, int(before) if before.isdecimal() and len(before) < 19 else None)

    def apply(self, entries: QuerySet[AuditEntry]) -> QuerySet[AuditEntry]:
        if self.action:
            entries = entries.filter(action=self.action)
        if self.who:
            entries = entries.filter(detail__actor__icontains=self.who)
        if self.about:
            entries = entries.filter(Q(object_kind__iexact=self.about) | Q(object_id=self.about))
        return entries.filter(number__lt=self.before) if self.before else entries


@member_view(Perm.AUDIT)
def audit_trail(request: MemberRequest) -> HttpResponse:
    workspace, filters = request.actor.workspace, Filters.of(request)
    entries = AuditEntry.objects.filter(workspace=workspace)
    # One more than shown tells whether there is an older page.
    rows = list(filters.apply(entries).select_related("detail").order_by("-number")[: PAGE + 1])
    context = {
        "filters": filters,
        "rows": rows[:PAGE],
        "older": rows[PAGE - 1].number if len(rows) > PAGE else None,
        "actions": entries.order_by("action").values_list("action", flat=True).distinct(),
        "head": AuditHead.objects.filter(chain=workspace.pk).first(),
        "faults": _faults(request) if "verify" in request.GET else None,
    }
    return render(request, "accounts/audit.html", context)


def _faults(request: MemberRequest) -> list[str]:
    faults = verify_chain(request.actor.workspace)
    return [fault for fault, _ in zip(faults, range(FAULTS_SHOWN), strict=False)]
