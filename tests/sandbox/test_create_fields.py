"""Every field of a new post: accepted at its edges, refused one step beyond, and nothing posted then."""

from itertools import combinations, permutations
from typing import Any

import pytest

from sandbox.x.bodies import CREATE_POST
from sandbox.x.create import EXCLUSIVE
from tests.sandbox.cast import Client, Sandbox, photo

POLL: dict[str, Any] = {"options": ["Tea", "Coffee"], "duration_minutes": 60}
# Values that pass the shape, whatever the rules behind it say.
SHAPES: dict[str, Any] = {
    "media": {"media_ids": ["1"]},
    "poll": POLL,
    "quote_tweet_id": "1",
    "card_uri": "card://1",
    "direct_message_deep_link": "https://x.com/messages/compose?recipient_id=1",
}
FLAGS = ["share_with_followers", "made_with_ai", "paid_partnership", "nullcast", "for_super_followers_only"]


def poll(**changes: Any) -> dict[str, Any]:
    return {"poll": {**POLL, **changes}}


GOOD: list[dict[str, Any]] = [
    poll(options=["a", "b"]),
    poll(options=["a", "b", "c", "d"]),
    poll(options=["x" * 25, "y" * 25]),
    poll(options=["字" * 25, "茶"]),
    poll(duration_minutes=5),
    poll(duration_minutes=10_080),
    poll(reply_settings="following"),
    {"reply_settings": "following"},
    {"reply_settings": "mentionedUsers"},
    {"reply_settings": "subscribers"},
    {"reply_settings": "verified"},
    {"community_id": "1"},
    {"community_id": "9" * 19},
    {"geo": {"place_id": ""}},
    {"card_uri": "card://853503245793641682"},
    {"direct_message_deep_link": "https://x.com/messages/compose?recipient_id=2244994945"},
    *[{name: value} for name in FLAGS for value in (True, False)],
]
BAD: list[tuple[dict[str, Any], str]] = [
    (poll(options=["a"]), "poll.options"),
    (poll(options=["a", "b", "c", "d", "e"]), "poll.options"),
    (poll(options=["x" * 26, "y"]), "poll.options[0]"),
    (poll(options=["x", 7]), "poll.options[1]"),
    (poll(options="Tea"), "poll.options"),
    (poll(duration_minutes=4), "poll.duration_minutes"),
    (poll(duration_minutes=10_081), "poll.duration_minutes"),
    (poll(duration_minutes=-60), "poll.duration_minutes"),
    (poll(duration_minutes="60"), "poll.duration_minutes"),
    (poll(duration_minutes=60.0), "poll.duration_minutes"),
    (poll(duration_minutes=None), "poll.duration_minutes"),
    (poll(reply_settings="everyone"), "poll.reply_settings"),
    (poll(winner="Tea"), "poll.winner"),
    ({"reply_settings": "Following"}, "reply_settings"),
    ({"reply_settings": ["following"]}, "reply_settings"),
    ({"reply_settings": None}, "reply_settings"),
    ({"community_id": ""}, "community_id"),
    ({"community_id": "9" * 20}, "community_id"),
    ({"community_id": 146}, "community_id"),
    ({"community_id": "-1"}, "community_id"),
    ({"community_id": "1\n"}, "community_id"),
    ({"community_id": "١"}, "community_id"),
    ({"geo": {"place_id": 5}}, "geo.place_id"),
    ({"geo": {"place_id": "a", "lat": 1}}, "geo.lat"),
    ({"geo": "Berlin"}, "geo"),
    ({"card_uri": 1}, "card_uri"),
    ({"direct_message_deep_link": {}}, "direct_message_deep_link"),
    ({"quote_tweet_id": "first"}, "quote_tweet_id"),
    ({"edit_options": {}}, "edit_options.previous_post_id"),
    ({"edit_options": {"previous_post_id": 1}}, "edit_options.previous_post_id"),
    ({"edit_options": {"previous_post_id": "1", "reason": "typo"}}, "edit_options.reason"),
    ({"reply": {"in_reply_to_tweet_id": 1}}, "reply.in_reply_to_tweet_id"),
    ({"reply": {"in_reply_to_tweet_id": ""}}, "reply.in_reply_to_tweet_id"),
    ({"reply": {"auto_populate_reply_metadata": True}}, "reply.in_reply_to_tweet_id"),
    (
        {"reply": {"in_reply_to_tweet_id": "1", "auto_populate_reply_metadata": 1}},
        "reply.auto_populate_reply_metadata",
    ),
    ({"reply": {"in_reply_to_tweet_id": "1", "exclude_reply_user_ids": "1"}}, "reply.exclude_reply_user_ids"),
    ({"reply": {"in_reply_to_tweet_id": "1", "exclude_reply_user_ids": ["a"]}}, "reply.exclude_reply_user_ids[0]"),
    ({"media": {}}, "media.media_ids"),
    ({"media": {"media_ids": "1"}}, "media.media_ids"),
    ({"media": {"media_ids": [1]}}, "media.media_ids[0]"),
    ({"media": {"media_ids": ["1", "x"]}}, "media.media_ids[1]"),
    ({"media": {"media_ids": ["1"], "embeddable": "no"}}, "media.embeddable"),
    ({"media": {"media_ids": ["1"], "preview_media_id": "x"}}, "media.preview_media_id"),
    ({"media": {"media_ids": ["1"], "title": 1}}, "media.title"),
    ({"media": {"media_ids": ["1"], "colour": "red"}}, "media.colour"),
    ({"media": {"media_ids": ["1"], "call_to_actions": {"visit_site": {}}}}, "media.call_to_actions.visit_site.url"),
    ({"media": {"media_ids": ["1"], "call_to_actions": {"buy_now": {}}}}, "media.call_to_actions.buy_now"),
    ({"media": {"media_ids": ["1"], "tagged_user_ids": ["1", "bob"]}}, "media.tagged_user_ids[1]"),
    *[({name: value}, name) for name in FLAGS for value in (0, "true", None)],
]


