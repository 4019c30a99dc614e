"""/api/usage: what paid networks cost in a month."""

from datetime import date
from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.access import Perm
from accounts.rest import WorkspaceView
from accounts.usage_queries import GROUPS, Cost, costs_by, entries_of, month_summary
from campaigns.api.answers import Data, valid
from campaigns.usage_names import label_costs
from lib.clock import now


class UsageFilter(serializers.Serializer[Any]):
    month = serializers.RegexField(
        r"^20\d\d-(0[1-9]|1[0-2])$", required=False, help_text="Of UTC, as 2026-11; this one without it."
    )
    by = serializers.ChoiceField(sorted(GROUPS), default="day")


class CostAnswer(serializers.Serializer[Any]):
    of = serializers.CharField(allow_null=True, help_text="The day, the kind, or the id; null for none.")
    name = serializers.CharField()
    count = serializers.IntegerField()
    spent_micro = serializers.IntegerField(help_text="In micro-dollars, as all amounts.")
    reserved_micro = serializers.IntegerField(help_text="Held back for calls that are on their way.")


class UsageAnswer(serializers.Serializer[Any]):
    month = serializers.CharField()
    by = serializers.CharField()
    cap_micro = serializers.IntegerField(allow_null=True)
    spent_micro = serializers.IntegerField()
    reserved_micro = serializers.IntegerField()
    forecast_micro = serializers.IntegerField(allow_null=True, help_text="By the end of the month, at this pace.")
    results = CostAnswer(many=True)


class UsageView(WorkspaceView):
    @extend_schema(
        operation_id="usage",
        tags=["usage"],
        summary="What paid networks cost in a month, by day, kind, campaign or connection",
        parameters=[UsageFilter],
        responses=UsageAnswer,
    )
    def get(self, request: Request) -> Response:
        self.actor.require(Perm.VIEW)
        wanted = valid(UsageFilter(data=request.query_params))
        month = date.fromisoformat(f"{wanted['month']}-01") if "month" in wanted else now().date().replace(day=1)
        workspace = self.actor.workspace
        costs = costs_by(entries_of(workspace, month), wanted["by"])
        names = label_costs(workspace, wanted["by"], [cost.of for cost in costs])
        summary = month_summary(workspace, month)
        return Response(
            {
                "month": f"{month:%Y-%m}",
                "by": wanted["by"],
                "cap_micro": summary.cap_micro,
                "spent_micro": summary.spent_micro,
                "reserved_micro": summary.reserved_micro,
                "forecast_micro": summary.forecast_micro,
                "results": [_data(cost, name) for cost, name in zip(costs, names, strict=True)],
            }
        )


def _data(cost: Cost, name: str) -> Data:
    return {
        "of": None if cost.of is None else str(cost.of),
        "name": name,
        "count": cost.count,
        "spent_micro": cost.spent_micro,
        "reserved_micro": cost.reserved_micro,
    }
