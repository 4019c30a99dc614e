"""Clicks of links for their pages."""

from collections import defaultdict
from datetime import datetime
from typing import NamedTuple
from uuid import UUID
from zoneinfo import ZoneInfo

from accounts.models import Workspace
from analytics.models import Link
from analytics.rollups import counts

DAYS = 30


class Clicks(NamedTuple):
    clicks: int = 0
    bot_clicks: int = 0
    visitors: int = 0


def clicks_of(
    workspace: Workspace, since: datetime, until: datetime, *, link: Link | None = None
) -> dict[UUID, Clicks]:
    """By link; a link without clicks has zeros: our own redirect misses nothing."""
    zone = ZoneInfo(workspace.time_zone)
    days = since.astimezone(zone).date(), until.astimezone(zone).date()
    found: dict[UUID, Clicks] = defaultdict(Clicks)
    for row in counts(
        workspace.pk, *days, by=("link_id", "is_bot"), kinds=("click",), link_id=link.pk if link else None
    ):
        one = found[row["link_id"]]
        if row["is_bot"]:
            found[row["link_id"]] = one._replace(bot_clicks=row["events"])
        else:
            found[row["link_id"]] = one._replace(clicks=row["events"], visitors=row["visitors"])
    return found
