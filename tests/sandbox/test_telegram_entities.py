"""Entities given beside the text, and those that Telegram finds by itself."""

from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sandbox.telegram import autolinks, urls
from sandbox.telegram.texts import STYLES, Entity, settle, utf16_length, utf16_offsets
from tests.sandbox.telegram_cast import DANA, TelegramBot


def settled(text: str, *entities: tuple[Any, ...]) -> tuple[str, list[tuple[str, int, int]]]:
    found = settle(text, [Entity(*one) for one in entities])
    return found.text, [(one.type, one.offset, one.length) for one in found.entities]


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("see https://example.com/a?b=1#c now", [("url", 4, 31)]),
        ("see example.com.", [("url", 4, 15)]),
        ("(https://example.com/a_(b))", [("url", 1, 26)]),
        ("http://127.0.0.1:8000/r/x", [("url", 0, 25)]),
        ("file.txt and a.b", []),
        ("HTTPS://EXAMPLE.COM", [("url", 0, 19)]),
        ("🙂 t.me/news", [("url", 3, 12)]),
        ("write to jo.doe+x@example.co.uk!", [("email", 9, 31)]),
        ("@news, hello", [("mention", 0, 5)]),
        ("@ab x@news", []),
        ("#launch2026 #1 #", [("hashtag", 0, 11)]),
        ("#Größe!", [("hashtag", 0, 6)]),
        ("$USD and $usd", [("cashtag", 0, 4)]),
        ("/start@news_bot go", [("bot_command", 0, 15)]),
        ("a/b and /", []),
        ("tg://resolve?domain=x", [("url", 0, 21)]),
        ("nothing here", []),
    ],
)
def test_links_tags_and_commands_are_found(text: str, found: list[tuple[str, int, int]]) -> None:
    assert autolinks.find(text) == found


def test_what_is_found_never_overlaps() -> None:
    found = autolinks.find("https://x.com/@user#tag a@b.com/#x /go@bot_x $ABC.com")
    assert all(one[2] <= other[1] for one, other in pairwise(found))


def test_found_entities_are_in_the_answer(bot: TelegramBot, channel: int) -> None:
    sent = bot.send(channel, "Go to https://example.com #now")
    assert sent["entities"] == [
        {"type": "url", "offset": 6, "length": 19},
        {"type": "hashtag", "offset": 26, "length": 4},
    ]


def test_a_link_given_by_hand_keeps_found_ones_out() -> None:
    link = ("text_link", 0, 11, {"url": "https://e.com/"})
    assert settled("example.com", link) == ("example.com", [("text_link", 0, 11)])


def test_nothing_is_found_in_code() -> None:
    assert settled("a.com b.com", ("code", 0, 5)) == ("a.com b.com", [("code", 0, 5), ("url", 6, 5)])


@pytest.mark.parametrize(
    ("text", "given_entity", "result"),
    [
        ("  hi  ", ("bold", 0, 6), ("hi", [("bold", 0, 2)])),
        ("\n hi", ("bold", 2, 2), ("hi", [("bold", 0, 2)])),
        ("a   ", ("bold", 2, 2), ("a", [])),
        ("a b", ("bold", 1, 2), ("a b", [("bold", 2, 1)])),
        ("a b", ("bold", 1, 1), ("a b", [])),
        ("a\tb", ("bold", 0, 3), ("a b", [("bold", 0, 3)])),
        ("a\r\nb", ("bold", 3, 1), ("a\nb", [("bold", 2, 1)])),
        ("a\u2028b", ("bold", 0, 3), ("ab", [("bold", 0, 2)])),
        ("🙂 x ", ("italic", 3, 2), ("🙂 x", [("italic", 3, 1)])),
        ("x", ("bold", 0, 0), ("x", [])),
    ],
)
def test_blanks_go_and_entities_move_along(text: str, given_entity: Any, result: Any) -> None:
    assert settled(text, given_entity) == result


