import pytest
from django.test import Client

from accounts.models import Workspace

pytestmark = pytest.mark.django_db


def test_a_visitor_finds_log_in_and_sign_up(client: Client) -> None:
    html = client.get("/").content.decode()
    assert 'href="/accounts/login/"' in html
    assert 'href="/accounts/signup/"' in html


def test_a_monitor_that_wants_json_gets_the_health(client: Client) -> None:
    response = client.get("/", headers={"Accept": "application/json"})
    assert set(response.json()["parts"]) >= {"web", "database", "cache"}


def test_the_health_is_the_same_as_on_its_own_page(client: Client) -> None:
    at_root = client.get("/", headers={"Accept": "application/json"})
    on_its_own = client.get("/healthz")
    assert at_root.status_code == on_its_own.status_code
    assert at_root.json()["parts"].keys() == on_its_own.json()["parts"].keys()


@pytest.mark.parametrize("accept", ["*/*", "text/html,application/xhtml+xml;q=0.9,*/*;q=0.8", ""])
def test_browsers_and_curl_get_a_page(client: Client, accept: str) -> None:
    assert client.get("/", headers={"Accept": accept}).headers["Content-Type"].startswith("text/html")


def test_a_cache_must_tell_the_two_apart(client: Client) -> None:
    assert "Accept" in client.get("/").headers["Vary"]


def test_a_member_gets_the_dashboard(alice_client: Client, workspace: Workspace) -> None:
    assert "<h1>Roastery</h1>" in alice_client.get("/").content.decode()


def test_a_tab_moves_to_the_address_of_its_workspace(alice_client: Client, workspace: Workspace) -> None:
    response = alice_client.get("/", headers={"Sec-Fetch-Mode": "navigate"})
    assert response.headers["Location"] == f"/w/{workspace.slug}/"


def test_under_a_workspace_a_visitor_is_asked_to_log_in_and_comes_back(client: Client, workspace: Workspace) -> None:
    location = client.get(f"/w/{workspace.slug}/").headers["Location"]
    assert "/accounts/login/" in location
    assert f"/w/{workspace.slug}/" in location.replace("%2F", "/")


def test_a_strangers_workspace_is_a_missing_page(charlie_client: Client, workspace: Workspace) -> None:
    assert charlie_client.get(f"/w/{workspace.slug}/").status_code == 404
