"""Servers and tokens as they stand in the tables."""

from collections.abc import Iterable
from typing import Any

from accounts.access import Actor
from accounts.models import new_secret
from accounts.scope import workspace_scope
from accounts.services import hash_key
from integrations.mcp.registry import Registry
from integrations.models import McpServer, McpToken


def add_server(actor: Actor, *, tools: Iterable[str] = (), **more: Any) -> McpServer:
    with workspace_scope(actor.workspace.pk):
        return McpServer.objects.create(
            workspace=actor.workspace, user=actor.user, **{"name": "Notebook", "tools": list(tools), **more}
        )


def add_token(server: McpServer, **more: Any) -> str:
    """The secret."""
    secret = new_secret("mcp_")
    with workspace_scope(server.workspace_id):
        McpToken.objects.create(
            workspace_id=server.workspace_id,
            server=server,
            token_hash=hash_key(secret),
            prefix=secret[:8],
            **{"kind": McpToken.Kind.PLAIN, **more},
        )
    return secret


def server_of_all(actor: Actor, registry: Registry, **more: Any) -> McpServer:
    names = {"tools": registry.tools, "resources": registry.resources, "prompts": registry.prompts}
    return add_server(actor, **{field: list(table) for field, table in names.items()}, **more)
