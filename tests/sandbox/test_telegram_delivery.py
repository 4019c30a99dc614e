"""Webhooks under trouble, and the waiting that long polls and webhooks share."""

import sqlite3
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any

import pytest
import requests

from sandbox import faults
from sandbox.wire import Request, multipart_parts
from sandbox.world import News
from tests.sandbox.cast import Sandbox
from tests.sandbox.telegram_cast import DANA, Hook, Telegram, TelegramBot
from tests.waiting import wait_for

OpenHook = Callable[..., Hook]


@pytest.fixture
def open_hook() -> Iterator[OpenHook]:
    """Opens webhooks that close with the test."""
    with ExitStack() as stack:

        def start(*statuses: int) -> Hook:
            hook = Hook(*statuses)
            stack.callback(hook.close)
            return hook

        yield start


def say(telegram: Telegram, bot: TelegramBot, *texts: str) -> None:
    for text in texts:
        telegram.order("/write", **{"from": DANA, "bot": bot.username, "text": text})


def heard(hook: Hook) -> list[str]:
    return [update["message"]["text"] for update, _ in hook.got]


def test_a_webhook_hears_everything_in_order(telegram: Telegram, bot: TelegramBot, open_hook: OpenHook) -> None:
    hook = open_hook()
    bot.do("setWebhook", url=hook.url)
    texts = [f"No. {number}" for number in range(12)]
    say(telegram, bot, *texts)
    wait_for(lambda: len(hook.got) == 12)
    assert heard(hook) == texts


def test_a_webhook_that_fails_holds_up_only_its_own_bot(
    telegram: Telegram, bot: TelegramBot, open_hook: OpenHook
) -> None:
    other, broken, fine = telegram.bot("other_bot"), open_hook(*[500] * 99), open_hook()
    bot.do("setWebhook", url=broken.url)
    other.do("setWebhook", url=fine.url)
    say(telegram, bot, "lost")
    say(telegram, other, "found")
    wait_for(lambda: fine.got)
    assert heard(fine) == ["found"]


def test_a_later_update_waits_behind_one_that_was_not_taken(
    sandbox: Sandbox, telegram: Telegram, bot: TelegramBot, open_hook: OpenHook
) -> None:
    hook = open_hook(500)
    bot.do("setWebhook", url=hook.url)
    say(telegram, bot, "first")
    wait_for(lambda: "last_error_message" in bot.do("getWebhookInfo"))
    say(telegram, bot, "second")
    sandbox.advance(2)
    wait_for(lambda: len(hook.got) == 3)
    assert heard(hook) == ["first", "first", "second"]


def test_pauses_grow_and_end_with_a_success(
    sandbox: Sandbox, telegram: Telegram, bot: TelegramBot, open_hook: OpenHook
) -> None:
    hook = open_hook(500, 500, 500)
    bot.do("setWebhook", url=hook.url)
    say(telegram, bot, "x")
    noted = 0
    for count, pause in ((1, 1.1), (2, 2.1), (3, 4.1)):
        wait_for(lambda count=count: len(hook.got) == count)
        # The failure has to be noted before time goes on.
        wait_for(lambda noted=noted: bot.do("getWebhookInfo").get("last_error_date", 0) > noted)
        noted = bot.do("getWebhookInfo")["last_error_date"]
        sandbox.advance(pause)
    wait_for(lambda: len(hook.got) == 4)
    wait_for(lambda: bot.do("getWebhookInfo")["pending_update_count"] == 0)


def test_a_redirect_is_no_success(telegram: Telegram, bot: TelegramBot, open_hook: OpenHook) -> None:
    hook = open_hook(302)
    bot.do("setWebhook", url=hook.url)
    say(telegram, bot, "x")
    wait_for(lambda: "last_error_message" in bot.do("getWebhookInfo"))
    assert bot.do("getWebhookInfo")["last_error_message"] == "Wrong response from the webhook: 302 Found"


