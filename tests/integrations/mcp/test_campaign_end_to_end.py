"""Two people with programs of their own: the real client over real HTTP, the real engine, the sandbox's X."""

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, TypeVar

import httpx2
import pytest
from mcp import Client, MCPError
from mcp.client.streamable_http import streamable_http_client

from accounts.access import Actor
from accounts.scope import workspace_scope
from analytics.collection.adopt import adopt_live_parts
from analytics.collection.measure import measure_due
from analytics.models import MeasuredPost
from campaigns.services import create_campaign
from compliance.models import Review
from compliance.services import approve_review
from integrations.mcp.app import mcp_app, mcp_server
from integrations.mcp.registry import REGISTRY, TOOLS
from integrations.tool_groups import load_definitions
from lib import clock
from lib.clock import now
from social.models import Connection
from tests.campaigns.engine.conftest import quick_engine, tick  # noqa: F401 fixtures
from tests.integrations.mcp.rows import add_server, add_token
from tests.integrations.mcp.serving import served
from tests.sandbox.cast import Sandbox
from tests.social.conftest import begin, connected, connection, sandbox, sandbox_process  # noqa: F401 fixtures

pytestmark = pytest.mark.django_db(transaction=True)
T = TypeVar("T")
TEXT = "Our decaf from Huila is back on the shelf."
NOT_BY_PROGRAMS = ("approve", "approve_post", "approve_review", "reject_review", "sign_policy")


@dataclass(frozen=True)
class Program:
    """The SDK's client with somebody's token; each act is a connection of its own, as workers may serve it."""

    url: str
    token: str

    def ask(self, act: Callable[[Client], Awaitable[T]]) -> T:
        async def run() -> T | MCPError:
            headers = {"Authorization": f"Bearer {self.token}"}
            async with (
                httpx2.AsyncClient(headers=headers, timeout=60) as http,
                Client(streamable_http_client(self.url, http_client=http)) as client,
            ):
                try:
                    return await act(client)
                except MCPError as error:
                    # Raised in here it would come out as a group of errors.
                    return error

        answer = asyncio.run(run())
        if isinstance(answer, MCPError):
            raise answer
        return answer

    def tools(self) -> set[str]:
        return {tool.name for tool in self.ask(lambda client: client.list_tools()).tools}

    def call(self, tool: str, /, **args: Any) -> dict[str, Any]:
        result = self.ask(lambda client: client.call_tool(tool, args))
        assert not result.is_error, result
        assert result.structured_content is not None
        return result.structured_content

    def refusal(self, tool: str, /, **args: Any) -> str:
        result = self.ask(lambda client: client.call_tool(tool, args))
        assert result.is_error
        return result.content[0].text


@pytest.fixture
def url(db, settings) -> Iterator[str]:
    load_definitions()

    def make(address: str) -> Any:
        settings.MCP_URL = f"{address}/mcp"
        return mcp_app(mcp_server(REGISTRY))

    with served(make) as address:
        yield f"{address}/mcp"


@pytest.fixture
def bobs(url: str, bob_actor: Actor) -> Program:
    """All tools there are."""
    resources, prompts = list(REGISTRY.resources), list(REGISTRY.prompts)
    server = add_server(bob_actor, tools=list(TOOLS), resources=resources, prompts=prompts, calls_per_minute=600)
    return Program(url, add_token(server))


@pytest.fixture
def charlies(url: str, charlie_actor: Actor) -> Program:
    """In another workspace, and only to look at results."""
    server = add_server(charlie_actor, tools=["list_campaigns", "get_campaign", "metrics", "receipts"], name="Results")
    return Program(url, add_token(server))


def approve_in_person(by: Actor) -> None:
    with workspace_scope(by.workspace.pk):
        review = Review.objects.get(status=Review.Status.WAITING)
        approve_review(review, by=by, seen_hash=review.action_hash)


def measure_after(minutes: int, connection: Connection, sandbox: Sandbox) -> None:  # noqa: F811
    sandbox.advance(minutes * 60)
    with clock.shifted(timedelta(minutes=minutes)):
        adopt_live_parts()
        with workspace_scope(connection.workspace_id):
            MeasuredPost.objects.update(due_at=now())
        assert measure_due() == 1


