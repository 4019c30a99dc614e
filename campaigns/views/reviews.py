"""The review queue and its decisions."""

from collections.abc import Callable
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_POST

from accounts.access import Actor, Perm
from accounts.models import Membership
from accounts.web import MemberRequest, member_view
from campaigns.access import visible_campaigns
from campaigns.origins import origins_of
from campaigns.review_queries import (
    KINDS,
    TABS,
    Wanted,
    count_tabs,
    findings_of,
    for_me,
    load_items,
    load_rows,
    narrow,
    neighbours,
    tab_rules,
    waiting_reviews,
    with_same_post,
)
from campaigns.views.guest_reviews import show_guest_queue
from campaigns.views.outcome import Refusal, attempt
from compliance.access import get_review
from compliance.models import Review
from compliance.models.review import Risk
from compliance.reviews.bulk import lock_subjects
from compliance.services import (
    Left,
    ReviewClosed,
    approve_review,
    approve_reviews,
    claim_review,
    comment_review,
    hold_review,
    reject_review,
    reject_reviews,
    release_review,
    request_changes,
    resume_review,
)
from lib.clock import now
from social.models import Connection

PAGE_SIZE = 50
DECIDED_SHOWN = 10
DECIDED = [Review.Status.APPROVED, Review.Status.REJECTED, Review.Status.CHANGES, Review.Status.EXPIRED]


@member_view()
def review_list(request: MemberRequest) -> HttpResponse:
    if request.actor.is_guest:
        return show_guest_queue(request)
    request.actor.require(Perm.VIEW)
    return _queue(request)


def _queue(request: MemberRequest, left: list[Left] | None = None, refusal: Refusal | None = None) -> HttpResponse:
    actor, wanted = request.actor, wanted_of(request)
    rows = narrow(waiting_reviews(actor), wanted)
    counts = count_tabs(actor, rows)
    shown = rows.filter(tab_rules(actor)[wanted.tab]).select_related("requested_by", "claimed_by")
    pages = Paginator(shown, PAGE_SIZE)
    pages.count = counts[wanted.tab]
    page = pages.get_page(request.GET.get("page"))
    context = {
        "page": page,
        "items": load_rows(actor, list(page.object_list)),
        "waiting": counts[""],
        "tabs": [(name, label, counts[name]) for name, label in TABS.items()],
        "wanted": wanted,
        "is_narrowed": wanted != Wanted(tab=wanted.tab),
        "choices": _choices(actor),
        "decided": load_rows(actor, _decided(actor)),
        "may_review": actor.can(Perm.REVIEW),
        "now": now(),
        "left": _named(actor, left or []),
        "refusal": refusal,
    }
    return render(request, "campaigns/review_list.html", context, status=refusal.status if refusal else 200)


def wanted_of(request: MemberRequest) -> Wanted:
    """From the address; what makes no sense is left out."""
    get = request.GET.get
    tab = get("tab", "")
    return Wanted(
        tab=tab if tab in TABS else "",
        risk=get("risk", "") if get("risk") in Risk.values else "",
        campaign=_uuid(get("campaign", "")),
        connection=_uuid(get("connection", "")),
        author=_uuid(get("author", "")),
    )


