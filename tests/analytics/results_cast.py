"""Rows that tests of results begin with. Call these inside the workspace's scope."""

from datetime import UTC, date, datetime, timedelta
from itertools import count
from typing import Any

from accounts.models import UsageEntry, Workspace
from analytics.ages import COMPARED_AT, engagements_of
from analytics.models import Conversion, FollowerCount, Link, MeasuredPost, Snapshot, Tracking
from analytics.tracking.ingest import EventRow, add_events
from campaigns.models import Campaign
from lib.clock import now
from social.models import Connection

# A Tuesday; 13:00 in Berlin, where Roastery is.
NOON = datetime(2026, 3, 10, 12, tzinfo=UTC)
TODAY = date(2026, 3, 10)
DAY = timedelta(days=1)
_numbers = count(1)


def add_measured(
    connection: Connection,
    published_at: datetime,
    *,
    campaign: Campaign | None = None,
    text: str = "Beans",
    **known: int,
) -> MeasuredPost:
    """With these numbers now, and at its network's age if it has reached it."""
    number = next(_numbers)
    post = MeasuredPost.objects.create(
        workspace=connection.workspace,
        connection=connection,
        remote_id=str(number),
        campaign=campaign,
        text=text,
        url=f"https://x.example/{number}",
        published_at=published_at,
        measured_at=now(),
        engagements=engagements_of(known),
        **known,
    )
    age_s = COMPARED_AT[connection.network]
    if published_at + timedelta(seconds=age_s) <= now():
        add_snapshot(post, age_s, known)
    return post


def add_snapshot(post: MeasuredPost, age_s: int, metrics: dict[str, int], source: str = "x.lookup") -> None:
    Snapshot.objects.create(workspace=post.workspace, post=post, age_s=age_s, source=source, metrics=metrics)


def add_clicks(workspace: Workspace, at: datetime, number: int = 1, **fields: Any) -> None:
    """Of so many different visitors, unless one is named."""
    rows = [
        EventRow(**{"kind": "click", "at": at, "visitor": f"{next(_numbers):032x}", "device": "phone", **fields})
        for _ in range(number)
    ]
    add_events(workspace.pk, rows)


def add_conversion(workspace: Workspace, at: datetime, value_micro: int = 0, campaign: Campaign | None = None) -> None:
    """The row and its event, as `conversions.book` leaves them."""
    Conversion.objects.create(
        workspace=workspace, key=str(next(_numbers)), at=at, source="server", value_micro=value_micro, campaign=campaign
    )
    campaign_id = campaign.pk if campaign else None
    add_clicks(workspace, at, kind="conversion", name="purchase", value_micro=value_micro, campaign_id=campaign_id)


def add_link(workspace: Workspace, campaign: Campaign | None = None, **fields: Any) -> Link:
    values = {"code": f"c{next(_numbers)}", "target": "https://acme.example/", "created_at": NOON - 60 * DAY}
    return Link.objects.create(workspace=workspace, campaign=campaign, **values | fields)


def add_followers(connection: Connection, day: date, number: int) -> None:
    FollowerCount.objects.create(workspace=connection.workspace, connection=connection, day=day, count=number)


def add_cost(workspace: Workspace, kind: str, amount_micro: int, at: datetime, **fields: Any) -> None:
    UsageEntry.objects.create(
        workspace=workspace,
        key=str(next(_numbers)),
        kind=kind,
        amount_micro=amount_micro,
        month=at.astimezone(UTC).date().replace(day=1),
        created_at=at,
        **{"status": "settled", **fields},
    )


def set_tracking(workspace: Workspace, **fields: Any) -> Tracking:
    Tracking.objects.filter(workspace=workspace).delete()
    return Tracking.objects.create(workspace=workspace, pixel_key=f"px{next(_numbers)}", **fields)
