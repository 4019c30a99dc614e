"""Looking at webhooks; the only way to load one: 403 without the right, 404 to strangers."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from django.db.models import Count, Q, QuerySet
from django.http import Http404

from accounts.access import Actor, Perm
from integrations.models import WebhookDelivery, WebhookEndpoint

State = WebhookDelivery.Status


def visible_endpoints(by: Actor) -> QuerySet[WebhookEndpoint]:
    by.require(Perm.WEBHOOKS)
    return WebhookEndpoint.objects.filter(workspace=by.workspace)


def get_endpoint(by: Actor, endpoint_id: UUID) -> WebhookEndpoint:
    row = visible_endpoints(by).select_related("workspace").filter(pk=endpoint_id).first()
    if row is None:
        raise Http404("Not found.")
    return row


def visible_deliveries(by: Actor, endpoint: WebhookEndpoint | None = None) -> QuerySet[WebhookDelivery]:
    by.require(Perm.WEBHOOKS)
    rows = WebhookDelivery.objects.filter(workspace=by.workspace).select_related("endpoint")
    return rows.filter(endpoint=endpoint) if endpoint else rows


def get_delivery(by: Actor, delivery_id: UUID) -> WebhookDelivery:
    row = visible_deliveries(by).prefetch_related("log").filter(pk=delivery_id).first()
    if row is None:
        raise Http404("Not found.")
    return row


def search_deliveries(by: Actor, endpoint: WebhookEndpoint, wanted: Mapping[str, Any]) -> QuerySet[WebhookDelivery]:
    """`status` and `kind` narrow it down; what is no such word is left out."""
    rows = visible_deliveries(by, endpoint)
    if wanted.get("status") in State.values:
        rows = rows.filter(status=wanted["status"])
    if kind := str(wanted.get("kind") or "").replace("\0", ""):
        rows = rows.filter(kind=kind)
    return rows.order_by("-id")


def count_by_status(endpoint: WebhookEndpoint) -> dict[str, int]:
    rows = WebhookDelivery.objects.filter(endpoint=endpoint).order_by()
    counted = rows.values_list("status").annotate(count=Count("pk"))
    return dict.fromkeys(State.values, 0) | dict(counted)


def with_waiting(rows: QuerySet[WebhookEndpoint]) -> QuerySet[WebhookEndpoint]:
    """Each with how many wait and how many failed for good."""
    return rows.annotate(
        waiting=Count("deliveries", filter=Q(deliveries__status=State.PENDING)),
        failed=Count("deliveries", filter=Q(deliveries__status=State.FAILED, deliveries__replays=None)),
    )
