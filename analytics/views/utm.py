"""The utm_* parameters that short links get: of the workspace, and of a campaign that wants others."""

from typing import Any

from django import forms
from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import HttpResponse
from django.shortcuts import redirect, render

from accounts.access import Actor, Perm
from accounts.web import MemberRequest, add_errors, member_view
from analytics.models import UtmTemplate
from analytics.tracking.utm import MAX_TEXT, PARAMETERS, PLACEHOLDERS, change_utm, reset_utm, template_for, with_utm
from campaigns.access import visible_campaigns
from campaigns.models import Campaign
from lib.clock import now

EXAMPLE = "https://example.com/spring"


class UtmForm(forms.Form):
    """One field for each parameter, by the name of its column."""

    source = forms.CharField(label="utm_source", max_length=MAX_TEXT, required=False)
    medium = forms.CharField(label="utm_medium", max_length=MAX_TEXT, required=False)
    name = forms.CharField(label="utm_campaign", max_length=MAX_TEXT, required=False)
    term = forms.CharField(label="utm_term", max_length=MAX_TEXT, required=False)
    content = forms.CharField(label="utm_content", max_length=MAX_TEXT, required=False)


@member_view(Perm.CONTENT_EDIT)
def utm(request: MemberRequest) -> HttpResponse:
    campaign = _campaign(request.actor, request.POST.get("campaign") or request.GET.get("campaign") or "")
    template, status = template_for(campaign), 200
    form = UtmForm(request.POST or None, initial={name: getattr(template, name) for name in PARAMETERS.values()})
    if request.method == "POST":
        if "reset" in request.POST:
            reset_utm(campaign, by=request.actor)
            return _back(request, campaign, "Back to the default.")
        if form.is_valid():
            try:
                change_utm(campaign, by=request.actor, **form.cleaned_data)
                return _back(request, campaign, "Saved. Links that exist keep what they have.")
            except ValidationError as error:
                add_errors(form, error)
        status = 400
    context = {
        "form": form,
        "campaign": campaign,
        "campaigns": visible_campaigns(request.actor),
        "placeholders": PLACEHOLDERS,
        "is_own": UtmTemplate.objects.filter(workspace=request.actor.workspace, campaign=campaign).exists(),
        "example": with_utm(EXAMPLE, template, _values(campaign)),
    }
    return render(request, "analytics/links_utm.html", context, status=status)


def _campaign(actor: Actor, pk: str) -> Campaign | None:
    """A wrong id counts as none."""
    try:
        return visible_campaigns(actor).filter(pk=pk).first() if pk else None
    except ValidationError:
        return None


def _values(campaign: Campaign | None) -> dict[str, str]:
    name = campaign.name if campaign else "Spring campaign"
    return {"campaign": name, "post": "New beans", "network": "x", "variant": "a", "date": f"{now():%Y-%m-%d}"}


def _back(request: MemberRequest, campaign: Campaign | None, text: str) -> Any:
    messages.success(request, text)
    answer = redirect("analytics:utm")
    if campaign:
        answer["Location"] += f"?campaign={campaign.pk}"
    return answer
