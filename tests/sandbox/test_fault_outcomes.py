"""Each fault: what the caller sees, what the ledger says, and what exists afterwards."""

import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
import requests
from hypothesis import given, settings
from hypothesis import strategies as st

from sandbox import faults
from tests.sandbox.cast import Client, Sandbox, picture, upload
from tests.sandbox.test_oauth2 import refresh
from tests.waiting import wait_for

POST = "POST /2/tweets"
NOTHING = "nothing"


@dataclass(frozen=True)
class Trouble:
    kind: str
    # The status the caller sees, or the error of the client library.
    seen: int | type[Exception]
    outcome: str
    is_posted: bool
    params: dict[str, Any]


def trouble(kind: str, seen: Any, outcome: str, *, is_posted: bool, **params: Any) -> Any:
    return pytest.param(Trouble(kind, seen, outcome, is_posted, params), id=kind)


TROUBLES = [
    trouble("status", 500, "500", is_posted=False, status=500),
    trouble("accept_then_hang", requests.Timeout, "hang", is_posted=True, seconds=9),
    trouble("accept_then_drop", requests.ConnectionError, "drop", is_posted=True),
    trouble("drop_before_accept", requests.ConnectionError, "drop", is_posted=False),
    trouble("slow_headers", 201, "201", is_posted=True, seconds=0.05),
    trouble("slow_body", 201, "201", is_posted=True, seconds=0.05),
    trouble("html_5xx", 502, "502", is_posted=False, status=502),
    trouble("json_list_error", 400, "400", is_posted=False),
    trouble("retry_after", 503, "503", is_posted=False, seconds=3),
    trouble("token_expired", 401, "401", is_posted=False),
    trouble("rate_limit", 429, "429", is_posted=False, seconds=1),
    trouble("usage_cap", 429, "429", is_posted=False),
    trouble("credits_depleted", 402, "402", is_posted=False),
    trouble("duplicate", 403, "403", is_posted=False),
    trouble("not_summoned", 403, "403", is_posted=False),
    trouble("client_not_enrolled", 403, "403", is_posted=False),
    trouble("read_lag", 201, "201", is_posted=True, seconds=5),
    trouble("late_accept", requests.ConnectionError, "drop", is_posted=False, seconds=500),
]
ELSEWHERE = {"refresh_rotated_but_lost", "refresh_family_revoked", "processing_delay", "processing_failed"}


def act(client: Client, case: Trouble | None = None) -> int | type[Exception]:
    patience_s = 0.5 if case and case.seen is requests.Timeout else 30
    try:
        return client.call("POST", "/2/tweets", json={"text": "Hello"}, timeout=patience_s).status_code
    except requests.Timeout:
        # Who gives up early may be ahead of a busy server.
        wait_for(lambda: client.sandbox.ledger(account=client.handle))
        return requests.Timeout
    except requests.ConnectionError:
        return requests.ConnectionError


def test_every_kind_of_fault_is_tried_here() -> None:
    assert {param.values[0].kind for param in TROUBLES} == set(faults.kinds_of("x")) - ELSEWHERE


@pytest.mark.parametrize("case", TROUBLES)
def test_the_caller_sees_the_fault_and_the_ledger_the_truth(sandbox: Sandbox, alice: Client, case: Trouble) -> None:
    sandbox.fault(case.kind, route=POST, **case.params)
    assert act(alice, case) == case.seen
    [entry] = sandbox.ledger(account="alice")
    effect = "post" if case.is_posted else None
    assert (entry["outcome"], entry["effect"], entry["fault"]) == (case.outcome, effect, case.kind)
    assert len(sandbox.posts("alice")) == case.is_posted


@pytest.mark.parametrize("case", TROUBLES)
def test_nothing_is_billed_for_what_was_not_accepted(sandbox: Sandbox, alice: Client, case: Trouble) -> None:
    sandbox.fault(case.kind, route=POST, **case.params)
    act(alice, case)
    # A late post is paid for when it is sent: the servers have accepted it.
    is_paid = case.is_posted or case.kind == "late_accept"
    assert sandbox.get("/apps")["apps"][0]["spent_micro"] == 15_000 * is_paid


