"""A small registry of the tests' own, a server of Alice's, and clients of both eras."""

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from typing import Any, TypeVar

import httpx2
import pytest
from django.core.exceptions import PermissionDenied, ValidationError
from django.http import Http404
from mcp import Client, MCPError
from mcp.client.streamable_http import streamable_http_client

from accounts.access import Actor, Perm
from accounts.models import Event
from accounts.rate import RateLimited
from accounts.services import emit
from integrations.mcp.app import mcp_app, mcp_server
from integrations.mcp.auth import Caller, actor_of
from integrations.mcp.registry import Blocks, PromptArgument, PromptDef, Registry, ResourceDef, ToolDef
from integrations.models import McpServer
from tests.integrations.mcp.rows import server_of_all
from tests.integrations.mcp.serving import served

T = TypeVar("T")
COUNT = {
    "type": "object",
    "properties": {"count": {"type": "integer", "maximum": 3}, "name": {"type": "string"}},
    "additionalProperties": False,
}
ANYTHING = {"type": "object"}


def ring(actor: Actor, args: dict[str, Any]) -> dict[str, Any]:
    emit(actor.workspace, "bell.rung")
    return {"rung": Event.objects.filter(kind="bell.rung").count(), "said": args, "by": actor.label}


def refuse(actor: Actor, args: dict[str, Any]) -> dict[str, Any]:
    emit(actor.workspace, "bell.rung")
    raise REFUSALS[args["how"]]


REFUSALS = {
    "fields": ValidationError({"title": ["Too long.", "Too loud."], "at": ["In the past."]}),
    "plain": ValidationError("Not on Sundays."),
    "denied": PermissionDenied("Your role cannot ring."),
    "denied without words": PermissionDenied(),
    "missing": Http404("campaign 7 of somebody"),
    "rate": RateLimited("Too much ringing.", 12.3456),
    "crash": RuntimeError("password=hunter2"),
}


def read_bell(actor: Actor, params: dict[str, str]) -> dict[str, str]:
    if params["bell"] == "stolen":
        raise Http404
    return params


def bells(actor: Actor, place: str, typed: str) -> list[str]:
    return [name for name in ("big", "bigger", "small") if name.startswith(typed)]


def tool(name: str, do, perm: Perm = Perm.VIEW, schema=ANYTHING, **more) -> ToolDef:
    return ToolDef(name, name.title(), f"{name}.", schema, do, perm, **more)


@pytest.fixture
def registry() -> Registry:
    made = Registry()
    made.add(
        tool("look", lambda actor, args: {"workspace": actor.workspace.name, **args}, schema=COUNT),
        tool("ring", ring, Perm.CONTENT_EDIT, has_effect=True),
        tool("refuse", refuse, has_effect=True),
        tool("picture", lambda actor, args: Blocks([{"type": "text", "text": "one"}, {"type": "text", "text": "two"}])),
        tool("flood", lambda actor, args: {"water": "x" * args["bytes"]}),
        tool("manage", lambda actor, args: {}, Perm.MEMBERS),
        ResourceDef("bell://all", "bells", "Bells", "All bells.", lambda actor, params: "ding", "text/plain"),
        ResourceDef("bell://{bell}", "bell", "Bell", "One bell.", read_bell, complete=bells),
        ResourceDef("bell://raw/{bell}", "raw", "Sound", "Its sound.", lambda actor, params: b"\x00\xff", "audio/wav"),
        PromptDef(
            "toast",
            "Toast",
            "A toast.",
            lambda actor, args: f"Drink to {args['whom']}.",
            (PromptArgument("whom", "Who.", required=True),),
            complete=bells,
        ),
    )
    return made


@pytest.fixture
def server(alice_actor: Actor, registry: Registry) -> McpServer:
    return server_of_all(alice_actor, registry)


@pytest.fixture
def caller(server: McpServer, alice_actor: Actor) -> Caller:
    return Caller(server, actor_of(server, alice_actor.role))


@pytest.fixture
def endpoint(registry: Registry, settings, transactional_db) -> Iterator[str]:
    def make(address: str) -> Any:
        settings.MCP_URL = f"{address}/mcp"
        return mcp_app(mcp_server(registry))

    with served(make) as address:
        yield f"{address}/mcp"


@pytest.fixture
def ask(endpoint: str) -> Callable[..., Any]:
    """Run `act(client)` with somebody's token, in the current era or (`mode`) an older one."""

    def run(token: str, act: Callable[[Client], Awaitable[T]], mode: str = "auto") -> T:
        async def inside() -> T | MCPError:
            headers = {"Authorization": f"Bearer {token}"}
            async with (
                httpx2.AsyncClient(headers=headers, timeout=60) as http,
                Client(streamable_http_client(endpoint, http_client=http), mode=mode) as client,
            ):
                try:
                    return await act(client)
                except MCPError as error:
                    # Raised in here it would come out as a group of errors.
                    return error

        found = asyncio.run(inside())
        if isinstance(found, MCPError):
            raise found
        return found

    return run
