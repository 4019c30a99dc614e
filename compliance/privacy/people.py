"""Restriction, correction and objection: what a person may ask for besides a copy and erasure."""

from typing import Any
from uuid import UUID

from django.core.exceptions import ValidationError
from django.db import transaction

from accounts.access import Actor
from accounts.models import User, check_time_zone
from accounts.scope import all_workspaces_scope
from compliance import consent
from compliance.models import Contact, PrivacyRequest
from compliance.models.privacy import SubjectKind
from compliance.privacy import caches
from lib.clock import now
from lib.text import one_line, storable

USER_FIELDS = {"name": 120, "time_zone": 64}
CONTACT_FIELDS = {"name": 120, "email": 254, "network": 12, "handle": 80, "country": 2, "language": 12, "notes": 5_000}


# --- correction (Art. 16) -------------------------------------------------------------------------------------


def check_corrections(kind: str, wanted: dict[str, Any]) -> dict[str, str]:
    """The given corrections, cleaned; raises ValidationError for fields that cannot be corrected."""
    known = USER_FIELDS if kind == SubjectKind.USER else CONTACT_FIELDS
    if not wanted or wanted.keys() - known.keys():
        raise ValidationError({"corrections": f"Give new values for one or more of {', '.join(known)}."})
    return {name: storable(one_line(value))[: known[name]] for name, value in wanted.items()}


def rectify_user(user: User, corrections: dict[str, str]) -> None:
    if corrections.get("time_zone"):
        check_time_zone(corrections["time_zone"])
    for name, value in corrections.items():
        setattr(user, name, value)
    user.clean_fields(exclude={f.name for f in user._meta.fields} - corrections.keys())
    user.save(update_fields=list(corrections))


# --- restriction (Art. 18) ------------------------------------------------------------------------------------


def restrict_user(user: User) -> None:
    """Kept, but used for nothing: nobody logs in, no key or token works, nothing is mailed, until they lift it."""
    User.objects.filter(pk=user.pk).update(is_active=False)
    caches.end_sessions(str(user.pk))


def lift_restriction(request_id: UUID) -> bool:
    """Of an account, by the link that was mailed; False where it was lifted already or never stood."""
    with transaction.atomic(), all_workspaces_scope("a person lifts their own restriction"):
        row = (
            PrivacyRequest.objects.select_for_update(no_key=True)
            .filter(pk=request_id, kind="restrict", status="done")
            .first()
        )
        if row is None or row.details.get("lifted_at") or row.subject_kind != SubjectKind.USER:
            return False
        row.details = {**row.details, "lifted_at": now().isoformat()}
        row.save(update_fields=["details"])
        return bool(User.objects.filter(pk=row.subject_id, is_active=False).update(is_active=True))


# --- objection (Art. 21) --------------------------------------------------------------------------------------


def object_as_user(user: User) -> None:
    """What we do on the ground of our own interest: mails about what happens in a workspace."""
    User.objects.filter(pk=user.pk).update(mail_alerts=False)


def object_as_contact(contact: Contact, purposes: list[str], *, by: Actor) -> None:
    """Against each purpose, or against all, on every channel."""
    for purpose in purposes or [consent.ANY]:
        consent.object_to(contact, purpose, consent.ANY, by=by, method="staff")
