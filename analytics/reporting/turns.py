"""When a scheduled report is due: cron in a time zone, and which days it is about."""

from datetime import datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

from cronsim import CronSim, CronSimError
from django.core.exceptions import ValidationError

from analytics.queries.period import Period

MALFORMED = "This is no cron expression of five fields, such as “0 9 * * 1” for Mondays at nine."
TOO_OFTEN = "A report comes once a day at most."
NEVER = "This time never comes."
PERIODS = {"day": "Day", "week": "Week", "month": "Month"}


def check_cron(cron: str, zone: str, now: datetime) -> None:
    """Raises ValidationError, for people."""
    turns = [next_turn(cron, zone, now)]
    # The first may be the last of its day, so that only the day after shows how often it comes.
    turns += [next_turn(cron, zone, turns[0])]
    turns += [next_turn(cron, zone, turns[1])]
    # A day may be an hour short where clocks change.
    if any(later - earlier < timedelta(hours=23) for earlier, later in pairwise(turns)):
        raise ValidationError({"cron": TOO_OFTEN})


def next_turn(cron: str, zone: str, after: datetime) -> datetime:
    """The next time strictly after `after`. Wall clock: nine stays nine when clocks change."""
    if len(cron.split()) != 5:
        raise ValidationError({"cron": MALFORMED})
    try:
        return next(CronSim(cron, after.astimezone(ZoneInfo(zone)))).astimezone(ZoneInfo("UTC"))
    except CronSimError as error:
        raise ValidationError({"cron": MALFORMED}) from error
    except StopIteration as error:
        raise ValidationError({"cron": NEVER}) from error


def last_whole(period: str, at: datetime, zone: str) -> Period:
    """The last day, ISO week or month that was over at that moment."""
    today = at.astimezone(ZoneInfo(zone)).date()
    if period == "day":
        start = end = today - timedelta(days=1)
    elif period == "week":
        end = today - timedelta(days=today.weekday() + 1)
        start = end - timedelta(days=6)
    else:
        end = today.replace(day=1) - timedelta(days=1)
        start = end.replace(day=1)
    return Period(start, end, zone)
