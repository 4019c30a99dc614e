"""Money for a call: held back in the transaction that announces it, settled or given back with its outcome."""

from __future__ import annotations

from typing import TYPE_CHECKING
from uuid import UUID

from accounts import usage
from accounts.models import Workspace
from campaigns.costs import publish_price
from campaigns.models import Delivery

if TYPE_CHECKING:
    from campaigns.engine.job import Job


def hold_cost(job: Job, position: int) -> None:
    """Raises usage.BudgetExceeded, and then nothing may be sent."""
    price = publish_price(job.rendered, position)
    if not price:
        return
    campaign = job.delivery.post.campaign
    usage.reserve(
        Workspace.objects.get(pk=job.workspace_id),
        call_key(job.delivery.pk, position),
        f"{job.connection.network}.post",
        price,
        cap_micro=campaign.cap_micro if campaign else None,
        campaign_id=campaign.pk if campaign else None,
        connection_id=job.connection.pk,
        object_id=job.delivery.pk,
    )


def settle_cost(delivery: Delivery, position: int) -> None:
    usage.settle(Workspace(pk=delivery.workspace_id), call_key(delivery.pk, position))


def release_cost(delivery: Delivery, position: int) -> None:
    usage.release(Workspace(pk=delivery.workspace_id), call_key(delivery.pk, position))


def call_key(delivery_id: UUID, position: int) -> str:
    """One for each part: however often it is tried, it is live once and paid once."""
    return f"publish:{delivery_id}:{position}"
