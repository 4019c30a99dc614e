"""Reports: ask for one, read it, take it along as PDF, and have it come by itself."""

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.core.paginator import Paginator
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_GET, require_POST

from accounts.access import Perm
from accounts.web import MemberRequest, add_errors, member_view
from analytics.forms_reports import ReportForm, ScheduleForm
from analytics.models import Report
from analytics.reporting import services
from analytics.reporting.access import get_report, get_schedule, visible_reports, visible_schedules
from analytics.reporting.pdf import as_pdf
from analytics.reporting.workflow import facts_of

PAGE_SIZE = 20


@member_view(Perm.VIEW)
def report_list(request: MemberRequest) -> HttpResponse:
    # A page of results asks for a report of the days that it shows.
    wished = {name: request.GET[name] for name in ("start", "end", "campaign") if name in request.GET}
    form, status = ReportForm(request.POST or None, actor=request.actor, initial=wished or None), 200
    if request.method == "POST":
        if form.is_valid():
            try:
                report = services.request_report(by=request.actor, **form.cleaned_data)
                return redirect("analytics:report", report.pk)
            except ValidationError as error:
                add_errors(form, error)
        status = 400
    page = Paginator(visible_reports(request.actor), PAGE_SIZE).get_page(request.GET.get("page"))
    context = {"form": form, "page": page, "schedules": visible_schedules(request.actor), "is_wished": bool(wished)}
    return render(request, "analytics/report_list.html", context, status=status)


@member_view(Perm.VIEW)
@require_GET
def report_detail(request: MemberRequest, report_id: UUID) -> HttpResponse:
    report = get_report(request.actor, report_id)
    name = "analytics/report_body.html" if request.htmx else "analytics/report.html"
    response = render(request, name, {"report": report, "points": _points(report), "making": Report.Status.MAKING})
    if request.htmx and report.status != Report.Status.MAKING:
        # What can be done with it now stands outside of what is asked for again.
        response.headers["HX-Refresh"] = "true"
    return response


def _points(report: Report) -> list[dict[str, Any]]:
    """Each sentence with the numbers it names."""
    known = {fact.id: fact for fact in facts_of(report.data)} if report.insight else {}
    return [
        {"text": point["text"], "cites": [known[name] for name in point["cites"] if name in known]}
        for point in report.insight
    ]


@member_view(Perm.VIEW)
@require_GET
def report_pdf(request: MemberRequest, report_id: UUID) -> HttpResponse:
    report = get_report(request.actor, report_id)
    if report.status == Report.Status.MAKING:
        messages.info(request, "The report is still being made.")
        return redirect("analytics:report", report.pk)
    response = HttpResponse(as_pdf(report), content_type="application/pdf")
    response["Content-Disposition"] = f'inline; filename="report-{report.starts_on}-{report.ends_on}.pdf"'
    return response


@member_view(Perm.CONTENT_EDIT)
@require_POST
def report_delete(request: MemberRequest, report_id: UUID) -> HttpResponse:
    services.delete_report(get_report(request.actor, report_id), by=request.actor)
    messages.success(request, "The report is deleted.")
    return redirect("analytics:reports")


@member_view(Perm.CONTENT_EDIT)
def schedule_new(request: MemberRequest) -> HttpResponse:
    form, status = ScheduleForm(request.POST or None, actor=request.actor), 200
    if request.method == "POST":
        if form.is_valid():
            try:
                schedule = services.create_schedule(by=request.actor, **form.cleaned_data)
                messages.success(request, f"“{schedule}” comes from now on by itself.")
                return redirect("analytics:reports")
            except ValidationError as error:
                add_errors(form, error)
        status = 400
    return render(request, "analytics/report_schedule.html", {"form": form}, status=status)


@member_view(Perm.CONTENT_EDIT)
def schedule_edit(request: MemberRequest, schedule_id: UUID) -> HttpResponse:
    schedule, status = get_schedule(request.actor, schedule_id), 200
    form = ScheduleForm(request.POST or None, actor=request.actor, schedule=schedule)
    if request.method == "POST":
        if form.is_valid():
            try:
                services.change_schedule(schedule, by=request.actor, **form.cleaned_data)
                messages.success(request, "Saved.")
                return redirect("analytics:reports")
            except ValidationError as error:
                add_errors(form, error)
        status = 400
    return render(request, "analytics/report_schedule.html", {"form": form, "schedule": schedule}, status=status)


@member_view(Perm.CONTENT_EDIT)
@require_POST
def schedule_act(request: MemberRequest, schedule_id: UUID, act: str) -> HttpResponse:
    schedule = get_schedule(request.actor, schedule_id)
    if act not in ("pause", "resume", "delete"):
        raise Http404
    if act == "delete":
        services.delete_schedule(schedule, by=request.actor)
        messages.success(request, f"“{schedule}” no longer comes. The reports it made stay.")
    else:
        services.switch_schedule(schedule, act == "resume", by=request.actor)
    return redirect("analytics:reports")
