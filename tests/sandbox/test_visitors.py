"""People who come by themselves, as many as a post has earned; looked at without a server and without waiting."""

from pathlib import Path
from typing import Any

import pytest
import requests

from sandbox import tastes
from sandbox.testing import start_sandbox
from sandbox.visitors import links
from sandbox.visitors.automatic import MAX_AT_ONCE, look, obey_flag, switch_on
from sandbox.world import World
from sandbox.x import accounts, posts
from sandbox.x.posts import Draft
from tests.sandbox.cast import Sandbox
from tests.sandbox.visitors_cast import Shop
from tests.waiting import wait_for

DAY = 86400
NOON = 20_700 * DAY + 43_200.0


@pytest.fixture(autouse=True)
def still(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Time moves only when a test moves it; it starts at a noon."""
    monkeypatch.setattr(world.clock, "now", lambda: NOON + world.clock.offset)


@pytest.fixture
def publish(world: World, shop: Shop) -> Any:
    """A post with the shop's link, of an account with many followers."""

    def insert(text: str = "", followers: int = 20_000) -> Any:
        db, now = world.store.db, world.clock.now()
        account = accounts.ensure(db, "shop", now, followers=followers)
        return posts.insert(db, Draft(account, None, text or f"Fresh {shop.link}"), now)

    return insert


def report(world: World) -> dict[str, Any]:
    return tastes.read_setting(world.store.db, "visitors_report") or {}


def look_often(world: World, times: int = 12) -> None:
    for _ in range(times):
        look(world)


def clicks(world: World) -> int:
    [source] = links.live_sources(world, {}, {})
    return source.clicks_at(world, world.clock.now())


def test_nobody_comes_until_they_are_let(world: World, shop: Shop, publish: Any) -> None:
    publish()
    world.clock.advance(DAY)
    look(world)
    assert shop.asked == []


def test_as_many_come_as_the_network_counts(world: World, shop: Shop, publish: Any) -> None:
    publish()
    switch_on(world, {"bots": 0, "repeat": 0})
    seen = []
    for hours in (1, 5, 48):
        world.clock.advance(hours * 3600)
        look(world)
        seen.append(len(shop.at("/l/x")))
        assert seen[-1] == clicks(world) == report(world)["visitors"]
    assert 0 < seen[0] < seen[1] < seen[2]


def test_nobody_comes_twice_for_the_same_click(world: World, shop: Shop, publish: Any) -> None:
    publish()
    switch_on(world, {"bots": 0, "repeat": 0})
    world.clock.advance(DAY)
    look_often(world, 3)
    assert shop.people == len(shop.at("/l/x")) == clicks(world)


def test_bots_look_once_and_right_after_publishing(world: World, shop: Shop, publish: Any) -> None:
    publish()
    switch_on(world, {"bots": 0.05})
    look(world)
    came = len(shop.asked)
    assert came > 0
    assert report(world)["bots"] > 0
    assert report(world)["visitors"] == 0
    assert report(world)["bots_by_kind"]["Twitterbot"] >= 1
    look(world)
    assert len(shop.asked) == came


def test_a_jump_of_the_clock_brings_its_people_over_several_looks(world: World, shop: Shop, publish: Any) -> None:
    publish(followers=120_000)
    switch_on(world, {"bots": 0, "repeat": 0, "threads": 4})
    world.clock.advance(20 * DAY)
    expected = clicks(world)
    assert expected > MAX_AT_ONCE
    look(world)
    assert report(world)["visitors"] == MAX_AT_ONCE
    look_often(world, 3)
    assert report(world)["visitors"] == expected


def test_the_same_seed_brings_the_same_people(world: World, shop: Shop, publish: Any) -> None:
    publish()
    world.clock.advance(DAY)
    agents = []
    for seed in (5, 5, 6):
        world.store.db.execute("DELETE FROM audience_sent")
        shop.asked.clear()
        switch_on(world, {"seed": seed, "threads": 1})
        look(world)
        agents.append([one.headers["user-agent"] for one in shop.asked])
    assert agents[0] == agents[1] != agents[2]


def test_a_new_order_is_a_new_crowd_on_the_same_way(world: World, shop: Shop, publish: Any) -> None:
    publish()
    world.clock.advance(DAY)
    switch_on(world, {"rate": 1})
    look(world)
    came = len(shop.at("/l/x"))
    switch_on(world, {}, is_on=False)
    world.clock.advance(DAY)
    look(world)
    assert len(shop.at("/l/x")) == came
    assert report(world)["conversions"] == report(world)["landed"] != {}


def test_a_reset_while_they_are_on_their_way_forgets_them(
    world: World, shop: Shop, publish: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    publish()
    world.clock.advance(DAY)
    switch_on(world, {})
    usual = shop.answer

    def forget(one: Any) -> Any:
        world.store.clear()
        return usual(one)

    monkeypatch.setattr(shop, "answer", forget)
    look(world)
    assert shop.asked
    assert report(world) == {}


def test_links_of_telegram_are_followed_too(world: World, shop: Shop) -> None:
    db, now = world.store.db, world.clock.now()
    [chat] = [row for row in db.execute("SELECT * FROM tg_chats") if row["username"] == "demo_channel"]
    db.execute("UPDATE tg_chats SET audience = 30000 WHERE id = ?", (chat["id"],))
    db.execute(
        "INSERT INTO tg_messages (chat_id, owner, message_id, sender_id, sent_at, text) VALUES (?,0,50,100000,?,?)",
        (chat["id"], now, f"Fresh {shop.link}"),
    )
    switch_on(world, {"repeat": 0})
    world.clock.advance(DAY)
    look(world)
    assert report(world)["visitors"] == clicks(world) > 20
    assert report(world)["bots_by_kind"]["TelegramBot"] >= 1


def test_a_post_without_a_link_to_this_machine_draws_nobody(world: World, shop: Shop, publish: Any) -> None:
    publish("See https://example.com/l/x")
    switch_on(world, {})
    world.clock.advance(DAY)
    look(world)
    assert report(world) == {}


def test_names_may_stand_for_this_machine(world: World, shop: Shop, publish: Any) -> None:
    publish("See https://go.example.com/l/x")
    switch_on(world, {"hosts": {"go.example.com": shop.place}})
    world.clock.advance(DAY)
    look(world)
    assert shop.at("/l/x")


@pytest.mark.parametrize("wishes", [{"bots": -1}, {"seed": "x"}, {"hosts": {"a": "b.example"}}])
def test_wishes_that_make_no_sense_are_refused(world: World, wishes: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"is a|stand for"):
        switch_on(world, wishes)
    assert tastes.read_setting(world.store.db, "visitors") is None


# --- the command line -----------------------------------------------------------------------------------------


def is_on(world: World) -> bool:
    saved = tastes.read_setting(world.store.db, "visitors")
    return bool(saved and saved["on"])


def test_what_the_flag_switched_on_ends_with_it(world: World) -> None:
    obey_flag(world, is_given=True)
    assert is_on(world)
    obey_flag(world, is_given=False)
    assert not is_on(world)


def test_what_an_order_switched_on_stays(world: World) -> None:
    obey_flag(world, is_given=False)
    assert not is_on(world)
    switch_on(world, {})
    obey_flag(world, is_given=False)
    assert is_on(world)


# --- at a running sandbox -------------------------------------------------------------------------------------


def test_people_come_to_a_running_sandbox(sandbox: Sandbox, shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    sandbox.post("/accounts", handle="shop", followers=20_000)
    sandbox.sign_in("shop").post_id(f"Fresh {shop.link}")
    sandbox.advance(DAY)
    sandbox.post("/audience/visitors", rate=1.0, repeat=0, threads=2)
    wait_for(lambda: sandbox.get("/audience/visitors").get("visitors"))
    shown = sandbox.post("/audience/visitors", on=False)
    assert shown["on"] is False
    assert shown["visitors"] == sum(shown["landed"].values()) == sum(shown["conversions"].values()) > 0


def test_an_order_with_unknown_fields_is_refused(sandbox: Sandbox) -> None:
    answer = requests.post(f"{sandbox.url}/_sandbox/audience/visitors", json={"visitors": 3}, timeout=30)
    assert answer.status_code == 400
    assert sandbox.get("/audience/visitors") == {"on": False}


def test_the_flag_is_an_option_of_the_program(tmp_path: Path) -> None:
    url, process = start_sandbox(tmp_path / "data", extra=["--visitors"])
    try:
        assert Sandbox(url, process).get("/audience/visitors")["on"] is True
    finally:
        process.terminate()
        process.wait(30)
