"""One search over posts, campaigns, people, conversations and the audit trail, each as far as its reader may see it."""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import OuterRef, Q, Subquery, TextField
from django.db.models.functions import Cast
from django.urls import reverse

from accounts.access import Actor, Perm
from accounts.audit_queries import changes_of, visible_entries
from accounts.models import Membership
from campaigns.access import visible_campaigns, visible_posts
from campaigns.inbox.acts import find_conversations
from campaigns.models import InboxMessage
from compliance.contacts import search_contacts
from integrations.search.marks import marked, snippet
from integrations.search.pages import PAGES
from integrations.search.queries import Asked, read_asked
from integrations.search.ranking import Found, rank

INDEXED = ("post", "campaign")
KINDS = {
    "campaign": "Campaigns",
    "post": "Posts",
    "person": "People",
    "conversation": "Inbox",
    "audit": "Audit trail",
}
# What is looked for with every letter; the rest reads whole tables.
QUICK = ("campaign", "post", "person")
LIMIT, MAX_LIMIT = 10, 50


@dataclass(frozen=True)
class Hit:
    """`title` and `text` are HTML, escaped, with <mark> around what was asked for."""

    kind: str
    id: str
    title: str
    text: str
    path: str
    at: datetime | None = None


@dataclass(frozen=True)
class Group:
    kind: str
    hits: list[Hit]
    # More were found than are shown.
    has_more: bool

    @property
    def label(self) -> str:
        return KINDS[self.kind]


def find(text: str, *, by: Actor, kinds: Collection[str] = QUICK, limit: int = LIMIT) -> list[Group]:
    """By kind, each the best first; kinds without a hit are left out. Inside the workspace's scope."""
    asked, limit = read_asked(text), max(1, min(limit, MAX_LIMIT))
    if not asked.text:
        return []
    groups = _indexed(asked, by, [kind for kind in INDEXED if kind in kinds], limit)
    for kind, search in OTHERS.items():
        if kind in kinds:
            # One more than is shown says that there are more.
            groups[kind] = search(asked, by, limit + 1)
    return [Group(kind, groups[kind][:limit], len(groups[kind]) > limit) for kind in KINDS if groups.get(kind)]


# --- posts and campaigns ----------------------------------------------------------------------------------


def _indexed(asked: Asked, by: Actor, kinds: Sequence[str], limit: int) -> dict[str, list[Hit]]:
    if not kinds or not (by.is_guest or by.can(Perm.VIEW)):
        return {}
    groups: dict[str, list[Found]] = {kind: [] for kind in kinds}
    for found in rank(by, asked, kinds):
        if len(groups[found.kind]) <= limit:
            groups[found.kind].append(found)
    return {kind: _still_there(kind, rows, asked, by) for kind, rows in groups.items()}


def _still_there(kind: str, rows: list[Found], asked: Asked, by: Actor) -> list[Hit]:
    """The entry was made a moment ago: what may be seen now says the object itself."""
    ids = [row.object_id for row in rows]
    visible = visible_posts(by) if kind == "post" else visible_campaigns(by)
    there = set(visible.filter(pk__in=ids).values_list("pk", flat=True)) if ids else set()
    return [_hit(row, asked) for row in rows if row.object_id in there]


def _hit(row: Found, asked: Asked) -> Hit:
    page = "campaigns:post-detail" if row.kind == "post" else "campaigns:campaign-detail"
    text = snippet(row.body, asked) if row.body != row.title else ""
    path = reverse(page, args=[row.object_id])
    return Hit(row.kind, str(row.object_id), marked(row.title or "Untitled", asked), text, path, row.at)


# --- the others -------------------------------------------------------------------------------------------


def _people(asked: Asked, by: Actor, limit: int) -> list[Hit]:
    if not by.can(Perm.VIEW):
        return []
    word = asked.text.removeprefix("@")
    members = Membership.objects.filter(workspace=by.workspace).select_related("user").order_by("user__name")
    named = members.filter(Q(user__name__icontains=word) | Q(user__email__icontains=word))[:limit]
    path = reverse("accounts:members")
    hits = [_person(row.user.name or row.user.email, row.user.email, path, row.user_id, asked) for row in named]
    contacts = search_contacts(by, word).order_by("-created_at")[: limit - len(hits)]
    return hits + [
        _person(str(row), row.email or row.handle, reverse("compliance:contact", args=[row.pk]), row.pk, asked)
        for row in contacts
    ]


def _person(name: str, address: str, path: str, pk: object, asked: Asked) -> Hit:
    return Hit("person", str(pk), marked(name, asked), marked(address, asked) if address != name else "", path)


def _conversations(asked: Asked, by: Actor, limit: int) -> list[Hit]:
    if not by.can(Perm.VIEW):
        return []
    found: list[Hit] = []
    messages = InboxMessage.objects.filter(_says(asked), conversation=OuterRef("pk"))
    said = messages.order_by("-sent_at").values("text")[:1]
    for wanted in ("open", "done"):
        rows = find_conversations(by, wanted=wanted, words=asked.text).annotate(said=Subquery(said))
        found += [_conversation(row, asked) for row in rows.order_by("-last_at")[: limit - len(found)]]
    return found


def _conversation(row: Any, asked: Asked) -> Hit:
    name = row.author_name or row.author_handle or "Somebody"
    path = reverse("campaigns:conversation", args=[row.pk])
    return Hit("conversation", str(row.pk), marked(name, asked), snippet(row.said or "", asked), path, row.last_at)


def _says(asked: Asked) -> Q:
    wanted = Q()
    for word in asked.text.split()[:6]:
        wanted |= Q(text__icontains=word)
    return wanted


def _audit(asked: Asked, by: Actor, limit: int) -> list[Hit]:
    if not by.can(Perm.AUDIT):
        return []
    rows = visible_entries(by).annotate(words=Cast("detail__data", TextField()))
    for word in asked.text.split()[:6]:
        rows = rows.filter(Q(action__icontains=word) | Q(detail__actor__icontains=word) | Q(words__icontains=word))
    return [_entry(row, asked) for row in rows[:limit]]


def _entry(row: Any, asked: Asked) -> Hit:
    """As the trail's page says it: by whom, and what was so before and after."""
    who = row.detail.actor if getattr(row, "detail", None) else "erased"
    said = snippet("; ".join([who, *map(str, changes_of(row))]), asked)
    path = f"{reverse('accounts:audit')}?about={row.object_kind}+{row.object_id}"
    return Hit("audit", str(row.pk), marked(row.action, asked), said, path, row.at)


OTHERS: dict[str, Callable[[Asked, Actor, int], list[Hit]]] = {
    "person": _people,
    "conversation": _conversations,
    "audit": _audit,
}


def pages_named(text: str, *, by: Actor) -> list[tuple[str, str]]:
    """(name, path) of the pages whose name begins one of its words like this."""
    word = text.strip().lower()
    return [
        (page.label, reverse(page.name))
        for page in PAGES
        if word and page.is_for(by) and any(part.startswith(word) for part in [page.label.lower(), *page.words])
    ]
