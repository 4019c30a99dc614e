"""Erasing a person: their rows, their traces in the rows of others, files, caches; then the proof of it, by id alone.

Each step may run again, so an erasure that was killed in the middle is simply started once more. The person's own row
goes last: it is what tells the steps before it what to look for.
"""

from collections.abc import Callable, Mapping
from datetime import timedelta
from uuid import UUID

from django.core.files.storage import default_storage, storages
from django.db import transaction
from django.db.models import Model, Q, QuerySet

from accounts.inventory import INVENTORY, Declaration, Person, Rule
from accounts.models import Membership, Role, User
from accounts.scope import all_workspaces_scope
from compliance.models import Contact, Erasure, PrivacyRequest
from compliance.models.privacy import SubjectKind
from compliance.privacy import caches, holds, ledger
from compliance.privacy.errors import NotErasable
from compliance.privacy.mentions import REASON, allow_erasing, scrub
from compliance.privacy.traces import Finder, Traces, traces_of_contact, traces_of_user

COPIES = "exports"
KEPT = timedelta(days=7)
Counts = dict[str, int]
Beat = Callable[[int, int], None]


def _silent(_done: int, _of: int) -> None:
    """Nobody waits for news."""


# --- may it be done? ----------------------------------------------------------------------------------------


def require_erasable(user: User) -> None:
    """Raises NotErasable with what the person has to do first."""
    alone = workspaces_only_of(user)
    if alone:
        names = ", ".join(sorted(alone))
        raise NotErasable(
            f"You are the only owner of {names}. Make somebody else an owner, or delete the workspace, first."
        )
    if user.is_superuser and not User.objects.filter(is_superuser=True, is_active=True).exclude(pk=user.pk).exists():
        raise NotErasable("This is the last administrator of the installation. Name another one first.")
    holds.require_no_hold_on_user(user)


def workspaces_only_of(user: User) -> list[str]:
    """Names of the workspaces that would be left without an owner; those that end anyway do not count."""
    owned = Membership.objects.filter(user=user, role=Role.OWNER, workspace__deletes_at=None)
    others = Membership.objects.filter(role=Role.OWNER).exclude(user=user)
    alone = owned.exclude(workspace__in=others.values("workspace"))
    return [*alone.values_list("workspace__name", flat=True)]


# --- doing it -----------------------------------------------------------------------------------------------


def erase_user(user: User, *, beat: Beat = _silent) -> Counts:
    """The rows changed or deleted, by model. Raises NotErasable. `beat(done, of)` is called with each model."""
    require_erasable(user)
    return _erase_user(user, beat)


def _erase_user(user: User, beat: Beat = _silent) -> Counts:
    traces = traces_of_user(user)
    # Nobody comes in any more, by whatever door, while it goes on.
    User.objects.filter(pk=user.pk).update(is_active=False)
    counts = _erase(traces, beat)
    caches.end_sessions(str(user.pk))
    caches.scrub_sessions(Finder(traces.strong))
    _forget_requests(SubjectKind.USER, traces)
    ledger.append(SubjectKind.USER, user.pk, None)
    with all_workspaces_scope(REASON):
        _delete_known(traces)
        counts |= _counted(User.objects.get(pk=user.pk).delete()[1], counts)
        Erasure.objects.create(subject_kind=SubjectKind.USER, subject_id=traces.pk, counts=counts)
    _forget_requests(SubjectKind.USER, traces)
    caches.forget(traces.telling)
    return counts


def erase_contact(contact: Contact, *, beat: Beat = _silent) -> Counts:
    holds.require_no_hold_on_contact(contact)
    return _erase_contact(contact, beat)


def _erase_contact(contact: Contact, beat: Beat = _silent) -> Counts:
    traces = traces_of_contact(contact)
    counts = _erase(traces, beat)
    _forget_requests(SubjectKind.CONTACT, traces)
    ledger.append(SubjectKind.CONTACT, traces.pk, traces.workspace_id)
    with all_workspaces_scope(REASON):
        allow_erasing()
        counts |= _counted(contact.delete()[1], counts)
        Erasure.objects.create(
            subject_kind=SubjectKind.CONTACT,
            subject_id=traces.pk,
            workspace_id=traces.workspace_id,
            counts=counts,
        )
    _forget_requests(SubjectKind.CONTACT, traces)
    caches.forget(traces.telling)
    return counts


