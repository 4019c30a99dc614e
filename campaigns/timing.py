"""When to post: from measured posts once there are enough of them, and until then honest defaults."""

from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from accounts.models import Workspace
from campaigns.models import Delivery, Slot
from campaigns.plan_times import suggest_times
from social.models import Connection

Data = dict[str, Any]
# Fewer measured posts than this in the hours to be compared say nothing about an hour.
NEEDED = 60
MAX_TIMES = 14
SLOTS, DEFAULTS = "slots", "defaults"


def timing_facts(workspace: Workspace, connection: Connection | None = None, count: int = 5) -> Data:
    """Inside the workspace's scope."""
    accounts = [connection] if connection else list(Connection.objects.shown().filter(workspace=workspace))
    live = Delivery.objects.filter(workspace=workspace, state=Delivery.State.PUBLISHED)
    published = live.filter(connection__in=accounts).count()
    measured = count_measured(accounts)
    return {
        "time_zone": workspace.time_zone,
        "published": published,
        "measured": measured,
        "needed": NEEDED,
        "is_enough": measured >= NEEDED,
        "why": _why(published, measured),
        "accounts": [_account(account, workspace.time_zone, count) for account in accounts],
    }


def count_measured(accounts: list[Connection]) -> int:
    """Posts whose reach was read back. Nothing measures yet, so there are none, however many were published."""
    return 0


def _why(published: int, measured: int) -> str:
    return (
        f"{published} posts were published and {measured} of them are measured; {NEEDED} measured posts are needed to"
        " tell one hour from another. These times are the accounts' slots where they have some, and else common"
        " working hours: nothing about this audience was learnt."
    )


def _account(account: Connection, zone: str, count: int) -> Data:
    has_slots = Slot.objects.filter(connection=account).exists()
    return {
        "connection": str(account.pk),
        "account": str(account),
        "basis": SLOTS if has_slots else DEFAULTS,
        "times": [_time(at, zone) for at in suggest_times(account, count, zone)],
    }


def _time(at: datetime, zone: str) -> Data:
    return {"at": at.isoformat(), "local": f"{at.astimezone(ZoneInfo(zone)):%a %d %b, %H:%M}"}
