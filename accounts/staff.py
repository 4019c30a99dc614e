"""Acts of staff. Each writes one row to the instance's own audit chain (inside the all-workspaces scope)."""

from collections.abc import Iterable

from django.core.exceptions import ValidationError
from django.db import transaction

from accounts import audit
from accounts.access import Perm, system_actor
from accounts.models import ApiKey, AuditEntry, User, Workspace
from accounts.scope import workspace_scope
from accounts.services import emit, notify
from lib.clock import now
from lib.text import one_line, storable

# In what a workspace reads, staff are nobody in particular.
STAFF = "staff"
MAX_REASON = 200


def suspend_workspace(workspace: Workspace, *, staff: User, reason: str) -> bool:
    """Everything of it stands still at once. The members are told why. False where it was suspended already."""
    reason = clean_reason(reason)
    text = f"Staff suspended this workspace: {reason}"
    return _set_suspended(workspace, True, staff, text, reason=reason)


def unsuspend_workspace(workspace: Workspace, *, staff: User, reason: str) -> bool:
    reason = clean_reason(reason)
    text = f"This workspace is no longer suspended: {reason}"
    return _set_suspended(workspace, False, staff, text, reason=reason)


def _set_suspended(workspace: Workspace, value: bool, staff: User, text: str, *, reason: str) -> bool:
    action = "workspace.suspend" if value else "workspace.unsuspend"
    with transaction.atomic():
        changed = Workspace.objects.filter(pk=workspace.pk, is_suspended=not value).update(is_suspended=value)
        if changed:
            emit(workspace, f"{action}ed", reason=reason)
            # Everybody: none of them can open it any more to read why.
            notify(workspace, action, text, path="/", perm=Perm.VIEW, alert=True)
            audit.record(action, workspace, by=system_actor(workspace, STAFF, ()), reason=reason)
            audit.record_staff(action, workspace, staff=staff.email, slug=workspace.slug, reason=reason)
    workspace.is_suspended = value
    return bool(changed)


def suspension_text(workspace: Workspace) -> str:
    """Why every door of a suspended workspace is shut."""
    with workspace_scope(workspace.pk):
        acts = AuditEntry.objects.filter(workspace=workspace, action="workspace.suspend").select_related("detail")
        act = acts.order_by("-number").first()
    detail = getattr(act, "detail", None)
    reason = str(detail.data.get("reason", "")) if detail else ""
    why = f"Staff suspended this workspace: {reason}" if reason else "Staff suspended this workspace"
    return f"{why.rstrip('.')}. Please contact support."


def clean_reason(reason: str) -> str:
    """One line for people. Raises ValidationError where nothing is said."""
    reason = one_line(storable(reason)).strip()[:MAX_REASON]
    if not reason:
        raise ValidationError({"reason": "Say why: the people concerned will read it."})
    return reason


def revoke_keys(keys: Iterable[ApiKey], *, staff: User) -> int:
    return sum(_revoke(key, staff) for key in keys)


def _revoke(key: ApiKey, staff: User) -> bool:
    with transaction.atomic():
        changed = ApiKey.objects.filter(pk=key.pk, revoked_at=None).update(revoked_at=now())
        if changed:
            audit.record_staff("api_key.revoke", key, staff=staff.email, name=key.name)
    return bool(changed)
