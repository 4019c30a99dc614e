"""Changing, deleting and pinning."""

from typing import Any

import pytest

from tests.sandbox.cast import Sandbox
from tests.sandbox.telegram_cast import DANA, Telegram, TelegramBot

NOT_MODIFIED = (
    "message is not modified: specified new message content and reply markup are exactly the same as a current "
    "content and reply markup of the message"
)
KEYS = {"inline_keyboard": [[{"text": "Yes", "callback_data": "yes"}]]}


@pytest.fixture
def post(bot: TelegramBot, channel: int) -> dict[str, Any]:
    """What names a channel post in a call."""
    return {"chat_id": channel, "message_id": bot.send(channel, "First", reply_markup=KEYS)["message_id"]}


def test_a_text_is_changed_and_the_old_one_kept(bot: TelegramBot, telegram: Telegram, post: dict[str, Any]) -> None:
    edited = bot.do("editMessageText", text="<b>Second</b>", parse_mode="HTML", **post)
    assert (edited["text"], edited["message_id"]) == ("Second", post["message_id"])
    assert edited["edit_date"] >= edited["date"]
    [kept] = telegram.messages(chat=post["chat_id"])
    assert [was["text"] for was in kept["edits"]] == ["First"]


def test_an_edit_without_a_keyboard_takes_it_away(bot: TelegramBot, post: dict[str, Any]) -> None:
    assert "reply_markup" not in bot.do("editMessageText", text="Second", **post)


def test_an_edit_that_changes_nothing_is_refused(bot: TelegramBot, post: dict[str, Any]) -> None:
    assert bot.bad("editMessageText", text="First", reply_markup=KEYS, **post) == NOT_MODIFIED
    assert bot.bad("editMessageReplyMarkup", reply_markup=KEYS, **post) == NOT_MODIFIED


@pytest.mark.parametrize("change", [{"parse_mode": "HTML", "text": "<i>First</i>"}, {"text": "First"}])
def test_new_entities_or_a_new_keyboard_are_a_change(
    bot: TelegramBot, post: dict[str, Any], change: dict[str, Any]
) -> None:
    assert bot.do("editMessageText", **post, **change)["text"] == "First"


def test_a_keyboard_is_changed_alone(bot: TelegramBot, post: dict[str, Any]) -> None:
    edited = bot.do("editMessageReplyMarkup", **post)
    assert edited["text"] == "First"
    assert "reply_markup" not in edited


def test_a_caption_is_changed(bot: TelegramBot, channel: int) -> None:
    sent = bot.photo(channel, caption="First")
    call = {"chat_id": channel, "message_id": sent["message_id"]}
    assert bot.do("editMessageCaption", caption="Second", show_caption_above_media=True, **call)["caption"] == "Second"
    assert "caption" not in bot.do("editMessageCaption", **call)


def test_a_text_is_no_caption_and_a_caption_no_text(bot: TelegramBot, channel: int, post: dict[str, Any]) -> None:
    photo = bot.photo(channel)["message_id"]
    refusal = bot.bad("editMessageText", chat_id=channel, message_id=photo, text="x")
    assert refusal == "there is no text in the message to edit"
    assert bot.bad("editMessageCaption", caption="x", **post) == "there is no caption in the message to edit"


@pytest.mark.parametrize("method", ["editMessageText", "editMessageCaption", "editMessageReplyMarkup"])
def test_what_is_not_there_is_not_edited(bot: TelegramBot, channel: int, method: str) -> None:
    refusal = bot.bad(method, chat_id=channel, message_id=77, text="x", caption="x")
    assert refusal == "message to edit not found"


def test_a_message_is_named(bot: TelegramBot, channel: int) -> None:
    refusal = bot.bad("editMessageText", chat_id=channel, text="x")
    assert refusal == "message identifier is not specified"
    assert bot.bad("editMessageText", inline_message_id="5", text="x") == "MESSAGE_ID_INVALID"


def test_a_deleted_message_is_gone_for_everything(bot: TelegramBot, telegram: Telegram, post: dict[str, Any]) -> None:
    assert bot.do("deleteMessage", **post) is True
    assert bot.bad("deleteMessage", **post) == "message to delete not found"
    assert bot.bad("editMessageText", text="x", **post) == "message to edit not found"
    assert bot.bad("pinChatMessage", **post) == "message to pin not found"
    assert telegram.messages(chat=post["chat_id"])[0]["deleted"] is True


def test_the_number_of_a_deleted_message_is_not_given_again(bot: TelegramBot, post: dict[str, Any]) -> None:
    bot.do("deleteMessage", **post)
    assert bot.send(post["chat_id"], "Next")["message_id"] == post["message_id"] + 1


def test_words_of_others_are_not_edited(bot: TelegramBot, telegram: Telegram) -> None:
    group = telegram.chat("supergroup", members=["dana_demo"], bots={bot.username: "member"})
    said = telegram.order("/write", **{"from": DANA, "chat": group, "text": "Mine"})["message_id"]
    call = {"chat_id": group, "message_id": said}
    assert bot.bad("editMessageText", text="x", **call) == "message can't be edited"
    assert bot.bad("deleteMessage", **call) == "message can't be deleted"
    telegram.order("/members", chat=group, user=bot.username, status="administrator")
    assert bot.bad("editMessageText", text="x", **call) == "message can't be edited"
    assert bot.do("deleteMessage", **call) is True


