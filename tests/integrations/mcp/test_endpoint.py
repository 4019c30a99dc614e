"""The endpoint as clients meet it: real HTTP, both eras of the protocol."""

import asyncio
import json
import threading
from datetime import timedelta

import httpx2
import mcp_types as types
import pytest
import requests
from django.db import connections
from mcp import Client, MCPError
from mcp.client.streamable_http import streamable_http_client

from accounts import plans
from accounts.models import AuditEntry, Role
from accounts.scope import workspace_scope
from integrations.mcp import handlers, limits
from integrations.mcp.limits import BODY_BYTES, Deadline
from integrations.models import McpServer, McpUsage
from lib.clock import now
from tests.integrations.mcp.conftest import tool
from tests.integrations.mcp.rows import add_server, add_token
from tests.waiting import wait_for

pytestmark = pytest.mark.django_db(transaction=True)
ERAS = pytest.mark.parametrize("mode", ["2026-07-28", "legacy"])
JSON_AND_STREAM = "application/json, text/event-stream"


@pytest.fixture
def alices(server) -> str:
    return add_token(server)


@pytest.fixture
def post(endpoint):
    """A request by hand, of the older era where no version is named."""

    def send(method="tools/list", params=None, *, token="", body=None, **headers):
        sent = {"Content-Type": "application/json", "Accept": JSON_AND_STREAM, **headers}
        if token:
            sent["Authorization"] = f"Bearer {token}"
        data = body or json.dumps({"jsonrpc": "2.0", "id": 7, "method": method, "params": params or {}})
        return requests.post(endpoint, data=data, headers=sent, timeout=60)

    return send


@ERAS
def test_a_client_finds_calls_reads_and_prompts(ask, alices, mode) -> None:
    async def use(client):
        tools = await client.list_tools()
        looked = await client.call_tool("look", {"count": 2})
        failed = await client.call_tool("look", {"count": 4})
        read = [await client.read_resource(uri) for uri in ("bell://all", "bell://big", "bell://raw/big")]
        toast = await client.get_prompt("toast", {"whom": "rita"})
        templates = await client.list_resource_templates()
        suggested = await client.complete(
            types.PromptReference(type="ref/prompt", name="toast"), {"name": "whom", "value": "s"}
        )
        return tools.tools, looked, failed, read, toast, templates.resource_templates, suggested

    tools, looked, failed, read, toast, templates, suggested = ask(alices, use, mode)
    assert [one.name for one in tools] == ["look", "ring", "refuse", "picture", "flood"]
    assert looked.structured_content == {"workspace": "Roastery", "count": 2}
    assert json.loads(looked.content[0].text) == looked.structured_content
    assert failed.is_error
    assert failed.structured_content["error"]["fields"] == {"count": ["4 is greater than the maximum of 3"]}
    assert "count: 4 is greater" in failed.content[0].text
    assert [one.contents[0].mime_type for one in read] == ["text/plain", "application/json", "audio/wav"]
    assert read[2].contents[0].blob == "AP8="
    assert toast.messages[0].content.text == "Drink to rita."
    assert [one.uri_template for one in templates] == ["bell://{bell}", "bell://raw/{bell}"]
    assert suggested.completion.values == ["small"]


@ERAS
def test_hints_tell_what_a_tool_does(ask, alices, mode) -> None:
    tools = {one.name: one for one in ask(alices, lambda client: client.list_tools(), mode).tools}
    assert (tools["look"].annotations.read_only_hint, tools["ring"].annotations.read_only_hint) == (True, False)
    assert "dry_run" in tools["ring"].input_schema["properties"]
    assert "dry_run" not in tools["look"].input_schema["properties"]


@ERAS
def test_a_dry_run_and_a_replay_say_so(ask, alices, mode) -> None:
    async def use(client):
        keyed = {"idempotency_key": "k"}
        return [await client.call_tool("ring", args) for args in ({"dry_run": True}, keyed, keyed)]

    tried, done, again = ask(alices, use, mode)
    assert (tried.meta["rostrum/dry_run"], again.meta["rostrum/replayed"]) == (True, True)
    assert [one.structured_content["rung"] for one in (tried, done, again)] == [1, 1, 1]
    assert "rostrum/replayed" not in (done.meta or {})


