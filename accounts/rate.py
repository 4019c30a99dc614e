"""How often something may happen: GCRA, one row per scope, moved by one statement however many workers ask at once."""

import hashlib
import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cached_property

from django.core.exceptions import ValidationError
from django.db import connection, transaction

from accounts.models import RateCell
from lib.clock import now

NOTHING = timedelta()
SWEPT_AT_ONCE = 5000


@dataclass(frozen=True)
class Limit:
    """`count` acts in each `per`, of which at most `burst` at once. `scope` names what is counted, and stays secret."""

    scope: tuple[object, ...]
    count: float
    per: timedelta
    burst: int
    cost: int = 1

    def __post_init__(self) -> None:
        if not 0 < self.cost <= self.burst or self.count <= 0:
            raise ValueError(f"{self.scope}: {self.cost} at once can never conform to a burst of {self.burst}.")

    @cached_property
    def key(self) -> str:
        # The length of each piece, so that no two scopes are written alike.
        pieces = [f"{len(piece)}:{piece}" for piece in map(str, self.scope)]
        return hashlib.sha256("".join(pieces).encode()).hexdigest()

    @property
    def interval(self) -> timedelta:
        """Between two acts at the steady rate."""
        return self.per / self.count

    @property
    def tolerance(self) -> timedelta:
        """How far ahead of the clock the cell may run."""
        return self.interval * self.burst


@dataclass(frozen=True)
class Taken:
    """`remaining` and `retry_after_s` are those of the narrowest limit; `refused_by` the limits that said no."""

    ok: bool
    retry_after_s: float
    remaining: int
    refused_by: tuple[Limit, ...] = ()


class RateLimited(ValidationError):
    """Too many in too little time. A ValidationError, so that every door shows it; the API answers 429."""

    def __init__(self, text: str, retry_after_s: float) -> None:
        super().__init__(f"{text} Try again in {in_words(retry_after_s)}.", code="rate_limited")
        self.retry_after_s = retry_after_s


def take(*limits: Limit, at: datetime | None = None, is_undone: bool = False) -> Taken:
    """Count one act against all of the limits, or against none of them.

    Inside a transaction the rows stay locked until it ends: take last. A rollback gives the act back.
    `is_undone`: the caller rolls its transaction back where the answer is no, which saves a savepoint.
    """
    at, needs_undoing = at or now(), len(limits) > 1 and not is_undone
    with transaction.atomic(savepoint=needs_undoing):
        moved = _move(limits, at)
        if len(moved) == len(limits):
            return Taken(True, 0.0, min(_remaining(limit, moved[limit.key], at) for limit in limits))
        if needs_undoing:
            transaction.set_rollback(True)
    return _refusal([limit for limit in limits if limit.key not in moved], at)


def require(*limits: Limit, text: str) -> None:
    """Raises RateLimited: the text, and when it is possible again."""
    taken = take(*limits)
    if not taken.ok:
        raise RateLimited(text, taken.retry_after_s)


def remaining(limit: Limit, at: datetime | None = None) -> int:
    """How many would go through right now; nothing is taken."""
    at = at or now()
    return _remaining(limit, _read([limit]).get(limit.key, at), at)


def sweep(at: datetime | None = None) -> int:
    """Delete the cells that the clock has overtaken: they say no more than no row does."""
    at, total = at or now(), 0
    while True:
        stale = RateCell.objects.select_for_update(no_key=True, skip_locked=True).filter(tat__lt=at).values("pk")
        with transaction.atomic():
            found = RateCell.objects.filter(pk__in=list(stale[:SWEPT_AT_ONCE].values_list("pk", flat=True))).delete()[0]
        total += found
        if found < SWEPT_AT_ONCE:
            return total


def in_words(seconds: float) -> str:
    """Rounded up, so that nobody comes back too early."""
    for size, name in ((86_400, "day"), (3600, "hour"), (60, "minute")):
        if seconds > size:
            number = math.ceil(seconds / size)
            return f"{number} {name}{'s' if number > 1 else ''}"
    number = max(1, math.ceil(seconds))
    return f"{number} second{'s' if number > 1 else ''}"


# The rows are taken in the order of their keys: two that want the same cells must not wait for each other crosswise.
# A new cell always conforms, since no cost is greater than its burst.
TAKE = """
WITH asked AS MATERIALIZED (
    SELECT * FROM unnest(%(keys)s::text[], %(costs)s::interval[], %(tolerances)s::interval[])
        AS limits (key, cost, tolerance)
)
INSERT INTO accounts_ratecell AS cell (key, tat)
SELECT key, %(now)s + cost FROM asked ORDER BY key
ON CONFLICT (key) DO UPDATE SET tat = greatest(cell.tat, %(now)s) + (excluded.tat - %(now)s)
WHERE greatest(cell.tat, %(now)s) + (excluded.tat - %(now)s)
    <= %(now)s + (SELECT tolerance FROM asked WHERE asked.key = excluded.key)
RETURNING key, tat
"""


def _move(limits: Sequence[Limit], at: datetime) -> dict[str, datetime]:
    with connection.cursor() as cursor:
        cursor.execute(
            TAKE,
            {
                "keys": [limit.key for limit in limits],
                "costs": [limit.interval * limit.cost for limit in limits],
                "tolerances": [limit.tolerance for limit in limits],
                "now": at,
            },
        )
        return dict(cursor.fetchall())


def _refusal(refused: Sequence[Limit], at: datetime) -> Taken:
    cells = _read(refused)
    longest = max(_wait(limit, cells.get(limit.key, at), at) for limit in refused)
    left = min(_remaining(limit, cells.get(limit.key, at), at) for limit in refused)
    # Where the clock overtook it between the two statements, the next moment will do.
    return Taken(False, max(longest.total_seconds(), 0.001), left, tuple(refused))


def _read(limits: Sequence[Limit]) -> dict[str, datetime]:
    return dict(RateCell.objects.filter(pk__in=[limit.key for limit in limits]).values_list("key", "tat"))


def _wait(limit: Limit, tat: datetime, at: datetime) -> timedelta:
    return max(max(tat, at) + limit.interval * limit.cost - at - limit.tolerance, NOTHING)


def _remaining(limit: Limit, tat: datetime, at: datetime) -> int:
    return max(0, math.floor((limit.tolerance - (max(tat, at) - at)) / limit.interval))
