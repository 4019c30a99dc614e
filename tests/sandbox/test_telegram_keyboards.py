"""Buttons under messages, and what happens when one is pressed."""

from typing import Any

import pytest

from tests.sandbox.cast import Sandbox
from tests.sandbox.telegram_cast import DANA, Telegram, TelegramBot

YES = {"text": "Yes", "callback_data": "yes"}


def keyboard(*buttons: Any) -> dict[str, Any]:
    return {"inline_keyboard": [list(buttons)]}


def test_a_keyboard_comes_back_with_full_addresses(bot: TelegramBot, channel: int) -> None:
    sent = bot.send(channel, "x", reply_markup=keyboard({"text": "Go", "url": "https://example.com"}, YES))
    assert sent["reply_markup"] == keyboard({"text": "Go", "url": "https://example.com/"}, YES)


@pytest.mark.parametrize("data", ["x", "x" * 64, "é" * 32])
def test_data_of_a_button_has_up_to_64_bytes(bot: TelegramBot, channel: int, data: str) -> None:
    sent = bot.send(channel, "x", reply_markup=keyboard({"text": "b", "callback_data": data}))
    assert sent["reply_markup"]["inline_keyboard"][0][0]["callback_data"] == data


@pytest.mark.parametrize(
    ("button", "words"),
    [
        ({"text": "b", "callback_data": "x" * 65}, "BUTTON_DATA_INVALID"),
        ({"text": "b", "callback_data": "é" * 33}, "BUTTON_DATA_INVALID"),
        (
            {"text": "b", "callback_data": ""},
            "can't parse inline keyboard button: Text buttons are unallowed in the inline keyboard",
        ),
        ({"text": "b"}, "can't parse inline keyboard button: Text buttons are unallowed in the inline keyboard"),
        ({"callback_data": "x"}, "can't parse inline keyboard button: Can't find field \"text\""),
        (
            {"text": 5, "callback_data": "x"},
            'can\'t parse inline keyboard button: Field "text" must be of type String',
        ),
        (
            {"text": "b", "callback_data": 5},
            'can\'t parse inline keyboard button: Field "callback_data" must be of type String',
        ),
        ({"text": " ", "callback_data": "x"}, "BUTTON_TEXT_INVALID"),
        ({"text": "b", "callback_data": "x", "url": "https://e.com"}, "BUTTON_TYPE_INVALID"),
        ({"text": "b", "pay": True}, "BUTTON_TYPE_INVALID"),
        ({"text": "b", "url": "not-a-url"}, "inline keyboard button URL 'not-a-url' is invalid: Wrong HTTP URL"),
        (
            {"text": "b", "url": "ftp://example.com"},
            "inline keyboard button URL 'ftp://example.com' is invalid: Unsupported URL protocol",
        ),
        (
            {"text": "b", "web_app": {"url": "http://example.com"}},
            "inline keyboard button Web App URL 'http://example.com' is invalid: Only HTTPS links are allowed",
        ),
        ("b", "can't parse inline keyboard button: InlineKeyboardButton must be an Object"),
    ],
)
def test_a_button_does_exactly_one_thing(bot: TelegramBot, channel: int, button: Any, words: str) -> None:
    assert bot.bad("sendMessage", chat_id=channel, text="x", reply_markup=keyboard(button)) == words


@pytest.mark.parametrize(
    ("markup", "words"),
    [
        ({"inline_keyboard": "bad"}, 'field "inline_keyboard" must be of type Array'),
        ({"inline_keyboard": [5]}, 'field "inline_keyboard" must be an Array of Arrays'),
        ({"keyboard": "bad"}, 'field "keyboard" must be of type Array'),
        ({"keyboard": [[{"text": "A"}]], "selective": "yes"}, 'field "selective" must be of type Boolean'),
        ({"remove_keyboard": "yes"}, 'field "remove_keyboard" must be of type Boolean'),
        ({"force_reply": "yes"}, 'field "force_reply" must be of type Boolean'),
        ({"nonsense": True}, "object expected as reply markup"),
        ([1], "object expected as reply markup"),
        ({"inline_keyboard": [[YES] * 101]}, "REPLY_MARKUP_TOO_LONG"),
    ],
)
def test_markup_has_types(bot: TelegramBot, channel: int, markup: Any, words: str) -> None:
    assert bot.bad("sendMessage", chat_id=channel, text="x", reply_markup=markup) == words


