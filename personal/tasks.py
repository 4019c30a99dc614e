from uuid import UUID

from celery import shared_task

from personal import answers, archive, polling, sending, watching


@shared_task(name="personal.poll_watches", expires=30)
def poll_watches() -> None:
    polling.poll_watches()


@shared_task(name="personal.tidy_watches", expires=3600)
def tidy_watches() -> None:
    watching.drop_strangers()
    watching.drop_unwatched()


@shared_task(name="personal.send_brief")
def send_brief(workspace_id: str, brief_id: str) -> None:
    sending.send_brief(UUID(workspace_id), UUID(brief_id))


@shared_task(name="personal.tend_briefs", expires=10)
def tend_briefs() -> None:
    answers.fetch_answers()
    sending.send_waiting()


@shared_task(name="personal.archive_briefs", expires=3600)
def archive_briefs() -> None:
    archive.archive_briefs()
