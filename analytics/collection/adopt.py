"""Our own live posts become measured ones: by a tick that looks for parts without a row."""

import time
from collections.abc import Iterable
from datetime import datetime, timedelta
from itertools import groupby
from uuid import UUID

from django.db.models import Exists, OuterRef, Q

from accounts.scope import all_workspaces_scope, workspace_scope
from analytics import ages
from analytics.collection import joins
from analytics.models import MeasuredPost
from campaigns.models import Delivery, LivePart
from campaigns.queries import with_content
from campaigns.rendering import render
from lib.clock import now
from social.models import Connection, Network

WINDOW = timedelta(days=31)
BATCH = 200
NOT_HERE = {
    Network.X: ("reactions",),
    Network.TELEGRAM: (
        "likes",
        "replies",
        "reposts",
        "quotes",
        "bookmarks",
        "link_clicks",
        "profile_clicks",
        "video_views",
    ),
}


def adopt_live_parts() -> int:
    """The number of posts that are measured from now on."""
    with all_workspaces_scope("live posts that nobody measures yet"):
        measured = MeasuredPost.objects.filter(part=OuterRef("pk"), remote_id=OuterRef("remote_id"))
        # Ids grow with time: the index of the key finds the new ones.
        parts = LivePart.objects.filter(~Exists(measured), pk__gte=_oldest_id(), deleted_at=None)
        found = list(parts.order_by("workspace_id", "pk").values_list("workspace_id", "pk")[:BATCH])
        _leave_disconnected()
    by_workspace = groupby(found, key=lambda row: row[0])
    return sum(_adopt_all(workspace_id, [pk for _, pk in rows]) for workspace_id, rows in by_workspace)


def _oldest_id() -> UUID:
    since_ms = int((time.time() - WINDOW.total_seconds()) * 1000)
    return UUID(int=since_ms << 80)


def _leave_disconnected() -> None:
    """Nobody can be asked there: what was due for a day is not looked at by every tick for ever."""
    old = MeasuredPost.objects.filter(due_at__lt=now() - timedelta(days=1))
    old.filter(connection__status=Connection.Status.DISCONNECTED).update(due_at=None)


def _adopt_all(workspace_id: UUID, part_ids: Iterable[UUID]) -> int:
    with workspace_scope(workspace_id):
        return sum(map(adopt, LivePart.objects.select_related("connection").filter(pk__in=list(part_ids))))


def adopt(part: LivePart) -> bool:
    """False where another worker was faster. Inside the workspace's scope."""
    rows = MeasuredPost.objects.filter(connection_id=part.connection_id)
    # Seen on the network before its receipt was written: it looked like a post made elsewhere.
    others = [*part.remote_ids[1:], part.remote_id] if rows.filter(part=part).exists() else part.remote_ids[1:]
    rows.filter(part=None, remote_id__in=others).delete()
    delivery = with_content(Delivery.objects.filter(pk=part.delivery_id)).get()
    ours = {"part": part, "delivery": delivery, "campaign": delivery.post.campaign}
    # An edit on X gives the post another id.
    known = rows.filter(Q(part=part) | Q(part=None, remote_id=part.remote_id))
    if known.update(remote_id=part.remote_id, url=part.url[:300], **ours):
        return True
    text = render(delivery).parts[part.position].text
    row = new_post(part.connection, part.remote_id, text=text, url=part.url, published_at=part.published_at)
    for name, value in ours.items():
        setattr(row, name, value)
    MeasuredPost.objects.bulk_create([row], ignore_conflicts=True)
    return rows.filter(pk=row.pk).exists()


def new_post(connection: Connection, remote_id: str, *, text: str, url: str, published_at: datetime) -> MeasuredPost:
    """Not saved. What its network never tells is said from the start."""
    row = MeasuredPost(
        workspace_id=connection.workspace_id,
        connection=connection,
        remote_id=remote_id,
        text=text,
        url=url[:300],
        published_at=published_at,
        missing=dict.fromkeys(NOT_HERE[Network(connection.network)], ages.Missing.NOT_HERE),
    )
    row.next_age = ages.first_open(row.published_at, now())
    row.due_at = first_turn(row)
    if joins.has_invite(row):
        row.joins = 0
    else:
        row.missing["joins"] = ages.Missing.NOT_HERE
    return row


def first_turn(row: MeasuredPost) -> datetime:
    """A post that was found late is looked at once without delay, whatever its age."""
    if row.next_age > 0 or row.next_age >= len(ages.AGES):
        return now()
    return ages.turn_of(row.published_at, 0, is_daily=row.connection.network == Network.X)
