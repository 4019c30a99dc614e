"""Every method about a chat, in every state in which the bot may not use it."""

from typing import Any

import pytest

from tests.sandbox.cast import Sandbox
from tests.sandbox.telegram_cast import DANA, Telegram, TelegramBot, picture

SENDING: dict[str, dict[str, Any]] = {
    "sendMessage": {"text": "x"},
    "sendPhoto": {"files": {"photo": ("p.jpg", picture())}},
    "sendDocument": {"files": {"document": ("a.txt", b"x")}},
    "sendMediaGroup": {
        "media": [{"type": "photo", "media": "attach://one"}] * 2,
        "files": {"one": ("one.jpg", picture())},
    },
    "sendChatAction": {"action": "typing"},
}
CHANGING: dict[str, dict[str, Any]] = {
    "editMessageText": {"message_id": 1, "text": "y"},
    "editMessageCaption": {"message_id": 1, "caption": "y"},
    "editMessageReplyMarkup": {"message_id": 1},
    "deleteMessage": {"message_id": 1},
    "deleteMessages": {"message_ids": [1]},
    "pinChatMessage": {"message_id": 1},
    "unpinChatMessage": {"message_id": 1},
}
MANAGING: dict[str, dict[str, Any]] = {
    "createChatInviteLink": {},
    "editChatInviteLink": {"invite_link": "x"},
    "revokeChatInviteLink": {"invite_link": "x"},
    "createForumTopic": {"name": "x"},
    "editForumTopic": {"message_thread_id": 1, "name": "x"},
    "closeForumTopic": {"message_thread_id": 1},
}
LOOKING: dict[str, dict[str, Any]] = {
    "getChat": {},
    "getChatMember": {"user_id": DANA},
    "getChatAdministrators": {},
    "getChatMemberCount": {},
}
EVERY = {**SENDING, **CHANGING, **MANAGING, **LOOKING}


@pytest.mark.parametrize("method", EVERY)
def test_a_bot_that_was_thrown_out_can_do_nothing(bot: TelegramBot, telegram: Telegram, method: str) -> None:
    chat = telegram.chat("supergroup", bots={bot.username: "kicked"})
    found = bot.error(method, chat_id=chat, **EVERY[method])
    assert found == (403, "Forbidden: bot was kicked from the supergroup chat")


@pytest.mark.parametrize("method", EVERY)
def test_a_bot_that_left_a_private_chat_can_do_nothing(bot: TelegramBot, telegram: Telegram, method: str) -> None:
    chat = telegram.chat("channel", bots={bot.username: "left"})
    found = bot.error(method, chat_id=chat, **EVERY[method])
    assert found == (403, "Forbidden: bot is not a member of the channel chat")


@pytest.mark.parametrize("method", EVERY)
def test_a_chat_that_nobody_told_of_is_not_there(bot: TelegramBot, telegram: Telegram, method: str) -> None:
    assert bot.bad(method, chat_id=telegram.chat(), **EVERY[method]) == "chat not found"


@pytest.mark.parametrize("method", EVERY)
def test_a_group_that_moved_says_so_to_every_method(bot: TelegramBot, telegram: Telegram, method: str) -> None:
    group = telegram.chat("group", bots=[bot.username])
    new = telegram.order("/migrate", chat=group)["new"]
    body = bot.call(method, chat_id=group, **EVERY[method]).json()
    assert body["parameters"] == {"migrate_to_chat_id": new}


@pytest.mark.parametrize("method", SENDING)
def test_a_reader_of_a_channel_does_not_send(bot: TelegramBot, telegram: Telegram, method: str) -> None:
    chat = telegram.chat(bots={bot.username: "member"})
    refusal = bot.bad(method, chat_id=chat, **SENDING[method])
    assert refusal == "need administrator rights in the channel chat"
    assert telegram.messages(chat=chat) == []


