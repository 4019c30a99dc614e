"""Every measurement at a tiny size: that it measures what it says, never how fast this machine is."""

import json
from collections.abc import Callable
from io import StringIO

import pytest
from django.core.management import call_command

from accounts.scope import all_workspaces_scope
from campaigns.models import Delivery
from marketing import bench
from marketing.stack import INSIDE
from marketing.storming.crowd import Crowd
from tests.sandbox.cast import Sandbox
from tests.social.conftest import sandbox, sandbox_process  # noqa: F401

pytestmark = pytest.mark.django_db
State = Delivery.State


@pytest.fixture
def world(sandbox: Sandbox, settings, monkeypatch) -> Crowd:  # noqa: F811
    settings.DISPATCH_BATCH = 3
    monkeypatch.setattr(bench, "CLAIMS", 6)
    monkeypatch.setattr(bench, "REQUESTS", 3)
    monkeypatch.setattr(bench, "POSTS", 10)
    return Crowd(sandbox.url, 1)


@pytest.fixture
def scheduled(world: Crowd) -> Crowd:
    world.prepare_calm(4)
    return world


def test_claims_are_measured_against_bare_sql(world: Crowd) -> None:
    found = bench.claim_ratio(world)
    assert found["claims_per_s_engine"] > 0
    ratio = found["claims_per_s_engine"] / found["claims_per_s_raw_skip_locked"]
    assert found["claim_engine_to_raw"] == pytest.approx(ratio)


def test_after_the_claims_nothing_is_left_to_publish(world: Crowd) -> None:
    bench.claim_ratio(world)
    with all_workspaces_scope("test"):
        assert set(Delivery.objects.values_list("state", flat=True)) == {State.CANCELED}


@pytest.mark.parametrize("claim", [bench._raw_claims, bench._our_claims])
def test_both_sides_claim_a_row_that_is_due(scheduled: Crowd, settings, claim: Callable[[], int]) -> None:
    settings.DISPATCH_BATCH = 1
    assert claim() == 1
    with all_workspaces_scope("test"):
        assert Delivery.objects.filter(state=State.PUBLISHING).count() == 1


def test_measurement_of_too_few_rows_is_no_measurement() -> None:
    with pytest.raises(AssertionError, match="2 of 3 claimed"):
        bench._timed(lambda: 2, 3)


def test_list_of_the_api_is_measured_against_bare_drf(world: Crowd) -> None:
    found = bench.api_ratio(world)
    assert 0 < found["bare_drf_list_50_ms"] < 60_000
    assert found["api_list_to_bare_drf"] == pytest.approx(found["api_list_50_ms"] / found["bare_drf_list_50_ms"])


def test_refused_request_is_no_measurement(client) -> None:
    with pytest.raises(AssertionError, match="not_authenticated"):
        bench._seconds(lambda: client.get("/api/campaigns"))


def test_list_asks_as_often_for_20_rows_as_for_10(world: Crowd) -> None:
    found = bench.query_counts(world)
    assert found["queries_at_10_rows"] == found["queries_at_20_rows"] > 0


def test_waiting_ends_with_an_error() -> None:
    with pytest.raises(TimeoutError, match="did not finish"):
        bench._until(lambda: False, limit_s=0.05)


def test_command_prints_a_table_and_then_one_line_of_json(monkeypatch) -> None:
    monkeypatch.setenv(INSIDE, "http://127.0.0.1:1")
    monkeypatch.setattr(bench, "run", lambda _sandbox, events: {"ratio": 0.5, "queries_at_10_rows": 7.0})
    out = StringIO()
    call_command("bench", stdout=out)
    *table, last = out.getvalue().splitlines()
    assert [line.split() for line in table] == [["ratio", "0.500"], ["queries_at_10_rows", "7.000"]]
    assert json.loads(last) == {"ratio": 0.5, "queries_at_10_rows": 7.0}


@pytest.fixture
def real_workers(child_env, settings, monkeypatch) -> None:
    """Workers are processes: they know the settings of this test only by their environment."""
    ours = {name: getattr(settings, name) for name in ("X_API_BASE_URL", "X_WEB_BASE_URL", "X_CLIENT_ID")}
    for name, value in (child_env | ours | {"X_CLIENT_SECRET": settings.X_CLIENT_SECRET}).items():
        monkeypatch.setenv(name, value)


@pytest.mark.django_db(transaction=True)
def test_publishing_is_measured_against_a_plain_task(world: Crowd, real_workers, sandbox: Sandbox) -> None:  # noqa: F811
    found = bench.publish_ratio(world)
    texts = [post["text"] for post in sandbox.get("/posts")["posts"]]
    assert sorted(texts) == sorted(
        ["Warm up", *(f"Plain post {n}" for n in range(10)), *(f"Calm post {n}" for n in range(10))]
    )
    ratio = found["posts_per_s_engine"] / found["posts_per_s_plain_celery_task"]
    assert found["publish_engine_to_plain_task"] == pytest.approx(ratio)
