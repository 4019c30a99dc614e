"""Tasks carry ids and wake workers. What is true stands in Postgres, so losing a message loses nothing."""

from uuid import UUID

from celery import shared_task

from integrations.search import indexing
from integrations.webhooks import handing_on, sending


@shared_task(name="integrations.hand_on_events", expires=10)
def hand_on_events() -> None:
    if handing_on.hand_on_events():
        send_webhooks.delay()


@shared_task(name="integrations.send_webhooks", expires=10)
def send_webhooks() -> None:
    for claim in sending.claim_due():
        send_webhook.delay(str(claim.workspace_id), str(claim.delivery_id), claim.fence)


@shared_task(name="integrations.send_webhook", expires=sending.LEASE_S)
def send_webhook(workspace_id: str, delivery_id: str, fence: int) -> None:
    sending.send_on(sending.Claim(UUID(workspace_id), UUID(delivery_id), fence))


@shared_task(name="integrations.index_search", expires=5)
def index_search() -> None:
    indexing.index_due()
