from typing import Any

import pytest

from social.networks.x.text import UrlSpan, extract_urls
from social.networks.x.tlds import ASCII, INTERNATIONAL
from social.networks.x.units import CodePoints, join_pairs, split_pairs

from .vectors import rows, suite


def urls(text: str) -> list[str]:
    return [span.url for span in extract_urls(text)]


@pytest.mark.parametrize("row", rows("extract", "urls") + rows("extract", "tco_urls_with_params"))
def test_links_are_those_of_the_conformance_suite(row: dict[str, Any]) -> None:
    assert urls(row["text"]) == row["expected"]


@pytest.mark.parametrize("row", rows("extract", "urls_with_indices") + rows("extract", "urls_with_directional_markers"))
def test_places_of_links_are_those_of_the_conformance_suite(row: dict[str, Any]) -> None:
    found = [{"url": span.url, "indices": [span.start, span.end]} for span in extract_urls(row["text"])]

    assert found == row["expected"]


def test_every_top_level_domain_of_the_suite_makes_a_link() -> None:
    known = suite("tlds", "country", "generic")
    assert len(known) > 1_000
    assert [row for row in known if urls(row["text"]) != row["expected"]] == []


@pytest.mark.parametrize("row", rows("validate", "urls_without_protocol"))
def test_whole_text_is_a_link_without_a_protocol(row: dict[str, Any]) -> None:
    assert (urls(row["text"]) == [row["text"]]) is row["expected"]


def test_the_list_holds_as_many_names_as_the_frozen_registry() -> None:
    assert len(ASCII) == 1419
    assert len(INTERNATIONAL) == 155


@pytest.mark.parametrize(
    "text",
    [
        "example.notatld",
        "example.com5",
        "example.com-x",
        "-example.com",
        "_example.com",
        "/example.com",
        "user@example.com",
        "#example.com",
        "$example.com",
        "http://example_.com",
        "http://x_y.com",
        "http://exam-.com",
        "http://" + "x" * 64 + ".com",
        "http://" + "中" * 60 + ".com",
        "http://xn--中.中国",
        "中国.中国",
        ".com",
        "..com",
        "http://.com",
        "xhttp://example.com",
        "http://192.168.0.1/",
        "https://t.co/" + "x" * 41,
    ],
)
def test_nothing_is_linked_in(text: str) -> None:
    assert urls(text) == []


@pytest.mark.parametrize(
    "url",
    [
        "example.com",
        "EXAMPLE.COM",
        "a.b.c.example.co.uk",
        "http://sub_domain.example.com",
        "http://例え.テスト.みんな",
        "http://пример.РФ",
        "http://" + "x" * 63 + ".com",
        "http://xn--fiqs8s.xn--fiqs8s",
        "example.xn--fiqs8s",
        "example.みんな",
        "example.嘉里大酒店",
        "vermögen.vermögensberatung",
        "https://example.com:8080/path",
        "example.com:80/path?a=b#c",
        "https://example.com?a=b",
        "https://example.com/@user/",
        "https://en.wikipedia.org/wiki/Rust_(programming_language)",
        "https://example.com/a(b(c)d)",
        "https://example.com/путь",
        "https://example.com/%E4%B8%AD",
        "https://t.co/" + "x" * 40,
    ],
)
def test_whole_of_it_is_a_link(url: str) -> None:
    assert urls(f"see {url} now") == [url]


@pytest.mark.parametrize(
    ("text", "linked"),
    [
        pytest.param("example.com.", "example.com", id="full stop"),
        pytest.param("(https://example.com/a)", "https://example.com/a", id="parentheses around"),
        pytest.param("https://example.com/a!?", "https://example.com/a", id="closing marks"),
        pytest.param("https://example.com/中", "https://example.com/", id="Han in the path"),
        pytest.param("https://example.com/!(b)", "https://example.com/", id="parentheses after a mark"),
        pytest.param("https://example.com:x/", "https://example.com", id="port of no number"),
        pytest.param("example.com?a=b", "example.com", id="query without path and protocol"),
        pytest.param("https://t.co/abc/def", "https://t.co/abc", id="path behind a short link"),
        pytest.param("看example.comです", "example.com", id="Han before and kana behind"),
        pytest.param("😀example.com", "example.com", id="emoji before"),
        pytest.param("مرحباhttps://example.com", "https://example.com", id="Arabic before"),
        pytest.param("\u2067https://example.com\u2069", "https://example.com", id="isolated direction"),
        pytest.param("http://a.com\u3000x", "http://a.com", id="ideographic space"),
    ],
)
def test_link_ends_where_x_ends_it(text: str, linked: str) -> None:
    assert urls(text) == [linked]


def test_ascii_names_inside_a_longer_host_are_linked_each() -> None:
    assert urls("twitter.comです例え.中国facebook.comですみんな.みんな") == ["twitter.com", "facebook.com"]
    assert urls("a.comで.b.comで.中国") == ["a.com", "b.com"]


def test_path_goes_to_the_last_ascii_name_of_its_host() -> None:
    assert extract_urls("twitter.comです.みんな/path") == [UrlSpan("twitter.com/path", 0, 22)]


def test_url_of_4096_characters_is_the_longest_linked() -> None:
    # The protocol counts twice.
    longest = "https://example.com/".ljust(4096 - len("https://"), "x")

    assert urls(longest) == [longest]
    assert urls(longest + "x") == []


def test_ideographic_full_stop_parts_a_label_but_not_its_limit() -> None:
    assert urls("http://中。国.com") == ["http://中。国.com"]
    longest = "http://中。".ljust(len("http://中。") + 63 - len("xn--fiq."), "x")
    assert urls(longest + ".com") == [longest + ".com"]
    assert urls(longest + "x.com") == []


def test_refused_host_still_uses_up_its_path() -> None:
    assert urls("x_b.com/x!c.com") == []
    assert urls("x_b.com/x c.com") == ["c.com"]


def test_second_link_needs_a_character_of_its_own_before_it() -> None:
    assert urls("https://a.com https://b.com") == ["https://a.com", "https://b.com"]
    assert urls("https://a.com/https://b.com") == ["https://a.com/https://b.com"]


def test_spans_slice_the_text_even_behind_emoji() -> None:
    text = "😀👩‍🔬 https://example.com/a 🇩🇪 b.de."

    assert [text[span.start : span.end] for span in extract_urls(text)] == urls(text)
    assert urls(text) == ["https://example.com/a", "b.de"]


def test_lone_surrogates_around_a_link_do_no_harm() -> None:
    assert urls("\ud83dexample.com\ude00") == ["example.com"]


def test_emoji_in_a_host_is_linked_with_a_protocol_only() -> None:
    assert urls("http://i❤️😀.ws") == ["http://i❤️😀.ws"]
    assert urls("i❤️😀.ws") == []


@pytest.mark.parametrize("text", ["", "abc", "a😀b", "😀", "\ud83d", "\ude00\ud83d", "𐀀\U0010ffff"])
def test_splitting_pairs_can_be_undone(text: str) -> None:
    units = split_pairs(text)

    assert join_pairs(units) == text
    assert len(units) == len(text.encode("utf-16-le", "surrogatepass")) // 2


def test_offset_inside_a_pair_is_that_of_its_character() -> None:
    points = CodePoints("a😀b😀")

    assert [points.offset(unit) for unit in range(7)] == [0, 1, 1, 2, 3, 3, 4]
