"""Each fault in Telegram's form: what the caller sees, what the ledger says, what exists afterwards. And the pace."""

from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import pytest
import requests

from sandbox import faults
from tests.sandbox.cast import Sandbox
from tests.sandbox.telegram_cast import Telegram, TelegramBot, picture

SEND = "POST /bot{token}/sendMessage"


@dataclass(frozen=True)
class Trouble:
    kind: str
    # The status the caller sees, or the error of the client library.
    seen: int | type[Exception]
    outcome: str
    sent: int
    params: dict[str, Any]


def trouble(kind: str, seen: Any, outcome: str, *, sent: int = 0, **params: Any) -> Any:
    return pytest.param(Trouble(kind, seen, outcome, sent, params), id=kind)


TROUBLES = [
    trouble("status", 502, "502", status=502),
    trouble("accept_then_hang", requests.Timeout, "hang", sent=1, seconds=9),
    trouble("accept_then_drop", requests.ConnectionError, "drop", sent=1),
    trouble("drop_before_accept", requests.ConnectionError, "drop"),
    trouble("slow_headers", 200, "200", sent=1, seconds=0.05),
    trouble("slow_body", 200, "200", sent=1, seconds=0.05),
    trouble("html_5xx", 502, "502", status=502),
    trouble("json_list_error", 400, "400"),
    trouble("retry_after", 429, "429", seconds=3),
    trouble("token_expired", 401, "401"),
    trouble("flood", 429, "429", seconds=3),
    trouble("migrate_to_chat_id", 400, "400", chat_id=-100123),
    trouble("bot_kicked", 403, "403"),
    trouble("not_admin", 400, "400"),
    trouble("late_accept", requests.ConnectionError, "drop", seconds=500),
]
ELSEWHERE = {"updates_repeated", "webhook_redelivery"}


def act(bot: TelegramBot, chat: int) -> int | type[Exception]:
    try:
        return bot.call("sendMessage", chat_id=chat, text="Hello", wait=0.5).status_code
    except requests.Timeout:
        return requests.Timeout
    except requests.ConnectionError:
        return requests.ConnectionError


def test_every_kind_of_fault_is_tried_here() -> None:
    assert {param.values[0].kind for param in TROUBLES} == set(faults.kinds_of("telegram")) - ELSEWHERE


@pytest.mark.parametrize("case", TROUBLES)
def test_the_caller_sees_the_fault_and_the_ledger_the_truth(
    sandbox: Sandbox, telegram: Telegram, bot: TelegramBot, channel: int, case: Trouble
) -> None:
    sandbox.fault(case.kind, platform="telegram", route=SEND, **case.params)
    assert act(bot, channel) == case.seen
    [entry] = sandbox.ledger(account=bot.username)
    assert (entry["outcome"], entry["fault"], entry["platform"]) == (case.outcome, case.kind, "telegram")
    assert entry["effect"] == (["message"] * case.sent or [None])[0]
    assert telegram.texts(chat=channel) == ["Hello"] * case.sent


@pytest.mark.parametrize("case", TROUBLES)
def test_a_fault_strikes_once_and_leaves_other_methods_alone(
    sandbox: Sandbox, bot: TelegramBot, channel: int, case: Trouble
) -> None:
    sandbox.fault(case.kind, platform="telegram", route=SEND, **case.params)
    assert bot.do("getMe")["id"] == bot.id
    act(bot, channel)
    assert bot.call("sendMessage", chat_id=channel, text="Again").status_code == 200


@pytest.mark.parametrize(
    ("kind", "params", "body"),
    [
        ("status", {"status": 502}, {"ok": False, "error_code": 502, "description": "Bad Gateway"}),
        ("status", {"status": 400, "body": {"x": 1}}, {"x": 1}),
        (
            "flood",
            {"seconds": 17},
            {
                "ok": False,
                "error_code": 429,
                "description": "Too Many Requests: retry after 17",
                "parameters": {"retry_after": 17},
            },
        ),
        (
            "retry_after",
            {},
            {
                "ok": False,
                "error_code": 429,
                "description": "Too Many Requests: retry after 7",
                "parameters": {"retry_after": 7},
            },
        ),
        (
            "migrate_to_chat_id",
            {"chat_id": -1005},
            {
                "ok": False,
                "error_code": 400,
                "description": "Bad Request: group chat was upgraded to a supergroup chat",
                "parameters": {"migrate_to_chat_id": -1005},
            },
        ),
        (
            "bot_kicked",
            {},
            {"ok": False, "error_code": 403, "description": "Forbidden: bot was kicked from the channel chat"},
        ),
        (
            "not_admin",
            {},
            {
                "ok": False,
                "error_code": 400,
                "description": "Bad Request: need administrator rights in the channel chat",
            },
        ),
        ("token_expired", {}, {"ok": False, "error_code": 401, "description": "Unauthorized"}),
        ("json_list_error", {}, [{"message": "Bad Request", "code": 0}]),
    ],
)
def test_a_fault_speaks_as_telegram_does(
    sandbox: Sandbox, bot: TelegramBot, channel: int, kind: str, params: dict[str, Any], body: Any
) -> None:
    sandbox.fault(kind, platform="telegram", **params)
    assert bot.call("sendMessage", chat_id=channel, text="x").json() == body


