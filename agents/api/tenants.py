"""/v1/tenants/: an integrator keeps workspaces in step with its own customers."""

from dataclasses import replace
from typing import Any

from django.http import Http404
from drf_spectacular.utils import OpenApiExample, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.access import Perm
from accounts.answers import valid
from accounts.models import ServiceTenant, check_time_zone
from accounts.scope import workspace_scope
from accounts.service_clients import (
    MAX_REVISION,
    SERVICE_PERMS,
    find_tenant,
    service_actor,
    set_tenant_active,
    sync_tenant,
)
from agents.api.tokens import ServiceView
from compliance.privacy.deletion import ask_deletion

NEVER = "/\\"


class SyncInput(serializers.Serializer[Any]):
    tenant_id = serializers.CharField(max_length=120, help_text="What the integrator calls this customer.")
    revision = serializers.IntegerField(
        min_value=0, max_value=MAX_REVISION, help_text="Grows with every change; an older one changes nothing."
    )
    name = serializers.CharField(max_length=80)
    time_zone = serializers.CharField(max_length=64, required=False, validators=[check_time_zone])
    metadata = serializers.DictField(child=serializers.CharField(max_length=500, allow_blank=True), required=False)

    def validate_tenant_id(self, value: str) -> str:
        if any(mark in value for mark in NEVER):
            raise serializers.ValidationError("It stands in addresses, so it cannot hold a slash.")
        return value


class TenantUpdate(serializers.Serializer[Any]):
    is_active = serializers.BooleanField()


class TenantAnswer(serializers.ModelSerializer[ServiceTenant]):
    tenant_id = serializers.CharField(source="external_id")
    workspace = serializers.SlugRelatedField[Any](slug_field="slug", read_only=True)
    name = serializers.CharField(source="workspace.name")
    time_zone = serializers.CharField(source="workspace.time_zone")
    status = serializers.SerializerMethodField()

    class Meta:
        model = ServiceTenant
        fields = ["tenant_id", "workspace", "name", "time_zone", "revision", "status", "synced_at"]

    def get_status(self, tenant: ServiceTenant) -> str:
        """active, inactive, suspended, deleting"""
        workspace = tenant.workspace
        if workspace.deletes_at:
            return "deleting"
        if workspace.is_suspended:
            return "suspended"
        return "active" if tenant.is_active else "inactive"


class SyncAnswer(TenantAnswer):
    applied = serializers.BooleanField(help_text="False where nothing had to change.")

    class Meta(TenantAnswer.Meta):
        fields = [*TenantAnswer.Meta.fields, "applied"]


class TenantStatus(serializers.Serializer[Any]):
    tenant_id = serializers.CharField()
    status = serializers.ChoiceField(choices=["active", "inactive", "suspended", "deleting"])
    revision = serializers.IntegerField()


class SyncView(ServiceView):
    problems = (409,)

    @extend_schema(
        operation_id="tenant_sync",
        tags=["service"],
        summary="Make or update a tenant",
        request=SyncInput,
        responses={200: SyncAnswer, 201: SyncAnswer},
        examples=[
            OpenApiExample("first", {"tenant_id": "shop-17", "revision": 1, "name": "Corner Shop"}, request_only=True)
        ],
    )
    def post(self, request: Request) -> Response:
        facts = dict(valid(SyncInput(data=request.data)))
        synced = sync_tenant(self.client(request), facts.pop("tenant_id"), facts.pop("revision"), facts)
        answer = TenantAnswer(synced.tenant).data | {"applied": synced.is_applied}
        return Response(answer, status=201 if synced.is_new else 200)

    @extend_schema(
        operation_id="tenant_sync_put",
        tags=["service"],
        summary="Make or update a tenant",
        request=SyncInput,
        responses={200: SyncAnswer, 201: SyncAnswer},
    )
    def put(self, request: Request) -> Response:
        return self.post(request)


class OneTenantView(ServiceView):
    def tenant(self, request: Request, tenant_id: str) -> ServiceTenant:
        tenant = find_tenant(self.client(request), tenant_id)
        if tenant is None:
            raise Http404
        return tenant


class TenantDetailView(OneTenantView):
    @extend_schema(operation_id="tenant", tags=["service"], summary="One tenant", responses={200: TenantAnswer})
    def get(self, request: Request, tenant_id: str) -> Response:
        return Response(TenantAnswer(self.tenant(request, tenant_id)).data)

    @extend_schema(
        operation_id="tenant_update",
        tags=["service"],
        summary="Switch a tenant on or off",
        request=TenantUpdate,
        responses={200: TenantAnswer},
    )
    def patch(self, request: Request, tenant_id: str) -> Response:
        is_active = valid(TenantUpdate(data=request.data))["is_active"]
        tenant = self.tenant(request, tenant_id)
        set_tenant_active(tenant, is_active)
        return Response(TenantAnswer(tenant).data)

    @extend_schema(
        operation_id="tenant_delete",
        tags=["service"],
        summary="Stop a tenant now and delete it after the grace period",
        responses={202: TenantAnswer},
    )
    def delete(self, request: Request, tenant_id: str) -> Response:
        tenant = self.tenant(request, tenant_id)
        actor = replace(service_actor(tenant), perms=SERVICE_PERMS | {Perm.DELETE})
        with workspace_scope(tenant.workspace_id):
            ask_deletion(tenant.workspace.name, by=actor)
        return Response(TenantAnswer(tenant).data, status=202)


class TenantStatusView(OneTenantView):
    @extend_schema(
        operation_id="tenant_status", tags=["service"], summary="A tenant's status", responses={200: TenantStatus}
    )
    def get(self, request: Request, tenant_id: str) -> Response:
        facts = TenantAnswer(self.tenant(request, tenant_id)).data
        return Response({name: facts[name] for name in ("tenant_id", "status", "revision")})
