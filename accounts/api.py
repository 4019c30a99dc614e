"""/api/workspaces and /api/keys."""

from uuid import UUID

from django.http import Http404
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.access import Perm
from accounts.answers import ListView, valid
from accounts.auth_api import memberships_of
from accounts.models import ApiKey
from accounts.paging import CursorPages
from accounts.rest import ApiView, WorkspaceView, paged
from accounts.serializers import ApiKeySerializer, NewApiKeySerializer, WorkspaceSerializer
from accounts.services import create_api_key, revoke_api_key


class WorkspaceListView(ApiView):
    pagination_class = CursorPages

    @extend_schema(
        operation_id="workspaces",
        tags=["workspaces"],
        summary="The caller's workspaces",
        responses=WorkspaceSerializer(many=True),
    )
    def get(self, request: Request) -> Response:
        return paged(self, memberships_of(request), WorkspaceSerializer)


class ApiKeyListView(ListView):
    secret_fields = frozenset({"key"})

    @extend_schema(operation_id="keys", tags=["keys"], summary="API keys", responses=ApiKeySerializer(many=True))
    def get(self, request: Request) -> Response:
        self.actor.require(Perm.API_KEYS)
        return paged(self, ApiKey.objects.filter(workspace=self.actor.workspace), ApiKeySerializer)

    @extend_schema(
        operation_id="key_create",
        tags=["keys"],
        summary="A new API key",
        request=ApiKeySerializer,
        responses={201: NewApiKeySerializer},
    )
    def post(self, request: Request) -> Response:
        self.actor.require(Perm.API_KEYS)
        data = valid(ApiKeySerializer(data=request.data))
        key, secret = create_api_key(data["name"], data["scopes"], by=self.actor, expires_at=data.get("expires_at"))
        return Response({**ApiKeySerializer(key).data, "key": secret}, status=201)


class ApiKeyView(WorkspaceView):
    @extend_schema(operation_id="key", tags=["keys"], summary="One API key", responses=ApiKeySerializer)
    def get(self, request: Request, key_id: UUID) -> Response:
        return Response(ApiKeySerializer(self._key(key_id)).data)

    @extend_schema(operation_id="key_revoke", tags=["keys"], summary="Revoke an API key", responses={204: None})
    def delete(self, request: Request, key_id: UUID) -> Response:
        revoke_api_key(self._key(key_id).pk, by=self.actor)
        return Response(status=204)

    def _key(self, key_id: UUID) -> ApiKey:
        self.actor.require(Perm.API_KEYS)
        key = ApiKey.objects.filter(workspace=self.actor.workspace, pk=key_id).first()
        if key is None:
            raise Http404
        return key
