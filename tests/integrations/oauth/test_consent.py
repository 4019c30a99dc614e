"""The page where a person lets a program in."""

from dataclasses import replace
from urllib.parse import urlsplit

import pytest
from django.contrib.auth import SESSION_KEY
from django.test import Client

from accounts.models import AuditEntry, Membership, Role, Workspace
from accounts.rate import take
from accounts.scope import all_workspaces_scope, workspace_scope
from integrations import servers
from integrations.models import McpServer, McpToken, OAuthCode
from integrations.views.oauth import question_limit
from tests.integrations.oauth.conftest import CHALLENGE, REDIRECT, told
from tests.integrations.servers.conftest import stop_by_staff

pytestmark = pytest.mark.django_db


def all_servers() -> list[McpServer]:
    with all_workspaces_scope("a look"):
        return list(McpServer.objects.select_related("user", "workspace"))


def n_codes() -> int:
    with all_workspaces_scope("a look"):
        return OAuthCode.objects.count()


# --- what the person sees ---------------------------------------------------------------------------------


def test_page_names_the_program_where_it_leads_and_who_is_asked(program, bob_client):
    page = bob_client.get(program.ask()).content.decode()
    assert "Let “Scribe” in?" in page
    assert "Nobody has checked its name" in page
    assert "<b>client.example</b>" in page
    assert "bob@example.org" in page
    assert "Roastery" in page


def test_name_of_the_program_is_no_markup(program, bob_client):
    program.register(client_name="<script>alert(1)</script>")
    page = bob_client.get(program.ask()).content.decode()
    assert "<script>alert" not in page
    assert "&lt;script&gt;alert" in page


def test_groups_it_asks_for_are_ticked_and_words_of_others_left_out(program, bob_client):
    page = bob_client.get(program.ask(scope="read publish offline_access admin")).content.decode()
    boxes = [part for part in page.split("<input")[1:] if 'name="groups"' in part]
    assert {part.split('value="')[1].split('"')[0] for part in boxes if "checked" in part} == {"read", "publish"}


def test_program_that_names_no_scope_gets_no_more_than_drafts_ticked(program, bob_client):
    page = bob_client.get(program.ask(scope=None)).content.decode()
    boxes = [part for part in page.split("<input")[1:] if 'name="groups"' in part and "checked" in part]
    assert {part.split('value="')[1].split('"')[0] for part in boxes} == {"read", "draft", "results"}


def test_stranger_logs_in_first_and_comes_back_to_the_same_question(program, client):
    address = program.ask()
    answer = client.get(address)
    assert answer.status_code == 302
    assert answer.headers["Location"].startswith("/accounts/login/?next=/oauth/authorize%3F")


def test_page_stands_in_no_frame_and_its_form_may_end_at_the_program_alone(program, bob_client):
    answer = bob_client.get(program.ask(redirect_uri="http://127.0.0.1:5123/back?a=1"))
    policy = dict(part.strip().split(" ", 1) for part in answer.headers["Content-Security-Policy"].split(";"))
    assert policy["frame-ancestors"] == "'none'"
    assert answer.headers["X-Frame-Options"] == "DENY"
    assert policy["form-action"].split()[-1] == "http://127.0.0.1:5123"
    assert "https://client.example" not in policy["form-action"]
    assert "127.0.0.1:5123" not in bob_client.get("/settings/mcp").headers["Content-Security-Policy"]
    assert "no-store" in answer.headers["Cache-Control"]


def test_workspaces_are_those_that_let_the_person_work(program, bob_client, bob, gwen_client, other_workspace):
    Membership.objects.create(user=bob, workspace=other_workspace, role=Role.GUEST)
    page = bob_client.get(program.ask()).content.decode()
    assert "Bakery" not in page
    Membership.objects.filter(user=bob, workspace=other_workspace).update(role=Role.VIEWER)
    assert "Bakery" in bob_client.get(program.ask()).content.decode()
    Workspace.objects.filter(pk=other_workspace.pk).update(is_suspended=True)
    assert "Bakery" not in bob_client.get(program.ask()).content.decode()
    assert "You belong to no workspace" in gwen_client.get(program.ask()).content.decode()


# --- what must be right before anybody is asked ------------------------------------------------------------


