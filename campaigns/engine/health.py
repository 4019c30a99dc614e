"""What an answer tells about the account, its app and its network: breakers and rate windows, kept in the database."""

from datetime import datetime, timedelta

from django.conf import settings
from django.db import connection as db
from django.db.models import F

from accounts.scope import workspace_scope
from campaigns.account_health import hear_failure
from lib.clock import now
from social.credentials import tell_connection
from social.models import Connection, NetworkState
from social.networks.port import Accepted, Failure, NetworkError, RateWindow

# Failures that say something about the network, and nothing about the post.
COUNTS = {Failure.TEMPORARY, Failure.UNKNOWN}
MAX_OPEN = timedelta(minutes=15)


def note_success(connection: Connection, accepted: Accepted) -> None:
    """In a transaction of its own, after the receipt: whoever moves a delivery locks its account first."""
    rests_until = now() + timedelta(seconds=accepted.rest_s) if accepted.rest_s else None
    until = max(filter(None, (rests_until, _used_up(accepted.windows))), default=None)
    window = _scarce(accepted.windows)
    if not (until or window or connection.failures_in_row):
        return
    with workspace_scope(connection.workspace_id):
        fields = {"limited_until": until} if until else {}
        Connection.objects.filter(pk=connection.pk).update(failures_in_row=0, broken_until=None, **fields)
        _learn(connection, window)


def note_network_success(network: str) -> None:
    NetworkState.objects.filter(network=network, failures_in_row__gt=0).update(
        failures_in_row=0, broken_until=None, changed_at=now()
    )


def note_failure(connection: Connection, failure: Failure, error: NetworkError) -> None:
    """In a transaction of its own, like a success."""
    with workspace_scope(connection.workspace_id):
        _learn(connection, _scarce(error.windows))
        if failure in COUNTS and not error.moved_to:
            _count(connection)
        hear_failure(connection, failure, error)


def _count(connection: Connection) -> None:
    account = Connection.objects.filter(pk=connection.pk)
    account.update(failures_in_row=F("failures_in_row") + 1)
    failures = account.values_list("failures_in_row", flat=True).first() or 0
    if failures >= settings.BREAKER_CONNECTION:
        account.update(broken_until=_reopens(failures - settings.BREAKER_CONNECTION))
        if failures == settings.BREAKER_CONNECTION:
            tell_connection(connection, f"{connection} failed {failures} times in a row. Its posts wait a little.")
    _count_for_network(connection.network)


def _count_for_network(network: str) -> None:
    """One success anywhere closes it again, so it only opens when nobody gets through."""
    state, _ = NetworkState.objects.get_or_create(network=network)
    NetworkState.objects.filter(pk=state.pk).update(failures_in_row=F("failures_in_row") + 1, changed_at=now())
    NetworkState.objects.filter(pk=state.pk, failures_in_row__gte=settings.BREAKER_NETWORK).update(
        broken_until=now() + timedelta(seconds=settings.BREAKER_OPEN_S)
    )


def _reopens(more: int) -> datetime:
    return now() + min(MAX_OPEN, timedelta(seconds=settings.BREAKER_OPEN_S * 2 ** min(more, 10)))


def _used_up(windows: tuple[RateWindow, ...]) -> datetime | None:
    """The account's own window is empty: wait without being told off first."""
    return max(
        (window.resets_at for window in windows if window.scope == "user" and not window.remaining), default=None
    )


def _scarce(windows: tuple[RateWindow, ...]) -> RateWindow | None:
    """The app's window, once so little is left of it that the accounts have to share."""
    shared = (window for window in windows if window.scope == "app" and window.remaining <= window.limit // 4)
    return next(shared, None)


def _learn(connection: Connection, window: RateWindow | None) -> None:
    if not (window and connection.app_key):
        return
    with db.cursor() as cursor:
        limit, left = min(window.limit, MAX_CALLS), min(window.remaining, MAX_CALLS)
        cursor.execute(LEARN, [connection.app_key, limit, left, window.resets_at, now()])


MAX_CALLS = 2**31 - 1
# Answers overtake each other: within one window the smaller number is the newer one.
LEARN = """
INSERT INTO social_ratebucket AS b (app_key, "limit", remaining, resets_at, seen_at) VALUES (%s, %s, %s, %s, %s)
ON CONFLICT (app_key) DO UPDATE SET "limit" = excluded."limit", resets_at = excluded.resets_at,
    seen_at = excluded.seen_at, remaining = CASE WHEN b.resets_at = excluded.resets_at
        THEN least(b.remaining, excluded.remaining) ELSE excluded.remaining END
WHERE b.resets_at <= excluded.resets_at
"""
