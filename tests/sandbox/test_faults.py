import time
from typing import Any

import pytest
import requests

from tests.sandbox.cast import Client, Sandbox, movie, photo, upload
from tests.sandbox.test_oauth2 import SPENT, refresh
from tests.waiting import wait_for

POST = "POST /2/tweets"


def outcomes(sandbox: Sandbox) -> list[tuple[str, str | None, str | None]]:
    return [(entry["outcome"], entry["effect"], entry["fault"]) for entry in sandbox.ledger(account="alice")]


def test_a_status_fault_answers_with_its_body_and_headers(sandbox: Sandbox, alice: Client) -> None:
    sandbox.fault("status", route=POST, status=418, body={"detail": "teapot"}, headers={"X-Pot": "1"})
    answer = alice.create("Hello")
    assert (answer.status_code, answer.json(), answer.headers["x-pot"]) == (418, {"detail": "teapot"}, "1")
    assert sandbox.posts("alice") == []


def test_a_status_fault_without_a_body_says_it_in_the_words_of_x(sandbox: Sandbox, alice: Client) -> None:
    sandbox.fault("status", status=503)
    assert alice.create("Hello").json() == {
        "title": "Service Unavailable",
        "detail": "Service Unavailable",
        "type": "about:blank",
        "status": 503,
    }


def test_a_fault_is_used_up(sandbox: Sandbox, alice: Client) -> None:
    sandbox.fault("status", status=500, count=2)
    assert [alice.create(text).status_code for text in ("a", "b", "c")] == [500, 500, 201]


def test_a_fault_waits_for_its_route(sandbox: Sandbox, alice: Client) -> None:
    sandbox.fault("status", route="GET /2/users/me", status=500)
    assert alice.create("Hello").status_code == 201
    assert alice.get("/2/users/me").status_code == 500


def test_a_fault_waits_for_its_account(sandbox: Sandbox, alice: Client, bob: Client) -> None:
    sandbox.fault("status", account="ALICE", status=500)
    assert bob.create("Hello").status_code == 201
    assert alice.create("Hello").status_code == 500


def test_a_stranger_without_a_token_uses_no_fault_up(sandbox: Sandbox, alice: Client) -> None:
    sandbox.fault("status", status=500)
    requests.post(f"{sandbox.url}/x/2/tweets", json={"text": "x"}, timeout=30)
    assert alice.create("Hello").status_code == 500


def test_accept_then_drop_posts_and_says_nothing(sandbox: Sandbox, alice: Client) -> None:
    sandbox.fault("accept_then_drop", route=POST)
    with pytest.raises(requests.ConnectionError):
        alice.create("Hello")
    assert [post["text"] for post in sandbox.posts("alice")] == ["Hello"]
    assert outcomes(sandbox) == [("drop", "post", "accept_then_drop")]


def test_a_retry_after_a_drop_meets_the_duplicate(sandbox: Sandbox, alice: Client) -> None:
    sandbox.fault("accept_then_drop", route=POST)
    with pytest.raises(requests.ConnectionError):
        alice.create("Hello")
    assert alice.create("Hello").status_code == 403


def test_drop_before_accept_posts_nothing(sandbox: Sandbox, alice: Client) -> None:
    sandbox.fault("drop_before_accept", route=POST)
    with pytest.raises(requests.ConnectionError):
        alice.create("Hello")
    assert sandbox.posts("alice") == []
    assert outcomes(sandbox) == [("drop", None, "drop_before_accept")]
    assert alice.create("Hello").status_code == 201


def test_accept_then_hang_posts_and_stays_silent(sandbox: Sandbox, alice: Client) -> None:
    sandbox.fault("accept_then_hang", route=POST, seconds=30)
    with pytest.raises(requests.ReadTimeout):
        alice.call("POST", "/2/tweets", json={"text": "Hello"}, timeout=0.3)
    wait_for(lambda: sandbox.posts("alice"))
    assert len(sandbox.posts("alice")) == 1
    assert outcomes(sandbox) == [("hang", "post", "accept_then_hang")]


