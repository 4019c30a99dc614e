"""Alert rules and dashboard: their form, and that each figure they ask for is one that /metrics gives."""

import json
import re
from pathlib import Path

import pytest
import yaml
from django.core.cache import cache

from accounts.audit import record_staff
from accounts.models import Switch
from accounts.scope import all_workspaces_scope
from analytics.models import PerformanceSample
from campaigns.models import Delivery
from integrations.models import WebhookEndpoint
from lib.clock import now
from marketing import health
from marketing.backups import make
from marketing.monitoring import sampling, watched
from marketing.monitoring.metrics import GAUGES
from tests.campaigns.cast import add_connection, add_post, set_state

FOLDER = Path(__file__).parents[2] / "deploy/observability"
RULES = yaml.safe_load((FOLDER / "alerts.yaml").read_text())["groups"][0]["rules"]
PANELS = json.loads((FOLDER / "dashboard.json").read_text())["panels"]
EXPRESSIONS = [rule["expr"] for rule in RULES] + [target["expr"] for one in PANELS for target in one["targets"]]
# What the language of expressions itself has.
WORDS = {"absent", "and", "or", "sum", "time", "topk", "unless", "up"}
DURATION = re.compile(r"\d+[smh]")


@pytest.fixture
def given(client, workspace, in_workspace) -> set[str]:
    """The names of all that is given while there is something to say."""
    health.record(health.SCHEDULER_KEY)
    health.record(health.WORKER_KEY)
    with all_workspaces_scope("test"):
        record_staff(make.ACTION, Switch(name="backup"), staff="test")
    sample = sampling.take_sample()
    numbers = {"p50_ms": 1.0, "p95_ms": 1.0, "p99_ms": 1.0}
    data = sample.data | {kind: sample.data[kind] | numbers for kind in ("request", "task")}
    data["memory"] |= {"by_process": {"web:1": 1}}
    data["queue"] |= {"depth": 1, "by_name": {"celery": 1}}
    data["watched"] |= {"replica_lag_s": 1}
    PerformanceSample.objects.filter(pk=sample.pk).update(data=data)
    text = client.get("/metrics").content.decode()
    return set(re.findall(r"^(rostrum_\w+)", text, re.MULTILINE))


def names_in(expression: str) -> set[str]:
    return set(re.findall(r"[a-z_]\w+", re.sub(r"\{.*?\}", "", DURATION.sub("", expression)))) - WORDS


def test_every_metric_that_is_asked_for_is_given(given):
    assert not {name for expression in EXPRESSIONS for name in names_in(expression)} - given


def test_every_metric_that_is_given_is_shown_or_watched(given):
    asked = {name for expression in EXPRESSIONS for name in names_in(expression)}
    assert set(GAUGES) - asked <= {"rostrum_queue_depth", "rostrum_processes"}


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule["alert"])
def test_rule_is_whole(rule):
    assert set(rule) == {"alert", "expr", "for", "labels", "annotations"}
    assert re.fullmatch(r"Rostrum[A-Z]\w+", rule["alert"])
    assert DURATION.fullmatch(rule["for"])
    assert rule["labels"]["severity"] in {"critical", "warning", "info"}
    assert rule["annotations"]["summary"]
    assert len(rule["annotations"]["runbook"]) > 20
    assert rule["expr"].count("(") == rule["expr"].count(")")


def test_every_alert_is_in_the_operators_guide_in_the_same_order():
    guide = (FOLDER.parents[1] / "docs/operations.md").read_text()
    assert re.findall(r"^\| `(Rostrum\w+)` \|", guide, re.MULTILINE) == [rule["alert"] for rule in RULES]


def test_the_alert_of_connections_comes_before_the_limit_of_the_compose_file():
    compose = yaml.safe_load((FOLDER.parents[1] / "compose.production.yaml").read_text())
    limit = int(" ".join(compose["services"]["postgres"]["command"]).partition("max_connections=")[2])
    (rule,) = (rule["expr"] for rule in RULES if rule["alert"] == "RostrumDatabaseConnections")
    assert rule == f"rostrum_database_connections > {limit * 4 // 5}"


def test_the_alert_of_a_silent_copy_names_the_job_that_asks_it():
    jobs = yaml.safe_load((FOLDER / "prometheus.yaml").read_text())["scrape_configs"]
    (rule,) = (rule["expr"] for rule in RULES if rule["alert"] == "RostrumDown")
    assert rule == f'up{{job="{jobs[0]["job_name"]}"}} == 0'


def test_what_must_never_go_unseen_has_a_rule():
    watched_for = " ".join(rule["expr"] for rule in RULES)
    for name in ("scheduler_silent", "posts_late", "unconfirmed", "breakers", "replica_lag", "webhooks", "errors"):
        assert name in watched_for
    assert "backup_made_at" in watched_for
    assert len({rule["alert"] for rule in RULES}) == len(RULES)


def test_panels_do_not_cover_each_other():
    cells = [
        (place["x"] + x, place["y"] + y)
        for place in (one["gridPos"] for one in PANELS)
        for x in range(place["w"])
        for y in range(place["h"])
    ]
    assert len(cells) == len(set(cells))
    assert len({one["id"] for one in PANELS}) == len(PANELS) > 10


def test_trouble_is_counted(in_workspace, bob_actor, workspace):
    assert watched.measure() | {"replica_lag_s": None} == dict.fromkeys(watched.NAMES, 0) | {
        "backup_at": None,
        "replica_lag_s": None,
    }
    account = add_connection(workspace, broken_until=now().replace(year=now().year + 1))
    set_state(add_post(bob_actor, account), Delivery.State.UNCONFIRMED)
    WebhookEndpoint.objects.create(workspace=workspace, url="https://example.org", status="paused", secret="s")
    WebhookEndpoint.objects.create(workspace=workspace, url="https://example.org", failures_in_row=2, secret="s")
    Switch.objects.create(name=Switch.PUBLISHING, is_on=True)
    found = watched.measure()
    counted = ("unconfirmed", "breakers", "webhooks_paused", "webhooks_failing", "stopped")
    assert [found[name] for name in counted] == [1, 1, 1, 1, 1]


def test_who_is_silent_is_seen_without_a_sample(client, db):
    health.record(health.SCHEDULER_KEY)
    assert "rostrum_scheduler_silent_seconds 0.0" in client.get("/metrics").content.decode()
    cache.clear()
    assert client.get("/metrics").content == b""
