"""The history of a post's content: what changed between any two saves, and the way back."""

from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_POST

from accounts.access import Perm
from accounts.web import MemberRequest, member_view
from campaigns.access import get_post
from campaigns.models import Post, PostVersion
from campaigns.version_acts import bring_back_version
from campaigns.versions import changed_besides_text, get_version, text_of
from campaigns.views.outcome import Refusal, attempt
from lib.text_diff import diff_words

SHOWN = 200


@member_view(Perm.VIEW)
def version_list(request: MemberRequest, post_id: UUID) -> HttpResponse:
    return _page(request, get_post(request.actor, post_id))


@require_POST
@member_view(Perm.CONTENT_EDIT)
def version_bring_back(request: MemberRequest, post_id: UUID, revision: int) -> HttpResponse:
    post = get_post(request.actor, post_id)
    version = get_version(post, revision)
    refusal = attempt(lambda: bring_back_version(post, version, by=request.actor))
    if refusal:
        return _page(request, post, refusal)
    messages.success(request, f"Version {revision} is back, as a new version.")
    return redirect(post)


def _page(request: MemberRequest, post: Post, refusal: Refusal | None = None) -> HttpResponse:
    versions = list(PostVersion.objects.filter(post=post)[:SHOWN])
    newer = _chosen(request, "to", versions) or next(iter(versions), None)
    older = _chosen(request, "from", versions) or _before(newer, versions)
    context = {"post": post, "versions": versions, "newer": newer, "older": older, "refusal": refusal}
    if newer:
        before = older.content if older else {}
        context["changes"] = diff_words(text_of(before), text_of(newer.content))
        context["besides"] = changed_besides_text(before, newer.content) if older else []
        context["is_latest"] = newer == versions[0]
    return render(request, "campaigns/version_list.html", context, status=refusal.status if refusal else 200)


def _chosen(request: HttpRequest, name: str, versions: list[PostVersion]) -> PostVersion | None:
    wanted = request.GET.get(name, "")
    return next((version for version in versions if str(version.revision) == wanted), None)


def _before(newer: PostVersion | None, versions: list[PostVersion]) -> PostVersion | None:
    return next((version for version in versions if newer and version.revision < newer.revision), None)
