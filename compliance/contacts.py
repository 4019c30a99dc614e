"""Contacts: the people a workspace talks to who have no account here."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from uuid import UUID

from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.db.models import Q, QuerySet
from django.http import Http404

from accounts import audit
from accounts.access import Actor, Perm
from accounts.services import emit
from compliance.models import Contact
from lib.clock import now
from lib.text import one_line, storable

FIELDS = ("name", "email", "network", "remote_id", "handle", "country", "language", "notes")
MAX_NOTES = 5_000
NETWORK = re.compile(r"[a-z0-9_]{1,12}\Z")
COUNTRY = re.compile(r"[A-Z]{2}\Z")
# The simple forms of BCP 47: en, zh-Hans, pt-BR.
LANGUAGE = re.compile(r"[a-z]{2,3}(-[A-Za-z0-9]{2,8})?\Z")
TAKEN = {
    "contact_mail_once": ("email", "There is a contact with this address already."),
    "contact_account_once": ("remote_id", "There is a contact with this account already."),
}


def visible_contacts(actor: Actor) -> QuerySet[Contact]:
    actor.require(Perm.VIEW)
    return Contact.objects.filter(workspace=actor.workspace)


def search_contacts(actor: Actor, words: str) -> QuerySet[Contact]:
    """Any part of a name, an address or a handle."""
    words = words.replace("\0", "").strip().removeprefix("@")[:120]
    contacts = visible_contacts(actor)
    if not words:
        return contacts
    return contacts.filter(Q(name__icontains=words) | Q(email__icontains=words) | Q(handle__icontains=words))


def get_contact(actor: Actor, contact_id: UUID) -> Contact:
    contact = visible_contacts(actor).filter(pk=contact_id).first()
    if contact is None:
        raise Http404("No such contact.")
    return contact


def create_contact(*, by: Actor, **fields: str) -> Contact:
    """Any of FIELDS; at least one of them says who it is."""
    by.require(Perm.CONTENT_EDIT)
    contact = Contact(workspace=by.workspace, created_by=by.user, **clean_fields(fields))
    check_contact(contact)
    with once(), transaction.atomic():
        contact.save(force_insert=True)
        emit(by.workspace, "contact.created", contact=str(contact.pk))
        # Who it is stands in the row, which can be erased; the trail names fields only.
        audit.record("contact.create", contact, by=by, fields=[name for name in FIELDS if getattr(contact, name)])
    return contact


def update_contact(contact: Contact, *, by: Actor, **fields: str) -> Contact:
    """Any of FIELDS."""
    by.require(Perm.CONTENT_EDIT)
    changed = fill_contact(contact, clean_fields(fields))
    check_contact(contact)
    if changed:
        with once(), transaction.atomic():
            contact.save(update_fields=changed)
            emit(by.workspace, "contact.updated", contact=str(contact.pk))
            audit.record("contact.update", contact, by=by, fields=changed)
    return contact


def restrict_contact(contact: Contact, *, by: Actor, restricted: bool = True) -> bool:
    """Keep the person's data and use it for nothing, or end that. False where it is so already."""
    by.require(Perm.CONTENT_EDIT)
    with transaction.atomic():
        rows = Contact.objects.filter(pk=contact.pk, restricted_at__isnull=restricted)
        if not rows.update(restricted_at=now() if restricted else None):
            return False
        contact.refresh_from_db(fields=["restricted_at"])
        act = "restrict" if restricted else "unrestrict"
        emit(by.workspace, f"contact.{act}ed", contact=str(contact.pk))
        audit.record(
            f"contact.{act}", contact, by=by, before={"restricted": not restricted}, after={"restricted": restricted}
        )
    return True


# --- what a contact may hold ------------------------------------------------------------------------------


def clean_fields(fields: dict[str, Any]) -> dict[str, str]:
    """As they are stored. Raises TypeError for a name that is none of FIELDS."""
    if unknown := fields.keys() - set(FIELDS):
        raise TypeError(f"{', '.join(sorted(unknown))}: no fields of a contact.")
    return {name: _clean(name, storable(str(value or ""))) for name, value in fields.items()}


def _clean(name: str, value: str) -> str:
    if name == "notes":
        return value.strip()
    value = one_line(value)
    if name in {"email", "network"}:
        return value.lower()
    if name == "country":
        return value.upper()
    if name == "language":
        first, dash, rest = value.partition("-")
        return first.lower() + dash + rest
    return value.removeprefix("@") if name == "handle" else value


def fill_contact(contact: Contact, fields: dict[str, str]) -> list[str]:
    """The names of what is different now."""
    changed = [name for name, value in fields.items() if getattr(contact, name) != value]
    for name in changed:
        setattr(contact, name, fields[name])
    return changed


def check_contact(contact: Contact) -> None:
    """Raises ValidationError by field. Asks the database nothing: `once` says what is there already."""
    contact.clean_fields(exclude=[field.name for field in Contact._meta.fields if field.name not in FIELDS])
    if errors := dict(_wrong(contact)):
        raise ValidationError(errors)


def _wrong(contact: Contact) -> Iterator[tuple[str, str]]:
    if not (contact.name or contact.email or contact.handle or contact.remote_id):
        yield "name", "Give a name, an address or an account."
    if contact.country and not COUNTRY.match(contact.country):
        yield "country", "Use a code of two letters, such as DE or CN."
    if contact.language and not LANGUAGE.match(contact.language):
        yield "language", "Use a code such as en, zh or pt-BR."
    if contact.network and not NETWORK.match(contact.network):
        yield "network", "Use a short name, such as x or telegram."
    if (contact.remote_id or contact.handle) and not contact.network:
        yield "network", "Say which network this account is on."
    if len(contact.notes) > MAX_NOTES:
        yield "notes", f"At most {MAX_NOTES:,} characters; this has {len(contact.notes):,}."


@contextmanager
def once() -> Iterator[None]:
    """Say beside the right field that a person is there already."""
    try:
        yield
    except IntegrityError as error:
        for constraint, (field, text) in TAKEN.items():
            if constraint in str(error):
                raise ValidationError({field: text}) from error
        raise
