"""Reading while posts come and go."""

import pytest

from tests.sandbox.cast import Client, Sandbox


def test_a_post_made_while_walking_moves_no_page(sandbox: Sandbox, alice: Client) -> None:
    ids = [alice.post_id(f"Post {number}") for number in range(7)]
    first = alice.timeline(max_results=5)
    alice.post_id("Meanwhile")
    second_page = alice.timeline(max_results=5, pagination_token=first["meta"]["next_token"])
    assert [post["id"] for post in first["data"] + second_page["data"]] == ids[::-1]


def test_a_post_deleted_while_walking_is_gone_and_the_others_stay(sandbox: Sandbox, alice: Client) -> None:
    ids = [alice.post_id(f"Post {number}") for number in range(8)]
    first = alice.timeline(max_results=5)
    alice.call("DELETE", f"/2/tweets/{ids[1]}")
    rest = alice.timeline(max_results=5, pagination_token=first["meta"]["next_token"])
    assert [post["id"] for post in rest["data"]] == [ids[2], ids[0]]


def test_pages_without_replies_are_full_pages(alice: Client) -> None:
    ids = [alice.post_id(f"Post {number}") for number in range(6)]
    for number in range(6):
        alice.reply(f"Reply {number}", ids[0])
    found = alice.timeline(exclude="replies", max_results=5)
    assert [post["id"] for post in found["data"]] == ids[:0:-1]
    assert found["meta"]["next_token"]


def test_excluding_reposts_alone_keeps_replies(alice: Client) -> None:
    first = alice.post_id("First")
    second_id = alice.reply("Second", first).json()["data"]["id"]
    assert [post["id"] for post in alice.timeline(exclude="retweets")["data"]] == [second_id, first]


@pytest.mark.parametrize("count", [1, 99, 100])
def test_up_to_a_hundred_posts_are_looked_up_at_once(alice: Client, count: int) -> None:
    ids = ",".join(str(number) for number in range(1, count + 1))
    assert len(alice.get("/2/tweets", ids=ids).json()["errors"]) == count


def test_a_post_asked_for_twice_comes_back_and_costs_once(sandbox: Sandbox, alice: Client) -> None:
    post_id = alice.post_id("Hello")
    before = sandbox.get("/apps")["apps"][0]["spent_micro"]
    found = alice.get("/2/tweets", ids=f"{post_id},{post_id}").json()["data"]
    assert [post["id"] for post in found] == [post_id]
    assert sandbox.get("/apps")["apps"][0]["spent_micro"] - before == 5_000


@pytest.mark.parametrize("ids", ["", ",", "1,", "1,,2", " 1", "1;2"])
def test_a_broken_list_of_ids_is_refused(alice: Client, ids: str) -> None:
    assert alice.get("/2/tweets", ids=ids).status_code == 400