def test_one_runs_a_campaign_and_the_other_sees_none_of_it(
    bobs: Program,
    charlies: Program,
    connection: Connection,  # noqa: F811
    sandbox: Sandbox,  # noqa: F811
    rita_actor: Actor,
    tick,  # noqa: F811
) -> None:
    check_tools(bobs, charlies)
    campaign_id, post = draft_campaign(bobs)
    place = {"delivery_id": post["deliveries"][0]["delivery_id"], "at": "now"}
    sha256 = check_preview(bobs, post["post_id"])

    assert "Only what a person approved" in bobs.refusal("schedule_post", **place)
    bobs.call("submit_for_review", post_id=post["post_id"])
    assert "waits for a person's approval" in bobs.refusal("schedule_post", **place)
    approve_in_person(rita_actor)
    assert bobs.call("schedule_post", **place)["state"] == "scheduled"
    tick()
    assert [one["text"] for one in sandbox.posts("roastery")] == [TEXT]

    check_receipt(bobs, post["post_id"], sha256)
    measure_after(15, connection, sandbox)
    check_numbers(bobs, post["post_id"])
    check_sees_nothing(charlies, campaign_id, post["post_id"])


def check_tools(bobs: Program, charlies: Program) -> None:
    assert bobs.tools() == set(TOOLS)
    assert charlies.tools() == {"list_campaigns", "get_campaign", "metrics", "receipts"}
    assert not bobs.tools() & set(NOT_BY_PROGRAMS)


def draft_campaign(program: Program) -> tuple[str, dict[str, Any]]:
    """The campaign's id, and what came of drafting its only post."""
    campaign = program.call("create_campaign", name="Decaf is back", idempotency_key="campaign")
    assert program.call("create_campaign", name="Decaf is back", idempotency_key="campaign") == campaign
    [account] = program.call("list_connections")["items"]
    written = {"text": TEXT, "connection_ids": [account["id"]], "campaign_id": campaign["id"]}
    assert program.call("draft_post", **written, dry_run=True)["checks"][0]["verdict"] == "allow"
    assert program.call("list_posts")["items"] == []
    return campaign["id"], program.call("draft_post", **written)


def check_preview(program: Program, post_id: str) -> str:
    """The digest of what was shown."""
    [preview] = program.call("preview_post", post_id=post_id)["previews"]
    [part] = preview["parts"]
    assert (part["text"], part["characters"], part["limit"], preview["cost"]) == (TEXT, len(TEXT), 280, "$0.015")
    return preview["content_sha256"]


def check_receipt(program: Program, post_id: str, sha256: str) -> None:
    [receipt] = program.call("receipts", post_id=post_id)["receipts"]
    assert (receipt["state"], receipt["approved_by"]) == ("published", "Rita")
    assert receipt["content_sha256"] == receipt["approved_sha256"] == sha256
    assert [attempt["outcome"] for attempt in receipt["attempts"]] == ["accepted"]
    assert receipt["live"][0]["url"].endswith(receipt["live"][0]["remote_id"])


def check_numbers(program: Program, post_id: str) -> None:
    [measured] = program.call("metrics", post_id=post_id)["deliveries"]
    numbers = measured["parts"][0]["numbers"]
    assert numbers["impressions"]["source"] == "Read from X"
    assert isinstance(numbers["impressions"]["value"], int)
    assert numbers["reactions"] == {"value": None, "why": "This network has no such number."}


def check_sees_nothing(program: Program, campaign_id: str, post_id: str) -> None:
    for tool in ("get_campaign", "metrics"):
        assert program.refusal(tool, campaign_id=campaign_id) == program.refusal(tool, campaign_id=post_id)
    assert program.call("list_campaigns")["items"] == []
    with pytest.raises(MCPError, match="Unknown tool: draft_post"):
        program.call("draft_post", text="Not mine to write.")


def test_resources_and_prompts_over_the_wire(bobs: Program, charlies: Program, bob_actor: Actor) -> None:
    with workspace_scope(bob_actor.workspace.pk):
        campaign = create_campaign(by=bob_actor, name="Decaf is back")
    listed = bobs.ask(lambda client: client.list_resources()).resources
    templates = bobs.ask(lambda client: client.list_resource_templates()).resource_templates
    assert [str(one.uri) for one in listed] == ["rostrum://brand"]
    assert len(templates) == 3
    [brand] = bobs.ask(lambda client: client.read_resource("rostrum://brand")).contents
    assert (brand.text.splitlines()[0], brand.mime_type) == ("# Roastery", "text/markdown")
    held = bobs.ask(lambda client: client.get_prompt("campaign_retro", {"campaign_id": str(campaign.pk)})).messages
    assert "Decaf is back" in held[0].content.text
    assert str(held[1].content.resource.uri) == f"rostrum://results/{campaign.pk}"
    assert {one.name for one in bobs.ask(lambda client: client.list_prompts()).prompts} == set(REGISTRY.prompts)
    assert charlies.ask(lambda client: client.list_resources()).resources == []
    assert charlies.ask(lambda client: client.list_prompts()).prompts == []
    with pytest.raises(MCPError):
        charlies.ask(lambda client: client.read_resource("rostrum://brand"))
