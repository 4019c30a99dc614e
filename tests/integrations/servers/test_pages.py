"""Settings → MCP servers."""

import re

import pytest
from django.core.cache import cache
from django.urls import reverse

from accounts.scope import workspace_scope
from accounts.services import hash_key
from integrations import servers
from integrations.models import McpServer, McpToken, McpUsage
from integrations.servers import suspend_server
from lib.clock import now
from tests.integrations.servers.conftest import stop_by_staff

pytestmark = pytest.mark.django_db
LIST = "/settings/mcp"
FORM = {"name": "Laptop", "groups": ["read", "draft"], "calls_per_minute": "60", "resources": ["brand"]}


def url(name: str, server: McpServer, **more) -> str:
    return reverse(f"integrations:{name}", kwargs={"server_id": server.pk, **more})


def only(workspace) -> McpServer:
    with workspace_scope(workspace.pk):
        return McpServer.objects.get()


def secrets_on(page: str) -> set[str]:
    return set(re.findall(r"mcp_[\w-]{43}", page))


# --- the list ---------------------------------------------------------------------------------------------


def test_empty_list_says_what_it_is_for(bob_client, workspace):
    page = bob_client.get(LIST).content.decode()
    assert "No MCP server yet" in page
    assert "no more rights than you have" in page
    assert "Of other members" not in page


def test_admin_sees_whose_they_are_and_a_member_only_their_own(alice_client, vic_client, bob_client, make_server):
    make_server(name="Bobs laptop")
    assert "Bobs laptop" in bob_client.get(LIST).content.decode()
    assert "Bobs laptop" not in vic_client.get(LIST).content.decode()
    page = alice_client.get(LIST).content.decode()
    assert page.index("Of other members") < page.index("Bobs laptop") < page.index("Bob</td>")


def test_guest_and_stranger_get_no_list(gwen_client, client):
    assert gwen_client.get(LIST).status_code == 403
    assert client.get(LIST).status_code == 302


def test_list_needs_as_many_queries_for_six_servers_as_for_one(
    alice_client, make_server, alice_actor, django_assert_max_num_queries
):
    make_server(by=alice_actor)
    with django_assert_max_num_queries(100) as one:
        alice_client.get(LIST)
    for _ in range(5):
        make_server()
    with django_assert_max_num_queries(len(one)):
        alice_client.get(LIST)


# --- making and changing one ------------------------------------------------------------------------------


def test_form_makes_a_server_and_its_answer_alone_shows_the_token(bob_client, workspace):
    answer = bob_client.post(f"{LIST}/new", FORM)
    page, server = answer.content.decode(), only(workspace)
    (secret,) = secrets_on(page)
    assert server.tools == ["list_campaigns", "get_post", "draft_post"]
    assert "no-store" in answer.headers["Cache-Control"]
    with workspace_scope(workspace.pk):
        assert McpToken.objects.get().token_hash == hash_key(secret)
    assert not secrets_on(bob_client.get(url("mcp-server", server)).content.decode())
    assert not secrets_on(bob_client.get(LIST).content.decode())
    assert secret not in str([cache.get(key) for key in (bob_client.cookies["session"].value,)])


def test_shown_once_token_stands_in_every_text_to_copy(bob_client, workspace, settings):
    settings.MCP_URL = "https://mcp.example.org/mcp"
    page = bob_client.post(f"{LIST}/new", FORM).content.decode()
    (secret,) = secrets_on(page)
    for part in re.findall(r'<pre id="setup-(\w+)".*?</pre>', page, re.DOTALL):
        text = re.search(rf'<pre id="setup-{part}".*?</pre>', page, re.DOTALL)[0]
        assert secret in text, part
        assert "https://mcp.example.org/mcp" in text, part
    assert page.count("<pre id=") == 6


def test_later_the_texts_hold_a_place_for_the_token(bob_client, make_server):
    page = bob_client.get(url("mcp-server", make_server()[0])).content.decode()
    assert page.count("YOUR_TOKEN") >= 6


@pytest.mark.parametrize(
    ("change", "text"),
    [
        ({"name": ""}, "This field is required"),
        ({"groups": []}, "Choose at least one thing"),
        ({"groups": ["everything"]}, "Select a valid choice"),
        ({"tools": ["approve_post"]}, "Select a valid choice"),
        ({"calls_per_minute": "0"}, "greater than or equal to 1"),
        ({"calls_per_minute": "601"}, "less than or equal to 600"),
    ],
)
def test_form_with_a_mistake_keeps_what_was_typed(bob_client, workspace, change, text):
    answer = bob_client.post(f"{LIST}/new", FORM | change)
    assert answer.status_code == 422
    assert text in answer.content.decode()
    with workspace_scope(workspace.pk):
        assert not McpServer.objects.exists()


def test_form_says_that_staff_stopped_another(bob_client, make_server, staff):
    stop_by_staff(make_server()[0], staff)
    answer = bob_client.post(f"{LIST}/new", FORM)
    assert answer.status_code == 422
    assert "Staff suspended “Laptop”" in answer.content.decode()


def test_viewer_is_offered_only_what_they_may_do(vic_client, workspace):
    page = vic_client.get(f"{LIST}/new").content.decode()
    assert 'value="read"' in page
    assert 'value="metrics"' in page
    for denied in ("draft", "publish", "draft_post", "schedule_post"):
        assert f'value="{denied}"' not in page
    assert vic_client.post(f"{LIST}/new", FORM).status_code == 422


