"""/api/plan: what the workspace's plan allows, and how much of it is used."""

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.access import Perm
from accounts.plan_queries import meters_of
from accounts.plans import PLANS, plan_of
from accounts.rest import WorkspaceView


class PlanMeter(serializers.Serializer[Any]):
    name = serializers.CharField()
    label = serializers.CharField()  # type: ignore[assignment]  # taken out of the class
    used = serializers.IntegerField(allow_null=True, help_text="null where each person has their own.")
    limit = serializers.IntegerField(allow_null=True, help_text="null for no limit.")
    is_monthly = serializers.BooleanField(help_text="Counted from zero each UTC month.")


class WorkspacePlanAnswer(serializers.Serializer[Any]):
    name = serializers.ChoiceField(choices=list(PLANS))
    label = serializers.CharField()  # type: ignore[assignment]
    until = serializers.DateTimeField(allow_null=True, help_text="When it ends by itself.")
    min_every_s = serializers.IntegerField(help_text="The shortest time between two turns of a periodic task.")
    ai_micro = serializers.IntegerField(
        allow_null=True, help_text="What calls to models may cost in a UTC month, in micro-dollars; null for no cap."
    )
    meters = PlanMeter(many=True)


class PlanView(WorkspaceView):
    @extend_schema(
        operation_id="workspace_plan",
        tags=["workspaces"],
        summary="The workspace's plan, its limits and what is used",
        description="What has no room left is refused with 403 and the code `plan_limit`.",
        responses=WorkspacePlanAnswer,
    )
    def get(self, request: Request) -> Response:
        self.actor.require(Perm.VIEW)
        plan = plan_of(self.actor.workspace)
        told = {
            "name": plan.name,
            "label": plan.label,
            "until": self.actor.workspace.plan_until if self.actor.workspace.plan == plan.name else None,
            "min_every_s": plan.min_every_s,
            "ai_micro": plan.ai_micro,
            "meters": meters_of(self.actor),
        }
        return Response(WorkspacePlanAnswer(told).data)
