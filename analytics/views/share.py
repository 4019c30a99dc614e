"""Sharing a page with people who have no account, and what they see."""

import hashlib
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.core.cache import cache
from django.core.exceptions import ValidationError
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_POST, require_safe
from rest_framework.throttling import BaseThrottle

from accounts.access import Perm, system_actor
from accounts.scope import workspace_scope
from accounts.web import MemberRequest, add_errors, member_view
from analytics.access import find_campaign, find_connection, get_share, visible_shares
from analytics.forms import ShareForm
from analytics.models import SharedPage
from analytics.queries.overview import overview
from analytics.queries.period import read_choice
from analytics.queries.roi import roi
from analytics.shares import KINDS, PARAMS, find_page, note_seen, page_url, revoke_page, share_page
from campaigns.access import get_campaign
from campaigns.models import Campaign
from lib.clock import now
from social.models import Connection

SHOWN = 100
# Per address and minute.
MOST_REQUESTS = 60


@member_view(Perm.VIEW)
def share_list(request: MemberRequest) -> HttpResponse:
    context = {"shares": visible_shares(request.actor)[:SHOWN], "now": now()}
    return render(request, "analytics/shares.html", context)


@member_view(Perm.CONTENT_EDIT)
def share_new(request: MemberRequest) -> HttpResponse:
    """Of the page whose address brought us here; a period that was chosen by its length goes on with the days."""
    given = request.GET
    kind = given.get("kind", "dashboard")
    if kind not in KINDS:
        raise Http404("This cannot be shared.")
    campaign = _campaign(request, given.get("object", "")) if kind == "campaign" else None
    form = ShareForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        params = {name: given.get(name, "") for name in PARAMS} | _filters(request)
        try:
            share, token = share_page(
                kind, params, by=request.actor, object_id=campaign.pk if campaign else None, **form.cleaned_data
            )
        except ValidationError as error:
            add_errors(form, error)
        else:
            return render(request, "analytics/share_done.html", {"share": share, "url": page_url(token)})
    context = {"form": form, "kind": kind, "campaign": campaign}
    return render(request, "analytics/share_form.html", context, status=422 if form.errors else 200)


def _filters(request: MemberRequest) -> dict[str, str]:
    """Those of the dashboard that narrow it."""
    campaign = find_campaign(request.actor, request.GET.get("campaign", ""))
    connection = find_connection(request.actor, request.GET.get("connection", ""))
    return {"campaign": str(campaign.pk) if campaign else "", "connection": str(connection.pk) if connection else ""}


def _campaign(request: MemberRequest, text: str) -> Campaign:
    try:
        return get_campaign(request.actor, UUID(text))
    except ValueError as error:
        raise Http404("Not found.") from error


@require_POST
@member_view(Perm.CONTENT_EDIT)
def share_revoke(request: MemberRequest, share_id: UUID) -> HttpResponse:
    revoke_page(get_share(request.actor, share_id), by=request.actor)
    messages.success(request, "Its address does not work any more.")
    return redirect("analytics:shares")


# --- for people without an account ------------------------------------------------------------------------


@require_safe
def shared_page(request: HttpRequest, token: str) -> HttpResponse:
    """One and the same answer for an address that never was, has ended or was taken back."""
    if _is_too_much(request):
        return _private(render(request, "analytics/shared_gone.html", {"is_busy": True}, status=429))
    page = find_page(token)
    context = _shown(page) if page else None
    if page is None or context is None:
        return _private(render(request, "analytics/shared_gone.html", status=404))
    note_seen(page)
    return _private(render(request, "analytics/shared.html", context))


def _shown(page: SharedPage) -> dict[str, Any] | None:
    """None where what it showed is gone."""
    workspace = page.workspace
    viewer = system_actor(workspace, "shared page", {Perm.VIEW})
    given = {name: str(page.params.get(name, "")) for name in PARAMS}
    with workspace_scope(workspace.pk):
        campaign = find_campaign(viewer, str(page.object_id) if page.object_id else given["campaign"])
        if page.object_id and campaign is None:
            return None
        choice = read_choice(workspace, given)
        connection = None if page.object_id else find_connection(viewer, given["connection"])
        if not page.object_id and _is_wider(given, campaign, connection):
            return None
        shown = overview(workspace, choice, campaign=campaign, connection=connection)
        context = {
            "shown": shown,
            "period": choice.period,
            "title": campaign.name if campaign else workspace.name,
            "expires_at": page.expires_at,
            "is_public": True,
        }
        if page.params.get("with_costs") and campaign:
            context["roi"] = roi(workspace, choice.period, campaign, known=shown.totals)
    return context


def _is_wider(given: dict[str, str], campaign: Campaign | None, connection: Connection | None) -> bool:
    """A filter is gone: without it the page would show more than was shared."""
    return (bool(given["campaign"]) and campaign is None) or (bool(given["connection"]) and connection is None)


def _is_too_much(request: HttpRequest) -> bool:
    who = hashlib.sha256(str(BaseThrottle().get_ident(request)).encode()).hexdigest()[:32]  # type: ignore[arg-type]
    key = f"shared-page:{who}"
    cache.add(key, 0, 60)
    try:
        return cache.incr(key) > MOST_REQUESTS
    except ValueError:
        # It ran out between the two calls.
        return False


def _private(response: HttpResponse) -> HttpResponse:
    """The address is the key: it must not leak to the pages that it links to, nor into caches or search engines."""
    response.headers["Referrer-Policy"] = "no-referrer"
    response.headers["X-Robots-Tag"] = "noindex"
    response.headers["Cache-Control"] = "private, no-store"
    return response
