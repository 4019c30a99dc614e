import time

import pytest

from campaigns.feeds import Entry, Feed, find_feed, parse_feed, read_feed
from campaigns.feeds_text import plain_text, web_address
from lib.public_http import Fetched, FetchError
from tests.campaigns.feed_server import item, rss, running

ATOM = """<?xml version="1.0" encoding="utf-8"?><feed xmlns="http://www.w3.org/2005/Atom"><title>Atom news</title>
<entry><id>tag:1</id>
<title type="html">Beans &amp;amp; &lt;b&gt;more&lt;/b&gt;</title>
<link rel="alternate" href="/one"/><updated>2026-11-20T09:00:00Z</updated>
<category term="decaf"/>
<content type="html">&lt;p&gt;First.&lt;/p&gt;&lt;p&gt;Second.&lt;/p&gt;</content></entry></feed>"""


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


def parse(body: bytes | str, content_type: str = "application/xml", charset: str = "") -> Feed | None:
    raw = body.encode() if isinstance(body, str) else body
    return parse_feed(Fetched("https://example.com/feed", 200, raw, content_type, charset, "", ""))


def entries(*items: str) -> tuple[Entry, ...]:
    feed = parse(rss(*items))
    assert feed
    return feed.entries


def only(*items: str) -> Entry:
    (entry,) = entries(*items)
    return entry


# --- what an entry says -----------------------------------------------------------------------------------


def test_an_rss_item_is_read():
    entry = only(item("a", "Fresh", 20, "<description>Just in.</description><category>beans</category>"))
    facts = (entry.title, entry.link, entry.summary, entry.tags)
    assert facts == ("Fresh", "https://example.com/a", "Just in.", ("beans",))
    assert entry.published_at.isoformat() == "2026-11-20T10:00:00+00:00"


def test_an_atom_entry_is_read():
    (entry,) = parse(ATOM).entries
    assert (entry.title, entry.link, entry.tags) == ("Beans & more", "https://example.com/one", ("decaf",))
    assert entry.text == "First.\nSecond."


def test_the_older_rss_is_read():
    feed = parse(
        '<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#" xmlns="http://purl.org/rss/1.0/">'
        '<item rdf:about="x"><title>Old</title><link>https://example.com/x</link></item></rdf:RDF>'
    )
    assert [entry.title for entry in feed.entries] == ["Old"]


def test_chinese_in_its_own_encoding_is_read():
    body = rss(item("a", "新品上架")).decode().replace('version="1.0"?', 'version="1.0" encoding="gb18030"?')
    (entry,) = parse(body.encode("gb18030")).entries
    assert entry.title == "新品上架"


def test_the_servers_charset_counts_where_the_document_is_silent():
    (entry,) = parse(rss(item("a", "Röstung")).decode().encode("latin-1"), charset="iso-8859-1").entries
    assert entry.title == "Röstung"


def test_scripts_and_marks_do_not_reach_the_text():
    html = "&lt;p onclick='x()'&gt;Hi &lt;script&gt;alert(1)&lt;/script&gt;&lt;b&gt;there&lt;/b&gt;&lt;/p&gt;"
    assert only(item("a", more=f"<description>{html}</description>")).text == "Hi there"


def test_a_link_that_is_no_web_address_is_left_out():
    assert only("<item><guid>a</guid><title>T</title><link>javascript:alert(1)</link></item>").link == ""


def test_a_missing_title_is_the_beginning_of_the_text():
    assert only("<item><guid>a</guid><description>Only words here.</description></item>").title == "Only words here."


def test_a_long_summary_is_cut_between_words():
    summary = only(item("a", more=f"<description>{'word ' * 400}</description>")).summary
    assert len(summary) <= 1000
    assert summary.endswith("word…")


def test_entities_are_not_fetched_and_do_not_explode():
    bomb = '<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;"><!ENTITY f SYSTEM "file:///etc/passwd">]>'
    body = rss(item("a", "&b;&f;")).decode().replace('<?xml version="1.0"?>', f'<?xml version="1.0"?>{bomb}')
    feed = parse(body)
    assert "root:" not in str(feed)


def test_a_feed_that_breaks_off_is_read_as_far_as_it_goes():
    whole = rss(item("a"), item("b"))
    feed = parse(whole[: whole.index(b"Title of b")])
    assert feed.entries[-1].title == "Title of a" or feed.entries[0].title == "Title of a"


@pytest.mark.parametrize("body", ["", "hello", "<html><body>No</body></html>", '{"items": []}', "/etc/passwd"])
def test_what_is_no_feed_is_none(body):
    assert parse(body) is None


def test_a_feed_without_entries_is_one():
    assert parse(rss()).entries == ()


# --- the same entry ---------------------------------------------------------------------------------------


def test_an_edited_entry_keeps_its_key():
    before = only(item("a", "Before", 1))
    assert before.key == only(item("a", "After", 5, "<description>New</description>")).key


