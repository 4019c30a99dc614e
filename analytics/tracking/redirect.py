"""Following a short link: what happened is committed before the visitor is sent on."""

import json
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID

from django.conf import settings
from django.db import connection, transaction
from django.http import HttpRequest, HttpResponse
from django.template.loader import render_to_string
from django.utils.encoding import iri_to_uri

from analytics.tracking import bots, visitors
from analytics.tracking.clicks import new_click
from analytics.tracking.ingest import EventRow, add_event, add_exposed
from analytics.tracking.splits import draw_arm, url_of
from lib.clock import now

METHODS = ("GET", "HEAD")
# The parameter that takes a click's id to the page where it may become a conversion.
CLICK_PARAMETER = "rcid"

# Several statements at once: each trip to the database costs more than its work.
LINK = """
SELECT set_config('app.resolve', %(code)s, true);
SELECT l.id, l.workspace_id, l.target, l.split, l.is_active, l.campaign_id, l.post_id, l.domain_id, w.time_zone,
    w.is_suspended OR w.deletes_at IS NOT NULL AS is_shut
FROM analytics_link l JOIN accounts_workspace w ON w.id = l.workspace_id WHERE l.code = %(code)s
"""
OPEN = "SELECT set_config('app.resolve', '', true), set_config('app.workspace', %(workspace)s, true);"
COOKIE = "(SELECT uses_cookie FROM analytics_tracking WHERE workspace_id = %(workspace)s::uuid) AS uses_cookie"
HOST = "(SELECT host FROM analytics_linkdomain WHERE id = %(domain)s AND verified_at IS NOT NULL) AS host"
PUBLISHED = """(SELECT min(p.published_at) FROM campaigns_livepart p JOIN campaigns_delivery d ON d.id = p.delivery_id
    WHERE d.post_id = %(post)s) AS published_at"""
# One by one: the planner then knows that there is at most one row, however new the table's statistics are.
STORED = "(SELECT arm FROM analytics_exposure WHERE experiment_id = %(experiment)s AND unit = %({unit})s) AS {unit}"


@dataclass(frozen=True)
class Followed:
    """A link as the redirect needs it."""

    id: UUID
    workspace_id: UUID
    target: str
    split: dict[str, Any]
    is_active: bool
    campaign_id: UUID | None
    post_id: UUID | None
    domain_id: UUID | None
    time_zone: str
    is_shut: bool


@dataclass(frozen=True)
class Around:
    """`uses_cookie` is None where the workspace counts no conversions; `stored`: the arms of these visitors."""

    uses_cookie: bool | None
    stored: dict[str, str]
    host: str | None = None
    published_at: datetime | None = None


@dataclass(frozen=True)
class Visit:
    click_id: UUID
    visitor: str
    target: str
    # What is set; empty where it is there already, or none is wanted.
    cookie: str


def follow(request: HttpRequest, code: str, host: str = "") -> HttpResponse:
    """The answer to /l/<code>, and to /<code> on a workspace's own domain, which `host` names then."""
    if request.method not in METHODS:
        return _sealed(HttpResponse(status=405, headers={"Allow": ", ".join(METHODS)}))
    at = now()
    with transaction.atomic():
        link = find_link(code)
        if link is None:
            return _page(404)
        daily = visitors.daily_visitor(request, link.workspace_id, at, link.time_zone)
        around = look_around(link, daily, visitors.known_visitor(request, link.workspace_id))
        if host and around.host != host:
            return _page(404)
        if not link.is_active or link.is_shut:
            return _page(410)
        visit = record_visit(request, link, around, daily, at)
    response = HttpResponse(status=302, headers={"Location": iri_to_uri(_with_click(visit, around))})
    if visit.cookie:
        response.set_cookie(
            visitors.COOKIE,
            visit.cookie,
            max_age=visitors.COOKIE_DAYS * 86_400,
            secure=settings.HTTPS,
            httponly=True,
            samesite="Lax",
        )
    return _sealed(response)


