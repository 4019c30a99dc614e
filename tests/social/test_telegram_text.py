import pytest

from social.networks.telegram.text import can_be_sent, check_text, cleaned, utf16_length


@pytest.mark.parametrize(
    ("text", "length"),
    [
        ("", 0),
        ("abc", 3),
        ("é", 1),
        ("e\u0301", 2),
        ("中文", 2),
        ("😀", 2),
        ("👨‍👩‍👧‍👦", 11),
        ("🇩🇪", 4),
        ("a\r\nb", 4),
        ("\ud83d", 1),
        ("\ud83d\ude00", 2),
        ("\ufeff", 1),
    ],
)
def test_length_counts_utf16_code_units(text: str, length: int) -> None:
    assert utf16_length(text) == length


def test_empty_message_is_not_valid() -> None:
    assert check_text("") == (0, False)


def test_message_of_one_character_is_valid() -> None:
    assert check_text("a") == (1, True)


def test_4096_is_the_longest_message() -> None:
    assert check_text("x" * 4096) == (4096, True)
    assert check_text("x" * 4097) == (4097, False)


def test_emoji_fill_a_message_twice_as_fast() -> None:
    assert check_text("😀" * 2048) == (4096, True)
    assert check_text("😀" * 2048 + "x") == (4097, False)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("a\r\nb", "a\nb"),
        ("a\x00\x07b", "a  b"),
        ("\u202ea\u2028b", "ab"),
        ("a\u0333\u033f\u030a", "a"),
        ("a\tb", "a b"),
        ("Café 😀 咖", "Café 😀 咖"),
    ],
)
def test_telegram_cleans_a_text(text: str, shown: str) -> None:
    assert cleaned(text) == shown


@pytest.mark.parametrize("text", ["a", "", "😀", "\u202ea", "a\u200b"])
def test_text_that_shows_something_can_be_sent(text: str) -> None:
    assert can_be_sent(text)


@pytest.mark.parametrize("text", ["\u200b", "\u202e", " \n", "\ufeff\u2060", "half \ud83d"])
def test_text_that_shows_nothing_or_half_a_character_cannot(text: str) -> None:
    assert not can_be_sent(text)
