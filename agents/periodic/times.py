"""When a periodic task comes: once, every so many seconds, or by cron on its person's clock."""

import hashlib
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import islice, pairwise
from uuid import UUID
from zoneinfo import ZoneInfo

from cronsim import CronSim, CronSimError
from django.core.exceptions import ValidationError

from accounts.services import LAST_MOMENT
from agents.models import PeriodicTask

Mode = PeriodicTask.Mode
MALFORMED = "This is no cron expression of five fields, such as “0 9 * * 1-5” for weekdays at nine."
NEVER = "This time never comes."
PASSED = "This moment has passed."
NO_MOMENT = "Give a date and a time, such as 2027-01-31T09:00."
NO_SECONDS = "Give a whole number of seconds, at most a year."
TOO_FAR = "This is too far away."
YEAR_S = 366 * 86_400
# So many coming times are looked at to learn how often a cron expression comes.
SAMPLE = 60
# An outage is counted so far; whatever was longer is still one turn.
MOST_MISSED = 1000


def read_spec(mode: str, spec: str, zone: str, at: datetime) -> str:
    """The spec as it is stored. Raises ValidationError, for people."""
    spec = spec.strip()
    if mode == Mode.AT:
        return _read_moment(spec, zone, at).isoformat()
    if mode == Mode.EVERY:
        if not (spec.isascii() and spec.isdigit() and len(spec) <= 12 and 0 < int(spec) <= YEAR_S):
            raise ValidationError({"spec": NO_SECONDS})
        return str(int(spec))
    if next(_cron_times(spec, zone, at), None) is None:
        raise ValidationError({"spec": NEVER})
    return " ".join(spec.split())


def least_gap_s(mode: str, spec: str, zone: str, at: datetime) -> float | None:
    """The shortest time between two turns; None where it comes only once."""
    if mode == Mode.AT:
        return None
    if mode == Mode.EVERY:
        return float(spec)
    times = list(islice(_cron_times(spec, zone, at), SAMPLE))
    return min(((later - earlier).total_seconds() for earlier, later in pairwise(times)), default=None)


def next_time(task: PeriodicTask, after: datetime) -> datetime | None:
    """The next time asked for, strictly after `after`; None where there is none."""
    if task.mode == Mode.AT:
        moment = datetime.fromisoformat(task.spec)
        return moment if moment > after else None
    if task.mode == Mode.EVERY:
        every = timedelta(seconds=int(task.spec))
        # From its beginning, so that a late turn does not move the later ones.
        return task.created_at + ((after - task.created_at) // every + 1) * every
    return next(_cron_times(task.spec, task.time_zone, after), None)


def slot(user_id: UUID, task_id: UUID, window_s: int) -> timedelta:
    """The second within its window at which it starts: always the same, and spread over all tasks."""
    if not window_s:
        return timedelta()
    digest = hashlib.blake2b(f"{user_id}:{task_id}".encode(), digest_size=8).digest()
    return timedelta(seconds=int.from_bytes(digest) % window_s)


def slot_of(task: PeriodicTask) -> timedelta:
    return slot(task.user_id, task.pk, task.window_s)


def catch_up(task: PeriodicTask, at: datetime) -> tuple[datetime, int]:
    """After an outage: the last time that has passed, which stands for all, and how many passed before it."""
    if task.wanted_at is None:
        raise ValueError("Nothing is asked for.")
    wanted, missed, own_slot = task.wanted_at, 0, slot_of(task)
    while missed < MOST_MISSED:
        later = next_time(task, wanted)
        if later is None or later + own_slot > at:
            break
        wanted, missed = later, missed + 1
    return wanted, missed


def plan_next(task: PeriodicTask, at: datetime, *, after: datetime | None = None) -> None:
    """Set `wanted_at` and `due_at` to the first time after `after` that has not passed; the caller saves them."""
    own_slot = slot_of(task)
    beginning = at - own_slot
    task.wanted_at = next_time(task, max(after, beginning) if after else beginning)
    task.due_at = task.wanted_at + own_slot if task.wanted_at else None


def _read_moment(spec: str, zone: str, at: datetime) -> datetime:
    """On the person's clock where it names no offset: a missing hour is moved on, the first of two counts."""
    try:
        moment = datetime.fromisoformat(spec)
        moment = (moment if moment.tzinfo else moment.replace(tzinfo=ZoneInfo(zone))).astimezone(UTC)
    except (ValueError, OverflowError) as error:
        raise ValidationError({"spec": NO_MOMENT}) from error
    if moment <= at:
        raise ValidationError({"spec": PASSED})
    if moment >= LAST_MOMENT:
        raise ValidationError({"spec": TOO_FAR})
    return moment


def _cron_times(spec: str, zone: str, after: datetime) -> Iterator[datetime]:
    """Each strictly later than the one before. Nine stays nine when clocks change.

    A wall-clock time that does not exist comes at the next moment that does, one that occurs twice comes once.
    """
    if len(spec.split()) != 5:
        raise ValidationError({"spec": MALFORMED})
    try:
        times = CronSim(spec, after.astimezone(ZoneInfo(zone)))
    except CronSimError as error:
        raise ValidationError({"spec": MALFORMED}) from error
    for local in times:
        moment = local.astimezone(UTC)
        if moment >= LAST_MOMENT:
            return
        # In the second of two equal hours it would say the first one again, which has passed.
        if moment > after:
            yield moment
            after = moment
