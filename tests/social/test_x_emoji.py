import re
import unicodedata

import pytest

from social.networks.x.emoji import FLAGS, PEOPLE, SEQUENCE, TEXT_FIRST, TEXT_FIRST_PEOPLE, TOOLS, WEARERS, characters

TONES = "🏻🏼🏽🏾🏿"


def members(ranges: str) -> list[str]:
    pattern = re.compile(characters(ranges))
    return [chr(point) for point in range(0x1FB00) if pattern.match(chr(point))]


def sequences(text: str) -> list[str]:
    return [match.group() for match in SEQUENCE.finditer(text)]


def region(code: str) -> str:
    return "".join(chr(ord(letter) - ord("A") + 0x1F1E6) for letter in code)


def test_ranges_become_a_class_of_both_ends_and_what_lies_between() -> None:
    assert members("41 1F600-1F602") == ["A", "😀", "😁", "😂"]


def test_every_listed_person_takes_every_skin_tone() -> None:
    for person in members(PEOPLE) + members(TEXT_FIRST_PEOPLE):
        for tone in TONES:
            assert sequences(person + tone) == [person + tone]


def test_every_text_first_emoji_takes_the_style_selector() -> None:
    for emoji in members(TEXT_FIRST) + members(TEXT_FIRST_PEOPLE):
        assert sequences(emoji + "\ufe0f") == [emoji + "\ufe0f"]


def test_every_profession_is_one_sequence_for_both_and_in_all_tones() -> None:
    for tool in members(TOOLS):
        for person in ("👨", "👩", "👩🏿"):
            assert sequences(f"{person}\u200d{tool}") == [f"{person}\u200d{tool}"]


def test_detective_needs_style_or_tone_before_the_gender() -> None:
    for person in members(WEARERS):
        assert sequences(f"{person}\ufe0f\u200d♀\ufe0f") == [f"{person}\ufe0f\u200d♀\ufe0f"]
        assert sequences(f"{person}\u200d♀\ufe0f") == ["♀\ufe0f"]


def test_there_are_258_country_flags() -> None:
    flags = [region(first + second) for first, seconds in FLAGS.items() for second in seconds]

    assert len(flags) == 258
    assert all(sequences(flag) == [flag] for flag in flags)


@pytest.mark.parametrize("code", ["AA", "DD", "XX", "ZZ"])
def test_other_pairs_of_letters_are_no_flag(code: str) -> None:
    assert sequences(region(code)) == []


def test_flags_in_a_row_are_paired_from_the_left() -> None:
    assert sequences(region("DEFRIT")) == [region("DE"), region("FR"), region("IT")]


def test_longest_family_wins_over_its_beginning() -> None:
    assert sequences("👨‍👩‍👧‍👦👨‍👩‍👧") == ["👨‍👩‍👧‍👦", "👨‍👩‍👧"]


def test_second_child_older_than_allowed_is_left_out() -> None:
    assert sequences("👨‍👩‍👦‍👧") == ["👨‍👩‍👦"]


@pytest.mark.parametrize("text", ["", "plain", "😀", "👨", "1", "©", "中文", "\u200d", "\ufe0f", "é"])
def test_single_characters_are_no_sequence(text: str) -> None:
    assert sequences(text) == []


def test_keycaps_exist_for_digits_and_two_signs() -> None:
    assert sequences("".join(f"{sign}\u20e3" for sign in "0123456789#*")) == [
        f"{sign}\u20e3" for sign in "0123456789#*"
    ]
    assert sequences("a\u20e3") == []


def test_sequences_survive_normal_form_c() -> None:
    for text in ("👩🏽‍🔬", "☝️🏿", "1️⃣", "🏴󠁧󠁢󠁷󠁬󠁳󠁿"):
        assert sequences(unicodedata.normalize("NFC", text)) == [text]
