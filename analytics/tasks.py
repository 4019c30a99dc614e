from celery import shared_task

from analytics import partitions, rollups


@shared_task(name="analytics.roll_up", expires=10)
def roll_up() -> None:
    rollups.roll_up()


@shared_task(name="analytics.keep_partitions", expires=3600)
def keep_partitions() -> None:
    partitions.keep_partitions()
