"""News for bots: what is told to whom, by polling and by webhook."""

import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import requests

from tests.sandbox.cast import Sandbox
from tests.sandbox.telegram_cast import DANA, Hook, Telegram, TelegramBot
from tests.waiting import wait_for


def kinds(updates: list[dict[str, Any]]) -> list[str]:
    return [next(name for name in update if name != "update_id") for update in updates]


def say(telegram: Telegram, bot: TelegramBot, *texts: str) -> None:
    for text in texts:
        telegram.order("/write", **{"from": DANA, "bot": bot.username, "text": text})


def test_a_start_with_a_payload_is_a_message(bot: TelegramBot, telegram: Telegram) -> None:
    say(telegram, bot, "/start connect-42")
    [update] = bot.updates()
    assert update["message"]["text"] == "/start connect-42"
    assert update["message"]["from"]["id"] == update["message"]["chat"]["id"] == DANA
    assert update["message"]["entities"] == [{"type": "bot_command", "offset": 0, "length": 6}]


def test_an_update_comes_until_a_higher_offset_confirms_it(bot: TelegramBot, telegram: Telegram) -> None:
    say(telegram, bot, "a", "b", "c")
    first, second, third = bot.updates()
    assert (second["update_id"], third["update_id"]) == (first["update_id"] + 1, first["update_id"] + 2)
    assert bot.updates() == [first, second, third]
    assert bot.updates(offset=second["update_id"]) == [second, third]
    assert bot.updates(offset=third["update_id"] + 1) == []
    assert bot.updates() == []


def test_a_negative_offset_counts_from_the_end_and_forgets_the_rest(bot: TelegramBot, telegram: Telegram) -> None:
    say(telegram, bot, "a", "b", "c")
    assert [update["message"]["text"] for update in bot.updates(offset=-2)] == ["b", "c"]
    assert len(bot.updates()) == 2


@pytest.mark.parametrize(("limit", "count"), [(1, 1), (2, 2), (0, 3), (500, 3)])
def test_a_limit_is_kept(bot: TelegramBot, telegram: Telegram, limit: int, count: int) -> None:
    say(telegram, bot, "a", "b", "c")
    assert len(bot.updates(limit=limit)) == count


def test_bots_hear_only_their_own(bot: TelegramBot, telegram: Telegram) -> None:
    other = telegram.bot("other_bot")
    say(telegram, bot, "a")
    assert other.updates() == []


def test_own_posts_are_no_news(bot: TelegramBot, channel: int) -> None:
    bot.updates(offset=2**31)
    bot.send(channel, "Hello")
    assert bot.updates() == []


def test_posts_of_people_in_a_channel_are(bot: TelegramBot, telegram: Telegram, channel: int) -> None:
    telegram.order("/members", chat=channel, user=DANA, status="creator")
    telegram.order("/write", **{"from": DANA, "chat": channel, "text": "By hand"})
    assert bot.updates()[-1]["channel_post"]["text"] == "By hand"


@pytest.mark.parametrize(
    ("text", "is_heard"), [("hello", False), ("/help", True), ("ask @press_bot", True), ("@other", False)]
)
def test_in_groups_a_plain_member_hears_commands_and_its_name(
    bot: TelegramBot, telegram: Telegram, text: str, is_heard: bool
) -> None:
    group = telegram.chat("supergroup", members=["dana_demo"], bots={bot.username: "member"})
    bot.updates(offset=2**31)
    telegram.order("/write", **{"from": DANA, "chat": group, "text": text})
    assert len(bot.updates()) == is_heard


def test_in_groups_an_answer_to_the_bot_is_heard(bot: TelegramBot, telegram: Telegram) -> None:
    group = telegram.chat("supergroup", members=["dana_demo"], bots={bot.username: "member"})
    asked = bot.send(group, "How are you?")["message_id"]
    telegram.order("/write", **{"from": DANA, "chat": group, "text": "Fine", "reply_to": asked})
    assert bot.updates()[-1]["message"]["reply_to_message"]["text"] == "How are you?"


def test_a_bot_that_is_let_in_hears_it(bot: TelegramBot, telegram: Telegram) -> None:
    chat = telegram.chat()
    telegram.order("/members", chat=chat, user=bot.username, status="administrator", by="dana_demo")
    [update] = bot.updates()
    change = update["my_chat_member"]
    assert (change["old_chat_member"]["status"], change["new_chat_member"]["status"]) == ("left", "administrator")
    assert (change["from"]["id"], change["chat"]["id"]) == (DANA, chat)
    assert change["new_chat_member"]["can_post_messages"] is True


def test_nothing_new_is_no_news(bot: TelegramBot, telegram: Telegram, channel: int) -> None:
    bot.updates(offset=2**31)
    telegram.order("/members", chat=channel, user=bot.username, status="administrator")
    assert bot.updates() == []


def test_being_blocked_is_news(bot: TelegramBot, telegram: Telegram, dana: int) -> None:
    telegram.order("/block", user=dana, bot=bot.username)
    [update] = bot.updates()
    assert update["my_chat_member"]["new_chat_member"]["status"] == "kicked"


