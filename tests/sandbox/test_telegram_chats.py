"""Tokens, chats, members, invite links and topics."""

from typing import Any

import pytest
import requests

from tests.sandbox.cast import Sandbox
from tests.sandbox.telegram_cast import DANA, Telegram, TelegramBot


@pytest.mark.parametrize(
    ("token", "status", "words"),
    [
        ("100000:wrong-token", 401, "Unauthorized"),
        ("1:x", 401, "Unauthorized"),
        ("nonsense", 404, "Not Found"),
        ("abc:def", 404, "Not Found"),
        ("1:", 404, "Not Found"),
    ],
)
def test_a_token_has_a_form_and_a_bot(sandbox: Sandbox, token: str, status: int, words: str) -> None:
    answer = requests.post(f"{sandbox.url}/tg/bot{token}/getMe", timeout=30)
    assert answer.status_code == status
    assert answer.json() == {"ok": False, "error_code": status, "description": words}


@pytest.mark.parametrize("method", ["getNothing", "", "sendMessage/x"])
def test_an_unknown_method_is_not_found(bot: TelegramBot, method: str) -> None:
    assert bot.error(method) == (404, "Not Found")


def test_a_method_has_no_other_verb(bot: TelegramBot) -> None:
    assert requests.put(f"{bot.url}/getMe", timeout=30).json()["error_code"] == 404


@pytest.mark.parametrize("body", ["{", "[1]", "5"])
def test_a_broken_body_is_refused_in_telegrams_form(bot: TelegramBot, body: str) -> None:
    headers = {"content-type": "application/json"}
    answer = requests.post(f"{bot.url}/getMe", data=body, headers=headers, timeout=30)
    assert (answer.status_code, answer.json()["ok"]) == (400, False)


def test_a_bot_knows_itself(telegram: Telegram) -> None:
    assert telegram.demo_bot().do("getMe") == {
        "id": 100_000,
        "is_bot": True,
        "first_name": "Demo Rostrum Bot",
        "username": "demo_rostrum_bot",
        "can_join_groups": True,
        "can_read_all_group_messages": False,
        "supports_inline_queries": False,
    }


def test_a_chat_is_described(bot: TelegramBot, channel: int) -> None:
    found = bot.do("getChat", chat_id="@NEWS")
    assert (found["id"], found["title"], found["active_usernames"]) == (channel, "News", ["news"])
    assert found["invite_link"].startswith("http")


def test_a_group_shows_what_members_may_do(bot: TelegramBot, telegram: Telegram) -> None:
    chat = telegram.chat("supergroup", bots=[bot.username])
    assert bot.do("getChat", chat_id=chat)["permissions"]["can_send_messages"] is True


def test_the_primary_link_is_for_those_who_may_invite(bot: TelegramBot, telegram: Telegram) -> None:
    chat = telegram.chat("supergroup", bots={bot.username: "member"})
    assert "invite_link" not in bot.do("getChat", chat_id=chat)


def test_a_public_chat_is_seen_from_outside_and_a_private_one_is_not(bot: TelegramBot, telegram: Telegram) -> None:
    public, private = telegram.chat(username="open_news"), telegram.chat()
    assert bot.do("getChat", chat_id=public)["title"] == "News"
    assert bot.bad("getChat", chat_id=private) == "chat not found"


def test_a_user_is_a_chat_once_they_have_written(bot: TelegramBot, telegram: Telegram) -> None:
    assert bot.bad("getChat", chat_id=DANA) == "chat not found"
    telegram.order("/write", **{"from": DANA, "bot": bot.username, "text": "/start"})
    assert bot.do("getChat", chat_id=DANA)["first_name"] == "Dana Demo"


def test_members_are_counted_with_the_nameless_ones(bot: TelegramBot, telegram: Telegram) -> None:
    chat = telegram.chat(audience=500, members={"dana_demo": "creator"}, bots=[bot.username])
    assert bot.do("getChatMemberCount", chat_id=chat) == 502
    telegram.order("/members", chat=chat, user=DANA, status="left")
    assert bot.do("getChatMemberCount", chat_id=chat) == 501


def test_administrators_are_listed_without_other_bots(bot: TelegramBot, telegram: Telegram) -> None:
    telegram.bot("other_bot")
    chat = telegram.chat(members={"dana_demo": "creator"}, bots=[bot.username, "other_bot"])
    found = bot.do("getChatAdministrators", chat_id=chat)
    assert [(one["user"]["username"], one["status"]) for one in found] == [
        ("dana_demo", "creator"),
        ("press_bot", "administrator"),
    ]
    assert len(bot.do("getChatAdministrators", chat_id=chat, return_bots=True)) == 3


