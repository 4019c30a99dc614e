"""The admin doors of Telegram: what tests use to set the scene."""

from typing import Any

import pytest
import requests

from tests.sandbox.cast import Sandbox
from tests.sandbox.telegram_cast import DANA, DEMO_TOKEN, Telegram, TelegramBot


def test_the_demo_is_there_from_the_start(telegram: Telegram, sandbox: Sandbox) -> None:
    [bot] = sandbox.get("/telegram/bots")["bots"]
    assert (bot["username"], bot["token"]) == ("demo_rostrum_bot", DEMO_TOKEN)
    assert sandbox.get("/telegram/users")["users"] == [{"id": DANA, "name": "Dana Demo", "username": "dana_demo"}]
    chats = sandbox.get("/telegram/chats")["chats"]
    assert {(chat["title"], chat["type"], chat["username"]) for chat in chats} == {
        ("Demo Channel", "channel", "demo_channel"),
        ("Demo Forum", "supergroup", None),
        ("Demo Group", "group", None),
    }
    assert [topic["name"] for chat in chats for topic in chat["topics"]] == ["Announcements"]
    assert telegram.demo_bot().updates() == []


def test_the_demo_bot_can_post(telegram: Telegram) -> None:
    assert telegram.demo_bot().send("@demo_channel", "Hello")["chat"]["title"] == "Demo Channel"


def test_a_reset_brings_the_demo_back(telegram: Telegram, sandbox: Sandbox) -> None:
    telegram.demo_bot().send("@demo_channel", "Hello")
    telegram.bot("another_bot")
    sandbox.post("/reset")
    assert len(sandbox.get("/telegram/bots")["bots"]) == 1
    assert telegram.texts() == []


def test_a_bot_and_its_channel_are_two_calls(telegram: Telegram) -> None:
    bot = telegram.bot("quick_bot")
    chat = telegram.chat("channel", username="quick", bots=["quick_bot"])
    assert bot.send("@quick", "Hello")["chat"]["id"] == chat


def test_a_token_is_chosen_or_made(telegram: Telegram) -> None:
    chosen = telegram.bot("one_bot", token="777:chosen")
    made = telegram.bot("two_bot", name="The second")
    assert (chosen.id, chosen.do("getMe")["id"]) == (777, 777)
    assert made.token.startswith(f"{made.id}:")
    assert made.do("getMe")["first_name"] == "The second"


@pytest.mark.parametrize(
    ("path", "order", "reason"),
    [
        ("/bots", {}, "a username has 3 to 32"),
        ("/bots", {"username": "helper"}, "the username of a bot ends in bot"),
        ("/bots", {"username": "demo_rostrum_bot"}, "the username demo_rostrum_bot is taken"),
        ("/bots", {"username": "x_bot", "token": "nonsense"}, "a token is <id>:<letters>"),
        ("/bots", {"username": "x_bot", "token": "100000:x"}, "a bot with the id of this token"),
        ("/users", {}, "name is required"),
        ("/users", {"username": "demo_channel"}, "the username demo_channel is taken"),
        ("/users", {"name": "X", "id": DANA}, "id is a positive number that nobody has"),
        ("/users", {"name": "X", "id": "5"}, "id is a positive number that nobody has"),
        ("/chats", {"type": "secret"}, "type is one of channel, group, supergroup, forum, private"),
        ("/chats", {"type": "private", "user": DANA}, "no user or bot None"),
        ("/chats", {"type": "private", "user": DANA, "bot": DANA}, "a private chat is between a user and a bot"),
        ("/chats", {"type": "group", "username": "ours"}, "a group has no username"),
        ("/chats", {"type": "channel", "audience": "many"}, "audience is a whole number"),
        ("/chats", {"type": "channel", "bots": ["nobody_bot"]}, "no user or bot nobody_bot"),
        ("/chats", {"type": "channel", "members": {"dana_demo": "king"}}, "status is one of"),
        ("/members", {"chat": "nowhere", "user": "dana_demo", "status": "member"}, "no chat nowhere"),
        ("/members", {"chat": "demo_channel", "user": [], "status": "member"}, "no user or bot []"),
        ("/members", {"chat": "demo_channel", "user": DANA, "status": "king"}, "status is one of"),
        ("/migrate", {"chat": "demo_channel"}, "only a group that has not moved"),
        ("/write", {"from": "nobody", "bot": "demo_rostrum_bot", "text": "x"}, "no user or bot nobody"),
        ("/write", {"from": DANA, "bot": "demo_rostrum_bot"}, "text is required"),
        ("/write", {"from": DANA, "bot": "demo_rostrum_bot", "text": " "}, "a message needs words"),
        ("/write", {"from": DANA, "bot": "demo_rostrum_bot", "text": "x", "reply_to": 9}, "no message 9"),
        ("/write", {"from": "demo_rostrum_bot", "chat": "nowhere", "text": "x"}, "no chat nowhere"),
        ("/press", {"from": DANA, "chat": "demo_channel", "message_id": "1", "data": "x"}, "message_id is a whole"),
        ("/press", {"from": DANA, "chat": "demo_channel", "message_id": 10**30, "data": "x"}, "message_id is a whole"),
        ("/join", {"user": DANA}, "this invite link has expired"),
        ("/block", {"user": DANA, "bot": "demo_rostrum_bot"}, "they have never talked"),
        ("/reactions", {"chat": "demo_channel", "message_id": 1, "reactions": {"x": 1}}, "no message 1"),
        ("/reactions", {"chat": "demo_channel", "message_id": 1, "reactions": ["x"]}, "reactions is an object"),
    ],
)
def test_an_order_that_makes_no_sense_is_refused_with_a_reason(
    telegram: Telegram, path: str, order: dict[str, Any], reason: str
) -> None:
    assert telegram.refusal(path, **order).startswith(reason)


