from typing import Any

import pytest

from tests.sandbox.cast import Client, Sandbox

POLL = {"options": ["Tea", "Coffee"], "duration_minutes": 60}


def test_a_post_is_created_with_an_id_and_a_history(alice: Client) -> None:
    answer = alice.create("Good morning")
    data = answer.json()["data"]
    assert answer.status_code == 201
    assert data == {"id": data["id"], "text": "Good morning", "edit_history_tweet_ids": [data["id"]]}
    assert data["id"].isdigit()


def test_ids_grow(alice: Client) -> None:
    ids = [int(alice.post_id(f"Post {number}")) for number in range(5)]
    assert ids == sorted(set(ids))


def test_without_a_token_nothing_is_posted(sandbox: Sandbox, alice: Client) -> None:
    alice.token = "wrong"
    assert alice.create("Good morning").status_code == 401
    assert sandbox.posts("alice") == []


def test_every_scope_of_posting_is_needed(sandbox: Sandbox) -> None:
    reader = sandbox.sign_in("alice", scopes="tweet.read users.read")
    refused = reader.create("Good morning")
    assert refused.status_code == 403
    assert refused.json()["detail"] == "You are not permitted to perform this action."
    writer = sandbox.sign_in("alice", scopes=["tweet.read", "tweet.write", "users.read"])
    assert writer.create("Good morning").status_code == 201


def test_an_app_only_token_cannot_post(sandbox: Sandbox) -> None:
    refused = sandbox.app_client().create("Good morning")
    assert refused.status_code == 403
    assert "Application-Only" in refused.json()["detail"]


@pytest.mark.parametrize(
    ("body", "parameter"),
    [
        ({"text": "x", "colour": "red"}, "colour"),
        ({"text": 5}, "text"),
        ({"text": "x", "reply": {}}, "reply.in_reply_to_tweet_id"),
        ({"text": "x", "reply": {"in_reply_to_tweet_id": "abc"}}, "reply.in_reply_to_tweet_id"),
        ({"text": "x", "reply": {"in_reply_to_tweet_id": "1", "why": 1}}, "reply.why"),
        ({"text": "x", "media": {"media_ids": []}}, "media.media_ids"),
        ({"text": "x", "media": {"media_ids": ["1", "2", "3", "4", "5"]}}, "media.media_ids"),
        ({"text": "x", "media": {"media_ids": ["1"], "tagged_user_ids": ["1"] * 11}}, "media.tagged_user_ids"),
        ({"text": "x", "poll": {"options": ["a"], "duration_minutes": 60}}, "poll.options"),
        ({"text": "x", "poll": {"options": ["a", "b" * 26], "duration_minutes": 60}}, "poll.options[1]"),
        ({"text": "x", "poll": {"options": ["a", ""], "duration_minutes": 60}}, "poll.options[1]"),
        ({"text": "x", "poll": {"options": ["a", "a"], "duration_minutes": 60}}, "poll.options"),
        ({"text": "x", "poll": {"options": ["a", "b"], "duration_minutes": 4}}, "poll.duration_minutes"),
        ({"text": "x", "poll": {"options": ["a", "b"], "duration_minutes": 10081}}, "poll.duration_minutes"),
        ({"text": "x", "poll": {"options": ["a", "b"], "duration_minutes": True}}, "poll.duration_minutes"),
        ({"text": "x", "poll": {"options": ["a", "b"]}}, "poll.duration_minutes"),
        ({"text": "x", "reply_settings": "everyone"}, "reply_settings"),
        ({"text": "x", "made_with_ai": "yes"}, "made_with_ai"),
        ({"text": "x", "geo": {}}, "geo.place_id"),
        ({"text": "x", "poll": POLL, "media": {"media_ids": ["1"]}}, "poll"),
        ({"text": "x", "poll": POLL, "card_uri": "card://1"}, "card_uri"),
        ({"text": "x", "quote_tweet_id": "1", "direct_message_deep_link": "l"}, "direct_message_deep_link"),
        ({"text": ""}, "text"),
        ({"text": " \n "}, "text"),
        ({}, "text"),
        ([], "body"),
    ],
)
def test_a_wrong_body_is_refused_and_its_part_is_named(
    sandbox: Sandbox, alice: Client, body: Any, parameter: str
) -> None:
    answer = alice.call("POST", "/2/tweets", json=body)
    problem = answer.json()
    assert answer.status_code == 400
    assert list(problem["errors"][0]["parameters"]) == [parameter]
    assert problem["title"] == "Invalid Request"
    assert problem["type"] == "https://api.twitter.com/2/problems/invalid-request"
    assert sandbox.posts("alice") == []


