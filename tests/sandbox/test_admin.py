import hashlib
from typing import Any

import pytest
import requests

from tests.sandbox.cast import Client, Sandbox


def test_health_tells_the_time(sandbox: Sandbox) -> None:
    assert sandbox.get("/health")["status"] == "ok"


def test_an_effect_is_in_the_ledger_with_its_request(sandbox: Sandbox, alice: Client) -> None:
    body = b'{"text": "Hello"}'
    answer = alice.call("POST", "/2/tweets", data=body, headers={"Content-Type": "application/json"})
    [entry] = sandbox.ledger(effect="post")
    assert entry["effect_id"] == answer.json()["data"]["id"]
    assert (entry["platform"], entry["account"], entry["account_id"]) == ("x", "alice", alice.id)
    assert (entry["method"], entry["path"], entry["text"], entry["outcome"]) == ("POST", "/2/tweets", "Hello", "201")
    assert entry["request_hash"] == hashlib.sha256(b"POST /2/tweets?\n" + body).hexdigest()
    assert entry["time"].endswith("Z")


def test_a_refusal_is_in_the_ledger_without_an_effect(sandbox: Sandbox, alice: Client) -> None:
    alice.create("")
    [entry] = sandbox.ledger(account="alice")
    assert (entry["outcome"], entry["effect"]) == ("400", None)


def test_a_caller_without_a_token_is_in_the_ledger_without_an_account(sandbox: Sandbox) -> None:
    requests.get(f"{sandbox.url}/x/2/users/me?a=b", timeout=30)
    [entry] = sandbox.ledger()
    assert (entry["account"], entry["outcome"], entry["path"]) == (None, "401", "/2/users/me?a=b")


def test_the_ledger_is_filtered_by_account_and_effect(sandbox: Sandbox, alice: Client, bob: Client) -> None:
    alice.post_id("One")
    bob.post_id("Two")
    alice.get("/2/users/me")
    assert [entry["text"] for entry in sandbox.ledger(account=bob.id)] == ["Two"]
    assert len(sandbox.ledger(account="ALICE")) == 2
    assert [entry["account"] for entry in sandbox.ledger(effect="post")] == ["alice", "bob"]


def test_the_ledger_can_be_read_in_steps(sandbox: Sandbox, alice: Client) -> None:
    for number in range(4):
        alice.post_id(f"Post {number}")
    first = sandbox.ledger(limit=3)
    rest = sandbox.ledger(since_seq=first[-1]["seq"])
    assert [entry["text"] for entry in first + rest] == [f"Post {number}" for number in range(4)]


def test_the_ledger_wants_whole_numbers(sandbox: Sandbox) -> None:
    assert requests.get(f"{sandbox.url}/_sandbox/ledger?limit=all", timeout=30).status_code == 400


def test_web_pages_are_not_in_the_ledger(sandbox: Sandbox, alice: Client) -> None:
    alice.call("GET", "/alice")
    assert sandbox.ledger() == []


def test_posts_are_shown_as_they_were_sent(sandbox: Sandbox, alice: Client) -> None:
    first = alice.post_id("See https://example.com & more")
    alice.call("DELETE", f"/2/tweets/{first}")
    [post] = sandbox.posts("alice")
    assert (post["id"], post["text"], post["deleted"]) == (first, "See https://example.com & more", True)


def test_posts_of_nobody_are_none(sandbox: Sandbox) -> None:
    assert sandbox.posts("nobody") == []


def test_all_posts_are_listed_without_an_account(sandbox: Sandbox, alice: Client, bob: Client) -> None:
    alice.post_id("One")
    bob.post_id("Two")
    assert [post["account"] for post in sandbox.get("/posts")["posts"]] == ["alice", "bob"]


def test_an_account_is_made_once_and_changed_afterwards(sandbox: Sandbox) -> None:
    first = sandbox.post("/accounts", handle="Shop", name="The Shop", followers=10)
    second = sandbox.post("/accounts", handle="shop", premium=True)
    assert first["id"] == second["id"]
    assert (second["name"], second["followers"], second["premium"]) == ("The Shop", 10, True)
    handles = [account["handle"] for account in sandbox.get("/accounts")["accounts"]]
    assert handles == ["sandbox_demo", "Shop"]


def test_tokens_can_be_ordered_for_another_app_and_life(sandbox: Sandbox) -> None:
    sandbox.post("/apps", client_id="other")
    client = sandbox.sign_in("alice", client_id="other", expires_in=60)
    assert client.get("/2/users/me").status_code == 200
    sandbox.advance(61)
    assert client.get("/2/users/me").status_code == 401


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/accounts", {}),
        ("/accounts", {"handle": "far_too_long_for_x"}),
        ("/accounts", []),
        ("/tokens", {"handle": "alice", "client_id": "nobody"}),
        ("/tokens", {"handle": "alice", "expires_in": "soon"}),
        ("/apps", {}),
        ("/mentions", {"from": "fan"}),
        ("/mentions", {"from": "fan", "to": "alice", "in_reply_to": "12"}),
        ("/clock", {"advance": -1}),
        ("/clock", {"advance": "a lot"}),
    ],
)
def test_a_wrong_order_is_refused_with_a_reason(sandbox: Sandbox, path: str, body: Any) -> None:
    answer = requests.post(f"{sandbox.url}/_sandbox{path}", json=body, timeout=30)
    assert answer.status_code == 400


def test_the_clock_moves_forward_for_everybody(sandbox: Sandbox, alice: Client) -> None:
    before = sandbox.get("/clock")
    sandbox.advance(86400)
    after = sandbox.get("/clock")
    assert after["offset"] - before["offset"] == 86400
    assert after["now"][:10] > before["now"][:10]


def test_a_reset_forgets_everything(sandbox: Sandbox, alice: Client) -> None:
    alice.post_id("Hello")
    sandbox.advance(100)
    sandbox.fault("status", status=500)
    sandbox.post("/reset")
    assert sandbox.ledger() == []
    assert sandbox.get("/posts") == {"posts": []}
    assert sandbox.get("/clock")["offset"] == 0
    assert sandbox.get("/faults") == {"queue": [], "plans": []}
    assert [account["handle"] for account in sandbox.get("/accounts")["accounts"]] == ["sandbox_demo"]
    assert alice.get("/2/users/me").status_code == 401


def test_an_unknown_door_is_not_found(sandbox: Sandbox) -> None:
    assert requests.get(f"{sandbox.url}/_sandbox/backdoor", timeout=30).status_code == 404


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [("GET", "/x/2/nothing/here", 404), ("PATCH", "/x/2/tweets", 405), ("GET", "/elsewhere", 404)],
)
def test_unknown_paths_and_methods_are_told_apart(sandbox: Sandbox, method: str, path: str, status: int) -> None:
    assert requests.request(method, sandbox.url + path, timeout=30).status_code == status


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"Transfer-Encoding": "chunked"}, 411),
        ({"Content-Length": "nine"}, 400),
        ({"Content-Length": "99999999999"}, 413),
    ],
)
def test_bodies_of_unknown_or_absurd_size_are_refused(sandbox: Sandbox, headers: dict[str, str], status: int) -> None:
    request = requests.Request("POST", f"{sandbox.url}/x/2/tweets", headers=headers).prepare()
    request.headers.update(headers)
    assert requests.Session().send(request, timeout=30).status_code == status
