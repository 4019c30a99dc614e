"""Workers with RabbitMQ: `make test-rabbitmq` starts one. What holds with any broker is tested everywhere else."""

import json
import os
import sys
from collections.abc import Callable, Iterator

import pytest
from celery import current_app
from django.conf import settings as django_settings
from django.core.cache import cache

from campaigns.engine import dispatch
from campaigns.models import Delivery
from campaigns.tasks import dispatch_due
from marketing import health
from marketing.monitoring.sampling import _queue
from marketing.processes import spawn, stop_all
from marketing.queues import AGENTS, DEFAULT, NAMES, PUBLISHING, priority, queues, routes
from tests.campaigns.cast import add_connection, add_post, set_state
from tests.operations.rabbit import NODE, control
from tests.waiting import wait_for

URL = os.environ.get("BROKER_URL", "")
with_rabbit = pytest.mark.skipif(not URL.startswith("amqp"), reason="BROKER_URL is no RabbitMQ: make test-rabbitmq")
pytestmark = pytest.mark.broker


# --- without one --------------------------------------------------------------------------------------------


def test_most_urgent_of_redis_is_the_most_urgent_of_rabbitmq():
    assert [priority(number, is_amqp=False) for number in (0, 6, 9)] == [0, 6, 9]
    assert [priority(number, is_amqp=True) for number in (0, 6, 9)] == [9, 3, 0]
    redis, rabbit = routes(is_amqp=False)["agents.advance_run"], routes(is_amqp=True)["agents.advance_run"]
    assert (redis["queue"], redis["priority"], rabbit["priority"]) == (AGENTS, 6, 3)


def test_only_queues_of_rabbitmq_declare_priorities():
    assert [queue.name for queue in queues(is_amqp=True)] == list(NAMES)
    assert {str(queue.queue_arguments) for queue in queues(is_amqp=True)} == {"{'x-max-priority': 9}"}
    assert {queue.queue_arguments for queue in queues(is_amqp=False)} == {None}


# --- with one -----------------------------------------------------------------------------------------------


@pytest.fixture
def emptied() -> Iterator[None]:
    def purge() -> None:
        with current_app.connection_for_write() as broker:
            for queue in django_settings.CELERY_TASK_QUEUES:
                bound = queue(broker.default_channel)
                bound.declare()
                bound.purge()

    purge()
    yield
    purge()


def waiting(name: str) -> int:
    return _queue()["by_name"][name]


@pytest.fixture
def start_worker(child_env, tmp_path) -> Iterator[Callable[..., None]]:
    """With one slot, and the programs' output in the failure."""
    started = []

    def start(*words: str) -> None:
        output = (tmp_path / "output").open("ab")
        command = [sys.executable, "-m", "celery", "-q", "-A", "marketing", *words]
        started.append(spawn(command, output=output, env=child_env, cwd=django_settings.BASE_DIR))

    yield start
    stop_all(started, timeout_s=20)
    cache.clear()


SOLO = ("worker", "--pool=solo", "--without-mingle", "--without-gossip")


def beats_after(moment: float | None) -> bool:
    seen = cache.get(health.TASK_KEY)
    return seen is not None and (moment is None or seen > moment)


@with_rabbit
@pytest.mark.django_db
def test_urgent_message_of_a_queue_comes_first(emptied):
    with current_app.connection_for_write() as broker:
        (queue,) = (queue for queue in django_settings.CELERY_TASK_QUEUES if queue.name == AGENTS)
        bound = queue(broker.default_channel)
        for task in ("agents.advance_run", "agents.advance_run", "agents.score_runs"):
            current_app.send_task(task)
        wait_for(lambda: waiting(AGENTS) == 3)
        first = [bound.get(no_ack=True).headers["task"] for _ in range(3)]
    assert first == ["agents.score_runs", "agents.advance_run", "agents.advance_run"]


@with_rabbit
@pytest.mark.django_db
def test_depth_of_each_queue_is_seen(emptied):
    for _ in range(3):
        current_app.send_task("campaigns.dispatch_due")
    wait_for(lambda: waiting(PUBLISHING) == 3)
    assert (_queue()["depth"], waiting(DEFAULT)) == (3, 0)


@with_rabbit
@pytest.mark.django_db(transaction=True)
def test_broker_that_loses_every_message_loses_no_post(emptied, workspace, bob_actor, settings, in_workspace):
    account = add_connection(workspace)
    set_state(add_post(bob_actor, account), Delivery.State.SCHEDULED, due_at=dispatch.now())
    settings.LEASE_S = 0
    dispatch_due()
    wait_for(lambda: waiting(PUBLISHING) == 1)
    with current_app.connection_for_write() as broker:
        broker.default_channel.queue_purge(PUBLISHING)
    # The claim ends with its lease, and a later tick makes another.
    wait_for(lambda: dispatch_due() or waiting(PUBLISHING) == 1)
    assert Delivery.objects.get().fence == 2


@with_rabbit
@pytest.mark.django_db(transaction=True)
def test_worker_and_scheduler_come_back_after_their_connections_broke(emptied, start_worker, tmp_path):
    output = (tmp_path / "output").read_text
    start_worker(*SOLO)
    start_worker("beat", "--schedule", str(tmp_path / "beat"))
    wait_for(lambda: beats_after(None), what=output, timeout_s=180)
    control(json.loads(os.environ[NODE]), "close_all_connections", "lost")
    seen = cache.get(health.TASK_KEY)
    wait_for(lambda: beats_after(seen + 6), what=output, timeout_s=180)


@with_rabbit
@pytest.mark.django_db(transaction=True)
def test_killed_worker_leaves_what_it_had_not_begun_to_the_next(emptied, start_worker):
    for _ in range(20):
        current_app.send_task("marketing.heartbeat")
    wait_for(lambda: waiting(DEFAULT) == 20)
    start_worker(*SOLO)
    wait_for(lambda: waiting(DEFAULT) == 0, timeout_s=180)
    assert beats_after(None)
