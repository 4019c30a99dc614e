"""What Valkey and the session table hold of a person: found by reading every entry, since nothing indexes it."""

from collections.abc import Iterator
from contextlib import suppress
from typing import Any

import redis
from django.conf import settings
from django.contrib.sessions.backends.cached_db import KEY_PREFIX, SessionStore
from django.contrib.sessions.models import Session
from django.core.cache import cache
from redis.exceptions import RedisError

from compliance.privacy.traces import Finder, stands_in, without
from lib.clock import now

BATCH = 500


def forget(traces: frozenset[str]) -> int:
    """Delete every cached value, session copy and task result that holds one of these words in its key or value."""
    wanted = [trace.encode() for trace in traces]
    client = redis.Redis.from_url(settings.REDIS_URL)
    doomed = [key for key, value in _entries(client) if any(word in key or word in value for word in wanted)]
    for at in range(0, len(doomed), BATCH):
        client.delete(*doomed[at : at + BATCH])
    return len(doomed)


def _entries(client: Any) -> Iterator[tuple[bytes, bytes]]:
    """Plain values only: the queues carry nothing but ids, and are not ours to empty."""
    keys: list[bytes] = []
    for key in client.scan_iter(count=BATCH, _type="string"):
        keys.append(key)
        if len(keys) == BATCH:
            yield from _values(client, keys)
            keys = []
    yield from _values(client, keys)


def _values(client: Any, keys: list[bytes]) -> Iterator[tuple[bytes, bytes]]:
    values = client.mget(keys) if keys else []
    return ((key, value or b"") for key, value in zip(keys, values, strict=True))


def end_sessions(user_id: str) -> int:
    """Log the person out everywhere."""
    mine = [row.session_key for row in _live_sessions() if str(row.get_decoded().get("_auth_user_id", "")) == user_id]
    Session.objects.filter(session_key__in=mine).delete()
    _drop_copies(mine)
    return len(mine)


def scrub_sessions(finder: Finder) -> None:
    """Other people's sessions, and half-finished log-ins, may name the person: in messages, for one."""
    named = [row for row in _live_sessions() if stands_in(row.get_decoded(), finder)]
    for row in named:
        data = SessionStore().encode(without(row.get_decoded(), finder))
        Session.objects.filter(session_key=row.session_key).update(session_data=data)
    _drop_copies([row.session_key for row in named])


def _live_sessions() -> Iterator[Session]:
    return Session.objects.filter(expire_date__gt=now()).iterator()


def _drop_copies(keys: list[str]) -> None:
    # A cache that is down keeps the copy until it is back; without its row it opens nothing new.
    with suppress(RedisError):
        cache.delete_many([f"{KEY_PREFIX}{key}" for key in keys])
