"""Reading what is watched: each value once, however many watch it.

A batch is claimed under its provider's lock (so that nobody passes its pace), read without any transaction, and stored
in one: the fence lets no worker write that lost its lease. Nothing is written per watcher: news is found by joining
their `seen_seq` with the observations.
"""

import time
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import structlog
from django.core.cache import cache
from django.db import connection
from django.db.models import Exists, F, OuterRef, Q

from accounts import rate
from accounts.scope import all_workspaces_scope
from lib.clock import now
from personal.alerts import tell_moves
from personal.booking import book, payers
from personal.models import Observation, Watch, WatchValue
from personal.providers import PROVIDERS, ProviderError, Reading, Trouble, kinds_of
from personal.providers.port import Provider

log = structlog.get_logger(__name__)
LEASE = timedelta(seconds=120)
# Reading ends long before the lease, so that what was read is stored under it.
READING_S = 60
BATCH = 50
KEPT_ITEMS = 10
LONGEST_PAUSE = timedelta(days=1)
# A provider that refuses our key refuses it for every value.
REFUSED_S = 300
NO_ROOM = "The readings that your plan has for this month are used up."
NO_ROOM_PAUSE = timedelta(hours=6)


@dataclass(frozen=True)
class Claimed:
    id: UUID
    kind: str
    value: str
    fence: int
    data: dict[str, Any]


def poll_watches(budget_s: float = 45) -> int:
    """Read what is due, as far as paces and time allow. The number of readings asked for."""
    end, total = time.monotonic() + budget_s, 0
    for provider in dict.fromkeys(PROVIDERS.values()):
        while time.monotonic() < end and (done := poll_once(provider)):
            total += done
    return total


def poll_once(provider: Provider, batch: int = BATCH) -> int:
    if provider.why_not() or cache.get(_off_key(provider)):
        return 0
    claimed = _claim(provider, batch)
    if not claimed:
        return 0
    readings = _read(provider, claimed)
    store(claimed, readings)
    return len(claimed)


# --- claiming -----------------------------------------------------------------------------------------------


def _claim(provider: Provider, batch: int) -> list[Claimed]:
    """Never more at once, or in a time, than the provider bears."""
    moment, pace = now(), provider.pace()
    kinds = kinds_of(provider)
    with all_workspaces_scope("claim what is watched"):
        if not _lock(provider):
            return []
        held = WatchValue.objects.filter(kind__in=kinds, lease_until__gt=moment).count()
        limit = rate.Limit(("watch", provider.name), pace.count, pace.per, pace.burst)
        room = min(batch, pace.workers * batch - held, rate.remaining(limit))
        found = _due(kinds, moment, room) if room > 0 else []
        if not found:
            return []
        WatchValue.objects.filter(pk__in=[row.id for row in found]).update(
            lease_until=moment + LEASE, fence=F("fence") + 1
        )
        rate.take(rate.Limit(limit.scope, pace.count, pace.per, pace.burst, cost=len(found)))
    return found


def _lock(provider: Provider) -> bool:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_xact_lock(hashtextextended(%s, 0))", [f"watch:{provider.name}"])
        return bool(cursor.fetchone()[0])


def _due(kinds: list[str], moment: datetime, room: int) -> list[Claimed]:
    free = Q(lease_until=None) | Q(lease_until__lte=moment)
    rows = WatchValue.objects.select_for_update(no_key=True, skip_locked=True, of=("self",)).filter(
        # The count may lag behind a deletion; what nobody watches must cost nothing.
        Exists(Watch.objects.filter(value=OuterRef("pk"))),
        free,
        watchers__gt=0,
        due_at__lte=moment,
        kind__in=kinds,
    )
    return [Claimed(row.pk, row.kind, row.value, row.fence + 1, row.data) for row in rows.order_by("due_at")[:room]]


# --- reading ------------------------------------------------------------------------------------------------


def _read(provider: Provider, claimed: list[Claimed]) -> dict[UUID, Reading | ProviderError]:
    """What is not in it was not asked for: the time was over, or the provider refused before."""
    with all_workspaces_scope("who pays for readings"):
        paid = payers([one.id for one in claimed])
    found: dict[UUID, Reading | ProviderError] = {}
    end = time.monotonic() + READING_S
    for one in claimed:
        if time.monotonic() > end or cache.get(_off_key(provider)):
            break
        if one.id not in paid:
            found[one.id] = ProviderError(Trouble.LIMITED, NO_ROOM, retry_at=now() + NO_ROOM_PAUSE)
            continue
        found[one.id] = _read_one(provider, one)
    return found


def _read_one(provider: Provider, one: Claimed) -> Reading | ProviderError:
    try:
        return provider.read(one.kind, one.value, one.data)
    except ProviderError as error:
        if error.trouble is Trouble.REFUSED:
            cache.set(_off_key(provider), True, REFUSED_S)
        if error.trouble is not Trouble.UNKNOWN:
            log.warning("watch_not_read", provider=provider.name, trouble=str(error.trouble), why=error.message)
        return error


def _off_key(provider: Provider) -> str:
    return f"watch-off:{provider.name}"


# --- storing ------------------------------------------------------------------------------------------------


def store(claimed: Iterable[Claimed], readings: dict[UUID, Reading | ProviderError]) -> int:
    """The number of observations made. Rows are locked in one order, and only those whose fence is still ours."""
    fences = {one.id: one.fence for one in claimed}
    with all_workspaces_scope("keep what was read"):
        rows = WatchValue.objects.select_for_update(no_key=True).filter(pk__in=fences).order_by("pk")
        mine = [row for row in rows if row.fence == fences[row.pk]]
        news = [made for row in mine if (made := _keep(row, readings.get(row.pk)))]
        Observation.objects.bulk_create(news)
        WatchValue.objects.bulk_update(mine, CHANGED)
        book({row.pk: one.cost_micro for row in mine if isinstance(one := readings.get(row.pk), Reading)})
        tell_moves([row for row in mine if row.pk in {made.value_id for made in news}])
    return len(news)


CHANGED = ["lease_until", "due_at", "last_seq", "data", "problem_text", "failures_in_row", "read_at"]


def _keep(row: WatchValue, reading: Reading | ProviderError | None) -> Observation | None:
    """Change the row, unsaved; the observation where something is new."""
    row.lease_until = None
    if reading is None:
        return None
    if isinstance(reading, ProviderError):
        _note(row, reading)
        return None
    moment = now()
    is_news = reading.is_news_after(row.data)
    row.read_at, row.due_at = moment, moment + timedelta(seconds=row.every_s)
    row.failures_in_row, row.problem_text = 0, ""
    if not is_news:
        return None
    row.data, row.last_seq = reading.data, row.last_seq + 1
    kept = {"data": reading.data, "items": list(reading.items[-KEPT_ITEMS:])}
    return Observation(value=row, seq=row.last_seq, at=moment, data=kept, digest=reading.digest)


def _note(row: WatchValue, error: ProviderError) -> None:
    moment = now()
    row.problem_text = error.message[:300]
    if error.trouble is Trouble.UNKNOWN:
        row.due_at = moment + LONGEST_PAUSE
    elif error.trouble is Trouble.LIMITED and error.retry_at:
        row.due_at = min(error.retry_at, moment + LONGEST_PAUSE)
    else:
        row.failures_in_row = min(row.failures_in_row + 1, 30)
        pause = timedelta(seconds=row.every_s) * 2 ** min(row.failures_in_row - 1, 10)
        row.due_at = moment + min(pause, LONGEST_PAUSE)
