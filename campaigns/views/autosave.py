"""Keeping what is typed. The page asks in the background, so these answer JSON."""

from uuid import UUID
from zoneinfo import ZoneInfo

from django.http import HttpResponse, JsonResponse
from django.middleware.csrf import get_token
from django.shortcuts import redirect
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_POST

from accounts.access import Perm
from accounts.web import MemberRequest, member_view
from campaigns.autosave import KeptElsewhere, drop_draft, keep_draft, version_of
from campaigns.forms_post import read_form
from campaigns.models import Post

STALE = "Somebody saved this post meanwhile. What you type is kept; saving will ask you first."


@require_http_methods(["GET", "POST"])
@member_view(Perm.CONTENT_EDIT)
def autosave(request: MemberRequest) -> HttpResponse:
    """GET gives a fresh token to a page whose person logged in again in another tab."""
    if request.method == "GET":
        return JsonResponse({"token": get_token(request)})
    post_id = _uuid(request.POST.get("draft_of", ""))
    if post_id is None:
        return JsonResponse({"text": "This page is too old. Save the post, then reload it."}, status=422)
    fields = {name: [str(value) for value in values] for name, values in request.POST.lists()}
    seen, is_forced = request.POST.get("seen", ""), "force" in request.POST
    try:
        kept = keep_draft(post_id, fields, by=request.actor, seen=seen, is_forced=is_forced)
    except KeptElsewhere as error:
        return JsonResponse({"text": str(error)}, status=409)
    at = timezone.localtime(kept.updated_at, ZoneInfo(request.actor.workspace.time_zone))
    is_stale = _is_stale(request, post_id)
    return JsonResponse({"seen": version_of(kept), "text": f"Kept {at:%H:%M}", "stale": STALE if is_stale else ""})


def _is_stale(request: MemberRequest, post_id: UUID) -> bool:
    revision = read_form(request.POST).revision
    saved = Post.objects.filter(workspace=request.actor.workspace, pk=post_id)
    return revision is not None and saved.exclude(revision=revision).exists()


@require_POST
@member_view(Perm.CONTENT_EDIT)
def autosave_discard(request: MemberRequest) -> HttpResponse:
    post_id = _uuid(request.POST.get("draft_of", ""))
    if post_id is None:
        return redirect("campaigns:post-new")
    drop_draft(request.actor, post_id)
    if Post.objects.filter(workspace=request.actor.workspace, pk=post_id).exists():
        return redirect("campaigns:post-edit", post_id)
    return redirect("campaigns:post-new")


def _uuid(value: str) -> UUID | None:
    try:
        return UUID(value)
    except ValueError:
        return None
