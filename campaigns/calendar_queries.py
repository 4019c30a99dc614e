"""What stands in a month of the calendar: the same few queries for any number of posts."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.db.models import Exists, OuterRef, Q, QuerySet

from accounts.access import Actor, Perm
from campaigns.access import visible_deliveries, visible_posts
from campaigns.models import Delivery, Post, Slot
from campaigns.month import CalendarDay, FreeSlot, Month, free_slots, lay_out
from campaigns.slots import FREES_SLOT
from lib.clock import now
from social.models import Connection

State = Delivery.State
TRAY_SHOWN = 12


@dataclass(frozen=True)
class CalendarFilter:
    connection_id: UUID | None = None
    campaign_id: UUID | None = None
    state: str = ""

    def apply(self, deliveries: QuerySet[Delivery]) -> QuerySet[Delivery]:
        if self.connection_id:
            deliveries = deliveries.filter(connection_id=self.connection_id)
        if self.campaign_id:
            deliveries = deliveries.filter(post__campaign_id=self.campaign_id)
        return deliveries.filter(state=self.state) if self.state else deliveries

    @property
    def is_narrow(self) -> bool:
        return bool(self.connection_id or self.campaign_id or self.state)


def month_days(month: Month, actor: Actor, wanted: CalendarFilter) -> list[CalendarDay]:
    today = now().astimezone(month.zone).date()
    found = wanted.apply(visible_deliveries(actor).filter(_within(month)))
    rows = found.select_related("post", "connection").order_by("pk")
    return lay_out(month, today, rows, _free_slots(month, actor, wanted))


def _within(month: Month) -> Q:
    start, end = month.bounds
    is_live = Q(published_at__gte=start, published_at__lt=end)
    return is_live | Q(published_at=None, scheduled_at__gte=start, scheduled_at__lt=end)


def _free_slots(month: Month, actor: Actor, wanted: CalendarFilter) -> Iterable[FreeSlot]:
    """An invitation to fill them, so only for those who may, and not between what somebody looks for."""
    if not actor.can(Perm.CONTENT_EDIT) or wanted.state or wanted.campaign_id:
        return []
    slots = Slot.objects.filter(workspace=actor.workspace, connection__status=Connection.Status.ACTIVE)
    if wanted.connection_id:
        slots = slots.filter(connection_id=wanted.connection_id)
    start, end = month.bounds
    busy = Delivery.objects.filter(workspace=actor.workspace, scheduled_at__gte=start, scheduled_at__lt=end)
    taken: set[Any] = set(busy.exclude(state__in=FREES_SLOT).values_list("connection_id", "scheduled_at"))
    return free_slots(month, slots.select_related("connection"), taken, now())


def drafts_without_time(actor: Actor, wanted: CalendarFilter) -> QuerySet[Post]:
    """Posts that stand nowhere in the calendar yet."""
    placed = Delivery.objects.filter(post=OuterRef("pk")).filter(
        ~Q(scheduled_at=None) | ~Q(published_at=None) | Q(state=State.CANCELED)
    )
    posts = visible_posts(actor).filter(~Exists(placed))
    if wanted.campaign_id:
        posts = posts.filter(campaign_id=wanted.campaign_id)
    if wanted.connection_id:
        posts = posts.filter(deliveries__connection_id=wanted.connection_id)
    return posts.order_by("-created_at")
