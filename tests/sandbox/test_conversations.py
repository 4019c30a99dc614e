"""Who may answer whom, what a conversation is, and what comes along when one is read."""

from typing import Any

import pytest

from tests.sandbox.cast import Client, Sandbox, photo

NAMES = "author_id,in_reply_to_user_id,entities.mentions.username,referenced_tweets.id"


def summon(sandbox: Sandbox, **order: str) -> str:
    return str(sandbox.post("/mentions", **{"from": "fan", "to": "alice", **order})["id"])


def test_a_summons_is_for_the_one_who_was_named(sandbox: Sandbox, alice: Client, bob: Client) -> None:
    summons = summon(sandbox)
    assert bob.reply("Me too", summons).status_code == 403
    assert alice.reply("Thank you", summons).status_code == 201


@pytest.mark.parametrize("text", ["@alice hi", "hi @ALICE", "hi ＠alice!", ".@alice"])
def test_any_way_of_naming_is_a_summons(alice: Client, bob: Client, text: str) -> None:
    assert alice.reply("Thank you", bob.post_id(text)).status_code == 201


@pytest.mark.parametrize("text", ["alice hi", "@alicea hi", "bob@alice", "#alice"])
def test_anything_else_is_none(alice: Client, bob: Client, text: str) -> None:
    assert alice.reply("Thank you", bob.post_id(text)).status_code == 403


def test_two_who_answer_each_other_stay_in_one_conversation(sandbox: Sandbox, alice: Client, bob: Client) -> None:
    first = alice.post_id("Who is there?")
    last = summon(sandbox, **{"from": "bob", "in_reply_to": first, "text": "Me"})
    for number, client in enumerate([alice, bob, alice, bob]):
        last = client.reply(f"Answer {number}", last).json()["data"]["id"]
    posts = sandbox.get("/posts")["posts"]
    assert {post["conversation_id"] for post in posts} == {first}
    assert len(posts) == 6


def test_a_deleted_summons_can_no_longer_be_answered(sandbox: Sandbox, alice: Client, bob: Client) -> None:
    summons = bob.post_id("@alice hi")
    bob.call("DELETE", f"/2/tweets/{summons}")
    assert alice.reply("Thank you", summons).status_code == 403


def test_a_refused_reply_is_free(sandbox: Sandbox, alice: Client, bob: Client) -> None:
    first = bob.post_id("Nobody asked")
    before = sandbox.get("/apps")["apps"][0]["spent_micro"]
    alice.reply("Buy", first)
    assert sandbox.get("/apps")["apps"][0]["spent_micro"] == before


@pytest.mark.parametrize(
    ("text", "price"), [("Thanks", 10_000), ("See example.com", 200_000), ("See https://t.co/abc", 200_000)]
)
def test_a_link_makes_even_a_summoned_reply_dear(sandbox: Sandbox, alice: Client, text: str, price: int) -> None:
    alice.reply(text, summon(sandbox))
    assert sandbox.get("/apps")["apps"][0]["spent_micro"] == price


def test_a_thread_with_one_link_costs_what_its_parts_cost(sandbox: Sandbox, alice: Client) -> None:
    last = alice.post_id("1/5 https://example.com")
    for number in range(2, 6):
        last = alice.reply(f"{number}/5", last).json()["data"]["id"]
    assert sandbox.get("/apps")["apps"][0]["spent_micro"] == 260_000


def test_a_thread_is_one_conversation_in_the_order_of_its_parts(sandbox: Sandbox, alice: Client) -> None:
    ids = [alice.post_id("1/5")]
    for number in range(2, 6):
        ids.append(alice.reply(f"{number}/5", ids[-1]).json()["data"]["id"])
    posts = sandbox.posts("alice")
    assert [post["in_reply_to"] for post in posts] == [None, *ids[:-1]]
    assert {post["conversation_id"] for post in posts} == {ids[0]}


def test_a_name_that_is_already_there_is_not_put_before_the_reply_again(sandbox: Sandbox, alice: Client) -> None:
    reply = {"in_reply_to_tweet_id": summon(sandbox), "auto_populate_reply_metadata": True}
    alice.post_id("@FAN thanks", reply=reply)
    assert sandbox.posts("alice")[0]["text"] == "@FAN thanks"


def test_one_does_not_address_oneself(sandbox: Sandbox, alice: Client) -> None:
    reply = {"in_reply_to_tweet_id": alice.post_id("1/2"), "auto_populate_reply_metadata": True}
    alice.post_id("2/2", reply=reply)
    assert sandbox.posts("alice")[1]["text"] == "2/2"


@pytest.fixture
def answered(sandbox: Sandbox, alice: Client, bob: Client) -> dict[str, Any]:
    """A post of bob naming alice, her answer, and that answer as it is read."""
    first = bob.post_id("Hi @alice", media={"media_ids": [photo(bob)]})
    second = alice.reply("Hello @sandbox_demo", first).json()["data"]["id"]
    answer = alice.get(
        f"/2/tweets/{second}", expansions=NAMES, tweet_fields="in_reply_to_user_id,referenced_tweets"
    ).json()
    return {"first": first, "bob": bob.id, "alice": alice.id, **answer}


def test_a_reply_refers_to_its_parent_and_its_author(answered: dict[str, Any]) -> None:
    data = answered["data"]
    assert data["in_reply_to_user_id"] == answered["bob"]
    assert data["referenced_tweets"] == [{"type": "replied_to", "id": answered["first"]}]


def test_users_of_all_roles_are_included_once(answered: dict[str, Any]) -> None:
    handles = [user["username"] for user in answered["includes"]["users"]]
    assert sorted(handles) == ["alice", "bob", "sandbox_demo"]


def test_the_parent_is_included_as_a_post(answered: dict[str, Any]) -> None:
    [parent] = answered["includes"]["tweets"]
    assert (parent["id"], parent["text"].startswith("Hi @alice")) == (answered["first"], True)


def test_what_was_not_asked_for_is_not_included(answered: dict[str, Any]) -> None:
    assert set(answered["includes"]) == {"users", "tweets"}


@pytest.mark.parametrize("expansion", ["attachments.poll_ids", "attachments.media_keys", "referenced_tweets.id"])
def test_an_expansion_of_nothing_leaves_no_empty_list(alice: Client, expansion: str) -> None:
    assert "includes" not in alice.get(f"/2/tweets/{alice.post_id('Plain')}", expansions=expansion).json()


@pytest.mark.parametrize(("minutes", "state"), [(0, "open"), (59, "open"), (61, "closed")])
def test_a_poll_closes_when_its_time_is_over(sandbox: Sandbox, alice: Client, minutes: int, state: str) -> None:
    post_id = alice.post_id("Which?", poll={"options": ["Tea", "Coffee"], "duration_minutes": 60})
    sandbox.advance(minutes * 60)
    asked = {"expansions": "attachments.poll_ids", "poll_fields": "voting_status,duration_minutes"}
    [poll] = alice.get(f"/2/tweets/{post_id}", **asked).json()["includes"]["polls"]
    assert (poll["voting_status"], poll["duration_minutes"]) == (state, 60)
    assert [(option["position"], option["label"]) for option in poll["options"]] == [(1, "Tea"), (2, "Coffee")]


def test_a_hidden_reply_is_still_read_by_its_id(sandbox: Sandbox, alice: Client) -> None:
    first = alice.post_id("We are open")
    reply = summon(sandbox, in_reply_to=first, text="boo")
    alice.call("PUT", f"/2/tweets/{reply}/hidden", json={"hidden": True})
    assert alice.get(f"/2/tweets/{reply}").json()["data"]["text"] == "boo"
