"""Carrying out requests: claimed on a lease, so that a worker that dies is followed by another one."""

from collections.abc import Callable
from datetime import datetime, timedelta
from functools import partial
from typing import Any
from uuid import UUID

from django.core.exceptions import ValidationError
from django.db.models import Q

from accounts.access import Actor, Perm, system_actor
from accounts.inventory import INVENTORY
from accounts.inventory_categories import MEMBERS, US_ONLY
from accounts.models import User, Workspace
from accounts.scope import all_workspaces_scope
from compliance import contacts
from compliance.models import Contact, Erasure, PrivacyRequest
from compliance.models.privacy import SubjectKind
from compliance.privacy import erase, export, mails, people, requests
from compliance.privacy.traces import traces_of_contact, traces_of_user
from lib.clock import now

Kind, Status = PrivacyRequest.Kind, PrivacyRequest.Status
LEASE = timedelta(minutes=5)
# An erasure is dated a moment before it is committed.
COMMIT = timedelta(seconds=30)
# Who is nobody outside.
INSIDE = {US_ONLY["en"], MEMBERS["en"]}


def run(request_id: UUID) -> bool:
    """Do what was asked for; False where it is not running, or somebody else has it."""
    row = _claim(request_id)
    if row is None:
        return False
    address, began_at = _address_of(row), now()
    try:
        subject = _subject(row)
        fields = ACTS[Kind(row.kind)](row, subject)
    except ValidationError as refusal:
        _end(row, Status.REFUSED, refusal=" ".join(refusal.messages)[:300])
        return True
    _end(row, Status.DONE, **fields)
    if row.kind == Kind.EXPORT and _is_outdated(row, began_at):
        _begin_again(row)
        return True
    mails.tell_outcome(row.pk, address)
    return True


def waiting() -> list[UUID]:
    """Those whose worker died, or whose message was lost."""
    with all_workspaces_scope("find privacy requests to carry out"):
        return list(_free().order_by("received_at").values_list("pk", flat=True)[:100])


def _free() -> Any:
    return PrivacyRequest.objects.filter(Q(lease_until=None) | Q(lease_until__lt=now()), status=Status.RUNNING)


def _claim(request_id: UUID) -> PrivacyRequest | None:
    with all_workspaces_scope("claim a privacy request"):
        if not _free().filter(pk=request_id).update(lease_until=now() + LEASE):
            return None
        return PrivacyRequest.objects.select_related("workspace").get(pk=request_id)


def _beat(row: PrivacyRequest, done: int, of: int) -> None:
    with all_workspaces_scope("progress of a privacy request"):
        PrivacyRequest.objects.filter(pk=row.pk).update(
            lease_until=now() + LEASE, manifest={"progress": {"done": done, "of": of}}
        )


def _end(row: PrivacyRequest, status: str, **fields: Any) -> None:
    with all_workspaces_scope("end of a privacy request"):
        PrivacyRequest.objects.filter(pk=row.pk, status=Status.RUNNING).update(
            status=status, done_at=now(), lease_until=None, **fields
        )


def _is_outdated(row: PrivacyRequest, began_at: datetime) -> bool:
    """Somebody was erased while the copy was made, who may stand in it.

    Asked once the file is noted: an erasure that ends later drops it by itself.
    """
    about_them = Q(subject_id=row.subject_id)
    if row.workspace_id:
        # An account may have stood in any workspace.
        about_them = Q(workspace_id=row.workspace_id) | Q(workspace_id=None)
    with all_workspaces_scope("erasures while a copy was made"):
        return Erasure.objects.filter(about_them, at__gte=began_at - COMMIT).exists()


def _begin_again(row: PrivacyRequest) -> None:
    with all_workspaces_scope("a copy made anew"):
        fresh = PrivacyRequest.objects.filter(pk=row.pk).first()
        if fresh and fresh.file:
            erase.drop_file(fresh)
        PrivacyRequest.objects.filter(pk=row.pk).update(status=Status.RUNNING, done_at=None, lease_until=now() + COMMIT)


