"""The small parts by themselves: buckets, formatting, rows, parameters."""

import json
import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sandbox.telegram import messages, parameters, people, problems, windows
from sandbox.telegram.access import Place
from sandbox.telegram.formatting import as_html
from sandbox.telegram.messages import Draft
from sandbox.telegram.schema import SCHEMA
from sandbox.telegram.texts import Entity, settle, utf16_length, utf16_offsets
from sandbox.wire import Refusal, Request
from tests.sandbox.test_escaping import Reader

CHANNEL = Place(-1, 0, "channel")
GROUP = Place(-2, 0, "group")
PRIVATE = Place(5, 9, "private")


@pytest.fixture
def tables() -> Iterator[sqlite3.Connection]:
    """The empty tables of Telegram, without a server."""
    opened = sqlite3.connect(":memory:")
    opened.row_factory = sqlite3.Row
    opened.executescript(SCHEMA)
    yield opened
    opened.close()


# Buckets


@dataclass
class FakeCaller:
    bot: dict[str, int]


@dataclass
class FakeCall:
    """The three things a bucket looks at."""

    db: sqlite3.Connection
    now: float
    caller: FakeCaller


def sent_at(db: sqlite3.Connection, moment: float, place: Place = CHANNEL, count: int = 1, bot: int = 1) -> int:
    """0 when the message passes, else the seconds to wait."""
    try:
        windows.consume(FakeCall(db, moment, FakeCaller({"id": bot})), place, count)  # type: ignore[arg-type]
    except Refusal as refusal:
        waits: int = json.loads(refusal.response.body)["parameters"]["retry_after"]
        return waits
    return 0


def test_a_burst_of_three_passes_and_the_fourth_waits(tables: sqlite3.Connection) -> None:
    assert [sent_at(tables, 100.0) for _ in range(4)] == [0, 0, 0, 1]


def test_one_a_second_passes_for_ever(tables: sqlite3.Connection) -> None:
    assert {sent_at(tables, 100.0 + second) for second in range(50)} == {0}


def test_two_a_second_do_not(tables: sqlite3.Connection) -> None:
    assert sum(sent_at(tables, 100.0 + half / 2) > 0 for half in range(40)) >= 15


def test_waiting_as_long_as_told_is_enough(tables: sqlite3.Connection) -> None:
    for _ in range(3):
        sent_at(tables, 100.0)
    wait = sent_at(tables, 100.2)
    assert sent_at(tables, 100.2 + wait) == 0


def test_an_album_is_paid_off_afterwards(tables: sqlite3.Connection) -> None:
    assert sent_at(tables, 100.0, count=10) == 0
    assert sent_at(tables, 100.0) == 8
    assert sent_at(tables, 107.5) == 1
    assert sent_at(tables, 108.0) == 0


def test_a_full_bucket_does_not_overflow(tables: sqlite3.Connection) -> None:
    sent_at(tables, 100.0)
    assert [sent_at(tables, 99_999.0) for _ in range(4)] == [0, 0, 0, 1]


def test_a_refusal_takes_nothing_out_of_other_buckets(tables: sqlite3.Connection) -> None:
    for _ in range(60):
        sent_at(tables, 100.0)
    assert sent_at(tables, 100.0, PRIVATE) == 0


def test_thirty_a_second_pass_over_all_chats(tables: sqlite3.Connection) -> None:
    waits = [sent_at(tables, 100.0, Place(-number, 0, "channel")) for number in range(31)]
    assert waits == [0] * 30 + [1]


def test_twenty_a_minute_pass_in_a_group(tables: sqlite3.Connection) -> None:
    for burst in range(7):
        last = [sent_at(tables, 100.0 + 3 * burst, GROUP) for _ in range(3)]
    # 21 messages in 18 seconds, of which six have dripped back.
    assert last == [0, 0, 0]
    each_second = [sent_at(tables, 121.0 + second, GROUP) for second in range(40)]
    assert 15 <= each_second.count(0) <= 21


def test_one_in_three_seconds_passes_in_a_group_for_ever(tables: sqlite3.Connection) -> None:
    assert {sent_at(tables, 100.0 + 3 * number, GROUP) for number in range(60)} == {0}


@pytest.mark.parametrize(("place", "count"), [(CHANNEL, 2), (PRIVATE, 2), (GROUP, 3), (Place(-3, 0, "supergroup"), 3)])
def test_only_groups_have_a_bucket_for_the_minute(place: Place, count: int) -> None:
    assert len(windows.buckets_for(1, place)) == count


def test_bots_have_buckets_of_their_own(tables: sqlite3.Connection) -> None:
    assert [sent_at(tables, 100.0, bot=number % 2) for number in range(6)] == [0] * 6


# Formatting for pages


def entity(kind: str, offset: int, length: int, **details: Any) -> dict[str, Any]:
    return {"type": kind, "offset": offset, "length": length, **details}


