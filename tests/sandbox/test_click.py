"""Orders to click, at a running sandbox: what they choose, when they answer, and that the truth can be asked for."""

from typing import Any

import pytest
import requests

from tests.sandbox.cast import Client, Sandbox
from tests.sandbox.telegram_cast import Telegram, TelegramBot
from tests.sandbox.visitors_cast import Shop
from tests.waiting import wait_for


def refusal(sandbox: Sandbox, path: str = "/audience/click", **order: Any) -> str:
    answer = requests.post(f"{sandbox.url}/_sandbox{path}", json=order, timeout=30)
    assert answer.status_code == 400, answer.text
    return str(answer.json()["error"])


def click(sandbox: Sandbox, **order: Any) -> dict[str, Any]:
    report: dict[str, Any] = sandbox.post("/audience/click", **{"visitors": 6, **order})
    return report


# --- which links ----------------------------------------------------------------------------------------------


def test_links_of_live_posts_are_followed(sandbox: Sandbox, alice: Client, shop: Shop) -> None:
    alice.post_id(f"Look: {shop.url}/l/a. And https://example.com/b")
    report = click(sandbox)
    assert list(report["links"]) == [f"{shop.url}/l/a"]
    assert report["visitors"] == len(shop.at("/l/a")) == 6
    assert {one.headers["referer"] for one in shop.at("/l/a")} == {"https://t.co/"}


def test_links_of_messages_are_followed_wherever_they_hide(
    sandbox: Sandbox, shop: Shop, bot: TelegramBot, channel: int
) -> None:
    hidden = {"type": "text_link", "offset": 0, "length": 4, "url": f"{shop.url}/l/hidden"}
    keyboard = {"inline_keyboard": [[{"text": "Buy", "url": f"{shop.url}/l/button"}]]}
    bot.send(channel, f"Here {shop.url}/l/plain", entities=[hidden], reply_markup=keyboard)
    bot.photo(channel, caption=f"{shop.url}/l/caption")
    report = click(sandbox, visitors=40, bots=0.1)
    names = {url.rpartition("/")[2] for url in report["links"]}
    assert names == {"hidden", "button", "plain", "caption"}
    assert report["bots_by_kind"].get("TelegramBot", 0) >= 1
    assert "Twitterbot" not in report["bots_by_kind"]


def test_posts_that_are_gone_are_not_looked_at(sandbox: Sandbox, alice: Client, shop: Shop) -> None:
    gone = alice.post_id(f"Gone {shop.url}/l/gone")
    alice.call("DELETE", f"/2/tweets/{gone}")
    assert "no link" in refusal(sandbox)
    alice.post_id(f"Here {shop.url}/l/here")
    assert list(click(sandbox)["links"]) == [f"{shop.url}/l/here"]


@pytest.mark.parametrize("choice", ["account", "post", "chat", "message_id", "urls"])
def test_an_order_chooses_among_links(
    sandbox: Sandbox, alice: Client, bob: Client, shop: Shop, bot: TelegramBot, channel: int, choice: str
) -> None:
    first = alice.post_id(f"One {shop.url}/l/one")
    bob.post_id(f"Two {shop.url}/l/two")
    bot.send(channel, f"{shop.url}/l/three")
    fourth = bot.send(channel, f"{shop.url}/l/four")["message_id"]
    orders: dict[str, tuple[dict[str, Any], set[str]]] = {
        "account": ({"account": "bob"}, {"two"}),
        "post": ({"post": first}, {"one"}),
        "chat": ({"chat": "@news"}, {"three", "four"}),
        "message_id": ({"chat": channel, "message_id": fourth}, {"four"}),
        "urls": ({"urls": [f"{shop.url}/l/five"]}, {"five"}),
    }
    order, expected = orders[choice]
    report = click(sandbox, visitors=20, **order)
    assert {url.rpartition("/")[2] for url in report["links"]} == expected


def test_a_name_may_stand_for_this_machine(sandbox: Sandbox, alice: Client, shop: Shop) -> None:
    alice.post_id("Look: https://go.example.com/l/x")
    assert "no link" in refusal(sandbox)
    report = click(sandbox, hosts={"go.example.com": shop.place})
    assert report["links"]["https://go.example.com/l/x"]["visitors"] == 6
    assert {one.headers["host"] for one in shop.at("/l/x")} == {"go.example.com"}


@pytest.mark.parametrize(
    ("order", "reason"),
    [
        ({}, "no link"),
        ({"urls": []}, "no link"),
        ({"urls": "x"}, "urls has the wrong type"),
        ({"account": "nobody"}, "no account nobody"),
        ({"chat": "nowhere"}, "no chat nowhere"),
        ({"visitors": -1}, "visitors is a whole number"),
        ({"visitors": 10**6}, "visitors is a whole number"),
        ({"visitors": "many"}, "visitors is a whole number"),
        ({"seed": 1.5}, "seed is a whole number"),
        ({"visitor": 3}, "no field visitor"),
        ({"bots": 11}, "bots is a number"),
        ({"hosts": {"a.example": "10.0.0.1:80"}}, "loopback"),
    ],
)
def test_an_order_that_makes_no_sense_is_refused(sandbox: Sandbox, order: dict[str, Any], reason: str) -> None:
    assert reason in refusal(sandbox, **order)
    assert sandbox.get("/audience/runs") == {"runs": []}


# --- the answer -----------------------------------------------------------------------------------------------


def test_visitors_land_on_the_sandbox_itself_while_the_order_waits(sandbox: Sandbox, shop: Shop) -> None:
    target = f"{sandbox.url}/_sandbox/landing/spring?v=b"
    shop.answers["/l/x"] = (302, {"Location": target})
    sandbox.post("/audience/landings", name="spring", rates={"b": 1}, value=5)
    report = click(sandbox, urls=[shop.link], visitors=10, seed=7)
    assert (report["run"], report["done"], report["seed"]) == (1, True, 7)
    assert report["landed"] == report["conversions"] == {"b": 10}
    assert report["value"] == {"b": 50.0}


