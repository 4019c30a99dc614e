"""The page of a client: no account, no cookies. Whoever has the link sees what its scope has in review, and decides."""

import hashlib
from collections.abc import Callable
from dataclasses import replace
from functools import wraps
from typing import Any
from uuid import UUID

from django.core import signing
from django.core.cache import cache
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST, require_safe
from rest_framework.throttling import BaseThrottle

from accounts.access import Perm, system_actor
from accounts.scope import workspace_scope
from campaigns.client_words import WORDS, language_of
from campaigns.models import MediaAsset
from campaigns.previews import Preview
from campaigns.review_queries import Item, in_queue, load_items
from campaigns.views.media import _serve as serve
from compliance.models import Review, ReviewLink
from compliance.reviews.links import decide_by_link, find_link, is_held_by, is_usable, note_use, reviews_of
from compliance.services import ReviewClaimed, ReviewClosed, ReviewHeld

SALT = "campaigns.client-review"
FORM_AGE_S = 24 * 3600
# Per address and minute; a page is one request and one for each picture.
MOST_REQUESTS, MOST_UNKNOWN = 240, 20
SHOWN, DECIDED_SHOWN = 30, 10
View = Callable[..., HttpResponseBase]


def with_link(view: View) -> View:
    """Finds the link and enters its workspace. Unknown tokens and too many requests end here."""

    @csrf_exempt
    @wraps(view)
    def entered(request: HttpRequest, token: str, *args: Any, **kwargs: Any) -> HttpResponseBase:
        if _is_too_much(request, "seen", MOST_REQUESTS):
            return _closed(request, "too_many", 429)
        link = find_link(token)
        if link is None:
            too_many = _is_too_much(request, "unknown", MOST_UNKNOWN)
            return _closed(request, "too_many" if too_many else "unknown", 429 if too_many else 404)
        if not is_usable(link):
            return _closed(request, "ended", 410)
        note_use(link)
        with workspace_scope(link.workspace_id):
            response = view(request, link, token, *args, **kwargs)
        return _private(response)

    return entered


def _is_too_much(request: HttpRequest, what: str, most: int) -> bool:
    who = hashlib.sha256(str(BaseThrottle().get_ident(request)).encode()).hexdigest()[:32]  # type: ignore[arg-type]
    key = f"client-review:{what}:{who}"
    cache.add(key, 0, 60)
    try:
        return cache.incr(key) > most
    except ValueError:
        # It ran out between the two calls.
        return False


def _closed(request: HttpRequest, why: str, status: int) -> HttpResponse:
    words = WORDS[language_of(request)]
    context = {"words": words, "title": words[f"{why}_title"], "text": words[f"{why}_text"]}
    return _private(render(request, "campaigns/client_closed.html", context, status=status))


def _private(response: Any) -> Any:
    """The address is the key: it must not leak to the pages that it links to, nor into caches or search engines."""
    response["Referrer-Policy"] = "no-referrer"
    response["X-Robots-Tag"] = "noindex"
    response["Cache-Control"] = "private, no-store"
    return response


@require_safe
@with_link
def client_page(request: HttpRequest, link: ReviewLink, token: str) -> HttpResponse:
    return _show(request, link, token)


def _show(
    request: HttpRequest,
    link: ReviewLink,
    token: str,
    refused: UUID | None = None,
    problem: str = "",
    status: int = 200,
) -> HttpResponse:
    items = _items(link, token)
    words = WORDS[language_of(request)]
    waiting = [item for item in items if item.review.status == Review.Status.WAITING]
    context = {
        "link": link,
        "token": token,
        "words": words,
        "waiting": [(item, _stamp(link, item.review), is_held_by(link, item.review)) for item in waiting],
        "decided": [item for item in items if item.review.status != Review.Status.WAITING],
        "done": words.get(f"done_{request.GET.get('done', '')}", ""),
        "refused": refused,
        "problem": problem,
        "typed": {"name": request.POST.get("name", ""), "reason": request.POST.get("reason", "")},
        "workspace": link.workspace,
    }
    return render(request, "campaigns/client_page.html", context, status=status)


