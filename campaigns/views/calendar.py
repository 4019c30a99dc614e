from dataclasses import dataclass, field
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse

from accounts.access import Actor, Perm
from accounts.web import MemberRequest, member_view
from campaigns.access import visible_campaigns, visible_deliveries
from campaigns.calendar_clock import city
from campaigns.calendar_days import add_hours
from campaigns.calendar_queries import (
    TRAY_SHOWN,
    CalendarFilter,
    calendar_authors,
    calendar_days,
    drafts_without_time,
    reader_zone,
)
from campaigns.calendar_span import VIEWS, read_span
from campaigns.delivery_actions import delivery_actions
from campaigns.holidays import countries
from campaigns.models import Delivery
from campaigns.post_queries import with_rows
from campaigns.views.outcome import Refusal
from lib.clock import now
from social.models import Connection

NOTICE = "calendar_notice"
FILTERS = ("connection", "campaign", "author", "state")


@dataclass(frozen=True)
class Notice:
    """What the last act did, shown once: with a way back where there is one."""

    text: str
    undo: str = ""
    refused: list[tuple[str, str]] = field(default_factory=list)


@member_view()
def calendar(request: MemberRequest) -> HttpResponse:
    return _show_rest(request, request.GET["rest"]) if "rest" in request.GET else show_calendar(request)


def _show_rest(request: MemberRequest, date: str) -> HttpResponse:
    """The chips of one day that the month leaves out."""
    span = read_span(request.GET, request.actor.workspace.time_zone, now())
    days = calendar_days(span, request.actor, _filter(request))
    chips = [chip for day in days if day.date.isoformat() == date for chip in day.folded]
    context = {"chips": chips, "city": city(span.zone), "move_path": _move_path(request)}
    return render(request, "campaigns/calendar_rest_chips.html", context)


def show_calendar(
    request: MemberRequest, refusal: Refusal | None = None, delivery: Delivery | None = None
) -> HttpResponse:
    actor, wanted = request.actor, _filter(request)
    span = read_span(request.GET, actor.workspace.time_zone, now())
    days = calendar_days(span, actor, wanted)
    notice = request.session.pop(NOTICE, None)
    context: dict[str, Any] = {
        "span": span,
        "days": days,
        "hours": _hours(request, days, span.zone) if span.view in {"week", "day"} else [],
        "is_empty": all(day.is_empty for day in days),
        "wanted": wanted,
        "notice": Notice(**notice) if notice else None,
        "refusal": refusal,
        "refused_delivery": delivery,
        "can_publish_refused": delivery is not None and "publish" in delivery_actions(delivery, actor),
        **_navigation(request, span, actor),
        **_choices(request, actor, wanted),
        **_tray(actor, wanted),
    }
    response = render(request, "campaigns/calendar.html", context, status=refusal.status if refusal else 200)
    if notice or refusal:
        # Where the keyboard and a screen reader go on after the old page was swapped away.
        response["HX-Trigger-After-Settle"] = '{"focusOn": "calendar-notice"}'
    return response


def _hours(request: HttpRequest, days: Any, zone: ZoneInfo) -> list[int]:
    return add_hours(days, zone, now(), shows_all=request.GET.get("hours") == "all")


def _navigation(request: HttpRequest, span: Any, actor: Actor) -> dict[str, Any]:
    today = now().astimezone(span.zone).date()
    reader = reader_zone(actor)
    here = now().astimezone(span.zone)
    is_elsewhere = reader is not None and here.utcoffset() != now().astimezone(reader).utcoffset()
    return {
        "views": [(label, span.seen_as(view, today)) for view, label in VIEWS.items()],
        "shows_all_hours": request.GET.get("hours") == "all",
        "city": city(span.zone),
        "move_path": _move_path(request),
        "day_path": _path_to(request, "campaigns:calendar", "day", view="day", month=""),
        "rest_path": _path_to(request, "campaigns:calendar", "rest"),
        "zone_name": here.tzname(),
        "reader_city": city(reader) if reader and is_elsewhere else "",
    }


def _move_path(request: HttpRequest) -> str:
    """Where a post is moved without scripts; the view is kept."""
    return _path_to(request, "campaigns:calendar-move", "delivery")


def _path_to(request: HttpRequest, name: str, last: str, **other: str) -> str:
    """An address that ends before the value of `last`; it keeps what else this one asks for, but for the `other`."""
    query = request.GET.copy()
    for key in ("delivery", "rest", last, *other):
        query.pop(key, None)
    query.update({key: value for key, value in other.items() if value} | {last: ""})
    return f"{reverse(name)}?{query.urlencode()}"


def _choices(request: HttpRequest, actor: Actor, wanted: CalendarFilter) -> dict[str, Any]:
    chosen = actor.workspace.holiday_countries
    return {
        "connections": list(_connections(actor)),
        "campaigns": list(visible_campaigns(actor).values_list("pk", "name")),
        "authors": list(calendar_authors(actor)),
        "states": Delivery.State.choices,
        "filters": [(name, request.GET[name]) for name in FILTERS if request.GET.get(name)],
        "countries": countries().items() if actor.can(Perm.SETTINGS) else [],
        "holiday_countries": [(code, countries().get(code, code)) for code in chosen],
    }


def _tray(actor: Actor, wanted: CalendarFilter) -> dict[str, Any]:
    # One more than shown tells whether there are others.
    posts = list(with_rows(drafts_without_time(actor, wanted))[: TRAY_SHOWN + 1]) if not wanted.state else []
    return {"tray": posts[:TRAY_SHOWN], "tray_has_more": len(posts) > TRAY_SHOWN}


def _filter(request: HttpRequest) -> CalendarFilter:
    state = request.GET.get("state", "")
    return CalendarFilter(
        connection_id=read_uuid(request.GET.get("connection", "")),
        campaign_id=read_uuid(request.GET.get("campaign", "")),
        author_id=read_uuid(request.GET.get("author", "")),
        state=state if state in Delivery.State.values else "",
    )


def read_uuid(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None


def _connections(actor: Actor) -> Any:
    connections = Connection.objects.shown().filter(workspace=actor.workspace)
    if actor.is_guest:
        return connections.filter(pk__in=visible_deliveries(actor).values("connection"))
    return connections
