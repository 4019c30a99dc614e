"""The queue of a guest: what was shared for approval, without the team's notes and rules."""

from collections.abc import Callable
from uuid import UUID

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_POST

from accounts.access import Perm
from accounts.models import User
from accounts.web import MemberRequest, member_view
from campaigns.access import get_campaign
from campaigns.campaign_queries import guests_of
from campaigns.client_words import WORDS
from campaigns.guest_reviews import as_reviewer, get_guest_review, reviews_for_guest, set_guest_reviews
from campaigns.review_queries import load_items
from campaigns.views.outcome import Refusal, attempt
from compliance.services import ReviewClaimed, ReviewHeld, approve_review, hold_review, request_changes

SHOWN = 30


def show_guest_queue(
    request: MemberRequest, refused: UUID | None = None, refusal: Refusal | None = None
) -> HttpResponse:
    rows = reviews_for_guest(request.actor)[:SHOWN]
    context = {"items": load_items(request.actor, rows), "refused": refused, "refusal": refusal, "words": WORDS["en"]}
    return render(request, "campaigns/guest_reviews.html", context, status=refusal.status if refusal else 200)


@require_POST
@member_view()
def guest_decide(request: MemberRequest, review_id: UUID) -> HttpResponse:
    review = get_guest_review(request.actor, review_id)
    by, post = as_reviewer(request.actor), request.POST.get
    acts: dict[str, Callable[[], None]] = {
        "approve": lambda: approve_review(review, by=by, seen_hash=post("seen", "")),
        "changes": lambda: request_changes(review, by=by, reason=post("reason", "")),
        "hold": lambda: hold_review(review, by=by, reason=post("reason", "")),
    }
    act = acts.get(post("act", ""), _nothing)
    refusal = attempt(lambda: _in_their_words(act))
    if refusal:
        return show_guest_queue(request, review.pk, refusal)
    messages.success(request, WORDS["en"][f"done_{post('act')}"])
    return redirect("campaigns:review-list")


def _nothing() -> None:
    raise ValidationError("Choose one of the buttons.")


def _in_their_words(act: Callable[[], None]) -> None:
    """A guest hears that it is held or looked at, not by whom and why."""
    try:
        act()
    except ReviewClaimed:
        raise ReviewClaimed(WORDS["en"]["busy"]) from None
    except ReviewHeld:
        raise ReviewHeld(WORDS["en"]["on_hold"]) from None


@require_POST
@member_view(Perm.MEMBERS)
def guest_rights(request: MemberRequest, campaign_id: UUID) -> HttpResponse:
    campaign = get_campaign(request.actor, campaign_id)
    guest: User | None = guests_of(campaign).filter(email=request.POST.get("email", "")).first()
    if guest:
        may = request.POST.get("may") == "1"
        set_guest_reviews(campaign, guest, may=may, by=request.actor)
        messages.success(request, f"{guest} {'decides here now' if may else 'can only look now'}.")
    return redirect("campaigns:campaign-approval", campaign.pk)
