"""sendMessage: what is accepted, what is refused, and in which words."""

from typing import Any

import pytest
import requests

from tests.sandbox.cast import Sandbox
from tests.sandbox.telegram_cast import DANA, Telegram, TelegramBot


def test_a_channel_post_is_sent_in_the_name_of_the_channel(bot: TelegramBot, channel: int) -> None:
    sent = bot.send("@news", "Hello")
    chat = {"id": channel, "type": "channel", "title": "News", "username": "news"}
    assert sent == {"message_id": 1, "date": sent["date"], "chat": chat, "sender_chat": chat, "text": "Hello"}


def test_a_private_message_is_sent_by_the_bot(bot: TelegramBot, dana: int) -> None:
    sent = bot.send(dana, "Hello")
    assert sent["from"]["username"] == "press_bot"
    assert sent["chat"] == {"id": DANA, "type": "private", "first_name": "Dana Demo", "username": "dana_demo"}


def test_messages_of_a_chat_are_numbered(bot: TelegramBot, channel: int) -> None:
    assert [bot.send(channel, text)["message_id"] for text in ("a", "b", "c")] == [1, 2, 3]


@pytest.mark.parametrize("form", ["query", "form", "json", "multipart"])
def test_parameters_come_in_four_forms(bot: TelegramBot, channel: int, telegram: Telegram, form: str) -> None:
    values = {"chat_id": str(channel), "text": "Grüße 🙂"}
    forms: dict[str, Any] = {
        "query": {"params": values},
        "form": {"data": values},
        "json": {"json": values},
        "multipart": {"files": {name: (None, value) for name, value in values.items()}},
    }
    answer = requests.post(f"{bot.url}/sendMessage", timeout=30, **forms[form])
    assert answer.json()["result"]["text"] == "Grüße 🙂"
    assert telegram.texts(chat=channel) == ["Grüße 🙂"]


def test_get_is_as_good_as_post(bot: TelegramBot, channel: int) -> None:
    answer = requests.get(f"{bot.url}/sendMessage", params={"chat_id": channel, "text": "Hello"}, timeout=30)
    assert answer.json()["result"]["text"] == "Hello"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "message text is empty"),
        ("   \n ", "text must be non-empty"),
        ("x" * 4097, "message is too long"),
        ("🙂" * 2049, "message is too long"),
    ],
)
def test_a_text_has_one_to_4096_units(
    bot: TelegramBot, channel: int, telegram: Telegram, text: str, words: str
) -> None:
    assert bot.bad("sendMessage", chat_id=channel, text=text) == words
    assert telegram.texts(chat=channel) == []


@pytest.mark.parametrize("text", ["x" * 4096, "🙂" * 2048, " " + "x" * 4096 + "\n", "x"])
def test_a_text_is_counted_in_utf16_after_trimming(bot: TelegramBot, channel: int, text: str) -> None:
    assert bot.send(channel, text)["text"] == text.strip()


def test_a_text_is_counted_after_its_markup_is_parsed(bot: TelegramBot, channel: int) -> None:
    text = "<b>" + "x" * 4096 + "</b>"
    assert len(bot.send(channel, text, parse_mode="HTML")["text"]) == 4096
    assert bot.bad("sendMessage", chat_id=channel, text=text) == "message is too long"


@pytest.mark.parametrize(
    ("chat", "words"),
    [
        ("", "chat_id is empty"),
        ("0", "chat not found"),
        ("-1", "chat not found"),
        ("@nobody_at_all", "chat not found"),
        ("not_a_chat", "chat not found"),
        ("9" * 40, "chat not found"),
        ("424242", "chat not found"),
    ],
)
def test_a_chat_has_to_exist(bot: TelegramBot, chat: str, words: str) -> None:
    assert bot.bad("sendMessage", chat_id=chat, text="Hello") == words


def test_a_chat_without_a_name_is_unknown_to_bots_that_were_never_in_it(bot: TelegramBot, telegram: Telegram) -> None:
    assert bot.bad("sendMessage", chat_id=telegram.chat(), text="Hello") == "chat not found"


