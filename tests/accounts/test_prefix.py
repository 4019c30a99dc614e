import re

import pytest
from django.conf import settings
from django.core import mail
from django.http import HttpRequest, HttpResponse
from django.templatetags.static import static
from django.test import RequestFactory
from django.urls import get_script_prefix, reverse

from accounts.middleware import WorkspacePrefixMiddleware, root_addresses
from accounts.models import Membership, Role
from accounts.services import create_workspace

pytestmark = pytest.mark.django_db


def visit(path: str) -> dict:
    seen = {}

    def page(request: HttpRequest) -> HttpResponse:
        seen.update(
            path=request.path,
            path_info=request.path_info,
            slug=request.workspace_slug,
            address=reverse("accounts:members"),
            static=static("css/base.css"),
        )
        return HttpResponse()

    seen["response"] = WorkspacePrefixMiddleware(page)(RequestFactory().get(path))
    return seen


def test_prefix_is_taken_off_the_path_that_is_resolved():
    seen = visit("/w/roastery/settings/members")
    assert (seen["path_info"], seen["slug"]) == ("/settings/members", "roastery")


def test_prefix_stays_on_the_path_that_is_shown():
    assert visit("/w/roastery/settings/members")["path"] == "/w/roastery/settings/members"


def test_reversed_addresses_stay_in_the_workspace():
    assert visit("/w/roastery/settings")["address"] == "/w/roastery/settings/members"


def test_static_addresses_have_no_prefix():
    assert visit("/w/roastery/settings")["static"].startswith(settings.STATIC_URL)


def test_without_a_prefix_addresses_have_none():
    seen = visit("/settings")
    assert (seen["slug"], seen["address"]) == ("", "/settings/members")


def test_script_prefix_is_restored_after_the_request():
    visit("/w/roastery/settings")
    assert get_script_prefix() == "/"


def test_script_prefix_is_restored_after_an_error():
    def broken(request: HttpRequest) -> HttpResponse:
        raise ValueError

    with pytest.raises(ValueError):  # noqa: PT011
        WorkspacePrefixMiddleware(broken)(RequestFactory().get("/w/roastery/settings"))
    assert get_script_prefix() == "/"


@pytest.mark.parametrize(
    "path", ["/w/a/w/b/settings", "/w/a/admin/", "/w/a/static/css/base.css", "/w/A/settings", "/w//x"]
)
def test_what_is_no_page_of_a_workspace_is_not_taken_apart(path):
    seen = visit(path)
    assert (seen["path_info"], seen["slug"]) == (path, "")


def test_address_without_the_last_slash_leads_to_the_workspace():
    response = visit("/w/roastery?a=1")["response"]
    assert (response.status_code, response.url) == (301, "/w/roastery/?a=1")


def test_addresses_for_mails_have_no_prefix():
    def page(request: HttpRequest) -> HttpResponse:
        with root_addresses():
            assert reverse("accounts:members") == "/settings/members"
        assert reverse("accounts:members") == "/w/roastery/settings/members"
        return HttpResponse()

    assert WorkspacePrefixMiddleware(page)(RequestFactory().get("/w/roastery/settings")).status_code == 200


def test_pages_link_to_the_workspace_of_the_address(alice_client):
    html = alice_client.get("/w/roastery/settings").content.decode()
    assert 'href="/w/roastery/settings/members"' in html
    assert 'href="/settings/members"' not in html


def test_forms_of_a_page_post_to_the_workspace_of_the_address(alice_client):
    html = alice_client.get("/w/roastery/settings").content.decode()
    actions = re.findall(r'\saction="([^"]+)"', html)
    assert actions
    assert all(action.startswith("/w/roastery/") for action in actions)


def test_two_addresses_are_two_workspaces_at_once(alice, alice_client):
    create_workspace("Second", owner=alice)
    first = alice_client.get("/w/roastery/settings").content.decode()
    second = alice_client.get("/w/second/settings").content.decode()
    assert 'value="Roastery"' in first
    assert 'value="Second"' in second


def test_workspace_of_the_last_visit_is_remembered(alice, alice_client):
    create_workspace("Second", owner=alice)
    alice_client.get("/w/roastery/settings")
    assert b'value="Roastery"' in alice_client.get("/settings").content


def test_workspace_of_somebody_else_is_answered_like_a_missing_one(alice_client, other_workspace):
    foreign = alice_client.get(f"/w/{other_workspace.slug}/settings")
    missing = alice_client.get("/w/nothing/settings")
    assert foreign.status_code == missing.status_code == 404
    assert foreign.content.replace(b"bakery", b"nothing") == missing.content


def test_workspace_of_somebody_else_is_not_remembered(alice, alice_client, workspace, other_workspace):
    alice_client.get(f"/w/{other_workspace.slug}/settings")
    alice.refresh_from_db()
    assert alice.last_workspace_id == workspace.pk


def test_workspace_one_has_left_is_a_missing_page(bob, bob_client):
    assert bob_client.get("/w/roastery/settings").status_code == 200
    Membership.objects.filter(user=bob).delete()
    assert bob_client.get("/w/roastery/settings").status_code == 404


@pytest.mark.parametrize("slug", ["roastery", "nothing"])
def test_stranger_without_a_log_in_learns_nothing_from_an_address(client, workspace, slug):
    response = client.get(f"/w/{slug}/settings")
    assert response.status_code == 302
    assert response.url == f"/w/{slug}/accounts/login/?next=/w/{slug}/settings"


def test_redirect_after_a_form_stays_in_the_workspace(alice_client):
    data = {"name": "Roastery", "time_zone": "UTC", "late_minutes": "60", "late_policy": "ask"}
    assert alice_client.post("/w/roastery/settings", data).url == "/w/roastery/settings"


def test_admin_is_reached_only_without_a_prefix(staff, staff_client, workspace):
    Membership.objects.create(user=staff, workspace=workspace, role=Role.ADMIN)
    assert staff_client.get("/w/roastery/admin/").status_code == 404
    assert staff_client.get("/admin/").status_code == 200


def test_slug_with_an_underscore_is_reachable(alice, alice_client):
    created = create_workspace("my_shop", owner=alice)
    assert alice_client.get(f"/w/{created.slug}/settings").status_code == 200


def test_tab_opened_without_a_workspace_moves_to_its_address(alice_client):
    response = alice_client.get("/settings?a=1", headers={"Sec-Fetch-Mode": "navigate"})
    assert response.url == "/w/roastery/settings?a=1"


def test_log_in_leads_into_the_workspace(client, alice, workspace):
    data = {"login": "alice@example.org", "password": "correct horse battery"}
    assert client.post("/accounts/login/", data).url == "/w/roastery/"


def test_mail_written_on_a_page_of_a_workspace_has_an_address_without_it(client, alice, workspace):
    client.post("/w/roastery/accounts/password/reset/", {"email": "alice@example.org"})
    assert "/accounts/password/reset/key/" in mail.outbox[0].body
    assert "/w/roastery" not in mail.outbox[0].body


def test_api_under_a_prefix_is_the_api_of_that_workspace(alice, api, workspace):
    create_workspace("Second", owner=alice)
    api(alice).post("/w/roastery/api/keys", {"name": "Mine", "scopes": ["read"]}, format="json")
    assert [key["name"] for key in api(alice, workspace=workspace).get("/api/keys").json()["results"]] == ["Mine"]
    assert api(alice).get("/w/second/api/keys").json()["results"] == []