def _items(link: ReviewLink, token: str) -> list[Item]:
    """Only what the link opens, with pictures at addresses of the link's own."""
    viewer = system_actor(link.workspace, "client link", {Perm.VIEW})
    found, waiting = reviews_of(link).select_related("workspace"), Review.Status.WAITING
    decided = found.exclude(status=waiting).order_by("-decided_at")[:DECIDED_SHOWN]
    rows = [*in_queue(found.filter(status=waiting))[:SHOWN], *decided]
    return [replace(item, preview=_with_media(item.preview, token), changes=[]) for item in load_items(viewer, rows)]


def _with_media(preview: Preview, token: str) -> Preview:
    parts = [
        replace(part, media=[replace(media, url=_media_url(token, media.url), thumb_url="") for media in part.media])
        for part in preview.parts
    ]
    return replace(preview, parts=parts, problems=[])


def _media_url(token: str, member_url: str) -> str:
    asset_id = member_url.rstrip("/").split("/")[-2]
    return reverse("campaigns:client-media", args=[token, asset_id])


def _stamp(link: ReviewLink, review: Review) -> str:
    """Proof that this form came from this page of this link, about this content."""
    return signing.dumps([str(link.pk), str(review.pk), review.action_hash], salt=SALT)


@require_POST
@with_link
def client_decide(request: HttpRequest, link: ReviewLink, token: str, review_id: UUID) -> HttpResponse:
    review = reviews_of(link).filter(pk=review_id).first()
    if review is None:
        raise Http404("No such review.")
    words = WORDS[language_of(request)]
    act, post = request.POST.get("act", ""), request.POST.get
    seen_hash = _read_stamp(link, review, post("stamp", ""))
    if seen_hash is None:
        return _show(request, link, token, review.pk, words["stale"], 409)
    try:
        with transaction.atomic():
            decide_by_link(link, review, act, name=post("name", ""), reason=post("reason", ""), seen_hash=seen_hash)
    except ValidationError as error:
        fields = error.message_dict if hasattr(error, "error_dict") else {}
        key = "needs_name" if "name" in fields else "needs_reason" if "reason" in fields else "forbidden"
        return _show(request, link, token, review.pk, words[key], 422)
    except (ReviewClosed, PermissionDenied) as refusal:
        return _show(request, link, token, review.pk, words[_kind_of(refusal)], 409)
    return HttpResponseRedirect(f"{reverse('campaigns:client-page', args=[token])}?done={act}")


def _kind_of(refusal: Exception) -> str:
    """In words for outsiders: nobody's name, and nothing of the team's own reasons."""
    if isinstance(refusal, ReviewClaimed):
        return "busy"
    if isinstance(refusal, ReviewHeld):
        return "on_hold"
    return "not_allowed" if isinstance(refusal, PermissionDenied) else "stale"


def _read_stamp(link: ReviewLink, review: Review, stamp: str) -> str | None:
    """The hash of what was on the screen, or None for a form that is too old or not ours."""
    try:
        link_id, review_id, seen_hash = signing.loads(stamp, salt=SALT, max_age=FORM_AGE_S)
    except (signing.BadSignature, ValueError):
        return None
    return seen_hash if (link_id, review_id) == (str(link.pk), str(review.pk)) else None


@require_safe
@with_link
def client_media(request: HttpRequest, link: ReviewLink, token: str, asset_id: UUID) -> HttpResponseBase:
    """A file of what the link opens, and of nothing else."""
    holding = {"parts": [{"media": [{"asset_id": str(asset_id)}]}]}
    is_shown = reviews_of(link).filter(snapshot__contains=holding).exists()
    asset = MediaAsset.objects.filter(workspace=link.workspace_id, pk=asset_id).first()
    if asset is None or not is_shown:
        raise Http404("Not found.")
    return serve(request, asset, asset.file, asset.mime)
