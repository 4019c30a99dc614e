"""For the measurement of MCP: our endpoint and, under /bare, the SDK's own server with the same tool."""

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "marketing.settings")
django.setup()

# Apps are ready only now.
import mcp_types as types  # noqa: E402
from mcp.server.lowlevel import Server  # noqa: E402
from mcp.server.transport_security import TransportSecuritySettings  # noqa: E402
from starlette.applications import Starlette  # noqa: E402
from starlette.routing import Mount  # noqa: E402

from accounts.access import Actor, Perm  # noqa: E402
from integrations.mcp.app import mcp_app, mcp_server  # noqa: E402
from integrations.mcp.registry import Registry, ToolDef  # noqa: E402

SCHEMA = {"type": "object", "properties": {"a": {"type": "integer"}, "b": {"type": "integer"}}, "required": ["a", "b"]}


def add(_actor: Actor | None, args: dict[str, Any]) -> dict[str, Any]:
    return {"sum": args["a"] + args["b"]}


TOOL = ToolDef("add", "Add", "Adds two numbers.", SCHEMA, add, Perm.VIEW)


async def list_tools(_context: Any, _params: Any) -> types.ListToolsResult:
    return types.ListToolsResult(tools=[types.Tool(name="add", description="Adds two numbers.", input_schema=SCHEMA)])


async def call_tool(_context: Any, params: types.CallToolRequestParams) -> types.CallToolResult:
    found = add(None, params.arguments or {})
    text = types.TextContent(type="text", text=str(found))
    return types.CallToolResult(content=[text], structured_content=found)


def applications() -> tuple[Starlette, Starlette]:
    registry = Registry()
    registry.add(TOOL)
    bare: Server[Any] = Server("bare", version="1", on_list_tools=list_tools, on_call_tool=call_tool)
    security = TransportSecuritySettings(allowed_hosts=["localhost"])
    return mcp_app(mcp_server(registry)), bare.streamable_http_app(stateless_http=True, transport_security=security)


ours, plain = applications()


@asynccontextmanager
async def lifespan(_app: Starlette) -> AsyncIterator[None]:
    async with ours.router.lifespan_context(ours), plain.router.lifespan_context(plain):
        yield


application = Starlette(routes=[Mount("/bare", plain), Mount("/", ours)], lifespan=lifespan)
