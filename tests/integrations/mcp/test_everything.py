"""A few of the official scenarios by the SDK's own client, so that the suite notices before `make conformance` does."""

import asyncio
from collections.abc import Iterator
from typing import Any

import httpx2
import mcp_types as types
import pytest
from mcp import Client, MCPError
from mcp.client.streamable_http import streamable_http_client

from integrations.mcp.app import mcp_app
from tests.integrations.mcp.everything import INPUT, everything
from tests.integrations.mcp.rows import add_token, server_of_all
from tests.integrations.mcp.serving import WithToken, served

pytestmark = pytest.mark.django_db(transaction=True)
ANSWERS = {"name": "Alice", "ok": True, "color": "red", "username": "alice", "email": "alice@example.org"}


@pytest.fixture
def address(request, alice_actor, settings) -> Iterator[str]:
    registry, server = everything()
    token = add_token(server_of_all(alice_actor, registry, calls_per_minute=1000))

    def make(url: str) -> WithToken:
        settings.MCP_URL = f"{url}/mcp"
        return WithToken(mcp_app(server, is_stateful=getattr(request, "param", False)), token)

    with served(make) as url:
        yield f"{url}/mcp"


async def answer(context: Any, params: types.ElicitRequestFormParams) -> types.ElicitResult:
    wanted = params.requested_schema["properties"]
    return types.ElicitResult(action="accept", content={name: ANSWERS[name] for name in wanted})


def use(address: str, act: Any, mode: str = "2026-07-28", **options: Any) -> Any:
    async def inside() -> Any:
        async with (
            httpx2.AsyncClient(timeout=60) as http,
            Client(streamable_http_client(address, http_client=http), mode=mode, **options) as client,
        ):
            return await act(client)

    return asyncio.run(inside())


def words(result: Any) -> str:
    return result.content[0].text


def test_the_current_era_answers_reports_and_asks_without_sessions(address: str) -> None:
    async def act(client):
        seen: list[float] = []

        async def note(progress: float, total: float | None, message: str | None) -> None:
            seen.append(progress)

        names = ("test_image_content", "test_audio_content", "test_embedded_resource", "test_multiple_content_types")
        kinds = [[block.type for block in (await client.call_tool(name, {})).content] for name in names]
        await client.call_tool("test_tool_with_progress", {}, progress_callback=note)
        asked = [words(await client.call_tool(f"{INPUT}_{name}", {})) for name in ("elicitation", "multi_round")]
        failed = await client.call_tool("test_error_handling", {})
        with pytest.raises(MCPError) as lacking:
            await client.call_tool("test_missing_capability", {})
        return kinds, seen, asked, failed.is_error, lacking.value.error

    kinds, seen, asked, failed, lacking = use(address, act, elicitation_callback=answer)
    assert kinds == [["image"], ["audio"], ["resource"], ["text", "image", "resource"]]
    assert seen == [0, 50, 100]
    assert asked[0] == "Hello, Alice!"
    assert "red" in asked[1]
    assert failed
    assert (lacking.code, lacking.data) == (-32021, {"requiredCapabilities": {"sampling": {}}})


def test_the_older_era_is_answered_without_sessions_and_cannot_be_asked_back(address: str) -> None:
    async def act(client):
        seen: list[float] = []

        async def note(progress: float, total: float | None, message: str | None) -> None:
            seen.append(progress)

        said = words(await client.call_tool("test_simple_text", {}))
        await client.call_tool("test_tool_with_progress", {}, progress_callback=note)
        with pytest.raises(MCPError):
            await client.call_tool("test_elicitation", {"message": "Who?"})
        return said, seen

    said, seen = use(address, act, "legacy", elicitation_callback=answer)
    assert said == "This is a simple text response for testing."
    assert seen == [0, 50, 100]


@pytest.mark.parametrize("address", [True], indirect=True)
def test_with_sessions_the_older_era_asks_back(address: str) -> None:
    async def act(client):
        return words(await client.call_tool("test_elicitation", {"message": "Who?"}))

    assert "alice@example.org" in use(address, act, "legacy", elicitation_callback=answer)
