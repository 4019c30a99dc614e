"""What staff see of MCP, and what they may stop."""

import pytest

from accounts.models import AuditEntry
from accounts.scope import all_workspaces_scope, workspace_scope
from integrations.models import McpServer, OAuthClient, OutsideServer
from integrations.outside.services import attach_server

pytestmark = pytest.mark.django_db
SERVERS, OUTSIDE = "/admin/integrations/mcpserver/", "/admin/integrations/outsideserver/"


def test_staff_suspend_with_a_reason_and_lift_it_again(staff_client, make_server, workspace):
    server, secret = make_server()
    form = {"action": "suspend", "_selected_action": [str(server.pk)]}
    asked = staff_client.post(SERVERS, form)
    assert "Suspend: its tokens open nothing" in asked.content.decode()
    for action, status in (("suspend", "suspended"), ("resume", "active")):
        staff_client.post(SERVERS, form | {"action": action, "reason": "Abuse"})
        with workspace_scope(workspace.pk):
            assert McpServer.objects.get().status == status
    page = staff_client.get(f"{SERVERS}{server.pk}/change/").content.decode()
    assert secret not in page
    with all_workspaces_scope("a look"):
        told = list(AuditEntry.objects.filter(workspace=None).values_list("action", flat=True))
    assert {"mcp.suspend", "mcp.resume"} <= set(told)


def test_staff_pause_a_server_of_somebody_else_and_see_no_secret(staff_client, workspace, alice_actor):
    with workspace_scope(workspace.pk):
        row = attach_server("CRM", "https://crm.example/mcp", "Bearer s3cret", by=alice_actor)
    form = {"_selected_action": [str(row.pk)]}
    assert "no longer see its tools" in staff_client.post(OUTSIDE, form | {"action": "pause"}).content.decode()
    for action, pauser in (("pause", "staff"), ("resume", ""), ("pause", "staff")):
        staff_client.post(OUTSIDE, form | {"action": action, "reason": "Spam"})
        with workspace_scope(workspace.pk):
            found = OutsideServer.objects.get()
            assert (found.paused_by, found.is_active) == (pauser, not pauser)
    pages = [staff_client.get(path).content.decode() for path in (OUTSIDE, f"{OUTSIDE}{row.pk}/change/")]
    assert all("s3cret" not in page for page in pages)
    assert "https://crm.example/mcp" in pages[0]


def test_staff_see_programs(staff_client):
    OAuthClient.objects.create(client_id="rc_1", name="Scribe", redirect_uris=["https://client.example/"])
    assert "Scribe" in staff_client.get("/admin/integrations/oauthclient/").content.decode()


@pytest.mark.parametrize("path", [SERVERS, OUTSIDE])
def test_others_are_sent_away(bob_client, path):
    assert bob_client.get(path).status_code == 302
