"""An endpoint that fails rests a little longer each time, and in the end pauses itself and says so."""

from datetime import timedelta
from uuid import UUID

from accounts import audit
from accounts.access import Perm, system_actor
from accounts.services import notify
from integrations.models import WebhookEndpoint
from lib.clock import now
from lib.text import without_query

Status = WebhookEndpoint.Status
MOST_FAILURES = 20
LONGEST = timedelta(days=3)
# So many failures in a row are somebody's outage, and not one message that the receiver does not like.
OUTAGE = 5
FIRST_REST_S, LONGEST_REST_S = 5, 600


def note_success(endpoint_id: UUID) -> None:
    fine = {"failures_in_row": 0, "failing_since": None, "rest_until": None, "last_ok_at": now()}
    WebhookEndpoint.objects.filter(pk=endpoint_id).update(**fine)


def note_failure(endpoint: WebhookEndpoint, *, is_gone: bool) -> None:
    """In the transaction that records the answer."""
    row = WebhookEndpoint.objects.select_for_update(no_key=True).filter(pk=endpoint.pk).first()
    if row is None:
        return
    row.failures_in_row += 1
    row.failing_since = row.failing_since or now()
    row.rest_until = now() + _rest(row.failures_in_row)
    row.save(update_fields=["failures_in_row", "failing_since", "rest_until"])
    if reason := _reason(row, is_gone=is_gone):
        pause_itself(row, reason)


def _rest(failures: int) -> timedelta:
    if failures < OUTAGE:
        return timedelta()
    return timedelta(seconds=min(LONGEST_REST_S, FIRST_REST_S * 2.0 ** (failures - OUTAGE)))


def _reason(row: WebhookEndpoint, *, is_gone: bool) -> str:
    if is_gone:
        return "Its receiver says that it is gone for good (HTTP 410)."
    if row.failures_in_row >= MOST_FAILURES:
        return f"{row.failures_in_row} calls in a row failed."
    if row.failing_since and now() - row.failing_since > LONGEST:
        return "All calls failed for three days."
    return ""


def pause_itself(row: WebhookEndpoint, reason: str) -> None:
    """Once: what was sent at the same time may fail later."""
    active = WebhookEndpoint.objects.filter(pk=row.pk, status=Status.ACTIVE)
    if not active.update(status=Status.PAUSED, status_text=reason):
        return
    text = f"The webhook to {row} is paused. {reason}"
    notify(row.workspace, "webhook.paused", text, path=f"/settings/webhooks/{row.pk}", perm=Perm.WEBHOOKS, alert=True)
    by = system_actor(row.workspace, "Webhooks", ())
    audit.record("webhook.pause", row, by=by, url=without_query(row.url), reason=reason)