@pytest.mark.parametrize("fields", GOOD, ids=str)
def test_a_field_at_its_edge_is_accepted_and_kept(sandbox: Sandbox, alice: Client, fields: dict[str, Any]) -> None:
    assert alice.create("Good morning", **fields).status_code == 201
    [post] = sandbox.posts("alice")
    kept = {**post["options"], **({"poll": post["poll"]} if post["poll"] else {})}
    assert kept == fields


@pytest.mark.parametrize(("fields", "part"), BAD, ids=str)
def test_a_field_beyond_its_edge_is_refused_by_its_name(
    sandbox: Sandbox, alice: Client, fields: dict[str, Any], part: str
) -> None:
    answer = alice.create("Good morning", **fields)
    assert answer.status_code == 400
    assert list(answer.json()["errors"][0]["parameters"]) == [part]
    assert sandbox.ledger(effect="post") == []


def test_every_field_of_the_schema_is_tried_here() -> None:
    tried = {name for fields in GOOD for name in fields} | {name for fields, _ in BAD for name in fields}
    assert set(CREATE_POST["properties"]) - {"text"} == tried


@pytest.mark.parametrize("pair", list(permutations(EXCLUSIVE, 2)), ids="+".join)
def test_no_two_attachments_go_together(sandbox: Sandbox, alice: Client, pair: tuple[str, str]) -> None:
    answer = alice.create("Good morning", **{name: SHAPES[name] for name in pair})
    assert answer.status_code == 400
    assert answer.json()["errors"][0]["message"].endswith("are mutually exclusive.")
    assert sandbox.posts("alice") == []


@pytest.mark.parametrize("trio", list(combinations(EXCLUSIVE, 3)), ids="+".join)
def test_three_attachments_are_all_named(alice: Client, trio: tuple[str, ...]) -> None:
    answer = alice.create("Good morning", **{name: SHAPES[name] for name in trio})
    message = answer.json()["errors"][0]["message"]
    assert message == " and ".join(trio) + " are mutually exclusive."


@pytest.mark.parametrize("name", ["poll", "card_uri", "direct_message_deep_link"])
def test_each_attachment_is_fine_by_itself(alice: Client, name: str) -> None:
    assert alice.create("Good morning", **{name: SHAPES[name]}).status_code == 201


def test_a_reply_may_carry_a_poll(sandbox: Sandbox, alice: Client) -> None:
    first = alice.post_id("Vote below")
    assert alice.create("Which?", poll=POLL, reply={"in_reply_to_tweet_id": first}).status_code == 201
    assert sandbox.posts("alice")[1]["poll"] == POLL


@pytest.mark.parametrize("count", [1, 2, 3, 4])
def test_up_to_four_photos_are_kept_in_their_order(sandbox: Sandbox, alice: Client, count: int) -> None:
    media_ids = [photo(alice, colour) for colour in ("red", "green", "blue", "black")[:count]][::-1]
    alice.post_id("Look", media={"media_ids": media_ids})
    assert sandbox.posts("alice")[0]["media_ids"] == media_ids


