"""Whom a token opens the endpoint to, and what a program may do in a person's name."""

from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from accounts.access import ROLE_PERMS, Perm
from accounts.models import Membership, Role
from accounts.scope import workspace_scope
from integrations.mcp.auth import AGENT_MAY, ServerSuspended, actor_of, read_token
from integrations.models import McpServer, McpToken
from lib.clock import now, shifted
from tests.integrations.mcp.rows import add_server, add_token

pytestmark = pytest.mark.django_db
NEVER = {
    *(Perm.REVIEW, Perm.MEMBERS, Perm.SETTINGS, Perm.API_KEYS, Perm.DELETE),
    *(Perm.CONNECTIONS, Perm.WEBHOOKS, Perm.TOOLS),
}


@pytest.fixture
def bobs(bob_actor) -> McpServer:
    return add_server(bob_actor, tools=["look"], name="Bob's laptop")


def set_row(row, **values) -> None:
    with workspace_scope(row.workspace_id):
        type(row).objects.filter(pk=row.pk).update(**values)


def test_a_token_opens_its_server_in_its_persons_name(bobs, bob, workspace, settings) -> None:
    token = read_token(add_token(bobs))
    caller = token.caller
    assert (caller.server, caller.actor.workspace, caller.actor.user) == (bobs, workspace, bob)
    assert (caller.actor.label, caller.actor.role, caller.actor.is_agent) == ("MCP Bob's laptop", Role.EDITOR, True)
    assert (token.resource, token.subject, token.client_id) == (settings.MCP_URL, str(bob.pk), str(bobs.pk))


@pytest.mark.parametrize("role", list(Role.values))
def test_no_role_lets_a_program_approve_or_manage(role, bobs) -> None:
    perms = actor_of(bobs, role).perms
    assert not perms & NEVER
    assert perms == ROLE_PERMS[role] - NEVER
    assert perms <= AGENT_MAY


@pytest.mark.parametrize("secret", ["", "x", "mcp_nobody", "a\0b", "ü" * 500])
def test_strangers_are_nobody(bobs, secret) -> None:
    assert read_token(secret) is None


@pytest.mark.parametrize(
    "values",
    [
        {"kind": McpToken.Kind.REFRESH},
        {"revoked_at": now()},
        {"expires_at": now() - timedelta(seconds=1)},
    ],
    ids=["refresh", "revoked", "expired"],
)
def test_only_usable_tokens_open(bobs, values) -> None:
    assert read_token(add_token(bobs)) is not None
    assert read_token(add_token(bobs, **values)) is None


def test_a_token_ends_at_its_time(bobs) -> None:
    secret = add_token(bobs, kind=McpToken.Kind.ACCESS, expires_at=now() + timedelta(hours=1))
    assert read_token(secret) is not None
    with shifted(timedelta(hours=1, seconds=1)):
        assert read_token(secret) is None


@pytest.mark.parametrize("stop", ["revoked", "person", "left", "workspace"])
def test_whatever_is_stopped_stops_the_token_at_once(stop, bobs, bob, workspace) -> None:
    secret = add_token(bobs)
    assert read_token(secret) is not None
    if stop == "revoked":
        set_row(bobs, status=stop)
    if stop == "person":
        type(bob).objects.update(is_active=False)
    if stop == "left":
        Membership.objects.filter(user=bob).delete()
    if stop == "workspace":
        type(workspace).objects.update(is_suspended=True)
    assert read_token(secret) is None


@pytest.mark.parametrize(
    ("who", "hint"),
    [("person", "Resume it under Settings"), ("admin", "an admin of the workspace. Ask"), ("staff", "Contact support")],
)
def test_a_suspended_server_says_by_whom_to_its_own_token_only(who, hint, bobs, bob) -> None:
    secret, revoked = add_token(bobs), add_token(bobs, revoked_at=now())
    set_row(bobs, status="suspended", suspended_by=who, status_text="Spam to customers")
    with pytest.raises(ServerSuspended, match=f"“Bob's laptop” is suspended by .*{hint}") as refusal:
        read_token(secret)
    assert "Spam" not in str(refusal.value)
    assert (read_token(revoked), read_token("mcp_nobody")) == (None, None)
    with workspace_scope(bobs.workspace_id):
        assert McpToken.objects.filter(last_used_at=None).count() == 2
    Membership.objects.filter(user=bob).delete()
    assert read_token(secret) is None


def test_a_new_role_counts_with_the_next_request(bobs, bob) -> None:
    secret = add_token(bobs)
    assert read_token(secret).caller.actor.can(Perm.CONTENT_EDIT)
    Membership.objects.filter(user=bob).update(role=Role.VIEWER)
    assert read_token(secret).caller.actor.perms == {Perm.VIEW}


def test_use_is_noted_once_a_minute(bobs) -> None:
    secret = add_token(bobs)

    def last_uses() -> set[object]:
        read_token(secret)
        with workspace_scope(bobs.workspace_id):
            return {McpToken.objects.get().last_used_at, McpServer.objects.get().last_used_at}

    first = last_uses()
    with shifted(timedelta(seconds=59)):
        assert last_uses() == first
    with shifted(timedelta(seconds=61)):
        assert min(last_uses()) > max(first)


def test_a_token_shows_no_more_than_its_own_row(bobs, alice_actor) -> None:
    add_token(add_server(alice_actor))
    secret = add_token(bobs)
    read_token(secret)
    with CaptureQueriesContext(connection) as asked:
        assert read_token(secret).caller.server == bobs
    assert len(asked) <= 14
    assert not McpToken.objects.exists()
