"""What stands in the calendar: the same few queries for any number of posts."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from django.db.models import Exists, OuterRef, Q, QuerySet, Subquery

from accounts.access import Actor, Perm
from accounts.models import User
from campaigns.access import visible_deliveries, visible_posts
from campaigns.calendar_clock import own_time
from campaigns.calendar_days import CalendarDay, Chip, FreeSlot, free_slots, lay_out, moment_of
from campaigns.calendar_span import Span
from campaigns.calendar_warnings import find_warnings, with_texts
from campaigns.delivery_actions import delivery_actions
from campaigns.holidays import holidays_of
from campaigns.models import Delivery, PartMedia, Post, Slot
from campaigns.slots import FREES_SLOT
from lib.clock import now
from social.models import Connection

State = Delivery.State
TRAY_SHOWN = 12
# A clash or the same text on the day next to the shown ones counts too.
AROUND = timedelta(days=1)
# A month has hundreds of rows: no column that a chip does not show or its warnings do not need.
COLUMNS = (
    *("connection", "state", "override_texts", "scheduled_at", "published_at", "problem_code"),
    *("post__title", "post__campaign", "post__created_by"),
)
PICTURES = PartMedia.objects.filter(part__post=OuterRef("post")).order_by("part__position", "position")


@dataclass(frozen=True)
class CalendarFilter:
    connection_id: UUID | None = None
    campaign_id: UUID | None = None
    author_id: UUID | None = None
    state: str = ""

    def accepts(self, row: Delivery) -> bool:
        return (
            self.connection_id in {None, row.connection_id}
            and self.campaign_id in {None, row.post.campaign_id}
            and self.author_id in {None, row.post.created_by_id}
            and self.state in {"", row.state}
        )

    @property
    def is_narrow(self) -> bool:
        return bool(self.connection_id or self.campaign_id or self.author_id or self.state)


def calendar_days(span: Span, actor: Actor, wanted: CalendarFilter) -> list[CalendarDay]:
    today = now().astimezone(span.zone).date()
    days = lay_out(span, today, _chips(span, actor, wanted), _free_slots(span, actor, wanted))
    names = holidays_of(actor.workspace.holiday_countries, span.days)
    for day in days:
        day.holidays = names.get(day.date, [])
    return days


def _chips(span: Span, actor: Actor, wanted: CalendarFilter) -> list[Chip]:
    start, end = span.bounds
    # Unfiltered: a post warns of its neighbour although the neighbour is not looked for.
    rows = _rows(visible_deliveries(actor).filter(_around(span)))
    warnings, reader = find_warnings(rows, span.zone), reader_zone(actor)
    return [
        Chip(
            row,
            moment_of(row).astimezone(span.zone),
            own_time=own_time(moment_of(row), span.zone, reader),
            warnings=warnings.get(row.pk, ()),
            actions=frozenset(delivery_actions(row, actor)),
            picture=row.picture_id,
        )
        for row in rows
        if wanted.accepts(row) and start <= moment_of(row) < end
    ]


def _rows(deliveries: QuerySet[Delivery]) -> list[Any]:
    found = with_texts(deliveries).annotate(picture_id=Subquery(PICTURES.values("asset")[:1]))
    # Accounts are few: each is loaded once, not joined to every row.
    rows = found.select_related("post").only(*COLUMNS).prefetch_related("connection")
    return list(rows.order_by("pk"))


def reader_zone(actor: Actor) -> ZoneInfo | None:
    """Where the reader is, if they said so."""
    return ZoneInfo(actor.user.time_zone) if actor.user and actor.user.time_zone else None


def _around(span: Span) -> Q:
    start, end = span.bounds
    around = (start - AROUND, end + AROUND)
    return Q(published_at__range=around) | Q(published_at=None, scheduled_at__range=around)


def _free_slots(span: Span, actor: Actor, wanted: CalendarFilter) -> Iterable[FreeSlot]:
    """An invitation to fill them, so only for those who may, and not between what somebody looks for."""
    if not actor.can(Perm.CONTENT_EDIT) or wanted.state or wanted.campaign_id or wanted.author_id:
        return []
    slots = Slot.objects.filter(workspace=actor.workspace, connection__status=Connection.Status.ACTIVE)
    if wanted.connection_id:
        slots = slots.filter(connection_id=wanted.connection_id)
    if not (found := list(slots.select_related("connection"))):
        return []
    start, end = span.bounds
    busy = Delivery.objects.filter(workspace=actor.workspace, scheduled_at__gte=start, scheduled_at__lt=end)
    taken: set[Any] = set(busy.exclude(state__in=FREES_SLOT).values_list("connection_id", "scheduled_at"))
    return free_slots(span, found, taken, now())


def calendar_authors(actor: Actor) -> QuerySet[User]:
    return User.objects.filter(pk__in=visible_posts(actor).values("created_by")).order_by("name", "email")


def drafts_without_time(actor: Actor, wanted: CalendarFilter) -> QuerySet[Post]:
    """Posts that stand nowhere in the calendar yet."""
    placed = Delivery.objects.filter(post=OuterRef("pk")).filter(
        ~Q(scheduled_at=None) | ~Q(published_at=None) | Q(state=State.CANCELED)
    )
    posts = visible_posts(actor).filter(~Exists(placed))
    if wanted.campaign_id:
        posts = posts.filter(campaign_id=wanted.campaign_id)
    if wanted.author_id:
        posts = posts.filter(created_by=wanted.author_id)
    if wanted.connection_id:
        posts = posts.filter(deliveries__connection_id=wanted.connection_id)
    return posts.order_by("-created_at")