@ERAS
def test_what_is_not_granted_is_as_unknown_as_what_does_not_exist(ask, registry, bob_actor, mode) -> None:
    token = add_token(add_server(bob_actor, tools=["look", "manage"], prompts=[], resources=["bells"]))

    async def refusals(client):
        found = []
        for act in (
            lambda: client.call_tool("ring", {}),
            lambda: client.call_tool("manage", {}),
            lambda: client.call_tool("nothing", {}),
            lambda: client.get_prompt("toast", {}),
            lambda: client.get_prompt("nothing", {}),
            lambda: client.read_resource("bell://raw/big"),
            lambda: client.read_resource("nothing://at/all"),
        ):
            with pytest.raises(MCPError) as refused:
                await act()
            error = refused.value.error
            found.append((error.code, error.message))
        return found

    tools = ask(token, lambda client: client.list_tools(), mode).tools
    assert [one.name for one in tools] == ["look"]
    code = types.INVALID_PARAMS
    assert ask(token, refusals, mode) == [
        (code, "Unknown tool: ring"),
        (code, "Unknown tool: manage"),
        (code, "Unknown tool: nothing"),
        (code, "Unknown prompt: toast"),
        (code, "Unknown prompt: nothing"),
        (code, "Resource not found"),
        (code, "Resource not found"),
    ]


@ERAS
def test_things_of_others_are_as_missing_as_things_that_are_not(ask, alices, mode) -> None:
    async def use(client):
        found = []
        for uri in ("bell://stolen", "bell://a/b/c"):
            with pytest.raises(MCPError) as refused:
                await client.read_resource(uri)
            found.append((refused.value.error.message, refused.value.error.data))
        return found

    assert ask(alices, use, mode) == [
        ("Resource not found", {"uri": "bell://stolen"}),
        ("Resource not found", {"uri": "bell://a/b/c"}),
    ]


def test_grants_are_read_with_every_request(ask, alices, server, alice) -> None:
    changes = (lambda: set_tools(server, ["ring", "look"]), lambda: demote(alice), lambda: set_tools(server, []))

    async def names(client):
        found = []
        for change in (lambda: None, *changes):
            await asyncio.to_thread(alone, change)
            found.append([one.name for one in (await client.list_tools(cache_mode="refresh")).tools])
        return found

    assert ask(alices, names) == [["look", "ring", "refuse", "picture", "flood"], ["look", "ring"], ["look"], []]


def alone(change) -> None:
    change()
    connections.close_all()


def set_tools(server, tools) -> None:
    with workspace_scope(server.workspace_id):
        McpServer.objects.filter(pk=server.pk).update(tools=tools)


def demote(user) -> None:
    user.memberships.update(role=Role.VIEWER)


def test_servers_introduce_themselves_by_their_own_names(ask, alices, post) -> None:
    async def introduction(client):
        return client.server_info, client.instructions

    for mode in ("auto", "legacy"):
        info, instructions = ask(alices, introduction, mode)
        assert (info.name, info.title) == ("rostrum", "Notebook")
        assert "only people approve" in instructions


def test_two_people_meet_in_one_process_and_see_their_own(ask, alices, charlie_actor, registry) -> None:
    charlies = add_token(add_server(charlie_actor, tools=["look"], name="Oven"))

    async def look(client):
        return [(await client.call_tool("look", {})).structured_content["workspace"] for _ in range(5)]

    found: dict[str, list[str]] = {}

    def note(token: str) -> None:
        found[token] = ask(token, look)

    threads = [threading.Thread(target=note, args=(token,)) for token in (alices, charlies)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == {alices: ["Roastery"] * 5, charlies: ["Bakery"] * 5}


# --- the door ---------------------------------------------------------------------------------------------------


def test_strangers_are_told_where_to_ask_for_access(post, endpoint, settings) -> None:
    for token in ("", "mcp_wrong"):
        answer = post(token=token)
        assert answer.status_code == 401
        where = answer.headers["WWW-Authenticate"]
        assert where.startswith('Bearer error="invalid_token"')
        address = where.partition('resource_metadata="')[2].rstrip('"')
        assert address == endpoint.replace("/mcp", "/.well-known/oauth-protected-resource/mcp")
        metadata = requests.get(address, timeout=30).json()
        assert metadata["resource"] == endpoint
        # Letter by letter as the authorization server calls itself.
        assert metadata["authorization_servers"] == [settings.BASE_URL]


def test_a_revoked_server_is_closed(post, server, alices) -> None:
    assert post(token=alices).status_code == 200
    with workspace_scope(server.workspace_id):
        McpServer.objects.filter(pk=server.pk).update(status="revoked")
    assert post(token=alices).status_code == 401


def test_a_token_in_the_address_is_no_token(endpoint, alices) -> None:
    assert requests.post(f"{endpoint}?access_token={alices}", timeout=30).status_code == 401


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"Host": "evil.example"}, 421),
        ({"Host": "127.0.0.1.evil.example:80"}, 421),
        ({"Origin": "http://evil.example"}, 403),
        ({"Origin": "null"}, 403),
        ({"Host": "localhost:9999"}, 200),
        ({"Content-Type": "text/plain"}, 400),
        ({"Accept": "text/html"}, 406),
    ],
)
def test_pages_of_other_sites_do_not_come_through(post, alices, headers, status) -> None:
    assert post(token=alices, **headers).status_code == status


