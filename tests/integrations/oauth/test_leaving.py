"""Who leaves a workspace and comes back finds none of their programs let in, and no place taken by them."""

from collections.abc import Callable

import pytest

from accounts.access import actor_for
from accounts.models import ApiKey, AuditEntry, Membership, Role, User, Workspace
from accounts.scope import workspace_scope
from accounts.services import create_api_key, create_workspace, remove_member
from integrations.mcp.auth import read_token
from integrations.models import McpServer
from integrations.servers import count_servers, create_server

pytestmark = pytest.mark.django_db


@pytest.fixture
def come_and_go(workspace: Workspace, bob: User, alice_actor) -> Callable[..., None]:
    def make(by=alice_actor, role: str = Role.ADMIN) -> None:
        with workspace_scope(workspace.pk):
            remove_member(Membership.objects.get(user=bob, workspace=workspace).pk, by=by)
        Membership.objects.create(user=bob, workspace=workspace, role=role)

    return make


def actions(workspace: Workspace) -> list[str]:
    with workspace_scope(workspace.pk):
        return list(AuditEntry.objects.order_by("number").values_list("action", flat=True))


def test_tokens_and_grants_of_before_open_nothing(program, tokens, bob_actor, workspace, come_and_go):
    with workspace_scope(workspace.pk):
        server, secret = create_server("Laptop", ["list_campaigns"], by=bob_actor)
    assert None not in (read_token(secret), read_token(tokens["access_token"]))
    come_and_go()
    assert (read_token(secret), read_token(tokens["access_token"])) == (None, None)
    assert program.refresh(tokens["refresh_token"]).json()["error"] == "invalid_grant"
    with workspace_scope(workspace.pk):
        assert set(McpServer.objects.values_list("status", flat=True)) == {"revoked"}
        assert (count_servers(workspace), server.tokens.filter(revoked_at=None).count()) == (0, 0)
    assert actions(workspace)[-3:] == ["mcp.revoke", "mcp.revoke", "member.remove"]


def test_code_that_was_just_given_brings_no_token(program, code, come_and_go):
    come_and_go()
    assert program.change(code).json()["error"] == "invalid_grant"


def test_program_that_asks_again_gets_a_server_of_its_own(program, tokens, allow, come_and_go, workspace):
    come_and_go()
    # The page of consent is new, the server of before stays ended.
    assert allow(program.ask()).status_code == 302
    with workspace_scope(workspace.pk):
        assert sorted(McpServer.objects.values_list("status", flat=True)) == ["active", "revoked"]


def test_keys_of_before_open_nothing_and_those_of_others_do(api, join, workspace, bob_actor, alice_actor, come_and_go):
    Membership.objects.filter(user=bob_actor.user).update(role=Role.ADMIN)
    with workspace_scope(workspace.pk):
        _row, alices = create_api_key("Hers", ["read"], by=alice_actor)
        ApiKey.objects.filter(created_by=bob_actor.user).delete()
        row, bobs = create_api_key("His", ["read"], by=alice_actor)
        ApiKey.objects.filter(pk=row.pk).update(created_by=bob_actor.user)
    assert [api(key).get("/api/auth/me").status_code for key in (alices, bobs)] == [200, 200]
    come_and_go()
    assert [api(key).get("/api/auth/me").status_code for key in (alices, bobs)] == [200, 401]
    assert actions(workspace)[-2:] == ["api_key.revoke", "member.remove"]


def test_who_leaves_by_their_own_wish_ends_it_alike(bob_actor, workspace, come_and_go):
    with workspace_scope(workspace.pk):
        _server, secret = create_server("Laptop", ["list_campaigns"], by=bob_actor)
    come_and_go(by=bob_actor)
    assert read_token(secret) is None


def test_another_workspace_of_theirs_is_left_alone(bob, come_and_go):
    other = create_workspace("Tea", owner=bob)
    own = actor_for(Membership.objects.select_related("workspace", "user").get(user=bob, workspace=other))
    with workspace_scope(other.pk):
        _server, secret = create_server("Laptop", ["list_campaigns"], by=own)
        create_api_key("Mine", ["read"], by=own)
    come_and_go()
    assert read_token(secret) is not None
    with workspace_scope(other.pk):
        assert ApiKey.objects.get(created_by=bob).revoked_at is None
