"""Results of one campaign: what it reached, earned and cost, held against its goals."""

from uuid import UUID

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_POST

from accounts.access import Actor, Perm
from accounts.web import MemberRequest, add_errors, member_view
from analytics.access import get_media_cost, get_target
from analytics.definitions import add_media_cost, delete_media_cost, delete_target, set_target
from analytics.exports import costs_table, overview_tables, tables_answer
from analytics.forms import MediaCostForm, TargetForm
from analytics.models import MediaCost
from analytics.queries.goals import targets
from analytics.queries.overview import overview
from analytics.queries.period import read_choice, today
from analytics.queries.roi import roi
from analytics.queries.words import money
from analytics.views.dashboard import Wanted, days_of, picker_context
from campaigns.access import get_campaign
from campaigns.models import Campaign

COSTS_SHOWN = 50


def read_days(request: HttpRequest, actor: Actor, campaign: Campaign) -> Wanted:
    given = {name: request.GET.get(name, "") for name in ("days", "from", "to", "than")}
    choice = read_choice(actor.workspace, given)
    return Wanted(choice, campaign, days=days_of(actor, choice))


@member_view()
def campaign_results(request: MemberRequest, campaign_id: UUID) -> HttpResponse:
    return _page(request, get_campaign(request.actor, campaign_id))


def _page(
    request: MemberRequest,
    campaign: Campaign,
    target_form: TargetForm | None = None,
    cost_form: MediaCostForm | None = None,
) -> HttpResponse:
    actor = request.actor
    wanted = read_days(request, actor, campaign)
    shown = overview(actor.workspace, wanted.choice, campaign=campaign)
    context = picker_context(actor, wanted) | {"campaign": campaign, "shown": shown, "goals": targets(campaign)}
    if actor.can(Perm.VIEW):
        # Not for guests.
        context["roi"] = roi(actor.workspace, shown.period, campaign, known=shown.totals)
        costs = MediaCost.objects.filter(campaign=campaign).order_by("-day", "-created_at")[:COSTS_SHOWN]
        context["costs"] = [{"row": row, "amount_text": money(row.amount_micro)} for row in costs]
    if actor.can(Perm.CONTENT_EDIT):
        context |= {
            "target_form": target_form or TargetForm(),
            "cost_form": cost_form or MediaCostForm(initial={"day": today(actor.workspace)}),
        }
    status = 422 if target_form or cost_form else 200
    return render(request, "analytics/campaign.html", context, status=status)


@member_view()
def campaign_export(request: MemberRequest, campaign_id: UUID) -> HttpResponse:
    actor, campaign = request.actor, get_campaign(request.actor, campaign_id)
    wanted = read_days(request, actor, campaign)
    shown = overview(actor.workspace, wanted.choice, campaign=campaign)
    tables = overview_tables(shown)
    if actor.can(Perm.VIEW):
        tables.append(costs_table(roi(actor.workspace, shown.period, campaign, known=shown.totals)))
    name = f"campaign-{shown.period.start}-{shown.period.end}"
    return tables_answer(tables, request.GET.get("as", "csv"), name)


@require_POST
@member_view(Perm.CONTENT_EDIT)
def target_set(request: MemberRequest, campaign_id: UUID) -> HttpResponse:
    campaign = get_campaign(request.actor, campaign_id)
    form = TargetForm(request.POST)
    if form.is_valid():
        try:
            set_target(campaign, form.cleaned_data["metric"], form.cleaned_data["amount"], by=request.actor)
        except ValidationError as error:
            add_errors(form, error)
        else:
            messages.success(request, "The goal is set.")
            return redirect("analytics:campaign", campaign.pk)
    return _page(request, campaign, target_form=form)


@require_POST
@member_view(Perm.CONTENT_EDIT)
def target_delete(request: MemberRequest, campaign_id: UUID, target_id: UUID) -> HttpResponse:
    delete_target(get_target(request.actor, campaign_id, target_id), by=request.actor)
    return redirect("analytics:campaign", campaign_id)


@require_POST
@member_view(Perm.CONTENT_EDIT)
def cost_add(request: MemberRequest, campaign_id: UUID) -> HttpResponse:
    campaign = get_campaign(request.actor, campaign_id)
    form = MediaCostForm(request.POST)
    if form.is_valid():
        data = form.cleaned_data
        add_media_cost(campaign, data["day"], int(data["amount"] * 1_000_000), data["note"], by=request.actor)
        messages.success(request, "The cost is written down.")
        return redirect("analytics:campaign", campaign.pk)
    return _page(request, campaign, cost_form=form)


@require_POST
@member_view(Perm.CONTENT_EDIT)
def cost_delete(request: MemberRequest, campaign_id: UUID, cost_id: UUID) -> HttpResponse:
    delete_media_cost(get_media_cost(request.actor, campaign_id, cost_id), by=request.actor)
    return redirect("analytics:campaign", campaign_id)
