"""A crowd on its way, without a server of its own: what it does, and that its report is the truth."""

from collections import Counter
from dataclasses import replace
from typing import Any

import pytest

from sandbox.telegram import people
from sandbox.visitors import manners, runs
from sandbox.visitors.crowd import Crowd
from sandbox.visitors.manners import Telling
from sandbox.visitors.report import Report, merge
from sandbox.visitors.runs import Goal
from sandbox.world import World
from tests.sandbox.visitors_cast import Shop


@pytest.fixture
def send(world: World, shop: Shop) -> Any:
    """Sends a crowd to the shop's link and gives its report."""

    def sent(visitors: int = 40, seed: int = 7, urls: list[str] | None = None, **order: Any) -> dict[str, Any]:
        landings = order.pop("landings", {})
        crowd = Crowd(world, manners.parse_manners({"threads": 2, **order}), landings)
        runs.send(crowd, [Goal(url, "x") for url in urls or [shop.link]], visitors, seed)
        return crowd.report.as_json()

    return sent


def people_of(shop: Shop) -> set[str]:
    return {one.headers["user-agent"] + one.headers["x-forwarded-for"] for one in shop.at("/l/x")}


def test_everybody_comes_and_lands(shop: Shop, send: Any) -> None:
    report = send(40)
    assert (report["visitors"], report["humans"], report["repeats"], report["bots"]) == (40, 40, 0, 0)
    assert report["landed"] == {"a": 20, "b": 20}
    assert report["links"] == {shop.link: {"visitors": 40, "humans": 40, "bots": 0}}
    assert shop.count() == {"/l/x": 40, "/_sandbox/landing/spring": 40}
    assert len(people_of(shop)) == 40
    assert report["failed"] == report["left"] == {}


def test_the_same_seed_sends_the_same_people(shop: Shop, send: Any) -> None:
    order = {"bots": 0.2, "repeat": 0.3, "rates": {"spring": 0.3}, "urls": [shop.url + "/_sandbox/landing/spring"]}
    first, second = send(60, **order), send(60, **order)
    assert first == second
    assert send(60, seed=8, **order) != first


def test_more_visitors_are_the_same_people_and_some_more(shop: Shop, send: Any) -> None:
    send(10)
    few = people_of(shop)
    shop.asked.clear()
    send(30)
    assert few < people_of(shop)


def test_those_who_come_again_are_known_by_their_cookies(shop: Shop, send: Any) -> None:
    report = send(60, repeat=0.5)
    assert 18 < report["repeats"] < 42
    assert report["humans"] == 60 + report["repeats"] == len(shop.at("/l/x"))
    assert shop.people == report["visitors"] == 60
    assert report["switched"] == 0
    assert sum(report["landed"].values()) == 60


def test_those_without_cookies_are_strangers_every_time(shop: Shop, send: Any) -> None:
    report = send(60, repeat=1, cookieless=1)
    assert shop.people == 120
    assert not any(one.cookies for one in shop.asked)
    # As the shop counts, each of them is somebody else; who saw another variant is told.
    assert 0 < report["switched"] <= 60


def test_bots_come_first_and_are_told_by_kind(shop: Shop, send: Any) -> None:
    report = send(20, bots=0.6)
    assert (report["bots"], report["heads"], report["visitors"]) == (12, 4, 20)
    assert sum(report["bots_by_kind"].values()) == 12
    assert report["bots_by_kind"]["disguised"] == 2
    assert report["links"][shop.link] == {"visitors": 20, "humans": 20, "bots": 12}
    clicks = shop.at("/l/x")
    assert all("accept-language" not in one.headers for one in clicks[:12])
    assert all("accept-language" in one.headers for one in clicks[12:])
    assert [one.method for one in clicks].count("HEAD") == 4


def test_who_asks_for_the_head_does_not_land(shop: Shop, send: Any) -> None:
    report = send(0, bots=1)
    assert report["bots"] == 0
    report = send(6, bots=1)
    assert Counter(one.method for one in shop.at("/_sandbox/landing/spring")) == {"GET": 6 + 4}
    assert report["failed"] == {}


