"""Codes become tokens once, refresh tokens the next ones once, and whoever shows one twice ends them all."""

import threading
from datetime import timedelta

import pytest
from django.db import connection

from accounts.access import actor_for
from accounts.models import AuditEntry, Membership, User, Workspace
from accounts.scope import all_workspaces_scope, workspace_scope
from accounts.services import hash_key
from integrations import servers
from integrations.models import McpServer, McpToken
from integrations.oauth import grants
from lib.clock import now, shifted
from tests.campaigns.engine.workers import answers_of
from tests.integrations.oauth.conftest import Program, told
from tests.waiting import wait_for

pytestmark = pytest.mark.django_db
ACCESS, REFRESH = timedelta(hours=1), timedelta(days=30)


def opens(secret: str) -> bool:
    """As the endpoint asks."""
    with all_workspaces_scope("a look"):
        rows = McpToken.objects.filter(token_hash=hash_key(secret), revoked_at=None, expires_at__gt=now())
        return rows.exclude(kind=McpToken.Kind.REFRESH).exists()


def error_of(answer) -> tuple[int, str]:
    return answer.status_code, answer.json()["error"]


def server() -> McpServer:
    with all_workspaces_scope("a look"):
        return McpServer.objects.select_related("workspace", "user").get()


# --- a code -----------------------------------------------------------------------------------------------


def test_code_becomes_tokens_of_which_only_hashes_are_kept(program, code):
    answer = program.change(code)
    data = answer.json()
    assert answer.status_code == 200
    assert (data["token_type"], data["expires_in"], data["scope"]) == ("Bearer", 3600, "read draft")
    assert "no-store" in answer.headers["Cache-Control"]
    assert opens(data["access_token"])
    assert not opens(data["refresh_token"])
    with all_workspaces_scope("a look"):
        assert not {data["access_token"], data["refresh_token"]} & set(str(list(McpToken.objects.values())).split("'"))
    with shifted(ACCESS + timedelta(seconds=1)):
        assert not opens(data["access_token"])


@pytest.mark.parametrize(
    ("change", "status", "error"),
    [
        ({"code": "mcpc_wrong"}, 400, "invalid_grant"),
        ({"code": None}, 400, "invalid_request"),
        ({"code": "\x00"}, 400, "invalid_grant"),
        ({"client_id": None}, 401, "invalid_client"),
        ({"client_id": "rc_unknown"}, 401, "invalid_client"),
        ({"client_id": "a\x00"}, 401, "invalid_client"),
        ({"code_verifier": None}, 400, "invalid_request"),
        ({"code_verifier": "w" * 64}, 400, "invalid_grant"),
        ({"code_verifier": ""}, 400, "invalid_grant"),
        ({"redirect_uri": "https://client.example/other"}, 400, "invalid_request"),
        ({"resource": "https://other.example/mcp"}, 400, "invalid_target"),
        ({"grant_type": "password"}, 400, "unsupported_grant_type"),
        ({"grant_type": "client_credentials"}, 400, "unsupported_grant_type"),
        ({"grant_type": None}, 400, "invalid_request"),
    ],
)
def test_exchange_with_a_mistake_brings_no_token(program, code, change, status, error):
    assert error_of(program.change(code, **change)) == (status, error)
    with all_workspaces_scope("a look"):
        assert not McpToken.objects.exists()


def test_code_of_another_program_is_unknown_and_stays_good(program, code):
    other = Program()
    other.register()
    assert error_of(other.change(code)) == (400, "invalid_grant")
    assert program.change(code).status_code == 200


@pytest.mark.parametrize(("later", "status"), [(timedelta(minutes=4), 200), (timedelta(minutes=6), 400)])
def test_code_lives_five_minutes(program, code, later, status):
    with shifted(later):
        assert program.change(code).status_code == status


def test_code_with_a_wrong_verifier_gets_no_second_try(program, code):
    program.change(code, code_verifier="w" * 64)
    assert error_of(program.change(code)) == (400, "invalid_grant")


def test_code_shown_again_ends_what_it_brought(program, code):
    first = program.change(code).json()
    assert error_of(program.change(code)) == (400, "invalid_grant")
    assert not opens(first["access_token"])
    assert error_of(program.refresh(first["refresh_token"])) == (400, "invalid_grant")
    with workspace_scope(server().workspace_id):
        assert AuditEntry.objects.get(action="mcp.end_access").detail.data["reason"] == "its code was shown twice"


def test_program_on_the_same_machine_shows_the_port_it_used(program, allow):
    own = "http://127.0.0.1:5123/back?a=1"
    code = told(allow(program.ask(redirect_uri=own)))["code"]
    assert program.change(code, redirect_uri=own).status_code == 200


def test_code_is_bound_to_the_redirect_it_was_sent_to(program, allow):
    code = told(allow(program.ask(redirect_uri="http://127.0.0.1:5123/back?a=1")))["code"]
    assert program.change(code, redirect_uri="http://127.0.0.1:6666/back?a=1").status_code == 400


