from datetime import date, timedelta
from uuid import UUID

from django.core.paginator import Paginator
from django.http import HttpResponse
from django.shortcuts import render
from django.utils.dateparse import parse_date
from django.views.decorators.http import require_GET

from accounts.access import Perm
from accounts.web import MemberRequest, member_view
from agents.periodic.services import visible_tasks
from personal.access import get_brief, visible_briefs
from personal.archive import data_of
from personal.briefs import is_waiting, mark_read

PAGE_SIZE = 30
DAY = timedelta(days=1)


@require_GET
@member_view(Perm.VIEW)
def brief_list(request: MemberRequest) -> HttpResponse:
    rows = visible_briefs(request.actor).defer("data")
    has_any = rows.exists()
    day = _day(request.GET.get("on", ""))
    if day:
        rows = rows.filter(wanted_at__date__gte=day, wanted_at__date__lt=day + DAY)
    context = {
        "page": Paginator(rows, PAGE_SIZE).get_page(request.GET.get("page")),
        "on": day,
        "has_any": has_any,
        "has_task": visible_tasks(request.actor).filter(kind="brief").exists(),
    }
    return render(request, "personal/brief_list.html", context)


@require_GET
@member_view(Perm.VIEW)
def brief_detail(request: MemberRequest, brief_id: UUID) -> HttpResponse:
    brief = get_brief(request.actor, brief_id)
    mark_read(brief)
    data = data_of(brief)
    near = visible_briefs(request.actor).defer("data")
    context = {
        "brief": brief,
        "data": data,
        "is_waiting": is_waiting(brief, data),
        "older": near.filter(wanted_at__lt=brief.wanted_at).first(),
        "newer": near.filter(wanted_at__gt=brief.wanted_at).last(),
    }
    return render(request, "personal/brief_detail.html", context)


def _day(text: str) -> date | None:
    try:
        return parse_date(text)
    # Looks like a date, and is none.
    except ValueError:
        return None