@pytest.mark.parametrize("status", ["creator", "administrator", "member", "restricted", "left", "kicked"])
def test_a_member_has_a_status(bot: TelegramBot, telegram: Telegram, channel: int, status: str) -> None:
    telegram.order("/members", chat=channel, user=DANA, status=status)
    found = bot.do("getChatMember", chat_id=channel, user_id=DANA)
    assert (found["status"], found["user"]["id"]) == (status, DANA)


def test_a_bot_sees_its_own_rights(bot: TelegramBot, telegram: Telegram) -> None:
    chat = telegram.chat(bots={bot.username: {"status": "administrator", "rights": {"can_edit_messages": False}}})
    found = bot.do("getChatMember", chat_id=chat, user_id=bot.id)
    assert (found["can_post_messages"], found["can_edit_messages"], found["is_anonymous"]) == (True, False, False)


@pytest.mark.parametrize(("user", "words"), [("", "user not found"), ("77", "member not found")])
def test_a_member_has_to_exist(bot: TelegramBot, channel: int, user: str, words: str) -> None:
    assert bot.bad("getChatMember", chat_id=channel, user_id=user) == words


def test_a_reader_of_a_channel_sees_no_list(bot: TelegramBot, telegram: Telegram) -> None:
    chat = telegram.chat(bots={bot.username: "member"})
    assert bot.bad("getChatAdministrators", chat_id=chat) == "member list is inaccessible"
    assert bot.bad("getChatMember", chat_id=chat, user_id=DANA) == "member list is inaccessible"


def test_a_private_chat_has_no_administrators(bot: TelegramBot, dana: int) -> None:
    refusal = bot.bad("getChatAdministrators", chat_id=dana)
    assert refusal == "there are no administrators in the private chat"
    assert bot.do("getChatMemberCount", chat_id=dana) == 2


# Invite links


def test_a_link_has_a_name_and_lets_people_in(
    bot: TelegramBot, telegram: Telegram, channel: int, sandbox: Sandbox
) -> None:
    made = bot.do("createChatInviteLink", chat_id=channel, name="utm-spring", member_limit=1)
    assert made["creator"]["id"] == bot.id
    assert (made["name"], made["member_limit"], made["is_primary"]) == ("utm-spring", 1, False)
    assert made["invite_link"].startswith(f"{sandbox.url}/tg/web/+")
    assert telegram.order("/join", user=DANA, link=made["invite_link"])["chat"] == channel
    assert bot.do("getChatMember", chat_id=channel, user_id=DANA)["status"] == "member"


def test_a_full_expired_or_revoked_link_lets_nobody_in(
    bot: TelegramBot, telegram: Telegram, channel: int, sandbox: Sandbox
) -> None:
    now = int(bot.send(channel, "x")["date"])
    full = bot.do("createChatInviteLink", chat_id=channel, member_limit=1)["invite_link"]
    short = bot.do("createChatInviteLink", chat_id=channel, expire_date=now + 60)["invite_link"]
    revoked = bot.do("createChatInviteLink", chat_id=channel)["invite_link"]
    assert bot.do("revokeChatInviteLink", chat_id=channel, invite_link=revoked)["is_revoked"] is True
    telegram.user("first")
    telegram.order("/join", user="first", link=full)
    sandbox.advance(61)
    for link in (full, short, revoked, "nonsense"):
        assert telegram.refusal("/join", user=DANA, link=link) == "this invite link has expired"


def test_a_link_is_changed_until_it_is_revoked(bot: TelegramBot, channel: int) -> None:
    link = bot.do("createChatInviteLink", chat_id=channel, name="old")["invite_link"]
    call = {"chat_id": channel, "invite_link": link}
    assert bot.do("editChatInviteLink", name="new", creates_join_request=True, **call)["name"] == "new"
    bot.do("revokeChatInviteLink", **call)
    assert bot.bad("editChatInviteLink", name="x", **call) == "INVITE_HASH_EXPIRED"
    assert bot.bad("revokeChatInviteLink", **call) == "INVITE_HASH_EXPIRED"


def test_links_of_other_bots_and_chats_are_left_alone(bot: TelegramBot, telegram: Telegram, channel: int) -> None:
    other = telegram.bot("other_bot")
    telegram.order("/members", chat=channel, user="other_bot", status="administrator")
    link = other.do("createChatInviteLink", chat_id=channel)["invite_link"]
    assert bot.bad("editChatInviteLink", chat_id=channel, invite_link=link) == "INVITE_HASH_EXPIRED"


