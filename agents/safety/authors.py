"""Who wrote to us, and whether an answer may be prepared at all: opt-outs, loops, other robots."""

import re
from dataclasses import dataclass
from datetime import timedelta

from accounts import rate
from accounts.access import Actor
from accounts.models import Workspace
from compliance.consent import ANY, ledger_of, newest, object_to
from compliance.contacts import create_contact
from compliance.models import Consent, Contact
from social.models import Bot, Connection

NETWORKS = frozenset({"x", "telegram"})
OPTED_OUT = "They asked not to be contacted."
OURS = "It was written by one of our own accounts."
ROBOT = "The account looks like a robot: two of them would answer each other for ever."
TOO_MANY = "There are many replies to this person, or in this conversation, already. A person should take over."
SAME_AGAIN = "The same person sent the same text again and again."
# On Telegram every bot's name ends so; elsewhere Talbot is a person.
_ROBOT_NAME = re.compile(r"(?:^|[_.\-\d])(?:bot|robot|auto_?reply)s?\d*$|[a-z\d]Bot\d*$")
_TELEGRAM_BOT = re.compile(r"bot$", re.IGNORECASE)


@dataclass(frozen=True)
class Author:
    """Empty where the caller does not say."""

    network: str = ""
    handle: str = ""
    remote_id: str = ""
    conversation: str = ""

    @property
    def name(self) -> str:
        return self.remote_id or self.handle.lower().lstrip("@")


def why_not_answer(author: Author, text_sha256: str, *, by: Actor) -> str:
    """A sentence, or nothing. Counts the message (call it inside an effect of the run)."""
    if not author.name:
        return ""
    if _is_ours(author):
        return OURS
    if _is_robot(author):
        return ROBOT
    if has_opted_out(author, by.workspace):
        return OPTED_OUT
    if not rate.take(_repeats(author, text_sha256, by.workspace)).ok:
        return SAME_AGAIN
    return "" if rate.take(*_caps(author, by.workspace)).ok else TOO_MANY


def _is_ours(author: Author) -> bool:
    handle = author.handle.lower().lstrip("@")
    names = Connection.objects.values_list("remote_id", "handle").filter(network=author.network)
    bots = Bot.objects.values_list("bot_id", "username") if author.network == "telegram" else ()
    return any(
        (author.remote_id and author.remote_id == str(key)) or (handle and handle == name.lower())
        for key, name in [*names, *bots]
    )


def _is_robot(author: Author) -> bool:
    pattern = _TELEGRAM_BOT if author.network == "telegram" else _ROBOT_NAME
    return pattern.search(author.handle) is not None


def _repeats(author: Author, text_sha256: str, workspace: Workspace) -> rate.Limit:
    scope = ("social-text", workspace.pk, author.network, author.name, text_sha256)
    return rate.Limit(scope, count=3, per=timedelta(hours=1), burst=3)


def _caps(author: Author, workspace: Workspace) -> list[rate.Limit]:
    person = ("social-author", workspace.pk, author.network, author.name)
    caps = [rate.Limit(person, count=20, per=timedelta(days=1), burst=6)]
    if author.conversation:
        scope = ("social-conversation", workspace.pk, author.network, author.conversation)
        caps.append(rate.Limit(scope, count=30, per=timedelta(days=1), burst=10))
    return caps


def find_contact(author: Author, workspace: Workspace) -> Contact | None:
    rows = Contact.objects.filter(workspace=workspace, network=author.network)
    if author.remote_id and (found := rows.filter(remote_id=author.remote_id).first()):
        return found
    return rows.filter(handle__iexact=author.handle.lstrip("@")).first() if author.handle else None


def has_opted_out(author: Author, workspace: Workspace) -> bool:
    contact = find_contact(author, workspace)
    last = newest(ledger_of(contact), ANY, author.network) if contact else None
    return last is not None and last.state != Consent.State.GIVEN


def opt_out(author: Author, *, by: Actor) -> dict[str, str]:
    """From everything, on this network, at once. It only ever concerns who asks for it."""
    contact = find_contact(author, by.workspace) or create_contact(
        by=by, network=author.network, remote_id=author.remote_id, handle=author.handle.lstrip("@")
    )
    object_to(contact, ANY, author.network, by=by, method="api", evidence={"said": "asked to stop"})
    return {"contact": str(contact.pk)}
