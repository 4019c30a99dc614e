"""Acts on webhook endpoints. Secrets are shown once, when they are made."""

import secrets
from collections.abc import Sequence
from datetime import datetime, timedelta
from functools import partial
from typing import Any
from uuid import UUID

from django.core.exceptions import ValidationError
from django.db import transaction
from django.http import Http404

from accounts import audit, plans, rate
from accounts.access import Actor, Perm
from accounts.models import Workspace
from accounts.rate import Limit
from accounts.scope import workspace_scope
from integrations.models import WebhookDelivery, WebhookEndpoint, WebhookTry
from integrations.webhooks.kinds import ALL, TEST, is_known
from integrations.webhooks.payloads import trial_payload
from integrations.webhooks.sending import call, keep_try
from lib import public_http
from lib.clock import now
from lib.ids import uuid7
from lib.text import one_line, without_query

Status, State = WebhookEndpoint.Status, WebhookDelivery.Status
MOST_ENDPOINTS = 20
MOST_KINDS = 60
OLD_SECRET_LASTS = timedelta(hours=24)
# In one act; what is left can be asked for again.
MOST_REPLAYS = 1000


def create_endpoint(url: str, kinds: Sequence[str], *, by: Actor, label: str = "") -> tuple[WebhookEndpoint, str]:
    """The endpoint and its secret. Asks for the address's place: call it outside of transactions. Raises PlanLimit."""
    by.require(Perm.WEBHOOKS)
    row = WebhookEndpoint(workspace=by.workspace, secret=_new_secret(), created_by=by.user)
    _fill(row, url=url, kinds=kinds, label=label)
    with workspace_scope(by.workspace.pk):
        # Two at once must not both make the last one.
        Workspace.objects.select_for_update(no_key=True).get(pk=by.workspace.pk)
        plans.require_room(by.workspace, "webhooks", partial(count_endpoints, by.workspace))
        if count_endpoints(by.workspace) >= MOST_ENDPOINTS:
            raise ValidationError(f"A workspace has at most {MOST_ENDPOINTS} webhooks. Delete one first.")
        row.save(force_insert=True)
        audit.record("webhook.create", row, by=by, url=without_query(row.url), kinds=row.kinds)
    return row, row.secret


def count_endpoints(workspace: Workspace) -> int:
    return WebhookEndpoint.objects.filter(workspace=workspace).count()


def update_endpoint(row: WebhookEndpoint, *, by: Actor, **fields: Any) -> WebhookEndpoint:
    """Any of url, kinds, label. What waits goes to the new address. Call it outside of transactions."""
    by.require(Perm.WEBHOOKS)
    before = {name: getattr(row, name) for name in fields}
    _fill(row, **fields)
    changed = {name: [value, getattr(row, name)] for name, value in before.items() if getattr(row, name) != value}
    if changed:
        with workspace_scope(by.workspace.pk):
            row.save(update_fields=list(changed))
            if "url" in changed:
                changed["url"] = [without_query(url) for url in changed["url"]]
            audit.record("webhook.update", row, by=by, changed=changed)
    return row


def rotate_secret(row: WebhookEndpoint, *, by: Actor) -> str:
    """The new secret. For a day, both sign."""
    by.require(Perm.WEBHOOKS)
    with transaction.atomic():
        locked = WebhookEndpoint.objects.select_for_update(no_key=True).get(pk=row.pk)
        row.old_secret, row.old_secret_until = locked.secret, now() + OLD_SECRET_LASTS
        row.secret = _new_secret()
        row.save(update_fields=["secret", "old_secret", "old_secret_until"])
        audit.record("webhook.rotate", row, by=by, url=without_query(row.url))
    return row.secret


def pause_endpoint(row: WebhookEndpoint, *, by: Actor) -> bool:
    by.require(Perm.WEBHOOKS)
    text = f"Paused by {by.label}."[:200]
    with transaction.atomic():
        active = WebhookEndpoint.objects.filter(pk=row.pk, status=Status.ACTIVE)
        if not active.update(status=Status.PAUSED, status_text=text):
            return False
        audit.record("webhook.pause", row, by=by, url=without_query(row.url))
    row.refresh_from_db(fields=["status", "status_text"])
    return True


def resume_endpoint(row: WebhookEndpoint, *, by: Actor) -> bool:
    """What waited goes out now, with all its tries before it."""
    by.require(Perm.WEBHOOKS)
    fresh = {"failures_in_row": 0, "failing_since": None, "rest_until": None}
    with transaction.atomic():
        paused = WebhookEndpoint.objects.filter(pk=row.pk, status=Status.PAUSED)
        if not paused.update(status=Status.ACTIVE, status_text="", **fresh):
            return False
        waiting = WebhookDelivery.objects.filter(endpoint=row, status=State.PENDING)
        waiting.update(due_at=now(), tries=0)
        audit.record("webhook.resume", row, by=by, url=without_query(row.url))
    row.refresh_from_db(fields=["status", "status_text", *fresh])
    return True


