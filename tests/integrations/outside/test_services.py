"""Attaching somebody else's server, looking at it, and allowing single tools."""

from dataclasses import replace

import pytest
from django.core.exceptions import PermissionDenied, ValidationError
from django.http import Http404

from accounts.access import ROLE_PERMS
from accounts.models import AuditEntry, Role
from accounts.scope import workspace_scope
from integrations.models import OutsideServer
from integrations.outside import services, wire
from integrations.outside.access import find_outside
from integrations.outside.services import offered_tools
from integrations.outside.wire import OutsideError
from tests.integrations.outside.conftest import described

pytestmark = pytest.mark.django_db


def look(row: OutsideServer, by) -> OutsideServer:
    return services.look_at(row, by=by)


def names(row: OutsideServer) -> list[str]:
    return [tool["name"] for tool in offered_tools(row)]


@pytest.fixture
def row(workspace, alice_actor, stranger) -> OutsideServer:
    with workspace_scope(workspace.pk):
        return services.attach_server("CRM", stranger.url, "Bearer s3cret", by=alice_actor)


def test_nothing_is_offered_until_somebody_looked_and_allowed(row, alice_actor, workspace, stranger):
    assert (names(row), stranger.calls) == ([], [])
    row = look(row, alice_actor)
    assert ([tool["name"] for tool in row.tools], names(row)) == (["find", "create"], [])
    with workspace_scope(workspace.pk):
        assert names(services.allow_tools(row, ["find"], by=alice_actor)) == ["find"]
        actions = list(AuditEntry.objects.filter(action__startswith="outside.").values_list("action", flat=True))
    assert sorted(actions) == ["outside.allow", "outside.attach", "outside.look"]


def test_secret_is_sent_and_kept_encrypted(row, alice_actor, stranger, workspace):
    stranger.needs = "Bearer s3cret"
    assert look(row, alice_actor).problem_text == ""
    assert stranger.secrets == {"Bearer s3cret"}
    from django.db import connection

    with workspace_scope(workspace.pk), connection.cursor() as cursor:
        cursor.execute("SELECT secret FROM integrations_outsideserver")
        assert b"s3cret" not in bytes(cursor.fetchone()[0])
        assert "s3cret" not in str(list(AuditEntry.objects.values("detail__data")))


def test_wrong_secret_is_said_and_what_was_known_stays(row, alice_actor, stranger):
    look(row, alice_actor)
    stranger.needs = "Bearer other"
    found = look(row, alice_actor)
    assert "HTTP 401. Check the secret" in found.problem_text
    assert len(found.tools) == 2


@pytest.mark.parametrize("change", ["description", "schema", "gone"])
def test_tool_that_changed_is_withheld_until_it_is_allowed_anew(row, alice_actor, stranger, workspace, change):
    row = look(row, alice_actor)
    with workspace_scope(workspace.pk):
        row = services.allow_tools(row, ["find", "create"], by=alice_actor)
    changed = {
        "description": [described(description="Finds customers. ")],
        "schema": [described(schema={"type": "object", "properties": {"text": {"type": "string"}}})],
        "gone": [],
    }[change]
    stranger.tools = [*changed, described("create", "Creates a customer.")]
    row = look(row, alice_actor)
    assert names(row) == ["create"]
    if change != "gone":
        with workspace_scope(workspace.pk):
            assert names(services.allow_tools(row, ["find", "create"], by=alice_actor)) == ["find", "create"]


def test_choice_made_on_an_older_list_is_refused(row, alice_actor, stranger, workspace):
    row = look(row, alice_actor)
    seen = services.digest_of(row)
    stranger.tools = [described(description="Now sends mail.")]
    look(row, alice_actor)
    with workspace_scope(workspace.pk), pytest.raises(ValidationError, match="meanwhile"):
        services.allow_tools(row, ["find"], by=alice_actor, seen=seen)


def test_another_address_is_another_server(row, alice_actor, workspace):
    row = look(row, alice_actor)
    with workspace_scope(workspace.pk):
        services.allow_tools(row, ["find"], by=alice_actor, read_only=["find"])
        row = services.update_outside(row, by=alice_actor, url="https://other.example/mcp")
    assert (row.tools, row.allowed, row.read_only, row.secret) == ([], {}, [], "")


def test_name_alone_changes_nothing_else(row, alice_actor, workspace):
    row = look(row, alice_actor)
    with workspace_scope(workspace.pk):
        services.allow_tools(row, ["find"], by=alice_actor)
        row = services.update_outside(row, by=alice_actor, name="Sales")
    assert (row.name, names(row), row.secret) == ("Sales", ["find"], "Bearer s3cret")


@pytest.mark.parametrize(
    ("name", "url", "secret", "field"),
    [
        ("", "https://a.example/mcp", "", "name"),
        ("n" * 41, "https://a.example/mcp", "", "name"),
        ("CRM", "https://a.example/mcp", "", "name"),
        ("A", "ftp://a.example/mcp", "", "url"),
        ("A", "https://user:pw@a.example/mcp", "", "url"),
        ("A", "not an address", "", "url"),
        ("A", "https://a.example/" + "x" * 600, "", "url"),
        ("A", "https://a.example/mcp", "Bearer a\nX-Other: b", "secret"),
        ("A", "https://a.example/mcp", "Bearer ü", "secret"),
        ("A", "https://a.example/mcp", "x" * 2001, "secret"),
    ],
)
def test_what_is_wrong_is_said_beside_its_field(row, alice_actor, workspace, name, url, secret, field):
    with workspace_scope(workspace.pk), pytest.raises(ValidationError) as refusal:
        services.attach_server(name, url, secret, by=alice_actor)
    assert list(refusal.value.message_dict) == [field]


