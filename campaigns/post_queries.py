"""The list of posts: tabs, filters, order."""

from collections.abc import Callable
from dataclasses import dataclass
from uuid import UUID

from django.db.models import Count, Exists, F, Max, Min, OrderBy, OuterRef, Prefetch, Q, QuerySet
from django.utils.text import smart_split

from campaigns.models import Delivery, Post, PostPart

State = Delivery.State
# A post to several accounts can stand in more than one.
TABS: dict[str, tuple[str, Q]] = {
    "drafts": ("Drafts", Q(deliveries=None) | Q(deliveries__state=State.DRAFT)),
    "review": ("In review", Q(deliveries__state=State.IN_REVIEW)),
    "scheduled": (
        "Scheduled",
        Q(deliveries__state__in=[State.APPROVED, State.SCHEDULED, State.PUBLISHING, State.RETRY_WAIT, State.PAUSED]),
    ),
    "published": ("Published", Q(deliveries__state=State.PUBLISHED)),
    "attention": ("Needs attention", Q(deliveries__state__in=[State.FAILED, State.UNCONFIRMED, State.MISSED])),
}
NEWEST = F("created_at").desc()
ORDER: dict[str, Callable[[], tuple[dict, OrderBy]]] = {
    "scheduled": lambda: ({"at": Min("deliveries__scheduled_at")}, F("at").asc(nulls_last=True)),
    "published": lambda: ({"at": Max("deliveries__published_at")}, F("at").desc(nulls_last=True)),
}


@dataclass(frozen=True)
class PostFilter:
    tab: str = ""
    words: str = ""
    campaign_id: UUID | None = None
    connection_id: UUID | None = None

    @property
    def is_narrow(self) -> bool:
        return bool(self.words or self.campaign_id or self.connection_id)


def filter_posts(posts: QuerySet[Post], wanted: PostFilter) -> QuerySet[Post]:
    """All but the tab, so that the tabs can count."""
    if wanted.campaign_id:
        posts = posts.filter(campaign_id=wanted.campaign_id)
    if wanted.connection_id:
        to_connection = Delivery.objects.filter(post=OuterRef("pk"), connection_id=wanted.connection_id)
        posts = posts.filter(Exists(to_connection))
    for word in smart_split(wanted.words.replace("\x00", "")):
        found = PostPart.objects.filter(post=OuterRef("pk"), text__icontains=word.strip("\"'"))
        posts = posts.filter(Q(title__icontains=word.strip("\"'")) | Exists(found))
    return posts


def count_tabs(posts: QuerySet[Post]) -> dict[str, int]:
    counts = {name: Count("pk", filter=condition, distinct=True) for name, (_label, condition) in TABS.items()}
    return posts.order_by().aggregate(all=Count("pk", distinct=True), **counts)


def tab_posts(posts: QuerySet[Post], tab: str) -> QuerySet[Post]:
    if tab in TABS:
        posts = posts.filter(pk__in=posts.order_by().filter(TABS[tab][1]).values("pk"))
    if tab in ORDER:
        extra, order = ORDER[tab]()
        return posts.annotate(**extra).order_by(order, NEWEST)
    return posts.order_by(NEWEST)


def heading(post: Post) -> tuple[str, str]:
    """Name and text for a row of the list; one of them where the name is only the text cut short. Expects parts."""
    parts = list(post.parts.all())
    text = " ".join(parts[0].text.split()) if parts else ""
    if text.startswith(post.title.rstrip("…")):
        return text or str(post), ""
    return str(post), text


def with_rows(posts: QuerySet[Post]) -> QuerySet[Post]:
    """What a row of the list shows: text, first picture, where it goes. The same few queries for any number."""
    rows = Delivery.objects.select_related("connection").order_by("connection__handle")
    parts = PostPart.objects.order_by("position").prefetch_related("media__asset")
    return posts.select_related("campaign").prefetch_related(Prefetch("deliveries", rows), Prefetch("parts", parts))