@pytest.mark.parametrize("version", [{}, {"MCP-Protocol-Version": "2026-07-28"}])
def test_odd_bodies_are_refused(post, alices, version) -> None:
    assert post(token=alices, body=b"x" * (BODY_BYTES + 1), **version).status_code == 413
    for body in (b"{", b"[]", b"[" * 100_000, b"\xff", b'{"jsonrpc":"2.0","id":1}'):
        assert 400 <= post(token=alices, body=body, **version).status_code < 500


def test_sessions_are_neither_given_nor_asked_for(post, alices) -> None:
    answer = post("initialize", INITIALIZE, token=alices)
    assert "Mcp-Session-Id" not in answer.headers
    assert post(token=alices, **{"Mcp-Session-Id": "made-up"}).status_code == 200


INITIALIZE = {"protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": {"name": "hand", "version": "1"}}


# --- limits -----------------------------------------------------------------------------------------------------


async def list_often(client) -> None:
    for _ in range(20):
        await client.list_tools(cache_mode="refresh")


def test_calls_and_questions_have_paces_of_their_own(ask, alices, server, monkeypatch) -> None:
    monkeypatch.setattr(limits, "QUESTIONS_PER_MINUTE", 6)
    with workspace_scope(server.workspace_id):
        McpServer.objects.filter(pk=server.pk).update(calls_per_minute=2)

    async def use(client):
        calls = [await client.call_tool("look", {}) for _ in range(3)]
        with pytest.raises(MCPError) as read:
            await client.read_resource("bell://all")
        with pytest.raises(MCPError) as unknown:
            await client.call_tool("nothing", {})
        with pytest.raises(MCPError) as listed:
            await list_often(client)
        return calls, [one.value.error for one in (read, unknown, listed)]

    calls, refusals = ask(alices, use)
    assert [one.is_error for one in calls] == [False, False, True]
    assert "called too often. Try again in" in calls[2].content[0].text
    assert calls[2].structured_content["error"]["retry_after_s"] > 0
    assert {(error.code, error.data["code"]) for error in refusals} == {(-32000, "rate_limited")}


def test_a_call_that_takes_too_long_is_answered_and_undone(ask, registry, alice_actor, monkeypatch) -> None:
    """The work waits until the client was told, and then tries to commit."""
    told = threading.Event()
    monkeypatch.setattr(handlers, "Deadline", lambda: Deadline(0.2))
    registry.add(tool("wait", lambda actor, args: {"waited": told.wait(20)}, has_effect=True))
    server = add_server(alice_actor, tools=["wait"])
    result = ask(add_token(server), lambda client: client.call_tool("wait", {}))
    told.set()
    assert result.structured_content["error"]["code"] == "timeout"

    def counted():
        with workspace_scope(server.workspace_id):
            return McpUsage.objects.values_list("tool", "calls", "errors").first()

    assert wait_for(counted) == ("wait", 1, 1)


def test_one_server_gets_only_so_many_threads(ask, registry, alice_actor) -> None:
    free = threading.Event()
    registry.add(tool("hold", lambda actor, args: {"held": free.wait(20)}))
    token = add_token(add_server(alice_actor, tools=["hold"]))

    async def crowd(client):
        waiting = [asyncio.create_task(client.call_tool("hold", {})) for _ in range(limits.CALLS_AT_ONCE + 1)]
        first, rest = await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
        free.set()
        return [one.result() for one in first], [await one for one in rest]

    refused, held = ask(token, crowd)
    assert [one.structured_content["error"]["code"] for one in refused] == ["busy"]
    assert [one.structured_content for one in held] == [{"held": True}] * limits.CALLS_AT_ONCE


