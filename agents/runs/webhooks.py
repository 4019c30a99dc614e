"""The call at a run's end: signed, sent through the guarded client, tried again with growing pauses."""

import hashlib
import hmac
import json
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import structlog
from django.conf import settings
from django.db.models import F, QuerySet

from accounts.models import Workspace
from accounts.scope import all_workspaces_scope, workspace_scope
from agents.models import Run
from agents.runs.queries import run_status
from lib import public_http, signing
from lib.clock import now

log = structlog.get_logger(__name__)
TRIES = 8
PAUSE_S = 30
MAX_PAUSE_S = 3600
# Longer than a call may take: two workers do not send one webhook at a time.
HOLD_S = 60
BATCH = 50


def webhook_secret(workspace: Workspace) -> str:
    """What the receiver checks signatures with; shown to admins of the workspace."""
    made = hmac.new(settings.SECRET_KEY.encode(), f"run-webhook:{workspace.pk}".encode(), hashlib.sha256)
    return f"whsec_{made.hexdigest()}"


def due_webhooks() -> list[tuple[UUID, UUID]]:
    """(workspace, run) of what is to be sent now."""
    with all_workspaces_scope("find webhooks that are due"):
        due = _due(now()).order_by("wake_at")
        return list(due.values_list("workspace_id", "pk")[:BATCH])


def _due(at: datetime) -> QuerySet[Run]:
    ended = Run.objects.filter(ended_at__isnull=False, webhook_sent_at=None, wake_at__lte=at, strikes__lt=TRIES)
    return ended.exclude(webhook_url="")


def send_webhook(workspace_id: UUID, run_id: UUID) -> bool:
    """One try; at least once. False where it was not due, or did not arrive."""
    at = now()
    with workspace_scope(workspace_id):
        due = _due(at).filter(pk=run_id)
        if not due.update(wake_at=at + timedelta(seconds=HOLD_S), strikes=F("strikes") + 1):
            return False
        run = Run.objects.select_related("workspace").get(pk=run_id)
        payload = {"event": f"run.{run.status}", "run": run_status(run)}
    problem = _send(run, payload)
    with workspace_scope(workspace_id):
        # Ended for this time: somebody may have let it go on meanwhile, and it will end again.
        same = Run.objects.filter(pk=run_id, ended_at=run.ended_at)
        if problem is None:
            same.update(webhook_sent_at=now())
        else:
            same.update(wake_at=now() + timedelta(seconds=_pause_s(run.strikes)))
    return problem is None


def _send(run: Run, payload: dict[str, Any]) -> public_http.FetchError | None:
    body = json.dumps(payload, ensure_ascii=False, separators=(",", ":")).encode()
    timestamp, secret = int(now().timestamp()), webhook_secret(run.workspace)
    message_id = f"{run.pk}:{int(run.ended_at.timestamp()) if run.ended_at else 0}"
    headers = {
        "Content-Type": "application/json",
        "X-Rostrum-Id": message_id,
        "X-Rostrum-Event": str(payload["event"]),
        "X-Rostrum-Timestamp": str(timestamp),
        # As it has always been; the endpoints of a workspace sign the id as well.
        "X-Rostrum-Signature": signing.sign(secret, message_id, timestamp, body, version="v1"),
    }
    try:
        public_http.post(run.webhook_url, body, headers)
    except public_http.FetchError as error:
        log.info("webhook_failed", run=str(run.pk), code=error.code, tries=run.strikes)
        return error
    return None


def _pause_s(tries: int) -> float:
    return signing.pause_s(tries, first_s=2 * PAUSE_S, factor=2, longest_s=MAX_PAUSE_S, least=0.5)
