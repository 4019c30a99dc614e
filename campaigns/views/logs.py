"""Activity: what happened to deliveries, line by line and counted by hour or day."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID

from django import forms
from django.core.paginator import Paginator
from django.http import HttpResponse
from django.shortcuts import render

from accounts.access import Perm
from accounts.models import Workspace
from accounts.web import MemberRequest, member_view
from campaigns.log_queries import Bucket, count_by, log_lines
from campaigns.models import Delivery, Post, PublishingLog, Source
from campaigns.publishing_log import STATUSES
from lib.clock import now
from social.models import Connection

PAGE_SIZE = 50
SPANS = {"hour": timedelta(days=1), "day": timedelta(days=30)}
BADGES = {"success": "badge-success", "warning": "badge-warning", "error": "badge-danger"}


class ActivityFilter(forms.Form):
    """What the address asks for; what is no answer to a field is left out."""

    action = forms.SlugField(max_length=30, required=False)
    status = forms.ChoiceField(choices=[(name, name) for name in STATUSES], required=False)
    connection = forms.UUIDField(required=False)
    project = forms.UUIDField(required=False)
    delivery = forms.UUIDField(required=False)
    post = forms.UUIDField(required=False)

    def wanted(self) -> dict[str, Any]:
        self.is_valid()
        return {name: value for name, value in self.cleaned_data.items() if value}


@dataclass(frozen=True)
class Row:
    line: PublishingLog
    title: str
    connection: str
    delivery_id: UUID | None
    badge: str


@member_view(Perm.VIEW)
def activity(request: MemberRequest) -> HttpResponse:
    actor = request.actor
    wanted = ActivityFilter(request.GET).wanted()
    by = "day" if request.GET.get("by") == "day" else "hour"
    until = now()
    project = {name: value for name, value in wanted.items() if name == "project"}
    buckets = count_by(actor, since=until - SPANS[by], until=until, by=by, **project)
    page = Paginator(log_lines(actor, **wanted), PAGE_SIZE).get_page(request.GET.get("page"))
    context = {
        "wanted": wanted,
        "by": by,
        "bars": _bars(buckets),
        "page": page,
        "rows": _rows(actor.workspace, list(page)),
        "actions": _actions(actor.workspace),
        "statuses": STATUSES,
        "connections": Connection.objects.shown().filter(workspace=actor.workspace),
        "projects": Source.objects.filter(workspace=actor.workspace),
    }
    return render(request, "campaigns/activity.html", context)


def _actions(workspace: Workspace) -> list[str]:
    found = PublishingLog.objects.filter(workspace=workspace).order_by("action").values_list("action", flat=True)
    return list(found.distinct())


def _bars(buckets: list[Bucket]) -> list[tuple[Bucket, int]]:
    """With the length of each bar, in hundredths of the longest."""
    most = max((bucket.completed + bucket.failed for bucket in buckets), default=0) or 1
    return [(bucket, 100 * (bucket.completed + bucket.failed) // most) for bucket in buckets]


def _rows(workspace: Workspace, lines: list[PublishingLog]) -> list[Row]:
    """Names for what is still there, in three queries."""
    posts = {line.post_id for line in lines if line.post_id}
    accounts = {line.connection_id for line in lines if line.connection_id}
    deliveries = {line.delivery_id for line in lines if line.delivery_id}
    titles: dict[UUID | None, str] = dict(Post.objects.filter(pk__in=posts).values_list("pk", "title"))
    connections: dict[UUID | None, Connection] = dict(
        Connection.objects.filter(workspace=workspace).in_bulk(accounts).items()
    )
    alive = set(Delivery.objects.filter(pk__in=deliveries).values_list("pk", flat=True))
    return [
        Row(
            line,
            (titles[line.post_id] or "Untitled post") if line.post_id in titles else "Deleted post",
            str(connections.get(line.connection_id, "")),
            line.delivery_id if line.delivery_id in alive else None,
            BADGES.get(line.status, ""),
        )
        for line in lines
    ]
