"""The heartbeat: proof that the scheduler sends and that a worker receives."""

from __future__ import annotations

from pathlib import Path

from celery import shared_task
from celery.signals import beat_init, before_task_publish, heartbeat_sent
from django.conf import settings

from marketing import health
from marketing.monitoring import sampling


@shared_task(name="marketing.heartbeat", expires=60)
def heartbeat() -> None:
    health.record(health.TASK_KEY)
    health.record(health.WORKER_KEY)


@shared_task(name="marketing.take_sample", expires=60)
def take_sample() -> None:
    sampling.take_sample()


def touch_alive_file() -> None:
    """First, and without a store: a broken Redis is no reason to start this process again."""
    if settings.ALIVE_FILE:
        Path(settings.ALIVE_FILE).touch()


# Recorded where it is sent: a dead worker must not make the scheduler look dead.
@before_task_publish.connect(sender="marketing.heartbeat")
def note_scheduler(**_kwargs: object) -> None:
    touch_alive_file()
    health.record(health.SCHEDULER_KEY)


# The worker's main process reports every 2 s, also while all its slots are busy.
@heartbeat_sent.connect
def note_worker(**_kwargs: object) -> None:
    touch_alive_file()
    health.record(health.WORKER_KEY)


# Without this a fresh start looks dead until the first interval has passed.
@beat_init.connect
def send_first_heartbeat(**_kwargs: object) -> None:
    heartbeat.apply_async()