@pytest.mark.django_db(transaction=True)
def test_of_many_that_show_one_code_at_once_one_wins(program, code):
    def work(_number: int) -> int:
        connection.close()
        return program.change(code).status_code

    assert sorted(answers_of(work, 4)) == [200, 400, 400, 400]
    with all_workspaces_scope("a look"):
        assert McpToken.objects.count() == 2


# --- refreshing -------------------------------------------------------------------------------------------


def test_refresh_brings_new_ones_and_uses_up_the_old(program, tokens):
    second = program.refresh(tokens["refresh_token"]).json()
    assert second["refresh_token"] != tokens["refresh_token"]
    assert opens(second["access_token"])
    assert opens(tokens["access_token"])
    assert program.refresh(second["refresh_token"]).status_code == 200


def test_refresh_token_shown_twice_ends_the_whole_family(program, tokens):
    second = program.refresh(tokens["refresh_token"]).json()
    assert error_of(program.refresh(tokens["refresh_token"])) == (400, "invalid_grant")
    assert not opens(second["access_token"])
    assert not opens(tokens["access_token"])
    assert error_of(program.refresh(second["refresh_token"])) == (400, "invalid_grant")


def test_family_of_another_consent_goes_on(program, allow, tokens):
    other = program.change(told(allow(program.ask()))["code"]).json()
    program.refresh(tokens["refresh_token"])
    program.refresh(tokens["refresh_token"])
    assert opens(other["access_token"])
    assert program.refresh(other["refresh_token"]).status_code == 200


@pytest.mark.parametrize(
    ("later", "status"), [(REFRESH - timedelta(hours=1), 200), (REFRESH + timedelta(hours=1), 400)]
)
def test_refresh_token_lives_thirty_days(program, tokens, later, status):
    with shifted(later):
        assert program.refresh(tokens["refresh_token"]).status_code == status


@pytest.mark.parametrize(
    ("change", "error"),
    [
        ({"refresh_token": ""}, (400, "invalid_grant")),
        ({"refresh_token": "mcpr_wrong"}, (400, "invalid_grant")),
        ({"client_id": "rc_unknown"}, (401, "invalid_client")),
        ({"resource": "https://other.example/"}, (400, "invalid_target")),
    ],
)
def test_refresh_with_a_mistake_brings_nothing(program, tokens, change, error):
    assert error_of(program.refresh(tokens["refresh_token"], **change)) == error


def test_access_token_refreshes_nothing(program, tokens):
    assert error_of(program.refresh(tokens["access_token"])) == (400, "invalid_grant")
    assert opens(tokens["access_token"])


def test_refresh_token_of_another_program_is_unknown_and_stays_good(program, tokens):
    other = Program()
    other.register()
    assert error_of(other.refresh(tokens["refresh_token"])) == (400, "invalid_grant")
    assert program.refresh(tokens["refresh_token"]).status_code == 200


def test_scope_of_the_answer_is_what_the_server_may_now(program, tokens, bob_actor):
    row = server()
    with workspace_scope(row.workspace_id):
        servers.update_server(row, by=bob_actor, tools=["metrics"])
    assert program.refresh(tokens["refresh_token"], scope="read draft publish").json()["scope"] == "results"


def test_old_rows_are_cleared_with_the_next_refresh(program, tokens):
    current = tokens
    with shifted(timedelta(hours=2)):
        current = program.refresh(current["refresh_token"]).json()
    with shifted(timedelta(hours=4)):
        program.refresh(current["refresh_token"])
    with all_workspaces_scope("a look"):
        kinds = sorted(McpToken.objects.values_list("kind", flat=True))
    assert kinds == ["access", "refresh", "refresh", "refresh"]


@pytest.mark.django_db(transaction=True)
def test_of_many_that_show_one_refresh_token_at_once_one_wins(program, tokens):
    def work(_number: int) -> int:
        connection.close()
        return program.refresh(tokens["refresh_token"]).status_code

    assert sorted(answers_of(work, 4)) == [200, 400, 400, 400]


@pytest.mark.django_db(transaction=True)
def test_family_that_is_ended_during_a_refresh_has_no_token_left(program, tokens):
    def end() -> None:
        try:
            with workspace_scope(row.workspace_id):
                token = McpToken.objects.get(kind="access")
                servers.revoke_token(row, token.pk, by=actor_for(member))
        finally:
            connection.close()

    row = server()
    member = Membership.objects.select_related("user", "workspace").get(user=row.user, workspace=row.workspace)
    with workspace_scope(row.workspace_id):
        shown = grants.lock_refresh(tokens["refresh_token"])
        grants.mark_used(shown)
        grants.add_tokens(row, shown.client, shown.family, "mcpa_next", "mcpr_next")
        ending = threading.Thread(target=end)
        ending.start()
        wait_for(is_held_up)
    ending.join()
    with workspace_scope(row.workspace_id):
        assert McpToken.objects.count() == 4
        assert not McpToken.objects.filter(revoked_at=None).exists()


