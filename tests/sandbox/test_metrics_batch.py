"""Reading the metrics of many posts at once: what is left out, what it costs, and when private numbers end."""

import sqlite3
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from sandbox import platforms
from sandbox.clock import parse_iso
from sandbox.store import Store
from sandbox.world import open_world
from sandbox.x.pricing import OWNED_READ, POST_READ
from tests.sandbox.cast import Client, Sandbox
from tests.sandbox.telegram_cast import Telegram

DAY = 86400
ALL = "public_metrics,non_public_metrics,organic_metrics"
NOT_AUTHORIZED = "https://api.twitter.com/2/problems/not-authorized-for-field"
NOT_FOUND = "https://api.twitter.com/2/problems/resource-not-found"


@pytest.fixture(autouse=True)
def noon(sandbox: Sandbox) -> None:
    """Prices are by UTC day: no test may meet midnight."""
    sandbox.advance((DAY * 1.5 - parse_iso(sandbox.get("/clock")["now"])) % DAY)


def read(client: Client, ids: list[str], fields: str = ALL) -> dict[str, Any]:
    answer = client.get("/2/tweets", ids=",".join(ids), tweet_fields=fields)
    assert answer.status_code == 200, answer.text
    body: dict[str, Any] = answer.json()
    return body


def costs(sandbox: Sandbox) -> list[int]:
    return [entry["cost_micro"] for entry in sandbox.ledger() if entry["path"].startswith("/2/tweets?ids")]


def test_a_hundred_posts_are_read_at_once_with_all_their_metrics(sandbox: Sandbox, alice: Client) -> None:
    ids = [alice.post_id(f"Post {number}") for number in range(90)]
    sandbox.advance(3600)
    found = read(alice, [*ids, *(str(number) for number in range(10))])
    assert [post["id"] for post in found["data"]] == ids
    assert all({*ALL.split(",")} < set(post) for post in found["data"])
    assert len(found["errors"]) == 10
    assert {error["type"] for error in found["errors"]} == {NOT_FOUND}


def test_a_batch_of_a_hundred_and_one_is_refused(alice: Client) -> None:
    assert alice.get("/2/tweets", ids=",".join(map(str, range(101)))).status_code == 400


def test_own_foreign_deleted_and_unknown_posts_come_in_one_answer(alice: Client, bob: Client) -> None:
    own, gone, foreign = alice.post_id("Own"), alice.post_id("Gone"), bob.post_id("Foreign")
    alice.call("DELETE", f"/2/tweets/{gone}")
    found = read(alice, [own, gone, foreign, "12"])
    shown = {post["id"]: set(post) for post in found["data"]}
    assert set(shown) == {own, foreign}
    assert "non_public_metrics" in shown[own]
    assert "public_metrics" in shown[foreign]
    assert "non_public_metrics" not in shown[foreign]
    by_id = {(error["resource_id"], error["type"]): error for error in found["errors"]}
    assert set(by_id) == {(gone, NOT_FOUND), ("12", NOT_FOUND), (foreign, NOT_AUTHORIZED)}
    kinds = Counter(error["type"] for error in found["errors"])
    assert kinds == {NOT_FOUND: 2, NOT_AUTHORIZED: 2}
    fields = {error.get("field") for error in found["errors"]}
    assert fields == {None, "non_public_metrics", "organic_metrics"}


def test_private_numbers_end_after_thirty_days(sandbox: Sandbox) -> None:
    alice = sandbox.sign_in("alice", expires_in=10**7)
    old = alice.post_id("Old")
    sandbox.advance(15 * DAY)
    new = alice.post_id("New")
    sandbox.advance(15 * DAY + 60)
    found = read(alice, [old, new])
    shown = {post["id"]: post for post in found["data"]}
    assert "non_public_metrics" in shown[new]
    assert "organic_metrics" in shown[new]
    assert not {"non_public_metrics", "organic_metrics"} & set(shown[old])
    assert shown[old]["public_metrics"]["impression_count"] > 0
    assert {(error["resource_id"], error["field"]) for error in found["errors"]} == {
        (old, "non_public_metrics"),
        (old, "organic_metrics"),
    }


def test_no_number_of_any_post_ever_falls(sandbox: Sandbox) -> None:
    sandbox.post("/accounts", handle="large", followers=80_000)
    large = sandbox.sign_in("large", expires_in=10**7)
    ids = [large.post_id(f"Post {number} https://example.com/{number}") for number in range(10)]
    before: dict[str, Any] = {}
    for _ in range(6):
        sandbox.advance(11_000)
        now = {post["id"]: post for post in read(large, ids)["data"]}
        for post_id, was in before.items():
            for kind in ALL.split(","):
                assert all(number <= now[post_id][kind][name] for name, number in was[kind].items())
        before = now
    assert all(post["non_public_metrics"]["url_link_clicks"] > 0 for post in before.values())


