"""When a task comes, as people say it; what has no such words is shown as it was written."""

import re
from datetime import datetime
from zoneinfo import ZoneInfo

from agents.models import PeriodicTask
from agents.periodic.times import next_time, read_spec
from lib.clock import now

Mode = PeriodicTask.Mode
DAYS = ("Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
DAILY = re.compile(r"(\d{1,2}) (\d{1,2}) (\*|1) \* (\*|1-5|[0-7])")


def schedule_words(mode: str, spec: str, zone: ZoneInfo) -> str:
    if mode == Mode.AT:
        moment = datetime.fromisoformat(spec).astimezone(zone)
        return f"Once, on {moment.day} {moment:%B %Y at %H:%M}"
    if mode == Mode.EVERY:
        return f"Every {_length(int(spec))}"
    found = DAILY.fullmatch(spec)
    if not found or (found[3] == "1" and found[4] != "*"):
        return f"By cron: {spec}"
    return f"{_days(found[3], found[4])} at {int(found[2]):02}:{int(found[1]):02}"


def coming_times(task: PeriodicTask, after: datetime, count: int) -> list[datetime]:
    """The first times after `after`; fewer where it ends."""
    found: list[datetime] = []
    while len(found) < count and (moment := next_time(task, found[-1] if found else after)):
        found.append(moment)
    return found


def first_times(mode: str, spec: str, zone: str, count: int) -> list[datetime]:
    """When a task would come that were made now. Raises ValidationError."""
    at = now()
    task = PeriodicTask(mode=mode, spec=read_spec(mode, spec, zone, at), time_zone=zone, created_at=at)
    return coming_times(task, at, count)


def _days(of_month: str, of_week: str) -> str:
    if of_month == "1":
        return "On the first of every month"
    if of_week == "*":
        return "Every day"
    return "Every weekday" if of_week == "1-5" else f"Every {DAYS[int(of_week)]}"


def _length(seconds: int) -> str:
    for size, name in ((86_400, "day"), (3600, "hour"), (60, "minute")):
        if seconds % size == 0:
            number = seconds // size
            return name if number == 1 else f"{number} {name}s"
    return f"{seconds} seconds"
