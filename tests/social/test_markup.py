"""Marked text: what becomes formatting, what stays text, and where Telegram counts it."""

from time import process_time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from social.networks.markup import Marked, plain_of, read_marked
from social.networks.port import Entity
from social.networks.telegram.text import utf16_length


def kinds(text: str) -> list[tuple[str, str]]:
    """Each entity with the piece of text it covers."""
    marked = read_marked(text)
    units = marked.text.encode("utf-16-le")
    return [(e.kind, units[2 * e.offset : 2 * (e.offset + e.length)].decode("utf-16-le")) for e in marked.entities]


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("**word**", "bold"),
        ("_word_", "italic"),
        ("__word__", "underline"),
        ("~~word~~", "strikethrough"),
        ("||word||", "spoiler"),
        ("`word`", "code"),
        ("```word```", "pre"),
        ("> word", "blockquote"),
    ],
)
def test_a_mark_becomes_its_entity(text: str, kind: str) -> None:
    assert read_marked(text) == Marked("word", (Entity(kind, 0, 4),))


def test_plain_text_stays_as_it_is() -> None:
    assert read_marked("2 * 3 = 6, a_b and x > y") == Marked("2 * 3 = 6, a_b and x > y", ())


def test_a_link_hides_behind_its_words() -> None:
    assert read_marked("See [our shop](https://acme.com/a?b=1) now") == Marked(
        "See our shop now", (Entity("text_link", 4, 8, url="https://acme.com/a?b=1"),)
    )


def test_networks_without_text_links_get_the_address_as_well() -> None:
    assert plain_of("**See** [our shop](https://acme.com) now") == "See our shop https://acme.com now"


def test_an_address_that_is_its_own_label_is_not_written_twice() -> None:
    assert plain_of("[https://acme.com](https://acme.com)") == "https://acme.com"


@pytest.mark.parametrize("text", ["[a](javascript:alert(1))", "[a](ftp://acme.com)", "[](https://acme.com)", "[a] (b)"])
def test_what_is_no_link_stays_text(text: str) -> None:
    assert read_marked(text) == Marked(text, ())


def test_the_language_of_a_block_is_kept() -> None:
    assert read_marked("```python\nprint(1)\n```") == Marked("print(1)", (Entity("pre", 0, 8, language="python"),))


def test_marks_in_code_are_code() -> None:
    assert kinds("`**a**` and ```__b__```") == [("code", "**a**"), ("pre", "__b__")]


def test_marks_nest() -> None:
    assert kinds("**bold _both_ bold**") == [("bold", "bold both bold"), ("italic", "both")]


def test_a_label_may_be_bold() -> None:
    assert kinds("[**our** shop](https://acme.com)") == [("text_link", "our shop"), ("bold", "our")]


def test_lines_of_a_quote_are_one_quote() -> None:
    assert kinds("Said:\n> one\n> **two**\nend") == [("blockquote", "one\ntwo"), ("bold", "two")]


def test_the_line_after_a_quote_begins_a_line() -> None:
    assert read_marked("> said\nend").text == "said\nend"


@pytest.mark.parametrize(
    "text", ["**never closed", "a ** b ** c", "||", "****", "_", "a `b", "** a**", "**a **", "_a\n\nb_", "a|b|c"]
)
def test_a_mark_without_a_partner_is_text(text: str) -> None:
    assert read_marked(text) == Marked(text.strip(), ())


def test_an_empty_quote_marks_nothing() -> None:
    assert read_marked("> ") == Marked("", ())


@pytest.mark.parametrize("text", ["snake_case_name", "#two_words_tag", "@_user_", "#_tag_", "a_b_"])
def test_underscores_within_words_and_names_are_text(text: str) -> None:
    assert read_marked(text) == Marked(text, ())


def test_a_word_with_an_underscore_does_not_end_italics() -> None:
    assert kinds("_foo a_b bar_") == [("italic", "foo a_b bar")]


@pytest.mark.parametrize(
    "url",
    [
        "https://acme.com/a__b__c",
        "https://acme.com/_next_/x",
        "https://acme.com/a**b**c",
        "https://acme.com/~~a~~/",
        "HTTP://acme.com/_a_b",
        "https://acme.com/?q=a||b||c",
    ],
)
def test_an_address_is_never_changed(url: str) -> None:
    assert read_marked(f"See {url} now") == Marked(f"See {url} now", ())


@pytest.mark.parametrize("mark", ["**", "__", "_", "~~", "||"])
def test_marks_close_right_behind_an_address(mark: str) -> None:
    assert read_marked(f"{mark}https://acme.com/a{mark}").text == "https://acme.com/a"


def test_italics_may_hold_an_address_with_underscores() -> None:
    assert kinds("_see https://acme.com/_a_b now_") == [("italic", "see https://acme.com/_a_b now")]


def test_a_backslash_takes_a_marks_meaning_away() -> None:
    assert read_marked(r"\**a\** \_b\_ \[c](https://acme.com) 50\%") == Marked(
        r"**a** _b_ [c](https://acme.com) 50\%", ()
    )


def test_an_escaped_mark_does_not_close() -> None:
    assert kinds(r"**a\** b**") == [("bold", "a** b")]


def test_a_backslash_at_the_end_is_text() -> None:
    assert read_marked("C:\\").text == "C:\\"


def test_offsets_count_utf16_units() -> None:
    assert read_marked("👩‍👩‍👧 **咖啡** 𝒳 _e\u0301_").entities == (Entity("bold", 9, 2), Entity("italic", 15, 2))


def test_white_space_around_is_dropped_and_offsets_move_along() -> None:
    assert read_marked("\n  **bold** \n") == Marked("bold", (Entity("bold", 0, 4),))


def test_entities_stand_in_the_order_of_their_offsets_the_outer_first() -> None:
    entities = read_marked("_a_ **b __c__** ||d||").entities
    assert [entity.kind for entity in entities] == ["italic", "bold", "underline", "spoiler"]


PIECES = st.lists(st.sampled_from([*"*_~|`[]()>\\ \nab咖😀", "**", "__", "https://a.co/", "](https://a.co)", "```"]))


@settings(max_examples=200, deadline=None)
@given(PIECES.map("".join))
def test_entities_always_lie_within_the_text(text: str) -> None:
    marked = read_marked(text)
    length = utf16_length(marked.text)
    assert all(e.offset >= 0 and e.length > 0 and e.offset + e.length <= length for e in marked.entities)


@settings(max_examples=200, deadline=None)
@given(PIECES.map("".join))
def test_reading_loses_no_letter(text: str) -> None:
    kept = [character for character in plain_of(text) if character in "b咖😀"]
    assert kept == [character for character in text if character in "b咖😀"]


@pytest.mark.parametrize("piece", ["**a ", "_a ", "_a_b ", "[a](", "||", "`", "```", "\\*", "> \n", "**_~~||__", "_ a"])
def test_long_text_of_nothing_but_marks_is_read_at_once(piece: str) -> None:
    text = (piece * 25_000)[:25_000]
    started = process_time()
    read_marked(text)
    # Patterns that backtrack need minutes here; the allowance is for slow machines.
    assert process_time() - started < 5
