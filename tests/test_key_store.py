import os
import subprocess
import sys
from collections.abc import Callable

import pytest
import redis
from django.conf import settings
from django.core.cache import cache

from tests.key_store import STORE, KeyStore


def set_through_the_cache() -> None:
    cache.set("crumb", 1)


def set_directly() -> None:
    redis.Redis.from_url(settings.REDIS_URL).set("crumb", 1)


def set_in_a_pipeline() -> None:
    with redis.Redis.from_url(settings.REDIS_URL).pipeline() as pipeline:
        pipeline.set("crumb", 1)
        pipeline.execute()


def start_a_program() -> None:
    subprocess.run([sys.executable, "-c", ""], check=True)


def fork() -> None:
    if not (child := os.fork()):
        os._exit(0)
    os.waitpid(child, 0)


@pytest.mark.parametrize("act", [set_through_the_cache, set_directly, set_in_a_pipeline, start_a_program, fork])
def test_whoever_may_have_written_is_noted_and_all_of_it_goes(act: Callable[[], None]) -> None:
    STORE.empty()
    assert not STORE.is_touched
    act()
    assert STORE.is_touched
    STORE.empty()
    assert redis.Redis.from_url(settings.REDIS_URL).dbsize() == 0


def test_what_nobody_touched_is_not_emptied() -> None:
    store = KeyStore()
    store.empty()
    cache.set("crumb", 1)
    store.empty()
    assert cache.get("crumb") == 1
    store.touch()
    store.empty()
    assert cache.get("crumb") is None


def test_a_new_one_counts_as_full() -> None:
    cache.set("crumb", 1)
    KeyStore().empty()
    assert cache.get("crumb") is None