def test_people_and_reactions_are_told_only_on_request(bot: TelegramBot, telegram: Telegram, channel: int) -> None:
    message = bot.send(channel, "Hello")["message_id"]
    link = bot.do("createChatInviteLink", chat_id=channel, name="utm")["invite_link"]
    for person in ("before", "after"):
        telegram.user(person)
    bot.updates(offset=2**31)
    telegram.order("/join", user="before", link=link)
    telegram.order("/reactions", chat=channel, message_id=message, reactions={"👍": 1})
    assert bot.updates(allowed_updates=["chat_member", "message_reaction_count"]) == []
    telegram.order("/join", user="after", link=link)
    telegram.order("/reactions", chat=channel, message_id=message, reactions={"👍": 3, "🔥": 1, "x": 0})
    joined, reacted = bot.updates()
    assert joined["chat_member"]["invite_link"]["name"] == "utm"
    assert joined["chat_member"]["new_chat_member"]["user"]["username"] == "after"
    counts = reacted["message_reaction_count"]
    assert counts["message_id"] == message
    assert [(one["type"]["emoji"], one["total_count"]) for one in counts["reactions"]] == [("👍", 3), ("🔥", 1)]


def test_what_is_allowed_is_remembered_until_an_empty_list(bot: TelegramBot, telegram: Telegram) -> None:
    bot.updates(allowed_updates=["callback_query"])
    say(telegram, bot, "a")
    assert bot.updates() == []
    bot.updates(allowed_updates=[])
    say(telegram, bot, "b")
    assert kinds(bot.updates()) == ["message"]


def test_a_group_that_moves_says_where(bot: TelegramBot, telegram: Telegram) -> None:
    group = telegram.chat("group", bots=[bot.username])
    moved = telegram.order("/migrate", chat=group)
    assert bot.updates()[-1]["message"]["migrate_to_chat_id"] == moved["new"]


class Poll(threading.Thread):
    """A long poll in the background."""

    def __init__(self, bot: TelegramBot, seconds: int) -> None:
        super().__init__()
        self._url, self._body = f"{bot.url}/getUpdates", {"timeout": seconds}
        self.answer: requests.Response | None = None

    def run(self) -> None:
        self.answer = requests.post(self._url, json=self._body, timeout=60)

    def result(self) -> requests.Response:
        self.join(60)
        assert self.answer is not None
        return self.answer


@pytest.fixture
def long_poll(bot: TelegramBot) -> Callable[[int], Poll]:
    def start(seconds: int) -> Poll:
        poll = Poll(bot, seconds)
        poll.start()
        # It has to be waiting before the test goes on.
        time.sleep(0.15)
        return poll

    return start


def test_a_long_poll_ends_with_the_first_update(
    bot: TelegramBot, telegram: Telegram, long_poll: Callable[[int], Poll]
) -> None:
    started = time.monotonic()
    poll = long_poll(30)
    say(telegram, bot, "now")
    assert poll.result().json()["result"][0]["message"]["text"] == "now"
    assert time.monotonic() - started < 25


def test_a_long_poll_ends_empty_when_its_time_is_up(sandbox: Sandbox, long_poll: Callable[[int], Poll]) -> None:
    poll = long_poll(30)
    # On a busy machine it may come only after the first of these.
    wait_for(lambda: sandbox.advance(31) or not poll.is_alive(), every_s=0.2)
    assert poll.result().json() == {"ok": True, "result": []}


def test_others_are_served_while_a_poll_waits(
    bot: TelegramBot, channel: int, telegram: Telegram, long_poll: Callable[[int], Poll]
) -> None:
    bot.updates(offset=2**31)
    poll = long_poll(30)
    started = time.monotonic()
    bot.send(channel, "Hello")
    assert time.monotonic() - started < 20
    say(telegram, bot, "end")
    poll.result()


def test_a_second_poller_ends_the_first(bot: TelegramBot, telegram: Telegram, long_poll: Callable[[int], Poll]) -> None:
    older = long_poll(30)
    newer = long_poll(30)
    answer = older.result()
    assert answer.status_code == 409
    assert answer.json()["description"] == (
        "Conflict: terminated by other getUpdates request; make sure that only one bot instance is running"
    )
    say(telegram, bot, "for the newer")
    assert len(newer.result().json()["result"]) == 1


def test_a_poll_in_waiting_is_one_row_of_the_ledger(
    sandbox: Sandbox, bot: TelegramBot, telegram: Telegram, long_poll: Callable[[int], Poll]
) -> None:
    poll = long_poll(30)
    say(telegram, bot, "now")
    poll.result()
    assert [entry["path"] for entry in sandbox.ledger(account=bot.username)] == [f"/bot{bot.id}/getUpdates"]


def test_a_webhook_that_is_set_ends_polling(bot: TelegramBot, hook: Hook, long_poll: Callable[[int], Poll]) -> None:
    poll = long_poll(30)
    bot.do("setWebhook", url=hook.url)
    expected = (
        "Conflict: can't use getUpdates method while webhook is active; use deleteWebhook to delete the webhook first"
    )
    assert poll.result().json()["description"] == expected
    assert bot.error("getUpdates") == (409, expected)
    bot.do("deleteWebhook")
    assert bot.updates() == []


