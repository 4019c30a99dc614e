"""Posts at one age. What a post has gathered grows for days: only numbers of the same age are ever compared."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.db.models import Q

from accounts.models import Workspace
from analytics.ages import COMPARED_AT, engagements_of
from analytics.models import Snapshot
from campaigns.models import Campaign
from social.models import Connection

# How long after that moment the measurement may be taken.
TOLERANCE = timedelta(minutes=30)


@dataclass(frozen=True)
class Aged:
    """One post as it stood at its network's age. None is not known, never zero."""

    pk: UUID
    network: str
    connection_id: UUID
    account: str
    campaign_id: UUID | None
    delivery_id: UUID | None
    text: str
    url: str
    published_at: datetime
    impressions: int | None
    engagements: int | None

    @property
    def rate(self) -> float | None:
        """Engagements per impression."""
        if self.engagements is None or not self.impressions:
            return None
        return min(1.0, self.engagements / self.impressions)


def posts_at_age(
    workspace: Workspace,
    since: datetime,
    until: datetime,
    *,
    campaign: Campaign | None = None,
    connection: Connection | None = None,
) -> list[Aged]:
    """Published in this time and measured at their age, the oldest first."""
    at_age = Q()
    for network, age_s in COMPARED_AT.items():
        at_age |= Q(post__connection__network=network, age_s=age_s)
    rows = Snapshot.objects.filter(at_age, workspace=workspace, post__published_at__gte=since)
    rows = rows.filter(post__published_at__lt=until)
    if campaign:
        rows = rows.filter(post__campaign=campaign)
    if connection:
        rows = rows.filter(post__connection=connection)
    return _merge(rows.select_related("post__connection").order_by("post__published_at", "post_id", "source"))


def ripe_until(network: str, moment: datetime) -> datetime:
    """Posts published before this have reached their age by that moment."""
    return moment - timedelta(seconds=COMPARED_AT.get(network, max(COMPARED_AT.values()))) - TOLERANCE


def _merge(snapshots: Any) -> list[Aged]:
    """Two sources may each know a part of a post's numbers."""
    posts: dict[UUID, Any] = {}
    metrics: dict[UUID, dict[str, int]] = {}
    for row in snapshots:
        posts[row.post_id] = row.post
        metrics.setdefault(row.post_id, {}).update(row.metrics)
    return [_aged(post, metrics[pk]) for pk, post in posts.items()]


def _aged(post: Any, metrics: dict[str, int]) -> Aged:
    return Aged(
        pk=post.pk,
        network=post.connection.network,
        connection_id=post.connection_id,
        account=str(post.connection),
        campaign_id=post.campaign_id,
        delivery_id=post.delivery_id,
        text=post.text,
        url=post.url,
        published_at=post.published_at,
        impressions=metrics.get("impressions"),
        engagements=engagements_of(metrics),
    )


def age_words(network: str) -> str:
    return f"{COMPARED_AT[network] // 3600} hours"
