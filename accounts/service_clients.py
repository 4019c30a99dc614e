"""Integrators: programs with an app key, the short tokens they get for it, and the workspaces they sync."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID

import jwt
from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import Q

from accounts import audit
from accounts.access import Actor, Perm
from accounts.models import ServiceClient, ServiceTenant, User, Workspace, new_secret
from accounts.scope import workspace_scope
from accounts.services import create_workspace, hash_key
from lib.clock import now
from lib.ids import uuid7

PREFIX = "app"
# Each door has an audience of its own: a person's token opens none of these, and the other way round.
AUDIENCE = "service"
TOKEN_LIFE = timedelta(minutes=15)
# Never REVIEW: what a program sends, people approve.
SERVICE_PERMS = frozenset({Perm.VIEW, Perm.CONTENT_EDIT, Perm.PUBLISH})
MAX_REVISION = 2**62


class TokenRefused(Exception):
    """The token is wrong, expired, or its client is no longer active."""


class RevisionConflict(Exception):
    """The same revision was synced before with other data."""


@dataclass(frozen=True)
class Synced:
    tenant: ServiceTenant
    is_new: bool
    is_applied: bool


# --- clients and their keys -----------------------------------------------------------------------------------


def create_client(name: str, owner: User) -> tuple[ServiceClient, str]:
    """The client and its app key, which is shown once."""
    name = name.strip()
    if not name:
        raise ValidationError({"name": "Give the client a name."})
    secret = new_secret(PREFIX)
    client = ServiceClient.objects.create(name=name[:80], owner=owner, prefix=secret[:12], key_hash=hash_key(secret))
    return client, secret


def rotate_key(client: ServiceClient) -> str:
    """A new app key. The old one, and the tokens it was changed for, end now."""
    secret = new_secret(PREFIX)
    client.prefix, client.key_hash = secret[:12], hash_key(secret)
    client.save(update_fields=["prefix", "key_hash"])
    return secret


def find_client(secret: str) -> ServiceClient | None:
    active = ServiceClient.objects.select_related("owner").filter(is_active=True, owner__is_active=True)
    return active.filter(key_hash=hash_key(secret)).first() if secret.startswith(f"{PREFIX}_") else None


# --- tokens -----------------------------------------------------------------------------------------------------


def issue_token(client: ServiceClient) -> str:
    at = now()
    minute_ago = at - timedelta(minutes=1)
    ServiceClient.objects.filter(Q(last_used_at=None) | Q(last_used_at__lt=minute_ago), pk=client.pk).update(
        last_used_at=at
    )
    claims = {
        "iss": settings.SIMPLE_JWT["ISSUER"],
        "aud": AUDIENCE,
        "sub": str(client.pk),
        "key": _key_mark(client),
        "iat": at,
        "exp": at + TOKEN_LIFE,
        "jti": str(uuid7()),
    }
    return jwt.encode(claims, settings.SECRET_KEY, algorithm="HS256")


def is_service_token(raw: str) -> bool:
    """Which door a token asks for. Nothing is proven by it."""
    try:
        claims = jwt.decode(raw, options={"verify_signature": False})
    except jwt.InvalidTokenError:
        return False
    return claims.get("aud") == AUDIENCE


def read_token(raw: str) -> tuple[ServiceClient, dict[str, Any]]:
    try:
        claims: dict[str, Any] = jwt.decode(
            raw,
            settings.SECRET_KEY,
            algorithms=["HS256"],
            audience=AUDIENCE,
            issuer=str(settings.SIMPLE_JWT["ISSUER"]),
            options={"require": ["exp", "sub", "aud", "iss"]},
        )
        client_id = UUID(claims["sub"])
    except (jwt.InvalidTokenError, ValueError) as error:
        raise TokenRefused from error
    active = ServiceClient.objects.select_related("owner").filter(is_active=True, owner__is_active=True)
    client = active.filter(pk=client_id).first()
    if client is None or claims.get("key") != _key_mark(client):
        raise TokenRefused
    return client, claims


def _key_mark(client: ServiceClient) -> str:
    """Ties a token to the key it was given for, so that a rotation ends it."""
    return hash_key(f"token {client.key_hash}")[:16]


# --- tenants ----------------------------------------------------------------------------------------------------


def find_tenant(client: ServiceClient, external_id: str) -> ServiceTenant | None:
    tenants = ServiceTenant.objects.select_related("workspace", "client")
    return tenants.filter(client=client, external_id=external_id).first()


def service_actor(tenant: ServiceTenant) -> Actor:
    return Actor(workspace=tenant.workspace, perms=SERVICE_PERMS, label=f"Service {tenant.client.name}"[:120])


def sync_tenant(client: ServiceClient, external_id: str, revision: int, data: dict[str, Any]) -> Synced:
    """Make or update a tenant's workspace. An older revision changes nothing; the same one twice neither.

    `data`: {"name", "time_zone"?, …}; all of it is kept, the two named ones are applied. Raises RevisionConflict.
    """
    with transaction.atomic():
        # One sync of a client at a time: two first ones of the same tenant would make two workspaces.
        ServiceClient.objects.select_for_update(no_key=True).get(pk=client.pk)
        tenant = find_tenant(client, external_id)
        if tenant is None:
            return Synced(_make_tenant(client, external_id, revision, data), is_new=True, is_applied=True)
        if revision < tenant.revision or (revision == tenant.revision and data == tenant.data):
            return Synced(tenant, is_new=False, is_applied=False)
        if revision == tenant.revision:
            raise RevisionConflict(f"Revision {revision} was synced before with other data. Raise the revision.")
        _apply(tenant, data)
        tenant.revision, tenant.data, tenant.synced_at = revision, data, now()
        tenant.save(update_fields=["revision", "data", "synced_at"])
        return Synced(tenant, is_new=False, is_applied=True)


def set_tenant_active(tenant: ServiceTenant, is_active: bool) -> None:
    """An inactive tenant keeps everything, and its integrator can do nothing in it but look at its status."""
    tenant.is_active = is_active
    tenant.save(update_fields=["is_active"])
    _record("tenant.activate" if is_active else "tenant.deactivate", tenant)


def _make_tenant(client: ServiceClient, external_id: str, revision: int, data: dict[str, Any]) -> ServiceTenant:
    assert client.owner is not None  # find_client and read_token saw to it
    workspace = create_workspace(
        str(data.get("name") or external_id),
        owner=client.owner,
        time_zone=str(data.get("time_zone") or "UTC"),
        is_tenant=True,
    )
    tenant = ServiceTenant.objects.create(
        client=client, external_id=external_id, workspace=workspace, revision=revision, data=data
    )
    _record("tenant.sync", tenant, revision=revision)
    return tenant


def _apply(tenant: ServiceTenant, data: dict[str, Any]) -> None:
    changed = {name: data[name] for name in ("name", "time_zone") if data.get(name)}
    if changed:
        workspace = tenant.workspace
        for name, value in changed.items():
            setattr(workspace, name, value)
        workspace.save(update_fields=list(changed))
    _record("tenant.sync", tenant, **changed)


def _record(action: str, tenant: ServiceTenant, **facts: Any) -> None:
    workspace: Workspace = tenant.workspace
    with workspace_scope(workspace.pk):
        audit.record(action, workspace, by=service_actor(tenant), **facts)
