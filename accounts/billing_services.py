"""Acts on a workspace's plan: staff sets it, or a billing provider says what was bought."""

from datetime import datetime

from django.core.exceptions import ValidationError
from django.db import transaction

from accounts import audit
from accounts.access import Actor, Perm, system_actor
from accounts.billing import PlanChange, provider
from accounts.models import User, Workspace
from accounts.plans import PLANS, plan_of
from accounts.scope import workspace_scope
from accounts.services import emit, notify
from accounts.staff import STAFF, clean_reason

PAGE = "/settings/plan"
BILLING = "billing"


def set_plan(workspace: Workspace, plan: str, *, staff: User, reason: str, until: datetime | None = None) -> bool:
    """By staff, inside the all-workspaces scope; an empty plan is the installation's default. False where it has it."""
    reason = clean_reason(reason)
    if plan and plan not in PLANS:
        raise ValidationError({"plan": f"Choose one of {', '.join(PLANS)}."})
    with transaction.atomic():
        locked = Workspace.objects.select_for_update(no_key=True).get(pk=workspace.pk)
        if (locked.plan, locked.plan_until) == (plan, until):
            return False
        locked.plan, locked.plan_until = plan, until
        locked.save(update_fields=["plan", "plan_until"])
        _tell(locked)
        by = system_actor(locked, STAFF, ())
        audit.record("workspace.plan", locked, by=by, plan=plan_of(locked).name, reason=reason)
        audit.record_staff("workspace.plan", locked, staff=staff.email, slug=locked.slug, plan=plan, reason=reason)
    workspace.plan, workspace.plan_until = plan, until
    return True


def apply_change(change: PlanChange) -> bool:
    """What a provider said. False where it was heard before, or came after something newer: nothing changed.

    Raises Workspace.DoesNotExist.
    """
    with workspace_scope(change.workspace_id):
        workspace = Workspace.objects.select_for_update(no_key=True).get(pk=change.workspace_id)
        if change.revision <= workspace.billing_revision:
            return False
        before = plan_of(workspace)
        workspace.plan, workspace.plan_until = change.plan, change.until
        workspace.billing_revision = change.revision
        workspace.billing_ref = change.customer or workspace.billing_ref
        workspace.save(update_fields=["plan", "plan_until", "billing_revision", "billing_ref"])
        if plan_of(workspace) != before:
            _tell(workspace)
        by = system_actor(workspace, BILLING, ())
        audit.record("workspace.plan", workspace, by=by, plan=plan_of(workspace).name, event=change.event_id[:100])
    return True


def checkout_url(plan: str, *, by: Actor) -> str:
    """Where this workspace buys the plan. Raises ValidationError where nobody sells it."""
    by.require(Perm.SETTINGS)
    shop = provider()
    url = shop.checkout_url(by.workspace, plan) if shop and plan in PLANS else ""
    if not url:
        raise ValidationError({"plan": "This plan cannot be bought here. Ask the operator of this installation."})
    return url


def portal_url(*, by: Actor) -> str:
    """Empty where there is none."""
    by.require(Perm.SETTINGS)
    shop = provider()
    return shop.portal_url(by.workspace) if shop else ""


def _tell(workspace: Workspace) -> None:
    plan = plan_of(workspace)
    emit(workspace, "workspace.plan", plan=plan.name)
    text = f"This workspace is on the {plan.label} plan now. What is over its limits stays, and does not grow."
    notify(workspace, "plan", text, path=PAGE, perm=Perm.SETTINGS)