@pytest.mark.parametrize(
    "change",
    [
        {"client_id": None},
        {"client_id": "rc_unknown"},
        {"client_id": "\x00"},
        {"client_id": "https://nowhere.invalid/client.json"},
        {"client_id": "https://[::1/client.json"},
        {"client_id": "https://e℀x.example/client.json"},
        {"redirect_uri": "https://evil.example/callback"},
        {"redirect_uri": "https://client.example/callback/"},
        {"redirect_uri": "https://client.example/callback#x"},
        {"redirect_uri": "javascript:alert(1)"},
        {"redirect_uri": "/callback"},
        {"redirect_uri": None},
    ],
)
def test_where_nobody_knows_whom_to_answer_the_person_is_told_and_sent_nowhere(program, bob_client, allow, change):
    for answer in (bob_client.get(program.ask(**change)), allow(program.ask(**change))):
        assert answer.status_code == 400
        assert "This program cannot be let in" in answer.content.decode()
    assert (all_servers(), n_codes()) == ([], 0)


def test_one_person_asks_only_so_often_and_others_go_on(program, bob, bob_client, alice_client):
    """An address as id is called: asking would be a way to call anybody, as often as one likes."""
    limit = question_limit(bob)
    take(replace(limit, cost=limit.burst))
    answer = bob_client.get(program.ask())
    assert answer.status_code == 429
    assert "Try again in" in answer.content.decode()
    assert alice_client.get(program.ask()).status_code == 200


@pytest.mark.parametrize("name", ["client_id", "redirect_uri", "state", "scope", "response_type"])
def test_what_is_said_twice_is_refused(program, bob_client, name):
    assert bob_client.get(f"{program.ask()}&{name}=x").status_code == 400


@pytest.mark.parametrize(
    ("change", "error"),
    [
        ({"response_type": None}, "invalid_request"),
        ({"response_type": "token"}, "unsupported_response_type"),
        ({"response_type": "none"}, "unauthorized_client"),
        ({"response_type": "code token"}, "unauthorized_client"),
        ({"code_challenge": None}, "invalid_request"),
        ({"code_challenge": "c" * 42}, "invalid_request"),
        ({"code_challenge": "c" * 500}, "invalid_request"),
        ({"code_challenge": "\x00" * 43}, "invalid_request"),
        ({"code_challenge_method": None}, "invalid_request"),
        ({"code_challenge_method": "plain"}, "invalid_request"),
        ({"resource": "https://other.example/mcp"}, "invalid_target"),
        ({"resource": "http://testserver/"}, "invalid_target"),
    ],
)
def test_other_mistakes_are_told_to_the_program_once_its_person_chose_to(program, bob_client, allow, change, error):
    for answer in (bob_client.get(program.ask(**change)), allow(program.ask(**change))):
        assert (answer.status_code, "Location" in answer.headers) == (400, False)
        page = answer.content.decode()
        assert "“Scribe” asked" in page
        assert "leads you to <b>client.example</b>" in page
        assert "https://client.example" in answer.headers["Content-Security-Policy"].partition("form-action")[2]
    answer = bob_client.post(program.ask(**change), {"refuse": "1"})
    assert answer.headers["Location"].startswith(REDIRECT + "?")
    heard = told(answer)
    assert (heard["error"], heard["state"]) == (error, "s=t&a te")
    assert heard["iss"] == "http://127.0.0.1:8000"
    assert (all_servers(), n_codes()) == ([], 0)


@pytest.mark.parametrize("prompt", ["none", "login", "consent"])
def test_no_program_gets_an_answer_past_the_page(program, bob_client, allow, prompt):
    address = f"{program.ask()}&prompt={prompt}"
    allow(address)
    answer = bob_client.get(address)
    assert (answer.status_code, "Location" in answer.headers) == (200, False)
    assert "Let “Scribe” in?" in answer.content.decode()


def test_program_that_names_no_resource_means_ours(program, allow):
    assert told(allow(program.ask(resource=None)))["code"]


# --- yes and no -------------------------------------------------------------------------------------------


def test_yes_makes_a_server_of_the_chosen_groups_named_after_the_program(program, allow, bob, workspace):
    heard = told(allow(program.ask(), groups=("read", "publish")))
    (server,) = all_servers()
    assert set(heard) == {"code", "state", "iss"}
    assert (server.name, server.user, server.workspace) == ("Scribe", bob, workspace)
    assert server.tools == ["list_campaigns", "get_post", "submit_for_review", "schedule_post"]
    with workspace_scope(workspace.pk):
        assert heard["code"] not in str(list(OAuthCode.objects.values()))
        assert OAuthCode.objects.get().challenge == CHALLENGE
        assert not McpToken.objects.exists()
        entry = AuditEntry.objects.get(action="mcp.consent")
        assert entry.detail.data["client"] == program.client_id


