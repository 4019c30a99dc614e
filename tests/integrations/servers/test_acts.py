"""What may be done with a personal server, and by whom."""

from dataclasses import replace
from datetime import timedelta
from uuid import uuid4

import pytest
from django.core.exceptions import PermissionDenied, ValidationError
from django.http import Http404

from accounts.access import ROLE_PERMS, Perm
from accounts.models import AuditEntry, Role
from accounts.rate import RateLimited
from accounts.scope import all_workspaces_scope
from accounts.services import hash_key
from integrations import servers
from integrations.models import McpServer, McpToken
from integrations.server_access import find_server, servers_of
from integrations.servers import ServerConflict
from lib.clock import now, shifted

pytestmark = pytest.mark.django_db
Status = McpServer.Status


def audited() -> list[str]:
    return list(
        AuditEntry.objects.filter(action__startswith="mcp.").order_by("number").values_list("action", flat=True)
    )


def stored(server: McpServer) -> McpServer:
    return McpServer.objects.get(pk=server.pk)


def opening(server: McpServer) -> set[str]:
    """The hashes of the tokens that work now."""
    rows = McpToken.objects.filter(server=server, revoked_at=None)
    return {row.token_hash for row in rows if row.expires_at is None or row.expires_at > now()}


# --- making one -------------------------------------------------------------------------------------------


def test_new_server_is_its_persons_and_only_the_hash_of_its_token_is_kept(in_workspace, make_server, bob):
    server, secret = make_server("draft_post", "list_campaigns", name="  My\n\u202elap\u200btop ")
    token = McpToken.objects.get(server=server)
    assert (server.user, server.name, server.tools) == (bob, "My laptop", ["list_campaigns", "draft_post"])
    assert (token.token_hash, token.prefix, token.kind) == (hash_key(secret), secret[:9], "plain")
    assert secret not in str(list(McpToken.objects.values()))
    assert (server.resources, server.prompts) == (["brand"], ["weekly_plan"])
    assert audited() == ["mcp.create"]


@pytest.mark.parametrize(
    ("name", "tools", "more", "field"),
    [
        ("", ["get_post"], {}, "name"),
        (" \n\x00", ["get_post"], {}, "name"),
        ("\u200b\u2066 \u2069", ["get_post"], {}, "name"),
        ("n" * 81, ["get_post"], {}, "name"),
        ("Laptop", [], {}, "tools"),
        ("Laptop", ["approve_post"], {}, "tools"),
        ("Laptop", ["get_post"], {"resources": ["secrets"]}, "resources"),
        ("Laptop", ["get_post"], {"prompts": ["jailbreak"]}, "prompts"),
        ("Laptop", ["get_post"], {"calls_per_minute": 0}, "calls_per_minute"),
        ("Laptop", ["get_post"], {"calls_per_minute": 601}, "calls_per_minute"),
    ],
)
def test_what_is_wrong_is_said_beside_its_field(in_workspace, bob_actor, name, tools, more, field):
    with pytest.raises(ValidationError) as refusal:
        servers.create_server(name, tools, by=bob_actor, **more)
    assert list(refusal.value.message_dict) == [field]
    assert not McpServer.objects.exists()


@pytest.mark.parametrize("role", [Role.VIEWER, Role.REVIEWER])
def test_server_grants_no_tool_that_its_person_may_not_use(in_workspace, make_server, join, actor_of, role):
    actor = actor_of(join("Tom", role))
    with pytest.raises(ValidationError, match="Your role does not allow draft_post"):
        make_server("get_post", "draft_post", by=actor)
    assert make_server("get_post", by=actor)[0].tools == ["get_post"]


def test_guest_and_stranger_have_none(in_workspace, make_server, gwen_actor):
    with pytest.raises(PermissionDenied):
        make_server("get_post", by=gwen_actor)


@pytest.mark.parametrize("change", [{"user": None}, {"api_key_id": uuid4()}, {"is_agent": True}])
def test_key_or_program_makes_and_renews_nothing(in_workspace, make_server, bob_actor, change):
    server, _secret = make_server()
    program = replace(bob_actor, **change)
    for act in (
        lambda: make_server("get_post", by=program),
        lambda: servers.rotate_token(server, by=program),
        lambda: servers.update_server(server, by=program, tools=["schedule_post"]),
        lambda: servers.resume_server(server, by=program),
        lambda: servers.revoke_server(server, by=program),
    ):
        with pytest.raises(PermissionDenied):
            act()
    assert audited() == ["mcp.create"]


def test_eleventh_is_refused_until_one_is_revoked(in_workspace, make_server, bob_actor, alice_actor):
    made = [make_server()[0] for _ in range(10)]
    with pytest.raises(ValidationError, match="10 servers"):
        make_server()
    make_server(by=alice_actor)
    servers.suspend_server(made[0], by=bob_actor)
    with pytest.raises(ValidationError, match="10 servers"):
        make_server()
    servers.revoke_server(made[0], by=bob_actor)
    make_server()


