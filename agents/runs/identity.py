"""What a call is known by, and in whose name a run acts."""

import hashlib
import json
import secrets
from typing import Any

import structlog
from django.core.exceptions import PermissionDenied
from django.core.serializers.json import DjangoJSONEncoder

from accounts.access import Actor, Perm, actor_for
from accounts.api_auth import key_actor
from accounts.models import ApiKey, Membership, ServiceTenant
from accounts.service_clients import service_actor
from agents.models import Run
from agents.workflows.registry import WORKFLOWS
from lib.clock import now
from lib.text import storable

GONE = "The person this run acts for no longer has the right to do this here."


def plain(value: Any) -> Any:
    """As the database gives it back: what a step answers first is what it answers in every replay."""
    text = json.dumps(value, cls=DjangoJSONEncoder, ensure_ascii=False)
    return _storable(json.loads(text, parse_constant=lambda _name: None))


def _storable(value: Any) -> Any:
    if isinstance(value, str):
        return storable(value)
    if isinstance(value, list):
        return [_storable(item) for item in value]
    if isinstance(value, dict):
        return {storable(key): _storable(item) for key, item in value.items()}
    return value


def digest(value: Any) -> str:
    """sha256 of the canonical JSON."""
    text = json.dumps(plain(value), sort_keys=True, ensure_ascii=False, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()


def call_digest(action: str, args: Any) -> str:
    """What an approval is bound to: exactly this call."""
    return digest([action, args])


def new_trace_id() -> str:
    """Of the request or task that starts the run, where that is traced."""
    return str(structlog.contextvars.get_contextvars().get("trace_id") or secrets.token_hex(16))


def new_span_id() -> str:
    return secrets.token_hex(8)


def root_span_id(run: Run) -> str:
    return run.pk.hex[-16:]


def actor_of(run: Run) -> Actor:
    """With the rights of this moment; raises PermissionDenied where they do not allow the run any more.

    Expects the workspace's scope.
    """
    actor = _key_actor(run) if run.api_key_id else _person(run) if run.user else _service(run)
    if actor is None or actor.workspace.is_suspended:
        raise PermissionDenied(GONE)
    if workflow := WORKFLOWS.get(run.workflow):
        actor.require(Perm(workflow.perm))
    return actor


def _person(run: Run) -> Actor | None:
    members = Membership.objects.select_related("user", "workspace")
    member = members.filter(user=run.user, workspace_id=run.workspace_id, user__is_active=True).first()
    return actor_for(member) if member else None


def _key_actor(run: Run) -> Actor | None:
    keys = ApiKey.objects.select_related("workspace", "created_by")
    key = keys.filter(pk__in=[run.api_key_id], revoked_at=None, created_by__is_active=True).first()
    if key is None or (key.expires_at and key.expires_at <= now()):
        return None
    return key_actor(key)


def _service(run: Run) -> Actor | None:
    tenants = ServiceTenant.objects.select_related("workspace", "client")
    tenant = tenants.filter(workspace_id=run.workspace_id, is_active=True, client__is_active=True).first()
    actor = service_actor(tenant) if tenant else None
    # A run whose person was erased has no person either: it must not become the integrator's.
    return actor if actor and actor.label == run.started_by else None
