"""What only an attacker sends: none of it may break a page, a route or a scan."""

import base64

import pytest
from django.core.exceptions import ValidationError
from django.test import Client

from accounts.access import Actor
from accounts.models import User, Workspace
from accounts.scope import workspace_scope
from accounts.services import LAST_MOMENT, create_api_key
from campaigns.library import store_path
from campaigns.models import Delivery, MediaAsset
from campaigns.sources import create_source, scan_source
from lib.media import probe
from tests.campaigns.cast import add_connection, add_post, folder_of
from tests.media_files import write_image, write_pair

pytestmark = pytest.mark.django_db
LONG_NUMBER = "9" * 5000
BEYOND_SOME_ZONE = "9999-12-31T23:59:00Z"


@pytest.fixture
def browser(alice: User, workspace: Workspace) -> Client:
    client = Client(raise_request_exception=False)
    client.force_login(alice, backend="django.contrib.auth.backends.ModelBackend")
    return client


@pytest.fixture
def delivery(alice_actor: Actor, in_workspace: Workspace) -> Delivery:
    post = add_post(alice_actor, add_connection(in_workspace))
    return Delivery.objects.get(post=post)


@pytest.fixture
def picture(in_workspace: Workspace, tmp_path) -> MediaAsset:
    path = write_image(tmp_path / "a.jpg")
    return store_path(path, "a.jpg", probe(path), workspace=in_workspace)


# --- pages --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("words", ["%00", "a%00b"])
def test_search_of_the_library_survives_a_nul(browser, words):
    assert browser.get(f"/w/roastery/media-library?q={words}").status_code == 200


@pytest.mark.parametrize(
    "sent",
    [
        {"library": "0", "library_query": "\0"},
        {"action": "search", "library": "0", "library_query": "\0"},
        {"library": LONG_NUMBER},
        {"revision": LONG_NUMBER},
        {"revision": "9" * 20},
    ],
)
def test_preview_survives_what_no_browser_sends(browser, sent):
    assert browser.post("/w/roastery/posts/preview", sent).status_code == 200


def test_link_into_the_composer_survives_a_long_number(browser):
    assert browser.get("/w/roastery/posts/new", {"library": LONG_NUMBER}).status_code == 200


@pytest.mark.parametrize("sent", [f"bytes={LONG_NUMBER}-", f"bytes=0-{LONG_NUMBER}", f"bytes=-{LONG_NUMBER}"])
def test_range_with_more_digits_than_any_file_is_ignored(browser, picture, sent):
    answer = browser.get(f"/w/roastery/media/{picture.pk}/file", headers={"Range": sent})
    assert answer.status_code == 200


# --- moments at the ends of the calendar ----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("zone", "at"), [("America/New_York", "9999-12-31T23:59"), ("Europe/Berlin", "0001-01-01T00:00")]
)
def test_time_that_does_not_exist_in_utc_is_refused_beside_the_field(browser, delivery, in_workspace, zone, at):
    Workspace.objects.filter(pk=in_workspace.pk).update(time_zone=zone)
    answer = browser.post(f"/w/roastery/deliveries/{delivery.pk}/schedule", {"at": at})
    assert answer.status_code == 422
    assert "Give a date and a time." in answer.text


def test_post_cannot_be_planned_for_a_moment_that_breaks_every_page(api, alice, delivery):
    answer = api(alice).post(f"/api/deliveries/{delivery.pk}/schedule", {"at": BEYOND_SOME_ZONE}, format="json")
    assert answer.status_code == 400
    assert "too far away" in answer.json()["errors"]["at"][0]


def test_dashboard_stays_open_after_somebody_tried(api, alice, browser, delivery):
    api(alice).post(f"/api/deliveries/{delivery.pk}/schedule", {"at": BEYOND_SOME_ZONE}, format="json")
    assert browser.get("/w/roastery/", headers={"Accept": "text/html"}).status_code == 200


def test_several_posts_cannot_be_planned_for_such_a_moment_either(api, alice, delivery):
    Delivery.objects.filter(pk=delivery.pk).update(state="approved")
    body = {"deliveries": [str(delivery.pk)], "at": BEYOND_SOME_ZONE}
    [result] = api(alice).post("/api/tasks/publish", body, format="json").json()["results"]
    assert (result["ok"], result["code"]) == (False, "invalid")


def test_key_cannot_expire_at_a_moment_that_breaks_the_page_of_keys(api, alice, workspace):
    body = {"name": "Far", "scopes": ["read"], "expires_at": BEYOND_SOME_ZONE}
    answer = api(alice, workspace=workspace).post("/api/keys", body, format="json")
    assert answer.status_code == 400
    assert list(answer.json()["errors"]) == ["expires_at"]


def test_service_refuses_such_a_key_too(alice_actor, in_workspace):
    with pytest.raises(ValidationError, match="too far away"):
        create_api_key("Far", ["read"], by=alice_actor, expires_at=LAST_MOMENT)


# --- routes -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("position", ["abc", "\0", "1.5"])
def test_made_up_cursor_is_bad_input(api, alice, workspace, position):
    cursor = base64.b64encode(f"p={position}".encode()).decode()
    answer = api(alice, workspace=workspace).get("/api/workspaces", {"cursor": cursor})
    assert answer.status_code == 400
    assert answer["Content-Type"] == "application/problem+json"
    assert "cursor" in answer.json()["errors"]


@pytest.mark.parametrize("path", ["auth/login", "auth/register", "campaigns", "posts"])
@pytest.mark.parametrize("body", ["[" * 200_000, '{"a":' * 200_000])
def test_deeply_nested_json_is_refused(api, alice, workspace, path, body):
    answer = api(alice).generic("POST", f"/api/{path}", body, content_type="application/json")
    assert answer.status_code == 400
    assert answer.json()["detail"] == "This JSON is nested too deeply."


def test_json_of_usual_depth_is_read(api, alice, workspace):
    body = {"name": "Deep", "config": {"a": [[[[[{"b": 1}]]]]]}}
    assert api(alice).post("/api/campaigns", body, format="json").status_code == 201


# --- names ----------------------------------------------------------------------------------------------------


def test_person_with_the_longest_address_can_sign_up(api, db):
    email = f"{'a' * 60}@{'b' * 60}.{'c' * 60}.example.org"
    answer = api().post("/api/auth/register", {"email": email, "password": "correct horse battery"}, format="json")
    assert answer.status_code == 201


def test_source_with_the_longest_name_is_scanned_by_itself(workspace, alice_actor):
    with workspace_scope(workspace.pk):
        source = create_source(by=alice_actor, name="n" * 120, folder="spring")
        write_pair(folder_of(source) / "a.jpg")
    assert scan_source(source).created == 1
