"""Links, mentions and tags in texts, and what becomes of them on the way back."""

import html
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sandbox.x.entities import entities, mentioned_handles, short_url, show
from sandbox.x.links import MAX_URL, find_links
from sandbox.x.weight import LINK_WEIGHT, weighted_length

WORDS = st.text("abc xyz é字🎉&<>@#$.:/!?\n", max_size=40)
LINKS = st.sampled_from(
    ["https://example.com", "http://example.org/a?b=c&d=e", "example.net/path", "HTTP://EXAMPLE.COM"]
)


def found(text: str) -> list[str]:
    return [link.text for link in find_links(text)]


@pytest.mark.parametrize(
    ("text", "links"),
    [
        ("https://example.com.", ["https://example.com"]),
        ("(https://example.com)", ["https://example.com"]),
        ("https://example.com/a(b)c", ["https://example.com/a(b)c"]),
        ("https://example.com/a,", ["https://example.com/a"]),
        ("https://example.com:8080/a", ["https://example.com:8080/a"]),
        ("https://example.com?a=b", ["https://example.com?a=b"]),
        ("https://example.com/#top", ["https://example.com/#top"]),
        ("https://sub.domain.example.co.uk/x", ["https://sub.domain.example.co.uk/x"]),
        ("one.com two.org", ["one.com", "two.org"]),
        ("one.com,two.org", ["one.com", "two.org"]),
        ("https://münchen.de", ["https://münchen.de"]),
        ("看https://例子.中国吧", ["https://例子.中国"]),
        ("https://t.co/abc123, yes", ["https://t.co/abc123"]),
        ("https://t.co", ["https://t.co"]),
        ("ends with a dot.", []),
        ("1.5 or 2.75", []),
        ("file.txt", []),
        ("bob@example.com", []),
        ("@example.com", []),
        ("#example.com", []),
        ("ftp://example.invalidtld", []),
        ("https://localhost/", []),
        ("https://127.0.0.1/", []),
        ("https://-example.com", []),
        ("https://t.co/" + "a" * 41, []),
    ],
)
def test_links_begin_and_end_where_x_sees_them(text: str, links: list[str]) -> None:
    assert found(text) == links


@pytest.mark.parametrize(("length", "count"), [(MAX_URL, 1), (MAX_URL + 1, 0)])
def test_a_link_has_a_largest_length(length: int, count: int) -> None:
    assert len(found("https://example.com/".ljust(length, "a"))) == count


@pytest.mark.parametrize(("length", "count"), [(63, 1), (64, 0)])
def test_a_label_of_a_host_has_63_octets(length: int, count: int) -> None:
    assert len(found(f"https://{'a' * length}.com")) == count


@settings(max_examples=150, deadline=None)
@given(WORDS, LINKS, WORDS)
def test_links_are_found_in_order_and_never_overlap(before: str, link: str, after: str) -> None:
    text = f"{before} {link} {after}"
    places = [(each.start, each.end) for each in find_links(text)]
    assert places == sorted(places)
    assert all(end <= start for (_, end), (start, _) in pairwise(places))
    assert all(each.text == text[each.start : each.end] for each in find_links(text))


@settings(max_examples=100, deadline=None)
@given(LINKS, st.integers(0, 200))
def test_a_link_weighs_the_same_at_any_length(link: str, extra: int) -> None:
    longer = link.partition("?")[0].rstrip("/") + "/" + "a" * extra
    assert weighted_length(longer) == LINK_WEIGHT


@settings(max_examples=150, deadline=None)
@given(WORDS, WORDS)
def test_words_apart_weigh_what_they_weigh_together(one: str, other: str) -> None:
    together = weighted_length(f"{one} | {other}")
    assert together == weighted_length(one) + 3 + weighted_length(other)


@settings(max_examples=150, deadline=None)
@given(st.text(max_size=60))
def test_no_text_weighs_less_than_nothing_or_more_than_two_each(text: str) -> None:
    assert 0 <= weighted_length(text) <= max(2 * len(text), LINK_WEIGHT * (text.count(".") + 1) + 2 * len(text))