@pytest.mark.parametrize("role", [Role.EDITOR, Role.REVIEWER, Role.VIEWER, Role.GUEST])
def test_only_admins_touch_them(row, alice_actor, workspace, role):
    lowered = replace(alice_actor, perms=ROLE_PERMS[role])
    with workspace_scope(workspace.pk):
        for act in (
            lambda: services.attach_server("B", "https://b.example/", by=lowered),
            lambda: services.update_outside(row, by=lowered, name="B"),
            lambda: services.look_at(row, by=lowered),
            lambda: services.allow_tools(row, [], by=lowered),
            lambda: services.set_active(row, False, by=lowered),
            lambda: services.detach_server(row, by=lowered),
            lambda: find_outside(row.pk, by=lowered),
        ):
            with pytest.raises(PermissionDenied):
                act()


def test_admin_of_another_workspace_does_not_find_it(row, charlie_actor):
    with workspace_scope(charlie_actor.workspace.pk), pytest.raises(Http404):
        find_outside(row.pk, by=charlie_actor)


def test_unknown_tool_and_too_many_are_refused(row, alice_actor, stranger, workspace):
    stranger.tools = [described(f"t{n}") for n in range(31)]
    row = look(row, alice_actor)
    with workspace_scope(workspace.pk):
        for wanted in (["other"], [tool["name"] for tool in row.tools]):
            with pytest.raises(ValidationError):
                services.allow_tools(row, wanted, by=alice_actor)
        with pytest.raises(ValidationError):
            services.allow_tools(row, ["t1"], read_only=["other"], by=alice_actor)


def test_paused_offers_nothing_and_detached_is_gone(row, alice_actor, workspace):
    row = look(row, alice_actor)
    with workspace_scope(workspace.pk):
        services.allow_tools(row, ["find"], by=alice_actor)
        row = services.set_active(row, False, by=alice_actor)
        assert names(row) == []
        assert names(services.set_active(row, True, by=alice_actor)) == ["find"]
        services.detach_server(row, by=alice_actor)
        assert not OutsideServer.objects.exists()


def test_tools_that_cannot_be_named_or_kept_are_left_out(row, alice_actor, stranger):
    deep: dict = {}
    for _ in range(200):
        deep = {"type": "object", "properties": {"x": deep}}
    stranger.tools = [
        described("good"),
        described("bad name"),
        described("x" * 65),
        described("bad/name"),
        described("long", schema={"type": "object", "description": "x" * 20_000}),
        described("nul", "a\x00b", {"type": "object", "properties": {"a\x00": {}}}),
    ]
    assert [tool["name"] for tool in look(row, alice_actor).tools] == ["good"]
    stranger.tools = [described(f"t{n}") for n in range(150)]
    assert len(look(row, alice_actor).tools) == 100


def test_looking_over_and_over_is_slowed_down(row, alice_actor, monkeypatch):
    monkeypatch.setattr(wire, "list_tools", lambda _url, _secret: [])
    for _ in range(20):
        look(row, alice_actor)
    with pytest.raises(ValidationError, match="Too many looks"):
        look(row, alice_actor)


# --- the wire ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("url", ["http://10.0.0.1/mcp", "http://169.254.169.254/mcp", "http://[::1]:80/mcp"])
def test_inner_addresses_are_not_called(settings, url):
    settings.OUTBOUND_ALLOW_CIDRS, settings.ALLOW_LIVE = [], True
    with pytest.raises(OutsideError, match="not on the public internet"):
        wire.list_tools(url, "")


def test_this_machine_is_not_called_either_where_it_is_not_allowed(stranger, settings):
    settings.OUTBOUND_ALLOW_CIDRS = []
    with pytest.raises(OutsideError, match="not on the public internet"):
        wire.list_tools(stranger.url, "")


def test_answer_that_is_too_large_is_refused(stranger):
    stranger.answers["find"] = "x" * (2 * 1024 * 1024)
    with pytest.raises(OutsideError, match="too large"):
        wire.call_tool(stranger.url, "", "find", {"text": "a"}, is_same=lambda _one: True)


def test_page_that_is_no_mcp_server_is_said_so(stranger):
    with pytest.raises(OutsideError, match="does not answer as an MCP server"):
        wire.list_tools(stranger.url.replace("/mcp", "/other"), "")


def test_answer_that_does_not_come_ends_in_time(stranger, monkeypatch):
    import socket

    listening = socket.create_server(("127.0.0.1", 0))
    monkeypatch.setattr(wire, "LOOK_S", 0.3)
    with pytest.raises(OutsideError, match="too long"):
        wire.list_tools(f"http://127.0.0.1:{listening.getsockname()[1]}/mcp", "")
    listening.close()