@pytest.mark.parametrize("method", ["sendMessage", "sendPhoto", "sendDocument", "sendMediaGroup"])
def test_every_way_of_sending_keeps_the_pace(bot: TelegramBot, channel: int, sandbox: Sandbox, method: str) -> None:
    codes = [bot.call(method, chat_id=channel, **SENDING[method]).status_code for _ in range(4)]
    assert codes[0] == 200
    assert codes[-1] == 429
    assert sandbox.ledger(account=bot.username)[-1]["effect"] is None


@pytest.mark.parametrize("method", MANAGING)
def test_a_plain_member_manages_nothing(bot: TelegramBot, telegram: Telegram, method: str) -> None:
    forum = telegram.chat("forum", bots={bot.username: "member"}, topics=["Launch"])
    assert bot.bad(method, chat_id=forum, **MANAGING[method]).startswith("not enough rights to ")


@pytest.mark.parametrize("method", ["pinChatMessage", "unpinChatMessage"])
def test_a_plain_member_pins_nothing(bot: TelegramBot, telegram: Telegram, method: str) -> None:
    group = telegram.chat("supergroup", bots={bot.username: "member"})
    bot.send(group, "x")
    assert bot.bad(method, chat_id=group, message_id=1) == "not enough rights to manage pinned messages in the chat"


@pytest.mark.parametrize("method", SENDING)
def test_a_user_who_blocked_the_bot_gets_nothing(bot: TelegramBot, telegram: Telegram, dana: int, method: str) -> None:
    telegram.order("/block", user=dana, bot=bot.username)
    found = bot.error(method, chat_id=dana, **SENDING[method])
    assert found == (403, "Forbidden: bot was blocked by the user")


@pytest.mark.parametrize("method", EVERY)
def test_a_chat_has_to_be_named(bot: TelegramBot, method: str) -> None:
    assert bot.bad(method, **EVERY[method]) == "chat_id is empty"


@pytest.mark.parametrize("method", EVERY)
def test_a_token_that_is_wrong_opens_nothing(sandbox: Sandbox, method: str) -> None:
    stranger = TelegramBot(sandbox, "5:wrong", 5, "nobody")
    assert stranger.error(method, chat_id="@demo_channel", **EVERY[method]) == (401, "Unauthorized")


@pytest.mark.parametrize("method", [*CHANGING, *MANAGING])
def test_what_is_refused_leaves_no_effect_in_the_ledger(
    bot: TelegramBot, telegram: Telegram, sandbox: Sandbox, method: str
) -> None:
    chat = telegram.chat("supergroup", bots={bot.username: "kicked"})
    bot.call(method, chat_id=chat, **EVERY[method])
    [entry] = sandbox.ledger(account=bot.username)
    assert (entry["outcome"], entry["effect"]) == ("403", None)


def test_a_story_from_the_link_to_the_numbers(telegram: Telegram, sandbox: Sandbox) -> None:
    bot = telegram.bot("story_bot")
    bot.updates(allowed_updates=["message", "my_chat_member", "chat_member", "message_reaction_count"])
    telegram.submit("start", bot=bot.id, payload="connect-1", **{"as": DANA})
    channel = telegram.chat(username="story", members={"dana_demo": "creator"}, audience=40)
    form = {"bot": bot.id, "chat": channel, "as": DANA, "right_post_messages": "1", "right_invite_users": "1"}
    telegram.submit("add", **form)
    post = bot.send("@story", "We are open: https://example.com")
    link = bot.do("createChatInviteLink", chat_id=channel, name="story-1")["invite_link"]
    telegram.user("erin")
    telegram.order("/join", user="erin", link=link)
    telegram.order("/reactions", chat=channel, message_id=post["message_id"], reactions={"👍": 4})
    kinds = [next(name for name in update if name != "update_id") for update in bot.updates()]
    assert kinds == ["message", "my_chat_member", "chat_member", "message_reaction_count"]
    assert bot.do("getChatMemberCount", chat_id=channel) == 43
    assert telegram.page(f"story/{post['message_id']}").status_code == 200
    assert [entry["effect"] for entry in sandbox.ledger() if entry["effect"]] == ["message", "invite"]