@pytest.mark.parametrize("kind", ["late_accept", "flood", "migrate_to_chat_id", "bot_kicked", "not_admin"])
def test_a_fault_of_sending_waits_for_any_message(sandbox: Sandbox, bot: TelegramBot, channel: int, kind: str) -> None:
    sandbox.fault(kind, platform="telegram")
    assert bot.do("getMe")
    assert len(sandbox.get("/faults")["queue"]) == 1
    with suppress(requests.ConnectionError):
        bot.call("sendPhoto", chat_id=channel, files={"photo": ("p.jpg", picture())})
    assert sandbox.ledger(effect="message") == []
    assert sandbox.get("/faults")["queue"] == []


@pytest.mark.parametrize("kind", ["duplicate", "read_lag", "usage_cap"])
def test_faults_of_other_platforms_are_unknown(sandbox: Sandbox, kind: str) -> None:
    order = {"kind": kind, "platform": "telegram"}
    answer = requests.post(f"{sandbox.url}/_sandbox/faults", json=order, timeout=30)
    assert answer.status_code == 400
    assert answer.json()["error"].startswith(f"no fault {kind}; there are ['accept_then_drop'")


def test_telegrams_own_faults_are_unknown_to_x(sandbox: Sandbox) -> None:
    answer = requests.post(f"{sandbox.url}/_sandbox/faults", json={"kind": "flood"}, timeout=30)
    assert answer.status_code == 400


def test_a_route_of_a_fault_has_to_exist(sandbox: Sandbox) -> None:
    order = {"kind": "status", "platform": "telegram", "route": "POST /sendMessage"}
    answer = requests.post(f"{sandbox.url}/_sandbox/faults", json=order, timeout=30)
    assert answer.json()["error"].startswith("no route POST /sendMessage")


def test_a_fault_waits_for_its_bot(sandbox: Sandbox, telegram: Telegram, bot: TelegramBot, channel: int) -> None:
    sandbox.fault("flood", platform="telegram", account="OTHER_BOT")
    assert bot.send(channel, "x")


def test_random_faults_repeat_by_their_seed(sandbox: Sandbox, bot: TelegramBot) -> None:
    def draw() -> list[int]:
        sandbox.post("/faults", platform="telegram", seed=4, probabilities={"html_5xx": 0.5})
        seen = [bot.call("getMe").status_code for _ in range(12)]
        requests.delete(f"{sandbox.url}/_sandbox/faults", timeout=30)
        return seen

    first = draw()
    assert first == draw()
    assert set(first) == {200, 503}


def test_a_late_message_arrives_when_it_is_due(
    sandbox: Sandbox, telegram: Telegram, bot: TelegramBot, channel: int
) -> None:
    sandbox.fault("late_accept", platform="telegram", seconds=60)
    assert act(bot, channel) is requests.ConnectionError
    sandbox.advance(59)
    assert telegram.texts(chat=channel) == []
    sandbox.advance(2)
    assert telegram.texts(chat=channel) == ["Hello"]
    last = sandbox.ledger(effect="message")[-1]
    assert (last["outcome"], last["fault"], last["effect_id"]) == ("late", "late_accept", f"{channel}:1")


def test_a_late_album_arrives_whole(sandbox: Sandbox, telegram: Telegram, bot: TelegramBot, channel: int) -> None:
    sandbox.fault("late_accept", platform="telegram", seconds=60)
    media = [{"type": "photo", "media": "attach://one", "caption": f"No. {number}"} for number in range(3)]
    with pytest.raises(requests.ConnectionError):
        bot.album(channel, media, one=picture())
    sandbox.advance(61)
    assert telegram.texts(chat=channel) == ["No. 0", "No. 1", "No. 2"]
    assert sandbox.ledger(effect="message")[-1]["effect_id"] == f"{channel}:1,2,3"


