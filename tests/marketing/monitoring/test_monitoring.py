"""How the product does: counted, added up, judged, told, and what is done less of."""

import json
import time
from datetime import timedelta

import pytest
from django.core.cache import cache
from django.test import Client, RequestFactory

from accounts.models import Workspace
from analytics.models import PerformanceSample
from campaigns.models import Delivery
from lib.clock import now
from marketing.admin import curve
from marketing.monitoring import alerts, meters, pressure, sampling
from marketing.monitoring.meters import BUCKETS, METER, Meter, bucket_of, client
from marketing.monitoring.metrics import GAUGES, metrics
from social.models import Connection
from tests.campaigns.cast import add_connection, add_post

pytestmark = pytest.mark.django_db
CALM = {
    "request": {"count": 100, "errors": 0, "p50_ms": 10.0, "p95_ms": 50.0, "p99_ms": 100.0, "by_name": {}},
    "task": {"count": 50, "errors": 0, "p50_ms": 10.0, "p95_ms": 50.0, "p99_ms": 100.0, "by_name": {}},
    "memory": {"processes": 3, "rss": 300_000_000, "by_process": {"web:host:1": 100_000_000}},
    "database": {
        "connections": 10,
        "max_connections": 100,
        "longest_s": 1.0,
        "waiting": 0,
        "size": 1e8,
        "deadlocks": 0,
        "hit_percent": 99.0,
    },
    "queue": {"depth": 3},
    "publishing": {"late_s": 1.0, "overdue": 0},
    "watched": {
        **dict.fromkeys(("unconfirmed", "breakers", "webhooks_failing", "webhooks_paused", "stopped"), 0),
        "backup_at": 1.0,
        "replica_lag_s": 0.5,
    },
}


@pytest.fixture(autouse=True)
def fresh(fresh_cache):
    """Nothing counted, no pressure; and no pressure left behind for others."""
    METER.counts.clear()
    METER.flushed_at = time.monotonic()
    pressure.press(pressure.CALM)
    yield
    METER.counts.clear()
    pressure.press(pressure.CALM)
    client().delete(meters.PROCESSES)


def changed(*path: str, to: object) -> dict:
    data = json.loads(json.dumps(CALM))
    *outer, last = path
    inner = data
    for name in outer:
        inner = inner[name]
    inner[last] = to
    return data


# --- counting -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("ms", "bucket"), [(0, 0), (5, 0), (5.1, 1), (999, 7), (10_000, 10), (10_001, 11)])
def test_durations_fall_into_buckets(ms, bucket):
    assert bucket_of(ms) == bucket


def test_what_is_counted_comes_out_again():
    meter = Meter()
    for ms in (1, 1, 1, 400):
        meter.note("request", "campaigns:post-list", ms)
    meter.note("request", "campaigns:post-list", 3, is_error=True)
    meter.note("request", "agents:stream", None)
    meter.note("task", "campaigns.dispatch_due", 20)
    found = sampling.summary("request", meter.counts)
    assert (found["count"], found["errors"]) == (6, 1)
    assert (found["p50_ms"], found["p95_ms"]) == (5.0, 500.0)
    assert found["by_name"]["campaigns:post-list"] == {"count": 5, "errors": 1, "mean_ms": 81.2}
    assert sampling.summary("task", meter.counts)["count"] == 1


def test_two_processes_are_added_up():
    at = time.time()
    for _ in range(2):
        meter = Meter()
        meter.note("request", "home", 7)
        meter.flush()
    counts = {name.decode(): int(number) for name, number in client().hgetall(meters.minute_key(at)).items()}
    counts = counts or {name.decode(): int(n) for name, n in client().hgetall(meters.minute_key(time.time())).items()}
    assert counts["request|count|home"] == 2
    assert counts[f"request|bucket|{bucket_of(7)}"] == 2


def test_a_redis_that_is_gone_fails_nobody(monkeypatch):
    def gone():
        raise OSError("no route")

    monkeypatch.setattr(meters, "client", gone)
    meter = Meter()
    meter.note("request", "home", 7)
    meter.flush()
    assert not meter.counts


def test_every_answer_is_counted_by_its_view(client: Client):
    client.get("/healthz")
    client.get("/no/such/page")
    assert METER.counts["request|count|healthz"] == 1
    assert METER.counts["request|count|unknown"] == 1


