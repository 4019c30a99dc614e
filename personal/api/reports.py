"""/api/users/{id}/reports: those that you asked for, or that your tasks did."""

from uuid import UUID

from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.answers import page_of, valid
from analytics.api.reports import ReportInput, ReportRow, report_data
from analytics.reporting.access import visible_reports
from analytics.reporting.services import request_report
from campaigns.api.posts import find_campaign
from personal.api.own import USER_ID, OwnListView


class OwnReportsView(OwnListView):
    @extend_schema(
        operation_id="own_reports",
        tags=["personal"],
        summary="Your reports, newest first",
        parameters=[USER_ID],
        responses=ReportRow(many=True),
    )
    def get(self, request: Request, user_id: UUID) -> Response:
        return page_of(self, visible_reports(self.actor).filter(created_by=self.actor.user), report_data)

    @extend_schema(
        operation_id="own_report_create",
        tags=["personal"],
        summary="Ask for a report; a worker makes it",
        parameters=[USER_ID],
        request=ReportInput,
        responses={201: ReportRow},
    )
    def post(self, request: Request, user_id: UUID) -> Response:
        asked = valid(ReportInput(data=request.data))
        campaign = find_campaign(self, asked.pop("campaign"))
        return Response(report_data(request_report(by=self.actor, campaign=campaign, **asked)), status=201)