def test_a_hang_does_not_hold_up_others(sandbox: Sandbox, alice: Client, bob: Client) -> None:
    sandbox.fault("accept_then_hang", account="alice", seconds=30)
    with pytest.raises(requests.ReadTimeout):
        alice.call("POST", "/2/tweets", json={"text": "Hello"}, timeout=0.3)
    started = time.monotonic()
    assert bob.create("Hello").status_code == 201
    assert time.monotonic() - started < 10


def test_a_hang_ends_with_a_closed_connection(sandbox: Sandbox, alice: Client) -> None:
    sandbox.fault("accept_then_hang", seconds=0.2)
    with pytest.raises(requests.ConnectionError):
        alice.create("Hello")


def test_a_hang_ends_early_when_the_server_stops(own_sandbox: Sandbox) -> None:
    client = own_sandbox.sign_in("alice")
    own_sandbox.fault("accept_then_hang", seconds=60)
    with pytest.raises(requests.ReadTimeout):
        client.call("POST", "/2/tweets", json={"text": "Hello"}, timeout=0.3)
    started = time.monotonic()
    own_sandbox.process.terminate()
    assert own_sandbox.process.wait(40) == 0
    assert time.monotonic() - started < 30


@pytest.mark.parametrize("kind", ["slow_headers", "slow_body"])
def test_a_slow_answer_arrives_whole(sandbox: Sandbox, alice: Client, kind: str) -> None:
    sandbox.fault(kind, route=POST, seconds=0.5)
    started = time.monotonic()
    answer = alice.create("Hello")
    assert time.monotonic() - started >= 0.45
    assert answer.json()["data"]["text"] == "Hello"


def test_slow_headers_run_into_a_read_timeout(sandbox: Sandbox, alice: Client) -> None:
    sandbox.fault("slow_headers", route=POST, seconds=30)
    with pytest.raises(requests.ReadTimeout):
        alice.call("POST", "/2/tweets", json={"text": "Hello"}, timeout=0.3)
    wait_for(lambda: sandbox.posts("alice"))
    assert len(sandbox.posts("alice")) == 1


def test_html_from_the_edge(sandbox: Sandbox, alice: Client) -> None:
    sandbox.fault("html_5xx")
    answer = alice.create("Hello")
    assert answer.status_code == 503
    assert answer.headers["content-type"].startswith("text/html")
    assert sandbox.posts("alice") == []


def test_a_list_where_an_object_belongs(sandbox: Sandbox, alice: Client) -> None:
    sandbox.fault("json_list_error")
    answer = alice.create("Hello")
    assert answer.status_code == 400
    assert isinstance(answer.json(), list)


@pytest.mark.parametrize("status", [429, 503])
def test_retry_after_is_a_header(sandbox: Sandbox, alice: Client, status: int) -> None:
    sandbox.fault("retry_after", status=status, seconds=17)
    answer = alice.create("Hello")
    assert (answer.status_code, answer.headers["retry-after"]) == (status, "17")


@pytest.mark.parametrize(
    ("kind", "status", "title"),
    [
        ("token_expired", 401, "Unauthorized"),
        ("usage_cap", 429, "UsageCapExceeded"),
        ("credits_depleted", 402, "CreditsDepleted"),
        ("duplicate", 403, "Forbidden"),
        ("not_summoned", 403, "Forbidden"),
        ("client_not_enrolled", 403, "Client Forbidden"),
        ("rate_limit", 429, "Too Many Requests"),
    ],
)
def test_refusals_of_x_can_be_ordered(sandbox: Sandbox, alice: Client, kind: str, status: int, title: str) -> None:
    sandbox.fault(kind, route=POST)
    answer = alice.create("Hello")
    assert (answer.status_code, answer.json()["title"]) == (status, title)
    assert sandbox.posts("alice") == []


def test_a_usage_cap_comes_with_a_healthy_window(sandbox: Sandbox, alice: Client) -> None:
    sandbox.fault("usage_cap")
    assert int(alice.create("Hello").headers["x-rate-limit-remaining"]) > 0


