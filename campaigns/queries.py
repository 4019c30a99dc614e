"""Reads over several models."""

from uuid import UUID

from django.db.models import Prefetch, QuerySet

from campaigns.models import Campaign, Delivery, PostPart

CONTENT = (Prefetch("post__parts", PostPart.objects.order_by("position").prefetch_related("media__asset")),)


def with_content(deliveries: QuerySet[Delivery]) -> QuerySet[Delivery]:
    """All that rendering needs, in four queries however many deliveries there are."""
    return deliveries.select_related("post__campaign", "connection", "workspace").prefetch_related(*CONTENT)


def campaign_cap(campaign_id: UUID) -> int | None:
    """What the campaign may cost, networks and models together; None for no cap (inside the workspace's scope)."""
    return Campaign.objects.filter(pk=campaign_id).values_list("cap_micro", flat=True).first()
