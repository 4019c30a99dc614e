from typing import Any
from uuid import UUID

from django import forms
from django.contrib import messages
from django.core.exceptions import ValidationError
from django.core.paginator import Paginator
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_POST

from accounts.access import Perm
from accounts.models import Membership, Role, User
from accounts.services import invite_member
from accounts.web import MemberRequest, add_errors, member_view
from campaigns import services
from campaigns.access import get_campaign, visible_campaigns, visible_posts
from campaigns.campaign_queries import (
    activity_of,
    count_statuses,
    filter_campaigns,
    guests_of,
    in_order,
    next_statuses,
    progress_of,
    with_progress,
)
from campaigns.forms import CampaignForm, ShareForm
from campaigns.models import Campaign, Source
from campaigns.post_queries import with_rows
from campaigns.views.outcome import Refusal, attempt

PAGE_SIZE = 20


@member_view()
def campaign_list(request: MemberRequest) -> HttpResponse:
    campaigns = visible_campaigns(request.actor)
    status, words = request.GET.get("status", ""), request.GET.get("q", "").strip()[:200]
    status = status if status in Campaign.Status.values else ""
    found = filter_campaigns(campaigns, words=words)
    counts = count_statuses(found)
    # Counting the posts groups the rows, and grouped rows lose the model's own order.
    shown = with_progress(filter_campaigns(found, status=status)).order_by("-created_at", "pk")
    context = {
        "page": Paginator(shown, PAGE_SIZE).get_page(request.GET.get("page")),
        "words": words,
        "status": status,
        "pills": [("", "All", sum(counts.values()))]
        + [(value, label, counts.get(value, 0)) for value, label in Campaign.Status.choices],
    }
    return render(request, "campaigns/campaign_list.html", context)


# --- writing ----------------------------------------------------------------------------------------------


@member_view(Perm.CONTENT_EDIT)
def campaign_new(request: MemberRequest) -> HttpResponse:
    form = CampaignForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            campaign = services.create_campaign(by=request.actor, **form.cleaned_data)
        except ValidationError as error:
            add_errors(form, error)
        else:
            messages.success(request, f"{campaign} is ready. Now fill it with posts.")
            return redirect(campaign)
    return _form_page(request, form)


@member_view(Perm.CONTENT_EDIT)
def campaign_edit(request: MemberRequest, campaign_id: UUID) -> HttpResponse:
    campaign = get_campaign(request.actor, campaign_id)
    # A copy of its own: what is refused must not show in the heading.
    form = CampaignForm(request.POST or None, instance=get_campaign(request.actor, campaign_id))
    if request.method == "POST" and form.is_valid():
        try:
            services.update_campaign(campaign, by=request.actor, **form.cleaned_data)
        except ValidationError as error:
            add_errors(form, error)
        else:
            messages.success(request, "Saved.")
            return redirect(campaign)
    return _form_page(request, form, campaign)


def _form_page(request: MemberRequest, form: forms.BaseForm, campaign: Campaign | None = None) -> HttpResponse:
    context = {"form": form, "campaign": campaign}
    return render(request, "campaigns/campaign_form.html", context, status=422 if form.errors else 200)


# --- one campaign -----------------------------------------------------------------------------------------


@member_view()
def campaign_detail(request: MemberRequest, campaign_id: UUID) -> HttpResponse:
    return _detail_page(request, get_campaign(request.actor, campaign_id))


def _detail_page(
    request: MemberRequest,
    campaign: Campaign,
    refusal: Refusal | None = None,
    share_form: ShareForm | None = None,
) -> HttpResponse:
    actor = request.actor
    posts = in_order(visible_posts(actor).filter(campaign=campaign))
    counted = with_progress(Campaign.objects.filter(pk=campaign.pk)).get()
    context: dict[str, Any] = {
        "campaign": campaign,
        "counted": counted,
        "progress": progress_of(counted),
        "next_statuses": next_statuses(campaign) if actor.can(Perm.PUBLISH) else [],
        "page": Paginator(with_rows(posts), PAGE_SIZE).get_page(request.GET.get("page")),
        "sources": Source.objects.filter(campaign=campaign) if not actor.is_guest else [],
        "activity": activity_of(campaign, actor),
        "refusal": refusal,
    }
    if actor.can(Perm.MEMBERS):
        context |= {"guests": guests_of(campaign), "share_form": share_form or ShareForm()}
    wrong = 422 if share_form else 200
    return render(request, "campaigns/campaign_detail.html", context, status=refusal.status if refusal else wrong)


@require_POST
@member_view()
def campaign_status(request: MemberRequest, campaign_id: UUID) -> HttpResponse:
    campaign = get_campaign(request.actor, campaign_id)
    status = request.POST.get("status", "")
    refusal = attempt(lambda: services.set_campaign_status(campaign, status, by=request.actor))
    if refusal:
        return _detail_page(request, campaign, refusal)
    messages.success(request, f"{campaign} is {campaign.get_status_display().lower()}.")
    return redirect(campaign)


@require_POST
@member_view()
def campaign_delete(request: MemberRequest, campaign_id: UUID) -> HttpResponse:
    campaign = get_campaign(request.actor, campaign_id)
    refusal = attempt(lambda: services.delete_campaign(campaign, by=request.actor))
    if refusal:
        return _detail_page(request, campaign, refusal)
    messages.success(request, f"{campaign} is deleted.")
    return redirect("campaigns:campaign-list")


# --- guests -----------------------------------------------------------------------------------------------


@require_POST
@member_view(Perm.MEMBERS)
def campaign_share(request: MemberRequest, campaign_id: UUID) -> HttpResponse:
    campaign = get_campaign(request.actor, campaign_id)
    form = ShareForm(request.POST)
    if form.is_valid():
        try:
            told = _share(request, campaign, form.cleaned_data["email"])
        except ValidationError as error:
            form.add_error("email", error.messages)
        else:
            messages.success(request, told)
            return redirect(campaign)
    return _detail_page(request, campaign, share_form=form)


def _share(request: MemberRequest, campaign: Campaign, email: str) -> str:
    member = _members(request).filter(user__email__iexact=email).first()
    if member is None:
        invite_member(email, Role.GUEST, by=request.actor, campaign_id=campaign.pk)
        return f"{email} gets an invitation to see {campaign}."
    services.share_campaign(campaign, member.user, by=request.actor)
    return f"{member.user} can see {campaign} now."


@require_POST
@member_view(Perm.MEMBERS)
def campaign_unshare(request: MemberRequest, campaign_id: UUID) -> HttpResponse:
    campaign = get_campaign(request.actor, campaign_id)
    guest = User.objects.filter(pk__in=_members(request).values("user"), email=request.POST.get("email", "")).first()
    if guest:
        services.unshare_campaign(campaign, guest, by=request.actor)
        messages.success(request, f"{guest} can no longer see {campaign}.")
    return redirect(campaign)


def _members(request: MemberRequest) -> Any:
    return Membership.objects.filter(workspace=request.actor.workspace).select_related("user")
