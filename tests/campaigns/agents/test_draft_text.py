"""Lengths, languages, links, words and figures of a written text."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from campaigns.draft_text import (
    avoided_words,
    fit_text,
    is_in_language,
    links_in,
    mentions_in,
    split_sentences,
    tags_in,
    unproven_numbers,
)
from social.networks.telegram.text import utf16_length
from social.networks.x.text import weighted_length

LINK, TAG = "https://roastery.example/decaf", "#decaf"
TEXTS = st.text(alphabet=st.sampled_from("ab Zé你好。！.!?\n…🙂#@/:1"), max_size=300)


@given(TEXTS)
def test_sentences_joined_are_the_text(text):
    assert "".join(split_sentences(text)) == text


@given(TEXTS, st.integers(60, 320), st.sampled_from([weighted_length, utf16_length, len]))
def test_fitted_text_is_inside_the_count_with_what_must_be_kept(text, limit, length):
    fitted = fit_text(text, length, limit, keep=[LINK, TAG])
    assert length(fitted) <= limit
    assert LINK in fitted
    assert TAG in fitted


@given(TEXTS)
def test_text_that_fits_is_left_alone(text):
    assert fit_text(text, len, 10_000) == text.strip()


@pytest.mark.parametrize(
    ("text", "pieces"),
    [
        ("One. Two! Three?", ["One. ", "Two! ", "Three?"]),
        ("第一句。第二句！第三句", ["第一句。", "第二句！", "第三句"]),
        ("See https://a.example/b.html now. Bye", ["See https://a.example/b.html now. ", "Bye"]),
        ("It costs 3.50 now", ["It costs 3.50 now"]),
        ("He said “Go.” Then left.", ["He said “Go.” ", "Then left."]),
        ("Line\n\nNext", ["Line\n\n", "Next"]),
        ("", []),
    ],
)
def test_sentences_end_where_people_end_them(text, pieces):
    assert split_sentences(text) == pieces


def test_whole_sentences_go_first_and_the_last_one_is_cut_at_a_word():
    assert fit_text("First one. Second one. Third one.", len, 24) == "First one. Second one."
    assert fit_text("Fresh beans from the hills", len, 18) == "Fresh beans from…"
    assert fit_text("新鲜的咖啡豆来自山上的小农场", weighted_length, 12) == "新鲜的咖啡…"


def test_link_that_is_there_is_not_added_again():
    assert fit_text(f"See {LINK} #Decaf", len, 100, keep=[LINK, TAG]) == f"See {LINK} #Decaf"


@pytest.mark.parametrize(
    ("text", "language", "is_right"),
    [
        ("Fresh beans, every Friday", "en", True),
        ("Frische Bohnen, jeden Freitag", "de", True),
        ("每周五都有新鲜咖啡豆", "zh", True),
        ("Roastery 的新咖啡 Huila Decaf 到店了", "zh", True),
        ("Fresh beans, every Friday", "zh", False),
        ("每周五都有新鲜咖啡豆", "en", False),
        ("コーヒー豆が届きました", "ja", True),
        ("원두가 도착했습니다", "ko", True),
        ("Свежие зёрна", "ru", True),
        ("Свежие зёрна", "en", False),
        ("#咖啡 https://a.example/咖啡 Fresh beans", "en", True),
        ("🙂 100 %", "zh", True),
        ("每周五", "zh-CN", True),
    ],
)
def test_language_is_told_by_its_letters(text, language, is_right):
    assert is_in_language(text, language) is is_right


@pytest.mark.parametrize(
    ("text", "words", "found"),
    [
        ("The CHEAP one", ["cheap"], ["cheap"]),
        ("The cheapest one", ["cheap"], []),
        ("最便宜的咖啡", ["便宜"], ["便宜"]),
        ("Ｃｈｅａｐ one", ["cheap"], ["cheap"]),
        ("No. 1 in town", ["no. 1"], ["no. 1"]),
        ("Anything", ["", "  "], []),
    ],
)
def test_words_to_avoid_are_found_as_words(text, words, found):
    assert avoided_words(text, words) == found


@pytest.mark.parametrize(
    ("text", "material", "unproven"),
    [
        ("20 % off", "We give 20% in June", []),
        ("30 % off", "We give 20% in June", ["30 %"]),
        ("3 reasons to come", "", []),
        ("Since 1987", "Founded 1987.", []),
        ("Only $4.50", "It is $4.50", []),
        ("Only $4.50", "It is $5", ["$4.50"]),
        ("Open at 7:30", "Opens 7:30", []),
        ("97 percent agree", "97% agree", []),
        ("优惠２０％", "20% 优惠", []),
        ("See https://a.example/2024 #top100", "", []),
    ],
)
def test_figures_must_stand_somewhere(text, material, unproven):
    assert unproven_numbers(text, material) == unproven


def test_links_tags_and_accounts_are_read_out():
    text = f"看{LINK}。 {TAG} and @roastery, not mail@example.org #咖啡"
    assert links_in(text) == [LINK]
    assert tags_in(text) == [TAG, "#咖啡"]
    assert mentions_in(text) == ["@roastery"]