def test_a_new_webhook_takes_over_what_the_old_one_refused(
    telegram: Telegram, bot: TelegramBot, open_hook: OpenHook
) -> None:
    old, new = open_hook(*[500] * 99), open_hook()
    bot.do("setWebhook", url=old.url)
    say(telegram, bot, "x")
    wait_for(lambda: "last_error_message" in bot.do("getWebhookInfo"))
    bot.do("setWebhook", url=new.url)
    wait_for(lambda: new.got)
    assert heard(new) == ["x"]
    assert "last_error_message" not in bot.do("getWebhookInfo")


def test_what_a_webhook_did_not_take_can_be_fetched(telegram: Telegram, bot: TelegramBot, open_hook: OpenHook) -> None:
    hook = open_hook(*[500] * 99)
    bot.do("setWebhook", url=hook.url)
    say(telegram, bot, "x")
    wait_for(lambda: hook.got)
    bot.do("deleteWebhook")
    assert [update["message"]["text"] for update in bot.updates()] == ["x"]


def test_deleting_a_webhook_can_drop_what_waits(telegram: Telegram, bot: TelegramBot) -> None:
    say(telegram, bot, "x")
    bot.do("deleteWebhook", drop_pending_updates=True)
    assert bot.updates() == []


def test_a_webhook_hears_only_what_it_allows(telegram: Telegram, bot: TelegramBot, open_hook: OpenHook) -> None:
    hook = open_hook()
    bot.do("setWebhook", url=hook.url, allowed_updates=["my_chat_member"])
    say(telegram, bot, "x")
    telegram.order("/block", user=DANA, bot=bot.username)
    wait_for(lambda: hook.got)
    assert ["my_chat_member" in update for update, _ in hook.got] == [True]


def test_a_webhook_outlives_a_restart(own_sandbox: Sandbox, open_hook: OpenHook, tmp_path: Any) -> None:
    from sandbox.testing import start_sandbox

    hook, bot = open_hook(), Telegram(own_sandbox).demo_bot()
    bot.do("setWebhook", url=hook.url, secret_token="kept")
    own_sandbox.process.terminate()
    assert own_sandbox.process.wait(10) == 0
    url, process = start_sandbox(tmp_path / "data")
    revived = Telegram(Sandbox(url, process))
    try:
        say(revived, bot, "x")
        wait_for(lambda: hook.got)
        assert hook.got[0][1] == "kept"
    finally:
        process.terminate()
        process.wait(10)


def test_a_waiting_poll_does_not_delay_the_exit(own_sandbox: Sandbox) -> None:
    bot = Telegram(own_sandbox).demo_bot()
    poll = threading.Thread(target=_poll_until_cut, args=(bot,))
    poll.start()
    time.sleep(0.2)
    started = time.monotonic()
    own_sandbox.process.terminate()
    assert own_sandbox.process.wait(40) == 0
    poll.join(40)
    assert time.monotonic() - started < 30


def _poll_until_cut(bot: TelegramBot) -> None:
    with pytest.raises(requests.ConnectionError):
        requests.post(f"{bot.url}/getUpdates", json={"timeout": 50}, timeout=60)


# Groups


def test_an_administrator_hears_every_word_of_a_group(telegram: Telegram, bot: TelegramBot) -> None:
    group = telegram.chat("supergroup", members=["dana_demo"], bots=[bot.username])
    bot.updates(offset=2**31)
    telegram.order("/write", **{"from": DANA, "chat": group, "text": "just chatting"})
    assert [update["message"]["text"] for update in bot.updates()] == ["just chatting"]


def test_a_bot_that_left_hears_nothing(telegram: Telegram, bot: TelegramBot) -> None:
    group = telegram.chat("supergroup", members=["dana_demo"], bots={bot.username: "left"})
    telegram.order("/write", **{"from": DANA, "chat": group, "text": "/help"})
    assert bot.updates() == []


@pytest.mark.parametrize("status", ["left", "kicked", "restricted"])
def test_only_members_write_in_a_group(telegram: Telegram, status: str) -> None:
    group = telegram.chat("supergroup", members={"dana_demo": status})
    refusal = telegram.refusal("/write", **{"from": DANA, "chat": group, "text": "x"})
    assert refusal == f"a person with status {status} does not write in a supergroup"


# News


