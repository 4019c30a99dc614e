from django.http import HttpResponse
from django.shortcuts import render

from accounts.access import Perm
from accounts.web import MemberRequest, member_view
from campaigns.access import visible_campaigns
from campaigns.attention import find_attention
from campaigns.dashboard import count_week, first_steps, next_days, recently_published
from campaigns.outage import find_outages
from campaigns.preflight import count_levels, find_flights
from campaigns.views.plans import box_context
from lib.clock import now

GUEST_CAMPAIGNS = 12


@member_view()
def dashboard(request: MemberRequest) -> HttpResponse:
    actor = request.actor
    context = {
        "now": now(),
        "week": count_week(actor),
        "days": next_days(actor),
        "recent": recently_published(actor),
    }
    if actor.can(Perm.VIEW):
        attention = find_attention(actor)
        context |= {
            "attention": attention,
            "outages": find_outages(actor) if attention.counts["missed"] else [],
            "flights": count_levels(find_flights(actor)),
            "steps": first_steps(actor.workspace),
        }
        if actor.can(Perm.CONTENT_EDIT):
            context |= box_context(actor)
    else:
        context |= {"shared": visible_campaigns(actor)[:GUEST_CAMPAIGNS]}
    return render(request, "campaigns/dashboard.html", context)
