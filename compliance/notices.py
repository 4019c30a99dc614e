"""Notices: what people are told when they are asked. A version stands still once somebody agreed to it."""

from uuid import UUID

from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.db.models import Exists, OuterRef, QuerySet
from django.http import Http404

from accounts import audit
from accounts.access import Actor, Perm
from compliance.consent import ANY, PURPOSE
from compliance.contacts import LANGUAGE
from compliance.models import Consent, Contact, Notice
from lib.text import storable

MAX_NOTICE = 10_000


def visible_notices(actor: Actor) -> QuerySet[Notice]:
    """With `is_used`: then its text stands still."""
    actor.require(Perm.VIEW)
    used = Consent.objects.filter(notice=OuterRef("pk"))
    return Notice.objects.filter(workspace=actor.workspace).annotate(is_used=Exists(used))


def get_notice(actor: Actor, notice_id: UUID) -> Notice:
    notice = visible_notices(actor).filter(pk=notice_id).first()
    if notice is None:
        raise Http404("No such notice.")
    return notice


def latest_notice(contact: Contact, purpose: str, language: str) -> Notice | None:
    """The newest version, in the language if there is one, else in any."""
    notices = list(Notice.objects.filter(workspace=contact.workspace_id, purpose=purpose).order_by("-version"))
    newest_version = [notice for notice in notices if notice.version == notices[0].version]
    spoken = [notice for notice in newest_version if primary(notice.language) == primary(language)]
    return next(iter(spoken or newest_version), None)


def primary(language: str) -> str:
    return language.partition("-")[0].lower()


def publish_notice(*, by: Actor, purpose: str, language: str, text: str) -> Notice:
    """A new version; or, where the newest one lacks this language, its translation."""
    by.require(Perm.SETTINGS)
    purpose, language, text = purpose.strip().lower(), language.strip(), _notice_text(text)
    if not PURPOSE.match(purpose) or purpose == ANY:
        raise ValidationError({"purpose": "Use small letters, digits and hyphens, such as newsletter."})
    if not LANGUAGE.match(language):
        raise ValidationError({"language": "Use a code such as en, zh or pt-BR."})
    try:
        with transaction.atomic():
            version = _next_version(by, purpose, language)
            notice = Notice.objects.create(
                workspace=by.workspace,
                purpose=purpose,
                version=version,
                language=language,
                text=text,
                created_by=by.user,
            )
            audit.record("notice.publish", notice, by=by, notice=str(notice))
    except IntegrityError as error:
        raise ValidationError("Somebody else published a version at this moment. Look at it first.") from error
    return notice


def _next_version(by: Actor, purpose: str, language: str) -> int:
    notices = Notice.objects.filter(workspace=by.workspace, purpose=purpose)
    versions = list(notices.order_by("-version").values_list("version", "language"))
    if not versions:
        return 1
    last = versions[0][0]
    return last + ((last, language) in versions)


def update_notice(notice: Notice, *, by: Actor, text: str) -> Notice:
    """Only until the first person agreed to it."""
    by.require(Perm.SETTINGS)
    text = _notice_text(text)
    with transaction.atomic():
        stored = Notice.objects.select_for_update(no_key=True, of=("self",)).get(pk=notice.pk)
        if Consent.objects.filter(notice=stored).exists():
            raise ValidationError({"text": "Somebody agreed to this text, so it stays. Publish a new version."})
        if stored.text != text:
            Notice.objects.filter(pk=stored.pk).update(text=text)
            audit.record("notice.update", stored, by=by, notice=str(stored), before=stored.text, after=text)
    notice.text = text
    return notice


def _notice_text(text: str) -> str:
    text = storable(text).strip()
    if not text:
        raise ValidationError({"text": "Write what people are told."})
    if len(text) > MAX_NOTICE:
        raise ValidationError({"text": f"At most {MAX_NOTICE:,} characters; this has {len(text):,}."})
    return text
