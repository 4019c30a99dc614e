"""Many at once, and requests that nobody should send."""

import json
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
import requests
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sandbox.telegram import METHODS
from sandbox.testing import start_sandbox
from tests.sandbox.cast import Sandbox
from tests.sandbox.telegram_cast import DANA, Telegram, TelegramBot, picture


def test_messages_sent_at_once_are_numbered_without_gap_or_double(
    telegram: Telegram, bot: TelegramBot, dana: int
) -> None:
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda n: bot.call("sendMessage", chat_id=dana, text=str(n)), range(16)))
    sent = [answer.json()["result"] for answer in answers if answer.status_code == 200]
    assert len(sent) >= 3
    assert sorted(message["message_id"] for message in sent) == list(range(2, len(sent) + 2))
    assert sorted(telegram.texts(bot=bot.username)[1:]) == sorted(message["text"] for message in sent)


def test_every_message_has_its_row_of_the_ledger(
    sandbox: Sandbox, telegram: Telegram, bot: TelegramBot, channel: int
) -> None:
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda n: bot.call("sendMessage", chat_id=channel, text=str(n)), range(12)))
    effects = [entry["effect_id"] for entry in sandbox.ledger(effect="message")]
    assert sorted(effects) == sorted(f"{channel}:{one['message_id']}" for one in telegram.messages(chat=channel))


def test_only_one_of_many_pollers_stays(bot: TelegramBot, telegram: Telegram) -> None:
    def poll() -> int:
        return requests.post(f"{bot.url}/getUpdates", json={"timeout": 20}, timeout=30).status_code

    with ThreadPoolExecutor(4) as pool:
        running = [pool.submit(poll) for _ in range(4)]
        while sum(one.done() for one in running) < 3:
            threading.Event().wait(0.02)
        telegram.order("/write", **{"from": DANA, "bot": bot.username, "text": "x"})
        codes = sorted(one.result() for one in running)
    assert codes == [200, 409, 409, 409]


NAMES = [
    "text",
    "caption",
    "parse_mode",
    "entities",
    "caption_entities",
    "reply_markup",
    "reply_parameters",
    "link_preview_options",
    "media",
    "photo",
    "message_id",
    "message_ids",
    "message_thread_id",
    "name",
    "member_limit",
    "expire_date",
    "user_id",
    "offset",
    "limit",
    "allowed_updates",
    "url",
    "secret_token",
    "callback_query_id",
    "file_id",
    "invite_link",
    "action",
    "width",
    "icon_color",
]
NONSENSE = [
    "null",
    "[]",
    "{}",
    "[[[]]]",
    '{"inline_keyboard": [[[]]]}',
    '[{"type": "bold"}]',
    "-5",
    "9" * 40,
    "\x00",
    "\ud83d",
]


@pytest.mark.parametrize("value", NONSENSE, ids=range(len(NONSENSE)))
def test_nonsense_in_every_parameter_is_refused_and_breaks_nothing(bot: TelegramBot, channel: int, value: str) -> None:
    body = json.dumps({"chat_id": channel, **dict.fromkeys(NAMES, value)})
    session = requests.Session()
    for method in METHODS:
        answer = session.post(f"{bot.url}/{method}", data=body, headers=JSON, timeout=30)
        assert answer.status_code in (200, 400, 404, 409), method
        assert answer.json()["ok"] is (answer.status_code == 200)


def test_half_a_character_in_a_caption_is_refused_in_words(bot: TelegramBot, channel: int) -> None:
    photo = bot.photo(channel)["photo"][-1]["file_id"]
    body = json.dumps({"chat_id": channel, "photo": photo, "caption": "\ud83d"})
    answer = requests.post(f"{bot.url}/sendPhoto", data=body, headers=JSON, timeout=30)
    assert answer.json()["description"] == "Bad Request: strings must be encoded in UTF-8"


JSON = {"content-type": "application/json"}
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**70), 2**70) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["type", "offset", "url"]), inner),
    max_leaves=6,
)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    values=st.dictionaries(
        st.sampled_from(["text", "entities", "reply_markup", "reply_parameters", "link_preview_options", "chat_id"]),
        VALUES,
    )
)
def test_any_json_is_answered_in_telegrams_form(bot: TelegramBot, values: dict[str, Any]) -> None:
    body = json.dumps({"chat_id": DANA, "text": "x", **values})
    answer = requests.post(f"{bot.url}/sendMessage", data=body, headers=JSON, timeout=30)
    assert answer.status_code in (400, 403)
    assert answer.json()["error_code"] == answer.status_code


@pytest.mark.parametrize(
    "parameters",
    [
        {"text": "\ud83d"},
        {"text": "x", "reply_markup": {"inline_keyboard": [[{"text": "\ud83d", "callback_data": "x"}]]}},
        {"text": "x", "reply_markup": '{"inline_keyboard": [[{"text": "x", "callback_data": "\\ud83d"}]]}'},
        {"text": "x", "entities": [{"type": "pre", "offset": 0, "length": 1, "language": "\ud83d"}]},
    ],
)
def test_half_a_character_is_refused_in_words(bot: TelegramBot, dana: int, parameters: dict[str, Any]) -> None:
    body = json.dumps({"chat_id": dana, **parameters})
    answer = requests.post(f"{bot.url}/sendMessage", data=body, headers=JSON, timeout=30)
    assert answer.json()["description"] == "Bad Request: strings must be encoded in UTF-8"


@pytest.mark.parametrize(
    "headers",
    [
        {"content-type": "multipart/form-data"},
        {"content-type": "multipart/form-data; boundary=x"},
        {"content-type": "application/json"},
        {"content-type": "text/plain"},
    ],
)
def test_a_body_of_rubbish_is_refused(bot: TelegramBot, headers: dict[str, str]) -> None:
    answer = requests.post(f"{bot.url}/sendMessage", data=b"--x\r\nrubbish\xff", headers=headers, timeout=30)
    assert (answer.status_code, answer.json()["ok"]) == (400, False)


def test_a_crash_loses_nothing_that_was_acknowledged(tmp_path: Path) -> None:
    url, process = start_sandbox(tmp_path)
    bot = Telegram(Sandbox(url, process)).demo_bot()
    media = [{"type": "photo", "media": "attach://one", "caption": f"No. {number}"} for number in range(3)]
    bot.album("@demo_channel", media, one=picture())
    process.kill()
    process.wait(10)
    url, process = start_sandbox(tmp_path)
    revived = Telegram(Sandbox(url, process))
    assert revived.texts(chat="demo_channel") == ["No. 0", "No. 1", "No. 2"]
    process.kill()
    process.wait(10)