def test_the_same_order_has_the_same_truth(sandbox: Sandbox, shop: Shop) -> None:
    order = {"urls": [f"{sandbox.url}/_sandbox/landing/a", f"{sandbox.url}/_sandbox/landing/b"], "visitors": 50}
    rates = {"a": 0.3, "b": 0.5}
    one, other = (click(sandbox, seed=7, rates=rates, repeat=0.2, **order) for _ in range(2))
    assert {**one, "run": 0} == {**other, "run": 0}
    assert other["run"] == one["run"] + 1


def test_who_does_not_wait_asks_later(sandbox: Sandbox, shop: Shop) -> None:
    answer = requests.post(
        f"{sandbox.url}/_sandbox/audience/click",
        json={"urls": [shop.link], "visitors": 20, "wait": False},
        timeout=30,
    )
    assert (answer.status_code, answer.json()) == (202, {"run": 1, "done": False})
    wait_for(lambda: sandbox.get("/audience/runs", run=1)["done"])
    assert sandbox.get("/audience/runs", run=1)["visitors"] == 20
    assert [run["run"] for run in sandbox.get("/audience/runs")["runs"]] == [1]


@pytest.mark.parametrize(("run", "status"), [("7", 404), ("x", 400)])
def test_a_run_that_never_was_is_not_found(sandbox: Sandbox, run: str, status: int) -> None:
    answer = requests.get(f"{sandbox.url}/_sandbox/audience/runs?run={run}", timeout=30)
    assert answer.status_code == status


def test_runs_are_forgotten_at_a_reset(sandbox: Sandbox, shop: Shop) -> None:
    click(sandbox, urls=[shop.link])
    sandbox.post("/reset")
    assert sandbox.get("/audience/runs") == {"runs": []}
    assert sandbox.get("/audience/landings") == {"landings": []}
    assert sandbox.get("/audience/visitors") == {"on": False}


def test_visits_are_not_in_the_ledger(sandbox: Sandbox) -> None:
    click(sandbox, urls=[f"{sandbox.url}/_sandbox/landing/a"])
    assert sandbox.ledger() == []


# --- landing pages --------------------------------------------------------------------------------------------


def test_a_landing_page_can_be_opened_and_bought_from(sandbox: Sandbox, shop: Shop) -> None:
    sandbox.post("/audience/landings", name="spring", pixel=shop.url + "/px?c={click}&v={variant}&w={value}", value=9)
    page = requests.get(f"{sandbox.url}/_sandbox/landing/spring?v=b&click=c1", timeout=30)
    assert page.status_code == 200
    assert "Variant b" in page.text
    assert '/_sandbox/landing/spring/thanks?v=b&amp;click=c1"' in page.text
    thanks = requests.get(f"{sandbox.url}/_sandbox/landing/spring/thanks?v=b&click=c1", timeout=30)
    assert f'<img src="{shop.url}/px?c=c1&amp;v=b&amp;w=9.0" alt="">' in thanks.text
    assert "img-src *" in thanks.headers["content-security-policy"]


def test_a_landing_page_that_nobody_set_up_answers_too(sandbox: Sandbox) -> None:
    assert requests.get(f"{sandbox.url}/_sandbox/landing/any", timeout=30).status_code == 200
    assert "<img" not in requests.get(f"{sandbox.url}/_sandbox/landing/any/thanks", timeout=30).text


def test_nothing_of_an_address_becomes_markup(sandbox: Sandbox) -> None:
    for path in ("<b>x", "x?v=<b>", "x/thanks?v=<b>&click=<b>"):
        page = requests.get(f"{sandbox.url}/_sandbox/landing/{path}", timeout=30)
        assert "<b>" not in page.text


def test_landings_are_listed_with_their_truth(sandbox: Sandbox) -> None:
    sandbox.post("/audience/landings", name="b", rate=0.1)
    sandbox.post("/audience/landings", name="a", rates={"x": 0.2})
    sandbox.post("/audience/landings", name="b", rate=0.3)
    listed = sandbox.get("/audience/landings")["landings"]
    assert [(one["name"], one["rate"], one["rates"]) for one in listed] == [("a", None, {"x": 0.2}), ("b", 0.3, {})]
    assert listed[0]["path"] == "/_sandbox/landing/a"


@pytest.mark.parametrize(
    "order", [{}, {"name": "a/b"}, {"name": "a?b"}, {"name": "a", "rate": 2}, {"name": "a", "price": 2}]
)
def test_a_landing_that_makes_no_sense_is_refused(sandbox: Sandbox, order: dict[str, Any]) -> None:
    refusal(sandbox, "/audience/landings", **order)
    assert sandbox.get("/audience/landings") == {"landings": []}


# --- joining --------------------------------------------------------------------------------------------------


def test_whoever_follows_an_invite_link_joins(
    sandbox: Sandbox, telegram: Telegram, alice: Client, bot: TelegramBot, channel: int
) -> None:
    bot.updates(allowed_updates=["chat_member"])
    invite = bot.do("createChatInviteLink", chat_id=channel, name="on x")["invite_link"]
    alice.post_id(f"Join us: {invite}")
    members = bot.do("getChatMemberCount", chat_id=channel)
    report = click(sandbox, visitors=10, joins=1)
    assert report["joined"] == {invite: 10}
    assert bot.do("getChatMemberCount", chat_id=channel) == members + 10
    told = [update["chat_member"] for update in bot.updates() if "chat_member" in update]
    assert [one["invite_link"]["name"] for one in told] == ["on x"] * 10
