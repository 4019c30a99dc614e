from celery import shared_task

from analytics import anomalies, partitions, rollups
from analytics.collection import costs
from analytics.collection import services as collection
from analytics.reporting import mailing, making


@shared_task(name="analytics.roll_up", expires=10)
def roll_up() -> None:
    rollups.roll_up()


@shared_task(name="analytics.keep_partitions", expires=3600)
def keep_partitions() -> None:
    partitions.keep_partitions()


@shared_task(name="analytics.make_reports", expires=60)
def make_reports() -> None:
    making.take_turns()
    making.make_reports()
    mailing.mail_reports()


@shared_task(name="analytics.measure_posts", expires=50)
def measure_posts() -> None:
    collection.adopt_live_parts()
    collection.measure_due()


@shared_task(name="analytics.read_accounts", expires=300)
def read_accounts() -> None:
    collection.read_followers()
    collection.import_due()
    costs.settle_forgotten()


@shared_task(name="analytics.find_anomalies", expires=3600)
def find_anomalies() -> None:
    anomalies.find_anomalies()
