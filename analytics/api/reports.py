"""/api/reports: documents on demand, their numbers as JSON and as PDF."""

from typing import Any
from uuid import UUID

from django.http import Http404, HttpResponse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiExample, OpenApiResponse, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.answers import Data, ListView, page_of, valid
from accounts.rest import WorkspaceView
from analytics.models import Report
from analytics.reporting import services
from analytics.reporting.access import get_report, visible_reports
from analytics.reporting.pdf import as_pdf
from campaigns.api.posts import find_campaign

# The usual words repeat what was sent, which may hold characters that no answer can.
UNKNOWN: dict[str, Any] = {"invalid_choice": "This is none of the choices."}
MARCH = OpenApiExample("A month", {"start": "2026-03-01", "end": "2026-03-31", "language": "en"}, request_only=True)


class ReportInput(serializers.Serializer[Any]):
    start = serializers.DateField(help_text="First day, on the workspace's clock.")
    end = serializers.DateField(help_text="Last day, included.")
    campaign = serializers.UUIDField(required=False, allow_null=True, default=None)
    language = serializers.ChoiceField(
        choices=list(services.LANGUAGES.items()), required=False, default="en", error_messages=UNKNOWN
    )


class ReportRow(serializers.Serializer[Any]):
    id = serializers.UUIDField()
    title = serializers.CharField()
    status = serializers.CharField(help_text="making, ready, without_text, failed")
    start = serializers.DateField()
    end = serializers.DateField()
    time_zone = serializers.CharField()
    language = serializers.CharField()
    campaign = serializers.UUIDField(allow_null=True)
    schedule = serializers.UUIDField(allow_null=True)
    problem = serializers.CharField(allow_blank=True)
    created_at = serializers.DateTimeField()
    ready_at = serializers.DateTimeField(allow_null=True)


class InsightAnswer(serializers.Serializer[Any]):
    text = serializers.CharField()
    cites = serializers.ListField(child=serializers.CharField(), help_text="Ids of the facts it names.")


class WholeReport(ReportRow):
    insight = InsightAnswer(many=True)
    data = serializers.DictField(help_text="period, facts, series, best, worst, notes.")  # type: ignore[assignment]
    data_hash = serializers.CharField(allow_blank=True)


def report_data(report: Report) -> Data:
    return {
        "id": report.pk,
        "title": report.title,
        "status": report.status,
        "start": report.starts_on,
        "end": report.ends_on,
        "time_zone": report.time_zone,
        "language": report.language,
        "campaign": report.campaign_id,
        "schedule": report.schedule_id,
        "problem": report.problem_text,
        "created_at": report.created_at,
        "ready_at": report.ready_at,
    }


def _whole(report: Report, status: int = 200) -> Response:
    more = {"insight": report.insight, "data": report.data, "data_hash": report.data_hash}
    return Response(report_data(report) | more, status=status)


class ReportListView(ListView):
    @extend_schema(
        operation_id="reports", tags=["analytics"], summary="Reports, newest first", responses=ReportRow(many=True)
    )
    def get(self, request: Request) -> Response:
        return page_of(self, visible_reports(self.actor), report_data)

    @extend_schema(
        operation_id="report_create",
        tags=["analytics"],
        summary="Ask for a report; a worker makes it",
        request=ReportInput,
        responses={201: WholeReport},
        examples=[MARCH],
    )
    def post(self, request: Request) -> Response:
        asked = valid(ReportInput(data=request.data))
        campaign = find_campaign(self, asked.pop("campaign"))
        return _whole(services.request_report(by=self.actor, campaign=campaign, **asked), status=201)


class ReportView(WorkspaceView):
    @extend_schema(
        operation_id="report", tags=["analytics"], summary="A report with its numbers", responses=WholeReport
    )
    def get(self, request: Request, report_id: UUID) -> Response:
        return _whole(get_report(self.actor, report_id))

    @extend_schema(operation_id="report_delete", tags=["analytics"], summary="Delete a report", responses={204: None})
    def delete(self, request: Request, report_id: UUID) -> Response:
        services.delete_report(get_report(self.actor, report_id), by=self.actor)
        return Response(status=204)


class ReportPdfView(WorkspaceView):
    @extend_schema(
        operation_id="report_pdf",
        tags=["analytics"],
        summary="The document",
        responses={(200, "application/pdf"): OpenApiResponse(OpenApiTypes.BINARY, "The PDF.")},
    )
    def get(self, request: Request, report_id: UUID) -> HttpResponse:
        report = get_report(self.actor, report_id)
        if report.status == Report.Status.MAKING:
            raise Http404("The report is still being made.")
        return HttpResponse(as_pdf(report), content_type="application/pdf")
