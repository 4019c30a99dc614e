"""What happened to deliveries: one line each, and the counts of every hour, in the transaction of what happened."""

import json
from collections.abc import Collection
from datetime import timedelta
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db import connection

from accounts.scope import all_workspaces_scope
from campaigns.models import Delivery, PublishingLog
from lib.clock import now
from lib.ids import uuid7
from lib.text import storable

INFO, SUCCESS, WARNING, ERROR = "info", "success", "warning", "error"
STATUSES = (INFO, SUCCESS, WARNING, ERROR)
# An action that is counted, and where. A missed delivery that asks has not ended yet; a dropped one has.
COUNTED = {"created": "created", "published": "completed", "failed": "failed", "dropped": "failed"}
ENDINGS = ["published", "failed", "dropped"]
BATCH = 5000


def write(delivery: Delivery, action: str, status: str, message: str = "", **details: Any) -> int:
    """One line. Call it where the delivery's row is locked and changed, before anything deletes it."""
    return write_many([delivery.pk], action, status, message, **details)


def write_many(deliveries: Collection[UUID], action: str, status: str, message: str = "", **details: Any) -> int:
    """The same line for each of these deliveries, in one statement; the number of lines."""
    if status not in STATUSES:
        raise ValueError(f"{status} is no status of a log line.")
    ids, at = sorted(set(deliveries)), now()
    values: dict[str, Any] = {
        "lines": [uuid7() for _ in ids],
        "deliveries": ids,
        "action": action,
        "status": status,
        "message": storable(message)[:300],
        "details": json.dumps({name: _storable(value) for name, value in details.items()}, default=str),
        "at": at,
        "hour": at.replace(minute=0, second=0, microsecond=0),
        "endings": ENDINGS,
    }
    with connection.cursor() as cursor:
        if action not in COUNTED:
            cursor.execute(INSERT_LINES, values)
            return cursor.rowcount
        # Two who tell the same must take turns, or both would be counted.
        cursor.execute(LOCK, values)
        cursor.execute(INSERT_AND_COUNT[action], values)
        return cursor.fetchone()[0]


def _storable(value: Any) -> Any:
    return storable(value) if isinstance(value, str) else value


def forget_old_lines() -> int:
    """Delete what is older than the retention, in short transactions; the hourly counts stay."""
    before, deleted = now() - timedelta(days=settings.PUBLISHING_LOG_DAYS), 0
    while True:
        with all_workspaces_scope("retention of the publishing log"):
            old = PublishingLog.objects.filter(at__lt=before).order_by().values("pk")[:BATCH]
            count, _ = PublishingLog.objects.filter(pk__in=old).delete()
        deleted += count
        if count < BATCH:
            return deleted


LOCK = "SELECT id FROM campaigns_delivery WHERE id = ANY(%(deliveries)s) ORDER BY id FOR NO KEY UPDATE"

INSERT_LINES = """
INSERT INTO campaigns_publishinglog
    (id, workspace_id, delivery_id, post_id, connection_id, source_id, campaign_id,
     action, status, message, details, at)
SELECT given.line, d.workspace_id, d.id, d.post_id, d.connection_id, p.source_id, p.campaign_id,
    %(action)s, %(status)s, %(message)s, jsonb_build_object('fence', d.fence) || %(details)s::jsonb, %(at)s
FROM unnest(%(lines)s::uuid[], %(deliveries)s::uuid[]) AS given(line, delivery)
JOIN campaigns_delivery d ON d.id = given.delivery
JOIN campaigns_post p ON p.id = d.post_id
"""

# Once in its life for `created` and `published`; a failure counts again after other news, or in a new claim.
IS_NEW = (
    "NOT EXISTS (SELECT 1 FROM campaigns_publishinglog o WHERE o.delivery_id = l.delivery_id AND o.action = %(action)s)"
)
IS_NEW_ENDING = """
coalesce((
    SELECT o.action <> ALL(%(endings)s) OR o.action <> 'published' AND o.details -> 'fence' <> l.details -> 'fence'
    FROM campaigns_publishinglog o WHERE o.delivery_id = l.delivery_id
    ORDER BY o.at DESC, o.id DESC LIMIT 1
), true)
"""

# The subqueries see the table as it was before this statement. Rollups in one order, so that none waits for another.
COUNT = """
WITH line AS ({insert} RETURNING workspace_id, source_id, delivery_id, details), counted AS (
    INSERT INTO campaigns_hourlyrollup AS r (id, workspace_id, source_id, hour, created, completed, failed)
    SELECT gen_random_uuid(), l.workspace_id, l.source_id, %(hour)s, {numbers} FROM line l WHERE {is_new}
    GROUP BY l.workspace_id, l.source_id ORDER BY l.workspace_id, l.source_id
    ON CONFLICT ON CONSTRAINT rollup_once DO UPDATE SET {column} = r.{column} + excluded.{column}
)
SELECT count(*) FROM line
"""
COLUMNS = ("created", "completed", "failed")


def _counting(column: str) -> str:
    numbers = ", ".join("count(*)" if name == column else "0" for name in COLUMNS)
    is_new = IS_NEW_ENDING if column == "failed" else IS_NEW
    return COUNT.format(insert=INSERT_LINES, numbers=numbers, column=column, is_new=is_new)


INSERT_AND_COUNT = {action: _counting(column) for action, column in COUNTED.items()}
