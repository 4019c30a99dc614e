"""Events of the outbox become webhooks: one short transaction for each batch of a workspace, all workspaces in turn."""

import time
from uuid import UUID

from django.db import connection

from accounts.models import Event, Workspace
from accounts.scope import all_workspaces_scope, workspace_scope
from integrations.models import WebhookDelivery, WebhookEndpoint
from integrations.webhooks.kinds import is_wanted, ordering_key
from integrations.webhooks.payloads import payloads_of
from lib.ids import uuid7

BATCH = 200
# The next tick goes on where this one stops.
TICK_S = 5.0
LOCK = 7_301_007
# From one workspace to the next through the index, however much the first of them has waiting.
WAITING = """
WITH RECURSIVE waiting AS (
    (SELECT workspace_id FROM accounts_event WHERE NOT is_handed_on ORDER BY workspace_id LIMIT 1)
    UNION ALL
    SELECT (SELECT workspace_id FROM accounts_event WHERE NOT is_handed_on AND workspace_id > waiting.workspace_id
            ORDER BY workspace_id LIMIT 1)
    FROM waiting WHERE waiting.workspace_id IS NOT NULL
)
SELECT workspace_id FROM waiting WHERE workspace_id IS NOT NULL
"""


def hand_on_events() -> int:
    """How many were handed on. What a killed worker began is begun again: rows and marks are one transaction."""
    until, count = time.monotonic() + TICK_S, 0
    waiting = _waiting_workspaces()
    while waiting and time.monotonic() < until:
        done = {workspace_id: hand_on_batch(workspace_id) for workspace_id in waiting}
        count += sum(done.values())
        waiting = [workspace_id for workspace_id in waiting if done[workspace_id] == BATCH]
    return count


def _waiting_workspaces() -> list[UUID]:
    with all_workspaces_scope("events that wait for webhooks"), connection.cursor() as cursor:
        cursor.execute(WAITING)
        return [row[0] for row in cursor.fetchall()]


def hand_on_batch(workspace_id: UUID) -> int:
    with workspace_scope(workspace_id):
        if not _is_only_one(workspace_id):
            return 0
        waiting = Event.objects.filter(workspace_id=workspace_id, is_handed_on=False)
        endpoints = list(WebhookEndpoint.objects.filter(workspace_id=workspace_id, status="active"))
        if not endpoints:
            return waiting.update(is_handed_on=True)
        # Ids of one millisecond are in no order; the clock's microseconds are.
        events = list(waiting.order_by("created_at", "id").select_for_update(no_key=True, skip_locked=True)[:BATCH])
        _make_deliveries(workspace_id, events, endpoints)
        return Event.objects.filter(pk__in=[event.pk for event in events]).update(is_handed_on=True)


def _is_only_one(workspace_id: UUID) -> bool:
    """Two at a time could turn around the order of two events of one object."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_xact_lock(%s, hashtext(%s))", [LOCK, str(workspace_id)])
        return bool(cursor.fetchone()[0])


def _make_deliveries(workspace_id: UUID, events: list[Event], endpoints: list[WebhookEndpoint]) -> None:
    pairs = [(event, row) for event in events for row in endpoints if is_wanted(event.kind, row.kinds)]
    if not pairs:
        return
    wanted = {event.pk: event for event, _row in pairs}
    payloads = payloads_of(Workspace.objects.get(pk=workspace_id), list(wanted.values()))
    # They go out in the order of their ids.
    ids = sorted(uuid7() for _ in pairs)
    WebhookDelivery.objects.bulk_create(
        (
            WebhookDelivery(
                pk=pk,
                workspace_id=workspace_id,
                endpoint=row,
                event_id=event.pk,
                kind=event.kind,
                ordering_key=ordering_key(event.kind, event.payload),
                payload=payloads[event.pk],
            )
            for pk, (event, row) in zip(ids, pairs, strict=True)
        ),
        ignore_conflicts=True,
    )
