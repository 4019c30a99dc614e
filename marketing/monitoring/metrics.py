"""GET /metrics for Prometheus: the last minute's sample and the counters since the processes began counting."""

from collections.abc import Iterator
from typing import Any

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.utils.crypto import constant_time_compare
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import GaugeMetricFamily, Metric
from redis.exceptions import RedisError

from analytics.models import PerformanceSample
from marketing import health

LOOPBACK = {"127.0.0.1", "::1"}
# Name of the metric: where it stands in a sample, and what it says.
GAUGES = {
    "rostrum_requests_per_minute": (("request", "count"), "Answers in the last whole minute"),
    "rostrum_request_errors_per_minute": (("request", "errors"), "Answers with a status of 500 or more"),
    "rostrum_request_p50_ms": (("request", "p50_ms"), "Duration of answers, median"),
    "rostrum_request_p95_ms": (("request", "p95_ms"), "Duration of answers, 95th percentile"),
    "rostrum_request_p99_ms": (("request", "p99_ms"), "Duration of answers, 99th percentile"),
    "rostrum_tasks_per_minute": (("task", "count"), "Tasks that ended"),
    "rostrum_task_errors_per_minute": (("task", "errors"), "Tasks that failed"),
    "rostrum_task_p95_ms": (("task", "p95_ms"), "Duration of tasks, 95th percentile"),
    "rostrum_queue_depth": (("queue", "depth"), "Tasks that wait for a worker"),
    "rostrum_posts_late_seconds": (("publishing", "late_s"), "How late the latest waiting post is"),
    "rostrum_posts_overdue": (("publishing", "overdue"), "Posts that are due and wait"),
    "rostrum_database_connections": (("database", "connections"), "Connections to the database"),
    "rostrum_database_longest_transaction_seconds": (("database", "longest_s"), "Age of the oldest transaction"),
    "rostrum_database_lock_waits": (("database", "waiting"), "Statements that wait for a lock"),
    "rostrum_database_size_bytes": (("database", "size"), "Size of the database"),
    "rostrum_memory_bytes": (("memory", "rss"), "Memory of all processes together"),
    "rostrum_processes": (("memory", "processes"), "Processes that reported"),
    "rostrum_posts_unconfirmed": (("watched", "unconfirmed"), "Posts of which nobody knows whether they are live"),
    "rostrum_breakers_open": (("watched", "breakers"), "Accounts that are left alone after failures in a row"),
    "rostrum_webhooks_failing": (("watched", "webhooks_failing"), "Webhooks whose last call failed"),
    "rostrum_webhooks_paused": (("watched", "webhooks_paused"), "Webhooks that are paused"),
    "rostrum_backup_made_at_seconds": (("watched", "backup_at"), "When the last backup was made"),
    "rostrum_replica_lag_seconds": (("watched", "replica_lag_s"), "How far the replica is behind"),
    "rostrum_stopped": (("watched", "stopped"), "1 while staff stopped all publishing"),
    "rostrum_pressure": (("pressure",), "0 calm, 1 busy, 2 overloaded"),
}
HEARTBEATS = (
    ("rostrum_scheduler_silent_seconds", health.SCHEDULER_KEY, "Since the scheduler sent anything"),
    ("rostrum_worker_silent_seconds", health.WORKER_KEY, "Since a worker reported"),
)


class SampleCollector:
    def __init__(self, sample: PerformanceSample | None) -> None:
        self.sample = sample

    def collect(self) -> Iterator[Metric]:
        yield from _heartbeats()
        if self.sample is None:
            return
        for name, (path, text) in GAUGES.items():
            value = _find(self.sample.data, path)
            if value is not None:
                yield GaugeMetricFamily(name, text, value=float(value))
        yield GaugeMetricFamily("rostrum_sampled_at_seconds", "When it was measured", value=self.sample.at.timestamp())
        by_queue = GaugeMetricFamily("rostrum_queue_waiting", "Tasks that wait in one queue", labels=["queue"])
        for queue, depth in (_find(self.sample.data, ("queue", "by_name")) or {}).items():
            by_queue.add_metric([queue], depth)
        yield by_queue
        by_process = GaugeMetricFamily("rostrum_process_memory_bytes", "Memory of a process", labels=["process"])
        for process, rss in self.sample.data["memory"]["by_process"].items():
            by_process.add_metric([process], rss)
        yield by_process


def _heartbeats() -> Iterator[Metric]:
    """Read now: who is silent takes no samples."""
    for name, key, text in HEARTBEATS:
        try:
            age = health.age_s(key)
        except RedisError:
            return
        if age is not None:
            yield GaugeMetricFamily(name, text, value=age)


def _find(data: Any, path: tuple[str, ...]) -> Any:
    for name in path:
        data = data.get(name) if isinstance(data, dict) else None
    return data


@require_safe
@never_cache
def metrics(request: HttpRequest) -> HttpResponse:
    """With the token of METRICS_TOKEN, or from this machine itself where there is none."""
    if not _may_read(request):
        raise Http404
    registry = CollectorRegistry()
    registry.register(SampleCollector(PerformanceSample.objects.first()))
    return HttpResponse(generate_latest(registry), content_type="text/plain; version=0.0.4; charset=utf-8")


def _may_read(request: HttpRequest) -> bool:
    if settings.METRICS_TOKEN:
        return constant_time_compare(request.headers.get("Authorization", ""), f"Bearer {settings.METRICS_TOKEN}")
    # Behind a proxy everybody comes from its address.
    return request.META.get("REMOTE_ADDR") in LOOPBACK and "X-Forwarded-For" not in request.headers
