"""What the previews make of a text: coloured, formatted, cut off, and never more than text."""

from html.parser import HTMLParser
from time import process_time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from campaigns.preview_text import MARKED, mark_telegram, mark_x
from social.models import Network
from social.networks.markup import read_marked
from social.networks.port import Entity

LIMIT = 4096


def telegram(marked: str, limit: int = LIMIT) -> str:
    found = read_marked(marked)
    return str(mark_telegram(found.text, limit, found.entities))


class Reader(HTMLParser):
    """Notes open elements and the text between them."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.text = ""

    def handle_starttag(self, tag: str, attrs: object) -> None:
        self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text += data


def read(html: str) -> Reader:
    reader = Reader()
    reader.feed(html)
    reader.close()
    return reader


def test_every_network_has_a_way_to_show_text() -> None:
    assert MARKED.keys() == set(Network.values)


def test_x_colours_links_names_and_tags() -> None:
    assert mark_x("See acme.com by @cafe", 280) == (
        'See <span class="entity">acme.com</span> by <span class="entity">@cafe</span>'
    )


def test_what_is_too_long_for_x_is_marked() -> None:
    assert mark_x("abcdef", 4) == 'abcd<span class="over">ef</span>'


def test_a_tag_that_the_limit_cuts_is_coloured_on_both_sides() -> None:
    assert mark_x("#beans", 3) == (
        '<span class="entity">#be</span><span class="over"><span class="entity">ans</span></span>'
    )


@pytest.mark.parametrize(
    ("marked", "html"),
    [
        ("**a**", "<b>a</b>"),
        ("_a_", "<i>a</i>"),
        ("__a__", "<u>a</u>"),
        ("~~a~~", "<s>a</s>"),
        ("||a||", '<span class="spoiler">a</span>'),
        ("`a`", "<code>a</code>"),
        ("```\na\n```", "<pre>a</pre>"),
        ("> a", "<blockquote>a</blockquote>"),
        ("[a](https://b.co)", '<span class="entity" title="https://b.co">a</span>'),
    ],
)
def test_telegram_shows_formatting(marked: str, html: str) -> None:
    assert telegram(marked) == html


def test_nested_formatting_stays_well_formed() -> None:
    assert telegram("**a _b_ c**") == "<b>a </b><b><i>b</i></b><b> c</b>"


def test_a_quote_stays_one_block_around_what_is_in_it() -> None:
    assert telegram("> a **b** c\nd") == "<blockquote>a <b>b</b> c</blockquote>\nd"


def test_two_quotes_are_two_blocks() -> None:
    assert telegram("> a\n\n> b").count("<blockquote>") == 2


def test_entities_that_overlap_are_cut_at_their_borders() -> None:
    html = mark_telegram("abc", LIMIT, (Entity("bold", 0, 2), Entity("italic", 1, 2)))
    assert html == "<b>a</b><b><i>b</i></b><i>c</i>"


def test_offsets_are_utf16_units() -> None:
    assert mark_telegram("😀 咖啡", LIMIT, (Entity("bold", 3, 2),)) == "😀 <b>咖啡</b>"


def test_an_entity_beyond_the_text_is_left_out() -> None:
    assert mark_telegram("abc", LIMIT, (Entity("bold", 2, 9), Entity("bold", 99, 1))) == "abc"


def test_telegram_finds_links_and_names_by_itself_but_not_in_code() -> None:
    assert telegram("@cafe `@cafe`") == '<span class="entity">@cafe</span> <code>@cafe</code>'


def test_what_is_too_long_for_telegram_counts_utf16_units() -> None:
    assert telegram("😀😀a", limit=4) == '😀😀<span class="over">a</span>'


@pytest.mark.parametrize(
    "text", ["<script>alert(1)</script>", "**<b onclick=x>**", "`</code><script>`", '[<i>](https://a.co/?"x)']
)
def test_markup_in_a_text_is_only_text(text: str) -> None:
    html = telegram(text)
    assert "<script" not in html
    assert "<b onclick" not in html
    assert "<i>" not in html


def test_an_address_cannot_leave_its_attribute() -> None:
    html = mark_telegram("a", LIMIT, (Entity("text_link", 0, 1, url='https://a.co/"><script>'),))
    assert html == '<span class="entity" title="https://a.co/&quot;&gt;&lt;script&gt;">a</span>'


ENTITIES = st.builds(
    Entity,
    st.sampled_from(["bold", "italic", "blockquote", "pre", "code", "spoiler", "text_link", "unheard_of"]),
    st.integers(0, 12),
    st.integers(1, 12),
)


@settings(max_examples=200, deadline=None)
@given(st.text("ab<>&\"' \n#@😀", max_size=12), st.lists(ENTITIES, max_size=6), st.integers(0, 14))
def test_any_entities_make_well_formed_html_with_the_whole_text(text: str, entities: list[Entity], limit: int) -> None:
    reader = read(mark_telegram(text, limit, entities))
    assert reader.open == []
    assert reader.text == text


@pytest.mark.parametrize("mark", [mark_x, mark_telegram])
def test_a_text_of_nothing_but_tags_is_shown_at_once(mark) -> None:
    started = process_time()
    mark("#a " * 8_000, 25_000)
    assert process_time() - started < 1
