"""Matched times of paired posts: the same hour, some days apart, and far enough from every other post of the test."""

from collections.abc import Iterator
from datetime import date, datetime, time, timedelta
from typing import Any

from django.core.exceptions import ValidationError

from campaigns.models import Slot
from campaigns.slots import resolve
from experiments.models import Experiment
from experiments.options import WASHOUT_H
from lib.clock import now
from social.models import Connection

Pair = tuple[datetime, datetime]
SEARCHED_DAYS = 366
LAST_DAY = date(2100, 1, 1)
CHOOSE_TIMES = "Say on which weekdays and at what time the posts go out, or give the account posting slots."


def connection_of(experiment: Experiment, pk: str = "") -> Connection:
    pk = pk or experiment.settings.get("connection", "")
    rows = Connection.objects.shown().filter(workspace=experiment.workspace_id)
    try:
        found = rows.filter(pk=pk).first() if pk else None
    except ValidationError:
        found = None
    if found is None:
        raise ValidationError({"connection": "Choose the account that posts."})
    return found


def washout_of(experiment: Experiment, connection: Connection) -> timedelta:
    hours = experiment.settings.get("washout_h")
    return timedelta(hours=WASHOUT_H.get(connection.network, 24) if hours is None else hours)


def paired_times(experiment: Experiment, connection: Connection, count: int) -> list[Pair]:
    """Raises ValidationError where so many pairs do not fit into a year."""
    settings = experiment.settings
    washout, gap = washout_of(experiment, connection), timedelta(days=settings["gap_days"])
    if gap < washout:
        raise ValidationError({"gap_days": f"A pair is at least {washout.total_seconds() / 3600:g} hours apart here."})
    times = wall_times(experiment, connection)
    taken: list[datetime] = []
    pairs: list[Pair] = []
    for day, at, zone in _occurrences(times, first_day(experiment)):
        pair = resolve(day, at, zone), resolve(day + gap, at, zone)
        if len(pairs) == count:
            break
        if pair[0] > now() and all(abs(moment - other) >= washout for moment in pair for other in taken):
            pairs.append(pair)
            taken += pair
    if len(pairs) < count:
        raise ValidationError({"slots": f"Only {len(pairs)} pairs fit into a year at these times. Add times of day."})
    return sorted(pairs)


def wall_times(experiment: Experiment, connection: Connection) -> list[tuple[int, time, str]]:
    """(weekday, time, zone): those of the experiment, else the account's own slots."""
    zone = experiment.workspace.time_zone
    try:
        given = [_wall_time(slot, zone) for slot in experiment.settings["slots"]]
    except (KeyError, TypeError, ValueError) as error:
        raise ValidationError({"slots": CHOOSE_TIMES}) from error
    own = Slot.objects.filter(connection=connection)
    times = given or [(slot.weekday, slot.time, slot.time_zone) for slot in own]
    if not times:
        raise ValidationError({"slots": CHOOSE_TIMES})
    return times


def _wall_time(slot: dict[str, Any], zone: str) -> tuple[int, time, str]:
    weekday = int(slot["weekday"])
    if weekday not in range(7):
        raise ValueError("weekday")
    return weekday, time.fromisoformat(slot["time"]), zone


def first_day(experiment: Experiment) -> date:
    given = experiment.settings.get("starts_on", "")
    try:
        found = date.fromisoformat(given) if given else now().date() + timedelta(days=1)
    except ValueError as error:
        raise ValidationError({"starts_on": "Write the day as 2026-11-30."}) from error
    if found > LAST_DAY:
        raise ValidationError({"starts_on": f"A day before {LAST_DAY.year}."})
    return found


def _occurrences(times: list[tuple[int, time, str]], start: date) -> Iterator[tuple[date, time, str]]:
    for offset in range(SEARCHED_DAYS):
        day = start + timedelta(days=offset)
        yield from sorted((day, at, zone) for weekday, at, zone in times if weekday == day.weekday())


def check_horizon(experiment: Experiment, last: datetime, age_h: int) -> None:
    """Raises ValidationError where it would end before its last post is old enough to be compared."""
    assert experiment.started_at is not None
    assert experiment.ends_at is not None
    measured = last + timedelta(hours=age_h)
    if measured > experiment.ends_at:
        days = (measured - experiment.started_at).days + 1
        text = f"Its last post can be compared after {days} days: let it run at least so long."
        raise ValidationError({"horizon_days": text})
