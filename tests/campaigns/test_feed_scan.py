from datetime import timedelta
from io import BytesIO

import pytest
from PIL import Image

from accounts.scope import workspace_scope
from campaigns.errors import NotAllowedNow
from campaigns.models import Campaign, Delivery, MediaAsset, Post, Source, SourceItem
from campaigns.services import delete_post
from campaigns.source_rescan import rescan_source, sources_to_rescan
from campaigns.source_scan import scan_source
from campaigns.sources import create_source, update_source
from lib.clock import now, shifted
from tests.campaigns.cast import add_connection, texts_of
from tests.campaigns.feed_server import item, rss, running

pytestmark = pytest.mark.django_db


@pytest.fixture(scope="module")
def running_server():
    with running() as server:
        yield server


@pytest.fixture
def server(running_server, settings):
    settings.OUTBOUND_ALLOW_CIDRS = ["127.0.0.0/8"]
    running_server.pages.clear()
    running_server.asked.clear()
    return running_server


@pytest.fixture
def make(in_workspace, bob_actor, server):
    def feed(*items: str, path: str = "/feed", **fields) -> Source:
        server.put(path, rss(*items))
        return create_source(by=bob_actor, name="News", feed_url=server.url(path), **fields)

    return feed


@pytest.fixture
def scan(bob_actor):
    """As somebody who presses the button, with the source as it is by then."""
    return lambda source: scan_source(Source.objects.select_related("workspace").get(pk=source.pk), by=bob_actor)


@pytest.fixture
def read_before(make, scan, server):
    """A feed whose old news is read already; what `server.put` adds is new."""
    source = make(item("old", day=1))
    scan(source)
    return source


def fresh(source: Source) -> Source:
    return Source.objects.get(pk=source.pk)


def titles() -> list[str]:
    return list(Post.objects.order_by("pk").values_list("title", flat=True))


def picture(colour: str = "brown", kind: str = "PNG") -> bytes:
    buffer = BytesIO()
    Image.new("RGB", (120, 80), colour).save(buffer, kind)
    return buffer.getvalue()


# --- entries become drafts --------------------------------------------------------------------------------


def test_at_first_only_the_newest_three_become_drafts(make, scan):
    report = scan(make(*[item(f"n{day}", day=day) for day in (1, 2, 3, 4, 5)]))
    assert report.created == 3
    assert titles() == ["Title of n3", "Title of n4", "Title of n5"]


def test_how_many_at_first_is_the_sources_own_choice(make, scan):
    scan(make(item("a", day=1), item("b", day=2), config={"newest_only": 0}))
    assert titles() == []


def test_what_was_there_before_is_never_made_later(make, scan):
    source = make(*[item(f"n{day}", day=day) for day in (1, 2, 3, 4, 5)])
    scan(source)
    assert scan(source).created == 0
    assert SourceItem.objects.filter(source=source, code="seen").count() == 2


def test_everything_that_comes_afterwards_becomes_a_draft(read_before, scan, server):
    server.put("/feed", rss(*[item(f"n{day}", day=day) for day in range(2, 9)], item("old", day=1)))
    assert scan(read_before).created == 7


def test_a_first_reading_that_was_empty_was_one(make, scan, server):
    source = make()
    scan(source)
    server.put("/feed", rss(*[item(f"n{day}") for day in range(5)]))
    assert scan(source).created == 5


def test_a_feed_that_repeats_reorders_and_edits_makes_nothing_twice(read_before, scan, server):
    server.put("/feed", rss(item("old", "Edited", day=9), item("new", day=2), item("old", day=1), item("new", day=2)))
    assert scan(read_before).created == 1
    assert sorted(titles()) == ["Title of new", "Title of old"]


def test_a_deleted_post_does_not_come_back(read_before, scan, bob_actor):
    delete_post(Post.objects.get(), by=bob_actor)
    assert scan(read_before).created == 0


def test_an_entry_that_left_the_feed_and_came_back_is_the_same(read_before, scan, server):
    server.put("/feed", rss())
    scan(read_before)
    server.put("/feed", rss(item("old", day=1)))
    assert scan(read_before).created == 0


def test_the_same_entry_of_two_feeds_is_two_posts(make, scan):
    scan(make(item("a")))
    scan(make(item("a"), path="/other"))
    assert len(titles()) == 2


def test_a_draft_is_of_the_source_its_campaign_and_its_accounts(make, scan, in_workspace):
    target = add_connection(in_workspace)
    campaign = Campaign.objects.create(workspace=in_workspace, name="Spring")
    source = make(item("a"), campaign=campaign, connections=[target.pk])
    scan(source)
    post = Post.objects.get()
    assert (post.source, post.campaign) == (source, campaign)
    assert (post.deliveries.get().connection, post.deliveries.get().state) == (target, "draft")


