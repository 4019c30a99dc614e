import os
from collections.abc import Iterator

import pytest
from django.db import connection as database
from django.test.utils import CaptureQueriesContext

from campaigns.models import Campaign, Post, Source
from campaigns.sources import create_source, scan_source
from marketing.celery import app
from tests.campaigns.cast import add_connection, folder_of
from tests.media_files import write_image, write_pair

pytestmark = pytest.mark.django_db
URL = "/api/projects"


@pytest.fixture
def bob_api(api, bob, in_workspace):
    return api(bob)


@pytest.fixture
def source(in_workspace, bob_actor) -> Source:
    source = create_source(by=bob_actor, name="Spring", folder="spring")
    write_pair(folder_of(source) / "hero.jpg", title="Hello")
    write_image(folder_of(source) / "alone.png")
    return source


@pytest.fixture
def celery_eager() -> Iterator[None]:
    app.conf.task_always_eager = True
    yield
    app.conf.task_always_eager = False


def scan(client, source: Source):
    return client.post(f"{URL}/scan", {"project": str(source.pk)}, format="json")


# --- projects -------------------------------------------------------------------------------------------------


def test_project_is_created(bob_api, in_workspace):
    campaign = Campaign.objects.create(workspace=in_workspace, name="Spring")
    target = add_connection(in_workspace)
    body = {"name": "Spring", "folder": "spring/", "campaign": str(campaign.pk), "connections": [str(target.pk)]}
    answer = bob_api.post(URL, body, format="json")
    assert answer.status_code == 201
    assert (body | {"folder": "spring"}).items() <= answer.json().items()
    assert (answer.json()["items"], answer.json()["scanned_at"], answer.json()["is_active"]) == ([], None, True)


@pytest.mark.parametrize(
    ("field", "value"),
    [("name", ""), ("folder", "../other"), ("folder", "/etc"), ("folder", "a\x00"), ("connections", ["7"])],
)
def test_wrong_field_is_named(bob_api, field, value):
    answer = bob_api.post(URL, {"name": "Spring", "folder": "spring", field: value}, format="json")
    assert (answer.status_code, list(answer.json()["errors"])) == (400, [field])
    assert not Source.objects.exists()


def test_list_shows_the_last_scan(bob_api, source, bob_actor):
    scan_source(source, by=bob_actor)
    (row,) = bob_api.get(URL).json()["results"]
    assert (row["name"], row["folder"], row["files"]) == ("Spring", "spring", {"used": 1, "problem": 1, "vanished": 0})
    assert row["scanned_at"]


def test_list_asks_as_often_for_20_rows_as_for_10(bob_api, bob_actor, in_workspace):
    target = add_connection(in_workspace)
    for number in range(10):
        create_source(by=bob_actor, name="x", folder=str(number), connections=[target.pk])
    bob_api.get(URL)
    with CaptureQueriesContext(database) as ten:
        bob_api.get(URL)
    for number in range(10, 20):
        create_source(by=bob_actor, name="x", folder=str(number), connections=[target.pk])
    with CaptureQueriesContext(database) as twenty:
        assert len(bob_api.get(URL).json()["results"]) == 20
    assert len(twenty) == len(ten)


def test_detail_names_every_file_with_its_post_or_the_reason(bob_api, source, bob_actor):
    scan_source(source, by=bob_actor)
    items = {item["path"]: item for item in bob_api.get(f"{URL}/{source.pk}").json()["items"]}
    assert (items["hero.jpg"]["status"], items["hero.jpg"]["post"]) == ("used", str(Post.objects.get().pk))
    assert (items["alone.png"]["status"], items["alone.png"]["code"]) == ("problem", "no_metadata")
    assert items["alone.png"]["message"]


def test_project_is_changed(bob_api, source, in_workspace):
    campaign = Campaign.objects.create(workspace=in_workspace, name="Spring")
    answer = bob_api.patch(f"{URL}/{source.pk}", {"is_active": False, "campaign": str(campaign.pk)}, format="json")
    assert (answer.json()["is_active"], answer.json()["campaign"]) == (False, str(campaign.pk))
    assert answer.json()["name"] == "Spring"


def test_connections_are_changed_alone(bob_api, source, in_workspace):
    target = add_connection(in_workspace)
    answer = bob_api.patch(f"{URL}/{source.pk}", {"connections": [str(target.pk)]}, format="json")
    assert answer.json()["connections"] == [str(target.pk)]


def test_project_is_forgotten_and_its_posts_stay(bob_api, source, bob_actor):
    scan_source(source, by=bob_actor)
    assert bob_api.delete(f"{URL}/{source.pk}").status_code == 204
    assert (Source.objects.count(), Post.objects.count()) == (0, 1)


# --- scan -----------------------------------------------------------------------------------------------------


def test_scan_answers_its_report(bob_api, source):
    answer = scan(bob_api, source)
    assert answer.status_code == 200
    body = answer.json()
    assert (body["project"], body["status"], body["created"], body["error"]) == (str(source.pk), "done", 1, "")
    assert [(p["path"], p["code"]) for p in body["problems"]] == [("alone.png", "no_metadata")]


def test_posts_of_a_scan_belong_to_the_person_who_asked(bob_api, source, bob):
    scan(bob_api, source)
    assert Post.objects.get().created_by == bob


def test_second_scan_answers_that_nothing_changed(bob_api, source):
    scan(bob_api, source)
    body = scan(bob_api, source).json()
    assert (body["created"], body["unchanged"]) == (0, 1)
    assert Post.objects.count() == 1


def test_missing_folder_is_answered_and_kept(bob_api, source):
    folder_of(source).rename(folder_of(source).with_name("away"))
    body = scan(bob_api, source).json()
    assert (body["created"], body["error"]) == (0, "“spring”: There is no such folder.")
    assert bob_api.get(f"{URL}/{source.pk}").json()["scan_error"] == body["error"]


def test_large_folder_is_scanned_in_the_background(bob_api, source, celery_eager, django_capture_on_commit_callbacks):
    os.truncate(write_image(folder_of(source) / "large.png"), 300 * 1024**2)
    with django_capture_on_commit_callbacks(execute=True):
        answer = scan(bob_api, source)
        assert (answer.status_code, answer.json()) == (202, {"project": str(source.pk), "status": "queued"})
        assert not Post.objects.exists()
    assert Post.objects.get().title == "Hello"


@pytest.mark.parametrize("body", [{}, {"project": "spring"}, {"project": None}])
def test_scan_of_nothing_is_refused(bob_api, body):
    answer = bob_api.post(f"{URL}/scan", body, format="json")
    assert (answer.status_code, list(answer.json()["errors"])) == (400, ["project"])