@pytest.mark.parametrize(
    ("order", "words"),
    [
        ({"name": "x" * 33}, "invite link name is too long"),
        ({"member_limit": 100_000}, "USAGE_LIMIT_INVALID"),
        ({"member_limit": -1}, "USAGE_LIMIT_INVALID"),
        ({"expire_date": 5}, "EXPIRE_DATE_INVALID"),
        (
            {"member_limit": 5, "creates_join_request": True},
            "member limit can't be specified for links requiring administrator approval",
        ),
    ],
)
def test_a_link_keeps_the_limits(bot: TelegramBot, channel: int, order: Any, words: str) -> None:
    assert bot.bad("createChatInviteLink", chat_id=channel, **order) == words


def test_inviting_needs_its_right(bot: TelegramBot, telegram: Telegram, dana: int) -> None:
    chat = telegram.chat(bots={bot.username: {"status": "administrator", "rights": {"can_invite_users": False}}})
    refusal = bot.bad("createChatInviteLink", chat_id=chat)
    assert refusal == "not enough rights to manage chat invite link"
    assert bot.bad("createChatInviteLink", chat_id=dana) == "chat is not a group or a channel"


# Topics


@pytest.fixture
def forum(bot: TelegramBot, telegram: Telegram) -> int:
    return telegram.chat("forum", bots=[bot.username], members=["dana_demo"])


def test_a_topic_is_opened_and_written_to(bot: TelegramBot, forum: int) -> None:
    topic = bot.do("createForumTopic", chat_id=forum, name="Launch", icon_color=16766590)
    assert topic == {"message_thread_id": 1, "name": "Launch", "icon_color": 16766590}
    sent = bot.send(forum, "Hello", message_thread_id=topic["message_thread_id"])
    assert (sent["message_thread_id"], sent["is_topic_message"], sent["chat"]["is_forum"]) == (1, True, True)


@pytest.mark.parametrize("kind", ["forum", "channel"])
def test_a_topic_has_to_exist(bot: TelegramBot, telegram: Telegram, kind: str) -> None:
    chat = telegram.chat(kind, bots=[bot.username])
    refusal = bot.bad("sendMessage", chat_id=chat, text="x", message_thread_id=99)
    assert refusal == "message thread not found"


def test_a_closed_topic_takes_messages_only_from_its_keepers(bot: TelegramBot, telegram: Telegram, forum: int) -> None:
    thread = bot.do("createForumTopic", chat_id=forum, name="Launch")["message_thread_id"]
    assert bot.do("closeForumTopic", chat_id=forum, message_thread_id=thread) is True
    assert bot.bad("closeForumTopic", chat_id=forum, message_thread_id=thread) == "TOPIC_NOT_MODIFIED"
    assert bot.send(forum, "x", message_thread_id=thread)["message_thread_id"] == thread
    telegram.order("/members", chat=forum, user=bot.username, status="member")
    assert bot.bad("sendMessage", chat_id=forum, text="x", message_thread_id=thread) == "TOPIC_CLOSED"


def test_a_topic_is_renamed(bot: TelegramBot, telegram: Telegram, sandbox: Sandbox, forum: int) -> None:
    thread = bot.do("createForumTopic", chat_id=forum, name="Launch")["message_thread_id"]
    call = {"chat_id": forum, "message_thread_id": thread}
    assert bot.do("editForumTopic", name="Landing", **call) is True
    assert bot.bad("editForumTopic", name="Landing", **call) == "TOPIC_NOT_MODIFIED"
    shown = next(one for one in sandbox.get("/telegram/chats")["chats"] if one["id"] == forum)
    assert shown["topics"] == [{"id": thread, "name": "Landing", "closed": False}]


@pytest.mark.parametrize("method", ["editForumTopic", "closeForumTopic"])
def test_a_topic_that_is_not_there_is_not_changed(bot: TelegramBot, forum: int, method: str) -> None:
    assert bot.bad(method, chat_id=forum, message_thread_id=9, name="x") == "message thread not found"


@pytest.mark.parametrize(
    ("order", "words"),
    [
        ({"name": ""}, "TOPIC_TITLE_EMPTY"),
        ({"name": "x" * 129}, "TOPIC_TITLE_TOO_LONG"),
        ({"name": "x", "icon_color": 5}, "invalid icon color specified"),
    ],
)
def test_a_topic_keeps_the_limits(bot: TelegramBot, forum: int, order: Any, words: str) -> None:
    assert bot.bad("createForumTopic", chat_id=forum, **order) == words


def test_topics_are_for_forums_and_their_keepers(bot: TelegramBot, telegram: Telegram, channel: int) -> None:
    assert bot.bad("createForumTopic", chat_id=channel, name="x") == "the chat is not a forum"
    forum = telegram.chat("forum", bots={bot.username: "member"})
    assert bot.bad("createForumTopic", chat_id=forum, name="x") == "not enough rights to create a topic"