def test_what_is_refused_does_not_arrive_late(
    sandbox: Sandbox, telegram: Telegram, bot: TelegramBot, channel: int
) -> None:
    sandbox.fault("late_accept", platform="telegram", seconds=60)
    with pytest.raises(requests.ConnectionError):
        bot.call("sendMessage", chat_id=channel, text="<b>", parse_mode="HTML")
    sandbox.advance(61)
    assert telegram.texts(chat=channel) == []


def test_confirmed_updates_can_come_again(sandbox: Sandbox, telegram: Telegram, bot: TelegramBot, dana: int) -> None:
    for text in ("a", "b", "c"):
        telegram.order("/write", **{"from": dana, "bot": bot.username, "text": text})
    last = bot.updates()[-1]["update_id"]
    sandbox.fault("updates_repeated", platform="telegram", n=2)
    again = bot.updates(offset=last + 1)
    assert [update["message"]["text"] for update in again] == ["b", "c"]
    assert bot.updates() == []


def test_a_webhook_can_be_told_twice(
    sandbox: Sandbox, telegram: Telegram, bot: TelegramBot, dana: int, hook: Any
) -> None:
    sandbox.fault("webhook_redelivery", platform="telegram", n=3)
    bot.do("setWebhook", url=hook.url)
    telegram.order("/write", **{"from": dana, "bot": bot.username, "text": "a"})
    telegram.order("/write", **{"from": dana, "bot": bot.username, "text": "b"})
    while len(hook.got) < 4:
        sandbox.get("/health")
    assert [update["message"]["text"] for update, _ in hook.got] == ["a", "a", "a", "b"]


# The pace


def burst(bot: TelegramBot, chat: int, count: int) -> list[int]:
    return [bot.call("sendMessage", chat_id=chat, text=str(number)).status_code for number in range(count)]


def test_a_chat_takes_a_burst_of_three_and_then_one_a_second(sandbox: Sandbox, bot: TelegramBot, channel: int) -> None:
    assert burst(bot, channel, 4) == [200, 200, 200, 429]
    body = bot.call("sendMessage", chat_id=channel, text="x").json()
    assert (body["parameters"], body["description"]) == ({"retry_after": 1}, "Too Many Requests: retry after 1")
    sandbox.advance(1)
    assert burst(bot, channel, 2) == [200, 429]


def test_a_refused_message_uses_nothing_up(sandbox: Sandbox, bot: TelegramBot, channel: int) -> None:
    for _ in range(9):
        bot.bad("sendMessage", chat_id=channel, text="<b>", parse_mode="HTML")
    assert burst(bot, channel, 3) == [200, 200, 200]


def test_a_bot_sends_thirty_a_second_over_all_chats(telegram: Telegram, bot: TelegramBot) -> None:
    chats = [telegram.chat(bots=[bot.username]) for _ in range(11)]
    session = requests.Session()
    codes = [
        session.post(f"{bot.url}/sendMessage", json={"chat_id": chat, "text": "x"}, timeout=30).status_code
        for chat in chats * 3
    ]
    # What drips back while the burst runs lets a few more pass on a slow machine.
    assert codes[:30] == [200] * 30


def test_a_group_takes_twenty_a_minute(sandbox: Sandbox, telegram: Telegram, bot: TelegramBot) -> None:
    group = telegram.chat("supergroup", bots=[bot.username])
    codes = []
    for _ in range(34):
        codes += burst(bot, group, 1)
        sandbox.advance(1)
    # While they are sent one by one, a third of them drips back.
    assert 20 <= codes.index(429) <= 32
    sandbox.advance(60)
    assert burst(bot, group, 3) == [200, 200, 200]


def test_items_of_an_album_count_each(sandbox: Sandbox, bot: TelegramBot, channel: int) -> None:
    media = [{"type": "photo", "media": "attach://one"}] * 10
    assert bot.album(channel, media, one=picture()).status_code == 200
    body = bot.call("sendMessage", chat_id=channel, text="x").json()
    assert body["parameters"]["retry_after"] in (7, 8)
    sandbox.advance(8)
    assert bot.send(channel, "x")


def test_bots_do_not_share_their_pace(telegram: Telegram, bot: TelegramBot, channel: int) -> None:
    other = telegram.bot("other_bot")
    telegram.order("/members", chat=channel, user="other_bot", status="administrator")
    burst(bot, channel, 4)
    assert other.send(channel, "x")
