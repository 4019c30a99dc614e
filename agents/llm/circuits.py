"""The breaker of one provider, model and key, in the database: what one worker learns, all know."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from django.db import connection
from django.db.models import Q

from agents.llm.routes import Route
from agents.llm.types import ModelError
from agents.models import Circuit
from lib.clock import now

FAILURES = 3
WINDOW = timedelta(seconds=60)
OPEN = timedelta(seconds=30)
# Whoever says this is well.
ANSWERS = {"bad_request", "too_long", "not_found", "refused", "empty"}
# A refused key, or an empty account, does not come back by itself within seconds.
OPEN_FOR_KEY = timedelta(minutes=5)
# Longer than any one call: a trial whose worker died is given to another.
TRIAL = timedelta(minutes=3)
# What says something about the provider, not about the request.
COUNTS = {"rate_limited", "overloaded", "timeout", "disconnected", "server_error"}
KEY_CODES = {"unauthorized", "no_credit"}


def names(route: Route) -> tuple[str, str]:
    """Of the model, and of the key whatever the model."""
    stem, digest = route.provider.name, route.key_digest
    return f"{stem}:{route.model.name[:100]}:{digest}", f"{stem}:*:{digest}"


def enter(route: Route) -> bool:
    """True where something went wrong before, so that a success is news. Raises ModelError circuit_open.

    Once the pause is over, one caller goes ahead; the others wait for what it finds out.
    """
    at = now()
    taken: list[str] = []
    rows = list(Circuit.objects.filter(pk__in=names(route)))
    for row in rows:
        if row.open_until is None:
            continue
        if not _may_try(row, at):
            Circuit.objects.filter(pk__in=taken).update(trial_until=None)
            raise _refusal([one.open_until or at for one in rows], at, row.last_error)
        taken.append(row.pk)
    return bool(rows)


def _may_try(row: Circuit, at: datetime) -> bool:
    free = Circuit.objects.filter(Q(trial_until=None) | Q(trial_until__lte=at), pk=row.pk, open_until__lte=at)
    return bool(free.update(trial_until=at + TRIAL, changed_at=at))


def _refusal(until: Sequence[datetime], at: datetime, last_error: str) -> ModelError:
    wait_s = max(1.0, *((moment - at).total_seconds() for moment in until))
    text = "The model's provider had problems a moment ago. It is tried again soon."
    return ModelError("circuit_open", text, raw=last_error, is_retryable=True, retry_after_s=wait_s)


def note_success(route: Route) -> None:
    """Whoever answers at all is well, even where the answer is a no."""
    Circuit.objects.filter(pk__in=names(route)).update(
        failures=0, open_until=None, trial_until=None, last_error="", changed_at=now()
    )


def note_end(route: Route, code: str) -> None:
    """After trouble: the call ended otherwise than by success or by a failure that counts."""
    if code in ANSWERS:
        note_success(route)
    else:
        give_back(route)


def give_back(route: Route) -> None:
    """The trial did not take place."""
    Circuit.objects.filter(pk__in=names(route)).update(trial_until=None)


def note_failure(route: Route, error: ModelError) -> None:
    """A failure that says nothing of the provider changes nothing; see `note_end`."""
    of_model, of_key = names(route)
    if error.code in KEY_CODES:
        _count(of_key, error.code, OPEN_FOR_KEY, at_once=True)
    elif error.code in COUNTS:
        pause = max(OPEN, timedelta(seconds=min(error.retry_after_s or 0, OPEN_FOR_KEY.total_seconds())))
        _count(of_model, error.code, pause, at_once=False)


def _count(name: str, code: str, pause: timedelta, *, at_once: bool) -> None:
    at = now()
    with connection.cursor() as cursor:
        cursor.execute(
            COUNT,
            {
                "name": name,
                "code": code,
                "at": at,
                "stale": at - WINDOW,
                "until": at + pause,
                "limit": 1 if at_once else FAILURES,
            },
        )


# One statement: however many fail at once, each is counted. An open circuit that failed its trial opens again.
COUNT = """
INSERT INTO agents_circuit AS c (name, failures, open_until, trial_until, last_error, changed_at)
VALUES (%(name)s, 1, CASE WHEN %(limit)s <= 1 THEN %(until)s::timestamptz END, NULL, %(code)s, %(at)s)
ON CONFLICT (name) DO UPDATE SET
    failures = CASE WHEN c.open_until IS NULL AND c.changed_at < %(stale)s THEN 1 ELSE c.failures + 1 END,
    open_until = CASE
        WHEN %(limit)s <= 1 OR c.open_until IS NOT NULL OR (c.changed_at >= %(stale)s AND c.failures + 1 >= %(limit)s)
        THEN greatest(c.open_until, %(until)s::timestamptz) END,
    trial_until = NULL, last_error = %(code)s, changed_at = %(at)s
"""
