"""Sends webhooks: claim, call, record. At least once, in order for each object, a few at a time for each endpoint.

A claim raises the row's fence and holds it for LEASE_S; a worker takes it over by raising the fence again, so a message
that comes twice, or too late, does nothing. The call is made outside of any transaction. A worker that dies between
the call and its record leaves a lease that runs out: it is sent again under the same id.
"""

import time
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import structlog
from django.db import connection
from django.db.models import F

from accounts.scope import all_workspaces_scope, workspace_scope
from integrations.models import WebhookDelivery, WebhookEndpoint, WebhookTry
from integrations.webhooks.pausing import note_failure, note_success
from integrations.webhooks.payloads import body_of
from lib import public_http, signing
from lib.clock import now
from lib.text import storable

log = structlog.get_logger(__name__)
State = WebhookDelivery.Status
# More than a call and the wait for a worker; what waits longer is claimed again.
LEASE_S = 60
TIMEOUT_S = 10.0
# How many calls one endpoint has to bear at a time.
AT_ONCE = 3
BATCH = 60
# A worker that has sent one goes on with its endpoint for so long.
STREAK_S = 5.0
TRIES = 8
# Half of the ceilings is a day.
FIRST_PAUSE_S, PAUSE_FACTOR, LONGEST_PAUSE_S = 60, 4, 86_400
ANSWER_CHARACTERS = 1000

# Who is first in the row of its object, at most AT_ONCE for each endpoint, the endpoints in turn.
CLAIM = """
WITH busy AS (
    SELECT endpoint_id, count(*) AS count FROM integrations_webhookdelivery
    WHERE status = 'pending' AND lease_until > %(now)s GROUP BY endpoint_id
),
ready AS (
    SELECT first.id, first.place, first.due_at FROM integrations_webhookendpoint endpoint
    JOIN accounts_workspace workspace ON workspace.id = endpoint.workspace_id AND NOT workspace.is_suspended
    LEFT JOIN busy ON busy.endpoint_id = endpoint.id
    CROSS JOIN LATERAL (
        SELECT row.id, row.due_at, row_number() OVER (ORDER BY row.due_at, row.id) AS place
        FROM integrations_webhookdelivery row
        WHERE row.endpoint_id = endpoint.id AND row.status = 'pending' AND row.due_at <= %(now)s
          AND (row.lease_until IS NULL OR row.lease_until <= %(now)s)
          AND NOT EXISTS (
              SELECT 1 FROM integrations_webhookdelivery earlier
              WHERE earlier.endpoint_id = row.endpoint_id AND earlier.ordering_key = row.ordering_key
                AND earlier.status = 'pending' AND earlier.id < row.id
          )
        ORDER BY row.due_at, row.id LIMIT %(at_once)s
    ) AS first
    WHERE endpoint.status = 'active' AND (endpoint.rest_until IS NULL OR endpoint.rest_until <= %(now)s)
      AND (%(endpoint)s::uuid IS NULL OR endpoint.id = %(endpoint)s)
      AND first.place + coalesce(busy.count, 0) <= %(at_once)s
    ORDER BY first.place, first.due_at LIMIT %(limit)s
),
free AS (
    SELECT row.id FROM integrations_webhookdelivery row JOIN ready USING (id)
    WHERE row.status = 'pending' AND row.due_at <= %(now)s AND (row.lease_until IS NULL OR row.lease_until <= %(now)s)
    FOR UPDATE OF row SKIP LOCKED
)
UPDATE integrations_webhookdelivery claimed SET lease_until = %(until)s, fence = claimed.fence + 1
FROM free WHERE claimed.id = free.id RETURNING claimed.workspace_id, claimed.id, claimed.fence
"""
# Two claims at once would each count what is under way without the other.
CLAIM_LOCK = 7_301_008


@dataclass(frozen=True)
class Claim:
    workspace_id: UUID
    delivery_id: UUID
    fence: int


def claim_due(limit: int = BATCH, endpoint_id: UUID | None = None) -> list[Claim]:
    at = now()
    params: dict[str, Any] = {
        "now": at,
        "until": at + timedelta(seconds=LEASE_S),
        "at_once": AT_ONCE,
        "limit": limit,
        "endpoint": endpoint_id,
    }
    with all_workspaces_scope("claim webhooks that are due"), connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [CLAIM_LOCK])
        cursor.execute(CLAIM, params)
        return [Claim(*row) for row in cursor.fetchall()]


def send_on(claim: Claim) -> int:
    """Send what was claimed, and what the same endpoint has due after it; how many calls were made."""
    until, calls = time.monotonic() + STREAK_S, 0
    following: list[Claim] = [claim]
    while following:
        endpoint_id = send_claimed(following[0])
        if endpoint_id is None:
            break
        calls += 1
        following = claim_due(1, endpoint_id) if time.monotonic() < until else []
    return calls