@pytest.mark.parametrize(
    ("buckets", "share", "ms"),
    [
        ([0] * 12, 0.5, None),
        ([1] + [0] * 11, 0.99, 5.0),
        ([95, 5] + [0] * 10, 0.95, 5.0),
        ([0] * 11 + [1], 0.5, 20_000.0),
    ],
)
def test_quantiles_are_upper_ends(buckets, share, ms):
    assert len(buckets) == len(BUCKETS) + 1
    assert sampling.quantile(buckets, share) == ms


# --- judging --------------------------------------------------------------------------------------------


def test_a_calm_minute_tells_nothing():
    assert alerts.find_alerts(CALM) == []


@pytest.mark.parametrize(
    ("path", "value", "code", "level"),
    [
        (("request", "errors"), 3, "requests_fail", pressure.CALM),
        (("request", "p95_ms"), 1000.0, "requests_slow", pressure.BUSY),
        (("request", "p95_ms"), 5000.0, "requests_very_slow", pressure.OVERLOADED),
        (("task", "errors"), 5, "tasks_fail", pressure.CALM),
        (("queue", "depth"), 1_000, "queue_long", pressure.BUSY),
        (("queue", "depth"), 20_000, "queue_very_long", pressure.OVERLOADED),
        (("publishing", "late_s"), 121.0, "posts_late", pressure.OVERLOADED),
        (("database", "connections"), 85, "connections", pressure.BUSY),
        (("database", "longest_s"), 400.0, "long_transaction", pressure.CALM),
        (("database", "waiting"), 12, "lock_waits", pressure.BUSY),
    ],
)
def test_each_rule_speaks_once(path, value, code, level):
    (found,) = alerts.find_alerts(changed(*path, to=value))
    assert (found.code, found.pressure) == (code, level)
    assert "{" not in found.text


def test_a_few_answers_say_nothing_about_a_share():
    data = changed("request", "count", to=10)
    data["request"] |= {"errors": 5, "p95_ms": 9_000.0}
    assert alerts.find_alerts(data) == []


def test_an_unknown_queue_is_no_alert():
    assert alerts.find_alerts(changed("queue", "depth", to=None)) == []


def test_staff_are_told_once_an_hour(staff, mailoutbox):
    staff.is_superuser = True
    staff.save()
    found = alerts.find_alerts(changed("queue", "depth", to=5_000))
    assert alerts.tell_staff(found) == 1
    assert alerts.tell_staff(found) == 0
    (mail,) = mailoutbox
    assert mail.to == [staff.email]
    assert "5,000 tasks wait" in mail.body


# --- less of what is optional ---------------------------------------------------------------------------


def test_pages_ask_less_often_under_pressure():
    assert pressure.poll_s() == 2
    pressure.press(pressure.BUSY)
    assert pressure.poll_s() == 6
    pressure.press(pressure.OVERLOADED)
    assert pressure.poll_s() == 15


def test_only_optional_tasks_wait():
    from agents.tasks import score_runs
    from marketing.celery import app

    app.loader.import_default_modules()
    assert pressure.OPTIONAL[pressure.OVERLOADED] <= app.tasks.keys()
    assert not pressure.is_shed(score_runs.name)
    pressure.press(pressure.BUSY)
    assert pressure.is_shed(score_runs.name)
    for name in (
        "campaigns.dispatch_due",
        "campaigns.publish_delivery",
        "marketing.heartbeat",
        "marketing.take_sample",
    ):
        pressure.press(pressure.OVERLOADED)
        assert not pressure.is_shed(name)


def test_a_shed_task_does_nothing(caplog):
    from marketing.celery import app

    done = []

    def work():
        done.append(1)

    task = app.task(name="agents.score_runs_test")(work)
    task()
    assert done == [1]
    pressure.OPTIONAL[pressure.BUSY] |= {task.name}
    try:
        pressure.press(pressure.BUSY)
        assert task() is None
        assert done == [1]
    finally:
        pressure.OPTIONAL[pressure.BUSY] -= {task.name}
        app.tasks.pop(task.name)


def test_pressure_ends_by_itself():
    cache.set(pressure.KEY, pressure.BUSY, 1)
    cache.delete(pressure.KEY)
    pressure.SEEN.at = -1e9
    assert pressure.level() == pressure.CALM


# --- the sample, and who may see it ---------------------------------------------------------------------


