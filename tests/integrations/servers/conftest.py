"""Five tools of this suite's own, one in each group: what the product offers may change."""

from collections.abc import Callable

import pytest

from accounts.access import Actor, Perm
from accounts.models import User
from accounts.scope import all_workspaces_scope, workspace_scope
from integrations.mcp.registry import PROMPTS, RESOURCES, TOOLS, PromptDef, ResourceDef, ToolDef
from integrations.models import McpServer
from integrations.servers import create_server, suspend_by_staff
from integrations.tool_groups import load_definitions

SCHEMA = {"type": "object", "properties": {}, "additionalProperties": False}


def tool(name: str, perm: Perm, *, has_effect: bool = False) -> ToolDef:
    title = name.replace("_", " ").capitalize()
    return ToolDef(name, title, f"{title}.", SCHEMA, lambda _actor, _args: {}, perm, has_effect=has_effect)


TEST_TOOLS = [
    tool("list_campaigns", Perm.VIEW),
    tool("get_post", Perm.VIEW),
    tool("draft_post", Perm.CONTENT_EDIT, has_effect=True),
    tool("submit_for_review", Perm.CONTENT_EDIT, has_effect=True),
    tool("schedule_post", Perm.PUBLISH, has_effect=True),
    tool("metrics", Perm.VIEW),
    tool("remember", Perm.CONTENT_EDIT, has_effect=True),
]


@pytest.fixture(autouse=True)
def offered(monkeypatch: pytest.MonkeyPatch) -> None:
    load_definitions()
    for table in (TOOLS, RESOURCES, PROMPTS):
        for name in list(table):
            monkeypatch.delitem(table, name)
    for one in TEST_TOOLS:
        monkeypatch.setitem(TOOLS, one.name, one)
    brand = ResourceDef("rostrum://brand", "brand", "The brand", "Its voice.", lambda _actor, _params: "")
    monkeypatch.setitem(RESOURCES, "brand", brand)
    monkeypatch.setitem(PROMPTS, "weekly_plan", PromptDef("weekly_plan", "Weekly plan", "Plans.", lambda _a, _b: ""))


def stop_by_staff(server: McpServer, staff: User) -> None:
    with all_workspaces_scope("staff moderation"):
        suspend_by_staff(server, staff=staff, reason="Abuse")


@pytest.fixture
def make_server(workspace, bob_actor) -> Callable[..., tuple[McpServer, str]]:
    def make(*tools: str, by: Actor = bob_actor, name: str = "Laptop", **more) -> tuple[McpServer, str]:
        with workspace_scope(by.workspace.pk):
            return create_server(name, tools or ["list_campaigns", "draft_post"], by=by, **more)

    return make
