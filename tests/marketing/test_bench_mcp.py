"""The measurement of MCP at a tiny size: that it measures what it says."""

import pytest

from accounts.scope import all_workspaces_scope
from integrations.models import McpServer, McpUsage
from marketing.benching import mcp
from marketing.storming.crowd import Crowd
from tests.sandbox.cast import Sandbox
from tests.social.conftest import sandbox, sandbox_process  # noqa: F401 fixtures

pytestmark = pytest.mark.django_db(transaction=True)


def test_calls_and_idle_servers_are_measured_in_a_process_of_their_own(
    sandbox: Sandbox,  # noqa: F811
    child_env,
    monkeypatch,
) -> None:
    monkeypatch.setenv("DATABASE_URL", child_env["DATABASE_URL"])
    monkeypatch.setattr(mcp, "SERVERS", 5)
    monkeypatch.setattr(mcp, "WARM_UP", 2)
    monkeypatch.setattr(mcp, "CALLS", 3)
    found = mcp.mcp_ratio(Crowd(sandbox.url, 1))
    assert found["mcp_call_to_bare_sdk"] == pytest.approx(found["mcp_call_ms"] / found["mcp_call_bare_sdk_ms"])
    assert found["mcp_call_ms"] > found["mcp_call_bare_sdk_ms"] > 0
    assert (found["mcp_servers"], found["mcp_idle_kib_each"] >= 0) == (5, True)
    with all_workspaces_scope("test"):
        # Every server was asked, and one of them called.
        assert McpServer.objects.exclude(last_used_at=None).count() == 7
        assert McpUsage.objects.values_list("tool", "calls", "errors").get() == ("add", 3, 0)
