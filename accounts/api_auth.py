"""Who calls the API: a workspace's API key, a user's JWT, or the browser session."""

from typing import Any, cast

from django.core.exceptions import PermissionDenied
from django.db.models import Q
from drf_spectacular.extensions import OpenApiAuthenticationExtension
from rest_framework.authentication import BaseAuthentication
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.permissions import SAFE_METHODS
from rest_framework.request import Request
from rest_framework_simplejwt.authentication import JWTAuthentication as SimpleJWTAuthentication

from accounts.access import ROLE_PERMS, SCOPES, Actor, Perm
from accounts.middleware import find_actor
from accounts.models import ApiKey, Membership, ServiceClient, User
from accounts.scope import resolver_scope, workspace_scope
from accounts.service_clients import TokenRefused, find_tenant, is_service_token, read_token, service_actor
from accounts.services import hash_key, usable_key
from lib.clock import now

WRITE_SCOPE = "write"


class ServiceAuthentication(BaseAuthentication):
    """Bearer <token of an integrator>; its tenant stands in X-Tenant-Id. Only routes that name this class open."""

    def authenticate(self, request: Request) -> tuple[User, ServiceClient] | None:
        scheme, _, raw = request.headers.get("Authorization", "").partition(" ")
        if scheme.lower() != "bearer" or not is_service_token(raw):
            return None
        try:
            client, _claims = read_token(raw)
        except TokenRefused as error:
            raise AuthenticationFailed("This service token is wrong or has expired.") from error
        return cast(User, client.owner), client

    def authenticate_header(self, request: Request) -> str:
        return "Bearer"


class JWTAuthentication(SimpleJWTAuthentication):
    """Bearer <JWT>. A bearer that is an API key is left to the other class."""

    def get_raw_token(self, header: bytes) -> bytes | None:
        raw = super().get_raw_token(header)
        return None if raw and raw.startswith(b"rk_") else raw


class ApiKeyAuthentication(BaseAuthentication):
    """Bearer rk_…, read through the one keyed look-up of the resolver table."""

    def authenticate(self, request: Request) -> tuple[User, ApiKey] | None:
        scheme, _, secret = request.headers.get("Authorization", "").partition(" ")
        if scheme.lower() != "bearer" or not secret.startswith("rk_"):
            return None
        with resolver_scope(hash_key(secret)):
            key = ApiKey.objects.select_related("workspace", "created_by").filter(usable_key(secret)).first()
        if key is None or key.created_by is None or not key.created_by.is_active:
            raise AuthenticationFailed("This API key is unknown, expired or revoked.")
        self._remember_use(key)
        return key.created_by, key

    def authenticate_header(self, request: Request) -> str:
        return "Bearer"

    def _remember_use(self, key: ApiKey) -> None:
        """At most once a minute: a write per request would make every read a write."""
        with workspace_scope(key.workspace_id):
            stale = Q(last_used_at=None) | Q(last_used_at__lt=now().replace(second=0, microsecond=0))
            ApiKey.objects.filter(stale, pk=key.pk).update(last_used_at=now())


def api_actor(request: Request) -> Actor | None:
    """The caller in one workspace: a key's own, the header's, the session's or the person's last one."""
    if isinstance(request.auth, ServiceClient):
        tenant = find_tenant(request.auth, str(request.headers.get("X-Tenant-Id", "")))
        return service_actor(tenant) if tenant and tenant.is_active else None
    slug = str(request.headers.get("X-Workspace") or getattr(request._request, "workspace_slug", ""))
    if isinstance(request.auth, ApiKey):
        return key_actor(request.auth) if slug in {"", request.auth.workspace.slug} else None
    return find_actor(cast(User, request.user), slug)


def key_actor(key: ApiKey) -> Actor | None:
    member = Membership.objects.filter(user=key.created_by_id, workspace=key.workspace_id).first()
    if member is None:
        return None
    granted: frozenset[Perm] = frozenset().union(*(SCOPES[scope] for scope in key.scopes))
    return Actor(
        workspace=key.workspace,
        perms=granted & ROLE_PERMS[member.role],
        label=f"API key {key.prefix}…",
        role=member.role,
        user=key.created_by,
        api_key_id=key.pk,
    )


def require_own_write(request: Request) -> None:
    """What is a person's own needs no right but VIEW, which every key has: a key that only reads changes none of it."""
    is_write = request.method not in SAFE_METHODS
    if is_write and isinstance(request.auth, ApiKey) and WRITE_SCOPE not in request.auth.scopes:
        raise PermissionDenied("This key may only read what is its person's own. Make one that may write.")


class ApiKeyScheme(OpenApiAuthenticationExtension):
    target_class = "accounts.api_auth.ApiKeyAuthentication"
    name = "apiKey"

    def get_security_definition(self, auto_schema: Any) -> dict[str, Any]:
        return {"type": "http", "scheme": "bearer", "description": "An API key of a workspace: rk_…"}


class ServiceScheme(OpenApiAuthenticationExtension):
    target_class = "accounts.api_auth.ServiceAuthentication"
    name = "service"

    def get_security_definition(self, auto_schema: Any) -> dict[str, Any]:
        return {
            "type": "http",
            "scheme": "bearer",
            "bearerFormat": "JWT",
            "description": "An integrator's token from /v1/auth/token; the tenant stands in X-Tenant-Id.",
        }


class JWTScheme(OpenApiAuthenticationExtension):
    target_class = "accounts.api_auth.JWTAuthentication"
    name = "jwt"

    def get_security_definition(self, auto_schema: Any) -> dict[str, Any]:
        return {"type": "http", "scheme": "bearer", "bearerFormat": "JWT", "description": "A user's token."}
