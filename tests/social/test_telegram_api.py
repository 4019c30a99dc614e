"""The other calls of the Bot API, against the sandbox."""

from datetime import timedelta

import pytest

from lib.clock import now
from social.networks.port import Entity, Failure, NetworkError
from social.networks.telegram import api


def failure_of(call, *args, **options) -> NetworkError:
    with pytest.raises(NetworkError) as caught:
        call(*args, **options)
    return caught.value


def test_a_token_tells_whose_it_is(cafe):
    bot = api.get_me(cafe.token)
    assert (bot.id, bot.username) == (int(cafe.token.partition(":")[0]), "cafe_bot")


@pytest.mark.parametrize("token", ["1:not-a-token-that-exists", "nonsense", ""])
def test_a_wrong_token_is_refused(cafe, token):
    assert failure_of(api.get_me, token).code == "bad_token"


def test_a_chat_is_found_by_its_name_and_by_its_id(cafe):
    by_name, by_id = api.get_chat(cafe.token, "@cafe"), api.get_chat(cafe.token, cafe.channel_id)
    assert by_name == by_id
    assert (by_id.kind, by_id.title, by_id.username, by_id.is_forum) == ("channel", "Cafe", "cafe", False)


def test_a_forum_is_known_as_one(cafe):
    assert api.get_chat(cafe.token, cafe.chat("forum")).is_forum is True


def test_a_chat_that_is_not_there_is_told(cafe):
    error = failure_of(api.get_chat, cafe.token, "@nobody_here")
    assert (error.failure, error.code) == (Failure.REJECTED, "chat_not_found")


def test_a_member_is_spelled_as_telegram_does(cafe):
    member = api.get_chat_member(cafe.token, cafe.channel_id, int(cafe.token.partition(":")[0]))
    assert (member["status"], member["can_post_messages"]) == ("administrator", True)


def test_members_are_counted(cafe):
    assert api.get_chat_member_count(cafe.token, cafe.channel_id) == 1


# --- updates -------------------------------------------------------------------------------------------------


def test_updates_are_read_once_confirmed(cafe):
    cafe.person()
    updates = api.get_updates(cafe.token, offset=0)
    assert updates[-1]["message"]["text"] == "/start"
    assert api.get_updates(cafe.token, offset=updates[-1]["update_id"] + 1) == []


def test_only_the_asked_number_of_updates_comes(cafe):
    cafe.person()
    assert len(api.get_updates(cafe.token, offset=0, limit=1)) == 1


def test_updates_that_are_no_list_are_not_read(cafe):
    cafe.fault("status", "getUpdates", status=200, body={"ok": True, "result": {"a": 1}})
    assert failure_of(api.get_updates, cafe.token, offset=0).code == "unreadable_answer"


def test_a_webhook_stops_the_asking(cafe):
    api.set_webhook(cafe.token, url="https://example.org/hook", secret_token="s", allowed_updates=["message"])
    assert failure_of(api.get_updates, cafe.token, offset=0).code == "conflict"


def test_without_its_webhook_a_bot_is_asked_again(cafe):
    api.set_webhook(cafe.token, url="https://example.org/hook", secret_token="s")
    api.delete_webhook(cafe.token)
    assert isinstance(api.get_updates(cafe.token, offset=0), list)


# --- messages ------------------------------------------------------------------------------------------------


def test_a_text_with_buttons_is_sent(cafe):
    rows = [[{"text": "Approve", "callback_data": "approve:1"}]]
    message = api.send_text(cafe.token, cafe.channel_id, "Look", entities=[Entity("bold", 0, 4)], buttons=rows)
    (shown,) = cafe.messages()
    assert (message.id, message.chat_kind, shown["text"]) == (1, "channel", "Look")
    assert shown["keyboard"]["inline_keyboard"][0][0]["callback_data"] == "approve:1"
    assert shown["entities"][0]["type"] == "bold"


def test_buttons_are_taken_away(cafe):
    message = api.send_text(cafe.token, cafe.channel_id, "Look", buttons=[[{"text": "Go", "callback_data": "go"}]])
    api.edit_buttons(cafe.token, cafe.channel_id, message.id)
    assert cafe.messages()[0]["keyboard"] is None


def test_taking_buttons_away_twice_is_no_mistake(cafe):
    message = api.send_text(cafe.token, cafe.channel_id, "Look")
    assert api.edit_buttons(cafe.token, cafe.channel_id, message.id) is None


def test_a_text_is_replaced(cafe):
    message = api.send_text(cafe.token, cafe.channel_id, "Look")
    api.edit_text(cafe.token, cafe.channel_id, message.id, "Approved")
    assert cafe.messages()[0]["text"] == "Approved"


def test_a_pressed_button_is_answered(cafe):
    person = cafe.person()
    message = api.send_text(cafe.token, person, "Look", buttons=[[{"text": "Go", "callback_data": "go"}]])
    press = {"from": "dana", "bot": "cafe_bot", "message_id": message.id, "data": "go"}
    cafe.sandbox.post("/telegram/press", **press)
    query = api.get_updates(cafe.token, offset=0)[-1]["callback_query"]
    api.answer_callback(cafe.token, query["id"], "Done", is_alert=True)
    (pressed,) = cafe.sandbox.get("/telegram/presses")["presses"]
    assert "Done" in str(pressed)


def test_an_answer_without_a_message_leaves_open_what_was_sent(cafe):
    cafe.fault("status", "sendMessage", status=200, body={"ok": True, "result": {}})
    error = failure_of(api.send_text, cafe.token, cafe.channel_id, "Look")
    assert (error.failure, error.code) == (Failure.UNKNOWN, "no_id")


def test_more_messages_than_one_call_takes_are_deleted(cafe):
    message = api.send_text(cafe.token, cafe.channel_id, "Look")
    api.delete_messages(cafe.token, cafe.channel_id, [message.id, *range(1000, 1150)])
    calls = [entry for entry in cafe.sandbox.ledger() if entry["path"].endswith("/deleteMessages")]
    assert (len(calls), cafe.messages()) == (2, [])


# --- invite links and topics -----------------------------------------------------------------------------------


def test_an_invite_link_has_a_name_a_limit_and_an_end(cafe):
    ends = now() + timedelta(days=1)
    url = api.create_invite_link(cafe.token, cafe.channel_id, name="Autumn", member_limit=5, expires_at=ends)
    assert url.startswith("http")


def test_a_revoked_link_lets_nobody_in(cafe):
    cafe.person()
    url = api.create_invite_link(cafe.token, cafe.channel_id, name="Autumn")
    api.revoke_invite_link(cafe.token, cafe.channel_id, url)
    with pytest.raises(Exception, match="400"):
        cafe.sandbox.post("/telegram/join", user="dana", link=url)


def test_a_bot_without_the_right_makes_no_link(cafe):
    cafe.let_in(cafe.channel_id, "administrator", rights={"can_invite_users": False})
    assert failure_of(api.create_invite_link, cafe.token, cafe.channel_id).code == "not_admin"


def test_a_topic_is_made(cafe):
    forum = cafe.chat("forum")
    topic_id = api.create_topic(cafe.token, forum, "News")
    assert api.send_text(cafe.token, forum, "Hello", topic_id=topic_id).chat_kind == "supergroup"
    assert cafe.messages(forum)[0]["thread_id"] == topic_id


def test_a_chat_without_topics_says_so(cafe):
    assert failure_of(api.create_topic, cafe.token, cafe.chat("supergroup"), "News").code == "no_forum"
