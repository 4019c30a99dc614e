"""Tasks carry ids and wake workers. What is true stands in Postgres, so losing a message loses nothing."""

from uuid import UUID

from celery import shared_task

from campaigns.engine import dispatch, look_up, publish


@shared_task(name="campaigns.dispatch_due", expires=10)
def dispatch_due() -> None:
    found = dispatch.tick()
    for workspace_id, delivery_id, fence in found.publish:
        publish_delivery.delay(str(workspace_id), str(delivery_id), fence)
    for workspace_id, delivery_id in found.look_up:
        look_up_delivery.delay(str(workspace_id), str(delivery_id))


@shared_task(name="campaigns.publish_delivery")
def publish_delivery(workspace_id: str, delivery_id: str, fence: int) -> None:
    publish.publish_delivery(UUID(workspace_id), UUID(delivery_id), fence)


@shared_task(name="campaigns.look_up_delivery")
def look_up_delivery(workspace_id: str, delivery_id: str) -> None:
    look_up.look_up_delivery(UUID(workspace_id), UUID(delivery_id))
