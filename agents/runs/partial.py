"""What a model has said so far, for whoever watches. Valkey forgets it after an hour; the step keeps the whole."""

from contextlib import suppress
from functools import lru_cache
from uuid import UUID

import redis
from django.conf import settings
from redis.exceptions import RedisError

KEEP_S = 3600


@lru_cache(maxsize=2)
def _client(url: str) -> redis.Redis:
    return redis.Redis.from_url(url)


def _key(run_id: UUID, n: int) -> str:
    return f"run:{run_id}:{n}"


def begin_partial(run_id: UUID, n: int, *, agent: str = "") -> None:
    """A new try of step `n`: what an earlier one said is gone."""
    with suppress(RedisError):
        pipe = _client(settings.REDIS_URL).pipeline(transaction=False)
        pipe.delete(_key(run_id, n))
        pipe.set(f"run:{run_id}:agent", agent, ex=KEEP_S)
        pipe.execute()


def append_partial(run_id: UUID, n: int, text: str) -> None:
    """Nobody may watch, and a watcher is no reason to fail: errors are dropped."""
    with suppress(RedisError):
        pipe = _client(settings.REDIS_URL).pipeline(transaction=False)
        pipe.append(_key(run_id, n), text.encode("utf-8", "ignore"))
        pipe.expire(_key(run_id, n), KEEP_S)
        pipe.execute()


def read_partial(run_id: UUID, n: int, from_byte: int = 0) -> tuple[str, int]:
    """What came after `from_byte` of step `n`, and where it ends: the next `from_byte`."""
    try:
        found = bytes(_client(settings.REDIS_URL).getrange(_key(run_id, n), from_byte, -1))  # type: ignore[arg-type]
    except RedisError:
        return "", from_byte
    return found.decode("utf-8", "ignore"), from_byte + len(found)


def read_agent(run_id: UUID) -> str:
    """Whose turn it is, as last said by a worker."""
    with suppress(RedisError):
        return bytes(_client(settings.REDIS_URL).get(f"run:{run_id}:agent") or b"").decode()  # type: ignore[arg-type]
    return ""
