"""Real workers that measure at the same moment, and one that is killed between the answer and the writing."""

import os
import signal
from datetime import timedelta

import pytest

from accounts.models import UsageEntry
from accounts.scope import workspace_scope
from analytics.collection import measure, record
from analytics.collection.claims import LEASE
from analytics.collection.measure import measure_due
from analytics.models import MeasuredPost, Snapshot
from lib import clock
from lib.clock import now
from tests.campaigns.engine import workers

pytestmark = pytest.mark.django_db(transaction=True)
POSTS = 6


@pytest.fixture
def due_posts(connection, workspace, sandbox):
    """Live on X and due at their first age."""
    writer = sandbox.sign_in("roastery")
    ids = [writer.post_id(f"By hand {number}") for number in range(POSTS)]
    with workspace_scope(workspace.pk):
        published = now() - timedelta(minutes=16)
        fields = {"workspace": workspace, "connection": connection, "published_at": published, "due_at": now()}
        return MeasuredPost.objects.bulk_create([MeasuredPost(remote_id=pk, **fields) for pk in ids])


@pytest.fixture
def written(workspace):
    """Snapshots, posts that were measured, and money by its state."""

    def count() -> tuple[int, int, dict[str, int]]:
        with workspace_scope(workspace.pk):
            measured = MeasuredPost.objects.exclude(measured_at=None).filter(lease_until=None, next_age=1)
            states = list(UsageEntry.objects.filter(kind="x.read").values_list("status", flat=True))
            return Snapshot.objects.count(), measured.count(), {state: states.count(state) for state in states}

    return count


ALL_ONCE = (POSTS, POSTS, {"settled": POSTS})


def test_workers_at_the_same_moment_measure_each_post_once(due_posts, written):
    measured = workers.answers_of(lambda _number: measure_due(), 3)
    assert sum(measured) == POSTS
    assert written() == ALL_ONCE


def be_killed_while_writing(nth: int) -> None:
    """In a child: the answer is there, some of it is written, nothing is committed."""
    real, count = record.write, iter(range(1, 100))

    def write(*args: object) -> bool:
        if next(count) == nth:
            os.kill(os.getpid(), signal.SIGKILL)
        return real(*args)

    record.write = write
    measure_due()


def test_a_worker_killed_after_the_answer_leaves_each_age_written_and_paid_once(due_posts, written):
    worker = workers.start(be_killed_while_writing, 4)
    worker.join(workers.PATIENCE_S)
    assert worker.exitcode == -signal.SIGKILL
    assert written() == (0, 0, {"reserved": POSTS})
    assert measure_due() == 0
    with clock.shifted(LEASE - timedelta(minutes=1)):
        assert measure_due() == 0
    # The tolerance of the first age is as long as the lease: the day's second reading costs nothing.
    with workspace_scope(due_posts[0].workspace_id):
        MeasuredPost.objects.update(lease_until=now() - timedelta(seconds=1))
    assert measure_due() == POSTS
    assert written() == ALL_ONCE


def test_a_worker_that_lost_its_claim_writes_no_second_snapshot(due_posts, written):
    (claim,) = measure.claim_due(100)
    with workspace_scope(claim.workspace_id):
        MeasuredPost.objects.update(lease_until=now() - timedelta(seconds=1))
    assert measure_due() == POSTS
    assert measure.measure(claim) == 0
    assert written() == ALL_ONCE
