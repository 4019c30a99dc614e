"""Legal holds: while one stands, neither a person nor a schedule erases anything of its subject."""

from collections.abc import Iterable
from uuid import UUID

from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction
from django.db.models import QuerySet
from django.http import Http404

from accounts import audit
from accounts.access import Actor, Perm
from accounts.models import Membership, User, Workspace
from accounts.scope import all_workspaces_scope
from compliance.models import Contact, LegalHold
from compliance.models.privacy import SubjectKind
from compliance.privacy.errors import Held
from lib.clock import now
from lib.text import storable

SENTENCE = "A legal hold has stood since {since:%-d %B %Y}. Nothing of {what} can be erased until it is released."


def set_hold(kind: str, subject_id: UUID, reason: str, *, by: Actor) -> LegalHold:
    """On a contact of the workspace, or on the whole workspace."""
    by.require(Perm.SETTINGS)
    known = kind == SubjectKind.WORKSPACE and subject_id == by.workspace.pk
    known |= kind == SubjectKind.CONTACT and Contact.objects.filter(workspace=by.workspace, pk=subject_id).exists()
    if not known:
        raise Http404("No such contact or workspace.")
    with transaction.atomic():
        hold = LegalHold.objects.create(
            workspace=by.workspace, subject_kind=kind, subject_id=subject_id, reason=_reason(reason), set_by=by.user
        )
        audit.record("hold.set", hold, by=by, of=kind, of_id=str(subject_id), reason=hold.reason)
    return hold


def release_hold(hold_id: UUID, *, by: Actor) -> bool:
    """False where it was released already."""
    by.require(Perm.SETTINGS)
    with transaction.atomic():
        hold = LegalHold.objects.select_for_update(no_key=True).filter(workspace=by.workspace, pk=hold_id).first()
        if hold is None:
            raise Http404("No such hold.")
        if not _release(hold):
            return False
        audit.record("hold.release", hold, by=by, of=hold.subject_kind, of_id=str(hold.subject_id))
    return True


def set_hold_by_staff(
    kind: str, subject_id: UUID, reason: str, *, staff: User, workspace: Workspace | None = None
) -> LegalHold:
    """On anybody, also on an account (inside the all-workspaces scope)."""
    _require_staff(staff)
    with transaction.atomic():
        hold = LegalHold.objects.create(
            workspace=workspace, subject_kind=kind, subject_id=subject_id, reason=_reason(reason), set_by=staff
        )
        audit.record_staff("hold.set", hold, staff=staff.email, of=kind, of_id=str(subject_id))
    return hold


def release_hold_by_staff(hold: LegalHold, *, staff: User) -> bool:
    _require_staff(staff)
    with transaction.atomic():
        released = _release(hold)
        if released:
            audit.record_staff(
                "hold.release", hold, staff=staff.email, of=hold.subject_kind, of_id=str(hold.subject_id)
            )
    return released


def _release(hold: LegalHold) -> bool:
    return bool(LegalHold.objects.filter(pk=hold.pk, released_at=None).update(released_at=now()))


def _require_staff(staff: User) -> None:
    if not (staff.is_staff and staff.is_active):
        raise PermissionDenied("Only staff can hold an account.")


def _reason(text: str) -> str:
    text = storable(text).strip()
    if not text:
        raise ValidationError({"reason": "Say why, and on whose order."})
    return text[:300]


# --- asking -------------------------------------------------------------------------------------------------


def standing() -> QuerySet[LegalHold]:
    return LegalHold.objects.filter(released_at=None)


def require_no_hold_on_user(user: User) -> None:
    """A held workspace holds what its members did there as well."""
    workspaces = [*Membership.objects.filter(user=user).values_list("workspace_id", flat=True)]
    _require_free(SubjectKind.USER, [user.pk], "this account")
    _require_free(SubjectKind.WORKSPACE, workspaces, "a workspace of this account")


def require_no_hold_on_contact(contact: Contact) -> None:
    _require_free(SubjectKind.CONTACT, [contact.pk], "this contact")
    _require_free(SubjectKind.WORKSPACE, [contact.workspace_id], "this workspace")


def require_no_hold_in_workspace(workspace: Workspace) -> None:
    """A workspace cannot go while anybody in it is held."""
    _require_free(SubjectKind.WORKSPACE, [workspace.pk], "this workspace")
    with all_workspaces_scope("legal holds"):
        hold = standing().filter(workspace=workspace).first()
        members = Membership.objects.filter(workspace=workspace).values("user_id")
        hold = hold or standing().filter(subject_kind=SubjectKind.USER, subject_id__in=members).first()
    if hold is not None:
        raise Held(SENTENCE.format(since=hold.set_at, what="somebody in this workspace"))


def _require_free(kind: str, subject_ids: Iterable[UUID], what: str) -> None:
    with all_workspaces_scope("legal holds"):
        hold = standing().filter(subject_kind=kind, subject_id__in=list(subject_ids)).order_by("set_at").first()
    if hold is not None:
        raise Held(SENTENCE.format(since=hold.set_at, what=what))
