"""Ratios, each measured against a baseline in the same run: machines differ, ratios travel."""

import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from django.conf import settings
from django.core.cache import cache
from django.db import connection
from django.test.utils import CaptureQueriesContext
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.test import APIClient, APIRequestFactory
from rest_framework.views import APIView

from accounts.access import Actor
from accounts.scope import all_workspaces_scope, workspace_scope
from accounts.tokens import issue_tokens
from campaigns.engine.dispatch import tick
from campaigns.models import Campaign, Delivery
from campaigns.services import PartDraft, create_campaign
from campaigns.tasks import publish_delivery
from lib.clock import now
from marketing.bench_tasks import plain_post
from marketing.benching.bullmq import bullmq_ratio
from marketing.benching.guard import guard_ratio
from marketing.benching.ingest import ingest_ratio
from marketing.benching.llm import llm_ratio
from marketing.benching.loop import loop_ratio
from marketing.benching.mcp import mcp_ratio
from marketing.benching.redirect import redirect_ratio
from marketing.benching.rollups import events_ratio, sizes_up_to
from marketing.benching.runs import runs_ratio
from marketing.benching.web import web_ratio
from marketing.processes import kill_group, spawn
from marketing.storming.crowd import Crowd

State = Delivery.State
CLAIMS = 2000
POSTS = 300
REQUESTS = 150


def run(sandbox: str, *, events: int = 1_000_000) -> dict[str, float]:
    world = Crowd(sandbox)
    results = claim_ratio(world) | loop_ratio(world) | publish_ratio(world)
    results |= api_ratio(world) | query_counts(world) | guard_ratio() | bullmq_ratio() | runs_ratio(world)
    results |= web_ratio(world) | mcp_ratio(world)
    results |= llm_ratio(sandbox, world.team()[0].workspace)
    results |= ingest_ratio() | redirect_ratio() | events_ratio(sizes_up_to(events))
    return {name: round(value, 3) for name, value in results.items()}


# --- claims -----------------------------------------------------------------------------------------------


