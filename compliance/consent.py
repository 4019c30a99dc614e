"""The consent ledger: who agreed to what, told by which notice, proved how. Rows are only ever added."""

import re
from collections.abc import Iterable
from typing import Any, NamedTuple

from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import QuerySet
from django.http import Http404

from accounts import audit
from accounts.access import Actor, Perm
from accounts.services import emit
from compliance.models import Consent, Contact, Notice
from lib.clock import now

State = Consent.State
# An objection or a withdrawal may cover everything; agreeing never does.
ANY = "any"
CHANNELS = ("email", "phone", "sms", "post", "x", "telegram", "web")
METHODS = ("form", "import", "api", "link", "gpc", "staff")
PURPOSE = re.compile(r"[a-z][a-z0-9_-]{0,39}\Z")
# What Global Privacy Control is about.
GPC_PURPOSES = ("sale", "sharing", "profiling")
MAX_PROOF = 2_000


class Answer(NamedTuple):
    allowed: bool
    why: str


# --- asking -----------------------------------------------------------------------------------------------


def may_contact(contact: Contact, purpose: str, channel: str) -> Answer:
    """Whether the person may be written to for this purpose on this channel, and the reason in words."""
    if contact.restricted_at:
        return Answer(False, "The use of this person's data is restricted.")
    row = newest(ledger_of(contact), purpose, channel)
    if row and row.state == State.GIVEN:
        return Answer(True, f"Agreed on {row.at:%Y-%m-%d} ({_proof(row)}).")
    if contact.has_gpc and purpose in GPC_PURPOSES:
        return Answer(False, "Their browser asks not to be tracked, profiled or sold (Global Privacy Control).")
    if row is None:
        return Answer(False, "This person has not agreed to it.")
    verb = "Withdrew" if row.state == State.WITHDRAWN else "Objected"
    return Answer(False, f"{verb} on {row.at:%Y-%m-%d} ({_proof(row)}).")


def _proof(row: Consent) -> str:
    return f"{row.method}, notice {row.notice.version}" if row.notice else row.method


def ledger_of(contact: Contact) -> QuerySet[Consent]:
    """The oldest first."""
    return Consent.objects.filter(contact=contact).select_related("notice").order_by("at", "id")


def newest(rows: Iterable[Consent], purpose: str, channel: str) -> Consent | None:
    """The last word on it. Rows are the oldest first; those about any purpose or channel count too."""
    found = None
    for row in rows:
        if row.purpose in {purpose, ANY} and row.channel in {channel, ANY}:
            found = row
    return found


def standing(rows: Iterable[Consent]) -> list[Consent]:
    """The last word on each purpose and channel that somebody ever agreed to."""
    rows = list(rows)
    asked = dict.fromkeys((row.purpose, row.channel) for row in rows if ANY not in {row.purpose, row.channel})
    found = [(purpose, channel, newest(rows, purpose, channel)) for purpose, channel in sorted(asked)]
    return [_about(row, purpose, channel) for purpose, channel, row in found if row]


def _about(row: Consent, purpose: str, channel: str) -> Consent:
    """The row as it reads for one purpose and channel; never saved."""
    return Consent(
        purpose=purpose, channel=channel, state=row.state, method=row.method, notice=row.notice, at=row.at, id=row.id
    )


# --- saying -----------------------------------------------------------------------------------------------


def give_consent(
    contact: Contact,
    purpose: str,
    channel: str,
    *,
    by: Actor,
    method: str,
    notice: Notice | None = None,
    evidence: dict[str, Any] | None = None,
) -> Consent:
    """Add a row, also where the person agreed before. Without a notice, the evidence must say what proves it."""
    _check(purpose, channel, method, evidence)
    if ANY in {purpose, channel}:
        raise ValidationError({"purpose": "Nobody can agree to everything at once. Name the purpose and the channel."})
    if notice is None and not evidence:
        raise ValidationError({"evidence": "Say what proves it, or which notice the person saw."})
    if notice and (notice.purpose, notice.workspace_id) != (purpose, contact.workspace_id):
        raise ValidationError({"notice": "This notice is about another purpose."})
    with transaction.atomic():
        if notice:
            # Its text stands still from now on: whoever changes it takes the same lock.
            Notice.objects.select_for_update(no_key=True, of=("self",)).get(pk=notice.pk)
        return _add(contact, purpose, channel, State.GIVEN, by, method, evidence, notice)