@pytest.mark.parametrize(
    ("entities", "result"),
    [
        ([("bold", 0, 4), ("italic", 2, 4)], [("bold", 0, 4), ("italic", 2, 2), ("italic", 4, 2)]),
        ([("bold", 0, 2), ("bold", 2, 2)], [("bold", 0, 4)]),
        ([("bold", 0, 3), ("bold", 1, 4)], [("bold", 0, 5)]),
        ([("code", 0, 3), ("code", 2, 3)], [("code", 0, 3)]),
        ([("code", 1, 3), ("bold", 0, 5)], [("bold", 0, 1), ("code", 1, 3), ("bold", 4, 1)]),
        ([("pre", 0, 6), ("bold", 1, 2)], [("pre", 0, 6)]),
        ([("blockquote", 0, 4), ("code", 2, 4)], [("blockquote", 0, 4)]),
        ([("blockquote", 0, 6), ("bold", 1, 2)], [("blockquote", 0, 6), ("bold", 1, 2)]),
        ([("blockquote", 0, 3), ("blockquote", 2, 3)], [("blockquote", 0, 3)]),
        ([("blockquote", 0, 6), ("expandable_blockquote", 0, 6)], [("blockquote", 0, 6)]),
        ([("underline", 0, 6), ("strikethrough", 0, 6)], [("underline", 0, 6), ("strikethrough", 0, 6)]),
        ([("italic", 1, 2), ("bold", 0, 6)], [("bold", 0, 6), ("italic", 1, 2)]),
    ],
)
def test_entities_are_made_to_nest(entities: list[Any], result: list[Any]) -> None:
    assert settled("abcdef", *entities)[1] == result


@settings(max_examples=200, deadline=None)
@given(
    text=st.text(alphabet="ab 🙂\n\r", min_size=1, max_size=15),
    spans=st.lists(
        st.tuples(
            st.sampled_from([*STYLES, "code", "pre", "blockquote"]),
            st.integers(0, 15),
            st.integers(0, 15),
        ),
        max_size=5,
    ),
)
def test_whatever_is_given_nests_in_the_end(text: str, spans: list[tuple[str, int, int]]) -> None:
    places = utf16_offsets(text)
    chosen = [(kind, *sorted((places[a % len(places)], places[b % len(places)]))) for kind, a, b in spans]
    found = settle(text, [Entity(kind, start, end - start) for kind, start, end in chosen])
    units = found.text.encode("utf-16-le")
    assert found.text == found.text.strip(" \n")
    for one in found.entities:
        assert 0 <= one.offset < one.end <= utf16_length(found.text)
        assert units[one.offset * 2 : one.end * 2].decode("utf-16-le").strip(" \n")
        for other in found.entities:
            is_apart = one.end <= other.offset or other.end <= one.offset
            is_inside = one.offset <= other.offset and other.end <= one.end
            is_around = other.offset <= one.offset and one.end <= other.end
            assert is_apart or is_inside or is_around


@pytest.mark.parametrize(
    ("entity", "words"),
    [
        ({"type": "nonsense", "offset": 0, "length": 1}, "can't parse MessageEntity: Unsupported type specified"),
        (5, "can't parse MessageEntity: expected an Object"),
        (
            {"type": "bold", "offset": "0", "length": 1},
            'can\'t parse MessageEntity: Field "offset" must be of type Integer',
        ),
        ({"type": "bold", "offset": 0}, 'can\'t parse MessageEntity: Field "length" must be of type Integer'),
        ({"type": "text_link", "offset": 0, "length": 1}, "can't parse MessageEntity: Can't find field \"url\""),
        ({"type": "text_mention", "offset": 0, "length": 1}, "can't parse MessageEntity: Can't find field \"user\""),
        (
            {"type": "custom_emoji", "offset": 0, "length": 1},
            "can't parse MessageEntity: Can't find field \"custom_emoji_id\"",
        ),
        (
            {"type": "custom_emoji", "offset": 0, "length": 1, "custom_emoji_id": "x"},
            'can\'t parse MessageEntity: Field "custom_emoji_id" must be a valid Number',
        ),
        (
            {"type": "text_link", "offset": 0, "length": 1, "url": "not-a-url"},
            "entity URL 'not-a-url' is invalid: Wrong HTTP URL",
        ),
        (
            {"type": "text_link", "offset": 0, "length": 1, "url": ""},
            "entity URL '' is invalid: URL host is empty",
        ),
        ({"type": "text_mention", "offset": 0, "length": 1, "user": {"id": 0}}, "user not found"),
        ({"type": "bold", "offset": -1, "length": 1}, "receive an entity with incorrect offset -1"),
        (
            {"type": "bold", "offset": 100, "length": 1},
            "entity begins after the end of the text at UTF-16 offset 100",
        ),
        (
            {"type": "bold", "offset": 0, "length": 100},
            "entity beginning at UTF-16 offset 0 ends after the end of the text at UTF-16 offset 100",
        ),
        (
            {"type": "bold", "offset": 1, "length": 2},
            "entity begins in a middle of a UTF-16 symbol at byte offset 4",
        ),
        (
            {"type": "bold", "offset": 0, "length": 1},
            "entity beginning at UTF-16 offset 0 ends in a middle of a UTF-16 symbol at byte offset 4",
        ),
    ],
)
def test_a_wrong_entity_is_refused(bot: TelegramBot, channel: int, entity: Any, words: str) -> None:
    assert bot.bad("sendMessage", chat_id=channel, text="🙂hello", entities=[entity]) == words


