"""The link by which a person without an account sees and changes what they agreed to."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from uuid import UUID

from django.conf import settings
from django.core import signing
from django.http import Http404
from django.urls import reverse

from accounts.access import Actor, Perm, system_actor
from accounts.middleware import root_addresses
from accounts.models import Workspace
from accounts.scope import workspace_scope
from compliance.models import Contact

SALT = "compliance.choices"
LABEL = "the person, by link"


@dataclass(frozen=True)
class Person:
    contact: Contact
    workspace: Workspace
    actor: Actor


def choices_token(contact: Contact) -> str:
    """Good for as long as the contact: withdrawing may not become harder with time."""
    return signing.dumps([contact.workspace_id.hex, contact.pk.hex], salt=SALT)


def choices_url(contact: Contact, route: str = "public:choices") -> str:
    with root_addresses():
        return settings.BASE_URL + reverse(route, args=[choices_token(contact)])


def unsubscribe_headers(contact: Contact, purpose: str = "", channel: str = "") -> dict[str, str]:
    """For a mail (RFC 8058). Without a purpose, one click ends all of them."""
    query = f"?purpose={purpose}&channel={channel}" if purpose and channel else ""
    return {
        "List-Unsubscribe": f"<{choices_url(contact, 'public:unsubscribe')}{query}>",
        "List-Unsubscribe-Post": "List-Unsubscribe=One-Click",
    }


@contextmanager
def person_of(token: str) -> Iterator[Person]:
    """Opens the workspace. A token that is wrong, or whose contact was erased, is the same 404."""
    try:
        workspace_id, contact_id = (UUID(part) for part in signing.loads(token, salt=SALT))
    except (signing.BadSignature, ValueError, TypeError) as error:
        raise Http404("No such page.") from error
    with workspace_scope(workspace_id):
        contact = Contact.objects.select_related("workspace").filter(pk=contact_id).first()
        if contact is None:
            raise Http404("No such page.")
        workspace = contact.workspace
        yield Person(contact, workspace, system_actor(workspace, LABEL, {Perm.VIEW, Perm.CONTENT_EDIT}))