def _uuid(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None


def _choices(actor: Actor) -> dict[str, Any]:
    people = Membership.objects.select_related("user").filter(workspace=actor.workspace).order_by("user__email")
    return {
        "risks": Risk.choices,
        "campaigns": visible_campaigns(actor).order_by("name").values_list("pk", "name"),
        "connections": Connection.objects.filter(workspace=actor.workspace).order_by("network", "handle"),
        "authors": [member.user for member in people[:200]],
    }


def _decided(actor: Actor) -> list[Review]:
    recent = Review.objects.filter(workspace=actor.workspace, kind__in=KINDS, status__in=DECIDED)
    return list(recent.select_related("requested_by", "decided_by").order_by("-decided_at")[:DECIDED_SHOWN])


def _named(actor: Actor, left: list[Left]) -> list[tuple[Any, str]]:
    items = {item.review.pk: item for item in load_rows(actor, [one.review for one in left])}
    return [(items[one.review.pk], one.why) for one in left if one.review.pk in items]


# --- one review -------------------------------------------------------------------------------------------


@member_view(Perm.VIEW)
def review_detail(request: MemberRequest, review_id: UUID) -> HttpResponse:
    return _show(request, get_review(request.actor, review_id))


def _show(request: MemberRequest, review: Review, refusal: Refusal | None = None) -> HttpResponse:
    actor = request.actor
    items = load_items(actor, [review])
    if not items:
        # The post was deleted since.
        return redirect("campaigns:review-list")
    [item] = items
    siblings = load_items(actor, with_same_post(actor, review))
    before, after = neighbours(actor, review)
    needs_other_eyes = actor.workspace.four_eyes and item.is_own
    context = {
        "item": item,
        "siblings": siblings,
        "shown": [item, *siblings],
        "findings": findings_of(review),
        "history": review.events.select_related("user"),
        "previous": before,
        "following": after,
        "waiting": waiting_reviews(actor).count(),
        "is_open": review.status == Review.Status.WAITING,
        "may_review": actor.can(Perm.REVIEW),
        "may_comment": actor.can(Perm.REVIEW) or actor.can(Perm.CONTENT_EDIT),
        "may_share": actor.can(Perm.REVIEW) and actor.can(Perm.MEMBERS),
        "needs_other_eyes": needs_other_eyes,
        "origins": origins_of(item.delivery.post),
        "refusal": refusal,
    } | claim_context(actor, review)
    return render(request, "campaigns/review_detail.html", context, status=refusal.status if refusal else 200)


def claim_context(actor: Actor, review: Review) -> dict[str, Any]:
    claimed = review.is_claimed(now())
    return {
        "review": review,
        "is_mine": claimed and review.claimed_by == actor.user,
        "is_taken": claimed and review.claimed_by != actor.user,
    }


# --- who looks at it --------------------------------------------------------------------------------------


@require_POST
@member_view(Perm.REVIEW)
def review_claim(request: MemberRequest, review_id: UUID) -> HttpResponse:
    """Asked for by the open page, again and again: it takes the claim, and then keeps it."""
    review = get_review(request.actor, review_id)
    renews = bool(request.POST.get("renew"))
    refusal = attempt(lambda: claim_review(review, by=request.actor, renews=renews))
    if not request.htmx:
        return _show(request, review, refusal) if refusal else redirect("campaigns:review-detail", review.pk)
    fresh = Review.objects.select_related("claimed_by").get(pk=review.pk)
    is_open = fresh.status == Review.Status.WAITING
    context = claim_context(request.actor, fresh) | {"is_open": is_open, "refusal": refusal}
    return render(request, "campaigns/review_claim.html", context)


@require_POST
@member_view(Perm.REVIEW)
def review_release(request: MemberRequest, review_id: UUID) -> HttpResponse:
    review = get_review(request.actor, review_id)
    release_review(review, by=request.actor)
    messages.success(request, "Released. Others can decide it now.")
    return redirect("campaigns:review-list")


# --- deciding ---------------------------------------------------------------------------------------------


@require_POST
@member_view(Perm.VIEW)
def review_approve(request: MemberRequest, review_id: UUID) -> HttpResponse:
    """Approves what was on the screen: this review and, for "approve all", the others shown with it."""
    review = get_review(request.actor, review_id)
    seen = _seen(request)
    shown = [one for one in [review, *with_same_post(request.actor, review)] if str(one.pk) in seen]

    def approve_all() -> None:
        if not shown:
            raise ReviewClosed("Look at the post again, then decide.")
        lock_subjects(shown)
        for one in shown:
            approve_review(one, by=request.actor, seen_hash=seen[str(one.pk)])

    refusal = attempt(approve_all)
    if refusal:
        return _show(request, get_review(request.actor, review_id), refusal)
    messages.success(request, "Approved." if len(shown) == 1 else f"Approved for {len(shown)} accounts.")
    return _next(request)


def _seen(request: MemberRequest) -> dict[str, str]:
    """Review by review, the hash of what was on the screen."""
    return dict(value.split(":", 1) for value in request.POST.getlist("seen") if ":" in value)


@require_POST
@member_view(Perm.VIEW)
def review_reject(request: MemberRequest, review_id: UUID) -> HttpResponse:
    return _with_reason(request, review_id, reject_review, "Rejected. The author is told why.")


@require_POST
@member_view(Perm.VIEW)
def review_changes(request: MemberRequest, review_id: UUID) -> HttpResponse:
    return _with_reason(request, review_id, request_changes, "Sent back. The author is told what to change.")


@require_POST
@member_view(Perm.VIEW)
def review_hold(request: MemberRequest, review_id: UUID) -> HttpResponse:
    return _with_reason(request, review_id, hold_review, "On hold. Nobody can approve it until it is taken off.")


def _with_reason(request: MemberRequest, review_id: UUID, act: Callable[..., None], told: str) -> HttpResponse:
    review = get_review(request.actor, review_id)
    refusal = attempt(lambda: act(review, by=request.actor, reason=request.POST.get("reason", "")))
    if refusal:
        return _show(request, get_review(request.actor, review_id), refusal)
    messages.success(request, told)
    return _next(request)


@require_POST
@member_view(Perm.VIEW)
def review_resume(request: MemberRequest, review_id: UUID) -> HttpResponse:
    review = get_review(request.actor, review_id)
    refusal = attempt(lambda: resume_review(review, by=request.actor))
    if refusal:
        return _show(request, get_review(request.actor, review_id), refusal)
    messages.success(request, "It waits for a decision again.")
    return redirect("campaigns:review-detail", review.pk)


@require_POST
@member_view(Perm.VIEW)
def review_comment(request: MemberRequest, review_id: UUID) -> HttpResponse:
    review = get_review(request.actor, review_id)
    refusal = attempt(lambda: comment_review(review, by=request.actor, text=request.POST.get("text", "")))
    if refusal:
        return _show(request, review, refusal)
    return redirect("campaigns:review-detail", review.pk)


def _next(request: MemberRequest) -> HttpResponse:
    following = waiting_reviews(request.actor).filter(for_me(request.actor)).first()
    return redirect("campaigns:review-detail", following.pk) if following else redirect("campaigns:review-list")


# --- several at once --------------------------------------------------------------------------------------


@require_POST
@member_view(Perm.VIEW)
def review_bulk(request: MemberRequest) -> HttpResponse:
    actor, seen = request.actor, _seen(request)
    ids = [found for key in seen if (found := _uuid(key))]
    rows = list(Review.objects.select_related("claimed_by").filter(workspace=actor.workspace, pk__in=ids))
    left: list[Left] = []

    def decide() -> None:
        if request.POST.get("act") == "reject":
            left.extend(reject_reviews(rows, by=actor, reason=request.POST.get("reason", "")))
        else:
            left.extend(approve_reviews([(row, seen[str(row.pk)]) for row in rows], by=actor))

    refusal = attempt(decide)
    if refusal is None and (done := len(rows) - len(left)):
        word = "Rejected" if request.POST.get("act") == "reject" else "Approved"
        messages.success(request, f"{word}: {done}.")
    if refusal or left:
        return _queue(request, left, refusal)
    return redirect("campaigns:review-list")
