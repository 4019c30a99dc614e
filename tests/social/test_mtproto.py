"""Reading a chat through a person's session: Telethon's own objects and errors, no network."""

from contextlib import nullcontext
from datetime import timedelta

import pytest
from telethon import errors
from telethon.tl import types

from lib.clock import now
from social.networks.port import Failure, NetworkError
from social.networks.telegram import mtproto
from social.networks.telegram.client import TelegramClient
from social.networks.telegram.mtproto import Keys, SessionReader
from tests.social.mtproto_chats import (
    BOT_ID,
    CHANNEL_ID,
    FILE,
    GROUP_ID,
    PHOTO,
    START,
    Chats,
    channel,
    chat_id,
    client_for,
    message,
    new_session,
    topic,
)

CHAT = chat_id(CHANNEL_ID)


@pytest.fixture
def chats(monkeypatch, settings) -> Chats:
    settings.TELEGRAM_WEB_BASE_URL = "https://t.me"
    chats = Chats()
    monkeypatch.setattr(mtproto, "TelegramClient", client_for(chats))
    return chats


@pytest.fixture
def reader(chats) -> SessionReader:
    return SessionReader(Keys(1, "hash", new_session()), nullcontext)


def found(reader: SessionReader, *, since=START, **options):
    return reader.find_posts(CHAT, since, **options)


def failure_of(call, *args, **options) -> NetworkError:
    with pytest.raises(NetworkError) as caught:
        call(*args, **options)
    return caught.value


# --- posts ----------------------------------------------------------------------------------------------------


def test_messages_are_posts(chats, reader):
    chats.messages = [message(5, "Fresh coffee")]
    (post,) = found(reader)
    assert (post.remote_id, post.text, post.created_at) == ("5", "Fresh coffee", START + timedelta(minutes=5))
    assert (post.media_count, post.reply_to, post.url) == (0, None, "https://t.me/cafe/5")


def test_a_channel_without_a_name_has_addresses_too(chats, reader):
    chats.chats, chats.messages = [channel(username=None)], [message(5, "Hello")]
    assert found(reader)[0].url == f"https://t.me/c/{CHANNEL_ID}/5"


def test_what_came_before_is_left_out(chats, reader):
    chats.messages = [message(1, "Old"), message(9, "New")]
    assert [post.text for post in found(reader, since=START + timedelta(minutes=5))] == ["New"]


def test_a_message_of_that_very_moment_counts(chats, reader):
    chats.messages = [message(5, "Now")]
    assert len(found(reader, since=START + timedelta(minutes=5))) == 1


def test_long_chats_are_read_page_by_page(chats, reader):
    chats.messages = [message(number, f"Number {number}") for number in range(1, 251)]
    assert len(found(reader)) == 250


def test_a_chat_that_is_too_long_is_not_taken_for_all(chats, reader, monkeypatch):
    monkeypatch.setattr(mtproto, "MAX_MESSAGES", 10)
    chats.messages = [message(number, "Hello") for number in range(1, 12)]
    assert failure_of(found, reader).code == "chat_too_long"


def test_an_album_is_one_post(chats, reader):
    chats.messages = [
        message(5, grouped_id=1, media=PHOTO),
        message(6, "Caption", grouped_id=1, media=PHOTO),
        message(7, grouped_id=1, media=FILE),
        message(8, "Another", grouped_id=2, media=PHOTO),
    ]
    album, other = found(reader)
    assert (album.remote_id, album.text, album.media_count) == ("5", "Caption", 3)
    assert (other.remote_id, other.media_count) == ("8", 1)


def test_a_preview_of_a_link_is_no_media(chats, reader):
    page = types.MessageMediaWebPage(types.WebPageEmpty(1))
    chats.messages = [message(5, "https://example.org", media=page)]
    assert found(reader)[0].media_count == 0


def test_an_answer_names_what_it_answers(chats, reader):
    chats.messages = [message(6, "Two", reply_to=types.MessageReplyHeader(reply_to_msg_id=5))]
    assert found(reader)[0].reply_to == "5"


def test_only_the_topics_own_messages_count(chats, reader):
    chats.messages = [
        message(5, "General"),
        message(6, "News", reply_to=topic(3)),
        message(7, "Jobs", reply_to=topic(4)),
    ]
    assert [post.text for post in found(reader, topic_id=3)] == ["News"]
    assert [post.text for post in found(reader)] == ["General"]


def test_in_a_topic_only_a_real_answer_is_one(chats, reader):
    chats.messages = [message(6, "One", reply_to=topic(3)), message(7, "Two", reply_to=topic(3, answers=6))]
    assert [post.reply_to for post in found(reader, topic_id=3)] == [None, "6"]


def test_in_a_group_only_the_bots_messages_count(chats, reader):
    chats.messages = [
        message(5, "Hello", from_id=types.PeerUser(BOT_ID)),
        message(6, "Hello", from_id=types.PeerUser(BOT_ID + 1)),
    ]
    assert [post.remote_id for post in found(reader, sender_id=BOT_ID)] == ["5"]