def send_claimed(claim: Claim) -> UUID | None:
    """One try; the endpoint that was called, or None where the claim is no longer ours."""
    taken = _take(claim)
    if taken is None:
        return None
    _record(taken, call(taken.endpoint, taken.payload))
    return taken.endpoint_id


def _take(claim: Claim) -> WebhookDelivery | None:
    at = now()
    with workspace_scope(claim.workspace_id):
        mine = WebhookDelivery.objects.filter(
            pk=claim.delivery_id, fence=claim.fence, status=State.PENDING, lease_until__gt=at, endpoint__status="active"
        )
        if not mine.update(lease_until=at + timedelta(seconds=LEASE_S), fence=F("fence") + 1, tries=F("tries") + 1):
            return None
        return WebhookDelivery.objects.select_related("endpoint__workspace").get(pk=claim.delivery_id)


# --- the call ---------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Outcome:
    """`status` is None where nobody answered."""

    status: int | None
    ms: int
    problem: str = ""
    answer: str = ""
    retry_after_s: int | None = None

    @property
    def is_ok(self) -> bool:
        return self.status is not None and 200 <= self.status < 300

    @property
    def is_gone(self) -> bool:
        return self.status == 410


def call(endpoint: WebhookEndpoint, payload: dict[str, object]) -> Outcome:
    """Outside of any transaction."""
    body = body_of(payload)
    start = time.monotonic()
    try:
        reply = public_http.exchange(endpoint.url, body, headers_of(endpoint, payload, body), timeout_s=TIMEOUT_S)
    except public_http.FetchError as error:
        return Outcome(None, _since(start), error.message)
    answer = storable(reply.body.decode("utf-8", "replace"))[:ANSWER_CHARACTERS]
    problem = "" if 200 <= reply.status < 300 else _refusal(reply.status)
    return Outcome(reply.status, _since(start), problem, answer, reply.retry_after_s)


def headers_of(endpoint: WebhookEndpoint, payload: dict[str, object], body: bytes) -> dict[str, str]:
    """Two signatures while a receiver changes over to a new secret."""
    timestamp, message_id = int(now().timestamp()), str(payload["id"])
    secrets = [endpoint.secret]
    if endpoint.old_secret and endpoint.old_secret_until and endpoint.old_secret_until > now():
        secrets.append(endpoint.old_secret)
    return {
        "Content-Type": "application/json",
        "X-Rostrum-Id": message_id,
        "X-Rostrum-Event": str(payload["type"]),
        "X-Rostrum-Timestamp": str(timestamp),
        "X-Rostrum-Signature": ",".join(signing.sign(secret, message_id, timestamp, body) for secret in secrets),
    }


def _since(start: float) -> int:
    return int((time.monotonic() - start) * 1000)


def _refusal(status: int) -> str:
    if status in public_http.REDIRECTS:
        return public_http.REDIRECTED
    return f"The receiver answered HTTP {status}."


# --- what follows -----------------------------------------------------------------------------------------


def _record(row: WebhookDelivery, outcome: Outcome) -> None:
    """The answer is kept in any case; it moves the row only while the claim is still ours."""
    with workspace_scope(row.workspace_id):
        keep_try(row, outcome)
        mine = WebhookDelivery.objects.filter(pk=row.pk, fence=row.fence, status=State.PENDING)
        if not mine.update(**_after(row, outcome)):
            log.warning("webhook_claim_lost", delivery=str(row.pk))
        elif outcome.is_ok:
            note_success(row.endpoint_id)
        else:
            log.info("webhook_failed", delivery=str(row.pk), status=outcome.status, tries=row.tries)
            note_failure(row.endpoint, is_gone=outcome.is_gone)


def keep_try(row: WebhookDelivery, outcome: Outcome) -> WebhookTry:
    return WebhookTry.objects.create(
        workspace_id=row.workspace_id,
        delivery=row,
        status_code=outcome.status,
        ms=outcome.ms,
        problem_text=outcome.problem[:300],
        answer=outcome.answer,
    )


def _after(row: WebhookDelivery, outcome: Outcome) -> dict[str, object]:
    if outcome.is_ok:
        return {"status": State.DELIVERED, "ended_at": now(), "lease_until": None}
    # An address that is gone for good pauses the endpoint: its rows wait, whatever they were tried.
    if row.tries >= TRIES and not outcome.is_gone:
        return {"status": State.FAILED, "ended_at": now(), "lease_until": None}
    return {"due_at": _next_at(row.tries, outcome.retry_after_s), "lease_until": None}


def _next_at(tries: int, retry_after_s: int | None) -> datetime:
    pause_s = signing.pause_s(tries, first_s=FIRST_PAUSE_S, factor=PAUSE_FACTOR, longest_s=LONGEST_PAUSE_S)
    return now() + timedelta(seconds=max(pause_s, retry_after_s or 0))
