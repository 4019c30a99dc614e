from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET

from accounts.access import Perm
from accounts.web import MemberRequest, member_view
from campaigns.access import visible_campaigns
from campaigns.attention import find_attention, navigation_of
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
            "nav_counts": navigation_of(attention.counts),
            "steps": first_steps(actor.workspace),
        }
        if actor.can(Perm.CONTENT_EDIT):
            context |= box_context(actor)
    else:
        context |= {"shared": visible_campaigns(actor)[:GUEST_CAMPAIGNS]}
    return render(request, "campaigns/dashboard.html", context)


@require_GET
@member_view(Perm.VIEW)
def flights(request: MemberRequest) -> HttpResponse:
    """Judging all that is due takes longer than the rest of the dashboard: the page asks for it once it stands."""
    return render(request, "campaigns/dashboard_flights.html", {"flights": count_levels(find_flights(request.actor))})
