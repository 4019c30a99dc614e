"""What is worth telling staff, as a table: where to look, from where on it is bad, how much pressure it means."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.core.cache import cache
from django.core.mail import send_mail

from accounts.models import User
from marketing.monitoring.pressure import BUSY, CALM, OVERLOADED

Data = dict[str, Any]
Find = Callable[[Data], float | None]
# The same alert is mailed once in this time.
QUIET_S = 3600
PAGE = "/admin/analytics/performancesample/"
# Fewer answers in a minute than this say nothing about a share.
ENOUGH = 20


@dataclass(frozen=True)
class Rule:
    code: str
    find: Find
    limit: float
    text: str
    pressure: int = CALM
    level: str = "warning"


@dataclass(frozen=True)
class Alert:
    code: str
    text: str
    level: str
    pressure: int


def _share(kind: str) -> Find:
    return lambda data: data[kind]["errors"] / data[kind]["count"] if data[kind]["count"] >= ENOUGH else None


def _of(*path: str) -> Find:
    def find(data: Data) -> float | None:
        for name in path:
            data = data[name]
        return None if data is None else float(data)  # type: ignore[arg-type]

    return find


def _connections(data: Data) -> float:
    return float(data["database"]["connections"] / data["database"]["max_connections"])


def _busy_requests(data: Data) -> float | None:
    return data["request"]["p95_ms"] if data["request"]["count"] >= ENOUGH else None


SLOW = "Answers take {:,.0f} ms (95th percentile)."
RULES = (
    Rule("requests_fail", _share("request"), 0.02, "{:.0%} of the answers were errors of ours.", CALM, "danger"),
    Rule("requests_slow", _busy_requests, 1000, SLOW, BUSY),
    Rule("requests_very_slow", _busy_requests, 5000, SLOW, OVERLOADED, "danger"),
    Rule("tasks_fail", _share("task"), 0.05, "{:.0%} of the tasks failed.", CALM, "danger"),
    Rule("queue_long", _of("queue", "depth"), 1_000, "{:,.0f} tasks wait for a worker.", BUSY),
    Rule("queue_very_long", _of("queue", "depth"), 20_000, "{:,.0f} tasks wait for a worker.", OVERLOADED, "danger"),
    Rule("posts_late", _of("publishing", "late_s"), 120, "A post is {:,.0f} s late.", OVERLOADED, "danger"),
    Rule("connections", _connections, 0.8, "{:.0%} of the database's connections are taken.", BUSY, "danger"),
    Rule("long_transaction", _of("database", "longest_s"), 300, "A transaction has been open for {:,.0f} s.", CALM),
    Rule("lock_waits", _of("database", "waiting"), 10, "{:,.0f} statements wait for locks.", BUSY),
)


def find_alerts(data: Data) -> list[Alert]:
    """Of rules about the same thing only the worst."""
    found: dict[str, Alert] = {}
    for rule in RULES:
        value = rule.find(data)
        if value is not None and value >= rule.limit:
            found[rule.code.replace("_very", "")] = Alert(rule.code, rule.text.format(value), rule.level, rule.pressure)
    return list(found.values())


def tell_staff(found: Iterable[Alert]) -> int:
    """By mail, each at most once an hour. The number that was new."""
    fresh = [one for one in found if cache.add(f"performance:told:{one.code}", 1, QUIET_S)]
    if fresh:
        addresses = list(User.objects.filter(is_superuser=True, is_active=True).values_list("email", flat=True))
        text = "\n".join(f"- {one.text}" for one in fresh)
        for address in addresses:
            send_mail("Rostrum needs a look", f"{text}\n\nDetails: {settings.BASE_URL}{PAGE}", None, [address])
    return len(fresh)