def withdraw_consent(
    contact: Contact,
    purpose: str,
    channel: str,
    *,
    by: Actor,
    method: str,
    evidence: dict[str, Any] | None = None,
) -> Consent:
    """`ANY` withdraws from every purpose or channel. Where nothing is left to withdraw, the former row stands."""
    return _refuse(contact, purpose, channel, State.WITHDRAWN, by, method, evidence)


def object_to(
    contact: Contact,
    purpose: str,
    channel: str,
    *,
    by: Actor,
    method: str,
    evidence: dict[str, Any] | None = None,
) -> Consent:
    """Also for somebody who never agreed (Art. 21). Recorded once."""
    return _refuse(contact, purpose, channel, State.OBJECTED, by, method, evidence)


def record_gpc(contact: Contact, *, by: Actor, evidence: dict[str, Any] | None = None) -> bool:
    """Their browser sent Sec-GPC: they object to sale, sharing and profiling. False where this is known."""
    by.require(Perm.CONTENT_EDIT)
    with transaction.atomic():
        if not Contact.objects.filter(pk=contact.pk, has_gpc=False).update(has_gpc=True):
            return False
        contact.has_gpc = True
        for purpose in GPC_PURPOSES:
            object_to(contact, purpose, ANY, by=by, method="gpc", evidence=evidence)
    return True


def _refuse(
    contact: Contact,
    purpose: str,
    channel: str,
    state: str,
    by: Actor,
    method: str,
    evidence: dict[str, Any] | None,
) -> Consent:
    _check(purpose, channel, method, evidence)
    with transaction.atomic():
        _lock(contact, by)
        former = _covering(ledger_of(contact), purpose, channel)
        if former and (former.state in {State.OBJECTED, state}):
            return former
        return _add(contact, purpose, channel, state, by, method, evidence, None)


def _covering(rows: Iterable[Consent], purpose: str, channel: str) -> Consent | None:
    """The refusal that says at least as much already, unless somebody agreed to a part of it afterwards."""
    found = None
    for row in rows:
        if row.state == State.GIVEN and _overlap(row, purpose, channel):
            found = None
        elif row.state != State.GIVEN and row.purpose in {purpose, ANY} and row.channel in {channel, ANY}:
            found = row
    return found


def _overlap(row: Consent, purpose: str, channel: str) -> bool:
    return purpose in {row.purpose, ANY} and channel in {row.channel, ANY}


def _add(
    contact: Contact,
    purpose: str,
    channel: str,
    state: str,
    by: Actor,
    method: str,
    evidence: dict[str, Any] | None,
    notice: Notice | None,
) -> Consent:
    _lock(contact, by)
    former = newest(ledger_of(contact), purpose, channel)
    row = Consent.objects.create(
        workspace=by.workspace,
        contact=contact,
        purpose=purpose,
        channel=channel,
        state=state,
        method=method,
        notice=notice,
        evidence=evidence or {},
        recorded_by=by.label[:120],
        # After the lock: the order of the rows is the order of what was said.
        at=now(),
    )
    emit(by.workspace, f"consent.{state}", contact=str(contact.pk), purpose=purpose, channel=channel)
    facts = {"purpose": purpose, "channel": channel, "method": method} | ({"notice": str(notice)} if notice else {})
    before = {"state": former.state if former else None}
    audit.record(VERBS[state], contact, by=by, before=before, after={"state": state}, **facts)
    return row


VERBS = {"given": "consent.give", "withdrawn": "consent.withdraw", "objected": "consent.object"}


def _lock(contact: Contact, by: Actor) -> None:
    by.require(Perm.CONTENT_EDIT)
    if not Contact.objects.select_for_update(no_key=True).filter(pk=contact.pk, workspace=by.workspace).exists():
        raise Http404("No such contact.")


def _check(purpose: str, channel: str, method: str, evidence: dict[str, Any] | None) -> None:
    if not PURPOSE.match(purpose):
        raise ValidationError({"purpose": "Use small letters, digits and hyphens, such as newsletter."})
    if channel not in {*CHANNELS, ANY}:
        raise ValidationError({"channel": f"Choose one of {', '.join(CHANNELS)}."})
    if method not in METHODS:
        raise ValidationError({"method": f"Choose one of {', '.join(METHODS)}."})
    if len(str(evidence or "")) > MAX_PROOF:
        raise ValidationError({"evidence": f"At most {MAX_PROOF:,} characters."})
