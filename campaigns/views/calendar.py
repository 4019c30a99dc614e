from typing import Any
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from accounts.access import Actor
from accounts.web import MemberRequest, member_view
from campaigns.access import visible_campaigns, visible_deliveries
from campaigns.calendar_queries import TRAY_SHOWN, CalendarFilter, drafts_without_time, month_days
from campaigns.models import Delivery
from campaigns.month import read_month
from campaigns.post_queries import with_rows
from lib.clock import now
from social.models import Connection


@member_view()
def calendar(request: MemberRequest) -> HttpResponse:
    actor, wanted = request.actor, _filter(request)
    month = read_month(request.GET.get("month", ""), actor.workspace.time_zone, now())
    days = month_days(month, actor, wanted)
    # One more than shown tells whether there are others.
    tray = list(with_rows(drafts_without_time(actor, wanted))[: TRAY_SHOWN + 1]) if not wanted.state else []
    context: dict[str, Any] = {
        "month": month,
        "days": days,
        "is_list": request.GET.get("view") == "list",
        "is_empty": all(day.is_empty for day in days),
        "wanted": wanted,
        "tray": tray[:TRAY_SHOWN],
        "tray_has_more": len(tray) > TRAY_SHOWN,
        "connections": list(_connections(actor)),
        "campaigns": visible_campaigns(actor),
        "states": Delivery.State.choices,
    }
    return render(request, "campaigns/calendar.html", context)


def _filter(request: HttpRequest) -> CalendarFilter:
    state = request.GET.get("state", "")
    return CalendarFilter(
        connection_id=_uuid(request.GET.get("connection", "")),
        campaign_id=_uuid(request.GET.get("campaign", "")),
        state=state if state in Delivery.State.values else "",
    )


def _uuid(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None


def _connections(actor: Actor) -> Any:
    connections = Connection.objects.shown().filter(workspace=actor.workspace)
    if actor.is_guest:
        return connections.filter(pk__in=visible_deliveries(actor).values("connection"))
    return connections