def test_making_and_revoking_over_and_over_is_slowed_down(in_workspace, make_server, bob_actor):
    for _ in range(30):
        servers.revoke_server(make_server()[0], by=bob_actor)
    with pytest.raises(RateLimited):
        make_server()


# --- changing one -----------------------------------------------------------------------------------------


def test_update_changes_what_is_named_and_says_so_once(in_workspace, make_server, bob_actor):
    server, _secret = make_server()
    servers.update_server(server, by=bob_actor, name="Desk", tools=["metrics"], calls_per_minute=5)
    servers.update_server(server, by=bob_actor, name="Desk")
    found = stored(server)
    assert (found.name, found.tools, found.calls_per_minute) == ("Desk", ["metrics"], 5)
    assert (found.resources, audited()) == (["brand"], ["mcp.create", "mcp.update"])


def test_tool_that_its_person_may_no_longer_use_may_stay_but_none_is_added(in_workspace, make_server, bob_actor):
    server, _secret = make_server("draft_post")
    lowered = replace(bob_actor, perms=ROLE_PERMS[Role.VIEWER])
    assert servers.update_server(server, by=lowered, tools=["draft_post", "metrics"]).tools == ["draft_post", "metrics"]
    with pytest.raises(ValidationError):
        servers.update_server(server, by=lowered, tools=["draft_post", "schedule_post"])


def test_admin_neither_edits_nor_renews_somebody_elses(in_workspace, make_server, alice_actor):
    server, _secret = make_server()
    with pytest.raises(PermissionDenied):
        servers.update_server(server, by=alice_actor, tools=["get_post"])
    with pytest.raises(PermissionDenied):
        servers.rotate_token(server, by=alice_actor)


# --- tokens -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("overlap", "hours"), [({}, 24), ({"overlap": timedelta(hours=1)}, 1)])
def test_old_token_works_on_for_the_overlap(in_workspace, make_server, bob_actor, overlap, hours):
    server, first = make_server()
    _token, second = servers.rotate_token(server, by=bob_actor, **overlap)
    assert opening(server) == {hash_key(first), hash_key(second)}
    with shifted(timedelta(hours=hours, seconds=-5)):
        assert opening(server) == {hash_key(first), hash_key(second)}
    with shifted(timedelta(hours=hours, seconds=5)):
        assert opening(server) == {hash_key(second)}


def test_second_rotation_does_not_lengthen_the_first_ones_overlap(in_workspace, make_server, bob_actor):
    server, first = make_server()
    servers.rotate_token(server, by=bob_actor, overlap=timedelta(hours=1))
    servers.rotate_token(server, by=bob_actor)
    ends = McpToken.objects.get(token_hash=hash_key(first)).expires_at
    assert ends < now() + timedelta(hours=2)


def test_overlap_of_nothing_ends_the_old_token_at_once(in_workspace, make_server, bob_actor):
    server, _first = make_server()
    _token, second = servers.rotate_token(server, by=bob_actor, overlap=timedelta())
    assert opening(server) == {hash_key(second)}


@pytest.mark.parametrize("overlap", [timedelta(hours=-1), timedelta(days=8)])
def test_overlap_out_of_range_is_refused(in_workspace, make_server, bob_actor, overlap):
    server, first = make_server()
    with pytest.raises(ValidationError):
        servers.rotate_token(server, by=bob_actor, overlap=overlap)
    assert opening(server) == {hash_key(first)}


def test_one_token_is_revoked_by_its_person_or_an_admin(in_workspace, make_server, bob_actor, alice_actor):
    server, first = make_server()
    token, _second = servers.rotate_token(server, by=bob_actor)
    servers.revoke_token(server, token.pk, by=alice_actor)
    servers.revoke_token(server, token.pk, by=alice_actor)
    assert opening(server) == {hash_key(first)}
    assert audited() == ["mcp.create", "mcp.rotate", "mcp.revoke_token"]


def test_token_of_another_server_is_not_reached_through_this_one(in_workspace, make_server, bob_actor, alice_actor):
    server, _first = make_server()
    other, secret = make_server(by=alice_actor)
    token = McpToken.objects.get(server=other)
    with pytest.raises(Http404):
        servers.revoke_token(server, token.pk, by=bob_actor)
    assert opening(other) == {hash_key(secret)}


# --- stopping and ending ----------------------------------------------------------------------------------