def claim_ratio(world: Crowd) -> dict[str, float]:
    """Rows per second: our tick (fairness, accounts, campaigns, attempts) and a bare SKIP LOCKED batch."""
    author, reviewer = world.team()
    connections = [world.connect_x(author, f"claim_{n}") for n in range(settings.DISPATCH_BATCH)]
    with workspace_scope(author.workspace.pk):
        said = [(one, [PartDraft(f"Claim {one.handle}")]) for one in connections]
        deliveries = [world.plan(one, author, reviewer, parts, now()) for one, parts in said]
    raw, ours = [], []
    for _ in range(CLAIMS // settings.DISPATCH_BATCH):
        raw.append(_timed(_raw_claims, len(deliveries)))
        ours.append(_timed(_our_claims, len(deliveries)))
    _reset(State.CANCELED)
    return {
        "claims_per_s_raw_skip_locked": statistics.median(raw),
        "claims_per_s_engine": statistics.median(ours),
        "claim_engine_to_raw": statistics.median(ours) / statistics.median(raw),
    }


def _timed(work: Callable[[], int], expected: int) -> float:
    started = time.perf_counter()
    done = work()
    took = time.perf_counter() - started
    assert done == expected, f"{done} of {expected} claimed"
    _reset(State.SCHEDULED)
    return done / took


def _our_claims() -> int:
    return len(tick().publish)


def _raw_claims() -> int:
    # Materialized: as `id IN (…)` a plan may run the limit once per row and claim them all.
    with all_workspaces_scope("benchmark"), connection.cursor() as cursor:
        cursor.execute(
            """
            WITH due AS MATERIALIZED (
                SELECT id FROM campaigns_delivery WHERE state IN ('scheduled', 'retry_wait') AND due_at <= %s
                ORDER BY due_at LIMIT %s FOR UPDATE SKIP LOCKED)
            UPDATE campaigns_delivery SET state = 'publishing' FROM due WHERE campaigns_delivery.id = due.id
            RETURNING due.id
            """,
            [now(), settings.DISPATCH_BATCH],
        )
        return len(cursor.fetchall())


def _reset(state: str) -> None:
    with all_workspaces_scope("benchmark"):
        Delivery.objects.exclude(state=State.PUBLISHED).update(state=state, lease_until=None)


# --- publishing -------------------------------------------------------------------------------------------


def publish_ratio(world: Crowd) -> dict[str, float]:
    """Posts per second through two workers: the engine end to end, and a plain task that just calls."""
    world.prepare_calm(POSTS)
    with workers():
        plain = _plain_posts(world)
        ours = _engine_posts()
    return {
        "posts_per_s_plain_celery_task": plain,
        "posts_per_s_engine": ours,
        "publish_engine_to_plain_task": ours / plain,
    }


@contextmanager
def workers() -> Iterator[None]:
    words = [
        "worker",
        "--concurrency",
        "2",
        "--without-mingle",
        "--without-gossip",
        "--include",
        "marketing.bench_tasks",
    ]
    command = [sys.executable, "-m", "celery", "-q", "-A", "marketing", *words]
    process = spawn(command, output=subprocess.DEVNULL, env=os.environ, cwd=settings.BASE_DIR)
    try:
        yield
    finally:
        kill_group(process)
        process.wait()


def _plain_posts(world: Crowd) -> float:
    tokens = [world.admin("POST", "tokens", {"handle": f"plain_{n}"})["access_token"] for n in range(POSTS // 10)]
    cache.set("bench:done", 0)
    plain_post.delay(tokens[0], "Warm up")
    _until(lambda: cache.get("bench:done") == 1)
    started = time.perf_counter()
    for number in range(POSTS):
        plain_post.delay(tokens[number % len(tokens)], f"Plain post {number}")
    _until(lambda: cache.get("bench:done") == POSTS + 1)
    return POSTS / (time.perf_counter() - started)


def _engine_posts() -> float:
    with all_workspaces_scope("benchmark"):
        due = Delivery.objects.filter(state=State.SCHEDULED, due_at__isnull=False)
        before = due.count()
        due.update(due_at=now())
    started = time.perf_counter()

    def work() -> bool:
        for workspace_id, delivery_id, fence in tick().publish:
            publish_delivery.delay(str(workspace_id), str(delivery_id), fence)
        with all_workspaces_scope("benchmark"):
            return Delivery.objects.filter(state=State.PUBLISHED).count() >= before

    _until(work)
    return before / (time.perf_counter() - started)


def _until(is_done: Callable[[], bool], limit_s: float = 600) -> None:
    deadline = time.monotonic() + limit_s
    while not is_done():
        if time.monotonic() > deadline:
            raise TimeoutError("the workers did not finish")
        time.sleep(0.02)


# --- API --------------------------------------------------------------------------------------------------


class BareList(APIView):
    """The same rows with DRF and nothing else: no caller, no workspace, no paging, no limits."""

    authentication_classes: list[Any] = []
    permission_classes = [AllowAny]
    throttle_classes: list[Any] = []

    def get(self, request: Request) -> Response:
        with all_workspaces_scope("benchmark"):
            return Response(list(Campaign.objects.order_by("-id").values()[:50]))


def api_ratio(world: Crowd) -> dict[str, float]:
    client, _author = _caller(world, campaigns=50)
    factory, bare = APIRequestFactory(), BareList.as_view()
    ours, baseline = [], []
    for _ in range(REQUESTS):
        ours.append(_seconds(lambda: client.get("/api/campaigns")))
        baseline.append(_seconds(lambda: bare(factory.get("/")).render()))
    return {
        "api_list_50_ms": statistics.median(ours) * 1000,
        "bare_drf_list_50_ms": statistics.median(baseline) * 1000,
        "api_list_to_bare_drf": statistics.median(ours) / statistics.median(baseline),
    }


def _seconds(work: Callable[[], Any]) -> float:
    started = time.perf_counter()
    response = work()
    took = time.perf_counter() - started
    assert response.status_code == 200, response.content
    return took


def query_counts(world: Crowd) -> dict[str, float]:
    """Queries of the list with 10 and with 20 rows: equal, or the list asks once per row."""
    client, author = _caller(world, campaigns=10)
    with CaptureQueriesContext(connection) as ten:
        client.get("/api/campaigns")
    _add_campaigns(author, 10)
    with CaptureQueriesContext(connection) as twenty:
        client.get("/api/campaigns")
    return {"queries_at_10_rows": float(len(ten)), "queries_at_20_rows": float(len(twenty))}


def _caller(world: Crowd, *, campaigns: int) -> tuple[APIClient, Actor]:
    author, _reviewer = world.team()
    _add_campaigns(author, campaigns)
    client = APIClient()
    assert author.user is not None
    client.credentials(HTTP_AUTHORIZATION=f"Bearer {issue_tokens(author.user)['access']}")
    # The first call is not the one to measure: imports, schema, connection.
    client.get("/api/campaigns")
    return client, author


def _add_campaigns(author: Actor, count: int) -> None:
    with workspace_scope(author.workspace.pk):
        for number in range(count):
            create_campaign(by=author, name=f"Campaign {number}", brief="A brief of some words. " * 10)
