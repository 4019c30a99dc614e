"""Real worker processes, killed or frozen at the worst moments: each delivery ends as exactly one live post."""

import signal
import time
from datetime import timedelta
from multiprocessing.process import BaseProcess

import pytest

from accounts.scope import all_workspaces_scope, workspace_scope
from campaigns.engine import dispatch, publish
from campaigns.errors import NotAllowedNow
from campaigns.models import Attempt, Campaign, Delivery, Post
from campaigns.services import PartDraft, PostDraft, create_campaign, update_post
from lib import clock
from social.models import Connection
from tests.campaigns.engine import workers
from tests.waiting import wait_for

pytestmark = pytest.mark.django_db(transaction=True)
State = Delivery.State
CREATE = "POST /2/tweets"


@pytest.fixture
def due(workspace, alice_actor, rita_actor, connection):
    return lambda *texts: workers.due_now(alice_actor, rita_actor, connection, *texts)


@pytest.fixture
def go_on(tick):
    """What the engine does in the next half hour."""

    def run() -> None:
        for later in (200, 400, 600, 800, 1000):
            tick(later)

    return run


@pytest.fixture
def reload(workspace):
    def load(delivery: Delivery) -> Delivery:
        with workspace_scope(workspace.pk):
            return Delivery.objects.get(pk=delivery.pk)

    return load


def attempts_of(delivery: Delivery) -> list[str]:
    with all_workspaces_scope("look"):
        return list(Attempt.objects.filter(delivery=delivery).values_list("outcome", flat=True))


def parts_of(delivery: Delivery) -> list[int]:
    with all_workspaces_scope("look"):
        return list(delivery.live_parts.values_list("position", flat=True))


@pytest.mark.parametrize("point", workers.POINTS)
def test_a_worker_killed_at_any_point_leaves_exactly_one_post(due, claim, go_on, reload, live, point):
    delivery = due("Killed in the middle")
    worker = workers.start(workers.publish_until, point, signal.SIGKILL, claim())
    worker.join(workers.PATIENCE_S)
    assert worker.exitcode == -signal.SIGKILL
    go_on()
    assert live() == ["Killed in the middle"]
    assert reload(delivery).state == State.PUBLISHED


def test_a_worker_killed_during_the_call_leaves_exactly_one_post(due, claim, go_on, reload, live, sandbox, settings):
    settings.X_TIMEOUT_S = 10
    delivery = due("Killed while X works")
    sandbox.fault("accept_then_hang", route=CREATE, seconds=5)
    worker = workers.start(publish.publish_delivery, *claim())
    wait_for(live)
    worker.kill()
    worker.join(workers.PATIENCE_S)
    go_on()
    assert live() == ["Killed while X works"]
    assert reload(delivery).state == State.PUBLISHED
    assert attempts_of(delivery) == [Attempt.Outcome.ACCEPTED]


def test_a_thread_whose_worker_was_killed_goes_on_after_its_last_live_part(due, claim, go_on, reload, live):
    delivery = due("One", "Two", "Three")
    worker = workers.start(workers.publish_parts_until, 2, signal.SIGKILL, claim())
    worker.join(workers.PATIENCE_S)
    assert parts_of(delivery) == [0, 1]
    go_on()
    assert live() == ["One", "Two", "Three"]
    assert reload(delivery).state == State.PUBLISHED


def test_a_worker_frozen_past_its_lease_sends_nothing_when_it_wakes(due, claim, go_on, reload, live, settings):
    delivery = due("Frozen before the call")
    # The call needs a moment less than the lease: connecting is allowed five seconds.
    settings.LEASE_S, settings.X_TIMEOUT_S = 5.5, 0.2
    point = "after it said so, before the call"
    worker = workers.start(workers.publish_until, point, signal.SIGSTOP, claim())
    wait_for(lambda: workers.is_stopped(worker))
    time.sleep(0.4)
    workers.wake(worker)
    assert live() == []
    settings.X_TIMEOUT_S = 1
    settings.LEASE_S = 120
    go_on()
    assert live() == ["Frozen before the call"]
    assert reload(delivery).state == State.PUBLISHED


def test_a_frozen_worker_whose_delivery_went_out_meanwhile_does_not_send_it_again(due, claim, go_on, live, reload):
    delivery = due("Somebody else sent it")
    worker = workers.start(workers.publish_until, "before it says that it sends", signal.SIGSTOP, claim())
    wait_for(lambda: workers.is_stopped(worker))
    go_on()
    assert reload(delivery).state == State.PUBLISHED
    workers.wake(worker)
    assert live() == ["Somebody else sent it"]


def test_a_worker_frozen_with_the_answer_in_hand_still_delivers_it(due, claim, tick, live, reload):
    delivery = due("Here is your receipt")
    point = "after the answer, before it is written down"
    worker = workers.start(workers.publish_until, point, signal.SIGSTOP, claim())
    wait_for(lambda: workers.is_stopped(worker))
    with clock.shifted(timedelta(seconds=130)):
        assert dispatch.tick().uncertain == 1
    workers.wake(worker)
    assert reload(delivery).state == State.PUBLISHED
    tick(1000)
    assert live() == ["Here is your receipt"]


@pytest.fixture
def half_way(due, claim):
    """A thread of two whose worker is frozen between them."""

    def run() -> tuple[Delivery, BaseProcess]:
        delivery = due("One", "Two")
        worker = workers.start(workers.publish_parts_until, 1, signal.SIGSTOP, claim())
        wait_for(lambda: workers.is_stopped(worker))
        return delivery, worker

    return run


def test_an_account_suspended_in_the_middle_of_a_thread_stops_it(half_way, reload, live, connection):
    delivery, worker = half_way()
    with workspace_scope(delivery.workspace_id):
        Connection.objects.filter(pk=connection.pk).update(status=Connection.Status.SUSPENDED)
    workers.wake(worker)
    assert live() == ["One"]
    assert (reload(delivery).state, reload(delivery).problem_code) == (State.RETRY_WAIT, "held")
    assert dispatch.tick().publish == []


def test_a_thread_that_has_begun_is_finished_although_its_campaign_was_paused(half_way, reload, live, alice_actor):
    delivery, worker = half_way()
    with workspace_scope(delivery.workspace_id):
        campaign = create_campaign(by=alice_actor, name="Paused")
        Post.objects.filter(pk=delivery.post_id).update(campaign=campaign)
        Campaign.objects.update(status=Campaign.Status.PAUSED)
    workers.wake(worker)
    assert live() == ["One", "Two"]
    assert reload(delivery).state == State.PUBLISHED


def test_a_text_cannot_be_edited_while_its_thread_is_half_live(half_way, alice_actor):
    delivery, worker = half_way()
    with workspace_scope(delivery.workspace_id), pytest.raises(NotAllowedNow):
        update_post(delivery.post, PostDraft((PartDraft("One"), PartDraft("Other"))), by=alice_actor)
    workers.wake(worker)