@settings(max_examples=150, deadline=None)
@given(WORDS, LINKS, WORDS)
def test_the_returned_text_has_its_short_links_where_it_says(before: str, link: str, after: str) -> None:
    shown = show(f"{before} {link} {after}", 7, [])
    assert all(shown.text[url["start"] : url["end"]] == url["url"] for url in shown.urls)
    assert [url["expanded_url"] for url in shown.urls] == [each.url for each in find_links(f"{before} {link} {after}")]


@settings(max_examples=150, deadline=None)
@given(WORDS, LINKS, WORDS)
def test_the_text_that_was_sent_can_be_restored(before: str, link: str, after: str) -> None:
    sent = f"{before} {link} {after}"
    shown = show(sent, 7, [])
    restored = shown.text
    for url, original in zip(reversed(shown.urls), reversed(find_links(sent)), strict=True):
        restored = restored[: url["start"]] + html.escape(original.text, quote=False) + restored[url["end"] :]
    assert html.unescape(restored) == html.unescape(html.escape(sent, quote=False))


@given(st.integers(1, 2**63 - 1), st.text(max_size=30))
def test_a_short_link_has_23_characters_and_is_a_link_itself(post_id: int, url: str) -> None:
    short = short_url(post_id, url)
    assert len(short) == LINK_WEIGHT
    assert found(short) == [short]


@pytest.mark.parametrize(
    ("url", "display"),
    [
        ("https://www.example.com/a", "example.com/a"),
        ("example.com", "example.com"),
        ("https://example.com/" + "a" * 15, "example.com/" + "a" * 15),
        ("https://example.com/" + "a" * 16, "example.com/" + "a" * 14 + "…"),
    ],
)
def test_a_destination_is_displayed_without_its_scheme_and_cut(url: str, display: str) -> None:
    assert show(url, 7, []).urls[0]["display_url"] == display


@pytest.mark.parametrize(
    ("text", "handles"),
    [
        ("@alice", ["alice"]),
        ("Hi @alice, @bob!", ["alice", "bob"]),
        ("＠alice", ["alice"]),
        (".@alice", ["alice"]),
        ("(@alice)", ["alice"]),
        ("@" + "a" * 15, ["a" * 15]),
        ("@" + "a" * 16, []),
        ("mail bob@alice.example", []),
        ("@@alice", []),
        ("a@alice", []),
        ("@alice@bob", []),
        ("@", []),
        ("看@alice看", ["alice"]),
    ],
)
def test_mentions_are_names_with_a_sign_and_nothing_glued_to_them(text: str, handles: list[str]) -> None:
    assert mentioned_handles(text) == handles


def tags(text: str, kind: str) -> list[str]:
    return [item["tag"] for item in entities(show(text, 7, []), lambda handle: None).get(kind, [])]


@pytest.mark.parametrize(
    ("text", "hashtags"),
    [
        ("#coffee", ["coffee"]),
        ("#coffee#tea", ["coffee"]),
        ("＃咖啡", ["咖啡"]),
        ("#2026", []),
        ("#y2026", ["y2026"]),
        ("a#b", []),
        ("#a_b!", ["a_b"]),
        ("&#39;", []),
        ("#", []),
    ],
)
def test_hashtags_have_a_letter_and_stand_alone(text: str, hashtags: list[str]) -> None:
    assert tags(text, "hashtags") == hashtags


@pytest.mark.parametrize(
    ("text", "cashtags"),
    [
        ("$TWTR", ["TWTR"]),
        ("$BRK.A up", ["BRK.A"]),
        ("$5", []),
        ("US$TWTR", []),
        ("$TOOLONG", []),
        ("$A, $B", ["A", "B"]),
    ],
)
def test_cashtags_have_up_to_six_letters(text: str, cashtags: list[str]) -> None:
    assert tags(text, "cashtags") == cashtags


def test_a_text_without_anything_has_no_entities() -> None:
    assert entities(show("Good morning", 7, []), lambda handle: None) == {}


def test_several_media_share_one_short_link_at_the_end() -> None:
    shown = show("Look", 7, [{"media_key": "3_1"}, {"media_key": "3_2"}])
    [first, second] = shown.urls
    assert (first["start"], first["end"], first["url"]) == (second["start"], second["end"], second["url"])
    assert shown.text == f"Look {first['url']}"


def test_media_without_words_are_only_a_link() -> None:
    shown = show("", 7, [{"media_key": "3_1"}])
    assert shown.text == shown.urls[0]["url"]