def test_an_ordered_rate_limit_holds_until_the_clock_passes_its_reset(sandbox: Sandbox, alice: Client) -> None:
    sandbox.fault("rate_limit", route=POST, seconds=120)
    first = alice.create("Hello")
    assert first.headers["x-rate-limit-remaining"] == "0"
    assert alice.create("Hello").status_code == 429
    sandbox.advance(121)
    assert alice.create("Hello").status_code == 201


def test_the_day_can_be_closed_too(sandbox: Sandbox, alice: Client) -> None:
    sandbox.fault("rate_limit", route=POST, window="24hour", seconds=3600)
    answer = alice.create("Hello")
    assert answer.headers["x-app-limit-24hour-remaining"] == "0"
    assert int(answer.headers["x-rate-limit-remaining"]) > 0


def test_token_expired_leaves_the_token_good(sandbox: Sandbox, alice: Client) -> None:
    sandbox.fault("token_expired")
    assert alice.get("/2/users/me").status_code == 401
    assert alice.get("/2/users/me").status_code == 200


def test_a_refresh_can_be_rotated_but_lost(sandbox: Sandbox, alice: Client) -> None:
    sandbox.fault("refresh_rotated_but_lost", account="alice")
    with pytest.raises(requests.ConnectionError):
        refresh(sandbox, alice.grant["refresh_token"])
    assert refresh(sandbox, alice.grant["refresh_token"]).json() == SPENT


def test_a_family_can_be_revoked_from_outside(sandbox: Sandbox, alice: Client) -> None:
    sandbox.fault("refresh_family_revoked")
    assert refresh(sandbox, alice.grant["refresh_token"]).json() == SPENT
    assert alice.get("/2/users/me").status_code == 401


def media_state(client: Client, media_id: str) -> str:
    data: dict[str, Any] = client.get("/2/media/upload", media_id=media_id).json()["data"]
    return str(data["processing_info"]["state"])


def test_processing_can_take_more_polls(sandbox: Sandbox, alice: Client) -> None:
    sandbox.fault("processing_delay", polls=3)
    media_id = upload(alice, movie(), "video/mp4", "tweet_video")["id"]
    sandbox.advance(100)
    assert [media_state(alice, media_id) for _ in range(4)] == ["in_progress"] * 3 + ["succeeded"]


def test_processing_can_fail(sandbox: Sandbox, alice: Client) -> None:
    sandbox.fault("processing_failed")
    media_id = photo(alice)
    sandbox.advance(2)
    assert media_state(alice, media_id) == "failed"
    assert alice.create("Look", media={"media_ids": [media_id]}).status_code == 400


def test_read_lag_hides_a_new_post_from_the_timeline_for_a_while(sandbox: Sandbox, alice: Client) -> None:
    sandbox.fault("read_lag", seconds=60)
    post_id = alice.post_id("Hello")
    assert alice.timeline() == {"meta": {"result_count": 0}}
    assert alice.get(f"/2/tweets/{post_id}").json()["data"]["id"] == post_id
    sandbox.advance(61)
    assert alice.timeline()["data"][0]["id"] == post_id


def drop_late(sandbox: Sandbox, client: Client, text: str, **fields: Any) -> None:
    sandbox.fault("late_accept", seconds=60)
    with pytest.raises(requests.ConnectionError):
        client.create(text, **fields)


def test_a_late_post_appears_only_after_its_time(sandbox: Sandbox, alice: Client) -> None:
    drop_late(sandbox, alice, "Hello")
    assert sandbox.posts("alice") == []
    assert alice.timeline() == {"meta": {"result_count": 0}}
    sandbox.advance(61)
    assert alice.timeline()["data"][0]["text"] == "Hello"


def test_a_late_post_has_one_effect_and_it_is_written_when_it_lands(sandbox: Sandbox, alice: Client) -> None:
    drop_late(sandbox, alice, "Hello")
    assert outcomes(sandbox) == [("drop", None, "late_accept")]
    sandbox.advance(61)
    assert outcomes(sandbox) == [("drop", None, "late_accept"), ("late", "post", "late_accept")]


