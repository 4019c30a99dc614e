"""/api/workspace: the caller's workspace, its settings, and the button that stops everything."""

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.access import Perm
from accounts.answers import valid
from accounts.models import Workspace, check_time_zone
from accounts.rest import WorkspaceView
from accounts.services import update_workspace
from accounts.stops import MAX_REASON, release_workspace, stop_workspace

MAX_CAP_MICRO = 10**12


class WorkspaceDetail(serializers.ModelSerializer[Workspace]):
    time_zone = serializers.CharField(max_length=64, validators=[check_time_zone])
    late_minutes = serializers.IntegerField(
        min_value=1, max_value=7 * 24 * 60, help_text="A post that is later than this is late."
    )
    monthly_cap_micro = serializers.IntegerField(
        min_value=0,
        max_value=MAX_CAP_MICRO,
        allow_null=True,
        help_text="What paid networks may cost in a UTC month, in micro-dollars; null for no cap.",
    )

    class Meta:
        model = Workspace
        fields = [
            "id", "slug", "name", "time_zone", "four_eyes", "late_minutes", "late_policy", "monthly_cap_micro",
            "is_stopped", "stopped_text",
        ]  # fmt: skip
        read_only_fields = ["id", "slug", "is_stopped", "stopped_text"]


class StopInput(serializers.Serializer[Any]):
    reason = serializers.CharField(
        max_length=MAX_REASON, required=False, allow_blank=True, default="", help_text="Every member reads it."
    )


class WorkspaceDetailView(WorkspaceView):
    @extend_schema(
        operation_id="workspace",
        tags=["workspaces"],
        summary="One workspace and its settings",
        responses=WorkspaceDetail,
    )
    def get(self, request: Request) -> Response:
        self.actor.require(Perm.VIEW)
        return Response(WorkspaceDetail(self.actor.workspace).data)

    @extend_schema(
        operation_id="workspace_update",
        tags=["workspaces"],
        summary="Change settings",
        request=WorkspaceDetail(partial=True),
        responses=WorkspaceDetail,
    )
    def patch(self, request: Request) -> Response:
        self.actor.require(Perm.SETTINGS)
        data = valid(WorkspaceDetail(self.actor.workspace, data=request.data, partial=True))
        workspace = update_workspace(by=self.actor, **data)
        return Response(WorkspaceDetail(workspace).data)


class StopView(WorkspaceView):
    @extend_schema(
        operation_id="workspace_stop",
        tags=["workspaces"],
        summary="Stop everything: nothing goes out until it is released",
        description="A workspace that is stopped already keeps its reason.",
        request=StopInput,
        responses=WorkspaceDetail,
    )
    def post(self, request: Request) -> Response:
        self.actor.require(Perm.PUBLISH)
        stop_workspace(valid(StopInput(data=request.data))["reason"], by=self.actor)
        return Response(WorkspaceDetail(Workspace.objects.get(pk=self.actor.workspace.pk)).data)


class ReleaseView(WorkspaceView):
    @extend_schema(
        operation_id="workspace_release",
        tags=["workspaces"],
        summary="Let publishing go on",
        request=None,
        responses=WorkspaceDetail,
    )
    def post(self, request: Request) -> Response:
        release_workspace(by=self.actor)
        return Response(WorkspaceDetail(Workspace.objects.get(pk=self.actor.workspace.pk)).data)
