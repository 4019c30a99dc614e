"""What happened in a period, in one number each."""

from dataclasses import dataclass, field
from datetime import UTC
from typing import Any

from django.db.models import Count, Max, Q, Sum

from accounts.models import UsageEntry, Workspace
from analytics.models import MeasuredPost, MediaCost
from analytics.queries import measured
from analytics.queries.counted import Count as EventCount
from analytics.queries.counted import Kind, count_by
from analytics.queries.measured import Measured, what_is_measured
from analytics.queries.period import Period
from campaigns.models import Campaign
from social.models import Connection

# What calls to models are booked as (`agents.llm.ledger`); everything else was charged by a network.
AI = "llm"


@dataclass(frozen=True)
class Totals:
    """Costs in micro-dollars, revenue in millionths of the workspace's currency. None where nothing was measured:
    `notes` says why. Visitors are counted anew every day and for every link."""

    impressions: int | None
    engagements: int | None
    clicks: int | None
    bot_clicks: int | None
    visitors: int | None
    conversions: int | None
    revenue_micro: int | None
    joins: int | None
    posts: int
    ai_cost_micro: int | None
    network_cost_micro: int
    media_cost_micro: int | None
    currency: str = "USD"
    notes: dict[str, str] = field(default_factory=dict)
    # When the newest of the posts' numbers was read.
    measured_at: Any = None


def totals(
    workspace: Workspace,
    period: Period,
    *,
    campaign: Campaign | None = None,
    connection: Connection | None = None,
) -> Totals:
    known = what_is_measured(workspace, campaign, by_account=connection is not None)
    posts = _posts(workspace, period, campaign, connection)
    counted = _counted(workspace, period, campaign)
    costs = _costs(workspace, period, campaign, connection)
    notes = _notes(known, posts)
    clicks = counted.get((Kind.CLICK,), EventCount())
    bought = counted.get((Kind.CONVERSION,), EventCount())
    return Totals(
        impressions=posts["impressions"],
        engagements=posts["engagements"],
        clicks=None if known.clicks else clicks.events,
        bot_clicks=None if known.clicks else clicks.bots,
        visitors=None if known.clicks else clicks.visitors,
        conversions=None if known.conversions else bought.events,
        revenue_micro=None if known.revenue else bought.value_micro,
        joins=posts["joins"],
        posts=posts["number"],
        ai_cost_micro=None if connection else costs["ai"] or 0,
        network_cost_micro=costs["network"] or 0,
        media_cost_micro=None if connection else _media(workspace, period, campaign),
        currency=known.currency,
        notes=notes,
        measured_at=posts["newest"],
    )


def _posts(
    workspace: Workspace, period: Period, campaign: Campaign | None, connection: Connection | None
) -> dict[str, Any]:
    rows = measured_posts(workspace, period, campaign=campaign, connection=connection)
    return rows.aggregate(
        number=Count("pk"),
        impressions=Sum("impressions"),
        engagements=Sum("engagements"),
        joins=Sum("joins"),
        newest=Max("measured_at"),
    )


def measured_posts(
    workspace: Workspace, period: Period, *, campaign: Campaign | None = None, connection: Connection | None = None
) -> Any:
    rows = MeasuredPost.objects.filter(workspace=workspace, published_at__gte=period.starts_at)
    rows = rows.filter(published_at__lt=period.ends_at)
    if campaign:
        rows = rows.filter(campaign=campaign)
    return rows.filter(connection=connection) if connection else rows


def _counted(workspace: Workspace, period: Period, campaign: Campaign | None) -> dict[tuple[Any, ...], EventCount]:
    return count_by(workspace.pk, period.start, period.end, ["kind"], campaign=campaign)


def _costs(
    workspace: Workspace, period: Period, campaign: Campaign | None, connection: Connection | None
) -> dict[str, int | None]:
    since, until = period.starts_at, period.ends_at
    rows = UsageEntry.objects.filter(workspace=workspace, created_at__gte=since, created_at__lt=until)
    # The index goes by the month in UTC.
    months = [moment.astimezone(UTC).date().replace(day=1) for moment in (since, until)]
    rows = rows.filter(month__range=months).exclude(status=UsageEntry.Status.RELEASED)
    if campaign:
        rows = rows.filter(campaign_id=campaign.pk)
    if connection:
        rows = rows.filter(connection_id=connection.pk)
    return rows.aggregate(ai=Sum("amount_micro", filter=Q(kind=AI)), network=Sum("amount_micro", filter=~Q(kind=AI)))


def _media(workspace: Workspace, period: Period, campaign: Campaign | None) -> int:
    rows = MediaCost.objects.filter(workspace=workspace, day__range=(period.start, period.end))
    return (rows.filter(campaign=campaign) if campaign else rows).aggregate(sum=Sum("amount_micro"))["sum"] or 0


def _notes(known: Measured, posts: dict[str, Any]) -> dict[str, str]:
    """By the name of a number, why there is none."""
    reasons = {
        "clicks": known.clicks,
        "bot_clicks": known.clicks,
        "visitors": known.clicks,
        "conversions": known.conversions,
        "revenue_micro": known.revenue,
    }
    for name, why in (
        ("impressions", measured.NO_IMPRESSIONS),
        ("engagements", measured.NO_ENGAGEMENTS),
        ("joins", measured.NO_JOINS),
    ):
        if posts[name] is None:
            reasons[name] = why if posts["number"] else measured.NO_POSTS
    if known.clicks == measured.NOT_BY_ACCOUNT:
        reasons |= {
            "ai_cost_micro": "Drafts are not written for one account.",
            "media_cost_micro": "Not kept by account.",
        }
    return {name: why for name, why in reasons.items() if why}
