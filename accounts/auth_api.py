"""/api/auth/: who is calling."""

from typing import Any, cast

from django.db.models import QuerySet
from drf_spectacular.utils import extend_schema
from rest_framework import exceptions
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.answers import valid
from accounts.login import TOO_MANY, LoginRefused, check_login, register
from accounts.models import ApiKey, Membership, User
from accounts.rest import ApiView
from accounts.serializers import (
    LoginAnswerSerializer,
    LoginSerializer,
    MeSerializer,
    RefreshSerializer,
    RegisterAnswerSerializer,
    RegisterSerializer,
    TokensSerializer,
    UserSerializer,
)
from accounts.throttling import AuthThrottle
from accounts.tokens import RefreshRefused, issue_tokens, refresh_tokens

NO_TOKENS = {"access": None, "refresh": None, "expires_in": None, "user": None}
RETRY_AFTER_S = 300


class AuthView(ApiView):
    """Open to everybody, and throttled by address."""

    # A stale token or cookie must not stand in the way of a new log-in.
    authentication_classes: list[Any] = []
    permission_classes = [AllowAny]
    throttle_classes = [AuthThrottle]

    def get_authenticate_header(self, request: Request) -> str:
        # Without a challenge DRF would turn 401 into 403.
        return "Bearer"


class RegisterView(AuthView):
    @extend_schema(
        operation_id="register",
        tags=["auth"],
        summary="Sign up",
        request=RegisterSerializer,
        responses={201: RegisterAnswerSerializer},
    )
    def post(self, request: Request) -> Response:
        user = register(request._request, valid(RegisterSerializer(data=request.data)))
        return Response(_answer(user) if user else NO_TOKENS, status=201)


class LoginView(AuthView):
    @extend_schema(
        operation_id="login",
        tags=["auth"],
        summary="Log in",
        request=LoginSerializer,
        responses={200: LoginAnswerSerializer},
    )
    def post(self, request: Request) -> Response:
        data = valid(LoginSerializer(data=request.data))
        try:
            user = check_login(request._request, **data)
        except LoginRefused as refusal:
            if refusal.code == TOO_MANY[0]:
                raise exceptions.Throttled(wait=RETRY_AFTER_S, detail=refusal.message, code=refusal.code) from refusal
            raise exceptions.AuthenticationFailed(refusal.message, code=refusal.code) from refusal
        return Response(_answer(user))


class RefreshView(AuthView):
    @extend_schema(
        operation_id="refresh",
        tags=["auth"],
        summary="A new access token",
        request=RefreshSerializer,
        responses={200: TokensSerializer},
    )
    def post(self, request: Request) -> Response:
        data = valid(RefreshSerializer(data=request.data))
        try:
            return Response(refresh_tokens(data["refresh"]))
        except RefreshRefused as refusal:
            message = "This refresh token is wrong or expired."
            raise exceptions.AuthenticationFailed(message, "token_not_valid") from refusal


class MeView(ApiView):
    @extend_schema(operation_id="me", tags=["auth"], summary="The caller and their workspaces", responses=MeSerializer)
    def get(self, request: Request) -> Response:
        return Response(_me(request))

    @extend_schema(
        operation_id="me_update",
        tags=["auth"],
        summary="Change name or time zone",
        request=UserSerializer,
        responses=MeSerializer,
    )
    def patch(self, request: Request) -> Response:
        if isinstance(request.auth, ApiKey):
            raise exceptions.PermissionDenied("An API key cannot change the person who made it.")
        serializer = UserSerializer(_person(request), data=request.data, partial=True)
        serializer.is_valid(raise_exception=True)
        serializer.save()
        return Response(_me(request))


def memberships_of(request: Request) -> QuerySet[Membership]:
    """A person's workspaces; of an API key only its own."""
    mine = Membership.objects.select_related("workspace").filter(user=_person(request))
    return mine.filter(workspace_id=request.auth.workspace_id) if isinstance(request.auth, ApiKey) else mine


def _me(request: Request) -> dict[str, Any]:
    return MeSerializer(_person(request), context={"memberships": memberships_of(request)}).data


def _person(request: Request) -> User:
    """Nobody gets here without a log-in."""
    return cast(User, request.user)


def _answer(user: User) -> dict[str, Any]:
    return {**issue_tokens(user), "user": UserSerializer(user).data}
