"""Reads over several models."""

from django.db.models import Prefetch, QuerySet

from campaigns.models import Delivery, PostPart

CONTENT = (Prefetch("post__parts", PostPart.objects.order_by("position").prefetch_related("media__asset")),)


def with_content(deliveries: QuerySet[Delivery]) -> QuerySet[Delivery]:
    """All that rendering needs, in four queries however many deliveries there are."""
    return deliveries.select_related("post__campaign", "connection", "workspace").prefetch_related(*CONTENT)
