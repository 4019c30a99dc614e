"""Publishing, changing and deleting through a bot, against the sandbox's Bot API."""

import io

import pytest

from social.networks.port import Entity, Failure, NetworkError, OutgoingMedia, OutgoingPart
from social.networks.telegram import api
from social.networks.telegram.client import TelegramClient
from tests.sandbox.cast import movie, picture

BUTTONS = [[{"text": "Menu", "url": "https://example.org/menu"}], [{"text": "Map", "url": "https://example.org/map"}]]


def media(content: bytes, kind: str = "image", mime: str = "image/png", **facts) -> OutgoingMedia:
    return OutgoingMedia(lambda: io.BytesIO(content), mime, kind, len(content), **facts)


@pytest.fixture
def photo() -> OutgoingMedia:
    return media(picture())


@pytest.fixture
def video() -> OutgoingMedia:
    return media(movie(), "video", "video/mp4", width=640, height=360, duration_ms=1500)


@pytest.fixture
def gif() -> OutgoingMedia:
    return media(picture("GIF"), "gif", "image/gif")


@pytest.fixture
def client(cafe) -> TelegramClient:
    return cafe.client()


@pytest.fixture
def sent(cafe):
    """Publishes one part to the channel; answers the message as its readers see it."""

    def publish(part: OutgoingPart) -> dict:
        accepted = cafe.client().publish(part)
        return next(one for one in cafe.messages() if str(one["message_id"]) == accepted.remote_id)

    return publish


def failure_of(call, *args) -> NetworkError:
    with pytest.raises(NetworkError) as caught:
        call(*args)
    return caught.value


# --- who ------------------------------------------------------------------------------------------------------


def test_me_is_the_chat(client, cafe):
    account = client.me()
    assert (account.remote_id, account.handle, account.name) == (str(cafe.channel_id), "cafe", "Cafe")


def test_me_counts_the_members(cafe):
    chat_id = cafe.chat("channel", audience=41)
    assert cafe.client(chat_id).me().followers == 42


def test_me_in_a_topic_names_chat_and_topic(cafe):
    forum = cafe.chat("forum")
    assert cafe.client(forum, 7).me().remote_id == f"{forum}:7"


def test_me_of_a_private_chat_is_the_person(cafe):
    person = cafe.person()
    account = cafe.client(person).me()
    assert (account.remote_id, account.name, account.handle) == (str(person), "Dana", "dana")


def test_me_fails_where_the_bot_is_no_admin(cafe):
    error = failure_of(cafe.client(cafe.chat("channel", "member", username="cafe2")).me)
    assert (error.failure, error.code) == (Failure.UNAUTHORIZED, "not_admin")


def test_me_fails_where_the_admin_may_not_post(cafe, client):
    cafe.let_in(cafe.channel_id, "administrator", rights={"can_post_messages": False})
    assert "may not post" in failure_of(client.me).message


def test_me_fails_where_the_bot_was_removed(cafe, client):
    cafe.let_in(cafe.channel_id, "kicked")
    assert failure_of(client.me).code == "bot_kicked"


def test_a_plain_member_may_post_to_a_group(cafe):
    assert cafe.client(cafe.chat("supergroup", "member")).me().name == "Cafe supergroup"


# --- text -----------------------------------------------------------------------------------------------------


def test_a_text_is_published(sent):
    assert sent(OutgoingPart("Fresh coffee"))["text"] == "Fresh coffee"


def test_the_answer_becomes_a_receipt(client, sandbox):
    accepted = client.publish(OutgoingPart("Fresh coffee"))
    assert (accepted.remote_id, accepted.remote_ids, accepted.http_status) == ("1", ("1",), 200)
    assert accepted.url == f"{sandbox.url}/tg/web/cafe/1"
    assert "Fresh coffee" in accepted.raw


def test_a_channel_without_a_name_has_addresses_too(cafe, sandbox):
    chat_id = cafe.chat("channel")
    accepted = cafe.client(chat_id).publish(OutgoingPart("Hello"))
    assert accepted.url == f"{sandbox.url}/tg/web/c/{-chat_id - 10**12}/1"


@pytest.mark.parametrize("kind", ["group", "private"])
def test_groups_and_people_have_no_addresses(cafe, kind):
    chat_id = cafe.person() if kind == "private" else cafe.chat("group")
    assert cafe.client(chat_id).publish(OutgoingPart("Hello")).url == ""


def test_formatting_arrives_as_entities(sent):
    entities = (Entity("bold", 0, 5), Entity("text_link", 6, 6, url="https://example.org/"), Entity("pre", 13, 1))
    assert sent(OutgoingPart("Fresh coffee x", entities=entities))["entities"] == [
        {"type": "bold", "offset": 0, "length": 5},
        {"type": "text_link", "offset": 6, "length": 6, "url": "https://example.org/"},
        {"type": "pre", "offset": 13, "length": 1},
    ]