def test_the_author_is_who_asked(make, scan, bob):
    scan(make(item("a")))
    assert Post.objects.get().created_by == bob


def test_the_text_is_title_link_and_tags(make, scan):
    scan(make(item("a", "Fresh beans", more="<category>slow coffee</category>"), config={"tags": ["roastery"]}))
    assert texts_of(Post.objects.get()) == ["Fresh beans\n\nhttps://example.com/a\n\n#roastery #slowcoffee"]


def test_the_template_is_the_sources_own(make, scan):
    more = "<description>Just &lt;b&gt;in&lt;/b&gt;.</description>"
    config = {"text_template": "{source}: {summary} {link}", "language": "de", "tags": ["neu"]}
    scan(make(item("a", more=more), config=config))
    post = Post.objects.get()
    assert texts_of(post) == ["News: Just in. https://example.com/a"]
    assert (post.language, post.tags) == ("de", ["neu"])


def test_words_of_the_feed_are_no_template(make, scan):
    scan(make(item("a", "{tags} {0.__class__} {link}"), config={"text_template": "{title}"}))
    assert texts_of(Post.objects.get()) == ["{tags} {0.__class__} {link}"]


def test_what_cannot_be_sent_is_a_draft_with_the_reason(make, scan, in_workspace):
    target = add_connection(in_workspace)
    source = make(item("a", "long " * 100), connections=[target.pk], config={"text_template": "{title}{title}"})
    report = scan(source)
    assert report.created == 1
    assert [problem.code for problem in report.problems] == ["not_sendable"]
    assert SourceItem.objects.get().message.startswith("@roastery:")


def test_new_posts_go_to_review_where_the_source_says_so(make, scan, in_workspace):
    target = add_connection(in_workspace)
    scan(make(item("a"), connections=[target.pk], config={"submit": True}))
    assert Delivery.objects.get().state == "in_review"


def test_without_an_account_nothing_goes_to_review_and_the_reason_is_noted(make, scan):
    scan(make(item("a"), config={"submit": True}))
    assert SourceItem.objects.get().code == "not_submitted"


def test_only_so_many_at_once_and_the_rest_next_time(read_before, scan, server, monkeypatch):
    monkeypatch.setattr("campaigns.feeds_scan.MAX_DRAFTS", 2)
    server.put("/feed", rss(*[item(f"n{day}", day=day) for day in (2, 3, 4)]), etag='"1"')
    assert scan(read_before).created == 2
    assert scan(read_before).created == 1
    assert titles() == ["Title of old", "Title of n2", "Title of n3", "Title of n4"]


# --- the wire ---------------------------------------------------------------------------------------------


def test_an_unchanged_feed_is_not_sent_again(make, scan, server):
    source = make()
    server.put("/feed", rss(item("a")), etag='"1"')
    scan(source)
    report = scan(source)
    assert server.asked[-1][1]["If-None-Match"] == '"1"'
    assert (report.created, report.error) == (0, "")


def test_a_page_is_replaced_by_its_feed(in_workspace, bob_actor, scan, server):
    server.put("/news.xml", rss(item("a")))
    page = b'<link rel="alternate" type="application/rss+xml" href="/news.xml">'
    url = server.put("/blog", page, content_type="text/html")
    source = create_source(by=bob_actor, name="Blog", feed_url=url)
    assert scan(source).created == 1
    assert fresh(source).feed_url == server.url("/news.xml")


def test_a_page_of_a_feed_that_is_read_already_says_so(make, scan, bob_actor, server):
    make(item("a"))
    page = b'<link rel="alternate" type="application/rss+xml" href="/feed">'
    url = server.put("/blog", page, content_type="text/html")
    source = create_source(by=bob_actor, name="Blog", feed_url=url)
    assert "another source reads already" in scan(source).error


def test_a_feed_in_the_own_network_is_refused(make, scan, settings):
    source = make(item("a"))
    settings.OUTBOUND_ALLOW_CIDRS = []
    assert scan(source).error == "This address is not on the public internet."


def test_a_viewer_cannot_scan(make, vic_actor):
    with pytest.raises(Exception, match="cannot change content"):
        scan_source(make(item("a")), by=vic_actor)


# --- broken feeds -----------------------------------------------------------------------------------------


def test_a_broken_feed_says_why_and_when_it_is_tried_again(read_before, scan, server):
    server.put("/feed", b"", 500)
    assert scan(read_before).error == "Its server refused with HTTP 500."
    source = fresh(read_before)
    assert source.scan_error == "Its server refused with HTTP 500."
    assert timedelta(minutes=4) < source.next_scan_at - now() <= timedelta(minutes=5)