@pytest.mark.parametrize(
    "markup", [{"keyboard": [[{"text": "A"}]]}, {"remove_keyboard": True}, {"force_reply": True}, {}]
)
def test_other_markup_is_taken_and_not_shown(bot: TelegramBot, dana: int, markup: Any) -> None:
    assert "reply_markup" not in bot.send(dana, "x", reply_markup=markup)


@pytest.fixture
def question(bot: TelegramBot, channel: int) -> int:
    return int(bot.send(channel, "Shall we?", reply_markup=keyboard(YES))["message_id"])


def test_a_press_is_an_update(bot: TelegramBot, telegram: Telegram, channel: int, question: int) -> None:
    pressed = telegram.order("/press", **{"from": DANA, "chat": channel, "message_id": question, "data": "yes"})
    query = bot.updates()[-1]["callback_query"]
    assert (query["id"], query["data"], query["from"]["id"]) == (pressed["id"], "yes", DANA)
    assert query["message"]["message_id"] == question
    assert query["chat_instance"]


def test_an_answer_is_shown_to_the_one_who_pressed(
    bot: TelegramBot, telegram: Telegram, sandbox: Sandbox, channel: int, question: int
) -> None:
    pressed = telegram.order("/press", **{"from": DANA, "chat": channel, "message_id": question, "data": "yes"})
    [before] = sandbox.get("/telegram/presses")["presses"]
    assert before["is_answered"] is False
    assert bot.do("answerCallbackQuery", callback_query_id=pressed["id"], text="Thanks!", show_alert=True) is True
    [after] = sandbox.get("/telegram/presses")["presses"]
    assert (after["is_answered"], after["answer"], after["is_alert"]) == (True, "Thanks!", True)


TOO_OLD = "query is too old and response timeout expired or query ID is invalid"


def test_a_press_is_answered_once_and_soon(
    bot: TelegramBot, telegram: Telegram, sandbox: Sandbox, channel: int, question: int
) -> None:
    order = {"from": DANA, "chat": channel, "message_id": question, "data": "yes"}
    first, second = (telegram.order("/press", **order)["id"] for _ in range(2))
    bot.do("answerCallbackQuery", callback_query_id=first)
    assert bot.bad("answerCallbackQuery", callback_query_id=first) == TOO_OLD
    sandbox.advance(16 * 60)
    assert bot.bad("answerCallbackQuery", callback_query_id=second) == TOO_OLD
    assert bot.bad("answerCallbackQuery", callback_query_id="5") == TOO_OLD


def test_only_the_bot_that_sent_the_button_answers(
    bot: TelegramBot, telegram: Telegram, channel: int, question: int
) -> None:
    pressed = telegram.order("/press", **{"from": DANA, "chat": channel, "message_id": question, "data": "yes"})
    other = telegram.bot("other_bot")
    assert other.bad("answerCallbackQuery", callback_query_id=pressed["id"]) == TOO_OLD


def test_an_answer_has_up_to_200_characters(bot: TelegramBot, telegram: Telegram, channel: int, question: int) -> None:
    pressed = telegram.order("/press", **{"from": DANA, "chat": channel, "message_id": question, "data": "yes"})
    refusal = bot.bad("answerCallbackQuery", callback_query_id=pressed["id"], text="x" * 201)
    assert refusal == "MESSAGE_TOO_LONG"


@pytest.mark.parametrize("change", [{"data": "no"}, {"message_id": 99}])
def test_only_buttons_that_are_there_are_pressed(
    telegram: Telegram, channel: int, question: int, change: dict[str, Any]
) -> None:
    order = {"from": DANA, "chat": channel, "message_id": question, "data": "yes", **change}
    assert telegram.refusal("/press", **order).startswith(("message", "no message"))