@pytest.mark.parametrize(("kind", "name"), [("channel", "ours"), ("supergroup", "ours")])
def test_a_bot_outside_a_public_chat_is_told_so(bot: TelegramBot, telegram: Telegram, kind: str, name: str) -> None:
    telegram.chat(kind, username=name)
    expected = (403, f"Forbidden: bot is not a member of the {kind} chat")
    assert bot.error("sendMessage", chat_id=f"@{name}", text="Hello") == expected


@pytest.mark.parametrize("kind", ["channel", "group", "supergroup"])
def test_a_bot_that_was_thrown_out_is_told_so(bot: TelegramBot, telegram: Telegram, kind: str) -> None:
    chat = telegram.chat(kind, bots={bot.username: "kicked"})
    expected = (403, f"Forbidden: bot was kicked from the {kind} chat")
    assert bot.error("sendMessage", chat_id=chat, text="Hello") == expected


@pytest.mark.parametrize("membership", ["member", {"status": "administrator", "rights": {"can_post_messages": False}}])
def test_only_administrators_with_the_right_post_in_a_channel(
    bot: TelegramBot, telegram: Telegram, membership: Any
) -> None:
    chat = telegram.chat(bots={bot.username: membership})
    assert bot.bad("sendMessage", chat_id=chat, text="Hello") == "need administrator rights in the channel chat"


@pytest.mark.parametrize("kind", ["group", "supergroup"])
def test_a_plain_member_writes_in_groups(bot: TelegramBot, telegram: Telegram, kind: str) -> None:
    chat = telegram.chat(kind, bots={bot.username: "member"})
    assert bot.send(chat, "Hello")["from"]["id"] == bot.id


def test_a_restricted_bot_does_not_write(bot: TelegramBot, telegram: Telegram) -> None:
    chat = telegram.chat("supergroup", bots={bot.username: "restricted"})
    assert bot.bad("sendMessage", chat_id=chat, text="x") == "not enough rights to send text messages to the chat"


def test_a_user_who_never_started_the_bot_is_out_of_reach(bot: TelegramBot) -> None:
    expected = (403, "Forbidden: bot can't initiate conversation with a user")
    assert bot.error("sendMessage", chat_id=DANA, text="Hello") == expected


def test_a_user_who_blocked_the_bot_is_out_of_reach_until_they_unblock_it(
    bot: TelegramBot, telegram: Telegram, dana: int
) -> None:
    telegram.order("/block", user=dana, bot=bot.username)
    expected = (403, "Forbidden: bot was blocked by the user")
    assert bot.error("sendMessage", chat_id=dana, text="Hello") == expected
    telegram.order("/block", user=dana, bot=bot.username, blocked=False)
    assert bot.send(dana, "Hello")["text"] == "Hello"


def test_bots_do_not_write_to_bots(bot: TelegramBot, telegram: Telegram) -> None:
    other = telegram.bot("other_bot")
    expected = (403, "Forbidden: bot can't send messages to bots")
    assert bot.error("sendMessage", chat_id=other.id, text="Hello") == expected


def test_private_chats_of_two_bots_with_one_user_are_apart(bot: TelegramBot, telegram: Telegram, dana: int) -> None:
    other = telegram.bot("other_bot")
    telegram.order("/write", **{"from": dana, "bot": "other_bot", "text": "/start"})
    assert bot.send(dana, "Mine")["message_id"] == 2
    assert other.send(dana, "Theirs")["message_id"] == 2
    assert telegram.texts(chat=dana, bot="other_bot") == ["/start", "Theirs"]


def test_a_group_that_became_a_supergroup_names_its_new_id(bot: TelegramBot, telegram: Telegram) -> None:
    group = telegram.chat("group", bots=[bot.username])
    moved = telegram.order("/migrate", chat=group)
    assert bot.call("sendMessage", chat_id=group, text="Hello").json() == {
        "ok": False,
        "error_code": 400,
        "description": "Bad Request: group chat was upgraded to a supergroup chat",
        "parameters": {"migrate_to_chat_id": moved["new"]},
    }
    assert bot.send(moved["new"], "Hello")["chat"]["type"] == "supergroup"


