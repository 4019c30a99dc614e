import os
import time
from typing import Any

from celery import Celery
from celery.signals import setup_logging, task_postrun, task_prerun, worker_init

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "marketing.settings")

app = Celery("marketing", task_cls="marketing.monitoring.pressure:SheddingTask")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()


@setup_logging.connect
def keep_django_logging(**_kwargs: object) -> None:
    """Celery would otherwise replace the log set-up of settings.LOGGING."""


@worker_init.connect
def warm_guard(**_kwargs: object) -> None:
    """Before the pool forks: its processes share what is compiled."""
    from compliance.rulesets import warm_up

    warm_up()


@task_prerun.connect
def note_start(task: Any = None, **_kwargs: object) -> None:
    task.request.started_s = time.perf_counter()


@task_postrun.connect
def note_end(task: Any = None, state: str | None = None, **_kwargs: object) -> None:
    from marketing.monitoring.meters import METER

    started = getattr(task.request, "started_s", None)
    ms = None if started is None else (time.perf_counter() - started) * 1000
    METER.note("task", task.name, ms, is_error=state == "FAILURE")
