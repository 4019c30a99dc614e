"""Acts on workspaces, members, invitations and API keys."""

import hashlib
import secrets
import zoneinfo
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any
from uuid import UUID

from django.core import signing
from django.core.exceptions import PermissionDenied, ValidationError
from django.core.validators import validate_email
from django.db import IntegrityError, transaction
from django.db.models import Q
from django.http import Http404
from django.utils.text import slugify

from accounts import audit, plans, rate
from accounts.access import ROLE_PERMS, SCOPES, Actor, Perm, actor_for
from accounts.guests import GUEST_SHARES, drop_grants
from accounts.models import (
    ApiKey,
    Event,
    Invitation,
    Membership,
    Notification,
    Role,
    User,
    Workspace,
    new_secret,
)
from accounts.rate import Limit
from accounts.scope import workspace_scope
from lib.clock import now

INVITATION_SALT = "accounts.invitation"
INVITATION_DAYS = 7
WORKSPACE_SETTINGS = {"name", "time_zone", "four_eyes", "late_minutes", "late_policy", "monthly_cap_micro"}
# Some zones cannot say the last hours of the calendar, and every page that shows such a moment would break.
LAST_MOMENT = datetime(2101, 1, 1, tzinfo=UTC)
# Filled by the apps that let programs in: what ends with a membership, in its transaction and scope.
LEAVING: dict[str, Callable[[User, Actor], None]] = {}


def create_workspace(name: str, *, owner: User, time_zone: str = "UTC", is_tenant: bool = False) -> Workspace:
    """Raises PlanLimit, too. `is_tenant`: an integrator makes it, and as many as it has customers."""
    name = name.strip()
    if not name:
        raise ValidationError({"name": "Give the workspace a name."})
    if time_zone not in zoneinfo.available_timezones():
        time_zone = "UTC"
    with transaction.atomic():
        if not is_tenant:
            plans.require_own_room(owner)
        workspace = _insert_workspace(name[:80], time_zone)
        member = Membership.objects.create(user=owner, workspace=workspace, role=Role.OWNER)
        User.objects.filter(pk=owner.pk).update(last_workspace=workspace)
        with workspace_scope(workspace.pk):
            audit.record("workspace.create", workspace, by=actor_for(member), name=workspace.name)
    return workspace


def _insert_workspace(name: str, time_zone: str) -> Workspace:
    for _ in range(5):
        # Somebody may take the same slug between the look and the insert.
        with suppress(IntegrityError), transaction.atomic():
            return Workspace.objects.create(name=name, slug=_free_slug(name), time_zone=time_zone)
    return Workspace.objects.create(name=name, slug=f"workspace-{secrets.token_hex(6)}", time_zone=time_zone)


def _free_slug(name: str) -> str:
    stem = slugify(name)[:40] or "workspace"
    taken = set(Workspace.objects.filter(slug__startswith=stem).values_list("slug", flat=True))
    if stem not in taken:
        return stem
    return next(slug for n in range(2, len(taken) + 3) if (slug := f"{stem}-{n}") not in taken)


def update_workspace(*, by: Actor, **fields: Any) -> Workspace:
    """Any of WORKSPACE_SETTINGS."""
    by.require(Perm.SETTINGS)
    if unknown := fields.keys() - WORKSPACE_SETTINGS:
        raise TypeError(f"{', '.join(sorted(unknown))}: no settings of a workspace.")
    # A fresh copy: refused values must not show on the page that explains the refusal.
    workspace = Workspace.objects.get(pk=by.workspace.pk)
    fields = {key: value.strip() if isinstance(value, str) else value for key, value in fields.items()}
    before = {key: getattr(workspace, key) for key in fields}
    changed = {key: [before[key], value] for key, value in fields.items() if before[key] != value}
    for key, value in fields.items():
        setattr(workspace, key, value)
    workspace.full_clean()
    if changed:
        with transaction.atomic():
            workspace.save(update_fields=list(changed))
            audit.record("workspace.update", workspace, by=by, changed=changed)
    return workspace


# --- members ----------------------------------------------------------------------------------------------


def invite_member(email: str, role: str, *, by: Actor, campaign_id: UUID | None = None) -> Invitation:
    by.require(Perm.MEMBERS)
    email = email.strip().lower()
    _check_address(email)
    _check_may_give(role, by)
    if Membership.objects.filter(workspace=by.workspace, user__email__iexact=email).exists():
        raise ValidationError({"email": f"{email} is already a member."})
    with transaction.atomic():
        rate.require(*invitation_limits(by.workspace, email), text="Too many invitations in a short time.")
        # Two who invite the same address at once: the later invitation replaces the earlier one.
        _lock_workspace(by)
        Invitation.objects.filter(workspace=by.workspace, email=email, accepted_at=None).delete()
        # Who is invited takes a place already; guests see single things only, and take none.
        if role != Role.GUEST:
            plans.require_room(by.workspace, "members", partial(_places, by.workspace))
        invitation = Invitation.objects.create(
            workspace=by.workspace,
            email=email,
            role=role,
            campaign_id=campaign_id,
            invited_by=by.user,
            expires_at=now() + timedelta(days=INVITATION_DAYS),
        )
        audit.record("member.invite", invitation, by=by, email=email, role=role)
        from accounts import tasks

        transaction.on_commit(partial(tasks.mail_invitation.delay, invitation.pk))
    return invitation