def find_link(code: str) -> Followed | None:
    row = _second(LINK, {"code": code})
    return Followed(**(row | {"split": _json(row["split"])})) if row else None


def look_around(link: Followed, daily: str, known: str) -> Around:
    """Opens the link's workspace for the rest of the transaction. What cannot be there is not asked for."""
    experiment = link.split.get("experiment")
    asked = [COOKIE] + [HOST] * bool(link.domain_id) + [PUBLISHED] * bool(link.post_id)
    if experiment:
        asked += [STORED.format(unit=name) for name in ("daily", "known")]
    values = {"workspace": str(link.workspace_id), "domain": link.domain_id, "post": link.post_id}
    values |= {"experiment": experiment, "daily": daily, "known": known}
    row = _second(f"{OPEN} SELECT {', '.join(asked)}", values) or {}
    stored = {daily: row.pop("daily", None) or "", known: row.pop("known", None) or ""}
    return Around(**row, stored=stored)


def _second(query: str, values: dict[str, Any]) -> dict[str, Any] | None:
    """The one row of the second statement."""
    with connection.cursor() as cursor:
        cursor.execute(query, values)
        cursor.nextset()
        row = cursor.fetchone()
        return row and dict(zip([column.name for column in cursor.description or ()], row, strict=True))


def _json(value: Any) -> Any:
    return json.loads(value) if isinstance(value, str) else value


def record_visit(request: HttpRequest, link: Followed, around: Around, daily: str, at: datetime) -> Visit:
    reason = bots.why_bot(request, published_at=around.published_at, at=at)
    visitor, cookie = _visitor(request, link, around, daily, is_bot=bool(reason))
    click_id, at = new_click(at)
    stored = around.stored.get(visitor, "")
    drawn = draw_arm(link.workspace_id, link.id, link.split, visitor, stored=stored, is_bot=bool(reason), at=at)
    row = EventRow(
        "click",
        at,
        click_id,
        # Which experiment's arm it is, so that a conversion finds its exposure.
        name=drawn.experiment if drawn else "",
        campaign_id=link.campaign_id,
        post_id=link.post_id,
        link_id=link.id,
        arm=drawn.arm if drawn else "",
        visitor=visitor,
        is_bot=bool(reason),
        bot_reason=reason,
        referrer=visitors.referrer_of(request),
        device=visitors.device_of(request, reason),
        language=visitors.language_of(request),
    )
    if drawn and drawn.exposure:
        # Whoever came with the same id at the same moment may have been first.
        arm = add_exposed(link.workspace_id, row, drawn.exposure)
        drawn = drawn._replace(url=url_of(link.split, arm))
    else:
        add_event(link.workspace_id, row)
    return Visit(click_id, visitor, drawn.url if drawn and drawn.url else link.target, cookie)


def _visitor(request: HttpRequest, link: Followed, around: Around, daily: str, *, is_bot: bool) -> tuple[str, str]:
    """The id, and the cookie to set: only where the workspace wants one and the visitor does not object."""
    if around.uses_cookie and not visitors.wants_no_tracking(request):
        if known := visitors.known_visitor(request, link.workspace_id):
            return known, ""
        if not is_bot:
            cookie = visitors.new_cookie()
            return visitors.visitor_in(cookie, link.workspace_id), cookie
    return daily, ""


def _with_click(visit: Visit, around: Around) -> str:
    """The click's id goes along only where the workspace counts conversions."""
    if around.uses_cookie is None:
        return visit.target
    parts = urlsplit(visit.target)
    query = f"{parts.query}&" if parts.query else ""
    return parts._replace(query=f"{query}{CLICK_PARAMETER}={visit.click_id}").geturl()


def _page(status: int) -> HttpResponse:
    return _sealed(
        HttpResponse(render_to_string("analytics/tracking_link_gone.html", {"status": status}), status=status)
    )


def _sealed(response: HttpResponse) -> HttpResponse:
    response.headers["Cache-Control"] = "no-store"
    response.headers["Referrer-Policy"] = "strict-origin-when-cross-origin"
    response.headers["X-Robots-Tag"] = "noindex"
    return response
