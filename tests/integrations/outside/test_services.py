"""Attaching somebody else's server, looking at it, and allowing single tools."""

from dataclasses import replace
from functools import partial

import pytest
from django.core.exceptions import PermissionDenied, ValidationError
from django.http import Http404
from django.urls import reverse

from accounts.access import ROLE_PERMS
from accounts.models import AuditEntry, Role
from accounts.scope import all_workspaces_scope, workspace_scope
from integrations.models import OutsideServer
from integrations.outside import services, wire
from integrations.outside.access import find_outside
from integrations.outside.services import offered_tools
from integrations.outside.wire import OutsideError
from tests.integrations.outside.conftest import described

pytestmark = pytest.mark.django_db


def row_page(row: OutsideServer) -> str:
    return reverse("integrations:outside-server", args=[row.pk])


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


# --- a secret on its way ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("url", "secret", "fits"),
    [
        ("https://crm.example/mcp", "Bearer s3cret", True),
        ("http://crm.example/mcp", "", True),
        ("http://crm.example/mcp", "Bearer s3cret", False),
        ("HTTP://crm.example/mcp", "Bearer s3cret", False),
        ("http://localhost:8930/mcp", "Bearer s3cret", True),
        ("http://127.0.0.1:8930/mcp", "Bearer s3cret", True),
        ("http://127.0.0.1.example/mcp", "Bearer s3cret", False),
        ("http://localhost.example/mcp", "Bearer s3cret", False),
    ],
)
def test_secret_goes_over_https_or_nowhere(in_workspace, alice_actor, url, secret, fits):
    if fits:
        assert not services.shows_secret(services.attach_server("CRM", url, secret, by=alice_actor))
        return
    with pytest.raises(ValidationError, match="only sent over https"):
        services.attach_server("CRM", url, secret, by=alice_actor)
    assert not OutsideServer.objects.exists()


@pytest.mark.parametrize("change", [{"secret": "Bearer s3cret"}, {"url": "http://b.example", "secret": "Bearer x"}])
def test_edit_does_not_put_a_secret_on_an_open_way(in_workspace, alice_actor, change):
    row = services.attach_server("CRM", "http://crm.example/mcp", by=alice_actor)
    with pytest.raises(ValidationError) as refused:
        services.update_outside(row, by=alice_actor, **change)
    assert list(refused.value.message_dict) == ["url"]
    row.refresh_from_db()
    assert (row.url, row.secret) == ("http://crm.example/mcp", "")


def test_page_warns_of_a_secret_from_before_that_rule(in_workspace, alice_actor, alice_client):
    row = services.attach_server("CRM", "http://crm.example/mcp", by=alice_actor)
    page = row_page(row)
    assert "travels unencrypted" not in alice_client.get(page).content.decode()
    row.secret = "Bearer old"
    row.save(update_fields=["secret"])
    assert "travels unencrypted" in alice_client.get(page).content.decode()
    # A new name alone would leave it as it is.
    with pytest.raises(ValidationError, match="https"):
        services.update_outside(row, by=alice_actor, name="Sales")


def test_trail_holds_no_query_of_an_address(in_workspace, alice_actor):
    row = services.attach_server("CRM", "https://crm.example/mcp?key=s3cret#more", by=alice_actor)
    services.update_outside(row, by=alice_actor, url="https://crm.example/v2?key=other")
    services.detach_server(row, by=alice_actor)
    trail = str(list(AuditEntry.objects.values_list("detail__data", flat=True)))
    assert "https://crm.example/mcp" in trail
    assert not any(word in trail for word in ("s3cret", "key=", "more"))


# --- paused by staff --------------------------------------------------------------------------------------


def by_staff(act, row, staff, reason: str) -> bool:
    with all_workspaces_scope("staff"):
        return act(row, staff=staff, reason=reason)


@pytest.fixture
def staff(django_user_model):
    return django_user_model.objects.create_user("staff@example.org", "x", is_staff=True)


@pytest.fixture
def stopped(in_workspace, alice_actor, staff) -> OutsideServer:
    row = services.attach_server("CRM", "https://crm.example/mcp", "Bearer s3cret", by=alice_actor)
    assert by_staff(services.pause_by_staff, row, staff, "Sends spam.")
    row.refresh_from_db()
    return row


def test_no_admin_lifts_or_walks_around_a_pause_of_staff(stopped, alice_actor):
    for act in (partial(services.set_active, stopped, True), partial(services.detach_server, stopped)):
        with pytest.raises(PermissionDenied, match="Staff paused"):
            act(by=alice_actor)
    services.set_active(stopped, False, by=alice_actor)
    for change in ("https://crm.example/other", "https://elsewhere.example/mcp"):
        with pytest.raises(ValidationError, match="Staff paused"):
            services.update_outside(stopped, by=alice_actor, url=change)
    for same in (
        "https://CRM.example/mcp?again",
        "https://crm.example:8443/",
        "http://crm.example.",
        "https://crm。example。",
    ):
        with pytest.raises(ValidationError, match="Staff paused"):
            services.attach_server("Same", same, by=alice_actor)
    stopped.refresh_from_db()
    assert (stopped.is_active, stopped.paused_by, stopped.pause_text) == (False, "staff", "Sends spam.")
    # What is not that server is not concerned, and the secret may be taken away.
    services.attach_server("Other", "https://other.example/mcp", by=alice_actor)
    assert services.update_outside(stopped, by=alice_actor, secret="").secret == ""


def test_staff_resume_it_and_a_pause_of_an_admin_becomes_theirs(stopped, alice_actor, staff):
    assert not by_staff(services.pause_by_staff, stopped, staff, "Again.")
    assert by_staff(services.resume_by_staff, stopped, staff, "It was mended.")
    assert not by_staff(services.resume_by_staff, stopped, staff, "Again.")
    row = services.set_active(stopped, False, by=alice_actor)
    assert (row.paused_by, row.pause_text) == ("admin", "Paused by alice@example.org.")
    assert by_staff(services.pause_by_staff, row, staff, "Sends spam.")
    with pytest.raises(PermissionDenied):
        services.set_active(row, True, by=alice_actor)
    assert by_staff(services.resume_by_staff, row, staff, "Mended.")
    row.refresh_from_db()
    assert (row.is_active, row.paused_by, row.pause_text) == (True, "", "")


def test_page_says_who_paused_it_and_why(stopped, alice_actor, alice_client, staff):
    page = alice_client.get(row_page(stopped)).content.decode()
    assert "Staff paused this server. Their reason: “Sends spam.” Only they can resume it." in page
    assert "/resume" not in page
    assert "/detach" not in page
    by_staff(services.resume_by_staff, stopped, staff, "Mended.")
    services.set_active(stopped, False, by=alice_actor)
    page = alice_client.get(row_page(stopped)).content.decode()
    assert "Paused by alice@example.org." in page
    assert "/resume" in page


def test_reason_of_staff_is_not_left_out(in_workspace, alice_actor, staff):
    row = services.attach_server("CRM", "https://crm.example/mcp", by=alice_actor)
    with pytest.raises(ValidationError):
        by_staff(services.pause_by_staff, row, staff, " ")