def _places(workspace: Workspace) -> int:
    rows = (workspace.memberships, workspace.invitations.filter(accepted_at=None, expires_at__gt=now()))
    return sum(found.exclude(role=Role.GUEST).count() for found in rows)


def invitation_limits(workspace: Workspace, email: str) -> list[Limit]:
    """Each is a mail to somebody who did not ask for it: a workspace must not be a way to send many."""
    day = timedelta(days=1)
    return [
        Limit(("invite", workspace.pk), 100, day, burst=50),
        Limit(("invite", "address", email), 10, day, burst=10),
        Limit(("invite", "instance"), 5000, day, burst=1000),
    ]


def _check_address(email: str) -> None:
    try:
        validate_email(email)
    except ValidationError as error:
        raise ValidationError({"email": error}) from error


def revoke_invitation(invitation_id: int, *, by: Actor) -> None:
    by.require(Perm.MEMBERS)
    with transaction.atomic():
        invitation = (
            Invitation.objects.select_for_update(no_key=True)
            .filter(pk=invitation_id, workspace=by.workspace, accepted_at=None)
            .first()
        )
        if invitation is None:
            raise Http404
        audit.record("member.uninvite", invitation, by=by, email=invitation.email)
        invitation.delete()


def invitation_token(invitation: Invitation) -> str:
    return signing.dumps(invitation.pk, salt=INVITATION_SALT)


def find_invitation(token: str) -> Invitation | None:
    """The open invitation a token stands for; None when it is wrong, used, withdrawn or too old."""
    try:
        pk = signing.loads(token, salt=INVITATION_SALT, max_age=timedelta(days=INVITATION_DAYS))
    except signing.BadSignature:
        return None
    return (
        Invitation.objects.select_related("workspace", "invited_by")
        .filter(pk=pk, accepted_at=None, expires_at__gt=now())
        .first()
    )


def accept_invitation(invitation: Invitation, user: User) -> Membership:
    if invitation.email.lower() != user.email.lower():
        raise PermissionDenied(f"This invitation is for {invitation.email}. Log in with that address.")
    with transaction.atomic(), workspace_scope(invitation.workspace_id):
        used = Invitation.objects.filter(pk=invitation.pk, accepted_at=None).update(accepted_at=now())
        if not used:
            raise ValidationError("This invitation was already used.")
        member, _ = Membership.objects.get_or_create(
            user=user, workspace=invitation.workspace, defaults={"role": invitation.role}
        )
        User.objects.filter(pk=user.pk).update(last_workspace=invitation.workspace)
        if invitation.campaign_id:
            GUEST_SHARES["campaign"](user, invitation.campaign_id)
        audit.record("member.join", member, by=actor_for(member), role=member.role)
    return member


def change_role(membership_id: int, role: str, *, by: Actor) -> Membership:
    by.require(Perm.MEMBERS)
    with transaction.atomic():
        member = _locked_member(membership_id, by)
        _check_may_give(role, by)
        _keep_an_owner(member, by, leaves=role != Role.OWNER)
        # A guest takes no place until now.
        if member.role == Role.GUEST != role:
            plans.require_room(by.workspace, "members", partial(_places, by.workspace))
        before, member.role = member.role, role
        member.save(update_fields=["role"])
        if Perm.MEMBERS not in ROLE_PERMS[role]:
            _withdraw_invitations_of(member, by)
        audit.record("member.role", member, by=by, user=member.user.email, before=before, after=role)
    return member


def remove_member(membership_id: int, *, by: Actor) -> None:
    with transaction.atomic():
        member = _locked_member(membership_id, by)
        if by.user is None or member.user_id != by.user.pk:
            by.require(Perm.MEMBERS)
        _keep_an_owner(member, by, leaves=True)
        drop_grants(member.user, by.workspace)
        _withdraw_invitations_of(member, by)
        _end_access_of(member, by)
        audit.record("member.remove", member, by=by, user=member.user.email)
        member.delete()


def _withdraw_invitations_of(member: Membership, by: Actor) -> None:
    """Who may no longer invite must not come back by an invitation sent to another address before."""
    for invitation in Invitation.objects.filter(workspace=by.workspace, invited_by=member.user, accepted_at=None):
        audit.record("member.uninvite", invitation, by=by, email=invitation.email)
        invitation.delete()


