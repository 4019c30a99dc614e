"""What people ask for about their data: opening a request, knowing who asks, refusing, extending, starting.

A request about an account has no workspace and is seen by its person and by staff; one about a contact, or the
workspace's own export, belongs to the workspace and to its admins. `run` does the work.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import Any
from uuid import UUID

from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction
from django.db.models import QuerySet
from django.http import Http404

from accounts import audit
from accounts.access import Actor, Perm
from accounts.models import User
from accounts.scope import all_workspaces_scope, workspace_scope
from compliance.models import Contact, PrivacyRequest
from compliance.models.privacy import SubjectKind
from compliance.privacy import erase, holds, people
from compliance.privacy.errors import NotErasable
from lib.clock import now
from lib.text import storable

Kind, Law, Status = PrivacyRequest.Kind, PrivacyRequest.Law, PrivacyRequest.Status
# Days to answer, and by how many that may be put off once, with a reason.
CLOCKS = {Law.GDPR: (30, 60), Law.CCPA: (45, 45)}
PASSWORD, MAIL_LINK, DOCUMENT, MEMBER = "password", "mail link", "document seen", "member of the workspace"
ENDED = (Status.DONE, Status.REFUSED)


class RequestClosed(Exception):
    """It was answered already, or is being carried out."""


@dataclass(frozen=True)
class Handler:
    """Who acts on a request: a member for the workspace's, staff for anybody's, or a person for their own."""

    label: str
    user: User | None = None
    actor: Actor | None = None

    @property
    def is_staff(self) -> bool:
        return self.actor is None and self.user is not None and self.user.is_staff


def by_member(actor: Actor) -> Handler:
    actor.require(Perm.SETTINGS)
    return Handler(actor.label, actor.user, actor)


def by_staff(staff: User) -> Handler:
    if not (staff.is_staff and staff.is_active):
        raise PermissionDenied("Only staff may do that.")
    return Handler(staff.email, staff)


@contextmanager
def scope_of(row: PrivacyRequest) -> Iterator[None]:
    if row.workspace_id:
        with workspace_scope(row.workspace_id):
            yield
    else:
        with all_workspaces_scope("requests about accounts"):
            yield


def requests_of(actor: Actor) -> QuerySet[PrivacyRequest]:
    actor.require(Perm.SETTINGS)
    return PrivacyRequest.objects.filter(workspace=actor.workspace)


def get_request(actor: Actor, request_id: UUID) -> PrivacyRequest:
    row = requests_of(actor).filter(pk=request_id).first()
    if row is None:
        raise Http404("No such request.")
    return row


def own_requests(user: User) -> list[PrivacyRequest]:
    with all_workspaces_scope("a person's own requests"):
        return list(_own(user)[:50])


def get_own_request(user: User, request_id: UUID) -> PrivacyRequest:
    with all_workspaces_scope("a person's own requests"):
        row = _own(user).filter(pk=request_id).first()
    if row is None:
        raise Http404("No such request.")
    return row


def _own(user: User) -> QuerySet[PrivacyRequest]:
    return PrivacyRequest.objects.filter(workspace=None, subject_kind=SubjectKind.USER, subject_id=user.pk)


# --- opening ------------------------------------------------------------------------------------------------


def open_own_request(kind: str, *, user: User, details: dict[str, Any] | None = None) -> PrivacyRequest:
    """By a person who has just typed their password: carried out at once."""
    if kind == Kind.ERASE:
        erase.require_erasable(user)
    details = _details(kind, SubjectKind.USER, details or {})
    with transaction.atomic(), all_workspaces_scope("a person's own request"):
        _refuse_twins(kind, SubjectKind.USER, user.pk)
        row = _create(
            kind=kind,
            subject_kind=SubjectKind.USER,
            subject_id=user.pk,
            subject_label=user.email,
            details=details,
            status=Status.RUNNING,
            identity_method=PASSWORD,
            verified_at=now(),
            created_by=user,
        )
        _enqueue(row)
    return row


def open_contact_request(
    kind: str, contact: Contact, *, by: Actor, law: str = Law.GDPR, details: dict[str, Any] | None = None
) -> PrivacyRequest:
    """What a contact asked for; who asks is to be verified before anything is done."""
    handler = by_member(by)
    details = _details(kind, SubjectKind.CONTACT, details or {})
    if law not in Law.values:
        raise ValidationError({"law": "Choose GDPR or CCPA."})
    with transaction.atomic():
        _refuse_twins(kind, SubjectKind.CONTACT, contact.pk)
        row = _create(
            workspace=by.workspace,
            kind=kind,
            subject_kind=SubjectKind.CONTACT,
            subject_id=contact.pk,
            subject_label=str(contact)[:200],
            details=details,
            law=law,
            created_by=by.user,
        )
        _record("privacy.open", row, handler, kind=kind)
    return row


def open_workspace_export(*, by: Actor) -> PrivacyRequest:
    """A copy of all the workspace owns, for its admins."""
    handler = by_member(by)
    with transaction.atomic():
        _refuse_twins(Kind.EXPORT, SubjectKind.WORKSPACE, by.workspace.pk)
        row = _create(
            workspace=by.workspace,
            kind=Kind.EXPORT,
            subject_kind=SubjectKind.WORKSPACE,
            subject_id=by.workspace.pk,
            subject_label=by.workspace.name,
            status=Status.RUNNING,
            identity_method=MEMBER,
            verified_at=now(),
            created_by=by.user,
        )
        _record("privacy.export", row, handler)
        _enqueue(row)
    return row


def open_request_by_staff(kind: str, user: User, *, staff: User, law: str = Law.GDPR) -> PrivacyRequest:
    """For somebody who wrote to us instead of pressing the button."""
    handler = by_staff(staff)
    with transaction.atomic(), all_workspaces_scope("a request received by staff"):
        _refuse_twins(kind, SubjectKind.USER, user.pk)
        row = _create(
            kind=kind,
            subject_kind=SubjectKind.USER,
            subject_id=user.pk,
            subject_label=user.email,
            law=law,
            created_by=staff,
        )
        _record("privacy.open", row, handler, kind=kind)
    return row


def _create(*, law: str = Law.GDPR, **fields: Any) -> PrivacyRequest:
    return PrivacyRequest.objects.create(law=law, due_at=due_date(law, now()), **fields)


def due_date(law: str, received_at: datetime) -> datetime:
    return received_at + timedelta(days=CLOCKS[Law(law)][0])


def _refuse_twins(kind: str, subject_kind: str, subject_id: UUID) -> None:
    same = PrivacyRequest.objects.filter(kind=kind, subject_kind=subject_kind, subject_id=subject_id)
    if same.exclude(status__in=ENDED).exists():
        raise ValidationError("This was asked for already and is not answered yet.")


def _details(kind: str, subject_kind: str, given: dict[str, Any]) -> dict[str, Any]:
    if kind not in Kind.values:
        raise ValidationError({"kind": "Choose what is asked for."})
    if kind == Kind.RECTIFY:
        return {"corrections": people.check_corrections(subject_kind, given.get("corrections") or {})}
    if kind == Kind.OBJECT:
        return {"purposes": [storable(str(purpose))[:40] for purpose in given.get("purposes") or []]}
    return {}


# --- answering ----------------------------------------------------------------------------------------------


def verify(row: PrivacyRequest, method: str, *, by: Handler | None = None) -> None:
    """We know who asks. By whom is empty where the person followed the link of a mail."""
    with transaction.atomic(), scope_of(row):
        waiting = PrivacyRequest.objects.filter(pk=row.pk, status=Status.VERIFYING)
        if not waiting.update(status=Status.OPEN, identity_method=method[:60], verified_at=now()):
            raise RequestClosed("Who asks was verified already.")
        if by:
            _record("privacy.verify", row, by, method=method)


def start(row: PrivacyRequest, *, by: Handler) -> None:
    """Have it carried out. Raises NotErasable where something stands in the way."""
    with transaction.atomic(), scope_of(row):
        if row.status == Status.VERIFYING:
            raise ValidationError("First make sure who asks: send the link, or note the document you saw.")
        if row.kind == Kind.ERASE:
            _require_erasable(row)
        opened = PrivacyRequest.objects.filter(pk=row.pk, status=Status.OPEN)
        if not opened.update(status=Status.RUNNING, handled_by=by.user, lease_until=None):
            raise RequestClosed("This was answered already, or is being carried out.")
        _record("privacy.start", row, by, kind=row.kind)
        _enqueue(row)


def _require_erasable(row: PrivacyRequest) -> None:
    if row.subject_kind == SubjectKind.CONTACT:
        contact = Contact.objects.filter(pk=row.subject_id).first()
        if contact is not None:
            holds.require_no_hold_on_contact(contact)
    elif user := User.objects.filter(pk=row.subject_id).first():
        erase.require_erasable(user)


def refuse(row: PrivacyRequest, reason: str, *, by: Handler) -> None:
    reason = storable(reason).strip()[:300]
    if not reason:
        raise ValidationError({"reason": "Say why: the person has a right to know, and to complain."})
    with transaction.atomic(), scope_of(row):
        waiting = PrivacyRequest.objects.filter(pk=row.pk, status__in=[Status.VERIFYING, Status.OPEN])
        if not waiting.update(status=Status.REFUSED, refusal=reason, handled_by=by.user, done_at=now()):
            raise RequestClosed("This was answered already, or is being carried out.")
        _record("privacy.refuse", row, by, reason=reason)


def extend(row: PrivacyRequest, reason: str, *, by: Handler) -> datetime:
    """Once, with a reason the person is told; the new due date."""
    reason = storable(reason).strip()[:300]
    if not reason:
        raise ValidationError({"reason": "Say why it takes longer."})
    due_at = row.due_at + timedelta(days=CLOCKS[Law(row.law)][1])
    with transaction.atomic(), scope_of(row):
        waiting = PrivacyRequest.objects.filter(pk=row.pk, extended_because="").exclude(status__in=ENDED)
        if not waiting.update(due_at=due_at, extended_because=reason, reminded_at=None):
            raise RequestClosed("It was extended already, or answered.")
        _record("privacy.extend", row, by, reason=reason, due_at=due_at.isoformat())
    return due_at


def _record(action: str, row: PrivacyRequest, by: Handler, **data: Any) -> None:
    if by.actor:
        audit.record(action, row, by=by.actor, **data)
    elif by.is_staff:
        audit.record_staff(action, row, staff=by.label, **data)


def _enqueue(row: PrivacyRequest) -> None:
    from compliance import tasks

    transaction.on_commit(partial(tasks.run_privacy_request.delay, str(row.pk)))


def blockers_of(user: User) -> list[str]:
    """What keeps an account from being erased, for its own page."""
    try:
        erase.require_erasable(user)
    except NotErasable as error:
        return error.messages
    return []