@pytest.mark.parametrize("case", TROUBLES)
def test_a_fault_strikes_once(sandbox: Sandbox, alice: Client, case: Trouble) -> None:
    sandbox.fault(case.kind, route=POST, **case.params)
    act(alice, case)
    sandbox.advance(2)
    assert sandbox.get("/faults")["queue"] == []
    assert alice.create("Another").status_code == 201


@pytest.mark.parametrize("case", TROUBLES)
def test_a_fault_leaves_other_routes_alone(sandbox: Sandbox, alice: Client, case: Trouble) -> None:
    sandbox.fault(case.kind, route=POST, **case.params)
    assert alice.get("/2/users/me").status_code == 200
    assert [entry["fault"] for entry in sandbox.ledger()] == [None]


@pytest.mark.parametrize("kind", sorted(kind for kind, route in faults.kinds_of("x").items() if route == POST))
def test_a_fault_of_posting_waits_for_a_post_without_being_told(sandbox: Sandbox, alice: Client, kind: str) -> None:
    sandbox.fault(kind)
    assert alice.get("/2/users/me").status_code == 200
    assert sandbox.get("/faults")["queue"][0]["route"] == POST


@pytest.mark.parametrize("kind", ["accept_then_drop", "drop_before_accept", "refresh_rotated_but_lost"])
def test_a_lost_refresh_has_an_effect_unless_it_was_dropped_before(sandbox: Sandbox, alice: Client, kind: str) -> None:
    sandbox.fault(kind, route="POST /2/oauth2/token")
    with pytest.raises(requests.ConnectionError):
        refresh(sandbox, alice.grant["refresh_token"])
    effect = None if kind == "drop_before_accept" else "token"
    assert [(entry["outcome"], entry["effect"]) for entry in sandbox.ledger()] == [("drop", effect)]


def test_a_refresh_dropped_before_it_was_accepted_can_be_repeated(sandbox: Sandbox, alice: Client) -> None:
    sandbox.fault("drop_before_accept", route="POST /2/oauth2/token")
    with pytest.raises(requests.ConnectionError):
        refresh(sandbox, alice.grant["refresh_token"])
    assert refresh(sandbox, alice.grant["refresh_token"]).status_code == 200


def test_a_deletion_lost_on_the_way_back_is_done(sandbox: Sandbox, alice: Client) -> None:
    post_id = alice.post_id("Oops")
    sandbox.fault("accept_then_drop", route="DELETE /2/tweets/{id}")
    with pytest.raises(requests.ConnectionError):
        alice.call("DELETE", f"/2/tweets/{post_id}")
    assert sandbox.posts("alice")[0]["deleted"] is True
    assert alice.call("DELETE", f"/2/tweets/{post_id}").status_code == 404


def test_an_upload_lost_at_its_end_is_ready_all_the_same(sandbox: Sandbox, alice: Client) -> None:
    sandbox.fault("accept_then_drop", route="POST /2/media/upload/{id}/finalize")
    with pytest.raises(requests.ConnectionError):
        upload(alice, picture(), "image/png", "tweet_image")
    media_id = sandbox.ledger(effect="media")[0]["effect_id"]
    assert alice.create("Look", media={"media_ids": [media_id]}).status_code == 201


@pytest.mark.parametrize(("polls", "states"), [(0, ["succeeded"]), (1, ["in_progress", "succeeded"])])
def test_a_delay_is_counted_in_polls(sandbox: Sandbox, alice: Client, polls: int, states: list[str]) -> None:
    sandbox.fault("processing_delay", polls=polls)
    gif = upload(alice, picture("GIF", frames=2), "image/gif", "tweet_gif")["id"]
    sandbox.advance(50)
    seen = [alice.get("/2/media/upload", media_id=gif).json()["data"]["processing_info"]["state"] for _ in states]
    assert seen == states


