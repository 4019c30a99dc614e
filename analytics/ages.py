"""When a post is measured, and for how long a number still counts for its age."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Any

MINUTE, HOUR, DAY = 60, 3600, 86_400
# Seconds after publishing.
AGES = (15 * MINUTE, HOUR, 3 * HOUR, 6 * HOUR, DAY, 2 * DAY, 3 * DAY, 7 * DAY, 30 * DAY)
# Private numbers vanish when a post is thirty days old: the last look comes a little earlier.
LEADS = {30 * DAY: 2 * HOUR}
PRIVATE_FOR = timedelta(days=30)
# At which age posts of a network are held against each other.
COMPARED_AT = {"x": DAY, "telegram": 3 * DAY}
# What people do with a post.
ENGAGING = ("likes", "replies", "reposts", "quotes", "bookmarks", "reactions")
LEAST_TOLERANCE = timedelta(minutes=5)
SHARE_TOLERATED = 0.1
# Clocks differ: a little after midnight is the next day everywhere.
AFTER_MIDNIGHT = timedelta(seconds=30)


def engagements_of(metrics: Mapping[str, Any]) -> int | None:
    """All that are known, added up; None where none is."""
    known = [metrics[name] for name in ENGAGING if metrics.get(name) is not None]
    return sum(known) if known else None


class Missing(StrEnum):
    """Why there is no number."""

    NOT_HERE = "not_here"
    NOT_GRANTED = "not_granted"
    VANISHED = "vanished"
    NEEDS_SESSION = "needs_session"
    GONE = "gone"
    NOT_YET = "not_yet"
    CAP = "cap"


# For people.
WHY = {
    Missing.NOT_HERE: "This network has no such number.",
    Missing.NOT_GRANTED: "The account did not grant it.",
    Missing.VANISHED: "The network shows it for 30 days only.",
    Missing.NEEDS_SESSION: "Only a person's Telegram session can read it.",
    Missing.GONE: "The post was deleted.",
    Missing.NOT_YET: "The network has not said anything yet.",
    Missing.CAP: "Skipped: the monthly cap has no money left for reading.",
}
LATE = "Not measured in time."


def age_label(age_s: int) -> str:
    for unit_s, name in ((DAY, "day"), (HOUR, "hour"), (MINUTE, "minute")):
        if age_s >= unit_s and (age_s > 3 * DAY or unit_s < DAY):
            count = age_s // unit_s
            return f"{count} {name}{'' if count == 1 else 's'}"
    return f"{age_s} seconds"


def tolerance(age_s: int) -> timedelta:
    """How much later than planned a number may be taken and still be called that of the age."""
    return max(LEAST_TOLERANCE, timedelta(seconds=age_s * SHARE_TOLERATED))


def planned_at(published_at: datetime, index: int) -> datetime:
    return published_at + timedelta(seconds=AGES[index] - LEADS.get(AGES[index], 0))


def closes_at(published_at: datetime, index: int) -> datetime:
    return planned_at(published_at, index) + tolerance(AGES[index])


def first_open(published_at: datetime, at: datetime) -> int:
    """The first age that can still be measured; past the end where none can."""
    return next((index for index in range(len(AGES)) if at <= closes_at(published_at, index)), len(AGES))


def age_reached(published_at: datetime, next_age: int, at: datetime) -> tuple[int | None, int]:
    """The age in seconds that a look at this moment counts for, if any, and the age that is next after it.

    Where several ages have come by now, only the last one: a late number is not that of an earlier age.
    """
    ripe = [index for index in range(next_age, len(AGES)) if planned_at(published_at, index) <= at]
    if not ripe:
        return None, next_age
    last = ripe[-1]
    return (AGES[last] if at <= closes_at(published_at, last) else None), last + 1


def turn_of(published_at: datetime, index: int, *, paid_on: datetime | None = None, is_daily: bool = False) -> datetime:
    """When the age is to be measured.

    `is_daily`: the network charges for a post once per UTC day (`paid_on`: when it was read last). Then an age that
    would be the only one of its day waits for midnight, if the next age falls on that next day and midnight still
    lies within this age's tolerance: two ages for the price of one, and none of them missed.
    """
    planned = planned_at(published_at, index).astimezone(UTC)
    if not is_daily or index + 1 >= len(AGES) or (paid_on and paid_on.astimezone(UTC).date() == planned.date()):
        return planned
    joined = planned.replace(hour=0, minute=0, second=0, microsecond=0) + timedelta(days=1) + AFTER_MIDNIGHT
    following = planned_at(published_at, index + 1).astimezone(UTC)
    is_in_time = joined + timedelta(minutes=2) <= closes_at(published_at, index)
    return joined if is_in_time and following.date() == joined.date() else planned