def test_a_body_that_is_no_json_is_refused(alice: Client) -> None:
    answer = alice.call("POST", "/2/tweets", data=b"{text:", headers={"Content-Type": "application/json"})
    assert answer.status_code == 400


def test_all_kept_fields_are_accepted(sandbox: Sandbox, alice: Client) -> None:
    fields = {
        "reply_settings": "mentionedUsers",
        "made_with_ai": True,
        "paid_partnership": True,
        "nullcast": False,
        "for_super_followers_only": False,
        "share_with_followers": True,
        "community_id": "146",
        "geo": {"place_id": "5a110d312052166f"},
    }
    assert alice.create("Everything", **fields).status_code == 201
    assert sandbox.posts("alice")[0]["options"] == fields


def test_a_poll_can_be_posted(sandbox: Sandbox, alice: Client) -> None:
    alice.post_id("Which?", poll=POLL)
    assert sandbox.posts("alice")[0]["poll"] == POLL


def test_quote_posts_are_not_for_self_serve_apps(alice: Client) -> None:
    first = alice.post_id("First")
    assert alice.create("Look", quote_tweet_id=first).status_code == 403


@pytest.mark.parametrize(
    ("text", "status"),
    [("a" * 280, 201), ("a" * 281, 400), ("字" * 140, 201), ("字" * 141, 400), ("👨‍👩‍👧‍👦" * 140, 201)],
)
def test_the_weighted_length_is_enforced(alice: Client, text: str, status: int) -> None:
    assert alice.create(text).status_code == status


def test_a_link_always_weighs_23(alice: Client) -> None:
    link = "https://example.com/" + "a" * 300
    assert alice.create("a" * 256 + " " + link).status_code == 201
    assert alice.create("b" * 257 + " " + link).status_code == 400


@pytest.mark.parametrize(("length", "status"), [(25_000, 201), (25_001, 400)])
def test_premium_accounts_may_write_at_length(sandbox: Sandbox, length: int, status: int) -> None:
    sandbox.post("/accounts", handle="prim", premium=True)
    assert sandbox.sign_in("prim").create("a" * length).status_code == status


def test_line_ends_are_folded_and_edges_trimmed(sandbox: Sandbox, alice: Client) -> None:
    alice.post_id(" one\r\ntwo \n")
    assert sandbox.posts("alice")[0]["text"] == "one\ntwo"


def test_the_same_words_twice_are_a_duplicate(sandbox: Sandbox, alice: Client) -> None:
    alice.post_id("Fresh coffee")
    again = alice.create("Fresh  coffee\n")
    assert again.status_code == 403
    assert again.json() == {
        "detail": "You are not allowed to create a Tweet with duplicate content.",
        "type": "about:blank",
        "title": "Forbidden",
        "status": 403,
    }
    assert len(sandbox.posts("alice")) == 1


def test_another_account_may_say_the_same(alice: Client, bob: Client) -> None:
    alice.post_id("Fresh coffee")
    assert bob.create("Fresh coffee").status_code == 201


def test_the_same_words_are_fine_after_a_day(sandbox: Sandbox, alice: Client) -> None:
    alice.post_id("Fresh coffee")
    sandbox.advance(86401)
    late = sandbox.sign_in("alice")
    assert late.create("Fresh coffee").status_code == 201


def test_the_same_words_are_fine_once_the_first_post_is_deleted(alice: Client) -> None:
    first = alice.post_id("Fresh coffee")
    alice.call("DELETE", f"/2/tweets/{first}")
    assert alice.create("Fresh coffee").status_code == 201


def test_the_same_words_to_another_post_are_no_duplicate(alice: Client) -> None:
    first, second = alice.post_id("One"), alice.post_id("Two")
    assert alice.reply("Thanks", first).status_code == 201
    assert alice.reply("Thanks", second).status_code == 201
    assert alice.reply("Thanks", second).status_code == 403


def test_a_thread_is_a_chain_of_replies_to_oneself(sandbox: Sandbox, alice: Client) -> None:
    first = alice.post_id("1/2")
    alice.reply("2/2", first)
    posts = sandbox.posts("alice")
    assert posts[1]["in_reply_to"] == first
    assert {post["conversation_id"] for post in posts} == {first}