def _end_access_of(member: Membership, by: Actor) -> None:
    """For good: who is invited again later must not find old programs let in with them."""
    for key in ApiKey.objects.filter(workspace=by.workspace, created_by=member.user, revoked_at=None):
        _revoke_key(key, by)
    for end_access in LEAVING.values():
        end_access(member.user, by)


def _lock_workspace(by: Actor) -> None:
    Workspace.objects.select_for_update(no_key=True).get(pk=by.workspace.pk)


def _locked_member(membership_id: int, by: Actor) -> Membership:
    # The workspace row is the lock: two owners leaving at once must not both succeed.
    _lock_workspace(by)
    members = Membership.objects.select_related("user", "workspace")
    member = members.filter(pk=membership_id, workspace=by.workspace).first()
    if member is None:
        raise Http404
    return member


def _check_may_give(role: str, by: Actor) -> None:
    if role not in Role.values:
        raise ValidationError({"role": "Choose one of the roles."})
    if role == Role.OWNER and by.role != Role.OWNER:
        raise PermissionDenied("Only an owner can make somebody an owner.")


def _keep_an_owner(member: Membership, by: Actor, *, leaves: bool) -> None:
    if member.role != Role.OWNER:
        return
    if by.role != Role.OWNER:
        raise PermissionDenied("Only an owner can change an owner.")
    others = Membership.objects.filter(workspace=by.workspace, role=Role.OWNER).exclude(pk=member.pk)
    if leaves and not others.exists():
        raise ValidationError("A workspace needs an owner. Make somebody else an owner first.")


# --- API keys ---------------------------------------------------------------------------------------------


def hash_key(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()


def create_api_key(
    name: str, scopes: list[str], *, by: Actor, expires_at: datetime | None = None
) -> tuple[ApiKey, str]:
    """The key row and the secret, which exists nowhere else: show it once."""
    by.require(Perm.API_KEYS)
    if not name.strip():
        raise ValidationError({"name": "Give the key a name, so that you know later what uses it."})
    if not scopes or set(scopes) - SCOPES.keys():
        raise ValidationError({"scopes": f"Choose one or more of {', '.join(SCOPES)}."})
    if expires_at and expires_at <= now():
        raise ValidationError({"expires_at": "This moment has passed."})
    if expires_at and expires_at >= LAST_MOMENT:
        raise ValidationError({"expires_at": "This is too far away. Leave it out for a key that does not expire."})
    secret = new_secret("rk")
    with transaction.atomic():
        key = ApiKey.objects.create(
            workspace=by.workspace,
            name=name.strip()[:80],
            prefix=secret[:9],
            key_hash=hash_key(secret),
            scopes=sorted(scopes),
            created_by=by.user,
            expires_at=expires_at,
        )
        audit.record("api_key.create", key, by=by, name=key.name, scopes=key.scopes)
    return key, secret


def revoke_api_key(key_id: UUID, *, by: Actor) -> None:
    by.require(Perm.API_KEYS)
    with transaction.atomic():
        key = ApiKey.objects.filter(pk=key_id, workspace=by.workspace).first()
        if key is None:
            raise Http404
        _revoke_key(key, by)


def _revoke_key(key: ApiKey, by: Actor) -> None:
    if ApiKey.objects.filter(pk=key.pk, revoked_at=None).update(revoked_at=now()):
        audit.record("api_key.revoke", key, by=by, name=key.name)


# --- news -------------------------------------------------------------------------------------------------


def emit(workspace: Workspace, kind: str, **payload: object) -> Event:
    """Write to the outbox in the caller's transaction."""
    return Event.objects.create(workspace=workspace, kind=kind, payload=payload)


def notify(
    workspace: Workspace, kind: str, text: str, *, path: str = "", perm: Perm = Perm.PUBLISH, alert: bool = False
) -> None:
    """Tell every member who may act on it. An alert is mailed as well, as the person wishes."""
    roles = [role for role, perms in ROLE_PERMS.items() if perm in perms]
    users = Membership.objects.filter(workspace=workspace, role__in=roles).values_list("user_id", flat=True)
    Notification.objects.bulk_create(
        Notification(workspace=workspace, user_id=user_id, kind=kind, text=text[:300], path=path, is_alert=alert)
        for user_id in users
    )


def mark_read(*, by: Actor) -> None:
    """Everything the person has been told in this workspace."""
    Notification.objects.filter(workspace=by.workspace, user=by.user, read_at=None).update(read_at=now())


def usable_key(secret: str) -> Q:
    return Q(key_hash=hash_key(secret), revoked_at=None) & (Q(expires_at=None) | Q(expires_at__gt=now()))