def test_bots_do_not_count_as_landed_and_buy_nothing(shop: Shop, send: Any) -> None:
    report = send(10, bots=2, rate=1)
    assert sum(report["landed"].values()) == sum(report["conversions"].values()) == 10


@pytest.mark.parametrize("rate", [0.0, 1.0])
def test_certainties_are_kept(shop: Shop, send: Any, rate: float) -> None:
    report = send(20, rates={"a": rate, "b": rate}, pixel=shop.url + "/px")
    assert report["conversions"] == {"a": 10 * rate, "b": 10 * rate}
    assert report["calls"]["pixel"] == len(shop.at("/px")) == 20 * rate
    assert report["rates"] == {"a": rate, "b": rate}


def test_conversions_come_at_their_true_rate_by_variant(shop: Shop, send: Any) -> None:
    report = send(600, rates={"a": 0.1, "b": 0.4}, threads=4)
    # Four standard deviations.
    assert abs(report["conversions"]["a"] - 30) < 4 * (300 * 0.1 * 0.9) ** 0.5
    assert abs(report["conversions"]["b"] - 120) < 4 * (300 * 0.4 * 0.6) ** 0.5


def test_a_conversion_is_told_with_what_the_link_said(shop: Shop, send: Any) -> None:
    order = {"pixel": shop.url + "/px?c={click}&o={order}&v={variant}&w={value}", "value": {"mean": 40, "sd": 10}}
    report = send(12, rate=1, **order)
    told = [one.query for one in shop.at("/px")]
    assert {one["c"] for one in told} == {f"c{number}" for number in range(12)}
    assert {one["o"] for one in told} == {f"order-7-{number}" for number in range(12)}
    by_variant = {name: sum(float(one["w"]) for one in told if one["v"] == name) for name in "ab"}
    assert report["value"] == pytest.approx(by_variant)
    assert all(one.cookies["person"] == one.query["c"][1:] for one in shop.at("/px"))


def test_a_share_of_the_calls_is_made_twice(shop: Shop, send: Any) -> None:
    server = {"url": shop.url + "/api", "headers": {"Idempotency-Key": "{order}"}, "json": {"order": "{order}"}}
    report = send(40, rate=1, server=server, repeat_calls=0.5)
    seen = Counter(one.headers["idempotency-key"] for one in shop.at("/api"))
    assert len(seen) == 40
    assert report["calls"]["server"] == 40 + report["calls"]["repeated"] == seen.total()
    assert set(seen.values()) == {1, 2}
    assert report["calls"]["repeated"] == sum(count == 2 for count in seen.values())


def test_a_call_that_is_refused_is_told_and_the_conversion_stays_true(shop: Shop, send: Any) -> None:
    shop.answers["/px"] = (403, {})
    report = send(10, rate=1, pixel=shop.url + "/px")
    assert report["calls"]["failed"] == 10
    assert report["failed"] == {"pixel 403": 10}
    assert sum(report["conversions"].values()) == 10


def test_nobody_converts_twice(shop: Shop, send: Any) -> None:
    report = send(20, rate=1, repeat=1, pixel=shop.url + "/px")
    assert report["repeats"] == 20
    assert sum(report["conversions"].values()) == len(shop.at("/px")) == 20


def test_a_landing_knows_its_own_rates(shop: Shop, send: Any) -> None:
    landing = Telling(rates={"a": 1.0}, pixel=shop.url + "/px", value=3)
    report = send(10, landings={"spring": landing})
    assert report["rates"] == {"a": 1.0, "b": 0.0}
    assert report["conversions"] == {"a": 5, "b": 0}
    assert report["value"] == {"a": 15.0, "b": 0.0}
    other = send(10, landings={"autumn": replace(landing, rate=1.0)})
    assert other["conversions"] == {"a": 0, "b": 0}


