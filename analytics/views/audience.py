from django.http import HttpResponse
from django.shortcuts import render

from accounts.access import Perm
from accounts.web import MemberRequest, member_view
from analytics.charts import Table
from analytics.exports import WEEKDAYS, tables_answer
from analytics.queries.audience import MOST, PARTS, audience
from analytics.queries.cohorts import WEEKS, cohorts
from analytics.queries.heat import heat_of_clicks, is_empty
from analytics.views.dashboard import picker_context, read_wanted
from campaigns.access import visible_campaigns


@member_view(Perm.VIEW)
def audience_page(request: MemberRequest) -> HttpResponse:
    actor, wanted = request.actor, read_wanted(request, request.actor)
    found = audience(actor.workspace, wanted.choice.period, campaign=wanted.campaign)
    heat = heat_of_clicks(actor.workspace, wanted.choice.period, campaign=wanted.campaign)
    context = picker_context(actor, wanted) | {
        "found": found,
        "parts": [(PARTS[name], name, shares) for name, shares in found.parts.items()],
        "heat": [] if is_empty(heat) else heat,
        "most": MOST,
        "campaigns": visible_campaigns(actor).order_by("name"),
    }
    return render(request, "analytics/audience.html", context)


@member_view(Perm.VIEW)
def audience_export(request: MemberRequest) -> HttpResponse:
    actor, wanted = request.actor, read_wanted(request, request.actor)
    period = wanted.choice.period
    found = audience(actor.workspace, period, campaign=wanted.campaign)
    heat = heat_of_clicks(actor.workspace, period, campaign=wanted.campaign)
    tables = [
        Table(PARTS[name], [PARTS[name], "Clicks", "Share"], [[row.label, row.number, row.share] for row in shares])
        for name, shares in found.parts.items()
    ]
    hours = [[WEEKDAYS[cell.weekday], cell.hour, cell.number] for row in heat for cell in row if cell.number]
    tables.append(Table("Hours of clicks", ["Weekday", "Hour", "Clicks"], hours))
    return tables_answer(tables, request.GET.get("as", "csv"), f"audience-{period.start}-{period.end}")


@member_view(Perm.VIEW)
def cohort_page(request: MemberRequest) -> HttpResponse:
    found = cohorts(request.actor.workspace)
    return render(request, "analytics/cohorts.html", {"found": found, "weeks": range(1, WEEKS)})


@member_view(Perm.VIEW)
def cohort_export(request: MemberRequest) -> HttpResponse:
    headings = ["First week", *(f"Came in week {week}" for week in range(WEEKS)), "Converted"]
    rows = [[row.week, *row.came, row.converted] for row in cohorts(request.actor.workspace).rows]
    return tables_answer([Table("Cohorts", headings, rows)], request.GET.get("as", "csv"), "cohorts")
