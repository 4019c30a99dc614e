import time
from collections.abc import Iterator
from typing import Any

import pytest
from django.core.cache import cache
from django.db import connection
from django.test import Client, override_settings

from marketing.health import (
    SCHEDULER_KEY,
    SILENT_S,
    STUCK_S,
    TASK_KEY,
    WORKER_KEY,
    record,
    run_check,
    scheduler_age_s,
)
from marketing.tasks import heartbeat, note_worker, send_first_heartbeat

HEARTBEATS = (SCHEDULER_KEY, WORKER_KEY, TASK_KEY)


@pytest.fixture(autouse=True)
def all_alive() -> Iterator[None]:
    for key in HEARTBEATS:
        record(key)
    yield
    cache.delete_many(HEARTBEATS)


@pytest.fixture
def no_cache(all_alive: None) -> Iterator[None]:
    backend = "django.core.cache.backends.redis.RedisCache"
    nowhere = {"BACKEND": backend, "LOCATION": "unix:///nowhere/valkey.sock?db=0"}
    with override_settings(CACHES={"default": nowhere}):
        yield


@pytest.fixture
def no_database(all_alive: None, django_db_setup: None, django_db_blocker: Any) -> Iterator[None]:
    with django_db_blocker.unblock(), pytest.MonkeyPatch.context() as patch:
        connection.close()
        patch.setitem(connection.settings_dict, "HOST", "/nowhere")
        yield


def seen(key: str, seconds_ago: float) -> None:
    cache.set(key, time.time() - seconds_ago, 600)


def reason(client: Client, part: str) -> str:
    answer = client.get("/healthz")
    assert answer.status_code == 503
    assert answer.json()["status"] == "unavailable"
    return str(answer.json()["parts"][part]["reason"])


def test_healthz_is_ok_when_every_part_is_alive(client: Client, db: None) -> None:
    answer = client.get("/healthz")
    assert answer.status_code == 200
    assert answer.json()["status"] == "ok"
    assert list(answer.json()["parts"]) == ["web", "database", "cache", "worker", "scheduler", "models"]


def test_healthz_is_never_cached(client: Client, db: None) -> None:
    assert "no-store" in client.get("/healthz").headers["Cache-Control"]


def test_healthz_refuses_to_be_posted_to(client: Client, db: None) -> None:
    assert client.post("/healthz").status_code == 405


def test_worker_that_was_never_seen_is_reported(client: Client, db: None) -> None:
    cache.delete(WORKER_KEY)
    assert reason(client, "worker") == "has not been seen yet"


def test_silent_worker_is_reported_with_its_silence(client: Client, db: None) -> None:
    seen(WORKER_KEY, seconds_ago=60)
    assert reason(client, "worker") == "silent for 60 s"


def test_silent_scheduler_is_reported_with_its_silence(client: Client, db: None) -> None:
    seen(SCHEDULER_KEY, seconds_ago=45)
    assert reason(client, "scheduler") == "silent for 45 s"


def test_short_silence_is_no_failure(client: Client, db: None) -> None:
    seen(WORKER_KEY, seconds_ago=SILENT_S - 2)
    assert client.get("/healthz").status_code == 200


def test_worker_that_runs_no_task_is_reported(client: Client, db: None) -> None:
    seen(TASK_KEY, seconds_ago=STUCK_S + 100)
    assert reason(client, "worker") == "alive, but ran no task for 400 s"


def test_backlog_of_minutes_is_no_failure(client: Client, db: None) -> None:
    seen(TASK_KEY, seconds_ago=STUCK_S - 10)
    assert client.get("/healthz").status_code == 200


def test_worker_is_not_blamed_for_a_dead_scheduler(client: Client, db: None) -> None:
    seen(TASK_KEY, seconds_ago=STUCK_S + 100)
    seen(SCHEDULER_KEY, seconds_ago=STUCK_S + 100)
    assert reason(client, "scheduler") == "silent for 400 s"
    assert run_check("worker").ok


@pytest.mark.usefixtures("no_cache")
def test_lost_cache_is_reported_and_the_database_still_is_well(client: Client, db: None) -> None:
    assert reason(client, "cache") == "unreachable (ConnectionError)"
    assert run_check("database").ok


@pytest.mark.usefixtures("no_cache")
def test_failure_reveals_no_address(client: Client, db: None) -> None:
    assert b"nowhere" not in client.get("/healthz").content


@pytest.mark.usefixtures("no_database")
def test_lost_database_is_reported_and_the_cache_still_is_well(client: Client) -> None:
    assert reason(client, "database") == "unreachable (OperationalError)"
    assert run_check("cache").ok


def test_scheduler_age_grows_from_the_last_heartbeat() -> None:
    seen(SCHEDULER_KEY, seconds_ago=7)
    assert scheduler_age_s() == pytest.approx(7, abs=1)


def test_scheduler_age_is_unknown_before_the_first_heartbeat() -> None:
    cache.delete(SCHEDULER_KEY)
    assert scheduler_age_s() is None


@pytest.mark.usefixtures("no_cache")
def test_scheduler_age_is_unknown_without_a_cache() -> None:
    assert scheduler_age_s() is None


def test_sending_the_heartbeat_proves_the_scheduler_but_not_the_worker() -> None:
    cache.delete_many(HEARTBEATS)
    send_first_heartbeat()
    assert (run_check("scheduler").ok, run_check("worker").ok) == (True, False)


def test_running_the_heartbeat_proves_the_worker_but_not_the_scheduler() -> None:
    cache.delete_many(HEARTBEATS)
    heartbeat()
    assert (run_check("scheduler").ok, run_check("worker").ok) == (False, True)


def test_worker_process_is_alive_while_all_its_slots_are_busy() -> None:
    cache.delete_many(HEARTBEATS)
    note_worker()
    assert run_check("worker").ok