def delete_endpoint(row: WebhookEndpoint, *, by: Actor) -> None:
    by.require(Perm.WEBHOOKS)
    with transaction.atomic():
        audit.record("webhook.delete", row, by=by, url=without_query(row.url))
        # What is under way finds nothing to record.
        WebhookTry.objects.filter(delivery__endpoint=row).delete()
        row.delete()


# --- sending by hand --------------------------------------------------------------------------------------


def replay_delivery(row: WebhookDelivery, *, by: Actor) -> WebhookDelivery:
    """Send it again, under the id it had. It waits behind what its object has waiting."""
    by.require(Perm.WEBHOOKS)
    if row.status == State.PENDING:
        raise ValidationError("It is still being sent. Wait for it to end, or resume the webhook.")
    if row.kind == TEST:
        raise ValidationError("A test is not sent again. Send a new one.")
    with transaction.atomic():
        copy = _copy(row)
        copy.save(force_insert=True)
        audit.record("webhook.replay", row.endpoint, by=by, kind=row.kind, count=1)
    return copy


def replay_failed(endpoint: WebhookEndpoint, since: datetime, *, by: Actor) -> int:
    """All that failed since then and were not sent again yet, in their order; at most MOST_REPLAYS."""
    by.require(Perm.WEBHOOKS)
    with transaction.atomic():
        # Two people who press at once send it once.
        WebhookEndpoint.objects.select_for_update(no_key=True).get(pk=endpoint.pk)
        failed = WebhookDelivery.objects.filter(
            endpoint=endpoint, status=State.FAILED, created_at__gte=since, replays=None
        )
        rows = list(failed.exclude(kind=TEST).order_by("id")[:MOST_REPLAYS])
        ids = sorted(uuid7() for _ in rows)
        WebhookDelivery.objects.bulk_create(_copy(row, pk) for pk, row in zip(ids, rows, strict=True))
        if rows:
            audit.record("webhook.replay", endpoint, by=by, count=len(rows), since=since.isoformat())
    return len(rows)


def _copy(row: WebhookDelivery, pk: UUID | None = None) -> WebhookDelivery:
    return WebhookDelivery(
        pk=pk or uuid7(),
        workspace_id=row.workspace_id,
        endpoint_id=row.endpoint_id,
        # The id stands in the payload. A row of the event itself is unique, and may be gone before this one.
        replay_of=row,
        kind=row.kind,
        ordering_key=row.ordering_key,
        payload=row.payload,
    )


def try_endpoint(endpoint_id: UUID, *, by: Actor) -> WebhookDelivery:
    """One call, now, also while it is paused; what comes of it counts for nothing. Call it outside of transactions."""
    by.require(Perm.WEBHOOKS)
    rate.require(Limit(("webhook-test", by.workspace.pk), 10, timedelta(minutes=1), burst=10), text="Too many tests.")
    with workspace_scope(by.workspace.pk):
        endpoint = WebhookEndpoint.objects.filter(workspace=by.workspace, pk=endpoint_id).first()
        if endpoint is None:
            raise Http404("Not found.")
        row = WebhookDelivery.objects.create(
            workspace=by.workspace,
            endpoint=endpoint,
            kind=TEST,
            ordering_key=f"test:{uuid7()}",
            payload=trial_payload(by.workspace, TEST, now()),
            # Ended before it is sent: no worker may take it.
            status=State.CANCELED,
            tries=1,
        )
    outcome = call(endpoint, row.payload)
    row.status = State.DELIVERED if outcome.is_ok else State.FAILED
    row.ended_at = now()
    with workspace_scope(by.workspace.pk):
        # Somebody may have deleted the endpoint meanwhile.
        if WebhookDelivery.objects.filter(pk=row.pk).update(status=row.status, ended_at=row.ended_at):
            keep_try(row, outcome)
    return row


# --- what may be said -------------------------------------------------------------------------------------


def _fill(row: WebhookEndpoint, **fields: Any) -> None:
    cleaners = {"url": _clean_url, "kinds": _clean_kinds, "label": _clean_label}
    for name, value in fields.items():
        setattr(row, name, cleaners[name](value))


def _clean_url(url: str) -> str:
    url = url.strip()
    try:
        public_http.check_public(url)
    except public_http.FetchError as error:
        # A name that nobody knows yet may be known by the time something is sent.
        if error.code != "unknown_host":
            raise ValidationError({"url": error.message}) from error
    if len(url) > 500:
        raise ValidationError({"url": "At most 500 characters."})
    return url


def _clean_kinds(kinds: Sequence[str]) -> list[str]:
    words = list(dict.fromkeys(kinds))
    unknown = [word for word in words if not is_known(word)]
    if unknown:
        raise ValidationError({"kinds": f"There is no event “{one_line(unknown[0])[:60]}”."})
    if not words:
        raise ValidationError({"kinds": "Choose at least one event."})
    if len(words) > MOST_KINDS:
        raise ValidationError({"kinds": f"At most {MOST_KINDS}; “*” stands for all."})
    return [ALL] if ALL in words else words


def _clean_label(label: str) -> str:
    return one_line(label)[:80]


def _new_secret() -> str:
    return f"whsec_{secrets.token_urlsafe(32)}"
