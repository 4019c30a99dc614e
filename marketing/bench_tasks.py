"""The plain task that the engine is compared with: one call, no claim, no receipt, no promise."""

from celery import shared_task
from django.core.cache import cache

from social.networks.port import OutgoingPart
from social.networks.x.client import XClient


@shared_task(name="bench.plain_post")
def plain_post(token: str, text: str) -> None:
    XClient(token).publish(OutgoingPart(text))
    cache.incr("bench:done")
