"""One worker's engine, in this process, against a bare loop that makes the same calls and promises nothing."""

import time

from django.db import connection
from django.test.utils import CaptureQueriesContext

from accounts.scope import all_workspaces_scope
from campaigns.engine import dispatch
from campaigns.engine.publish import publish_delivery
from campaigns.models import Delivery
from marketing.storming.crowd import Crowd
from social.networks.port import OutgoingPart
from social.networks.x.client import XClient

POSTS = 100


def loop_ratio(world: Crowd) -> dict[str, float]:
    bare = _bare(world)
    world.prepare_calm(POSTS)
    engine, queries = _engine()
    return {
        "posts_per_s_bare_loop": bare,
        "posts_per_s_engine_in_one_process": engine,
        "engine_to_bare_loop": engine / bare,
        "queries_per_post": float(queries),
    }


def _bare(world: Crowd) -> float:
    tokens = [world.admin("POST", "tokens", {"handle": f"bare_{n}"})["access_token"] for n in range(POSTS // 4 + 1)]
    started = time.perf_counter()
    for number in range(POSTS):
        XClient(tokens[number % len(tokens)]).publish(OutgoingPart(f"Bare post {number}"))
    return POSTS / (time.perf_counter() - started)


def _engine() -> tuple[float, int]:
    """Posts per second, ticks included, and the statements that one post took in a worker."""
    before = _published()
    # The first of a workspace and month makes the rows of its totals.
    warm, *others = dispatch.tick().publish
    publish_delivery(*warm)
    first, *others = others or dispatch.tick().publish
    with CaptureQueriesContext(connection) as captured:
        publish_delivery(*first)
    done, started = 0, time.perf_counter()
    while claimed := others or dispatch.tick().publish:
        for one in claimed:
            publish_delivery(*one)
        done, others = done + len(claimed), []
    seconds = time.perf_counter() - started
    live = _published() - before
    assert live == done + 2, f"{live} of {done + 2} published"
    return done / seconds, len(captured)


def _published() -> int:
    with all_workspaces_scope("benchmark"):
        return Delivery.objects.filter(state=Delivery.State.PUBLISHED).count()
