"""What people are written about their requests, and the signed links in it."""

from typing import Any
from uuid import UUID

from django.conf import settings
from django.core import signing
from django.core.mail import send_mail
from django.template.loader import render_to_string
from django.urls import reverse

from accounts.middleware import root_addresses
from accounts.scope import all_workspaces_scope
from compliance.models import Contact, PrivacyRequest
from compliance.models.privacy import SubjectKind
from lib.text import one_line

SALT = "compliance.privacy.request"
LIFT_SALT = "compliance.privacy.lift"


def token_of(row: PrivacyRequest, salt: str = SALT) -> str:
    return signing.dumps(str(row.pk), salt=salt)


def request_of(token: str, salt: str = SALT) -> PrivacyRequest | None:
    """The request a link stands for; whoever has the link reads the mail of the person."""
    try:
        pk = signing.loads(token, salt=salt)
    except signing.BadSignature:
        return None
    with all_workspaces_scope("a signed link of a privacy request"):
        return PrivacyRequest.objects.select_related("workspace").filter(pk=pk).first()


def link_of(row: PrivacyRequest) -> str:
    with root_addresses():
        return settings.BASE_URL + reverse("public:privacy-request", args=[token_of(row)])


def lift_link_of(row: PrivacyRequest) -> str:
    with root_addresses():
        return settings.BASE_URL + reverse("public:privacy-lift", args=[token_of(row, LIFT_SALT)])


def send_verification(request_id: UUID) -> bool:
    """To the address we know, never to one that came with the request; False where there is none."""
    with all_workspaces_scope("mail about a privacy request"):
        row = PrivacyRequest.objects.select_related("workspace").filter(pk=request_id, status="verifying").first()
        contact = Contact.objects.filter(pk=row.subject_id).first() if row else None
    if row is None or contact is None or not contact.email:
        return False
    name = one_line(row.workspace or "Rostrum")
    context = {"row": row, "url": link_of(row), "name": name}
    _send(f"Did you ask {name} about your data?", "verify", contact.email, context)
    return True


def tell_outcome(request_id: UUID, address: str) -> None:
    """To a person with an address; a workspace's own export is told of on its page."""
    with all_workspaces_scope("mail about a privacy request"):
        row = PrivacyRequest.objects.select_related("workspace").get(pk=request_id)
    if not address or row.subject_kind == SubjectKind.WORKSPACE:
        return
    url = link_of(row) if row.subject_kind == SubjectKind.CONTACT else f"{settings.BASE_URL}/account/privacy"
    context = {"row": row, "url": url, "lift_url": lift_link_of(row), "name": one_line(row.workspace or "Rostrum")}
    _send(f"{context['name']}: {row.get_kind_display().lower()}", "outcome", address, context)


def remind(row: PrivacyRequest, addresses: list[str]) -> None:
    for address in addresses:
        context = {"row": row, "days": max((row.due_at - row.received_at).days, 0), "base": settings.BASE_URL}
        _send("A privacy request is due soon", "reminder", address, context)


def _send(subject: str, template: str, address: str, context: dict[str, Any]) -> None:
    text = render_to_string(f"compliance/privacy_mail_{template}.txt", context)
    send_mail(one_line(subject)[:150], text, None, [address], fail_silently=False)