def test_entities_must_be_a_list(bot: TelegramBot, channel: int) -> None:
    refusal = bot.bad("sendMessage", chat_id=channel, text="x", entities={"type": "bold"})
    assert refusal == "can't parse entities JSON object"


def test_markup_and_entities_exclude_each_other(bot: TelegramBot, channel: int) -> None:
    entities = [{"type": "bold", "offset": 0, "length": 1}]
    refusal = bot.bad("sendMessage", chat_id=channel, text="x", parse_mode="HTML", entities=entities)
    assert refusal == "parse_mode and entities can't be used together"


def test_entities_beyond_the_hundredth_are_dropped(bot: TelegramBot, channel: int) -> None:
    entities = [{"type": "bold", "offset": 2 * number, "length": 1} for number in range(120)]
    sent = bot.send(channel, "x " * 120, entities=entities)
    assert len(sent["entities"]) == 100
    assert sent["entities"][-1]["offset"] == 198


def test_details_come_back(bot: TelegramBot, channel: int) -> None:
    given_entities = [
        {"type": "text_link", "offset": 0, "length": 1, "url": "https://example.com"},
        {"type": "pre", "offset": 2, "length": 1, "language": "py"},
        {"type": "text_mention", "offset": 4, "length": 1, "user": {"id": DANA}},
        {"type": "custom_emoji", "offset": 6, "length": 1, "custom_emoji_id": "5"},
    ]
    link, block, mention, emoji = bot.send(channel, "a b c d", entities=given_entities)["entities"]
    assert (link["url"], block["language"], emoji["custom_emoji_id"]) == ("https://example.com/", "py", "5")
    assert mention["user"]["username"] == "dana_demo"


@pytest.mark.parametrize(
    ("url", "result"),
    [
        ("https://example.com", "https://example.com/"),
        ("HTTP://Example.COM/Path?q=1#f", "http://example.com/Path?q=1#f"),
        ("example.com", "http://example.com/"),
        ("https://example.com:8443/x", "https://example.com:8443/x"),
        ("http://127.0.0.1:8000/x", "http://127.0.0.1:8000/x"),
        ("tg://resolve?domain=x", "tg://resolve?domain=x"),
    ],
)
def test_an_address_gets_its_full_form(url: str, result: str) -> None:
    assert urls.checked(url) == result


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("", "URL host is empty"),
        ("https://", "URL host is empty"),
        ("http://localhost/x", "Wrong HTTP URL"),
        ("two words", "Wrong HTTP URL"),
        ("ftp://example.com", "Unsupported URL protocol"),
        ("https://example.com/" + "x" * 2048, "URL is too long"),
        ("https://example.com:99999/", "Wrong port number specified in the URL"),
    ],
)
def test_an_address_that_is_none_is_refused(url: str, words: str) -> None:
    with pytest.raises(urls.BadUrl, match=words):
        urls.checked(url)
