"""/api/logs: what happened to deliveries, line by line and counted by hour or day."""

from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.paging import CursorPages
from accounts.rest import WorkspaceView
from accounts.services import LAST_MOMENT
from campaigns.api.answers import Data, ListView, page_of, valid
from campaigns.log_queries import count_by, log_lines
from campaigns.models import PublishingLog
from campaigns.publishing_log import STATUSES
from lib.clock import now

FIRST_MOMENT = datetime(2000, 1, 1, tzinfo=UTC)
# What is asked for without dates, and the most that one answer holds.
USUAL = {"hour": timedelta(days=1), "day": timedelta(days=30)}
LONGEST = {"hour": timedelta(days=31), "day": timedelta(days=750)}


class Moment(serializers.DateTimeField):
    def to_internal_value(self, value: Any) -> datetime:
        moment = super().to_internal_value(value)
        if not FIRST_MOMENT <= moment < LAST_MOMENT:
            raise serializers.ValidationError("Choose a moment in this century.")
        return moment


class LogFilter(serializers.Serializer[Any]):
    action = serializers.CharField(max_length=30, required=False, help_text="created, published, failed, retry…")
    status = serializers.ChoiceField(STATUSES, required=False)
    delivery = serializers.UUIDField(required=False)
    post = serializers.UUIDField(required=False)
    project = serializers.UUIDField(required=False)
    connection = serializers.UUIDField(required=False)
    campaign = serializers.UUIDField(required=False)
    since = Moment(required=False)
    until = Moment(required=False, help_text="Not included.")


class LogAnswer(serializers.Serializer[Any]):
    id = serializers.UUIDField()
    at = serializers.DateTimeField()
    action = serializers.CharField()
    status = serializers.ChoiceField(STATUSES)
    message = serializers.CharField()
    delivery = serializers.UUIDField(allow_null=True, help_text="It, its post and the rest may be gone by now.")
    post = serializers.UUIDField(allow_null=True)
    project = serializers.UUIDField(allow_null=True)
    connection = serializers.UUIDField(allow_null=True)
    campaign = serializers.UUIDField(allow_null=True)
    details = serializers.DictField()


class RollupFilter(serializers.Serializer[Any]):
    project = serializers.UUIDField(required=False, help_text="All together without one.")
    to = Moment(required=False, help_text="Not included; now without one.")
    by = serializers.ChoiceField(["hour", "day"], default="hour", help_text="In UTC.")

    def get_fields(self) -> dict[str, Any]:
        # A word of the language cannot be an attribute.
        return {**super().get_fields(), "from": Moment(required=False, help_text="A day or a month before `to`.")}

    def validate(self, data: Data) -> Data:
        until = data.pop("to", None) or now()
        since = data.pop("from", None) or until - USUAL[data["by"]]
        if since >= until:
            raise serializers.ValidationError({"from": "This must be before `to`."})
        if until - since > LONGEST[data["by"]]:
            raise serializers.ValidationError({"from": f"Ask for at most {LONGEST[data['by']].days} days at once."})
        return data | {"since": since, "until": until}


class BucketAnswer(serializers.Serializer[Any]):
    start = serializers.DateTimeField()
    created = serializers.IntegerField()
    completed = serializers.IntegerField()
    failed = serializers.IntegerField()


class RollupAnswer(serializers.Serializer[Any]):
    by = serializers.CharField()
    to = serializers.DateTimeField()
    results = BucketAnswer(many=True)

    def get_fields(self) -> dict[str, Any]:
        return {**super().get_fields(), "from": serializers.DateTimeField()}


class LogPages(CursorPages):
    # The order of the index: the ids of all workspaces lie mixed.
    ordering = ("-at", "-id")  # type: ignore[assignment]  # DRF takes several as well


def line_data(line: PublishingLog) -> Data:
    return {
        "id": line.pk,
        "at": line.at,
        "action": line.action,
        "status": line.status,
        "message": line.message,
        "delivery": line.delivery_id,
        "post": line.post_id,
        "project": line.source_id,
        "connection": line.connection_id,
        "campaign": line.campaign_id,
        "details": line.details,
    }


class LogListView(ListView):
    pagination_class = LogPages

    @extend_schema(
        operation_id="logs",
        tags=["logs"],
        summary="The publishing log, newest first",
        parameters=[LogFilter],
        responses=LogAnswer(many=True),
    )
    def get(self, request: Request) -> Response:
        lines = log_lines(self.actor, **valid(LogFilter(data=request.query_params)))
        return page_of(self, lines, line_data)


class RollupView(WorkspaceView):
    @extend_schema(
        operation_id="logs_rollup",
        tags=["logs"],
        summary="How many deliveries were created, completed and failed, by hour or day",
        description="Hours or days in which nothing happened are left out.",
        parameters=[RollupFilter],
        responses=RollupAnswer,
    )
    def get(self, request: Request) -> Response:
        wanted = valid(RollupFilter(data=request.query_params))
        results = [asdict(bucket) for bucket in count_by(self.actor, **wanted)]
        return Response({"by": wanted["by"], "from": wanted["since"], "to": wanted["until"], "results": results})