def test_a_sample_is_whole():
    sample = sampling.take_sample()
    assert set(sample.data) >= {"request", "task", "memory", "database", "queue", "publishing", "alerts", "pressure"}
    assert sample.data["database"]["connections"] >= 1
    assert sample.data["publishing"] == {"late_s": 0.0, "overdue": 0}


@pytest.mark.parametrize(
    ("held", "overdue"),
    [
        ({}, 1),
        ({"is_stopped": True}, 0),
        ({"is_suspended": True}, 0),
        ({"limited_until": timedelta(minutes=5)}, 0),
        ({"broken_until": timedelta(minutes=5)}, 0),
        ({"limited_until": timedelta(minutes=-5)}, 1),
        ({"status": "paused"}, 0),
    ],
)
def test_a_post_that_waits_for_its_account_is_no_pressure(in_workspace, bob_actor, held, overdue):
    roastery = add_connection(in_workspace)
    post = add_post(bob_actor, roastery)
    due = {"state": "scheduled", "scheduled_at": now() - timedelta(minutes=10), "due_at": now() - timedelta(minutes=10)}
    Delivery.objects.filter(post=post).update(**due)
    held = {name: now() + value if isinstance(value, timedelta) else value for name, value in held.items()}
    model = Workspace if {"is_stopped", "is_suspended"} & held.keys() else Connection
    model.objects.filter(pk=in_workspace.pk if model is Workspace else roastery.pk).update(**held)
    found = sampling._publishing()
    assert (found["overdue"], found["late_s"] > 590) == (overdue, bool(overdue))


def test_processes_that_fell_silent_are_forgotten():
    old = json.dumps({"rss": 1, "at": time.time() - 2 * sampling.SILENT_S})
    client().hset(meters.PROCESSES, "gone:host:1", old)
    client().hset(meters.PROCESSES, "here:host:2", json.dumps({"rss": 5, "at": time.time()}))
    found = sampling.take_sample().data["memory"]
    assert found["by_process"] == {"here:host:2": 5}
    assert client().hkeys(meters.PROCESSES) == [b"here:host:2"]


def test_metrics_are_in_the_format_of_prometheus(client: Client):
    from prometheus_client.parser import text_string_to_metric_families

    PerformanceSample.objects.create(data=CALM | {"pressure": 1})
    answer = client.get("/metrics")
    assert answer.status_code == 200
    found = {family.name: family.samples for family in text_string_to_metric_families(answer.content.decode())}
    assert set(GAUGES) <= found.keys()
    assert found["rostrum_queue_depth"][0].value == 3
    assert found["rostrum_process_memory_bytes"][0].labels == {"process": "web:host:1"}


def test_without_a_sample_metrics_are_empty(client: Client):
    assert client.get("/metrics").content == b""


@pytest.mark.parametrize(
    ("token", "headers", "address", "status"),
    [
        ("", {}, "127.0.0.1", 200),
        ("", {}, "10.0.0.9", 404),
        ("", {"X-Forwarded-For": "127.0.0.1"}, "127.0.0.1", 404),
        ("secret", {}, "127.0.0.1", 404),
        ("secret", {"Authorization": "Bearer wrong"}, "127.0.0.1", 404),
        ("secret", {"Authorization": "Bearer secret"}, "10.0.0.9", 200),
    ],
)
def test_who_may_read_them(settings, client: Client, token, headers, address, status):
    settings.METRICS_TOKEN = token
    assert client.get("/metrics", headers=headers, REMOTE_ADDR=address).status_code == status


def test_metrics_are_only_read():
    assert metrics(RequestFactory().post("/metrics")).status_code == 405


def test_staff_see_curves_and_parts(staff_client, staff):
    staff.is_superuser = True
    staff.save()
    sample = PerformanceSample.objects.create(data=CALM | {"pressure": 2, "alerts": [{"text": "A post is late."}]})
    page = staff_client.get("/admin/analytics/performancesample/").content.decode()
    assert "overloaded" in page
    assert "A post is late." in page
    assert "<polyline" in page
    parts = staff_client.get(f"/admin/analytics/performancesample/{sample.pk}/change/").content.decode()
    assert "web:host:1" in parts


def test_a_curve_leaves_out_what_was_not_measured():
    found = curve("Tasks a minute", [1.0, None, 3.0])
    assert len(found["points"].split()) == 2
    assert found["newest"] == 3
    assert curve("Tasks a minute", [])["points"] == ""