# Webhooks


def arrived(hook: Hook, count: int) -> list[tuple[dict[str, Any], str | None]]:
    wait_for(lambda: len(hook.got) >= count)
    return hook.got


@pytest.fixture
def failing_hook() -> Iterator[Hook]:
    opened = Hook(500, 404)
    yield opened
    opened.close()


def test_a_webhook_is_sent_every_update_with_its_secret(bot: TelegramBot, telegram: Telegram, hook: Hook) -> None:
    say(telegram, bot, "before")
    bot.do("setWebhook", url=hook.url, secret_token="s3cret-Token_1")
    say(telegram, bot, "after")
    got = arrived(hook, 2)
    assert [update["message"]["text"] for update, _ in got] == ["before", "after"]
    assert {secret for _, secret in got} == {"s3cret-Token_1"}


def test_a_webhook_without_a_secret_is_sent_none(bot: TelegramBot, telegram: Telegram, hook: Hook) -> None:
    bot.do("setWebhook", url=hook.url)
    say(telegram, bot, "x")
    assert arrived(hook, 1)[0][1] is None


def test_pending_updates_can_be_dropped(bot: TelegramBot, telegram: Telegram, hook: Hook) -> None:
    say(telegram, bot, "before")
    bot.do("setWebhook", url=hook.url, drop_pending_updates=True)
    say(telegram, bot, "after")
    assert [update["message"]["text"] for update, _ in arrived(hook, 1)] == ["after"]


def test_an_update_is_sent_again_until_it_is_taken(
    sandbox: Sandbox, bot: TelegramBot, telegram: Telegram, failing_hook: Hook
) -> None:
    bot.do("setWebhook", url=failing_hook.url)
    say(telegram, bot, "x")
    arrived(failing_hook, 1)
    wait_for_error(bot, "Wrong response from the webhook: 500 Internal Server Error")
    assert bot.do("getWebhookInfo")["pending_update_count"] == 1
    sandbox.advance(2)
    arrived(failing_hook, 2)
    wait_for_error(bot, "Wrong response from the webhook: 404 Not Found")
    sandbox.advance(3)
    got = arrived(failing_hook, 3)
    assert len({update["update_id"] for update, _ in got}) == 1
    assert len(got) == 3


def wait_for_error(bot: TelegramBot, words: str) -> None:
    wait_for(lambda: bot.do("getWebhookInfo").get("last_error_message") == words)


def test_a_webhook_that_nobody_serves_is_reported(bot: TelegramBot, telegram: Telegram, hook: Hook) -> None:
    bot.do("setWebhook", url="http://127.0.0.1:9/nobody")
    say(telegram, bot, "x")
    wait_for_error(bot, "Connection refused")


def test_a_webhook_is_described(bot: TelegramBot) -> None:
    assert bot.do("getWebhookInfo") == {"url": "", "has_custom_certificate": False, "pending_update_count": 0}
    bot.do("setWebhook", url="https://example.com/hook", max_connections=5, allowed_updates=["message", "nonsense"])
    assert bot.do("getWebhookInfo") == {
        "url": "https://example.com/hook",
        "has_custom_certificate": False,
        "pending_update_count": 0,
        "max_connections": 5,
        "allowed_updates": ["message"],
    }


def test_setting_and_deleting_say_what_they_did(bot: TelegramBot) -> None:
    answers = [bot.call("setWebhook", url="https://example.com/hook"), *(bot.call("deleteWebhook") for _ in range(2))]
    assert [answer.json()["description"] for answer in answers] == [
        "Webhook was set",
        "Webhook was deleted",
        "Webhook is already deleted",
    ]


@pytest.mark.parametrize(
    "url", ["https://example.com/hook", "https://example.com:8443/", "http://127.0.0.1:8000/", "http://localhost:9/x"]
)
def test_a_webhook_is_https_or_on_this_machine(bot: TelegramBot, url: str) -> None:
    assert bot.do("setWebhook", url=url) is True


@pytest.mark.parametrize(
    ("order", "words"),
    [
        ({"url": "http://example.com/"}, "bad webhook: An HTTPS URL must be provided for webhook"),
        ({"url": "nonsense"}, "bad webhook: An HTTPS URL must be provided for webhook"),
        ({"url": "https:///x"}, "bad webhook: URL host is empty"),
        (
            {"url": "https://example.com:8000/"},
            "bad webhook: Webhook can be set up only on ports 80, 88, 443 or 8443",
        ),
        ({"url": "https://example.com:x/"}, "bad webhook: Wrong port number specified in the URL"),
        ({"url": "https://e.com/", "secret_token": "not ok"}, "secret token contains unallowed characters"),
        ({"url": "https://e.com/", "secret_token": "x" * 257}, "secret token is too long"),
        ({"url": "https://e.com/", "allowed_updates": {}}, "can't parse allowed_updates JSON object"),
    ],
)
def test_a_webhook_keeps_the_rules(bot: TelegramBot, order: Any, words: str) -> None:
    assert bot.bad("setWebhook", **order) == words
    assert bot.do("getWebhookInfo")["url"] == ""