def test_people_spread_over_all_links(shop: Shop, send: Any) -> None:
    urls = [f"{shop.url}/l/{number}" for number in range(3)]
    report = send(150, urls=urls, bots=0.1)
    assert sorted(report["links"]) == urls
    assert all(30 < report["links"][url]["visitors"] < 70 for url in urls)
    assert [report["links"][url]["bots"] for url in urls] == [5, 5, 5]


def test_what_goes_wrong_is_counted_by_what_it_was(shop: Shop, send: Any) -> None:
    shop.answers |= {"/gone": (410, {}), "/out": (302, {"Location": "https://example.com/"})}
    urls = [f"{shop.url}/gone", f"{shop.url}/out", "http://127.0.0.1:1/", shop.url + "/page"]
    report = send(80, urls=urls)
    assert set(report["failed"]) == {"410", "ConnectionRefusedError"}
    assert set(report["left"]) == {"example.com"}
    total = sum(report["failed"].values()) + sum(report["left"].values()) + report["links"][urls[3]]["humans"]
    assert total == report["humans"] == 80
    assert report["landed"] == {}


def test_somebody_who_did_not_arrive_may_arrive_the_second_time(shop: Shop, send: Any) -> None:
    failing = iter([True] * 5)
    usual = shop.answer
    shop.answer = lambda one: (503, {}) if next(failing, False) else usual(one)  # type: ignore[method-assign]
    report = send(5, repeat=1, rate=1)
    assert report["failed"] == {"503": 5}
    assert sum(report["landed"].values()) == sum(report["conversions"].values()) == 5


def test_an_invite_link_lets_people_join(world: World, shop: Shop, send: Any) -> None:
    db = world.store.db
    [chat] = [row for row in people.chats(db) if row["username"] == "demo_channel"]
    link = "http://127.0.0.1:8100/tg/web/+abc"
    db.execute("INSERT INTO tg_invites (link, chat_id, creator_id) VALUES (?,?,100000)", (link, chat["id"]))
    before = people.member_count(db, chat)
    shop.answers["/l/x"] = (302, {"Location": "/tg/web/+abc"})
    report = send(40, joins=0.5)
    joined = report["joined"][link]
    assert 10 < joined < 30
    assert people.member_count(db, chat) == before + joined
    assert send(10, joins=0)["joined"] == {}


def test_a_full_or_unknown_invite_link_lets_nobody_in(world: World, shop: Shop, send: Any) -> None:
    shop.answers["/l/x"] = (302, {"Location": "/tg/web/+nowhere"})
    assert send(5, joins=1)["joined"] == {}
    db = world.store.db
    chat_id = people.chats(db)[0]["id"]
    link = "http://127.0.0.1/tg/web/+few"
    db.execute(
        "INSERT INTO tg_invites (link, chat_id, creator_id, member_limit) VALUES (?,?,100000,3)", (link, chat_id)
    )
    shop.answers["/l/x"] = (302, {"Location": "/tg/web/+few"})
    assert send(5, joins=1)["joined"] == {link: 3}


def test_a_crowd_goes_home_when_the_sandbox_stops(world: World, shop: Shop, send: Any) -> None:
    world.stopping.set()
    assert send(20, bots=1)["humans"] == 0
    assert shop.asked == []


# --- reports --------------------------------------------------------------------------------------------------


def test_an_empty_report_names_everything() -> None:
    empty = Report().as_json()
    assert empty["visitors"] == empty["calls"]["failed"] == 0
    assert empty["links"] == empty["value"] == {}


def test_reports_are_added_up_but_rates_are_not(shop: Shop, send: Any) -> None:
    one = send(10, rates={"a": 1.0}, value=2.5)
    other = send(20, rates={"a": 1.0}, value=2.5, bots=0.1)
    both = merge(merge({}, one), other)
    assert (both["visitors"], both["bots"], both["value"]["a"]) == (30, 2, 37.5)
    assert both["landed"] == {"a": 15, "b": 15}
    assert both["links"][shop.link]["visitors"] == 30
    assert both["rates"] == {"a": 1.0, "b": 0.0}