def is_held_up() -> bool:
    with connection.cursor() as cursor:
        # A transaction sees one state of it otherwise.
        cursor.execute("SELECT pg_stat_clear_snapshot()")
        cursor.execute("SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND query ~ 'mcptoken'")
        return bool(cursor.fetchone()[0])


# --- who may no longer ------------------------------------------------------------------------------------


def leave(bob: User) -> None:
    Membership.objects.filter(user=bob).delete()


def become_guest(bob: User) -> None:
    Membership.objects.filter(user=bob).update(role="guest")


def be_deactivated(bob: User) -> None:
    User.objects.filter(pk=bob.pk).update(is_active=False)


def suspend_workspace(_bob: User) -> None:
    Workspace.objects.update(is_suspended=True)


def suspend_server(_bob: User) -> None:
    with all_workspaces_scope("a test"):
        McpServer.objects.update(status="suspended")


@pytest.mark.parametrize("end", [leave, become_guest, be_deactivated, suspend_workspace, suspend_server])
def test_who_may_no_longer_gets_no_token(program, allow, tokens, bob, end):
    code = told(allow(program.ask()))["code"]
    end(bob)
    assert error_of(program.change(code)) == (400, "invalid_grant")
    assert error_of(program.refresh(tokens["refresh_token"])) == (400, "invalid_grant")


def test_revoked_server_ends_its_tokens(program, tokens, bob_actor):
    row = server()
    with workspace_scope(row.workspace_id):
        servers.revoke_server(row, by=bob_actor)
    assert not opens(tokens["access_token"])
    assert error_of(program.refresh(tokens["refresh_token"])) == (400, "invalid_grant")


def test_person_sees_the_program_and_ends_it_on_the_page(program, tokens, bob_client):
    row = server()
    page = bob_client.get(f"/settings/mcp/{row.pk}").content.decode()
    assert "logged in by itself" in page
    with workspace_scope(row.workspace_id):
        token = McpToken.objects.get(kind="refresh")
    assert bob_client.post(f"/settings/mcp/{row.pk}/tokens/{token.pk}/revoke").status_code == 302
    assert not opens(tokens["access_token"])


# --- giving back ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("given", "is_whole"), [("refresh_token", True), ("access_token", False)])
def test_token_is_given_back(program, tokens, given, is_whole):
    answer = program.post("/oauth/revoke", token=tokens[given], client_id=program.client_id, token_type_hint="nonsense")
    assert answer.status_code == 200
    assert not opens(tokens["access_token"])
    assert program.refresh(tokens["refresh_token"]).status_code == (400 if is_whole else 200)


def test_unknown_token_and_that_of_another_program_are_answered_alike_and_left(program, tokens):
    other = Program()
    other.register()
    answers = [
        other.post("/oauth/revoke", token=secret, client_id=other.client_id)
        for secret in ("mcpa_unknown", tokens["access_token"], tokens["refresh_token"])
    ]
    assert {(answer.status_code, answer.content) for answer in answers} == {(200, b"")}
    assert opens(tokens["access_token"])
    assert program.refresh(tokens["refresh_token"]).status_code == 200


@pytest.mark.parametrize(
    ("data", "error"),
    [
        ({"client_id": ""}, (400, "invalid_request")),
        ({"token": "mcpa_x"}, (401, "invalid_client")),
        ({"token": "mcpa_x", "client_id": "rc_unknown"}, (401, "invalid_client")),
        ({"token": "x" * 20_000}, (400, "invalid_request")),
    ],
)
def test_giving_back_with_a_mistake(program, data, error):
    assert error_of(program.post("/oauth/revoke", **data)) == error


# --- the wire ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("body", [b"", b"\xff\xfe", b"grant_type=%zz", b"code=" + b"x" * 20_000, b"grant_type"])
def test_broken_forms_are_refused_as_the_protocol_says(program, body):
    answer = program.http.post("/oauth/token", body, content_type="application/x-www-form-urlencoded")
    assert answer.status_code == 400
    assert answer.json()["error"] in {"invalid_request", "unsupported_grant_type"}


def test_parameters_in_the_address_are_refused(program, code):
    answer = program.post(f"/oauth/token?code={code}", grant_type="authorization_code")
    assert error_of(answer) == (400, "invalid_request")


def test_json_is_no_form(program, code):
    data = {"grant_type": "authorization_code", "code": code}
    assert error_of(program.http.post("/oauth/token", data, content_type="application/json")) == (
        400,
        "invalid_request",
    )


def test_calls_of_one_address_are_limited(program, monkeypatch):
    from integrations.views import oauth

    monkeypatch.setattr(oauth, "call_limit", lambda _request: oauth.Limit(("oauth", "test"), 1, ACCESS, burst=2))
    answers = [program.change("x").status_code for _ in range(3)]
    assert answers == [400, 400, 429]


def test_redirect_may_be_left_out_where_it_is_known(program, code):
    assert program.change(code, redirect_uri=None).status_code == 200
