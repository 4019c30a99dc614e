"""An export as an answer, for pages and the API alike: which posts, and in what form."""

from collections.abc import Mapping
from datetime import date, datetime, time, timedelta
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from django.db.models import Exists, OuterRef, Q, QuerySet
from django.http import FileResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase

from accounts.access import Actor
from campaigns.access import visible_posts
from campaigns.exports import FORMATS, as_csv, as_json, as_xlsx, export_posts
from campaigns.models import Delivery, Post
from campaigns.post_queries import PostFilter, filter_posts, tab_posts
from lib.clock import now


def wanted_posts(
    actor: Actor, wanted: PostFilter, *, state: str = "", days: tuple[date | None, date | None] = (None, None)
) -> QuerySet[Post]:
    """As the list and the calendar show them; days are those of the workspace's zone, the last one included."""
    posts = filter_posts(visible_posts(actor), wanted)
    rows = Delivery.objects.filter(post=OuterRef("pk"))
    if state:
        posts = posts.filter(Exists(rows.filter(state=state)))
    if any(days):
        posts = posts.filter(Exists(rows.filter(_within(days, ZoneInfo(actor.workspace.time_zone)))))
    return tab_posts(posts, wanted.tab)


def _within(days: tuple[date | None, date | None], zone: ZoneInfo) -> Q:
    """When it went out or, where it has not yet, when it is planned."""
    return _between("published_at", days, zone) | (Q(published_at=None) & _between("scheduled_at", days, zone))


def _between(name: str, days: tuple[date | None, date | None], zone: ZoneInfo) -> Q:
    first, last = days
    times = Q(**{f"{name}__isnull": False})
    if first:
        times &= Q(**{f"{name}__gte": datetime.combine(first, time(), zone)})
    if last:
        times &= Q(**{f"{name}__lt": datetime.combine(last + timedelta(days=1), time(), zone)})
    return times


def export_answer(posts: QuerySet[Post], form: str, *, by: Actor) -> HttpResponseBase:
    export = export_posts(posts, by=by)
    name = f"plan-{by.workspace.slug}-{now():%Y-%m-%d}.{form}"
    if form == "xlsx":
        return FileResponse(as_xlsx(export), as_attachment=True, filename=name, content_type=FORMATS[form])
    pieces = as_json(export) if form == "json" else as_csv(export)
    headers = {"Content-Disposition": f'attachment; filename="{name}"'}
    return StreamingHttpResponse(pieces, content_type=FORMATS[form], headers=headers)


def read_filter(given: Mapping[str, Any]) -> PostFilter:
    return PostFilter(
        tab=given.get("tab", ""),
        words=given.get("q", "").strip()[:200],
        campaign_id=_uuid(given.get("campaign", "")),
        connection_id=_uuid(given.get("connection", "")),
    )


def _uuid(value: Any) -> UUID | None:
    try:
        return UUID(str(value))
    except ValueError:
        return None
