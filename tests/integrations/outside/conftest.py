"""A real MCP server on this machine, whose tools a test may change."""

import json
import socket
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest
import uvicorn

from accounts.scope import workspace_scope
from integrations.models import OutsideServer
from integrations.outside import services
from tests.agents.conftest import sandbox, sandbox_process  # noqa: F401 fixtures
from tests.agents.runs.conftest import define, go, start, thread  # noqa: F401 fixtures
from tests.waiting import wait_for

TEXT = {
    "type": "object",
    "properties": {"text": {"type": "string", "description": "What to find"}},
    "required": ["text"],
}


def described(name: str = "find", description: str = "Finds customers.", schema: dict[str, Any] | None = None) -> dict:
    return {"name": name, "description": description, "inputSchema": schema or TEXT}


@dataclass
class Stranger:
    """`tools` and `answers` are what the server says next; `calls` what it was asked."""

    url: str = ""
    tools: list[dict] = field(default_factory=lambda: [described(), described("create", "Creates a customer.")])
    answers: dict[str, str] = field(default_factory=dict)
    calls: list[tuple[str, Any]] = field(default_factory=list)
    secrets: set[str] = field(default_factory=set)
    needs: str = ""


STRANGER = Stranger()


def build() -> Any:
    import mcp_types as types
    from mcp.server.lowlevel import Server
    from mcp.server.transport_security import TransportSecuritySettings

    async def list_tools(_ctx: Any, _params: Any) -> types.ListToolsResult:
        return types.ListToolsResult(tools=[types.Tool.model_validate(tool) for tool in STRANGER.tools])

    async def call_tool(_ctx: Any, params: Any) -> types.CallToolResult:
        STRANGER.calls.append((params.name, params.arguments))
        text = STRANGER.answers.get(params.name, json.dumps({"found": params.arguments}))
        content = [types.TextContent(type="text", text=text)]
        return types.CallToolResult(content=content, is_error=text.startswith("ERROR"))

    server = Server("stranger", version="1", on_list_tools=list_tools, on_call_tool=call_tool)
    inner = server.streamable_http_app(
        stateless_http=True,
        json_response=True,
        transport_security=TransportSecuritySettings(enable_dns_rebinding_protection=False),
    )

    async def app(scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "http":
            shown = dict(scope["headers"]).get(b"authorization", b"").decode()
            STRANGER.secrets.add(shown)
            if STRANGER.needs and shown != STRANGER.needs:
                await send({"type": "http.response.start", "status": 401, "headers": []})
                await send({"type": "http.response.body", "body": b""})
                return
        await inner(scope, receive, send)

    return app


@pytest.fixture(scope="package")
def stranger_process() -> Iterator[str]:
    listening = socket.socket()
    listening.bind(("127.0.0.1", 0))
    server = uvicorn.Server(uvicorn.Config(build(), log_level="critical", lifespan="on"))
    running = threading.Thread(target=server.run, args=([listening],), daemon=True)
    running.start()
    wait_for(lambda: server.started)
    yield f"http://127.0.0.1:{listening.getsockname()[1]}/mcp"
    server.should_exit = True
    running.join(10)
    listening.close()


@pytest.fixture
def stranger(stranger_process: str, settings) -> Stranger:
    settings.OUTBOUND_ALLOW_CIDRS = ["127.0.0.0/8"]
    fresh = Stranger(url=stranger_process)
    STRANGER.__dict__.update(fresh.__dict__)
    return STRANGER


@pytest.fixture
def attach(workspace, alice_actor, stranger):
    """An attached server that was looked at, with these tools allowed."""

    def make(*allowed: str, read_only: tuple[str, ...] = (), secret: str = "", by=alice_actor) -> OutsideServer:
        with workspace_scope(by.workspace.pk):
            row = services.attach_server("CRM", stranger.url, secret, by=by)
        row = services.look_at(row, by=by)
        with workspace_scope(by.workspace.pk):
            return services.allow_tools(row, allowed, read_only=read_only, by=by)

    return make
