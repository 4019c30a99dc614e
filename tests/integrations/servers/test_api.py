"""/api/mcp, asked by its person, by admins, by colleagues, by keys, by strangers and by nobody."""

from uuid import uuid4

import pytest

from accounts.scope import workspace_scope
from accounts.services import hash_key
from integrations.models import McpServer, McpToken
from tests.api_walk import Route, label, statuses
from tests.integrations.servers.conftest import stop_by_staff

pytestmark = pytest.mark.django_db
NEW = {"name": "Laptop", "groups": ["read"], "tools": ["metrics"]}
ANYBODY = [Route("mcp-tools", "get", "mcp/tools", ""), Route("mcp-servers", "get", "mcp/servers", "")]
READING = [
    Route("mcp-server", "get", "mcp/servers/{server}", ""),
    Route("mcp-usage", "get", "mcp/servers/{server}/usage", ""),
]
STOPPING = [
    Route("mcp-suspend", "post", "mcp/servers/{server}/suspend", "", {"reason": "Because"}),
    Route("mcp-resume", "post", "mcp/servers/{server}/resume", ""),
    Route("mcp-token", "delete", "mcp/servers/{server}/tokens/{token}", "", success=204),
    Route("mcp-server", "delete", "mcp/servers/{server}", "", success=204),
]
OWN = [
    Route("mcp-server", "patch", "mcp/servers/{server}", "", {"name": "Desk"}),
    Route("mcp-rotate", "post", "mcp/servers/{server}/rotate", "", success=201),
]
MAKING = [Route("mcp-servers", "post", "mcp/servers", "", {"name": "Laptop"}, success=400)]


@pytest.fixture
def ids(make_server, workspace) -> dict[str, str]:
    server, _secret = make_server()
    with workspace_scope(workspace.pk):
        return {"server": str(server.pk), "token": str(McpToken.objects.get().pk)}


def fine(routes: list[Route]) -> dict[str, int]:
    return {label(route): route.success for route in routes}


def refused(routes: list[Route], status: int) -> dict[str, int]:
    return {label(route): status for route in routes}


def test_who_may_do_what(api, ids, workspace, alice, bob, vic, gwen, charlie, api_key, other_workspace):
    one = [*READING, *STOPPING, *OWN]
    everything = [*ANYBODY, *one, *MAKING]
    assert statuses(api(bob, workspace=workspace), ids, everything) == fine(everything)
    admin = api(alice, workspace=workspace)
    assert statuses(admin, ids, [*READING, *STOPPING]) == fine([*READING, *STOPPING])
    assert statuses(admin, ids, OWN) == refused(OWN, 403)
    assert statuses(api(vic, workspace=workspace), ids, ANYBODY) == fine(ANYBODY)
    assert statuses(api(vic, workspace=workspace), ids, one) == refused(one, 404)
    assert statuses(api(gwen, workspace=workspace), ids, everything) == refused(everything, 403)
    assert statuses(api(), ids, everything) == refused(everything, 401)
    missing = {"server": str(uuid4()), "token": str(uuid4())}
    for wanted in (ids, missing):
        assert statuses(api(charlie), wanted, one) == refused(one, 404)


def test_key_reads_its_persons_own_and_makes_nothing(api, api_key, make_server, alice_actor, workspace):
    server, _secret = make_server(by=alice_actor)
    with workspace_scope(workspace.pk):
        ids = {"server": str(server.pk), "token": str(McpToken.objects.get().pk)}
    client = api(api_key())
    assert statuses(client, ids, [*ANYBODY, *READING]) == fine([*ANYBODY, *READING])
    assert statuses(client, ids, [*STOPPING, *OWN]) == refused([*STOPPING, *OWN], 403)
    assert client.post("/api/mcp/servers", NEW, format="json").status_code == 403


def test_token_is_shown_once_also_to_who_repeats_the_request(api, bob, workspace):
    client = api(bob, workspace=workspace)
    made = client.post("/api/mcp/servers", NEW, format="json", headers={"Idempotency-Key": "1"})
    again = client.post("/api/mcp/servers", NEW, format="json", headers={"Idempotency-Key": "1"})
    assert (made.status_code, made.data["tools"]) == (201, ["list_campaigns", "get_post", "metrics"])
    assert (again.status_code, again.json()["token"], again.json()["id"]) == (201, None, made.json()["id"])
    one = f"/api/mcp/servers/{made.data['id']}"
    assert "token" not in client.get(one).data
    rotated = client.post(f"{one}/rotate", {"overlap_hours": 0}, format="json").data
    with workspace_scope(workspace.pk):
        living = McpToken.objects.filter(expires_at=None).get()
    assert living.token_hash == hash_key(rotated["token"])
    (shown,) = client.get(one).data["tokens"]
    assert shown["prefix"] == rotated["prefix"]


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"name": ""}, "name"),
        ({"groups": ["everything"]}, "groups"),
        ({"groups": [], "tools": []}, "tools"),
        ({"tools": ["approve_post"]}, "tools"),
        ({"resources": ["secrets"]}, "resources"),
        ({"calls_per_minute": 0}, "calls_per_minute"),
    ],
)
def test_mistake_is_said_beside_its_field(api, bob, workspace, change, field):
    answer = api(bob, workspace=workspace).post("/api/mcp/servers", NEW | change, format="json")
    assert (answer.status_code, list(answer.json()["errors"])) == (400, [field])


def test_whom_staff_stopped_makes_no_other(api, bob, workspace, make_server, staff):
    stop_by_staff(make_server()[0], staff)
    answer = api(bob, workspace=workspace).post("/api/mcp/servers", NEW, format="json")
    assert answer.status_code == 400
    assert "Staff suspended “Laptop”" in answer.content.decode()


def test_group_that_is_patched_replaces_the_tools(api, bob, workspace, ids):
    client = api(bob, workspace=workspace)
    found = client.patch(f"/api/mcp/servers/{ids['server']}", {"groups": ["results"]}, format="json").data
    assert (found["tools"], found["groups"], found["name"]) == (["metrics"], ["results"], "Laptop")


def test_revoked_server_answers_with_a_conflict(api, bob, workspace, ids):
    client = api(bob, workspace=workspace)
    client.delete(f"/api/mcp/servers/{ids['server']}")
    answer = client.post(f"/api/mcp/servers/{ids['server']}/rotate")
    assert (answer.status_code, answer.json()["code"]) == (409, "not_allowed_now")
    assert McpServer.Status.REVOKED in str(client.get("/api/mcp/servers").json())


def test_tools_are_those_the_caller_may_give(api, vic, workspace):
    found = api(vic, workspace=workspace).get("/api/mcp/tools").data["tools"]
    assert {tool["name"]: tool["group"] for tool in found} == {
        "list_campaigns": "read",
        "get_post": "read",
        "metrics": "results",
    }
