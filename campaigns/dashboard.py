"""What the dashboard shows, besides what needs attention."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import groupby
from typing import Any
from zoneinfo import ZoneInfo

from django.db.models import Count, Exists, OuterRef, Q, QuerySet

from accounts.access import Actor
from accounts.models import Workspace
from campaigns.access import visible_deliveries
from campaigns.models import Campaign, Delivery, Source
from lib.clock import now
from social.models import Connection

State = Delivery.State
# Has a place in the plan, whether or not it is approved yet.
AHEAD = (
    State.DRAFT,
    State.IN_REVIEW,
    State.APPROVED,
    State.SCHEDULED,
    State.PUBLISHING,
    State.RETRY_WAIT,
    State.PAUSED,
)
NEXT_SHOWN = 8
RECENT_SHOWN = 6
WEEK = timedelta(days=7)


@dataclass(frozen=True)
class Step:
    title: str
    text: str
    is_done: bool
    url_name: str
    action: str


@dataclass(frozen=True)
class Day:
    date: date
    name: str
    deliveries: list[Delivery]


def first_steps(workspace: Workspace) -> list[Step]:
    """From an empty workspace to the first live post; empty once that is reached."""
    here = Delivery.objects.filter(workspace=OuterRef("pk"))
    done: Any = (
        Workspace.objects.filter(pk=workspace.pk)
        .values(
            connected=Exists(Connection.objects.shown().filter(workspace=OuterRef("pk"))),
            campaign=Exists(Campaign.objects.filter(workspace=OuterRef("pk"))),
            source=Exists(Source.objects.filter(workspace=OuterRef("pk"))),
            approved=Exists(here.exclude(approved_at=None)),
            live=Exists(here.filter(state=State.PUBLISHED)),
        )
        .get()
    )
    return [] if done["live"] else _steps(done)


def _steps(done: dict[str, bool]) -> list[Step]:
    return [
        Step(
            "Connect an account",
            "X asks what this workspace may do; to Telegram, you add a bot. You can take both back at any time.",
            done["connected"],
            "social:connection-list",
            "Connect",
        ),
        Step(
            "Create a campaign or add a media folder",
            "A campaign holds the goal and the brief; a folder of pictures fills it with posts.",
            done["campaign"] or done["source"],
            "campaigns:campaign-new",
            "New campaign",
        ),
        Step(
            "Get a post approved",
            "Choose the account of a draft and submit it. The approval covers exactly these words and pictures.",
            done["approved"],
            "campaigns:post-list",
            "Open the drafts",
        ),
        Step(
            "See it live",
            "Publish now, or give it a time. Its receipt shows when it went out, and where.",
            done["live"],
            "campaigns:calendar",
            "Open the calendar",
        ),
    ]


def count_week(actor: Actor) -> dict[str, int]:
    ahead = Q(state__in=AHEAD, scheduled_at__range=(now(), now() + WEEK))
    behind = Q(state=State.PUBLISHED, published_at__range=(now() - WEEK, now()))
    before = Q(state=State.PUBLISHED, published_at__range=(now() - 2 * WEEK, now() - WEEK))
    counted = visible_deliveries(actor).aggregate(
        planned=Count("pk", filter=ahead),
        published=Count("pk", filter=behind),
        published_before=Count("pk", filter=before),
        in_review=Count("pk", filter=Q(state=State.IN_REVIEW)),
    )
    return counted | {"change": counted["published"] - counted["published_before"]}


def next_days(actor: Actor) -> list[Day]:
    """All that is planned from today on, by day in the workspace's zone, as far as it fits on the page."""
    zone = ZoneInfo(actor.workspace.time_zone)
    today = now().astimezone(zone).date()
    start = now().astimezone(zone).replace(hour=0, minute=0, second=0, microsecond=0)
    planned = visible_deliveries(actor).filter(state__in=AHEAD, scheduled_at__gte=start).order_by("scheduled_at", "pk")
    return _by_day(list(_with_names(planned)[:NEXT_SHOWN]), zone, today)


def _by_day(deliveries: Sequence[Delivery], zone: ZoneInfo, today: date) -> list[Day]:
    names = {today: "Today", today + timedelta(days=1): "Tomorrow"}
    days = groupby(deliveries, key=lambda row: row.scheduled_at.astimezone(zone).date())  # type: ignore[union-attr]
    return [Day(day, names.get(day, f"{day:%A}"), list(rows)) for day, rows in days]


def recently_published(actor: Actor) -> list[Delivery]:
    live = visible_deliveries(actor).filter(state=State.PUBLISHED).order_by("-published_at")
    return list(_with_names(live).prefetch_related("live_parts")[:RECENT_SHOWN])


def _with_names(deliveries: QuerySet[Delivery]) -> QuerySet[Delivery]:
    return deliveries.select_related("post__campaign", "connection")
