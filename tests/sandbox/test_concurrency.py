"""Many callers in the same moment: every rule that counts must count right."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
import requests

from tests.sandbox.cast import Client, Sandbox, append, picture
from tests.sandbox.test_oauth2 import BASIC, authorize, exchange, refresh

CALLERS = 8


def at_once(act: Callable[[int], requests.Response], times: int = CALLERS) -> list[requests.Response]:
    with ThreadPoolExecutor(times) as pool:
        return list(pool.map(act, range(times)))


def statuses(answers: list[requests.Response]) -> list[int]:
    return sorted(answer.status_code for answer in answers)


def test_the_ledger_counts_without_a_gap(sandbox: Sandbox, alice: Client, bob: Client) -> None:
    at_once(lambda number: (alice, bob)[number % 2].create(f"Post {number}"), 40)
    assert [entry["seq"] for entry in sandbox.ledger()] == list(range(1, 41))


def test_the_ledger_is_in_the_order_of_the_ids(sandbox: Sandbox, alice: Client) -> None:
    at_once(lambda number: alice.create(f"Post {number}"), 20)
    ids = [int(entry["effect_id"]) for entry in sandbox.ledger(effect="post")]
    assert ids == sorted(set(ids))


def test_every_answer_has_an_id_of_its_own(alice: Client) -> None:
    answers = at_once(lambda number: alice.create(f"Post {number}"), 20)
    assert len({answer.json()["data"]["id"] for answer in answers}) == 20


def test_of_many_equal_posts_one_is_made(sandbox: Sandbox, alice: Client) -> None:
    answers = at_once(lambda number: alice.create("Only once"))
    assert statuses(answers) == [201] + [403] * (CALLERS - 1)
    assert len(sandbox.ledger(effect="post")) == 1


def test_a_window_lets_exactly_its_limit_through(sandbox: Sandbox, alice: Client) -> None:
    for number in range(96):
        alice.create(f"Before {number}")
    answers = at_once(lambda number: alice.create(f"Rush {number}"))
    assert statuses(answers) == [201] * 4 + [429] * (CALLERS - 4)


def test_what_is_left_of_a_window_is_told_to_each_caller_once(alice: Client) -> None:
    answers = at_once(lambda number: alice.create(f"Post {number}"), 20)
    left = sorted(int(answer.headers["x-rate-limit-remaining"]) for answer in answers)
    assert left == list(range(80, 100))


def test_credit_is_never_overdrawn(sandbox: Sandbox, alice: Client) -> None:
    sandbox.post("/apps", client_id="sandbox-client", credit_micro=3 * 15_000 + 14_999)
    answers = at_once(lambda number: alice.create(f"Post {number}"))
    assert statuses(answers) == [201] * 3 + [402] * (CALLERS - 3)
    assert sandbox.get("/apps")["apps"][0]["credit_left_micro"] == 14_999


def test_a_refresh_token_is_used_by_one_of_many(sandbox: Sandbox, alice: Client) -> None:
    answers = at_once(lambda number: refresh(sandbox, alice.grant["refresh_token"]))
    assert statuses(answers) == [200] + [400] * (CALLERS - 1)


def test_a_rush_on_a_refresh_token_kills_the_family(sandbox: Sandbox, alice: Client) -> None:
    answers = at_once(lambda number: refresh(sandbox, alice.grant["refresh_token"]))
    [won] = [answer for answer in answers if answer.status_code == 200]
    alice.token = won.json()["access_token"]
    assert alice.get("/2/users/me").status_code == 401


def test_a_code_is_exchanged_by_one_of_many(sandbox: Sandbox) -> None:
    code = authorize(sandbox)["code"][0]
    assert statuses(at_once(lambda number: exchange(sandbox, code))) == [200] + [400] * (CALLERS - 1)


def test_a_fault_strikes_exactly_as_often_as_ordered(sandbox: Sandbox, alice: Client) -> None:
    sandbox.fault("status", status=500, count=3)
    answers = at_once(lambda number: alice.create(f"Post {number}"))
    assert statuses(answers) == [201] * (CALLERS - 3) + [500] * 3


def test_a_new_account_is_made_once(sandbox: Sandbox) -> None:
    order = {"handle": "newcomer"}
    answers = at_once(lambda number: requests.post(f"{sandbox.url}/_sandbox/accounts", json=order, timeout=30))
    assert len({answer.json()["id"] for answer in answers}) == 1


def test_a_post_is_deleted_once(sandbox: Sandbox, alice: Client) -> None:
    post_id = alice.post_id("Oops")
    answers = at_once(lambda number: alice.call("DELETE", f"/2/tweets/{post_id}"))
    assert statuses(answers) == [200] + [404] * (CALLERS - 1)
    assert len(sandbox.ledger(effect="delete")) == 1


def test_a_post_read_by_many_is_billed_once(sandbox: Sandbox, alice: Client) -> None:
    post_id = alice.post_id("Hello")
    at_once(lambda number: alice.get("/2/tweets", ids=post_id))
    assert sandbox.get("/apps")["apps"][0]["spent_micro"] == 20_000


def test_segments_may_arrive_all_at_once(alice: Client) -> None:
    content = picture(size=(64, 64))
    step = -(-len(content) // CALLERS)
    order = {"media_type": "image/png", "media_category": "tweet_image", "total_bytes": len(content)}
    media_id = alice.call("POST", "/2/media/upload/initialize", json=order).json()["data"]["id"]
    at_once(lambda number: append(alice, media_id, content[number * step : (number + 1) * step], number))
    done = alice.call("POST", f"/2/media/upload/{media_id}/finalize").json()["data"]
    assert alice.call("GET", f"/i/media/{done['media_key']}").content == content


def test_finalizing_twice_at_once_makes_one_effect(sandbox: Sandbox, alice: Client) -> None:
    content = picture()
    order = {"media_type": "image/png", "media_category": "tweet_image", "total_bytes": len(content)}
    media_id = alice.call("POST", "/2/media/upload/initialize", json=order).json()["data"]["id"]
    append(alice, media_id, content)
    answers = at_once(lambda number: alice.call("POST", f"/2/media/upload/{media_id}/finalize"))
    assert statuses(answers) == [200] * CALLERS
    assert len(sandbox.ledger(effect="media")) == 1


def test_the_clock_adds_up_all_its_steps(sandbox: Sandbox) -> None:
    at_once(lambda number: requests.post(f"{sandbox.url}/_sandbox/clock", json={"advance": 10}, timeout=30))
    assert sandbox.get("/clock")["offset"] == 10 * CALLERS


def test_a_late_post_lands_once_whoever_looks_first(sandbox: Sandbox, alice: Client) -> None:
    sandbox.fault("late_accept", seconds=60)
    with pytest.raises(requests.ConnectionError):
        alice.create("Hello")
    sandbox.advance(61)
    at_once(lambda number: alice.get(f"/2/users/{alice.id}/tweets"))
    assert [entry["outcome"] for entry in sandbox.ledger(effect="post")] == ["late"]


def test_readers_see_whole_posts_while_others_write(alice: Client, bob: Client) -> None:
    def act(number: int) -> Any:
        return bob.get(f"/2/users/{alice.id}/tweets") if number % 2 else alice.create(f"Post {number}")

    for answer in at_once(act, 30):
        assert answer.status_code in (200, 201)
        assert "errors" not in answer.json()


def test_a_revoked_token_is_dead_for_all_who_hold_it(sandbox: Sandbox, alice: Client) -> None:
    requests.post(f"{sandbox.url}/x/2/oauth2/revoke", data={"token": alice.token}, auth=BASIC, timeout=30)
    assert statuses(at_once(lambda number: alice.create(f"Post {number}"))) == [401] * CALLERS