def _erase(traces: Traces, beat: Beat) -> Counts:
    counts: Counts = {}
    declarations = _in_order()
    for number, declaration in enumerate(declarations):
        beat(number, len(declarations))
        if done := scrub(declaration, traces) + _delete_own(declaration, traces):
            counts[declaration.label] = done
    return counts


def _in_order() -> list[Declaration]:
    """The audit trail last: it says where else the person was known, should this have to begin again."""
    return sorted(INVENTORY.values(), key=lambda declaration: bool(declaration.fields(Rule.WHOLE)))


def _delete_own(declaration: Declaration, traces: Traces) -> int:
    """Rows that belong to the person, except those by which they are known."""
    path = declaration.subjects.get(traces.person)
    if path is None or declaration.known_by:
        return 0
    with all_workspaces_scope(REASON):
        allow_erasing()
        rows = declaration.model._base_manager.filter(**{path: traces.pk})
        # The objects first: a row is what says where they are.
        drop_archived(declaration, rows)
        return rows.delete()[0]


def _delete_known(traces: Traces) -> None:
    """With the person's own row, in one transaction: until then they say what to look for."""
    for declaration in INVENTORY.values():
        path = declaration.subjects.get(traces.person)
        if declaration.known_by and path and path != "pk":
            declaration.model._base_manager.filter(**{path: traces.pk}).delete()


def _counted(deleted: Mapping[str, int], before: Counts) -> Counts:
    """Rows that went with the person's own."""
    return {label: before.get(label, 0) + number for label, number in deleted.items() if number}


def _forget_requests(kind: str, traces: Traces) -> None:
    """Copies made before, of theirs and of every workspace they were in; what they asked for stays, without a name.

    Called before and after the person's own row goes: a copy that was under way may end in between.
    """
    workspaces = {traces.workspace_id} - {None} if traces.person == Person.CONTACT else traces.name_workspaces
    own = Q(subject_kind=kind, subject_id=traces.pk)
    whole = Q(subject_kind=SubjectKind.WORKSPACE, subject_id__in=workspaces)
    with all_workspaces_scope(REASON):
        for row in PrivacyRequest.objects.filter(own | whole).exclude(file=""):
            drop_file(row)
        PrivacyRequest.objects.filter(own).update(subject_label="", details={}, extended_because="", refusal="")
    # Those of the command have no request.
    for pk in {traces.pk, *workspaces}:
        default_storage.delete(copy_name(pk))


def copy_name(pk: UUID) -> str:
    """In the storage: by the request, or by the subject where the command made it."""
    return f"{COPIES}/{pk}.zip"


def drop_archived(declaration: Declaration, rows: QuerySet[Model]) -> None:
    for field in declaration.archived_in:
        for name in rows.exclude(**{field: ""}).values_list(field, flat=True).distinct().order_by():
            storages["archive"].delete(name)


def drop_file(row: PrivacyRequest) -> None:
    """The file first: a row without it is what says that it is gone."""
    default_storage.delete(row.file)
    PrivacyRequest.objects.filter(pk=row.pk).update(file="", file_expires_at=None)


# --- after a restore ----------------------------------------------------------------------------------------


def replay(kind: str, subject_id: UUID) -> bool:
    """Erase again what a backup brought back; False where there is nothing. Holds and ownership were settled then."""
    with transaction.atomic(), all_workspaces_scope("replay of erasures"):
        user = User.objects.filter(pk=subject_id).first() if kind == SubjectKind.USER else None
        contact = Contact.objects.filter(pk=subject_id).first() if kind == SubjectKind.CONTACT else None
    if user is not None:
        _erase_user(user)
    if contact is not None:
        _erase_contact(contact)
    return bool(user or contact)