@pytest.mark.parametrize(
    ("rights", "words"),
    [({"can_edit_messages": False}, "message can't be edited"), ({}, None)],
)
def test_posts_of_other_administrators_need_the_right(
    bot: TelegramBot, telegram: Telegram, rights: dict[str, bool], words: str | None
) -> None:
    other = telegram.bot("other_bot")
    membership = {"status": "administrator", "rights": rights}
    chat = telegram.chat(bots={"other_bot": "administrator", bot.username: membership})
    message = other.send(chat, "Theirs")["message_id"]
    body = bot.call("editMessageText", chat_id=chat, message_id=message, text="Ours").json()
    assert body.get("description") == (words and f"Bad Request: {words}")


def test_an_own_post_is_deleted_without_the_right_to_delete(bot: TelegramBot, telegram: Telegram) -> None:
    membership = {"status": "administrator", "rights": {"can_delete_messages": False}}
    chat = telegram.chat(bots={bot.username: membership})
    message = bot.send(chat, "Mine")["message_id"]
    assert bot.do("deleteMessage", chat_id=chat, message_id=message) is True


def test_a_private_message_is_deleted_within_two_days(bot: TelegramBot, sandbox: Sandbox, dana: int) -> None:
    old, new = (bot.send(dana, text)["message_id"] for text in ("old", "new"))
    assert bot.do("deleteMessage", chat_id=dana, message_id=new) is True
    sandbox.advance(48 * 3600 + 1)
    assert bot.bad("deleteMessage", chat_id=dana, message_id=old) == "message can't be deleted"


def test_an_old_channel_post_is_still_deleted(bot: TelegramBot, sandbox: Sandbox, post: dict[str, Any]) -> None:
    sandbox.advance(90 * 86400)
    assert bot.do("deleteMessage", **post) is True


def test_several_are_deleted_and_the_missing_passed_over(
    bot: TelegramBot, telegram: Telegram, sandbox: Sandbox, channel: int
) -> None:
    ids = [bot.send(channel, text)["message_id"] for text in ("a", "b", "c")]
    assert bot.do("deleteMessages", chat_id=channel, message_ids=[ids[0], ids[2], 99]) is True
    assert [message["deleted"] for message in telegram.messages(chat=channel)] == [True, False, True]
    assert sandbox.ledger(effect="delete")[0]["effect_id"] == f"{channel}:1,3"


@pytest.mark.parametrize(
    ("ids", "words"),
    [
        ([], "message identifiers are not specified"),
        (list(range(101)), "too many message identifiers specified"),
        (["1"], "can't parse message identifiers JSON object"),
        ([10**30], "can't parse message identifiers JSON object"),
        ("", "can't parse message identifiers JSON object"),
    ],
)
def test_up_to_a_hundred_are_deleted_at_once(bot: TelegramBot, channel: int, ids: Any, words: str) -> None:
    assert bot.bad("deleteMessages", chat_id=channel, message_ids=ids) == words


def test_a_pinned_message_is_shown_by_the_chat(bot: TelegramBot, channel: int, post: dict[str, Any]) -> None:
    second = bot.send(channel, "Second")["message_id"]
    bot.do("pinChatMessage", **post)
    bot.do("pinChatMessage", chat_id=channel, message_id=second, disable_notification=True)
    assert bot.do("getChat", chat_id=channel)["pinned_message"]["text"] == "Second"
    bot.do("unpinChatMessage", chat_id=channel)
    assert bot.do("getChat", chat_id=channel)["pinned_message"]["text"] == "First"
    bot.do("unpinChatMessage", **post)
    assert "pinned_message" not in bot.do("getChat", chat_id=channel)
    assert bot.bad("unpinChatMessage", chat_id=channel) == "message to unpin not found"


@pytest.mark.parametrize(("kind", "right"), [("channel", "can_edit_messages"), ("supergroup", "can_pin_messages")])
def test_pinning_needs_its_right(bot: TelegramBot, telegram: Telegram, kind: str, right: str) -> None:
    chat = telegram.chat(kind, bots={bot.username: {"status": "administrator", "rights": {right: False}}})
    message = bot.send(chat, "x")["message_id"]
    refusal = bot.bad("pinChatMessage", chat_id=chat, message_id=message)
    assert refusal == "not enough rights to manage pinned messages in the chat"


def test_every_change_is_in_the_ledger(bot: TelegramBot, sandbox: Sandbox, post: dict[str, Any]) -> None:
    bot.do("editMessageText", text="Second", **post)
    bot.do("pinChatMessage", **post)
    bot.do("unpinChatMessage", **post)
    bot.do("deleteMessage", **post)
    effects = [(entry["effect"], entry["effect_id"]) for entry in sandbox.ledger(account=bot.username)]
    name = f"{post['chat_id']}:{post['message_id']}"
    assert effects == [(kind, name) for kind in ("message", "edit", "pin", "unpin", "delete")]