@pytest.mark.parametrize(
    ("text", "entities", "html"),
    [
        ("plain", [], "plain"),
        ("a < b & c", [], "a &lt; b &amp; c"),
        ("abc", [entity("bold", 1, 1)], "a<strong>b</strong>c"),
        ("abc", [entity("bold", 0, 3), entity("italic", 1, 1)], "<strong>a<em>b</em>c</strong>"),
        ("ab", [entity("bold", 0, 2), entity("italic", 0, 2)], "<strong><em>ab</em></strong>"),
        ("ab", [entity("bold", 0, 1), entity("italic", 1, 1)], "<strong>a</strong><em>b</em>"),
        ("🙂b", [entity("bold", 2, 1)], "🙂<strong>b</strong>"),
        ("🙂", [entity("custom_emoji", 0, 2)], "🙂"),
        ("x", [entity("unknown", 0, 1)], "x"),
        (
            "x",
            [entity("text_link", 0, 1, url='https://e.com/?a="b"')],
            '<a rel="nofollow noreferrer" href="https://e.com/?a=&quot;b&quot;">x</a>',
        ),
        ("e.com", [entity("url", 0, 5)], '<a rel="nofollow noreferrer" href="http://e.com">e.com</a>'),
        ("a@b.c", [entity("email", 0, 5)], '<a rel="nofollow noreferrer" href="mailto:a@b.c">a@b.c</a>'),
        ("@user", [entity("mention", 0, 5)], '<span class="hot">@user</span>'),
        ("q\nr", [entity("expandable_blockquote", 0, 3)], '<q class="quote">q\nr</q>'),
    ],
)
def test_a_text_becomes_html(text: str, entities: list[dict[str, Any]], html: str) -> None:
    assert as_html(text, entities) == html


@settings(max_examples=150, deadline=None)
@given(
    text=st.text(alphabet="ab<>&\"'🙂 \n", min_size=1, max_size=15),
    spans=st.lists(
        st.tuples(
            st.sampled_from(["bold", "italic", "code", "spoiler", "text_link"]), st.integers(0, 15), st.integers(0, 15)
        ),
        max_size=4,
    ),
)
def test_html_says_the_same_words_whatever_is_formatted(text: str, spans: list[tuple[str, int, int]]) -> None:
    places = utf16_offsets(text)
    chosen = [(kind, *sorted((places[a % len(places)], places[b % len(places)]))) for kind, a, b in spans]
    details = {"url": 'https://e.com/"><script>'}
    found = settle(text, [Entity(kind, start, end - start, details) for kind, start, end in chosen])
    page = Reader(as_html(found.text, [one.as_json() for one in found.entities]))
    assert page.words == found.text
    assert page.is_harmless


# Rows


def test_numbers_of_messages_grow_per_chat_and_bot(tables: sqlite3.Connection) -> None:
    drafts = [Draft(-1, 0, 9), Draft(-1, 0, 9), Draft(5, 9, 9), Draft(5, 8, 8)]
    assert [messages.insert(tables, draft, 1.0)["message_id"] for draft in drafts] == [1, 2, 1, 1]


def test_an_edit_keeps_every_earlier_text(tables: sqlite3.Connection) -> None:
    row = messages.insert(tables, Draft(-1, 0, 9, "one"), 1.0)
    for moment, text in ((2.0, "two"), (3.0, "three")):
        row = messages.change(tables, row, moment, text=text)
    assert [(was["text"], was["until"]) for was in json.loads(row["history"])] == [("one", 2.0), ("two", 3.0)]
    assert (row["text"], row["edited_at"]) == ("three", 3.0)


def test_a_deleted_message_is_only_found_by_listing(tables: sqlite3.Connection) -> None:
    row = messages.insert(tables, Draft(-1, 0, 9, "x"), 1.0)
    messages.delete(tables, row, 2.0)
    assert messages.find_in(tables, CHANNEL, 1) is None
    assert len(messages.of_chat(tables, -1)) == 1


def test_a_draft_survives_being_written_down(tables: sqlite3.Connection) -> None:
    draft = Draft(-1, 0, 9, "x", [{"type": "bold"}], options={"has_media_spoiler": True}, keyboard={"a": 1})
    assert Draft(**json.loads(json.dumps(draft.as_json()))) == draft


def test_names_have_no_case(tables: sqlite3.Connection) -> None:
    user_id = people.create_user(tables, "Dana", "Dana_Demo")
    chat_id = people.create_chat(tables, "channel", "News", "link", "The_News")
    assert people.named_user(tables, "@dana_DEMO")["id"] == user_id  # type: ignore[index]
    assert people.named_chat(tables, "the_news")["id"] == chat_id  # type: ignore[index]
    assert people.named_user(tables, user_id)["name"] == "Dana"  # type: ignore[index]


@pytest.mark.parametrize(
    ("kind", "chat_type", "is_forum", "prefix"),
    [
        ("channel", "channel", 0, "-1000002"),
        ("supergroup", "supergroup", 0, "-1000002"),
        ("forum", "supergroup", 1, "-1000002"),
        ("group", "group", 0, "-2"),
    ],
)
def test_the_id_of_a_chat_tells_its_kind(
    tables: sqlite3.Connection, kind: str, chat_type: str, is_forum: int, prefix: str
) -> None:
    chat_id = people.create_chat(tables, kind, "X", "link")
    row = people.chat(tables, chat_id)
    assert row is not None
    assert (row["type"], row["is_forum"]) == (chat_type, is_forum)
    assert str(chat_id).startswith(prefix)


