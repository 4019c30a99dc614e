import pytest
from django.test import Client

from campaigns.models import Post, Source
from campaigns.source_config import read_config
from campaigns.source_scan import scan_source
from campaigns.sources import create_source
from tests.campaigns.feed_server import item, rss, running

pytestmark = pytest.mark.django_db
NEW = "/sources/new?kind=feed"
FORM = {"name": "News", "feed_url": "https://example.com/feed", "is_active": "on"}


@pytest.fixture(scope="module")
def running_server():
    with running() as server:
        yield server


@pytest.fixture
def server(running_server, settings):
    settings.OUTBOUND_ALLOW_CIDRS = ["127.0.0.0/8"]
    running_server.pages.clear()
    return running_server


@pytest.fixture
def feed(in_workspace, bob_actor, server) -> Source:
    server.put("/feed", rss(item("a", "Fresh"), item("b", "Older")))
    return create_source(by=bob_actor, name="News", feed_url=server.url("/feed"), config={"newest_only": 1})


@pytest.fixture
def address(feed: Source) -> str:
    return f"/sources/{feed.pk}"


def test_an_editor_adds_a_feed_with_its_configuration(bob_client: Client, in_workspace):
    given = {"text_template": "{title} {link}", "tags": "#beans, decaf，中文", "language": "de", "newest_only": "5"}
    answer = bob_client.post(NEW, FORM | given | {"enhance": "on", "submit": "on"})
    source = Source.objects.get()
    assert answer.status_code == 302
    assert (source.kind, source.feed_url) == ("feed", "https://example.com/feed")
    assert read_config(source.config).as_json() == {
        "text_template": "{title} {link}",
        "tags": ["beans", "decaf", "中文"],
        "language": "de",
        "enhance": True,
        "newest_only": 5,
        "submit": True,
    }


def test_how_many_at_first_may_be_left_open(bob_client: Client, in_workspace):
    bob_client.post(NEW, FORM | {"newest_only": ""})
    assert read_config(Source.objects.get().config).newest_only == 3


@pytest.mark.parametrize(
    ("field", "value"),
    [("feed_url", "ftp://example.com"), ("text_template", "{titel}"), ("tags", "!!!"), ("language", "Deutsch bitte")],
)
def test_a_mistake_is_named_beside_its_field_and_nothing_is_lost(bob_client: Client, in_workspace, field, value):
    answer = bob_client.post(NEW, FORM | {field: value})
    assert (answer.status_code, list(answer.context["form"].errors)) == (422, [field])
    assert value in answer.content.decode()
    assert not Source.objects.exists()


def test_the_form_shows_what_is_set(bob_client: Client, feed, address):
    html = bob_client.get(f"{address}/edit").content.decode()
    assert feed.feed_url in html
    assert 'name="newest_only" value="1"' in html


def test_a_scan_makes_drafts_and_lists_them(bob_client: Client, address):
    html = bob_client.post(f"{address}/scan", follow=True).content.decode()
    assert Post.objects.get().title == "Fresh"
    assert "Fresh" in html
    assert "“Older” was there before this feed was added." in html


def test_a_broken_feed_says_why_and_when_again(bob_client: Client, bob_actor, feed, address, server):
    server.put("/feed", b"", 503)
    scan_source(feed, by=bob_actor)
    for page in (address, "/sources"):
        html = bob_client.get(page).content.decode()
        assert "Its server refused with HTTP 503." in html
    assert "It is tried again" in bob_client.get(address).content.decode()


def test_no_path_of_the_server_is_shown(bob_client: Client, address, settings):
    assert str(settings.SOURCES_ROOT) not in bob_client.get(address).content.decode()


def test_words_of_a_feed_cannot_break_out_of_the_page(bob_client: Client, bob_actor, feed, address, server):
    server.put(
        "/feed", rss(item("x", "&lt;script&gt;alert(1)&lt;/script&gt;Hi"), item("y", "&amp;lt;img src=x&amp;gt;"))
    )
    scan_source(feed, by=bob_actor)
    html = bob_client.get(address).content.decode()
    assert "alert(1)</script>" not in html
    assert "<img src=x>" not in html


def test_removing_a_feed_keeps_its_posts(bob_client: Client, bob_actor, feed, address):
    scan_source(feed, by=bob_actor)
    bob_client.post(f"{address}/delete")
    assert (Source.objects.count(), Post.objects.count()) == (0, 1)


def test_a_strangers_feed_is_a_missing_page(charlie_client: Client, address):
    assert charlie_client.get(address).status_code == 404
