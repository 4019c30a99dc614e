"""Results of a workspace: the page, its numbers as they change, and as a file."""

from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from accounts.access import Actor, Perm
from accounts.web import MemberRequest, member_view
from analytics.access import find_campaign, find_connection, visible_anomalies
from analytics.exports import overview_tables, tables_answer
from analytics.queries.measured import has_anything
from analytics.queries.overview import overview
from analytics.queries.period import LENGTHS, Choice, last_days, read_choice
from campaigns.access import visible_campaigns
from campaigns.models import Campaign
from social.models import Connection

ANOMALIES_SHOWN = 3


@dataclass(frozen=True)
class Wanted:
    """What the address asks for."""

    choice: Choice
    campaign: Campaign | None = None
    connection: Connection | None = None
    # Where the period is that long and ends today.
    days: int | None = None

    @property
    def params(self) -> dict[str, str]:
        """The fields of an address that asks for the same; tomorrow, the last 7 days are others."""
        period = self.choice.period
        fields = {"days": str(self.days)} if self.days else {"from": str(period.start), "to": str(period.end)}
        if not self.choice.is_previous:
            fields["than"] = str(self.choice.against.start)
        if self.campaign:
            fields["campaign"] = str(self.campaign.pk)
        if self.connection:
            fields["connection"] = str(self.connection.pk)
        return fields

    @property
    def query(self) -> str:
        return urlencode(self.params)


def read_wanted(request: HttpRequest, actor: Actor) -> Wanted:
    given = {name: request.GET.get(name, "") for name in ("days", "from", "to", "than", "campaign", "connection")}
    choice = read_choice(actor.workspace, given)
    campaign, connection = find_campaign(actor, given["campaign"]), find_connection(actor, given["connection"])
    return Wanted(choice, campaign, connection, days_of(actor, choice))


def days_of(actor: Actor, choice: Choice) -> int | None:
    return next((days for days in LENGTHS if last_days(actor.workspace, days) == choice.period), None)


def picker_context(actor: Actor, wanted: Wanted) -> dict[str, Any]:
    """What `_period.html` wants."""
    return {
        "wanted": wanted,
        "choice": wanted.choice,
        "period": wanted.choice.period,
        "lengths": [(days, days == wanted.days) for days in LENGTHS],
        "is_custom": wanted.days is None or not wanted.choice.is_previous,
    }


@member_view(Perm.VIEW)
def results(request: MemberRequest) -> HttpResponse:
    actor, wanted = request.actor, read_wanted(request, request.actor)
    shown = overview(actor.workspace, wanted.choice, campaign=wanted.campaign, connection=wanted.connection)
    context = picker_context(actor, wanted) | {
        "shown": shown,
        "is_new": shown.is_empty and not has_anything(actor.workspace),
        "campaigns": visible_campaigns(actor).order_by("name"),
        "connections": Connection.objects.shown().filter(workspace=actor.workspace).order_by("network", "name"),
        "anomalies": visible_anomalies(actor).filter(seen_at=None)[:ANOMALIES_SHOWN],
    }
    return render(request, "analytics/dashboard.html", context)


@member_view(Perm.VIEW)
def results_export(request: MemberRequest) -> HttpResponse:
    actor, wanted = request.actor, read_wanted(request, request.actor)
    shown = overview(actor.workspace, wanted.choice, campaign=wanted.campaign, connection=wanted.connection)
    name = f"results-{shown.period.start}-{shown.period.end}"
    return tables_answer(overview_tables(shown), request.GET.get("as", "csv"), name)