@pytest.mark.parametrize("kind", ["channel", "group"])
def test_the_public_number_of_a_chat_leads_back(tables: sqlite3.Connection, kind: str) -> None:
    people.create_chat(tables, "channel", "First", "link")
    chat_id = people.create_chat(tables, kind, "X", "link")
    number = people.public_id(chat_id)
    assert number == 2_000_002
    assert chat_id in (people.SUPERGROUP_BASE - number, -number)


@pytest.mark.parametrize(
    ("status", "given_rights", "is_allowed"),
    [
        ("creator", {}, True),
        ("administrator", {"can_invite_users": True}, True),
        ("administrator", {"can_invite_users": False}, False),
        ("administrator", {}, False),
        ("member", {"can_invite_users": True}, False),
        ("left", {"can_invite_users": True}, False),
        ("kicked", {"can_invite_users": True}, False),
    ],
)
def test_a_right_is_for_administrators_who_have_it(
    tables: sqlite3.Connection, status: str, given_rights: dict[str, bool], is_allowed: bool
) -> None:
    people.set_member(tables, -1, 5, status, given_rights)
    assert people.has_right(tables, -1, 5, "can_invite_users") is is_allowed


def test_a_stranger_has_no_right(tables: sqlite3.Connection) -> None:
    assert people.has_right(tables, -1, 5, "can_invite_users") is False
    assert people.status(tables, -1, 5) == "left"


@pytest.mark.parametrize(
    ("chat_type", "own", "foreign"),
    [("channel", "can_post_messages", "can_pin_messages"), ("supergroup", "can_pin_messages", "can_post_messages")],
)
def test_rights_are_those_of_the_kind_of_chat(chat_type: str, own: str, foreign: str) -> None:
    granted = people.full_rights(chat_type, {own: False, foreign: True})
    assert granted[own] is False
    assert foreign not in granted
    assert granted["can_promote_members"] is False
    assert granted["can_delete_messages"] is True


# Parameters


def given_as(query: str = "", body: bytes = b"", content_type: str = "") -> parameters.Parameters:
    return parameters.read(Request("POST", "/", query, {"Content-Type": content_type}, body))


def test_a_body_goes_before_the_query() -> None:
    found = given_as("a=1&b=2", b"b=3", "application/x-www-form-urlencoded")
    assert (found.text("a"), found.text("b"), found.text("c")) == ("1", "3", "")


def test_json_keeps_its_types_and_null_is_nothing() -> None:
    found = given_as("", b'{"n": 5, "f": true, "o": {"x": 1}, "z": null}', "application/json")
    assert (found.number("n"), found.flag("f"), found.object("o")) == (5, True, {"x": 1})
    assert "z" not in found.values


@pytest.mark.parametrize(
    ("text", "is_set"), [("true", True), ("True", True), ("1", True), ("false", False), ("", False)]
)
def test_a_flag_is_a_word(text: str, is_set: bool) -> None:
    assert given_as(f"f={text}").flag("f") is is_set


@pytest.mark.parametrize(
    ("text", "number"), [("5", 5), ("-7", -7), (" 5 ", 5), ("x", None), ("5.0", None), ("9" * 19, None)]
)
def test_a_number_is_whole_and_fits(text: str, number: int | None) -> None:
    assert given_as(f"n={text}").number("n") == number


def test_a_default_stands_for_what_is_no_number() -> None:
    assert given_as("n=x").number("n", 7) == 7
    assert given_as("").number("n", 7) == 7


@pytest.mark.parametrize(
    ("value", "kind"), [(5, str), ("5", int), (True, int), ([], dict), ({}, list), (1, bool), (2**53, int)]
)
def test_a_field_of_the_wrong_type_is_refused(value: Any, kind: type) -> None:
    with pytest.raises(Refusal) as refusal:
        parameters.field({"x": value}, "x", kind)
    assert b'field \\"x\\" must be of type' in refusal.value.response.body


def test_a_field_that_is_missing_has_a_default() -> None:
    assert parameters.field({}, "x", int, 5) == 5
    assert parameters.field({"x": None}, "x", int, 5) == 5


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("Message is too long", "Bad Request: message is too long"),
        ("EFFECT_ID_INVALID", "Bad Request: EFFECT_ID_INVALID"),
        ("chat not found", "Bad Request: chat not found"),
    ],
)
def test_error_texts_start_small_unless_they_are_codes(text: str, shown: str) -> None:
    assert json.loads(problems.bad_request(text).response.body)["description"] == shown


@given(st.text(max_size=20))
def test_units_are_counted_as_utf16_does(text: str) -> None:
    assert utf16_length(text) == len(text.encode("utf-16-le", "surrogatepass")) // 2
    assert utf16_offsets(text)[-1] == utf16_length(text)