def test_a_reply_without_a_summons_is_refused(sandbox: Sandbox, alice: Client, bob: Client) -> None:
    stranger = bob.post_id("Nobody asked")
    refused = alice.reply("Buy beans", stranger)
    assert refused.status_code == 403
    assert refused.json()["detail"].startswith("Reply to this conversation is not allowed because you have not been")
    assert sandbox.posts("alice") == []


@pytest.mark.parametrize("how", ["mention", "answer", "quote"])
def test_a_summons_opens_the_reply(sandbox: Sandbox, alice: Client, how: str) -> None:
    own = alice.post_id("We are open")
    extra = {"mention": {}, "answer": {"in_reply_to": own}, "quote": {"quote": own}}[how]
    summons = sandbox.post("/mentions", **{"from": "fan", "to": "alice", **extra})
    assert alice.reply("Thank you", summons["id"]).status_code == 201


def test_being_summoned_elsewhere_in_the_conversation_is_not_enough(sandbox: Sandbox, alice: Client) -> None:
    first = sandbox.post("/mentions", **{"from": "fan", "to": "alice"})
    second = sandbox.post("/mentions", **{"from": "other", "to": "fan", "in_reply_to": first["id"], "text": "yes"})
    assert alice.reply("Hello", second["id"]).status_code == 403


def test_a_reply_to_a_deleted_post_is_refused(alice: Client) -> None:
    first = alice.post_id("Soon gone")
    alice.call("DELETE", f"/2/tweets/{first}")
    refused = alice.reply("Hello?", first)
    assert refused.status_code == 403
    assert "deleted or not visible" in refused.json()["detail"]


def test_an_addressed_reply_starts_with_the_name_and_the_name_does_not_count(sandbox: Sandbox, alice: Client) -> None:
    summons = sandbox.post("/mentions", **{"from": "fan", "to": "alice"})
    reply = {"in_reply_to_tweet_id": summons["id"], "auto_populate_reply_metadata": True}
    answer = alice.create("a" * 280, reply=reply)
    assert answer.status_code == 201
    assert answer.json()["data"]["text"].startswith("@fan aaa")


def test_an_excluded_author_is_not_engaged(sandbox: Sandbox, alice: Client) -> None:
    summons = sandbox.post("/mentions", **{"from": "fan", "to": "alice"})
    fan = sandbox.sign_in("fan")
    reply = {"in_reply_to_tweet_id": summons["id"], "exclude_reply_user_ids": [fan.id]}
    alice.post_id("Thanks", reply=reply)
    assert fan.get(f"/2/users/{fan.id}/mentions").json() == {"meta": {"result_count": 0}}


@pytest.fixture
def prim(sandbox: Sandbox) -> Client:
    sandbox.post("/accounts", handle="prim", premium=True)
    return sandbox.sign_in("prim")


def edit(client: Client, text: str, previous: str) -> Any:
    return client.create(text, edit_options={"previous_post_id": previous})


def test_an_edit_is_a_new_post_in_the_place_of_the_old_one(prim: Client) -> None:
    first = prim.post_id("Tyop")
    data = edit(prim, "Typo", first).json()["data"]
    assert data["edit_history_tweet_ids"] == [first, data["id"]]
    assert [post["id"] for post in prim.timeline()["data"]] == [data["id"]]


def test_only_premium_accounts_edit(alice: Client) -> None:
    first = alice.post_id("Tyop")
    assert edit(alice, "Typo", first).status_code == 403


def test_an_edit_is_possible_for_an_hour(sandbox: Sandbox, prim: Client) -> None:
    first = prim.post_id("Tyop")
    sandbox.advance(3601)
    assert edit(prim, "Typo", first).status_code == 403


def test_nobody_edits_a_post_of_someone_else(sandbox: Sandbox, prim: Client, alice: Client) -> None:
    assert edit(prim, "Mine now", alice.post_id("Mine")).status_code == 403


def test_an_old_version_cannot_be_edited_again(prim: Client) -> None:
    first = prim.post_id("Tyop")
    edit(prim, "Typo", first)
    assert edit(prim, "Typos", first).status_code == 403


def test_a_post_can_be_edited_five_times(prim: Client) -> None:
    latest = prim.post_id("Version 0")
    for number in range(1, 6):
        latest = edit(prim, f"Version {number}", latest).json()["data"]["id"]
    assert edit(prim, "Version 6", latest).status_code == 403
