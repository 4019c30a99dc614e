"""Worker processes that can be stopped at a precise point, and committed rows for them to work on."""

import multiprocessing
import os
import signal
from collections.abc import Callable
from multiprocessing.process import BaseProcess
from typing import Any
from uuid import UUID

from django.db import connections

from accounts.access import Actor
from accounts.scope import workspace_scope
from campaigns import deliveries
from campaigns.engine import outcome, publish
from campaigns.models import Delivery
from campaigns.services import PartDraft, PostDraft, create_post
from compliance.models import Review
from compliance.services import approve_review
from social.models import Connection

# A fork knows the settings of its test; it must only not share its database connection.
PROCESSES = multiprocessing.get_context("fork")
PATIENCE_S = 60


def start(act: Callable[..., Any], *args: Any) -> BaseProcess:
    """Call it outside a transaction: our own connection is closed first."""
    connections.close_all()
    process = PROCESSES.Process(target=act, args=args)
    process.start()
    return process


def answers_of(act: Callable[[int], Any], count: int) -> list[Any]:
    """What `act(number)` answers, or the name of what it raises, in so many processes at the same moment."""
    gate, results = PROCESSES.Barrier(count), PROCESSES.SimpleQueue()

    def run(number: int) -> None:
        gate.wait(PATIENCE_S)
        try:
            results.put(act(number))
        except Exception as error:
            results.put(type(error).__name__)

    processes = [start(run, number) for number in range(count)]
    answers = [results.get() for _ in processes]
    for process in processes:
        process.join(PATIENCE_S)
    return answers


# --- stopping at a point -----------------------------------------------------------------------------------

# Where a worker is about to be, as (module, function it is about to call).
POINTS = {
    "before it says that it sends": (publish, "begin_submission"),
    "after it said so, before the call": (publish, "check_deadline"),
    "after the answer, before it is written down": (outcome, "record_accepted"),
}


def publish_until(point: str, signal_number: int, claimed: tuple[UUID, UUID, int]) -> None:
    """In a child: publish, and be stopped by the signal at this point."""
    module, name = POINTS[point]
    real = getattr(module, name)

    def stop_first(*args: Any) -> Any:
        os.kill(os.getpid(), signal_number)
        return real(*args)

    setattr(module, name, stop_first)
    publish.publish_delivery(*claimed)


def publish_parts_until(parts: int, signal_number: int, claimed: tuple[UUID, UUID, int]) -> None:
    """In a child: be stopped after so many parts are live and written down."""
    real = outcome.record_accepted

    def stop_after(job: Any, position: int, accepted: Any) -> None:
        real(job, position, accepted)
        if position + 1 == parts:
            os.kill(os.getpid(), signal_number)

    outcome.record_accepted = stop_after
    publish.publish_delivery(*claimed)


def is_stopped(process: BaseProcess) -> bool:
    with open(f"/proc/{process.pid}/stat") as file:
        return file.read().rsplit(")", 1)[1].split()[0] == "T"


def wake(process: BaseProcess) -> None:
    assert process.pid is not None
    os.kill(process.pid, signal.SIGCONT)
    process.join(PATIENCE_S)
    assert process.exitcode == 0


# --- committed rows ----------------------------------------------------------------------------------------


def approved(author: Actor, reviewer: Actor, to: Connection, *texts: str) -> Delivery:
    with workspace_scope(author.workspace.pk):
        parts = tuple(map(PartDraft, texts))
        post = create_post(PostDraft(parts, connections=(to.pk,)), by=author)
        (delivery,) = deliveries.submit_post(post, by=author)
        review = Review.objects.get(object_id=delivery.pk, status="waiting")
        approve_review(review, by=reviewer, seen_hash=review.action_hash)
        return Delivery.objects.select_related("post").get(pk=delivery.pk)


def due_now(author: Actor, reviewer: Actor, to: Connection, *texts: str) -> Delivery:
    delivery = approved(author, reviewer, to, *texts)
    with workspace_scope(author.workspace.pk):
        return deliveries.publish_now(delivery, by=author)