def test_edit_shows_groups_it_has_whole_and_single_tools_of_others(bob_client, make_server, workspace):
    server, _secret = make_server("list_campaigns", "get_post", "schedule_post")
    page = bob_client.get(url("mcp-edit", server)).content.decode()
    checked = set(re.findall(r'value="(\w+)"[^>]*checked', page))
    assert {"read", "schedule_post"} <= checked
    assert not {"draft", "publish", "results", "list_campaigns"} & checked
    answer = bob_client.post(url("mcp-edit", server), FORM | {"groups": ["read"], "tools": ["metrics"]})
    assert answer.status_code == 302
    assert only(workspace).tools == ["list_campaigns", "get_post", "metrics"]


def test_edit_by_a_person_with_fewer_rights_keeps_what_they_cannot_see(
    make_server, client_of, join, actor_of, workspace
):
    user = join("Ed", "editor")
    make_server("get_post", "draft_post", by=actor_of(user))
    user.memberships.update(role="viewer")
    server = only(workspace)
    assert client_of(user).post(url("mcp-edit", server), FORM | {"groups": ["results"]}).status_code == 302
    assert only(workspace).tools == ["draft_post", "metrics"]


@pytest.mark.parametrize("name", ["mcp-edit", "mcp-server"])
def test_admin_who_opens_somebody_elses_gets_no_form(alice_client, make_server, name):
    page = alice_client.get(url(name, make_server()[0]), follow=True).content.decode()
    assert "Works in the name of Bob" in page
    assert "Connect a program" not in page
    assert "mcp-rotate" not in page
    assert "New token" not in page


# --- its life ---------------------------------------------------------------------------------------------


def test_rotation_shows_the_new_token_once(bob_client, make_server, workspace):
    server, first = make_server()
    answer = bob_client.post(url("mcp-rotate", server))
    (second,) = secrets_on(answer.content.decode())
    assert second != first
    assert "another 24 hours" in answer.content.decode()
    with workspace_scope(workspace.pk):
        assert McpToken.objects.filter(expires_at=None).get().token_hash == hash_key(second)


def test_suspend_resume_revoke(bob_client, make_server, workspace):
    server, _secret = make_server()
    for name, status in (("suspend", "suspended"), ("resume", "active"), ("revoke", "revoked")):
        assert bob_client.post(url(f"mcp-{name}", server), {"reason": "Why not"}).status_code == 302
        assert only(workspace).status == status
    page = bob_client.post(url("mcp-resume", server), follow=True).content.decode()
    assert "was revoked" in page
    assert only(workspace).status == "revoked"


def test_reason_of_an_admin_is_shown_and_its_person_cannot_resume(bob_client, make_server, alice_actor, workspace):
    server, _secret = make_server()
    with workspace_scope(workspace.pk):
        suspend_server(server, by=alice_actor, reason="Too <b>noisy</b>")
    page = bob_client.get(url("mcp-server", server)).content.decode()
    assert "<q>Too &lt;b&gt;noisy" in page
    assert url("mcp-resume", server) not in page
    assert bob_client.post(url("mcp-resume", server)).status_code == 403
    assert only(workspace).status == "suspended"


def test_admin_stops_a_token_of_somebody_else(alice_client, make_server, workspace):
    server, _secret = make_server()
    with workspace_scope(workspace.pk):
        token = McpToken.objects.get()
    assert alice_client.post(url("mcp-token-revoke", server, token_id=token.pk)).status_code == 302
    assert "No token opens it" in alice_client.get(url("mcp-server", server)).content.decode()


@pytest.mark.parametrize("name", ["mcp-rotate", "mcp-suspend", "mcp-resume", "mcp-revoke"])
def test_acts_take_no_get(bob_client, make_server, name):
    assert bob_client.get(url(name, make_server()[0])).status_code == 405


@pytest.mark.parametrize("name", ["mcp-server", "mcp-edit"])
def test_stranger_and_colleague_meet_the_same_missing_page(vic_client, charlie_client, make_server, name):
    server, _secret = make_server()
    assert vic_client.get(url(name, server)).status_code == 404
    assert charlie_client.get(url(name, server)).status_code == 404


def test_usage_is_told_by_tool_and_by_day(bob_client, make_server, workspace):
    server, _secret = make_server()
    with workspace_scope(workspace.pk):
        for tool, calls, errors, ms in (("metrics", 1200, 3, 60_000), ("get_post", 1, 0, 7)):
            McpUsage.objects.create(
                workspace=workspace, server=server, day=now().date(), tool=tool, calls=calls, errors=errors, ms=ms
            )
    page = re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", bob_client.get(url("mcp-server", server)).content.decode()))
    assert "metrics 1,200 3 50 ms" in page
    assert "get_post 1 0 7 ms" in page
    assert "1,201 3 50 ms" in page


def test_eleventh_is_refused_on_the_page(bob_client, bob_actor, workspace, monkeypatch):
    monkeypatch.setattr(servers, "MAX_ACTIVE", 1)
    assert bob_client.post(f"{LIST}/new", FORM).status_code == 200
    answer = bob_client.post(f"{LIST}/new", FORM)
    assert answer.status_code == 422
    assert "which is the most" in answer.content.decode()
