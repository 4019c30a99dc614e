"""Reads for the pages of campaigns: counts by state, what may follow, who sees it, what happened."""

from collections import defaultdict
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import CharField, Count, F, Min, Q, QuerySet
from django.db.models.functions import Cast, Coalesce
from guardian.shortcuts import get_users_with_perms

from accounts.access import Actor, Perm
from accounts.models import AuditEntry, Membership, Role, User
from campaigns.access import VIEW_CAMPAIGN
from campaigns.models import Campaign, Delivery, Post

State = Delivery.State
# In the order of a post's life; a post to several accounts can stand in more than one.
PROGRESS: dict[str, tuple[str, tuple[str, ...]]] = {
    "draft": ("Drafts", (State.DRAFT,)),
    "in_review": ("In review", (State.IN_REVIEW,)),
    "scheduled": (
        "Planned",
        (State.APPROVED, State.SCHEDULED, State.PUBLISHING, State.RETRY_WAIT, State.PAUSED),
    ),
    "published": ("Published", (State.PUBLISHED,)),
    "failed": ("Needs attention", (State.FAILED, State.UNCONFIRMED, State.MISSED)),
}
# What the button of a step says, and its icon.
STEPS = {
    (Campaign.Status.DRAFT, Campaign.Status.RUNNING): ("Start", "play"),
    (Campaign.Status.RUNNING, Campaign.Status.PAUSED): ("Pause", "pause"),
    (Campaign.Status.RUNNING, Campaign.Status.COMPLETED): ("Complete", "check"),
    (Campaign.Status.PAUSED, Campaign.Status.RUNNING): ("Resume", "play"),
    (Campaign.Status.PAUSED, Campaign.Status.COMPLETED): ("Complete", "check"),
    (Campaign.Status.COMPLETED, Campaign.Status.RUNNING): ("Reopen", "play"),
    (Campaign.Status.DRAFT, Campaign.Status.ARCHIVED): ("Archive", "minus"),
    (Campaign.Status.COMPLETED, Campaign.Status.ARCHIVED): ("Archive", "minus"),
    (Campaign.Status.ARCHIVED, Campaign.Status.DRAFT): ("Bring back", "retry"),
}
# What was decided, as the end of a sentence that begins with who did it.
DEEDS = {
    "campaign.create": "created the campaign",
    "campaign.update": "edited the campaign",
    "campaign.status": "set it to {after}",
    "campaign.share": "shared it with {guest}",
    "campaign.unshare": "stopped sharing it with {guest}",
    "post.create": "wrote “{title}”",
    "post.update": "edited a post",
    "post.submit": "sent a post to review",
    "post.delete": "deleted “{title}”",
}
ACTIVITY_SHOWN = 10


@dataclass(frozen=True)
class NextStatus:
    status: str
    label: str
    icon: str


@dataclass(frozen=True)
class Deed:
    who: str
    text: str
    at: datetime


@dataclass(frozen=True)
class StatePart:
    """How many posts of a campaign stand in one group of states."""

    state: str
    label: str
    number: int


def filter_campaigns(campaigns: QuerySet[Campaign], *, status: str = "", words: str = "") -> QuerySet[Campaign]:
    if status:
        campaigns = campaigns.filter(status=status)
    for word in words.replace("\x00", "").split():
        campaigns = campaigns.filter(Q(name__icontains=word) | Q(goal__icontains=word))
    return campaigns


def with_progress(campaigns: QuerySet[Campaign]) -> QuerySet[Campaign]:
    """Adds posts_all and one posts_<group> for each group of PROGRESS."""
    groups = {
        f"posts_{name}": Count("posts", filter=Q(posts__deliveries__state__in=states), distinct=True)
        for name, (_label, states) in PROGRESS.items()
    }
    # A post that goes nowhere yet is a draft, too.
    drafts = Q(posts__isnull=False) & (Q(posts__deliveries=None) | Q(posts__deliveries__state=State.DRAFT))
    groups["posts_draft"] = Count("posts", filter=drafts, distinct=True)
    return campaigns.annotate(posts_all=Count("posts", distinct=True), **groups)


def progress_of(campaign: Campaign) -> list[StatePart]:
    """Expects `with_progress`."""
    return [StatePart(name, label, getattr(campaign, f"posts_{name}")) for name, (label, _states) in PROGRESS.items()]


def count_statuses(campaigns: QuerySet[Campaign]) -> dict[str, int]:
    counted = campaigns.order_by().values_list("status").annotate(Count("pk"))
    return dict(counted)


def next_statuses(campaign: Campaign) -> list[NextStatus]:
    following = Campaign.NEXT[Campaign.Status(campaign.status)]
    return [
        NextStatus(after, label, icon)
        for (before, after), (label, icon) in STEPS.items()
        if before == campaign.status and after in following
    ]


def in_order(posts: QuerySet[Post]) -> QuerySet[Post]:
    """By their first time; those without one come last."""
    first = Min(Coalesce("deliveries__published_at", "deliveries__scheduled_at"))
    return posts.annotate(first_at=first).order_by(F("first_at").asc(nulls_last=True), "-created_at")


def guests_of(campaign: Campaign) -> QuerySet[User]:
    granted: Any = get_users_with_perms(
        campaign, only_with_perms_in=[VIEW_CAMPAIGN.split(".")[1]], with_superusers=False
    )
    guests = Membership.objects.filter(workspace=campaign.workspace_id, role=Role.GUEST)
    return granted.filter(pk__in=guests.values("user")).order_by("email")


def activity_of(campaign: Campaign, actor: Actor) -> list[Deed]:
    """What was decided about the campaign and its posts, newest first; nothing for who may not read the trail."""
    if not actor.can(Perm.AUDIT):
        return []
    posts = Post.objects.filter(campaign=campaign).annotate(key=Cast("pk", CharField())).values("key")
    about = Q(object_kind="campaign", object_id=str(campaign.pk)) | Q(object_kind="post", object_id__in=posts)
    entries = AuditEntry.objects.filter(about, workspace=actor.workspace).select_related("detail")
    return [_deed(entry) for entry in entries.order_by("-number")[:ACTIVITY_SHOWN]]


def _deed(entry: AuditEntry) -> Deed:
    detail = getattr(entry, "detail", None)
    if detail is None:
        return Deed("Somebody", entry.action, entry.at)
    words = DEEDS.get(entry.action, entry.action)
    # A detail that lacks what the words name is an older or an erased one.
    return Deed(detail.actor or "Somebody", words.format_map(defaultdict(str, detail.data)), entry.at)
