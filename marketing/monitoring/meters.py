"""Counters of one process, flushed to Redis every few seconds: what is measured costs no request a round trip."""

import json
import os
import resource
import socket
import sys
import threading
import time
from collections import Counter
from pathlib import Path
from typing import Any

import structlog
from django.core.cache import cache
from redis import Redis
from redis.exceptions import RedisError

log = structlog.get_logger(__name__)
# Upper ends in milliseconds; what is slower is in the last one.
BUCKETS = (5, 10, 25, 50, 100, 250, 500, 1000, 2500, 5000, 10_000)
FLUSH_S = 5.0
KEPT_S = 15 * 60
PROCESSES = "performance:processes"
PAGE_BYTES = resource.getpagesize()


class Meter:
    """Thread-safe. A minute that cannot be flushed is lost: counters must never fail a request."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.counts: Counter[str] = Counter()
        self.flushed_at = time.monotonic()

    def note(self, kind: str, name: str, ms: float | None, *, is_error: bool = False) -> None:
        """`kind` is request or task; without a duration only the count."""
        fields = [f"{kind}|count|{name}"]
        if is_error:
            fields.append(f"{kind}|errors|{name}")
        if ms is not None:
            fields.append(f"{kind}|bucket|{bucket_of(ms)}")
        with self.lock:
            self.counts.update(fields)
            if ms is not None:
                self.counts[f"{kind}|ms|{name}"] += round(ms)
            is_due = time.monotonic() - self.flushed_at >= FLUSH_S
        if is_due:
            self.flush()

    def flush(self) -> None:
        with self.lock:
            counts, self.counts, self.flushed_at = self.counts, Counter(), time.monotonic()
        if not counts:
            return
        try:
            pipe = client().pipeline(transaction=False)
            key = minute_key(time.time())
            for name, number in counts.items():
                pipe.hincrby(key, name, number)
            pipe.expire(key, KEPT_S)
            pipe.hset(PROCESSES, process_name(), json.dumps({"rss": rss_bytes(), "at": time.time()}))
            pipe.execute()
        except (RedisError, OSError):
            log.warning("performance_not_counted", exc_info=True)


METER = Meter()


def bucket_of(ms: float) -> int:
    return next((number for number, upper in enumerate(BUCKETS) if ms <= upper), len(BUCKETS))


def client() -> Redis:
    """The cache's own connection pool."""
    backend: Any = cache
    found: Redis = backend._cache.get_client(None, write=True)
    return found


def minute_key(at: float) -> str:
    return f"performance:{int(at // 60)}"


def process_name() -> str:
    return f"{Path(sys.argv[0]).name or 'python'}:{socket.gethostname()}:{os.getpid()}"


def rss_bytes() -> int:
    """What this process holds in memory now; its highest where the system does not tell."""
    try:
        return int(Path("/proc/self/statm").read_text().split()[1]) * PAGE_BYTES
    except OSError:
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        return peak if sys.platform == "darwin" else peak * 1024
