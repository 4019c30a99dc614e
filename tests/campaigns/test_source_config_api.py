import pytest
from django.db import connection as database

from accounts.scope import workspace_scope
from campaigns.models import Campaign, Post, Source
from campaigns.sources import create_source
from marketing.celery import app
from tests.campaigns.feed_server import item, rss, running

pytestmark = pytest.mark.django_db
URL = "/api/projects"
FEED = {"name": "News", "feed_url": "https://example.com/feed"}


@pytest.fixture
def bob_api(api, bob, in_workspace):
    return api(bob)


@pytest.fixture
def feed(in_workspace, bob_actor) -> Source:
    return create_source(by=bob_actor, name="News", feed_url="https://example.com/feed", config={"language": "de"})


def test_a_feed_is_created_with_its_config(bob_api):
    config = {"text_template": "{title} {link}", "tags": ["a"], "language": "de", "enhance": True}
    answer = bob_api.post(URL, FEED | {"config": config}, format="json")
    assert answer.status_code == 201
    body = answer.json()
    assert (body["kind"], body["feed_url"], body["folder"]) == ("feed", FEED["feed_url"], "")
    assert body["config"] == config | {"newest_only": 3, "submit": False}


def test_a_project_is_a_folder_or_a_feed(bob_api):
    for wrong in ({"name": "x"}, FEED | {"folder": "spring"}, {"name": "x", "folder": "", "feed_url": ""}):
        answer = bob_api.post(URL, wrong, format="json")
        assert (answer.status_code, list(answer.json()["errors"])) == (400, ["folder"])


def test_a_wrong_option_is_named(bob_api):
    answer = bob_api.post(URL, FEED | {"config": {"text_template": "{titel}"}}, format="json")
    assert (answer.status_code, list(answer.json()["errors"])) == (400, ["text_template"])
    assert not Source.objects.exists()


def test_a_wrong_address_is_named(bob_api):
    answer = bob_api.post(URL, {"name": "x", "feed_url": "ftp://example.com"}, format="json")
    assert (answer.status_code, list(answer.json()["errors"])) == (400, ["feed_url"])


def test_one_option_is_changed_alone(bob_api, feed):
    answer = bob_api.patch(f"{URL}/{feed.pk}", {"config": {"submit": True}}, format="json")
    assert (answer.json()["config"]["submit"], answer.json()["config"]["language"]) == (True, "de")


def test_projects_of_a_campaign_are_listed_with_their_config(bob_api, feed, in_workspace, bob_actor):
    campaign = Campaign.objects.create(workspace=in_workspace, name="Spring")
    for folder in ("one", "two"):
        create_source(by=bob_actor, name=folder, folder=folder, campaign=campaign, config={"tags": [folder]})
    rows = bob_api.get(URL, {"campaign": str(campaign.pk)}).json()["results"]
    assert sorted((row["name"], row["config"]["tags"]) for row in rows) == [("one", ["one"]), ("two", ["two"])]


def test_projects_are_listed_by_kind(bob_api, feed, bob_actor):
    create_source(by=bob_actor, name="one", folder="one")
    assert [row["name"] for row in bob_api.get(URL, {"kind": "feed"}).json()["results"]] == ["News"]


def test_a_repeated_request_makes_one_feed(bob_api):
    for _ in range(2):
        assert bob_api.post(URL, FEED, format="json", HTTP_IDEMPOTENCY_KEY="k").status_code == 201
    assert Source.objects.count() == 1


def test_a_viewer_cannot_add_a_feed(api, vic, in_workspace):
    assert api(vic).post(URL, FEED, format="json").status_code == 403


@pytest.fixture
def celery_eager():
    app.conf.task_always_eager = True
    yield
    app.conf.task_always_eager = False


@pytest.mark.django_db(transaction=True)
def test_a_feed_is_read_in_the_background_and_outside_the_request(api, bob, bob_actor, settings, celery_eager):
    settings.OUTBOUND_ALLOW_CIDRS = ["127.0.0.0/8"]

    with running() as server:
        url = server.put("/feed", rss(item("a")))
        with workspace_scope(bob_actor.workspace.pk):
            source = create_source(by=bob_actor, name="News", feed_url=url)
        answer = api(bob).post(f"{URL}/scan", {"project": str(source.pk)}, format="json")
    assert (answer.status_code, answer.json()["status"]) == (202, "queued")
    assert not database.in_atomic_block
    with workspace_scope(bob_actor.workspace.pk):
        assert Post.objects.get().title == "Title of a"