def test_news_told_before_the_wait_is_not_missed() -> None:
    news = News()
    seen = news.count
    news.tell()
    started = time.monotonic()
    news.wait(seen, 60)
    assert time.monotonic() - started < 30


def test_news_wakes_everybody_who_waits() -> None:
    news, woken = News(), []
    waiting = [threading.Thread(target=lambda: (news.wait(0, 60), woken.append(1))) for _ in range(3)]
    for thread in waiting:
        thread.start()
    news.tell()
    for thread in waiting:
        thread.join(30)
    assert woken == [1, 1, 1]


def test_without_news_a_wait_ends_by_itself() -> None:
    started = time.monotonic()
    News().wait(0, 0.05)
    assert 0.04 < time.monotonic() - started < 20


# Faults


@pytest.fixture
def orders() -> Iterator[sqlite3.Connection]:
    opened = sqlite3.connect(":memory:")
    opened.row_factory = sqlite3.Row
    opened.executescript(faults.SCHEMA)
    yield opened
    opened.close()


@pytest.mark.parametrize(
    ("route", "is_met"),
    [
        ("POST /bot{token}/sendMessage", True),
        ("GET /bot{token}/sendPhoto", True),
        ("POST /bot{token}/getMe", False),
        ("POST /bot{token}/editMessageText", False),
    ],
)
def test_a_fault_of_sending_fits_every_route_that_sends(orders: sqlite3.Connection, route: str, is_met: bool) -> None:
    faults.enqueue(orders, "telegram", "flood", None, None, 1, {})
    assert (faults.take(orders, "telegram", route, "bot") is not None) is is_met


@pytest.mark.parametrize(
    ("route", "is_met"), [("POST /bot{token}/sendMessage", True), ("POST /bot{token}/getMe", False)]
)
def test_a_plan_keeps_to_the_routes_of_its_kinds(orders: sqlite3.Connection, route: str, is_met: bool) -> None:
    faults.plan(orders, "telegram", None, None, 1, {"flood": 1.0}, {})
    assert (faults.take(orders, "telegram", route, "bot") is not None) is is_met


def test_a_fault_of_webhooks_is_met_by_no_call(orders: sqlite3.Connection) -> None:
    faults.enqueue(orders, "telegram", "webhook_redelivery", None, "a_bot", 1, {"n": 3})
    assert faults.take(orders, "telegram", "POST /bot{token}/sendMessage", "a_bot") is None
    assert faults.take_only(orders, "telegram", "webhook_redelivery", "other_bot") is None
    found = faults.take_only(orders, "telegram", "webhook_redelivery", "A_BOT")
    assert found is not None
    assert found.number("n", 2) == 3
    assert faults.take_only(orders, "telegram", "webhook_redelivery", "a_bot") is None


def test_a_webhook_uses_up_no_fault_of_another_kind(orders: sqlite3.Connection) -> None:
    faults.enqueue(orders, "telegram", "status", None, None, 1, {})
    assert faults.take_only(orders, "telegram", "webhook_redelivery", "a_bot") is None
    assert len(faults.waiting(orders)["queue"]) == 1


def test_the_same_kind_may_mean_other_routes_elsewhere() -> None:
    assert faults.kinds_of("x")["late_accept"] == "POST /2/tweets"
    assert faults.kinds_of("telegram")["late_accept"] == "* /bot{token}/send*"
    assert set(faults.kinds_of("nowhere")) == set(faults.ANYWHERE)


# Parts


@pytest.mark.parametrize(
    ("head", "name"),
    [
        ('name="photo"; filename="a.jpg"', "a.jpg"),
        ('name="photo"; filename="Plan 2026.pdf"', "Plan 2026.pdf"),
        ('name="photo"; filename="größe.png"', "größe.png"),
        ('name="photo"', ""),
    ],
)
def test_a_part_keeps_its_file_name(head: str, name: str) -> None:
    body = f"--b\r\nContent-Disposition: form-data; {head}\r\n\r\nx\r\n--b--\r\n".encode()
    request = Request("POST", "/", "", {"Content-Type": "multipart/form-data; boundary=b"}, body)
    part = multipart_parts(request)["photo"]
    assert (part.filename, part.content) == (name, b"x")
