"""Real processes that change one queue at the same moment."""

from collections import Counter
from datetime import time

import pytest

from accounts.scope import workspace_scope
from campaigns.deliveries import add_to_next_slot
from campaigns.models import Delivery
from campaigns.queue import move_in_queue, prioritise_delivery
from campaigns.slots import add_slot
from tests.campaigns.cast import add_connection, add_post
from tests.campaigns.engine import workers

pytestmark = pytest.mark.django_db(transaction=True)
WORKERS = 4


@pytest.fixture
def rows(workspace, bob_actor) -> list[Delivery]:
    """Eight posts, the first four of them in the queue."""
    with workspace_scope(workspace.pk):
        account = add_connection(workspace)
        add_slot(account, by=bob_actor, weekdays=list(range(7)), at=time(9), time_zone="Europe/Berlin")
        posts = [add_post(bob_actor, account, text=f"Post {number}") for number in range(2 * WORKERS)]
        found = [Delivery.objects.select_related("connection").get(post=post) for post in posts]
        return [add_to_next_slot(row, by=bob_actor) for row in found[:WORKERS]] + found[WORKERS:]


@pytest.fixture
def times(workspace):
    def read() -> list:
        with workspace_scope(workspace.pk):
            return list(Delivery.objects.exclude(scheduled_at=None).values_list("scheduled_at", flat=True))

    return read


def test_posts_that_want_the_same_slot_all_get_one_of_their_own(workspace, rows, times, bob_actor):
    def act(number: int) -> str:
        with workspace_scope(workspace.pk):
            add_to_next_slot(rows[WORKERS + number], by=bob_actor)
        return "done"

    assert Counter(workers.answers_of(act, WORKERS)) == {"done": WORKERS}
    assert len(set(times())) == 2 * WORKERS


def test_reordering_and_adding_at_once_books_no_slot_twice(workspace, rows, times, bob_actor):
    def act(number: int) -> str:
        for step in range(3):
            with workspace_scope(workspace.pk):
                move_in_queue(rows[number], step, by=bob_actor)
            with workspace_scope(workspace.pk):
                prioritise_delivery(rows[WORKERS + number], by=bob_actor)
        return "done"

    assert Counter(workers.answers_of(act, WORKERS)) == {"done": WORKERS}
    assert len(times()) == len(set(times())) == 2 * WORKERS
