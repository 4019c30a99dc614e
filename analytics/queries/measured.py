"""Whether something was measured at all: where it was not, there is no number, and a reason instead."""

from dataclasses import dataclass
from typing import Any

from django.db.models import Exists, OuterRef

from accounts.models import Workspace
from analytics.models import Conversion, Link, MeasuredPost, Tracking
from campaigns.models import Campaign

NO_LINKS = "No short link yet: use one in a post, and its clicks are counted here."
NO_CAMPAIGN_LINKS = "No post of this campaign has a short link yet."
NO_CONVERSIONS = "No conversion was reported yet: add the pixel, or send them from your server."
NO_VALUES = "No conversion has a value yet: send one along to see revenue."
NOT_BY_ACCOUNT = "A short link is shared by all accounts of its post, so this cannot be told by account."
NO_POSTS = "No post was measured in these days."
NO_IMPRESSIONS = "The networks of these posts did not say how often they were seen."
NO_ENGAGEMENTS = "The networks of these posts did not say how many people reacted."
NO_JOINS = "No invite link stands in these posts."
NO_FOLLOWERS = "Followers were not counted in these days."


@dataclass(frozen=True)
class Measured:
    clicks: str
    conversions: str
    revenue: str
    tracking: Tracking

    @property
    def currency(self) -> str:
        return self.tracking.currency


def what_is_measured(workspace: Workspace, campaign: Campaign | None = None, *, by_account: bool = False) -> Measured:
    """For clicks, conversions and revenue the reason why there is no number; empty where there is one."""
    here = {"workspace": OuterRef("pk")}
    links = Link.objects.filter(**here, **({"campaign": campaign.pk} if campaign else {}))
    found: Any = (
        Workspace.objects.filter(pk=workspace.pk)
        .values(
            links=Exists(links),
            conversions=Exists(Conversion.objects.filter(**here)),
            values=Exists(Conversion.objects.filter(**here).exclude(value_micro=0)),
        )
        .get()
    )
    tracking = Tracking.objects.filter(workspace=workspace).first() or Tracking(workspace=workspace)
    if by_account:
        return Measured(NOT_BY_ACCOUNT, NOT_BY_ACCOUNT, NOT_BY_ACCOUNT, tracking)
    no_links = NO_CAMPAIGN_LINKS if campaign else NO_LINKS
    return Measured(
        "" if found["links"] else no_links,
        "" if found["conversions"] else NO_CONVERSIONS,
        "" if found["values"] else NO_VALUES if found["conversions"] else NO_CONVERSIONS,
        tracking,
    )


def has_anything(workspace: Workspace) -> bool:
    """Whether there is a post or a link to say anything about."""
    return (
        MeasuredPost.objects.filter(workspace=workspace).exists() or Link.objects.filter(workspace=workspace).exists()
    )
