"""How many calls one provider and key get at the same time, over all workers. A dead holder's place falls free."""

import random
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache
from uuid import uuid4

import structlog
from django.conf import settings
from redis import Redis
from redis.exceptions import RedisError

from agents.llm.routes import Route
from agents.llm.types import ModelError

log = structlog.get_logger(__name__)
# The server's clock: the workers' may differ.
ENTER = """
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', now)
if redis.call('ZCARD', KEYS[1]) >= tonumber(ARGV[1]) then return 0 end
redis.call('ZADD', KEYS[1], now + tonumber(ARGV[3]), ARGV[2])
redis.call('PEXPIRE', KEYS[1], math.max(tonumber(ARGV[3]), redis.call('PTTL', KEYS[1])))
return 1
"""


class Crowded(ModelError):
    """All places are taken: our own limit, and no word about the provider."""


@lru_cache(maxsize=4)
def _store(url: str) -> Redis:
    return Redis.from_url(url, socket_timeout=2, socket_connect_timeout=2)


@contextmanager
def place(route: Route, *, hold_s: float, deadline: float) -> Iterator[None]:
    """`hold_s`: how long the place may be needed at most; `deadline`: until when to wait for one (monotonic).

    Raises Crowded (rate_limited). Without Valkey nobody is kept waiting.
    """
    key, holder = f"llm:gate:{route.provider.name}:{route.key_digest}", uuid4().hex
    try:
        store = _store(settings.REDIS_URL)
        _wait(store, [key, str(route.provider.max_concurrency), holder, str(int(hold_s * 1000))], deadline)
    except RedisError as error:
        log.warning("llm_gate_open", error=str(error))
        yield
        return
    try:
        yield
    finally:
        _leave(store, key, holder)


def _wait(store: Redis, words: list[str], deadline: float) -> None:
    pause_s = 0.01
    while not store.eval(ENTER, 1, *words):
        if time.monotonic() + pause_s > deadline:
            raise Crowded(
                "rate_limited",
                "Too many calls to this model's provider at once. Try again in a moment.",
                is_retryable=True,
                retry_after_s=1.0,
            )
        time.sleep(random.uniform(pause_s / 2, pause_s))  # noqa: S311
        pause_s = min(0.25, pause_s * 1.5)


def _leave(store: Redis, key: str, holder: str) -> None:
    try:
        store.zrem(key, holder)
    except RedisError as error:
        log.warning("llm_gate_open", error=str(error))
