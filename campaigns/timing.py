"""When to post: from measured posts once there are enough of them, and until then honest defaults."""

from collections.abc import Callable
from dataclasses import asdict, dataclass
from datetime import datetime, time
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
MEASURED_HOURS, SLOTS, DEFAULTS = "measured", "slots", "defaults"
# So many of the best hours are suggested.
BEST = 3


@dataclass(frozen=True)
class HourResult:
    """What posts of one hour of the day reached after a day: their geometric mean, with a 95 % interval."""

    hour: int
    posts: int
    reach: float
    low: float
    high: float


@dataclass(frozen=True)
class Measured:
    """How many posts were measured, and the hours that have enough of them to be compared, the best first."""

    posts: int
    hours: tuple[HourResult, ...] = ()


# Filled by the app that measures: of one account, with hours on the clock of this zone, inside the workspace's scope.
MEASURED: dict[str, Callable[[Connection, str], Measured]] = {}


def timing_facts(workspace: Workspace, connection: Connection | None = None, count: int = 5) -> Data:
    """Inside the workspace's scope."""
    accounts = [connection] if connection else list(Connection.objects.shown().filter(workspace=workspace))
    live = Delivery.objects.filter(workspace=workspace, state=Delivery.State.PUBLISHED)
    published = live.filter(connection__in=accounts).count()
    found = {account.pk: measured_of(account, workspace.time_zone) for account in accounts}
    measured, is_enough = sum(one.posts for one in found.values()), any(map(has_hours, found.values()))
    return {
        "time_zone": workspace.time_zone,
        "published": published,
        "measured": measured,
        "needed": NEEDED,
        "is_enough": is_enough,
        "why": _why(published, measured, is_enough),
        "accounts": [_account(account, workspace.time_zone, count, found[account.pk]) for account in accounts],
    }


def measured_of(account: Connection, zone: str) -> Measured:
    for measure in MEASURED.values():
        return measure(account, zone)
    return Measured(0)


def has_hours(measured: Measured) -> bool:
    """One account's own posts have to be enough: audiences are awake at other hours."""
    return measured.posts >= NEEDED and len(measured.hours) > 1


def _why(published: int, measured: int, says_something: bool) -> str:
    if says_something:
        return (
            f"{measured} measured posts: those at these hours reached the most people within a day. What was posted"
            " then may have been the reason, too; only an experiment can tell the hour from the post."
        )
    return (
        f"{published} posts were published and {measured} of them are measured; {NEEDED} measured posts of one account"
        " are needed to tell one hour from another. These times are the accounts' slots where they have some, and else"
        " common working hours: nothing about this audience was learnt."
    )


def _account(account: Connection, zone: str, count: int, measured: Measured) -> Data:
    if has_hours(measured):
        best = sorted(time(result.hour) for result in measured.hours[:BEST])
        moments, basis = suggest_times(account, count, zone, hours=best), MEASURED_HOURS
        return _answer(account, zone, basis, moments) | {"hours": [asdict(result) for result in measured.hours]}
    has_slots = Slot.objects.filter(connection=account).exists()
    basis = SLOTS if has_slots else DEFAULTS
    return _answer(account, zone, basis, suggest_times(account, count, zone)) | {"hours": []}


def _answer(account: Connection, zone: str, basis: str, moments: list[datetime]) -> Data:
    return {
        "connection": str(account.pk),
        "account": str(account),
        "basis": basis,
        "times": [_time(at, zone) for at in moments],
    }


def _time(at: datetime, zone: str) -> Data:
    return {"at": at.isoformat(), "local": f"{at.astimezone(ZoneInfo(zone)):%a %d %b, %H:%M}"}