def test_an_expired_token_ends_in_the_middle(ask, server, post) -> None:
    token = add_token(server, expires_at=now() + timedelta(hours=1))
    assert post(token=token).status_code == 200
    with workspace_scope(server.workspace_id):
        server.tokens.update(expires_at=now())
    assert post(token=token).status_code == 401


def test_one_key_sent_twice_at_once_is_done_once(ask, alices) -> None:
    async def twice(client):
        return await asyncio.gather(*(client.call_tool("ring", {"idempotency_key": "one"}) for _ in range(3)))

    answers = ask(alices, twice)
    assert [one.structured_content["rung"] for one in answers] == [1, 1, 1]
    assert sorted("rostrum/replayed" in (one.meta or {}) for one in answers) == [False, True, True]


# --- what speaks with the client on its way -------------------------------------------------------------------


@pytest.fixture
def speaking(registry, alice_actor, endpoint) -> str:
    """A token of a server whose tools ask back once, refuse, or break."""

    async def ask_once(_context, params):
        if params.input_responses:
            return types.CallToolResult(content=[types.TextContent(type="text", text="Done.")])
        form = {"mode": "form", "message": "Sure?", "requestedSchema": {"type": "object", "properties": {}}}
        asked = {"sure": {"method": "elicitation/create", "params": form}}
        return types.InputRequiredResult.model_validate({"inputRequests": asked})

    async def refuse(_context, _params):
        return types.CallToolResult(content=[], is_error=True)

    async def crash(_context, _params):
        raise MCPError(-32000, "Broken.")

    for name, talk in (("ask", ask_once), ("refused", refuse), ("crash", crash)):
        registry.add(tool(name, None, talk=talk, has_effect=True))
    return add_token(add_server(alice_actor, tools=["ask", "refused", "crash"]))


async def yes(_context, _params) -> types.ElicitResult:
    return types.ElicitResult(action="accept", content={})


def test_what_asks_back_is_one_call_counted_and_audited_once(speaking, endpoint, workspace) -> None:
    async def talk() -> list[bool]:
        headers = {"Authorization": f"Bearer {speaking}"}
        async with (
            httpx2.AsyncClient(headers=headers, timeout=60) as http,
            Client(streamable_http_client(endpoint, http_client=http), elicitation_callback=yes) as client,
        ):
            answers = [await client.call_tool(name, {}) for name in ("ask", "refused")]
            with pytest.raises(MCPError, match="Broken"):
                await client.call_tool("crash", {})
            return [bool(one.is_error) for one in answers]

    assert asyncio.run(talk()) == [False, True]
    with workspace_scope(workspace.pk):
        used = {one.tool: (one.calls, one.errors) for one in McpUsage.objects.all()}
        audited = AuditEntry.objects.filter(action="mcp.call").count()
        counted = plans.counted(workspace, "mcp_calls")
    assert (used, audited, counted) == ({"ask": (1, 0), "refused": (1, 1), "crash": (1, 1)}, 1, 1)


def test_past_the_plans_calls_nobody_is_spoken_with(speaking, ask, workspace) -> None:
    workspace.plan = "free"
    workspace.save(update_fields=["plan"])
    with workspace_scope(workspace.pk):
        plans.count(workspace, "mcp_calls", plans.PLANS["free"].limits["mcp_calls"])
    refused = ask(speaking, lambda client: client.call_tool("ask", {}))
    assert (refused.is_error, refused.structured_content["error"]["code"]) == (True, "plan_limit")


# --- a server that is stopped ---------------------------------------------------------------------------------


def test_a_suspended_server_answers_403_and_whom_to_ask_and_strangers_401(post, server, alices) -> None:
    with workspace_scope(server.workspace_id):
        McpServer.objects.filter(pk=server.pk).update(status="suspended", suspended_by="staff")
    refused, unknown = post(token=alices), post(token="mcp_nobody")
    said = {"error": "server_suspended", "error_description": "“Notebook” is suspended by staff. Contact support."}
    assert (refused.status_code, refused.json(), "WWW-Authenticate" in refused.headers) == (403, said, False)
    assert (unknown.status_code, unknown.json()["error"]) == (401, "invalid_token")