def test_every_part_of_media_is_accepted_together(alice: Client, bob: Client) -> None:
    media = {
        "media_ids": [photo(alice)],
        "tagged_user_ids": [bob.id] * 10,
        "call_to_actions": {
            "visit_site": {"url": "https://example.com"},
            "watch_now": {"url": "https://example.com/film"},
            "app_install": {"app_store_id": "1", "ipad_app_store_id": "2", "play_store_id": "3"},
        },
        "embeddable": True,
        "preview_media_id": "1",
        "title": "A cup",
        "description": "Of coffee",
    }
    assert alice.create("Look", media=media).status_code == 201


@pytest.mark.parametrize("fields", [{"media": True}, {"card_uri": "card://1"}], ids=str)
def test_with_media_or_a_card_the_text_may_be_left_out(alice: Client, fields: dict[str, Any]) -> None:
    given = {"media": {"media_ids": [photo(alice)]}} if "media" in fields else fields
    assert alice.create(**given).status_code == 201


def test_a_poll_without_text_is_empty(alice: Client) -> None:
    assert alice.create(poll=POLL).json()["errors"][0]["message"] == "Your Tweet text must not be empty."


WEIGHTS = [
    ("a" * 279, 201),
    ("a" * 280, 201),
    ("a" * 281, 400),
    ("字" * 140, 201),
    ("字" * 140 + "a", 400),
    ("字" * 139 + "aa", 201),
    ("e\u0301" * 280, 201),
    ("e\u0301" * 281, 400),
    ("😀" * 140, 201),
    ("😀" * 141, 400),
    ("🇩🇪" * 140, 201),
    ("🇩🇪" * 140 + "!", 400),
    ("a" * 261 + "https://example.com", 201),
    ("a" * 262 + "https://example.com", 400),
    ("a" * 256 + " https://example.com", 201),
    ("a" * 257 + " https://example.com", 400),
    (" " * 500 + "a" * 280 + " " * 500, 201),
    ("a\r\n" * 140, 201),
    ("“" * 280, 201),
    ("€" * 140, 201),
    ("€" * 141, 400),
]


@pytest.mark.parametrize(("text", "status"), WEIGHTS)
def test_the_length_is_weighed_to_the_last_unit(alice: Client, text: str, status: int) -> None:
    assert alice.create(text).status_code == status


def test_names_at_the_start_count_in_a_post_but_not_in_a_reply(alice: Client) -> None:
    text = "@alice " + "a" * 280
    first = alice.post_id("First")
    assert alice.create(text).status_code == 400
    assert alice.reply(text, first).status_code == 201


@pytest.mark.parametrize(
    ("first", "second", "status"),
    [
        ("Fresh coffee", "fresh coffee", 201),
        ("Fresh coffee", "Fresh coffee!", 201),
        ("Fresh coffee", "Fresh\ncoffee", 403),
        ("Fresh coffee", "  Fresh \t coffee  ", 403),
        ("caf\u00e9", "cafe\u0301", 403),
        ("Fresh coffee", "Fresh\u00a0coffee", 403),
        ("Fresh coffee", "Fresh coffee ☕", 201),
    ],
)
def test_what_counts_as_the_same_words(alice: Client, first: str, second: str, status: int) -> None:
    alice.post_id(first)
    assert alice.create(second).status_code == status


def test_another_poll_makes_the_same_words_a_new_post(alice: Client) -> None:
    statuses = [
        alice.create("Which?", poll={**POLL, "options": options}).status_code for options in (["a", "b"], ["a", "c"])
    ]
    assert statuses == [201, 201]


def test_the_order_of_photos_does_not_make_a_new_post(alice: Client) -> None:
    red, blue = photo(alice, "red"), photo(alice, "blue")
    assert alice.create("Look", media={"media_ids": [red, blue]}).status_code == 201
    assert alice.create("Look", media={"media_ids": [blue, red]}).status_code == 403


@pytest.mark.parametrize(("seconds", "status"), [(86_390, 403), (86_401, 201)])
def test_a_duplicate_is_remembered_for_a_day(sandbox: Sandbox, alice: Client, seconds: int, status: int) -> None:
    alice.post_id("Fresh coffee")
    sandbox.advance(seconds)
    assert sandbox.sign_in("alice").create("Fresh coffee").status_code == status
