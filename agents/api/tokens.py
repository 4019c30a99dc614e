"""/v1/auth/: an integrator changes its app key for a short token."""

from typing import Any

from drf_spectacular.utils import OpenApiExample, OpenApiParameter, extend_schema
from rest_framework import exceptions, serializers
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.answers import valid
from accounts.api_auth import ServiceAuthentication
from accounts.models import ServiceClient
from accounts.rest import ApiView
from accounts.service_clients import TOKEN_LIFE, TokenRefused, find_client, issue_token, read_token
from accounts.throttling import AuthThrottle

APP_KEY = OpenApiParameter("X-App-Key", str, OpenApiParameter.HEADER, required=True, description="app_…")


class ServiceToken(serializers.Serializer[Any]):
    access_token = serializers.CharField()
    token_type = serializers.CharField()
    expires_in = serializers.IntegerField(help_text="Seconds.")


class TokenInput(serializers.Serializer[Any]):
    token = serializers.CharField(max_length=4_000)


class TokenFacts(serializers.Serializer[Any]):
    valid = serializers.BooleanField()
    client = serializers.CharField(required=False)
    expires_at = serializers.IntegerField(required=False, help_text="Seconds since 1970.")


class ClientFacts(serializers.Serializer[Any]):
    client = serializers.CharField()
    tenants = serializers.IntegerField(help_text="How many it has synced.")


class OpenView(ApiView):
    """Asked before anybody is known, and throttled by address."""

    authentication_classes: list[Any] = []
    permission_classes = [AllowAny]
    throttle_classes = [AuthThrottle]

    def get_authenticate_header(self, request: Request) -> str:
        # Without a challenge DRF would turn 401 into 403.
        return "Bearer"


class TokenView(OpenView):
    @extend_schema(
        operation_id="service_token",
        tags=["service"],
        summary="A token for an app key",
        parameters=[APP_KEY],
        request=None,
        responses={200: ServiceToken},
        examples=[
            OpenApiExample(
                "token",
                {"access_token": "eyJhbGciOi…", "token_type": "Bearer", "expires_in": 900},
                response_only=True,
            )
        ],
    )
    def post(self, request: Request) -> Response:
        client = find_client(request.headers.get("X-App-Key", ""))
        if client is None:
            raise exceptions.AuthenticationFailed("X-App-Key is missing, unknown or no longer active.")
        return Response(
            {
                "access_token": issue_token(client),
                "token_type": "Bearer",
                "expires_in": int(TOKEN_LIFE.total_seconds()),
            }
        )


class VerifyView(OpenView):
    @extend_schema(
        operation_id="service_token_verify",
        tags=["service"],
        summary="Whether a token is good, and for how long",
        request=TokenInput,
        responses={200: TokenFacts},
    )
    def post(self, request: Request) -> Response:
        token = valid(TokenInput(data=request.data))["token"]
        try:
            client, claims = read_token(token)
        except TokenRefused:
            return Response({"valid": False})
        return Response({"valid": True, "client": client.name, "expires_at": claims["exp"]})


class ServiceView(ApiView):
    """A view for integrators, outside of any tenant."""

    authentication_classes = [ServiceAuthentication]

    def client(self, request: Request) -> ServiceClient:
        assert isinstance(request.auth, ServiceClient)
        return request.auth


class TestView(ServiceView):
    @extend_schema(
        operation_id="service_test",
        tags=["service"],
        summary="Who is calling",
        responses={200: ClientFacts},
    )
    def get(self, request: Request) -> Response:
        client = self.client(request)
        return Response({"client": client.name, "tenants": client.tenants.count()})
