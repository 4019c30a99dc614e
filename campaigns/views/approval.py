"""How a campaign's posts are approved: the dial that a member signs, and links for clients."""

from decimal import Decimal, InvalidOperation
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_POST

from accounts.access import Perm
from accounts.web import MemberRequest, member_view
from campaigns.access import get_campaign, get_post
from campaigns.autonomy import RISKS, is_genuine, open_policy, revoke_policy, sign_policy, signer_of
from campaigns.campaign_queries import guests_of
from campaigns.guest_reviews import deciding_guests
from campaigns.models import AutonomyPolicy, Campaign
from campaigns.views.outcome import Refusal, attempt
from compliance.models import Review, ReviewLink
from compliance.reviews.links import DAYS, create_link, link_url, revoke_link
from compliance.services import release_review
from lib.money import dollars

MICRO = 1_000_000


@member_view(Perm.VIEW)
def campaign_approval(request: MemberRequest, campaign_id: UUID) -> HttpResponse:
    return _dial(request, get_campaign(request.actor, campaign_id))


def _dial(request: MemberRequest, campaign: Campaign, refusal: Refusal | None = None, url: str = "") -> HttpResponse:
    policy = open_policy(campaign.pk)
    context: dict[str, Any] = {
        "campaign": campaign,
        "policy": policy,
        "state": policy_state(policy),
        "former": AutonomyPolicy.objects.filter(campaign=campaign).exclude(revoked_at=None)[:10],
        "modes": AutonomyPolicy.Mode.choices,
        "risks": [(risk.value, risk.label) for risk in RISKS],
        "spent": dollars(policy.spent_micro) if policy else "",
        "budget": dollars(policy.budget_micro) if policy else "",
        "budget_value": f"{policy.budget_micro / MICRO:g}" if policy else "0",
        "may_review": request.actor.can(Perm.REVIEW),
    }
    if request.actor.can(Perm.MEMBERS):
        deciding = deciding_guests(campaign)
        context["guests"] = [(guest, guest.pk in deciding) for guest in guests_of(campaign)]
    return _page(request, "campaigns/campaign_approval.html", campaign.pk, context, refusal, url)


def policy_state(policy: AutonomyPolicy | None) -> str:
    """Empty where it holds, or in a word why it does not."""
    if policy is None:
        return "none"
    if not is_genuine(policy):
        return "changed"
    return "" if signer_of(policy) else "orphan"


def _page(
    request: MemberRequest, template: str, scope_id: UUID, context: dict[str, Any], refusal: Refusal | None, url: str
) -> HttpResponse:
    actor = request.actor
    links = ReviewLink.objects.filter(workspace=actor.workspace, scope_id=scope_id).select_related("created_by")
    context |= {
        "links": links,
        "may_share": actor.can(Perm.REVIEW) and actor.can(Perm.MEMBERS),
        "new_url": url,
        "days": DAYS,
        "refusal": refusal,
    }
    return render(request, template, context, status=refusal.status if refusal else 200)


@require_POST
@member_view(Perm.REVIEW)
def policy_sign(request: MemberRequest, campaign_id: UUID) -> HttpResponse:
    campaign = get_campaign(request.actor, campaign_id)
    post = request.POST.get
    refusal = attempt(
        lambda: sign_policy(
            campaign,
            by=request.actor,
            mode=post("mode", ""),
            max_risk=post("max_risk", "") or RISKS[0],
            budget_micro=_micro(post("budget", "") or "0"),
        )
    )
    if refusal:
        return _dial(request, campaign, refusal)
    messages.success(request, "Signed. It holds from now on.")
    return redirect("campaigns:campaign-approval", campaign.pk)


def _micro(text: str) -> int:
    try:
        amount = Decimal(text)
    except InvalidOperation:
        amount = Decimal("NaN")
    if not amount.is_finite() or abs(amount) > 10**9:
        raise ValidationError({"budget": "Give an amount in US dollars, such as 5 or 2.50."})
    return int(amount * MICRO)


@require_POST
@member_view(Perm.REVIEW)
def policy_revoke(request: MemberRequest, campaign_id: UUID) -> HttpResponse:
    campaign = get_campaign(request.actor, campaign_id)
    revoke_policy(campaign, by=request.actor)
    messages.success(request, "Revoked. From now on a person approves everything.")
    return redirect("campaigns:campaign-approval", campaign.pk)


# --- links for clients ------------------------------------------------------------------------------------


@require_POST
@member_view(Perm.VIEW)
def campaign_link(request: MemberRequest, campaign_id: UUID) -> HttpResponse:
    """The page that answers is the only place where the address ever stands."""
    campaign = get_campaign(request.actor, campaign_id)
    refusal, url = _new_link(request, campaign.pk, f"Campaign {campaign}")
    return _dial(request, campaign, refusal, url)


@member_view(Perm.VIEW)
def post_links(request: MemberRequest, post_id: UUID) -> HttpResponse:
    post = get_post(request.actor, post_id)
    refusal, url = _new_link(request, post.pk, f"Post {post}") if request.method == "POST" else (None, "")
    return _page(request, "campaigns/post_links.html", post.pk, {"post": post}, refusal, url)


def _new_link(request: MemberRequest, scope_id: UUID, label: str) -> tuple[Refusal | None, str]:
    found: list[str] = []
    post = request.POST.get

    def create() -> None:
        days = post("days", "") or str(DAYS)
        _, token = create_link(
            by=request.actor,
            name=post("name", ""),
            email=post("email", ""),
            days=int(days) if days.isdecimal() and len(days) < 5 else 0,
            scope_id=scope_id,
            scope_label=label,
        )
        found.append(link_url(token))

    refusal = attempt(create)
    if refusal is None:
        _make_way(request, scope_id)
    return refusal, "" if refusal else found[0]


def _make_way(request: MemberRequest, scope_id: UUID) -> None:
    """Whoever asks a client has stopped looking: their claim would keep the client out for minutes."""
    mine = Review.objects.filter(workspace=request.actor.workspace, claimed_by=request.actor.user)
    for review in mine.filter(status=Review.Status.WAITING, scopes__contains=[scope_id]):
        release_review(review, by=request.actor)


@require_POST
@member_view(Perm.VIEW)
def link_revoke(request: MemberRequest, link_id: UUID) -> HttpResponse:
    link = revoke_link(link_id, by=request.actor)
    messages.success(request, f"The link for {link.name} is closed.")
    is_campaign = Campaign.objects.filter(pk=link.scope_id).exists()
    return redirect("campaigns:campaign-approval" if is_campaign else "campaigns:post-links", link.scope_id)