def test_a_member_does_not_join_again(telegram: Telegram, bot: TelegramBot, channel: int) -> None:
    link = bot.do("createChatInviteLink", chat_id=channel)["invite_link"]
    telegram.order("/join", user=DANA, link=link)
    assert telegram.refusal("/join", user=DANA, link=link) == "already a member"


def test_a_group_moves_once_and_keeps_its_people(telegram: Telegram, sandbox: Sandbox, bot: TelegramBot) -> None:
    group = telegram.chat("group", members={"dana_demo": "creator"}, bots=[bot.username], audience=7)
    moved = telegram.order("/migrate", chat=group)
    assert moved["old"] == group
    chats = {chat["id"]: chat for chat in sandbox.get("/telegram/chats")["chats"]}
    assert chats[group]["migrated_to"] == moved["new"]
    assert chats[moved["new"]]["member_count"] == 9
    assert telegram.refusal("/migrate", chat=group).startswith("only a group")


def test_a_private_chat_is_opened_without_a_word(telegram: Telegram, bot: TelegramBot) -> None:
    assert telegram.chat("private", user="dana_demo", bot=bot.username) == DANA
    assert bot.send(DANA, "Hello")["message_id"] == 1
    assert bot.updates() == []


def test_messages_are_listed_with_what_the_api_hides(telegram: Telegram, bot: TelegramBot, channel: int) -> None:
    bot.send(channel, "<b>Hello</b>", parse_mode="HTML", disable_notification=True)
    [message] = telegram.messages(chat=channel)
    assert message["entities"] == [{"type": "bold", "offset": 0, "length": 5}]
    assert (message["silent"], message["deleted"], message["from"]) == (True, False, "press_bot")
    assert telegram.messages(chat="demo_channel") == []


def test_messages_of_one_bot_are_told_apart(telegram: Telegram, bot: TelegramBot, dana: int) -> None:
    bot.send(dana, "Hello")
    assert telegram.texts(bot=bot.username) == ["/start", "Hello"]
    assert telegram.texts(bot="demo_rostrum_bot") == []


def test_everything_survives_a_restart(own_sandbox: Sandbox, tmp_path: Any) -> None:
    bot = Telegram(own_sandbox).demo_bot()
    bot.send("@demo_channel", "Hello")
    bot.do("setWebhook", url="https://example.com/hook")
    own_sandbox.process.kill()
    own_sandbox.process.wait(10)
    from sandbox.testing import start_sandbox

    url, process = start_sandbox(tmp_path / "data")
    revived = Telegram(Sandbox(url, process))
    try:
        assert revived.texts(chat="demo_channel") == ["Hello"]
        assert revived.demo_bot().do("getWebhookInfo")["url"] == "https://example.com/hook"
        assert revived.demo_bot().send("@demo_channel", "Again")["message_id"] == 2
    finally:
        process.terminate()
        process.wait(10)


@pytest.mark.parametrize("path", ["/bots", "/chats", "/users", "/presses", "/messages"])
def test_lists_are_open(sandbox: Sandbox, path: str) -> None:
    assert requests.get(f"{sandbox.url}/_sandbox/telegram{path}", timeout=30).status_code == 200
