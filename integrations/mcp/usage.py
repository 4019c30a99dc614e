"""What was called how often: one row per server, tool and UTC day."""

from django.db import connection

from integrations.models import McpServer
from lib.clock import now
from lib.ids import uuid7

COUNT = """
INSERT INTO integrations_mcpusage AS kept (id, workspace_id, server_id, day, tool, calls, errors, ms)
VALUES (%(id)s, %(workspace)s, %(server)s, %(day)s, %(tool)s, 1, %(errors)s, %(ms)s)
ON CONFLICT (server_id, day, tool) DO UPDATE
SET calls = kept.calls + 1, errors = kept.errors + excluded.errors, ms = kept.ms + excluded.ms
"""


def count_use(server: McpServer, tool: str, *, failed: bool, ms: int) -> None:
    """Inside the workspace's scope. Late in the transaction: others who call the same tool wait for the row."""
    with connection.cursor() as cursor:
        cursor.execute(
            COUNT,
            {
                "id": uuid7(),
                "workspace": server.workspace_id,
                "server": server.pk,
                "day": now().date(),
                "tool": tool,
                "errors": int(failed),
                "ms": ms,
            },
        )