def test_without_an_id_the_link_is_the_key():
    plain = "<item><title>{}</title><link>https://example.com/a</link></item>"
    assert only(plain.format("Before")).key == only(plain.format("After")).key


def test_without_id_and_link_the_words_are_the_key():
    first, second = entries("<item><title>A</title></item>", "<item><title>B</title></item>")
    assert first.key != second.key


def test_a_repeated_entry_comes_once():
    assert len(entries(item("a"), item("b"), item("a"))) == 2


def test_the_newest_comes_first_whatever_the_order():
    found = entries(item("old", day=1), item("new", day=9), item("mid", day=5))
    assert [entry.link[-3:] for entry in found] == ["new", "mid", "old"]


def test_without_dates_the_order_of_the_feed_stays():
    assert [entry.title for entry in entries(item("b"), item("a"))] == ["Title of b", "Title of a"]


# --- pictures ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "more",
    [
        '<media:content url="https://example.com/a.png" medium="image"/>',
        '<media:content url="https://example.com/a.png" type="image/png"/>',
        '<media:thumbnail url="https://example.com/a.png"/>',
        '<enclosure url="https://example.com/a.png" type="image/png" length="1"/>',
        '<description>&lt;img src="/a.png"&gt;</description>',
    ],
)
def test_the_picture_is_found_wherever_it_stands(more):
    assert only(item("a", more=more)).picture == "https://example.com/a.png"


def test_a_sound_is_no_picture():
    assert (
        only(item("a", more='<enclosure url="https://example.com/a.mp3" type="audio/mpeg" length="1"/>')).picture == ""
    )


# --- reading over the wire --------------------------------------------------------------------------------


def test_marks_of_the_server_come_along(server):
    url = server.put("/feed", rss(), etag='"1"', last_modified="Sat, 21 Nov 2026 00:00:00 GMT")
    feed = read_feed(url)
    assert (feed.etag, feed.modified) == ('"1"', "Sat, 21 Nov 2026 00:00:00 GMT")


def test_an_unchanged_feed_is_none(server):
    assert read_feed(server.put("/feed", rss(), etag='"1"'), etag='"1"') is None


def test_a_page_leads_to_its_feed(server):
    server.put("/news.xml", rss(item("a")), content_type="application/rss+xml")
    page = '<html><head><link rel="alternate" type="application/rss+xml" href="news.xml"></head></html>'
    found = find_feed(server.put("/blog", page.encode(), content_type="text/html"))
    assert (found.url, len(found.entries)) == (server.url("/news.xml"), 1)


def test_a_page_without_a_feed_says_so(server):
    url = server.put("/", b"<html><link rel=stylesheet href=a.css></html>", content_type="text/html")
    with pytest.raises(FetchError, match="no feed at this address"):
        find_feed(url)


@pytest.mark.parametrize("charset", ["punycode", "IDNA", "undefined", "zlib", "hex"])
def test_a_charset_that_is_none_spoils_nothing(server, charset):
    feed = server.put("/", rss(item("a", "Beans")), content_type=f"application/xml; charset={charset}")
    assert [entry.title for entry in find_feed(feed).entries] == ["Beans"]
    page = server.put("/", b"<html>" + b"a-" * 200_000, content_type=f"text/html; charset={charset}")
    with pytest.raises(FetchError, match="no feed at this address"):
        find_feed(page)


@pytest.mark.parametrize("written", ["utf-8", "utf-16"])
@pytest.mark.parametrize("named", ["punycode", "-IDNA-", "undefined", "x\0y"])
def test_a_document_that_names_an_encoding_of_no_text_is_no_feed(written, named):
    text = f'<?xml version="1.0" encoding="utf-8" encoding="{named}"?><rss>x-{"a" * 200_000}</rss>'
    started = time.process_time()
    assert parse(text.encode(written)) is None
    assert time.process_time() - started < 1


def test_a_page_that_leads_into_the_own_network_is_refused(server):
    page = b'<link rel="alternate" type="application/atom+xml" href="http://10.0.0.1/feed">'
    url = server.put("/", page, content_type="text/html; charset=nonsense")
    with pytest.raises(FetchError, match="not on the public internet"):
        find_feed(url)


@pytest.mark.parametrize(
    ("html", "text"),
    [
        ("a<br>b", "a\nb"),
        ("<p>a\n  b</p><p>c</p>", "a b\nc"),
        ("5 &lt; 6 &amp; so", "5 < 6 & so"),
        ("<style>p{}</style>x<script>y</script>", "x"),
        ("<b>unclosed", "unclosed"),
    ],
)
def test_html_becomes_plain_text(html, text):
    assert plain_text(html) == text


@pytest.mark.parametrize("url", ["data:image/png;base64,AA", "ftp://a/b", "http://a b/", "http://[x", "mailto:a@b.c"])
def test_only_web_addresses_are_kept(url):
    assert web_address(url, "https://example.com/") == ""
