from uuid import UUID

from django.core.paginator import Paginator
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_POST

from accounts.access import Perm
from accounts.web import MemberRequest, member_view
from analytics.access import get_anomaly, visible_anomalies
from analytics.anomalies import mark_seen
from analytics.charts import Table
from analytics.exports import tables_answer

PAGE_SIZE = 30
COLUMNS = ["Day", "Number", "Value", "Expected from", "Expected to", "What"]


@member_view(Perm.VIEW)
def anomaly_list(request: MemberRequest) -> HttpResponse:
    rows = visible_anomalies(request.actor).order_by("-day", "metric", "pk")
    page = Paginator(rows, PAGE_SIZE).get_page(request.GET.get("page"))
    return render(request, "analytics/anomalies.html", {"page": page})


@member_view(Perm.VIEW)
def anomaly_export(request: MemberRequest) -> HttpResponse:
    rows = visible_anomalies(request.actor).order_by("-day", "metric", "pk")[:1000]
    cells = [[row.day, row.metric, row.value, row.low, row.high, row.text] for row in rows]
    return tables_answer([Table("Unusual days", COLUMNS, cells)], request.GET.get("as", "csv"), "unusual-days")


@require_POST
@member_view(Perm.VIEW)
def anomaly_seen(request: MemberRequest, anomaly_id: UUID) -> HttpResponse:
    mark_seen(get_anomaly(request.actor, anomaly_id), by=request.actor)
    return redirect("analytics:anomalies")
