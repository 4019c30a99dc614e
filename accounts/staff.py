"""Acts of staff. Each writes one row to the instance's own audit chain (inside the all-workspaces scope)."""

from collections.abc import Iterable

from django.db import transaction

from accounts import audit
from accounts.models import ApiKey, User, Workspace
from lib.clock import now


def suspend_workspace(workspace: Workspace, *, staff: User) -> bool:
    """False where it was suspended already."""
    return _set_suspended(workspace, True, staff)


def unsuspend_workspace(workspace: Workspace, *, staff: User) -> bool:
    return _set_suspended(workspace, False, staff)


def _set_suspended(workspace: Workspace, value: bool, staff: User) -> bool:
    action = "workspace.suspend" if value else "workspace.unsuspend"
    with transaction.atomic():
        changed = Workspace.objects.filter(pk=workspace.pk, is_suspended=not value).update(is_suspended=value)
        if changed:
            audit.record_staff(action, workspace, staff=staff.email, slug=workspace.slug)
    return bool(changed)


def revoke_keys(keys: Iterable[ApiKey], *, staff: User) -> int:
    return sum(_revoke(key, staff) for key in keys)


def _revoke(key: ApiKey, staff: User) -> bool:
    with transaction.atomic():
        changed = ApiKey.objects.filter(pk=key.pk, revoked_at=None).update(revoked_at=now())
        if changed:
            audit.record_staff("api_key.revoke", key, staff=staff.email, name=key.name)
    return bool(changed)
