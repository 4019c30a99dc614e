"""GET /healthz: is every part of the installation alive, and if not, which one and why.

`/livez` and `/readyz` are for whoever starts and stops processes. They answer before hosts and https are looked at: a
probe calls the process by its address, without the proxy.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

import structlog
from django.core.cache import cache
from django.db import Error as DatabaseError
from django.db import connection, transaction
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe
from redis.exceptions import RedisError

from agents.llm import catalogue

log = structlog.get_logger(__name__)

SCHEDULER_KEY = "heartbeat:scheduler"  # when beat last sent the heartbeat task
WORKER_KEY = "heartbeat:worker"  # when a worker process last reported
TASK_KEY = "heartbeat:task"  # when a worker last ran the heartbeat task
SILENT_S = 20
# A long backlog delays the heartbeat task without anything being broken; beyond this the pool is stuck.
STUCK_S = 300
REMEMBERED_S = 24 * 3600


@dataclass(frozen=True)
class Part:
    ok: bool
    reason: str = ""
    age_s: float | None = None

    def as_json(self) -> dict[str, object]:
        return {name: value for name, value in vars(self).items() if value not in ("", None)}


def record(key: str) -> None:
    cache.set(key, time.time(), REMEMBERED_S)


def age_s(key: str) -> float | None:
    seen_at = cache.get(key)
    return None if seen_at is None else round(max(0.0, time.time() - seen_at), 1)


def scheduler_age_s() -> float | None:
    """Seconds since the scheduler last sent anything; None when it never did or the cache is down."""
    try:
        return age_s(SCHEDULER_KEY)
    except RedisError:
        return None


def check_database() -> Part:
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")
    return Part(ok=True)


def check_cache() -> Part:
    cache.set("healthz", 1, 10)
    return Part(ok=True) if cache.get("healthz") else Part(ok=False, reason="forgets what it is told")


def check_scheduler() -> Part:
    return silent_part(SCHEDULER_KEY)


def check_worker() -> Part:
    part = silent_part(WORKER_KEY)
    task_age = age_s(TASK_KEY)
    # Without a scheduler there is nothing to run, which is not the worker's fault.
    if part.ok and check_scheduler().ok and task_age is not None and task_age > STUCK_S:
        return Part(ok=False, reason=f"alive, but ran no task for {task_age:.0f} s", age_s=part.age_s)
    return part


def check_models() -> Part:
    """A mistake in the file is worth a look, but the last good one goes on: no reason to take the server away."""
    return Part(ok=True, reason=catalogue.problem() and "models.yaml has a mistake; the log says which")


def silent_part(key: str) -> Part:
    age = age_s(key)
    if age is None:
        return Part(ok=False, reason="has not been seen yet")
    return Part(age <= SILENT_S, "" if age <= SILENT_S else f"silent for {age:.0f} s", age)


CHECKS: dict[str, Callable[[], Part]] = {
    "web": lambda: Part(ok=True),
    "database": check_database,
    "cache": check_cache,
    "worker": check_worker,
    "scheduler": check_scheduler,
    "models": check_models,
}
NEEDED = ("database", "cache")


def run_check(name: str) -> Part:
    try:
        return CHECKS[name]()
    except (DatabaseError, RedisError, OSError) as error:
        # The error text may hold hosts and user names: it goes to the log, not to the caller.
        log.warning("health_check_failed", part=name, error=str(error))
        return Part(ok=False, reason=f"unreachable ({type(error).__name__})")


class ProbeMiddleware:
    """`/livez`: this process answers, whatever else is down. `/readyz`: it also reaches what every page needs."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if request.path_info == "/livez":
            return probe_answer([])
        if request.path_info == "/readyz":
            return probe_answer([name for name in NEEDED if not run_check(name).ok])
        return self.get_response(request)


def probe_answer(missing: list[str]) -> HttpResponse:
    text = f"waits for {' and '.join(missing)}\n" if missing else "ok\n"
    headers = {"Cache-Control": "no-store"}
    return HttpResponse(text, status=503 if missing else 200, content_type="text/plain", headers=headers)


@never_cache
@require_safe
@transaction.non_atomic_requests
def healthz(request: HttpRequest) -> JsonResponse:
    parts = {name: run_check(name) for name in CHECKS}
    is_well = all(part.ok for part in parts.values())
    body = {
        "status": "ok" if is_well else "unavailable",
        "parts": {name: part.as_json() for name, part in parts.items()},
    }
    return JsonResponse(body, status=200 if is_well else 503)
