"""What an operator should know of besides speed: posts nobody is sure of, breakers, webhooks, backups, the replica."""

from typing import Any

from django.db import connection

from accounts.scope import all_workspaces_scope
from marketing import replica

# Of a backup the instance's audit trail has a note (`marketing.backups.make.ACTION`).
WATCHED = """
SELECT (SELECT count(*) FROM campaigns_delivery WHERE state = 'unconfirmed'),
       (SELECT count(*) FROM social_connection WHERE broken_until > now()),
       (SELECT count(*) FROM integrations_webhookendpoint WHERE status = 'paused'),
       (SELECT count(*) FROM integrations_webhookendpoint WHERE status = 'active' AND failures_in_row > 0),
       (SELECT extract(epoch FROM max(at)) FROM accounts_auditentry
        WHERE workspace_id IS NULL AND action = 'backup.make'),
       (SELECT count(*) FROM accounts_switch WHERE is_on)
"""
FOR_EVER_S = 86_400.0
NAMES = ("unconfirmed", "breakers", "webhooks_paused", "webhooks_failing", "backup_at", "stopped")


def measure() -> dict[str, Any]:
    """{"unconfirmed", "breakers", …: number, or None where there is nothing to say}."""
    with all_workspaces_scope("what an operator should know"), connection.cursor() as cursor:
        cursor.execute(WATCHED)
        found = dict(zip(NAMES, cursor.fetchone(), strict=True))
    numbers = {name: None if value is None else float(value) for name, value in found.items()}
    lag = replica.lag_s()
    # JSON knows nothing infinite.
    return numbers | {"replica_lag_s": None if lag is None else min(lag, FOR_EVER_S)}