def test_faults_in_a_queue_strike_in_the_order_given(sandbox: Sandbox, alice: Client) -> None:
    for status in (500, 502, 504):
        sandbox.fault("status", status=status)
    assert [act(alice) for _ in range(4)] == [500, 502, 504, 201]


def test_the_oldest_fault_that_fits_goes_first_and_others_wait(sandbox: Sandbox, alice: Client, bob: Client) -> None:
    sandbox.fault("status", account="bob", status=500)
    sandbox.fault("status", status=502)
    assert alice.create("Hello").status_code == 502
    assert bob.create("Hello").status_code == 500


def test_an_ordered_fault_goes_before_a_random_one(sandbox: Sandbox, alice: Client) -> None:
    sandbox.post("/faults", probabilities={"token_expired": 1.0})
    sandbox.fault("status", status=500)
    assert [act(alice), act(alice)] == [500, 401]


def test_a_random_fault_can_be_kept_to_one_account(sandbox: Sandbox, alice: Client, bob: Client) -> None:
    sandbox.post("/faults", account="bob", probabilities={"token_expired": 1.0})
    assert (alice.create("Hello").status_code, bob.create("Hello").status_code) == (201, 401)


@pytest.mark.parametrize(
    "order",
    [
        {"kind": "status", "params": [500]},
        {"kind": "status", "params": "500"},
        {"kind": "status", "account": ["alice"]},
        {"kind": "status", "route": 5},
        {"probabilities": ["status"]},
        {"probabilities": {"status": "often"}},
        {"kind": None},
        {},
    ],
)
def test_an_order_of_the_wrong_shape_is_refused_with_a_reason(sandbox: Sandbox, order: dict[str, Any]) -> None:
    answer = requests.post(f"{sandbox.url}/_sandbox/faults", json=order, timeout=30)
    assert (answer.status_code, sorted(answer.json())) == (400, ["error"])
    assert sandbox.get("/faults") == {"queue": [], "plans": []}


@pytest.fixture(scope="module")
def db() -> Iterator[sqlite3.Connection]:
    opened = sqlite3.connect(":memory:")
    opened.row_factory = sqlite3.Row
    opened.executescript(faults.SCHEMA)
    yield opened
    opened.close()


def draws(db: sqlite3.Connection, seed: int, probabilities: dict[str, float], count: int) -> list[str]:
    faults.clear(db)
    faults.plan(db, "x", None, None, seed, probabilities, {})
    found = [faults.take(db, "x", POST, "alice") for _ in range(count)]
    return [fault.kind if fault else NOTHING for fault in found]


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 10**6))
def test_a_plan_repeats_draw_by_draw(db: sqlite3.Connection, seed: int) -> None:
    shares = {"status": 0.3, "usage_cap": 0.3}
    assert draws(db, seed, shares, 30) == draws(db, seed, shares, 30)


@pytest.mark.parametrize(("share", "low", "high"), [(0.0, 0, 0), (0.1, 60, 140), (0.5, 430, 570), (1.0, 1000, 1000)])
def test_a_share_of_a_plan_comes_true(db: sqlite3.Connection, share: float, low: int, high: int) -> None:
    assert low <= draws(db, 11, {"status": share}, 1000).count("status") <= high


def test_shares_of_a_plan_do_not_overlap(db: sqlite3.Connection) -> None:
    found = draws(db, 5, {"status": 0.5, "usage_cap": 0.5}, 400)
    assert NOTHING not in found
    assert 150 < found.count("usage_cap") < 250


@settings(max_examples=200, deadline=None)
@given(st.integers(), st.text(max_size=5))
def test_a_draw_is_at_least_zero_and_less_than_one(seed: int, name: str) -> None:
    assert 0 <= faults.uniform(seed, name) < 1
    assert faults.uniform(seed, name) == faults.uniform(seed, name)


def test_draws_fill_the_whole_span(db: sqlite3.Connection) -> None:
    tenths = [int(faults.uniform(3, number) * 10) for number in range(2000)]
    assert min(tenths.count(tenth) for tenth in range(10)) > 140