def test_what_a_channel_says_has_no_sender(chats, reader):
    chats.messages = [message(5, "Hello")]
    assert len(found(reader, sender_id=BOT_ID)) == 1


@pytest.mark.parametrize(
    ("shown", "sent"),
    [
        ("Fresh coffee", "Fresh coffee"),
        ("Fresh  coffee\n", "Fresh coffee"),
        ("a b", "a\x07b"),
        ("ab", "a\u202eb"),
        ("Café", "Cafe\u0301"),
    ],
)
def test_a_post_says_what_was_sent(chats, reader, shown, sent):
    chats.messages = [message(5, shown)]
    assert found(reader)[0].says(sent)


def test_a_post_does_not_say_something_else(chats, reader):
    chats.messages = [message(5, "Fresh coffee")]
    assert not found(reader)[0].says("Fresh tea")


# --- views ----------------------------------------------------------------------------------------------------


def test_views_are_counted_by_message(chats, reader):
    chats.views = {5: 120, 6: 80}
    assert reader.views(CHAT, [5, 6]) == {5: 120, 6: 80}


def test_messages_without_a_count_are_left_out(chats, reader):
    chats.views = {5: 0, 6: None}
    assert reader.views(CHAT, [5, 6]) == {5: 0}


def test_many_messages_are_asked_for_in_portions(chats, reader):
    chats.views = dict.fromkeys(range(1, 251), 3)
    assert len(reader.views(CHAT, range(1, 251))) == 250
    assert chats.asked.count("GetMessagesViewsRequest") == 3


# --- failures -------------------------------------------------------------------------------------------------


def test_a_flood_says_when_it_ends(chats, reader):
    chats.fault = errors.FloodWaitError(request=None, capture=90)
    error = failure_of(found, reader)
    assert (error.failure, error.code) == (Failure.RATE_LIMIT, "flood_wait")
    assert timedelta(seconds=80) < error.retry_at - now() <= timedelta(seconds=90)


@pytest.mark.parametrize(
    "fault",
    [
        errors.AuthKeyUnregisteredError(None),
        errors.AuthKeyDuplicatedError(None),
        errors.SessionRevokedError(None),
        errors.SessionExpiredError(None),
        errors.UserDeactivatedError(None),
    ],
)
def test_a_session_that_was_ended_is_told(chats, reader, fault):
    chats.fault = fault
    error = failure_of(found, reader)
    assert (error.failure, error.code) == (Failure.UNAUTHORIZED, "session_ended")


@pytest.mark.parametrize(
    ("fault", "failure", "code"),
    [
        (errors.ChannelPrivateError(None), Failure.REJECTED, "cannot_read"),
        (errors.ServerError(None, "INTERNAL", 500), Failure.TEMPORARY, "unreachable"),
        (ConnectionError("gone"), Failure.TEMPORARY, "unreachable"),
        (ValueError("nonsense"), Failure.TEMPORARY, "unreachable"),
    ],
)
def test_other_failures_leave_nothing_open(chats, reader, fault, failure, code):
    chats.fault = fault
    error = failure_of(found, reader)
    assert (error.failure, error.code) == (failure, code)


def test_a_person_who_is_not_in_the_chat_cannot_read_it(chats, reader):
    chats.chats = [channel(GROUP_ID)]
    assert failure_of(found, reader).code == "not_in_chat"


def test_the_session_is_closed_after_success_and_failure(chats, reader):
    found(reader)
    chats.fault = ConnectionError("gone")
    failure_of(found, reader)
    assert chats.open_clients == 0


def test_keys_show_no_secret():
    assert "hash-of-api" not in repr(Keys(1, "hash-of-api", "a-session"))
    assert "a-session" not in repr(Keys(1, "hash-of-api", "a-session"))


def test_the_person_behind_a_session_is_named(chats):
    assert mtproto.who_is(Keys(1, "hash", new_session())) == "Dana Demo"


# --- behind the port ------------------------------------------------------------------------------------------


@pytest.fixture
def client(reader) -> TelegramClient:
    return TelegramClient(f"{BOT_ID}:token-of-a-bot", CHAT, reader=reader)


def test_with_a_session_posts_can_be_read(chats, client):
    chats.messages = [message(5, "Mine", from_id=types.PeerUser(BOT_ID)), message(6, "x", from_id=types.PeerUser(1))]
    assert client.can_read_posts is True
    assert [post.text for post in client.own_posts(START)] == ["Mine"]


def test_the_end_of_a_session_is_not_the_end_of_the_bot(chats, client):
    chats.fault = errors.AuthKeyUnregisteredError(None)
    error = failure_of(client.own_posts, START)
    assert (error.failure, error.code) == (Failure.TEMPORARY, "session_ended")