def test_each_failure_doubles_the_pause_up_to_a_day(read_before, scan, server):
    server.put("/feed", b"", 404)
    pauses = []
    for _ in range(10):
        scan(read_before)
        pauses.append(round((fresh(read_before).next_scan_at - now()) / timedelta(minutes=5)))
    assert pauses == [1, 2, 4, 8, 16, 32, 64, 128, 256, 288]


def test_the_server_may_ask_for_a_longer_pause(read_before, scan, server):
    server.put("/feed", b"", 429, retry_after="7200")
    scan(read_before)
    assert fresh(read_before).next_scan_at - now() > timedelta(minutes=119)


def test_a_feed_that_came_back_is_as_before(read_before, scan, server):
    server.put("/feed", b"<html>Closed for repair</html>")
    scan(read_before)
    server.put("/feed", rss(item("new", day=2), item("old", day=1)))
    assert scan(read_before).created == 1
    source = fresh(read_before)
    assert (source.scan_error, source.failures) == ("", 0)


def test_a_broken_feed_touches_nothing_that_was_read(read_before, scan, server):
    server.put("/feed", b"", 404)
    scan(read_before)
    assert (titles(), SourceItem.objects.count()) == (["Title of old"], 1)


def test_another_address_is_another_feed(read_before, scan, bob_actor, server):
    server.put("/feed", b"", 500)
    scan(read_before)
    server.put("/other", rss(*[item(f"o{day}", day=day) for day in range(1, 6)]))
    update_source(fresh(read_before), by=bob_actor, feed_url=server.url("/other"))
    source = fresh(read_before)
    assert (source.scan_error, source.next_scan_at, source.read_at) == ("", None, None)
    assert scan(source).created == 3


# --- by itself --------------------------------------------------------------------------------------------


def test_beat_asks_again_when_the_time_has_come(read_before):
    assert sources_to_rescan() == []
    with shifted(timedelta(minutes=16)):
        assert [pk for _, pk in sources_to_rescan()] == [read_before.pk]


def test_beat_reads_the_feed_in_the_name_of_the_source(make, workspace):
    source = make(item("a"))
    rescan_source(workspace.pk, source.pk)
    with workspace_scope(workspace.pk):
        assert titles() == ["Title of a"]


def test_a_scan_that_somebody_else_runs_is_no_error_for_beat(make, workspace, monkeypatch):
    source = make(item("a"))

    def busy(*_args, **_kwargs):
        raise NotAllowedNow("busy")

    monkeypatch.setattr("campaigns.source_rescan.scan_source", busy)
    rescan_source(workspace.pk, source.pk)
    assert titles() == []


# --- pictures ---------------------------------------------------------------------------------------------


def with_picture(server, body: bytes, status: int = 200) -> str:
    url = server.put("/pictures/caf%C3%A9%20(1).png", body, status, content_type="image/png")
    return item("a", more=f'<media:content url="{url}" medium="image"/>')


def test_the_picture_comes_into_the_library(make, scan, server):
    scan(make(with_picture(server, picture())))
    asset = MediaAsset.objects.get()
    assert (asset.name, asset.mime) == ("café (1).png", "image/png")
    assert Post.objects.get().parts.get().media.get().asset == asset


def test_the_content_says_what_kind_it_is(make, scan, server):
    scan(make(with_picture(server, picture(kind="JPEG"))))
    assert MediaAsset.objects.get().name == "café (1).jpg"


@pytest.mark.parametrize("body", [b"<svg xmlns='x'></svg>", b"<html>", picture()[:60], b"\x1a\x45\xdf\xa3 webm"])
def test_what_is_no_picture_leaves_a_draft_without_one(make, scan, server, body):
    report = scan(make(with_picture(server, body)))
    assert (report.created, [problem.code for problem in report.problems]) == (1, ["no_picture"])
    assert not MediaAsset.objects.exists()


def test_a_picture_that_is_gone_leaves_a_draft_and_a_note(make, scan, server):
    scan(make(with_picture(server, b"", 404)))
    assert SourceItem.objects.get().message == "Its picture could not be read: There is nothing at this address."


def test_a_picture_in_the_own_network_is_not_asked_for(make, scan, server):
    report = scan(make(item("a", more='<media:content url="http://10.0.0.1/a.png" medium="image"/>')))
    assert report.problems[0].message.endswith("This address is not on the public internet.")


def test_pictures_of_old_news_are_not_fetched(make, scan, server):
    source = make(with_picture(server, picture()), config={"newest_only": 0})
    scan(source)
    assert server.paths() == ["/feed"]