def test_flags_are_given_back_where_telegram_does(bot: TelegramBot, channel: int, telegram: Telegram) -> None:
    sent = bot.send(channel, "Hello", protect_content=True, disable_notification=True)
    assert sent["has_protected_content"] is True
    assert "disable_notification" not in sent
    assert telegram.messages(chat=channel)[0]["silent"] is True


def test_link_preview_options_are_given_back(bot: TelegramBot, channel: int) -> None:
    options = {"is_disabled": True, "show_above_text": False, "url": "https://example.com/a"}
    sent = bot.send(channel, "See https://example.com", link_preview_options=options)
    assert sent["link_preview_options"] == {"is_disabled": True, "url": "https://example.com/a"}


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"is_disabled": "yes"}, 'field "is_disabled" must be of type Boolean'),
        ({"url": "not-a-url"}, "WEBPAGE_URL_INVALID"),
        ([1], "can't parse link preview options JSON object"),
    ],
)
def test_link_preview_options_have_types(bot: TelegramBot, channel: int, options: Any, words: str) -> None:
    assert bot.bad("sendMessage", chat_id=channel, text="x", link_preview_options=options) == words


def test_a_reply_shows_what_it_answers(bot: TelegramBot, channel: int) -> None:
    first = bot.send(channel, "First")["message_id"]
    sent = bot.send(channel, "Second", reply_parameters={"message_id": first})
    assert sent["reply_to_message"]["text"] == "First"


@pytest.mark.parametrize(
    ("reply", "words"),
    [
        ({"message_id": 99}, "message to be replied not found"),
        ({"quote": "x"}, 'can\'t find field "message_id"'),
        ({"message_id": "7"}, 'field "message_id" must be of type Integer'),
        ({"message_id": 10**30}, 'field "message_id" must be of type Integer'),
        ([], "can't parse reply parameters JSON object"),
    ],
)
def test_a_reply_needs_a_message(bot: TelegramBot, channel: int, reply: Any, words: str) -> None:
    assert bot.bad("sendMessage", chat_id=channel, text="x", reply_parameters=reply) == words


def test_a_reply_to_nothing_is_sent_plainly_when_that_is_allowed(bot: TelegramBot, channel: int) -> None:
    sent = bot.send(channel, "x", reply_parameters={"message_id": 99, "allow_sending_without_reply": True})
    assert "reply_to_message" not in sent


def test_a_reply_to_a_deleted_message_is_refused(bot: TelegramBot, channel: int) -> None:
    first = bot.send(channel, "First")["message_id"]
    bot.do("deleteMessage", chat_id=channel, message_id=first)
    refusal = bot.bad("sendMessage", chat_id=channel, text="x", reply_parameters={"message_id": first})
    assert refusal == "message to be replied not found"


@pytest.mark.parametrize(
    ("parameters", "words"),
    [
        ({"allow_paid_broadcast": True}, "FLOODSKIP_NOT_ALLOWED"),
        ({"message_effect_id": "5"}, "EFFECT_ID_INVALID"),
        ({"business_connection_id": "b"}, "business connection not found"),
        ({"reply_markup": "{"}, "can't parse reply keyboard markup JSON object"),
    ],
)
def test_what_a_plain_bot_may_not_is_refused(bot: TelegramBot, channel: int, parameters: Any, words: str) -> None:
    assert bot.bad("sendMessage", chat_id=channel, text="x", **parameters) == words


def test_the_ledger_has_the_effect_and_no_token(sandbox: Sandbox, bot: TelegramBot, channel: int) -> None:
    bot.send(channel, "Hello")
    [entry] = sandbox.ledger(effect="message")
    assert (entry["platform"], entry["account"], entry["effect_id"]) == ("telegram", "press_bot", f"{channel}:1")
    assert (entry["text"], entry["outcome"], entry["path"]) == ("Hello", "200", f"/bot{bot.id}/sendMessage")


@pytest.mark.parametrize("action", ["typing", "upload_photo"])
def test_a_chat_action_is_taken_notice_of(bot: TelegramBot, dana: int, action: str) -> None:
    assert bot.do("sendChatAction", chat_id=dana, action=action) is True


def test_an_unknown_chat_action_is_refused(bot: TelegramBot, dana: int) -> None:
    assert bot.bad("sendChatAction", chat_id=dana, action="dance") == "wrong parameter action in request"