def test_a_retry_that_does_not_wait_for_late_posts_is_doubled(sandbox: Sandbox, alice: Client) -> None:
    drop_late(sandbox, alice, "Hello")
    alice.post_id("Hello")
    sandbox.advance(61)
    assert [entry["text"] for entry in sandbox.ledger(effect="post")] == ["Hello", "Hello"]


def test_a_late_post_that_breaks_a_rule_never_lands(sandbox: Sandbox, alice: Client) -> None:
    sandbox.fault("late_accept", seconds=60)
    with pytest.raises(requests.ConnectionError):
        alice.create("a" * 281)
    sandbox.advance(61)
    assert sandbox.posts("alice") == []


def test_a_late_post_whose_parent_has_gone_never_lands(sandbox: Sandbox, alice: Client) -> None:
    first = alice.post_id("First")
    drop_late(sandbox, alice, "Second", reply={"in_reply_to_tweet_id": first})
    alice.call("DELETE", f"/2/tweets/{first}")
    sandbox.advance(61)
    assert [post["text"] for post in sandbox.posts("alice")] == ["First"]


def test_late_posts_survive_a_restart_in_order(sandbox: Sandbox, alice: Client) -> None:
    drop_late(sandbox, alice, "One")
    drop_late(sandbox, alice, "Two")
    sandbox.advance(61)
    posts = sandbox.posts("alice")
    assert [post["text"] for post in posts] == ["One", "Two"]
    assert int(posts[0]["id"]) < int(posts[1]["id"])


def draw(sandbox: Sandbox, client: Client, seed: int) -> list[int]:
    probabilities = {"status": 0.3, "token_expired": 0.2}
    order = {"probabilities": probabilities, "seed": seed, "params": {"status": {"status": 500}}}
    sandbox.post("/faults", route="GET /2/users/me", **order)
    seen = [client.get("/2/users/me").status_code for _ in range(40)]
    requests.delete(f"{sandbox.url}/_sandbox/faults", timeout=30)
    return seen


def test_random_faults_come_about_as_often_as_ordered(sandbox: Sandbox, alice: Client) -> None:
    seen = draw(sandbox, alice, seed=7)
    assert 5 <= seen.count(500) <= 20
    assert 2 <= seen.count(401) <= 16
    assert seen.count(200) >= 8


def test_random_faults_repeat_with_their_seed(sandbox: Sandbox) -> None:
    runs = [draw(sandbox, sandbox.sign_in(f"user{number}"), seed) for number, seed in enumerate((7, 7, 8))]
    assert runs[0] == runs[1] != runs[2]


def test_a_random_fault_stays_on_its_own_route(sandbox: Sandbox, alice: Client) -> None:
    sandbox.post("/faults", probabilities={"duplicate": 1.0})
    assert alice.get("/2/users/me").status_code == 200
    assert alice.create("Hello").status_code == 403


def test_waiting_faults_can_be_listed_and_dropped(sandbox: Sandbox, alice: Client) -> None:
    sandbox.fault("status", route=POST, count=3, status=500)
    sandbox.post("/faults", probabilities={"status": 0.5})
    waiting = sandbox.get("/faults")
    assert (waiting["queue"][0]["remaining"], waiting["queue"][0]["params"]) == (3, {"status": 500})
    assert waiting["plans"][0]["probabilities"] == {"status": 0.5}
    requests.delete(f"{sandbox.url}/_sandbox/faults", timeout=30)
    assert sandbox.get("/faults") == {"queue": [], "plans": []}
    assert alice.create("Hello").status_code == 201


@pytest.mark.parametrize(
    "order",
    [
        {"kind": "earthquake"},
        {"kind": "status", "route": "POST /2/nothing"},
        {"kind": "status", "platform": "myspace"},
        {"probabilities": {"earthquake": 1}},
        {"kind": "status", "count": "many"},
    ],
)
def test_a_fault_that_could_never_happen_is_refused(sandbox: Sandbox, order: dict[str, Any]) -> None:
    answer = requests.post(f"{sandbox.url}/_sandbox/faults", json=order, timeout=30)
    assert answer.status_code == 400
    assert answer.json()["error"]
