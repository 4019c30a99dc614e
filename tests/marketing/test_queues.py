"""Each task has one queue, each message one copy, and one worker can do it all."""

import pytest
from celery import current_app
from django.conf import settings

from marketing import queues
from marketing.celery import app
from marketing.monitoring.sampling import _queue

ROUTED = [(queue, task) for queue, tasks in queues.TASKS.items() for task in tasks]


@pytest.fixture(scope="module")
def tasks() -> set[str]:
    app.loader.import_default_modules()
    return set(app.tasks)


@pytest.fixture
def empty_broker():
    with current_app.connection_for_write() as broker:
        for name in queues.NAMES:
            app.amqp.queues[name](broker.default_channel).declare()
            broker.default_channel.queue_purge(name)
        yield broker
        for name in queues.NAMES:
            broker.default_channel.queue_purge(name)


def test_every_routed_task_exists(tasks: set[str]) -> None:
    assert {task for _queue, task in ROUTED} <= tasks


def test_no_task_is_routed_twice() -> None:
    assert len({task for _queue, task in ROUTED}) == len(ROUTED)


def test_a_worker_that_names_no_queue_takes_from_all() -> None:
    assert set(app.amqp.queues) == set(queues.NAMES)
    assert settings.CELERY_TASK_DEFAULT_QUEUE in queues.NAMES


@pytest.mark.parametrize(("queue", "task"), [*ROUTED, (queues.DEFAULT, "marketing.heartbeat")])
def test_a_task_goes_to_its_queue(queue: str, task: str) -> None:
    assert app.amqp.router.route({}, task)["queue"].name == queue


def test_a_message_lands_in_one_queue_only(empty_broker) -> None:
    expected = {}
    for number, name in enumerate(queues.NAMES, start=1):
        task = queues.TASKS[name][0] if name in queues.TASKS else "marketing.heartbeat"
        for _ in range(number):
            app.send_task(task, connection=empty_broker)
        expected[name] = number
    assert _queue() == {"depth": 10, "by_name": expected}


def test_a_broker_that_never_saw_a_queue_has_nothing_waiting(empty_broker) -> None:
    for name in queues.NAMES:
        empty_broker.default_channel.queue_delete(name)
    assert _queue() == {"depth": 0, "by_name": dict.fromkeys(queues.NAMES, 0)}


def test_what_ends_last_stands_behind_publishing_where_one_worker_does_all() -> None:
    assert set(queues.PRIORITIES) <= {task for _queue, task in ROUTED}
    assert all(priority > 0 for priority in queues.PRIORITIES.values())
