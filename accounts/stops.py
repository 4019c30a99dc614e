"""Stop everything: nothing goes out of a workspace, or of the whole installation, until somebody releases it."""

from dataclasses import dataclass
from datetime import datetime

from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction

from accounts import audit
from accounts.access import DENIED, Actor, Perm
from accounts.models import AuditEntry, Switch, User, Workspace
from accounts.scope import workspace_scope
from accounts.services import emit, notify
from lib.clock import now
from lib.text import one_line, storable

MAX_REASON = 200


@dataclass(frozen=True)
class Stop:
    """What a banner says. Who and when are unknown where the trail was erased."""

    reason: str
    who: str = ""
    since: datetime | None = None


# --- a workspace ------------------------------------------------------------------------------------------


def stop_workspace(reason: str = "", *, by: Actor) -> bool:
    """False where it was stopped already: the first reason stays."""
    by.require(Perm.PUBLISH)
    reason = _clean(reason)
    text = f"{by.label} stopped all publishing" + (f": {reason}" if reason else ".")
    with transaction.atomic():
        running = Workspace.objects.filter(pk=by.workspace.pk, is_stopped=False)
        if not running.update(is_stopped=True, stopped_text=reason):
            return False
        emit(by.workspace, "workspace.stopped", reason=reason)
        notify(by.workspace, "workspace.stopped", text, path="/", alert=True)
        audit.record("workspace.stop", by.workspace, by=by, reason=reason)
    by.workspace.is_stopped, by.workspace.stopped_text = True, reason
    return True


def release_workspace(*, by: Actor) -> bool:
    """False where nothing was stopped."""
    if not (by.can(Perm.PUBLISH) or by.can(Perm.SETTINGS)):
        raise PermissionDenied(DENIED[Perm.PUBLISH])
    if by.workspace.deletes_at is not None:
        raise ValidationError("This workspace is about to be deleted. Keep it first, under Settings → Privacy.")
    with transaction.atomic():
        stopped = Workspace.objects.filter(pk=by.workspace.pk, is_stopped=True, deletes_at=None)
        if not stopped.update(is_stopped=False, stopped_text=""):
            return False
        emit(by.workspace, "workspace.released")
        notify(by.workspace, "workspace.released", f"{by.label} let publishing go on.", path="/")
        audit.record("workspace.release", by.workspace, by=by)
    by.workspace.is_stopped, by.workspace.stopped_text = False, ""
    return True


def workspace_stop(workspace: Workspace) -> Stop | None:
    """Why it stands still, for the banner."""
    if not workspace.is_stopped:
        return None
    # Views that talk to a network render outside the scope.
    with workspace_scope(workspace.pk):
        acts = AuditEntry.objects.filter(workspace=workspace, action="workspace.stop").select_related("detail")
        act = acts.order_by("-number").first()
    who = act.detail.actor if act and hasattr(act, "detail") else ""
    return Stop(workspace.stopped_text, who, act.at if act else None)


# --- the installation -------------------------------------------------------------------------------------


def stop_instance(reason: str, *, staff: User) -> bool:
    """Everybody's publishing (inside the all-workspaces scope). False where it was stopped already."""
    _require_staff(staff)
    reason = _clean(reason)
    if not reason:
        raise ValidationError({"reason": "Say why: everybody will read it."})
    return _throw(True, reason, staff)


def release_instance(*, staff: User) -> bool:
    _require_staff(staff)
    return _throw(False, "", staff)


def _throw(value: bool, reason: str, staff: User) -> bool:
    with transaction.atomic():
        Switch.objects.bulk_create([Switch(name=Switch.PUBLISHING)], ignore_conflicts=True)
        switch = Switch.objects.filter(name=Switch.PUBLISHING, is_on=not value)
        changed = switch.update(is_on=value, reason=reason, changed_by=staff.email[:120], changed_at=now())
        if changed:
            act = "instance.stop" if value else "instance.release"
            audit.record_staff(act, Switch(name=Switch.PUBLISHING), staff=staff.email, reason=reason)
    return bool(changed)


def instance_stop() -> Stop | None:
    """Why nothing goes out anywhere, for the banner. Who it was is for staff to know."""
    switch = Switch.objects.filter(name=Switch.PUBLISHING, is_on=True).first()
    return Stop(switch.reason, since=switch.changed_at) if switch else None


def _require_staff(staff: User) -> None:
    if not (staff.is_staff and staff.is_active):
        raise PermissionDenied("Only staff can stop the whole installation.")


def _clean(reason: str) -> str:
    return one_line(storable(reason))[:MAX_REASON]
