"""The parsers behind parse_mode, and their error texts."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sandbox.telegram import html_markup, markdown_markup
from sandbox.telegram.markup import BadMarkup
from sandbox.telegram.texts import Entity, utf16_length
from tests.sandbox.telegram_cast import TelegramBot


def shapes(entities: list[Entity]) -> list[tuple[Any, ...]]:
    return [(one.type, one.offset, one.length, *one.details.values()) for one in entities]


@pytest.mark.parametrize(
    ("source", "text", "entities"),
    [
        ("plain", "plain", []),
        ("<b>x</b>", "x", [("bold", 0, 1)]),
        ("<strong>x</strong>", "x", [("bold", 0, 1)]),
        ("<i>x</i><em>y</em>", "xy", [("italic", 0, 1), ("italic", 1, 1)]),
        ("<u>x</u><ins>y</ins>", "xy", [("underline", 0, 1), ("underline", 1, 1)]),
        ("<s>x</s><strike>y</strike><del>z</del>", "xyz", [("strikethrough", n, 1) for n in range(3)]),
        ("<tg-spoiler>x</tg-spoiler>", "x", [("spoiler", 0, 1)]),
        ('<span class="tg-spoiler">x</span>', "x", [("spoiler", 0, 1)]),
        ("<B>x</b>", "x", [("bold", 0, 1)]),
        ("<b>a<i>b</i></b>", "ab", [("italic", 1, 1), ("bold", 0, 2)]),
        ("<b></b>x", "x", []),
        ("<b>x</>", "x", [("bold", 0, 1)]),
        ("<b  >x</b >", "x", [("bold", 0, 1)]),
        ("🙂<b>🙂</b>", "🙂🙂", [("bold", 2, 2)]),
        ("&lt;b&gt; &amp; &quot;", '<b> & "', []),
        ("&#65;&#x42;&#x1F642;", "AB🙂", []),
        ("&nbsp; &copy; & &; &#0; &#;", "&nbsp; &copy; & &; &#0; &#;", []),
        ("&ltx", "&ltx", []),
        ("&lt x", "< x", []),
        ("<code>x</code>", "x", [("code", 0, 1)]),
        ('<code class="language-py">x</code>', "x", [("code", 0, 1)]),
        ("<pre>x</pre>", "x", [("pre", 0, 1)]),
        ('<pre><code class="language-py">x</code></pre>', "x", [("pre", 0, 1, "py")]),
        ('<code class="language-py"><pre>x</pre></code>', "x", [("pre", 0, 1, "py")]),
        ('<pre>a<code class="language-py">x</code></pre>', "ax", [("code", 1, 1), ("pre", 0, 2)]),
        ("<blockquote>x</blockquote>", "x", [("blockquote", 0, 1)]),
        ("<blockquote expandable>x</blockquote>", "x", [("expandable_blockquote", 0, 1)]),
        ("<a href='https://e.com/?a=1&amp;b=2'>x</a>", "x", [("text_link", 0, 1, "https://e.com/?a=1&b=2")]),
        ("<a href=example.com>x</a>", "x", [("text_link", 0, 1, "http://example.com/")]),
        ("<a>example.com</a>", "example.com", [("text_link", 0, 11, "http://example.com/")]),
        ('<a href="not a link">x</a>', "x", []),
        ('<a href="tg://user?id=5">x</a>', "x", [("text_mention", 0, 1, {"id": 5})]),
        (
            '<tg-emoji emoji-id="5368324170671202286">👍</tg-emoji>',
            "👍",
            [("custom_emoji", 0, 2, "5368324170671202286")],
        ),
        ('<a id="1" href="https://e.com">x</a>', "x", [("text_link", 0, 1, "https://e.com/")]),
    ],
)
def test_html_is_read(source: str, text: str, entities: list[tuple[Any, ...]]) -> None:
    found, marks = html_markup.parse(source)
    assert (found, shapes(marks)) == (text, entities)


@pytest.mark.parametrize(
    ("source", "words"),
    [
        ("<script>x</script>", 'Unsupported start tag "script" at byte offset 0'),
        ("é<div>", 'Unsupported start tag "div" at byte offset 2'),
        ("🙂<P>", 'Unsupported start tag "p" at byte offset 4'),
        ("a < b > c", 'Unsupported start tag "" at byte offset 2'),
        ("a <b", "Unclosed start tag at byte offset 2"),
        ("<", "Unclosed start tag at byte offset 0"),
        ("<b>x", 'Can\'t find end tag corresponding to start tag "b"'),
        ("<b><i>x</i>", 'Can\'t find end tag corresponding to start tag "b"'),
        ("x</b>", "Unexpected end tag at byte offset 1"),
        ("<b><i>test</b></i>", 'Unmatched end tag at byte offset 10, expected "</i>", found "</b>"'),
        ("<b>x</b", "Unclosed end tag at byte offset 4"),
        ("<b>x</b y>", "Unclosed end tag at byte offset 4"),
        ("<a =x>y</a>", 'Empty attribute name in the tag "a" at byte offset 0'),
        (
            "<a href>y</a>",
            'Expected equal sign in declaration of an attribute of the tag "a" at byte offset 0',
        ),
        ("<a href=", 'Unclosed start tag "a" at byte offset 0'),
        ('<a href="x', "Unclosed start tag at byte offset 0"),
        ("<a href=x/y>z</a>", "Unexpected end of name token at byte offset 8"),
        ("<span>x</span>", 'Tag "span" must have class "tg-spoiler" at byte offset 0'),
        ('<span class="x">x</span>', 'Tag "span" must have class "tg-spoiler" at byte offset 0'),
        ('<tg-emoji emoji-id="9999999999999999999">x</tg-emoji>', "Invalid custom emoji identifier specified"),
        ("<tg-emoji>x</tg-emoji>", "Invalid custom emoji identifier specified"),
        (
            "&#xD800;",
            "Text contains invalid Unicode characters after decoding HTML entities, check for unmatched "
            "surrogate code units",
        ),
    ],
)
def test_broken_html_is_refused_with_a_place(source: str, words: str) -> None:
    with pytest.raises(BadMarkup) as refusal:
        html_markup.parse(source)
    assert str(refusal.value) == words


@pytest.mark.parametrize(
    ("source", "text", "entities"),
    [
        ("plain", "plain", []),
        ("*x*", "x", [("bold", 0, 1)]),
        ("_x_", "x", [("italic", 0, 1)]),
        ("__x__", "x", [("underline", 0, 1)]),
        ("~x~", "x", [("strikethrough", 0, 1)]),
        ("||x||", "x", [("spoiler", 0, 1)]),
        ("`x`", "x", [("code", 0, 1)]),
        ("`a.b*c`", "a.b*c", [("code", 0, 5)]),
        ("`a\\`b`", "a`b", [("code", 0, 3)]),
        ("```x```", "x", [("pre", 0, 1)]),
        ("```py\nprint(1)```", "print(1)", [("pre", 0, 8, "py")]),
        ("```\nx\n```", "x\n", [("pre", 0, 2)]),
        ("*a _b_*", "a b", [("italic", 2, 1), ("bold", 0, 3)]),
        ("_a __b__ c_", "a b c", [("underline", 2, 1), ("italic", 0, 5)]),
        ("[x](https://e.com/a\\)b)", "x", [("text_link", 0, 1, "https://e.com/a)b")]),
        ("[e\\.com]", "e.com", [("text_link", 0, 5, "http://e.com/")]),
        ("[x](nonsense)", "x", []),
        ("[x](tg://user?id=5)", "x", [("text_mention", 0, 1, {"id": 5})]),
        ("![👍](tg://emoji?id=5)", "👍", [("custom_emoji", 0, 2, "5")]),
        ("\\_\\*\\.\\!\\\\", "_*.!\\", []),
        ("\\é", "\\é", []),
        ("**x**", "x", []),
        ("🙂*🙂*", "🙂🙂", [("bold", 2, 2)]),
        (">x", "x", [("blockquote", 0, 1)]),
        (">a\n>b\nc", "a\nb\nc", [("blockquote", 0, 3)]),
        ("a\n>b", "a\nb", [("blockquote", 2, 1)]),
        (">*a*\nb", "a\nb", [("bold", 0, 1), ("blockquote", 0, 1)]),
        ("*a\nb*", "a\nb", [("bold", 0, 3)]),
    ],
)
def test_markdown_v2_is_read(source: str, text: str, entities: list[tuple[Any, ...]]) -> None:
    found, marks = markdown_markup.parse_v2(source)
    assert (found, shapes(marks)) == (text, entities)


@pytest.mark.parametrize("character", "]()>#+-=|{}.!")
def test_markdown_v2_wants_its_characters_escaped(character: str) -> None:
    with pytest.raises(BadMarkup) as refusal:
        markdown_markup.parse_v2(f"a{character}b")
    assert str(refusal.value) == f"Character '{character}' is reserved and must be escaped with the preceding '\\'"


@pytest.mark.parametrize(
    ("source", "words"),
    [
        ("*x", "Can't find end of Bold entity at byte offset 0"),
        ("é_x", "Can't find end of Italic entity at byte offset 2"),
        ("__x", "Can't find end of Underline entity at byte offset 0"),
        ("~x", "Can't find end of Strikethrough entity at byte offset 0"),
        ("||x", "Can't find end of Spoiler entity at byte offset 0"),
        ("`x", "Can't find end of Code entity at byte offset 0"),
        ("```x", "Can't find end of Pre entity at byte offset 0"),
        ("```py\nx", "Can't find end of PreCode entity at byte offset 0"),
        ("[x", "Can't find end of TextUrl entity at byte offset 0"),
        ("![x", "Can't find end of CustomEmoji entity at byte offset 0"),
        ("[x](y", "Can't find end of a URL at byte offset 4"),
        ("![x](y", "Can't find end of a custom emoji URL at byte offset 5"),
        ("![x]", "Custom emoji entity must contain a tg://emoji URL"),
        ("*bold _italic\\_*", "Can't find end of Bold entity at byte offset 15"),
        (">a *b\nc*", "Can't find end of Bold entity at byte offset 3"),
    ],
)
def test_open_markdown_v2_is_refused_with_a_place(source: str, words: str) -> None:
    with pytest.raises(BadMarkup) as refusal:
        markdown_markup.parse_v2(source)
    assert str(refusal.value) == words


@pytest.mark.parametrize(
    ("source", "text", "entities"),
    [
        ("*x* _y_", "x y", [("bold", 0, 1), ("italic", 2, 1)]),
        ("*a_b*", "a_b", [("bold", 0, 3)]),
        ("`x`", "x", [("code", 0, 1)]),
        ("```py\nx```", "x", [("pre", 0, 1, "py")]),
        ("[x](https://e.com)", "x", [("text_link", 0, 1, "https://e.com/")]),
        ("[e.com]", "e.com", [("text_link", 0, 5, "http://e.com/")]),
        ("\\*a.b!", "*a.b!", []),
    ],
)
def test_old_markdown_is_read(source: str, text: str, entities: list[tuple[Any, ...]]) -> None:
    found, marks = markdown_markup.parse_legacy(source)
    assert (found, shapes(marks)) == (text, entities)


def test_open_old_markdown_is_refused_with_a_place() -> None:
    with pytest.raises(BadMarkup, match="Can't find end of the entity starting at byte offset 2"):
        markdown_markup.parse_legacy("é*x")


PARSERS = [html_markup.parse, markdown_markup.parse_v2, markdown_markup.parse_legacy]


@pytest.mark.parametrize("parse", PARSERS)
@settings(max_examples=150, deadline=None)
@given(source=st.text(alphabet="<>/abip=\"'&;#x65 \n*_~`[]()!|\\>é🙂", max_size=40))
def test_any_text_is_read_or_refused_and_entities_lie_inside(parse: Any, source: str) -> None:
    try:
        text, entities = parse(source)
    except BadMarkup:
        return
    assert all(0 <= one.offset < one.end <= utf16_length(text) for one in entities)


@pytest.mark.parametrize("mode", ["HTML", "html", "MarkdownV2", "markdownv2", "Markdown"])
def test_the_name_of_a_mode_has_no_case(bot: TelegramBot, channel: int, mode: str) -> None:
    assert bot.send(channel, "plain", parse_mode=mode)["text"] == "plain"


@pytest.mark.parametrize(
    ("mode", "text", "words"),
    [
        ("INVALID", "x", "unsupported parse_mode"),
        ("HTML", "<x>", 'can\'t parse entities: Unsupported start tag "x" at byte offset 0'),
        (
            "MarkdownV2",
            "a.b",
            "can't parse entities: Character '.' is reserved and must be escaped with the preceding '\\'",
        ),
        ("Markdown", "*x", "can't parse entities: Can't find end of the entity starting at byte offset 0"),
    ],
)
def test_a_bot_hears_what_is_wrong_with_its_markup(
    bot: TelegramBot, channel: int, mode: str, text: str, words: str
) -> None:
    assert bot.bad("sendMessage", chat_id=channel, text=text, parse_mode=mode) == words


def test_a_mention_of_somebody_unknown_is_plain_text(bot: TelegramBot, channel: int) -> None:
    assert "entities" not in bot.send(channel, '<a href="tg://user?id=77">x</a>', parse_mode="HTML")


def test_a_mention_of_a_user_shows_the_user(bot: TelegramBot, channel: int) -> None:
    [entity] = bot.send(channel, '<a href="tg://user?id=5000001">x</a>', parse_mode="HTML")["entities"]
    assert (entity["type"], entity["user"]["first_name"]) == ("text_mention", "Dana Demo")
