from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_POST

from accounts.access import Actor
from accounts.models import Workspace
from accounts.web import MemberRequest, member_view
from campaigns import services
from campaigns.access import get_post, visible_campaigns, visible_deliveries, visible_posts
from campaigns.deliveries import KIND, submit_post
from campaigns.delivery_actions import delivery_actions, post_actions
from campaigns.guarding import last_decisions
from campaigns.models import Delivery, Post
from campaigns.origins import origins_of
from campaigns.post_queries import TABS, PostFilter, count_tabs, filter_posts, heading, tab_posts, with_rows
from campaigns.post_room import say_room
from campaigns.previews import Preview, preview_delivery
from campaigns.queries import with_content
from campaigns.views.outcome import Refusal, attempt
from compliance.models import GuardDecision, Review
from compliance.services import TOLD
from social.models import Connection

PAGE_SIZE = 20


@dataclass(frozen=True)
class ListRow:
    post: Post
    title: str
    text: str


@dataclass(frozen=True)
class Tab:
    name: str
    label: str
    count: int
    is_current: bool


@member_view()
def post_list(request: MemberRequest) -> HttpResponse:
    actor = request.actor
    wanted = _filter(request)
    found = filter_posts(visible_posts(actor), wanted)
    counts = count_tabs(found)
    tabs = [("", "All"), *((name, label) for name, (label, _condition) in TABS.items())]
    pages = Paginator(with_rows(tab_posts(found, wanted.tab)), PAGE_SIZE)
    pages.count = counts[wanted.tab or "all"]
    page = pages.get_page(request.GET.get("page"))
    context = {
        "wanted": wanted,
        "tabs": [Tab(name, label, counts[name or "all"], name == wanted.tab) for name, label in tabs],
        "page": page,
        "rows": [ListRow(post, *heading(post)) for post in page],
        "verdicts": _verdicts(actor, [row.pk for post in page for row in post.deliveries.all()]),
        "campaigns": visible_campaigns(actor).values_list("pk", "name"),
        "connections": _connections(actor),
    }
    return render(request, "campaigns/post_list.html", context)


def _filter(request: HttpRequest) -> PostFilter:
    tab = request.GET.get("tab", "")
    return PostFilter(
        tab=tab if tab in TABS else "",
        words=request.GET.get("q", "").strip()[:200],
        campaign_id=_uuid(request.GET.get("campaign", "")),
        connection_id=_uuid(request.GET.get("connection", "")),
    )


def _uuid(value: str) -> UUID | None:
    try:
        return UUID(value)
    except ValueError:
        return None


def _connections(actor: Actor) -> Any:
    used = visible_deliveries(actor).values("connection") if actor.is_guest else None
    connections = Connection.objects.shown().filter(workspace=actor.workspace)
    return connections if used is None else connections.filter(pk__in=used)


@member_view()
def post_detail(request: MemberRequest, post_id: UUID) -> HttpResponse:
    return show_post(request, get_post(request.actor, post_id))


@dataclass(frozen=True)
class Row:
    delivery: Delivery
    preview: Preview
    actions: set[str]
    verdict: GuardDecision | None = None


def show_post(request: MemberRequest, post: Post, refusal: Refusal | None = None) -> HttpResponse:
    """Also where a refused act ends: the reason above everything, and what was typed still there."""
    actor = request.actor
    found = Delivery.objects.filter(post=post).order_by("connection__handle")
    deliveries = list(with_content(found).prefetch_related("live_parts").select_related("approved_by"))
    verdicts = _verdicts(actor, [row.pk for row in deliveries])
    context = {
        "post": post,
        "rows": [
            Row(row, preview_delivery(row), delivery_actions(row, actor), verdicts.get(row.pk)) for row in deliveries
        ],
        "parts": post.parts.prefetch_related("media__asset"),
        "actions": post_actions(deliveries, actor),
        "is_sent_back": any(row.state == Delivery.State.DRAFT and row.problem_code in TOLD for row in deliveries),
        "reviews": _decisions(actor.workspace, deliveries) if not actor.is_guest else [],
        "origins": origins_of(post) if not actor.is_guest else [],
        "no_room": say_room(actor.workspace, 1),
        "refusal": refusal,
    }
    return render(request, "campaigns/post_detail.html", context, status=refusal.status if refusal else 200)


def _verdicts(actor: Actor, delivery_ids: list[UUID]) -> dict[UUID, GuardDecision]:
    """What the rules said last; guests are not shown it."""
    return {} if actor.is_guest else last_decisions(delivery_ids)


def _decisions(workspace: Workspace, deliveries: list[Delivery]) -> list[Review]:
    reviews = Review.objects.filter(workspace=workspace, kind=KIND, object_id__in=[row.pk for row in deliveries])
    handles = {row.pk: row.connection for row in deliveries}
    found = list(reviews.select_related("requested_by", "decided_by").order_by("-requested_at")[:50])
    for review in found:
        review.connection = handles[review.object_id]  # type: ignore[attr-defined]
    return found


# --- acts -------------------------------------------------------------------------------------------------


@require_POST
@member_view()
def post_submit(request: MemberRequest, post_id: UUID) -> HttpResponse:
    post = get_post(request.actor, post_id)
    refusal = attempt(lambda: submit_post(post, by=request.actor))
    if refusal:
        return show_post(request, post, refusal)
    messages.success(request, "Sent to review.")
    return redirect(post)


@require_POST
@member_view()
def post_duplicate(request: MemberRequest, post_id: UUID) -> HttpResponse:
    post = get_post(request.actor, post_id)
    copy = services.duplicate_post(post, by=request.actor)
    messages.success(request, "This is the copy. It has not been sent to review.")
    return redirect("campaigns:post-edit", copy.pk)


@require_POST
@member_view()
def post_delete(request: MemberRequest, post_id: UUID) -> HttpResponse:
    post = get_post(request.actor, post_id)
    refusal = attempt(lambda: services.delete_post(post, by=request.actor))
    if refusal:
        return show_post(request, post, refusal)
    messages.success(request, "The post is deleted.")
    return redirect("campaigns:post-list")
