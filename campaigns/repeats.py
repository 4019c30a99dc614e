"""Where a network forbids the same text twice: on several accounts, of one customer or of many, or again too soon."""

from collections.abc import Callable
from datetime import timedelta
from uuid import UUID

from campaigns.models import Delivery
from campaigns.rendering import Rendered
from compliance import fingerprints
from compliance.models import Fingerprint
from lib.clock import now
from social.networks.rules import RULES

REMEMBERED = timedelta(days=30)
SAME_ACCOUNT = timedelta(days=1)
# Whether two deliveries of one account belong to one test, where the likeness is the point. Filled by higher apps.
PAIRED: list[Callable[[UUID, UUID], bool]] = []
ELSEWHERE = (
    "This is too close to a post that somebody else has published there. X forbids the same text on several accounts: "
    "say it in your own words."
)


def check_repeats(delivery: Delivery, rendered: Rendered) -> list[str]:
    """Why this text may not go to this account, as sentences; and remember it, so that the next one is held against it.

    Call it inside the transaction that submits: a refusal takes the memory back. Expects the content loaded.
    """
    if not RULES[rendered.network].forbids_repeats or rendered.reply_to:
        return []
    text = text_of(rendered)
    alike = fingerprints.find_alike(
        rendered.network,
        text,
        workspace_id=delivery.workspace_id,
        delivery_id=delivery.pk,
        since=now() - REMEMBERED,
    )
    messages = [message for row in alike if (message := _explain(delivery, row))]
    fingerprints.remember(
        rendered.network,
        text,
        workspace_id=delivery.workspace_id,
        connection_id=delivery.connection_id,
        delivery_id=delivery.pk,
    )
    return messages[:1]


def mark_published(delivery: Delivery) -> None:
    if RULES[delivery.connection.network].forbids_repeats:
        fingerprints.mark_published(delivery.pk)


def text_of(rendered: Rendered) -> str:
    return "\n".join(part.text for part in rendered.parts)


def _explain(delivery: Delivery, row: Fingerprint) -> str:
    if row.workspace_id != delivery.workspace_id:
        return ELSEWHERE
    other = Delivery.objects.select_related("post", "connection").filter(pk=row.delivery_id).first()
    if other is None:
        return ""
    if row.connection_id == delivery.connection_id:
        if any(is_paired(delivery.pk, row.delivery_id) for is_paired in PAIRED):
            return ""
        is_soon = row.seen_at > now() - SAME_ACCOUNT
        return (
            f"The same text stands in “{other.post}” for this account already. Change it, or wait a day."
            if is_soon
            else ""
        )
    return (
        f"This is too close to “{other.post}” on {other.connection}. X forbids the same text on several accounts: "
        "write a text of its own for each."
    )