def test_a_link_to_this_machine_is_clicked_too(sandbox: Sandbox) -> None:
    sandbox.post("/accounts", handle="large", followers=80_000)
    large = sandbox.sign_in("large")
    with_link, without = (large.post_id(text) for text in ("See http://127.0.0.1:8000/l/x", "See nothing"))
    sandbox.advance(3600)
    clicks = [post["non_public_metrics"]["url_link_clicks"] for post in read(large, [with_link, without])["data"]]
    assert clicks[0] > 0 == clicks[1]


# --- what reads cost ------------------------------------------------------------------------------------------


def test_the_ledger_says_what_a_read_cost_and_a_second_one_is_free(sandbox: Sandbox, alice: Client) -> None:
    ids = [alice.post_id(f"Post {number}") for number in range(3)]
    read(alice, ids[:2])
    read(alice, ids)
    read(alice, ids)
    assert costs(sandbox) == [2 * POST_READ, POST_READ, 0]


def test_the_next_day_of_utc_costs_again(sandbox: Sandbox) -> None:
    alice = sandbox.sign_in("alice", expires_in=10**7)
    post_id = alice.post_id("Post")
    for _ in range(3):
        read(alice, [post_id])
        sandbox.advance(DAY)
    assert costs(sandbox) == [POST_READ] * 3


def test_owned_reads_are_cheap_for_the_owner_of_the_app(sandbox: Sandbox, alice: Client, bob: Client) -> None:
    sandbox.post("/apps", client_id="sandbox-client", owner="alice")
    own, foreign = alice.post_id("Own"), bob.post_id("Foreign")
    read(alice, [own])
    read(alice, [foreign])
    assert costs(sandbox) == [OWNED_READ, POST_READ]


def test_what_is_not_there_costs_nothing(sandbox: Sandbox, alice: Client) -> None:
    gone = alice.post_id("Gone")
    alice.call("DELETE", f"/2/tweets/{gone}")
    read(alice, [gone, "12"])
    assert costs(sandbox) == [0]


def test_every_priced_call_is_in_the_ledger_with_its_price(sandbox: Sandbox, alice: Client) -> None:
    alice.post_id("Plain")
    alice.post_id("See https://example.com")
    alice.create("Plain")
    alice.get("/2/users/me")
    entries = [(entry["outcome"], entry["cost_micro"]) for entry in sandbox.ledger()]
    assert entries == [("201", 15_000), ("201", 200_000), ("403", 0), ("200", 10_000)]
    assert sum(cost for _, cost in entries) == sandbox.get("/apps")["apps"][0]["spent_micro"]


def test_a_refusal_for_want_of_credit_costs_nothing(sandbox: Sandbox, alice: Client) -> None:
    sandbox.post("/apps", client_id="sandbox-client", credit_micro=0)
    alice.create("Plain")
    [entry] = sandbox.ledger()
    assert (entry["outcome"], entry["cost_micro"]) == ("402", 0)


def test_telegram_charges_nothing(sandbox: Sandbox, telegram: Telegram) -> None:
    telegram.demo_bot().do("getMe")
    assert [entry["cost_micro"] for entry in sandbox.ledger()] == [0]


# --- folders of older versions --------------------------------------------------------------------------------


def test_a_folder_of_an_older_version_gets_what_came_later(tmp_path: Path) -> None:
    old = Store(tmp_path / "db", "CREATE TABLE IF NOT EXISTS cups (name TEXT);")
    old.db.execute("INSERT INTO cups VALUES ('blue')")
    old.close()
    schema = "CREATE TABLE IF NOT EXISTS cups (name TEXT, size INTEGER NOT NULL DEFAULT 3, colour TEXT, sold REAL);"
    for _ in range(2):
        new = Store(tmp_path / "db", schema)
        assert [tuple(row) for row in new.db.execute("SELECT * FROM cups")] == [("blue", 3, None, None)]
        new.close()


def test_a_ledger_of_an_older_version_goes_on(tmp_path: Path) -> None:
    open_world(tmp_path, platforms.SCHEMAS).store.close()
    db = sqlite3.connect(tmp_path / "sandbox.sqlite3")
    db.execute("ALTER TABLE ledger DROP COLUMN cost_micro")
    db.execute("ALTER TABLE tg_chats DROP COLUMN created_at")
    db.commit()
    db.close()
    world = open_world(tmp_path, platforms.SCHEMAS)
    platforms.furnish(world)
    assert world.store.db.execute("SELECT count(cost_micro) FROM ledger").fetchone()[0] == 0
    assert world.store.db.execute("SELECT count(created_at) FROM tg_chats").fetchone()[0] == 3
    world.store.close()


@pytest.mark.parametrize("schema", ["CREATE TABLE t (a TEXT);", "CREATE TABLE IF NOT EXISTS t (a TEXT, b TEXT);"])
def test_a_new_folder_has_every_column_at_once(tmp_path: Path, schema: str) -> None:
    store = Store(tmp_path / "db", schema)
    assert schema.count("TEXT") == len(store.db.execute("PRAGMA table_info(t)").fetchall())
    store.close()