def test_no_is_told_to_the_program(program, bob_client):
    heard = told(bob_client.post(program.ask(), {"refuse": "1"}))
    assert (heard["error"], heard["state"], heard["iss"]) == ("access_denied", "s=t&a te", "http://127.0.0.1:8000")
    assert (all_servers(), n_codes()) == ([], 0)


def test_role_cuts_what_was_ticked(program, allow, vic_client):
    allow(program.ask(), by=vic_client, groups=("read", "draft", "publish"))
    assert all_servers()[0].tools == ["list_campaigns", "get_post"]


def test_nothing_left_of_what_was_ticked_is_said_on_the_page(program, allow, vic_client):
    answer = allow(program.ask(), by=vic_client, groups=("publish",))
    assert answer.status_code == 422
    assert "at least one thing" in answer.content.decode()
    assert (all_servers(), n_codes()) == ([], 0)


@pytest.mark.parametrize(
    "changes", [{"groups": ()}, {"groups": ("everything",)}, {"workspace": "x"}, {"workspace": ""}]
)
def test_form_with_a_mistake_is_shown_again(program, allow, changes):
    assert allow(program.ask(), **changes).status_code == 422
    assert all_servers() == []


def test_workspace_of_somebody_else_is_no_choice(program, allow, other_workspace):
    assert allow(program.ask(), workspace=str(other_workspace.pk)).status_code == 422
    assert all_servers() == []


def test_form_of_another_site_does_nothing(program, bob, workspace, client_of):
    session = client_of(bob).cookies["session"].value
    strict = Client(enforce_csrf_checks=True)
    strict.cookies["session"] = session
    assert strict.session[SESSION_KEY] == str(bob.pk)
    answer = strict.post(program.ask(), {"workspace": str(workspace.pk), "groups": ["read"], "allow": "1"})
    assert answer.status_code == 403
    assert all_servers() == []


def test_program_that_comes_again_keeps_its_one_server_with_the_new_choice(program, allow, bob_client, alice_client):
    allow(program.ask(), groups=("read", "draft"))
    allow(program.ask(), groups=("read",))
    (server,) = all_servers()
    assert server.tools == ["list_campaigns", "get_post"]
    allow(program.ask(), by=alice_client)
    program.register()
    allow(program.ask())
    assert len(all_servers()) == 3


def test_suspended_server_is_not_gone_around_by_a_new_consent(program, allow, alice_actor, workspace):
    allow(program.ask())
    with workspace_scope(workspace.pk):
        servers.suspend_server(all_servers()[0], by=alice_actor)
    answer = allow(program.ask())
    assert answer.status_code == 422
    assert "is suspended" in answer.content.decode()
    assert n_codes() == 1


@pytest.mark.parametrize("is_another_program", [False, True])
def test_whom_staff_stopped_lets_no_program_in(program, allow, make_server, staff, is_another_program):
    allow(program.ask())
    stop_by_staff(all_servers()[0], staff)
    if is_another_program:
        program.register()
    answer = allow(program.ask())
    assert answer.status_code == 422
    assert "suspended" in answer.content.decode()
    assert (len(all_servers()), n_codes()) == (1, 1)


def test_revoked_server_is_followed_by_a_new_one(program, allow, bob_actor, workspace):
    allow(program.ask())
    with workspace_scope(workspace.pk):
        servers.revoke_server(all_servers()[0], by=bob_actor)
    allow(program.ask())
    assert sorted(server.status for server in all_servers()) == ["active", "revoked"]


def test_parts_of_a_redirect_that_were_registered_stay(program, allow):
    answer = allow(program.ask(redirect_uri="http://127.0.0.1:5123/back?a=1"))
    parts = urlsplit(answer.headers["Location"])
    assert (parts.netloc, parts.path, parts.fragment) == ("127.0.0.1:5123", "/back", "")
    assert told(answer)["a"] == "1"


def test_code_never_goes_into_a_fragment(program, allow):
    answer = allow(program.ask() + "&response_mode=fragment")
    assert "#" not in answer.headers["Location"]
    assert told(answer)["code"]
