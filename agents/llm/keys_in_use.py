"""What calls teach about a workspace's own keys: when one worked last, and why a provider refused it."""

from datetime import timedelta

import structlog
from django.db.models import Q

from accounts.access import Perm
from accounts.models import Workspace
from accounts.scope import workspace_scope
from accounts.services import notify
from agents.llm.circuits import KEY_CODES
from agents.llm.routes import Route
from agents.llm.types import ModelError
from agents.models import ProviderKey
from lib.clock import now

log = structlog.get_logger(__name__)
# Noting every call would write one row all the time.
NOTED_EVERY = timedelta(hours=1)


def note_success(route: Route, workspace: Workspace) -> None:
    if route.key_id is None or (route.was_used_lately and not route.has_problem):
        return
    at = now()
    stale = Q(last_used_at=None) | Q(last_used_at__lt=at - NOTED_EVERY) | ~Q(problem="")
    with workspace_scope(workspace.pk):
        ProviderKey.objects.filter(stale, pk=route.key_id).update(last_used_at=at, problem="")


def note_failure(route: Route, workspace: Workspace, error: ModelError) -> None:
    if error.code not in KEY_CODES:
        return
    if route.key_id is None:
        log.error("llm_key_refused", provider=route.provider.name, code=error.code)
        return
    with workspace_scope(workspace.pk):
        # Whoever hears it first tells the others.
        fresh = ProviderKey.objects.filter(pk=route.key_id, problem="")
        if fresh.update(problem=error.text[:200]):
            text = f"{route.provider.label} refuses a key of this workspace: {error.text}"
            notify(workspace, "ai_key", text, perm=Perm.SETTINGS, alert=True)
