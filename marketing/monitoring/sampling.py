"""Once a minute: what the processes counted, what database and broker say, and what is wrong."""

import json
import time
from collections.abc import Mapping
from typing import Any

from celery import current_app
from django.db import connection
from kombu.exceptions import OperationalError

from accounts.scope import all_workspaces_scope
from analytics.models import PerformanceSample
from lib.clock import now
from marketing.monitoring import alerts, pressure, watched
from marketing.monitoring.meters import BUCKETS, PROCESSES, client, minute_key
from marketing.queues import NAMES

Data = dict[str, Any]
# Processes that have been silent for longer are gone.
SILENT_S = 300
TOP = 15
DATABASE = """
SELECT (SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()),
       current_setting('max_connections')::int,
       COALESCE((SELECT max(extract(epoch FROM clock_timestamp() - xact_start)) FROM pg_stat_activity
                 WHERE datname = current_database() AND pid <> pg_backend_pid()
                     AND application_name <> 'rostrum lock'), 0),
       (SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'),
       pg_database_size(current_database()),
       (SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()),
       (SELECT round(100.0 * blks_hit / NULLIF(blks_hit + blks_read, 0), 2) FROM pg_stat_database
        WHERE datname = current_database())
"""
# What waits for its account, its campaign or its workspace is not late by our doing: no pressure comes of it.
BACKLOG = """
SELECT COALESCE(extract(epoch FROM now() - min(d.due_at)), 0), count(*)
FROM campaigns_delivery d JOIN social_connection c ON c.id = d.connection_id
JOIN accounts_workspace w ON w.id = d.workspace_id
JOIN campaigns_post p ON p.id = d.post_id LEFT JOIN campaigns_campaign k ON k.id = p.campaign_id
WHERE d.state IN ('scheduled', 'retry_wait') AND d.due_at < now() AND c.status = 'active'
    AND (c.limited_until IS NULL OR c.limited_until <= now()) AND (c.broken_until IS NULL OR c.broken_until <= now())
    AND NOT w.is_suspended AND NOT w.is_stopped AND (k.id IS NULL OR k.status = 'running')
"""


def take_sample() -> PerformanceSample:
    """Write the minute down, tell staff what is wrong, and say how much pressure there is."""
    data = _counted(time.time() - 60) | {
        "memory": _memory(),
        "database": _database(),
        "queue": _queue(),
        "publishing": _publishing(),
        "watched": watched.measure(),
    }
    found = alerts.find_alerts(data)
    data["alerts"] = [{"code": one.code, "text": one.text, "level": one.level} for one in found]
    data["pressure"] = max((one.pressure for one in found), default=pressure.CALM)
    sample = PerformanceSample.objects.create(at=now(), data=data)
    pressure.press(data["pressure"])
    alerts.tell_staff(found)
    return sample


def _counted(at: float) -> Data:
    raw = client().hgetall(minute_key(at))
    counts = {_text(name): int(number) for name, number in raw.items()}
    return {kind: summary(kind, counts) for kind in ("request", "task")}


def _text(value: bytes | str) -> str:
    return value.decode() if isinstance(value, bytes) else value


def summary(kind: str, counts: Mapping[str, int]) -> Data:
    """{"count", "errors", "p50_ms", "p95_ms", "p99_ms", "by_name": {name: {"count", "errors", "mean_ms"}}}."""
    by_name: dict[str, Data] = {}
    buckets = [0] * (len(BUCKETS) + 1)
    for field, number in counts.items():
        of, what, name = field.split("|", 2)
        if of != kind:
            continue
        if what == "bucket":
            buckets[int(name)] += number
        else:
            by_name.setdefault(name, {"count": 0, "errors": 0, "ms": 0})[what] += number
    busiest = sorted(by_name.items(), key=lambda item: -item[1]["ms"])[:TOP]
    return {
        "count": sum(one["count"] for one in by_name.values()),
        "errors": sum(one["errors"] for one in by_name.values()),
        **{f"p{share}_ms": quantile(buckets, share / 100) for share in (50, 95, 99)},
        "by_name": {
            name: {"count": one["count"], "errors": one["errors"], "mean_ms": round(one["ms"] / one["count"], 1)}
            for name, one in busiest
            if one["count"]
        },
    }


def quantile(buckets: list[int], share: float) -> float | None:
    """The upper end of the bucket that it lies in; None where nothing was timed."""
    total = sum(buckets)
    if not total:
        return None
    reached = 0
    for number, upper in zip(buckets, (*BUCKETS, BUCKETS[-1] * 2), strict=True):
        reached += number
        if reached >= share * total:
            return float(upper)
    return None


def _memory() -> Data:
    redis, since = client(), time.time() - SILENT_S
    found = {_text(name): json.loads(value) for name, value in redis.hgetall(PROCESSES).items()}
    gone = [name for name, one in found.items() if one["at"] < since]
    if gone:
        redis.hdel(PROCESSES, *gone)
    alive = {name: one["rss"] for name, one in found.items() if name not in gone}
    largest = sorted(alive.items(), key=lambda item: -item[1])[:TOP]
    return {"processes": len(alive), "rss": sum(alive.values()), "by_process": dict(largest)}


def _database() -> Data:
    with connection.cursor() as cursor:
        cursor.execute(DATABASE)
        row = cursor.fetchone()
    names = ("connections", "max_connections", "longest_s", "waiting", "size", "deadlocks", "hit_percent")
    return {name: None if value is None else float(value) for name, value in zip(names, row, strict=True)}


def _queue() -> Data:
    """{"depth": all, "by_name": {queue: waiting}}; a queue to which nothing was ever sent counts 0."""
    with current_app.connection_for_read() as broker:
        try:
            found = {name: _depth(broker, name) for name in NAMES}
        except (*broker.connection_errors, OperationalError):
            return {"depth": None, "by_name": {}}
    return {"depth": sum(found.values()), "by_name": found}


def _depth(broker: Any, name: str) -> int:
    # A refusal closes the channel: each queue is asked on one of its own.
    with broker.channel() as channel:
        try:
            return int(channel.queue_declare(name, passive=True).message_count)
        except broker.channel_errors:
            return 0


def _publishing() -> Data:
    """How late the latest post is that could be sent."""
    with all_workspaces_scope("see how late publishing is"), connection.cursor() as cursor:
        cursor.execute(BACKLOG)
        late, count = cursor.fetchone()
    return {"late_s": float(late), "overdue": count}
