"""What must hold for any text whatever: counting, ranges, links, and recognising our own post."""

import unicodedata
from datetime import UTC, datetime
from itertools import pairwise

from hypothesis import given, settings
from hypothesis import strategies as st

from social.networks.port import RemotePost
from social.networks.rules import clean_text
from social.networks.x.text import extract_urls, normalise_newlines, parse_tweet, weighted_length
from social.networks.x.units import utf16_length

# Pieces between which the counter must choose, mixed with anything else.
LINKS = ["https://example.com/a?b=c", "example.com", "#tag", "@rita"]
SIGNS = ["咖啡", "é", "e\u0301", "👩🏽‍🚀", "👨‍👩‍👧", "🇩🇪", "\r\n", " ", "."]
PIECES = st.sampled_from(LINKS + SIGNS)
ANY = st.lists(PIECES | st.text(max_size=12), max_size=12).map("".join)
WITHOUT_SURROGATES = ANY.map(lambda text: text.encode("utf-8", "ignore").decode())
PLAIN = st.text("abcdefgh xyz", max_size=400)
thorough = settings(max_examples=60, deadline=None)


def live(text: str) -> RemotePost:
    return RemotePost("1", text, datetime(2026, 1, 1, tzinfo=UTC), 0, None, "https://x.com/i/status/1")


# --- counting -----------------------------------------------------------------------------------------------


@thorough
@given(ANY)
def test_weight_is_never_negative_and_never_over_two_a_unit(text: str) -> None:
    links = len(extract_urls(unicodedata.normalize("NFC", text)))
    assert 0 <= weighted_length(text) <= 2 * len(text) + 23 * links


@thorough
@given(PLAIN)
def test_plain_latin_weighs_one_a_character(text: str) -> None:
    assert weighted_length(text) == len(text)


@thorough
@given(ANY)
def test_composed_and_decomposed_text_weigh_the_same(text: str) -> None:
    assert weighted_length(unicodedata.normalize("NFD", text)) == weighted_length(unicodedata.normalize("NFC", text))


@thorough
@given(ANY)
def test_valid_range_lies_inside_the_text(text: str) -> None:
    parsed = parse_tweet(text)
    assert parsed.valid_range[0] == parsed.display_range[0] == 0
    assert 0 <= parsed.valid_range[1] <= max(parsed.display_range[1], 0)
    assert parsed.display_range[1] == max(0, utf16_length(text) - 1)


@thorough
@given(ANY)
def test_valid_text_is_valid_to_its_end(text: str) -> None:
    parsed = parse_tweet(text)
    assert not parsed.valid or parsed.valid_range == parsed.display_range


@thorough
@given(ANY, st.integers(1, 400))
def test_greater_limit_refuses_nothing_that_a_smaller_one_takes(text: str, limit: int) -> None:
    assert parse_tweet(text, limit).valid <= parse_tweet(text, limit + 100).valid


# --- links --------------------------------------------------------------------------------------------------


@thorough
@given(WITHOUT_SURROGATES)
def test_links_stand_where_they_are_said_to_and_never_overlap(text: str) -> None:
    spans = extract_urls(text)
    assert [text[span.start : span.end] for span in spans] == [span.url for span in spans]
    assert all(one.end <= other.start for one, other in pairwise(spans))


@thorough
@given(st.text("abcdefgh", min_size=1, max_size=300))
def test_link_weighs_23_however_long_its_path(path: str) -> None:
    assert weighted_length(f"https://example.com/{path}") == 23


# --- line ends ----------------------------------------------------------------------------------------------


@thorough
@given(ANY)
def test_line_ends_are_line_feeds_and_stay_so(text: str) -> None:
    once = normalise_newlines(text)
    assert "\r" not in once
    assert normalise_newlines(once) == once


@thorough
@given(ANY)
def test_text_that_was_cleaned_is_clean(text: str) -> None:
    assert clean_text(clean_text(text)) == clean_text(text)


# --- recognising --------------------------------------------------------------------------------------------


@thorough
@given(ANY)
def test_post_says_what_was_sent(text: str) -> None:
    assert live(text).says(text)


@thorough
@given(ANY)
def test_composing_and_trimming_do_not_hide_a_post(text: str) -> None:
    assert live(unicodedata.normalize("NFC", clean_text(text))).says(clean_text(text))


@thorough
@given(ANY, ANY)
def test_recognising_goes_both_ways(one: str, other: str) -> None:
    assert live(one).says(other) == live(other).says(one)


@thorough
@given(PLAIN, st.sampled_from("0123456789"))
def test_another_word_is_another_post(text: str, more: str) -> None:
    assert not live(text).says(f"{text}{more}")


@thorough
@given(st.text("abcdefgh", min_size=1, max_size=30))
def test_same_words_with_another_link_are_another_post(word: str) -> None:
    assert not live(f"{word} https://example.com/{word}").says(f"{word} https://example.com/{word}x")
