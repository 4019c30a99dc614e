"""What webhooks tell of: every kind of event. A test walks the code for kinds that are missing here."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

ALL = "*"
TEST = "webhook.test"


@dataclass(frozen=True)
class Kind:
    """`subject` is what it is about: its events go out in their order. `extra` is what an example adds to the facts."""

    name: str
    text: str
    subject: str
    extra: dict[str, Any]

    @property
    def area(self) -> str:
        return self.name.partition(".")[0]

    @property
    def short(self) -> str:
        return self.name.partition(".")[2].replace("_", " ")


# The name, what it means, what it is about where the name does not say so, and what else it carries.
ROWS: list[tuple[str, str, str, dict[str, Any]]] = [
    ("post.created", "A post was written.", "", {}),
    ("delivery.in_review", "A post for one account waits for approval.", "", {}),
    ("delivery.approved", "It was approved, and is scheduled where it had a time.", "", {}),
    ("delivery.rejected", "A reviewer said no.", "", {}),
    ("delivery.changes", "A reviewer asked for changes.", "", {}),
    ("delivery.expired", "Nobody decided in time; it is a draft again.", "", {}),
    ("delivery.published", "It is live on its network.", "", {}),
    ("delivery.failed", "It could not be published.", "", {}),
    ("delivery.unconfirmed", "Nobody knows yet whether it is live.", "", {}),
    ("delivery.missed", "Its time passed while nothing could be sent; a person is asked.", "", {}),
    ("delivery.dropped", "It was too late, and was dropped as the workspace wants.", "", {}),
    ("delivery.cut_off", "A thread that had begun was too late to be finished.", "", {}),
    ("delivery.edited", "A live post was edited.", "", {}),
    ("delivery.taken_down", "A live post was taken down.", "", {}),
    ("campaign.created", "A campaign was made.", "", {}),
    ("campaign.draft", "An archived campaign was brought back.", "", {}),
    ("campaign.running", "A campaign runs.", "", {}),
    ("campaign.paused", "A campaign was paused, by a person or by its budget.", "", {}),
    ("campaign.completed", "A campaign is over.", "", {}),
    ("campaign.archived", "A campaign was archived.", "", {}),
    ("import.applied", "The rows of a file became posts.", "", {}),
    ("review.escalated", "A decision is overdue, and more people are asked.", "", {"level": 1}),
    ("report.ready", "A report can be read.", "", {}),
    ("run.waiting", "An assistant waits for a person's answer.", "", {"action": "publish"}),
    ("run.succeeded", "An assistant's work is done.", "", {}),
    ("run.failed", "An assistant's work failed.", "", {}),
    ("run.canceled", "An assistant's work was stopped by a person.", "", {}),
    ("run.timed_out", "An assistant's work took too long.", "", {}),
    ("run.over_budget", "An assistant's work was stopped by the budget.", "", {}),
    ("connection.connected", "An account was connected.", "", {}),
    ("connection.health", "The health of an account changed.", "", {"state": "restricted"}),
    ("contact.created", "A contact was added.", "", {}),
    ("contact.updated", "A contact was changed.", "", {}),
    ("contact.restricted", "A contact's data are kept and no longer used.", "", {}),
    ("contact.unrestricted", "A contact's data may be used again.", "", {}),
    ("contacts.imported", "Contacts were read from a file.", "workspace", {"create": 12, "update": 3}),
    ("consent.given", "A contact agreed.", "contact", {"purpose": "newsletter", "channel": "email"}),
    ("consent.withdrawn", "A contact took the consent back.", "contact", {"purpose": "newsletter", "channel": "email"}),
    ("consent.objected", "A contact objected.", "contact", {"purpose": "newsletter", "channel": "email"}),
    ("workspace.stopped", "All publishing was stopped.", "", {"reason": "A wrong price"}),
    ("workspace.released", "Publishing goes on.", "", {}),
    ("workspace.suspended", "The operator suspended the workspace.", "", {"reason": "Spam"}),
    ("workspace.unsuspended", "The operator let the workspace go on.", "", {"reason": "A mistake"}),
    ("workspace.plan", "The workspace has another plan.", "", {"plan": "pro"}),
    ("workspace.deletion_asked", "The workspace will be deleted.", "", {"deletes_at": "2026-12-21T09:00:00+00:00"}),
    ("workspace.deletion_canceled", "The workspace stays.", "", {}),
]
KINDS: dict[str, Kind] = {
    name: Kind(name, text, subject or name.partition(".")[0], extra) for name, text, subject, extra in ROWS
}
# In the order of the form.
AREAS: dict[str, str] = {
    "post": "Posts",
    "delivery": "Posts on their accounts",
    "campaign": "Campaigns",
    "import": "Imports",
    "review": "Reviews",
    "report": "Reports",
    "run": "Assistants",
    "connection": "Accounts",
    "contact": "Contacts",
    "contacts": "Contacts",
    "consent": "Consent",
    "workspace": "The workspace",
}


def is_wanted(kind: str, wanted: Iterable[str]) -> bool:
    """`wanted` has kinds, beginnings that end with a dot, or a star for all."""
    return any(word in (ALL, kind) or (word.endswith(".") and kind.startswith(word)) for word in wanted)


def told_of(wanted: Iterable[str]) -> str:
    """For people: areas of which all kinds are wanted, others with those that are: "Campaigns; Reports: ready"."""
    words = list(wanted)
    return "everything" if ALL in words else "; ".join(_areas(words))


def _areas(words: list[str]) -> Iterator[str]:
    for area, kinds in kinds_by_area().items():
        chosen = [kind.short for kind in kinds if is_wanted(kind.name, words)]
        if chosen:
            yield area if len(chosen) == len(kinds) else f"{area}: {', '.join(chosen)}"


def is_known(word: str) -> bool:
    return word == ALL or word in KINDS or (word.endswith(".") and any(name.startswith(word) for name in KINDS))


def subject_of(kind: str) -> str:
    """What an event is about; one that is not in the list is about what its name begins with."""
    return KINDS[kind].subject if kind in KINDS else kind.partition(".")[0]


def ordering_key(kind: str, payload: dict[str, Any]) -> str:
    """Events with the same key go out one after the other."""
    subject = subject_of(kind)
    return f"{subject}:{payload[subject]}"[:120] if subject in payload else "workspace"


def kinds_by_area() -> dict[str, list[Kind]]:
    areas: dict[str, list[Kind]] = {}
    for kind in KINDS.values():
        areas.setdefault(AREAS[kind.area], []).append(kind)
    return areas