def test_the_language_of_code_arrives(sent):
    part = OutgoingPart("print()", entities=(Entity("pre", 0, 7, language="python"),))
    assert sent(part)["entities"][0]["language"] == "python"


def test_markup_in_the_text_stays_text(sent):
    assert sent(OutgoingPart("<b>*not bold*</b> & _plain_"))["text"] == "<b>*not bold*</b> & _plain_"


def test_an_answer_hangs_below_the_message_before(client, sent):
    first = client.publish(OutgoingPart("One"))
    assert sent(OutgoingPart("Two", reply_to=first.remote_id))["reply_to"] == 1


def test_an_answer_to_what_is_gone_is_refused(client):
    error = failure_of(client.publish, OutgoingPart("Two", reply_to="99"))
    assert (error.failure, error.code) == (Failure.REJECTED, "reply_gone")


def test_an_answer_to_what_is_no_message_is_never_sent(client, cafe):
    assert failure_of(client.publish, OutgoingPart("Two", reply_to="https://x.com/1")).failure is Failure.REJECTED
    assert cafe.messages() == []


def test_a_topic_takes_its_messages(cafe):
    forum = cafe.chat("forum")
    topic_id = api.create_topic(cafe.token, forum, "News")
    cafe.client(forum, topic_id).publish(OutgoingPart("Hello"))
    assert [message["thread_id"] for message in cafe.messages(forum)] == [topic_id]


def test_a_topic_that_is_gone_is_refused(cafe):
    error = failure_of(cafe.client(cafe.chat("forum"), 99).publish, OutgoingPart("Hello"))
    assert (error.failure, error.code) == (Failure.REJECTED, "topic_not_found")


def test_a_poll_is_refused_before_anything_is_sent(client, cafe):
    assert failure_of(client.publish, OutgoingPart("?", poll={"options": ["a", "b"]})).code == "no_polls"
    assert cafe.messages() == []


# --- options --------------------------------------------------------------------------------------------------


def test_a_silent_message_rings_nowhere(sent):
    assert sent(OutgoingPart("Hello", options={"silent": True}))["silent"] is True


def test_without_the_option_it_rings(sent):
    assert sent(OutgoingPart("Hello"))["silent"] is False


def test_a_protected_message_cannot_be_forwarded(sent):
    assert sent(OutgoingPart("Hello", options={"protect": True}))["options"] == {"has_protected_content": True}


@pytest.mark.parametrize(
    ("choice", "told"),
    [
        ("off", {"is_disabled": True}),
        ("above", {"show_above_text": True}),
        ("large", {"prefer_large_media": True}),
        ("small", {"prefer_small_media": True}),
    ],
)
def test_the_preview_of_links_is_chosen(sent, choice, told):
    part = OutgoingPart("https://example.org", options={"preview": choice})
    assert sent(part)["options"]["link_preview_options"] == told


def test_buttons_stand_below_the_last_part(sent):
    keyboard = sent(OutgoingPart("Hello", options={"buttons": BUTTONS}))["keyboard"]
    assert [[button["text"] for button in row] for row in keyboard["inline_keyboard"]] == [["Menu"], ["Map"]]


def test_earlier_parts_carry_no_buttons(sent):
    assert sent(OutgoingPart("Hello", options={"buttons": BUTTONS}, is_last=False))["keyboard"] is None


# --- media ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("name", "shown"), [("photo", "photo"), ("video", "video"), ("gif", "animation")])
def test_one_file_is_sent_as_what_it_is(sent, request, name, shown):
    message = sent(OutgoingPart("Caption", media=(request.getfixturevalue(name),)))
    assert (message["media"]["kind"], message["text"]) == (shown, "Caption")


def test_a_file_needs_no_caption(sent, photo):
    assert sent(OutgoingPart("", media=(photo,)))["text"] == ""


def test_a_caption_keeps_its_formatting_and_buttons(sent, photo):
    part = OutgoingPart("Caption", entities=(Entity("italic", 0, 7),), media=(photo,), options={"buttons": BUTTONS})
    message = sent(part)
    assert message["entities"] == [{"type": "italic", "offset": 0, "length": 7}]
    assert len(message["keyboard"]["inline_keyboard"]) == 2


def test_an_album_is_one_post_with_several_messages(client, cafe, photo, video):
    accepted = client.publish(OutgoingPart("Caption", entities=(Entity("bold", 0, 7),), media=(photo, video, photo)))
    messages = cafe.messages()
    assert accepted.remote_id == "1"
    assert accepted.remote_ids == ("1", "2", "3")
    assert [message["text"] for message in messages] == ["Caption", "", ""]
    assert [message["media"]["kind"] for message in messages] == ["photo", "video", "photo"]
    assert messages[0]["entities"] == [{"type": "bold", "offset": 0, "length": 7}]
    assert len({message["album"] for message in messages}) == 1