def test_person_suspends_and_resumes(in_workspace, make_server, bob_actor):
    server, _secret = make_server()
    servers.suspend_server(server, by=bob_actor, reason="On holiday")
    assert (stored(server).status, stored(server).status_text) == (Status.SUSPENDED, "On holiday")
    servers.resume_server(server, by=bob_actor)
    assert (stored(server).status, stored(server).status_text, stored(server).suspended_by) == (Status.ACTIVE, "", "")
    assert audited() == ["mcp.create", "mcp.suspend", "mcp.resume"]


def test_person_does_not_lift_what_an_admin_did(in_workspace, make_server, bob_actor, alice_actor):
    server, _secret = make_server()
    servers.suspend_server(server, by=bob_actor)
    servers.suspend_server(server, by=alice_actor, reason="Too noisy")
    servers.suspend_server(server, by=bob_actor)
    with pytest.raises(PermissionDenied, match="by an admin"):
        servers.resume_server(server, by=bob_actor)
    assert stored(server).suspended_by == "admin"
    assert servers.resume_server(server, by=alice_actor).status == Status.ACTIVE


def by_staff(act, server, staff, reason) -> bool:
    with all_workspaces_scope("staff moderation"):
        return act(stored(server), staff=staff, reason=reason)


def test_neither_person_nor_admin_lifts_what_staff_did(in_workspace, make_server, bob_actor, alice_actor, staff):
    server, _secret = make_server()
    assert by_staff(servers.suspend_by_staff, server, staff, "Abuse")
    assert not by_staff(servers.suspend_by_staff, server, staff, "Abuse")
    for actor in (bob_actor, alice_actor):
        with pytest.raises(PermissionDenied, match="by staff"):
            servers.resume_server(server, by=actor)
    assert by_staff(servers.resume_by_staff, server, staff, "Talked")
    assert stored(server).status == Status.ACTIVE
    assert AuditEntry.objects.filter(action="mcp.suspend").count() == 1


def test_whom_staff_stopped_makes_no_other_until_staff_lift_it(
    in_workspace, make_server, bob_actor, alice_actor, staff
):
    server, _secret = make_server()
    servers.suspend_server(server, by=alice_actor)
    make_server()
    by_staff(servers.suspend_by_staff, server, staff, "Abuse")
    with pytest.raises(ValidationError, match="Staff suspended “Laptop”: you can make no other"):
        make_server()
    assert make_server(by=alice_actor)
    # Nor by ending it, or by leaving and coming back.
    servers.end_servers_of(bob_actor.user, alice_actor)
    with pytest.raises(ValidationError, match="Staff suspended"):
        make_server()
    assert by_staff(servers.resume_by_staff, server, staff, "Talked")
    assert not by_staff(servers.resume_by_staff, server, staff, "Talked")
    assert (stored(server).status, stored(server).suspended_by) == (Status.REVOKED, "")
    assert make_server()


@pytest.mark.parametrize("reason", ["", "  \n"])
def test_staff_says_why(in_workspace, make_server, staff, reason):
    server, _secret = make_server()
    with pytest.raises(ValidationError):
        by_staff(servers.suspend_by_staff, server, staff, reason)
    assert stored(server).status == Status.ACTIVE


def test_revoked_is_for_good(in_workspace, make_server, bob_actor, alice_actor):
    server, _secret = make_server()
    servers.rotate_token(server, by=bob_actor)
    servers.revoke_server(server, by=alice_actor)
    servers.revoke_server(server, by=bob_actor)
    assert (stored(server).status, opening(server)) == (Status.REVOKED, set())
    for act in (servers.resume_server, servers.suspend_server, servers.rotate_token, servers.update_server):
        with pytest.raises(ServerConflict):
            act(server, by=bob_actor)
    assert audited() == ["mcp.create", "mcp.rotate", "mcp.revoke"]


# --- who sees which ---------------------------------------------------------------------------------------


def test_members_see_their_own_and_admins_all(in_workspace, make_server, bob_actor, alice_actor, vic_actor, gwen_actor):
    own, _secret = make_server()
    other, _secret = make_server("get_post", by=vic_actor)
    assert set(servers_of(bob_actor)) == {own}
    assert set(servers_of(alice_actor)) == {own, other}
    with pytest.raises(Http404):
        find_server(other.pk, by=bob_actor)
    with pytest.raises(PermissionDenied):
        servers_of(gwen_actor)


def test_member_stops_nobody_elses(in_workspace, make_server, bob_actor, vic_actor):
    server, secret = make_server()
    for act in (servers.suspend_server, servers.resume_server, servers.revoke_server):
        with pytest.raises(Http404):
            act(server, by=vic_actor)
    assert opening(server) == {hash_key(secret)}


def test_admin_of_another_workspace_sees_nothing(in_workspace, make_server, charlie_actor):
    server, _secret = make_server()
    assert Perm.API_KEYS in charlie_actor.perms
    with pytest.raises(Http404):
        find_server(server.pk, by=charlie_actor)
