import os

from celery import Celery
from celery.signals import setup_logging, worker_init

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "marketing.settings")

app = Celery("marketing")
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