def _subject(row: PrivacyRequest) -> Any:
    """None where they are gone already: erased by a worker that died before it said so."""
    model: Any = {SubjectKind.USER: User, SubjectKind.CONTACT: Contact, SubjectKind.WORKSPACE: Workspace}[
        SubjectKind(row.subject_kind)
    ]
    with all_workspaces_scope("the subject of a privacy request"):
        return model.objects.filter(pk=row.subject_id).first()


def _address_of(row: PrivacyRequest) -> str:
    """Asked before an erasure, used after it."""
    subject = _subject(row)
    return getattr(subject, "email", "") or ""


# --- the acts -----------------------------------------------------------------------------------------------

Fields = dict[str, Any]


def _export(row: PrivacyRequest, subject: Any) -> Fields:
    if subject is None:
        raise ValidationError("There is nothing left to copy.")
    name = erase.copy_name(row.pk)
    manifest = export.write_copy(_copy_of(subject), name, beat=partial(_beat, row))
    shown = {key: manifest[key] for key in ("format", "generated_at", "models")}
    return {"file": name, "file_expires_at": now() + erase.KEPT, "manifest": {**shown, "media": len(manifest["media"])}}


def _copy_of(subject: User | Contact | Workspace) -> export.Copy:
    if isinstance(subject, Workspace):
        return export.copy_of_workspace(subject)
    traces = traces_of_user(subject) if isinstance(subject, User) else traces_of_contact(subject)
    return export.copy_of_person(traces)


def _erase(row: PrivacyRequest, subject: Any) -> Fields:
    counts: dict[str, int] = {}
    if isinstance(subject, User):
        counts = erase.erase_user(subject, beat=partial(_beat, row))
    elif isinstance(subject, Contact):
        counts = erase.erase_contact(subject, beat=partial(_beat, row))
    return {"manifest": {"erased": counts, "told": third_parties(counts)}, "details": {}, "subject_label": ""}


def third_parties(labels: dict[str, int]) -> list[str]:
    """Who else was given such data, and has to be told (Art. 19)."""
    found = {d.category.recipients["en"] for d in INVENTORY.values() if d.label in labels}
    return sorted(found - INSIDE)


def _rectify(row: PrivacyRequest, subject: Any) -> Fields:
    corrections = row.details.get("corrections", {})
    if isinstance(subject, User):
        people.rectify_user(subject, corrections)
    elif isinstance(subject, Contact):
        with requests.scope_of(row):
            contacts.update_contact(subject, by=_actor(row), **corrections)
    return {"manifest": {"corrected": sorted(corrections)}}


def _restrict(row: PrivacyRequest, subject: Any) -> Fields:
    if isinstance(subject, User):
        people.restrict_user(subject)
    elif isinstance(subject, Contact):
        with requests.scope_of(row):
            contacts.restrict_contact(subject, by=_actor(row))
    return {"manifest": {"restricted": subject is not None}}


def _object(row: PrivacyRequest, subject: Any) -> Fields:
    purposes = row.details.get("purposes", [])
    if isinstance(subject, User):
        people.object_as_user(subject)
    elif isinstance(subject, Contact):
        with requests.scope_of(row):
            people.object_as_contact(subject, purposes, by=_actor(row))
    return {"manifest": {"objected": purposes or ["everything"]}}


def _actor(row: PrivacyRequest) -> Actor:
    """It names the request, which names the admin who started it."""
    assert row.workspace is not None
    return system_actor(row.workspace, f"privacy request {row.pk}", {Perm.CONTENT_EDIT})


ACTS: dict[str, Callable[[PrivacyRequest, Any], Fields]] = {
    Kind.EXPORT: _export,
    Kind.ERASE: _erase,
    Kind.RECTIFY: _rectify,
    Kind.RESTRICT: _restrict,
    Kind.OBJECT: _object,
}
