from celery import shared_task

from personal import polling, watching


@shared_task(name="personal.poll_watches", expires=30)
def poll_watches() -> None:
    polling.poll_watches()


@shared_task(name="personal.tidy_watches", expires=3600)
def tidy_watches() -> None:
    watching.drop_strangers()