def test_an_album_of_ten_fits(client, photo):
    assert len(client.publish(OutgoingPart("", media=(photo,) * 10)).remote_ids) == 10


def test_an_album_answers_too(client, cafe, photo):
    first = client.publish(OutgoingPart("One"))
    client.publish(OutgoingPart("", media=(photo, photo), reply_to=first.remote_id))
    assert cafe.messages()[1]["reply_to"] == 1


# --- rest -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("kind", "rest_s"), [("channel", 1), ("group", 3), ("supergroup", 3), ("private", 1)])
def test_a_chat_rests_by_its_kind(cafe, kind, rest_s):
    chat_id = cafe.person() if kind == "private" else cafe.chat(kind)
    assert cafe.client(chat_id).publish(OutgoingPart("Hello")).rest_s == rest_s


def test_each_message_of_an_album_takes_its_time(cafe, photo):
    accepted = cafe.client(cafe.chat("supergroup")).publish(OutgoingPart("", media=(photo, photo)))
    assert accepted.rest_s == 6


def test_resting_as_told_meets_no_limit_in_a_group(cafe):
    client = cafe.client(cafe.chat("supergroup"))
    for number in range(25):
        cafe.sandbox.advance(client.publish(OutgoingPart(f"Number {number}")).rest_s)
    assert len(cafe.messages(client.chat_id)) == 25


def test_a_chat_that_gets_too_much_at_once_is_limited(client):
    for number in range(3):
        client.publish(OutgoingPart(f"Number {number}"))
    assert failure_of(client.publish, OutgoingPart("One too many")).failure is Failure.RATE_LIMIT


# --- afterwards -----------------------------------------------------------------------------------------------


def test_a_text_is_changed(client, cafe):
    accepted = client.publish(OutgoingPart("Befor", options={"buttons": BUTTONS}))
    assert client.edit(accepted.remote_id, OutgoingPart("Before", options={"buttons": BUTTONS})) == "1"
    (message,) = cafe.messages()
    assert message["text"] == "Before"
    assert message["keyboard"] is not None


def test_a_change_to_the_same_counts_as_done(client):
    accepted = client.publish(OutgoingPart("Same"))
    assert client.edit(accepted.remote_id, OutgoingPart("Same")) == accepted.remote_id


def test_a_caption_is_changed(client, cafe, photo):
    accepted = client.publish(OutgoingPart("Befor", media=(photo,)))
    client.edit(accepted.remote_id, OutgoingPart("Before", has_media=True))
    assert cafe.messages()[0]["text"] == "Before"


def test_a_caption_can_be_taken_off(client, cafe, photo):
    accepted = client.publish(OutgoingPart("Before", media=(photo,)))
    client.edit(accepted.remote_id, OutgoingPart("", has_media=True))
    assert cafe.messages()[0]["text"] == ""


def test_what_is_gone_cannot_be_changed(client):
    error = failure_of(client.edit, "99", OutgoingPart("Before"))
    assert (error.failure, error.code) == (Failure.REJECTED, "gone")


def test_a_message_is_deleted(client, cafe):
    client.delete([client.publish(OutgoingPart("Oops")).remote_id])
    assert cafe.messages() == []


def test_an_album_is_deleted_whole(client, cafe, photo):
    client.delete(client.publish(OutgoingPart("", media=(photo, photo))).remote_ids)
    assert cafe.messages() == []


@pytest.mark.parametrize("remote_ids", [["99"], ["98", "99"]])
def test_what_is_gone_counts_as_deleted(client, remote_ids):
    assert client.delete(remote_ids) is None


def test_what_may_not_be_deleted_is_told(cafe):
    group = cafe.chat("supergroup", "member")
    remote_id = cafe.client(group).publish(OutgoingPart("Old")).remote_id
    cafe.sandbox.advance(49 * 3600)
    assert failure_of(cafe.client(group).delete, [remote_id]).code == "cannot_delete"


def test_a_message_is_pinned(client, cafe):
    client.pin(client.publish(OutgoingPart("Pin me")).remote_id)
    chats = cafe.sandbox.get("/telegram/chats")["chats"]
    assert next(chat["pinned"] for chat in chats if chat["id"] == cafe.channel_id) == [1]


# --- what a bot cannot ----------------------------------------------------------------------------------------


def test_a_bot_cannot_read_what_it_posted(client):
    assert client.can_read_posts is False
    assert failure_of(client.own_posts, None).code == "cannot_read"


def test_files_travel_with_the_message(client):
    assert client.uploads_ahead is False


def test_a_client_shows_no_token(client, cafe):
    assert cafe.token.partition(":")[2] not in repr(client)
