from datetime import timedelta

import pytest

from accounts.models import Notification
from campaigns.models import Attempt, Delivery, LivePart
from campaigns.services import MediaDraft, PartDraft
from lib.clock import now
from social.models import Connection, UnknownPolicy

State = Delivery.State
SEND = "POST /bot{token}/sendMessage"
ALBUM = "POST /bot{token}/sendMediaGroup"
AFTER_QUIET = 60


def test_a_message_goes_out_once_with_its_receipt(channel, due, tick, reload, telegram):
    delivery = due("Good morning", to=channel)
    tick()
    assert telegram.texts() == ["Good morning"]
    part = LivePart.objects.get(delivery=delivery)
    assert reload(delivery).state == State.PUBLISHED
    assert part.url.endswith(f"/{part.remote_id}")


def test_marked_text_arrives_as_text_and_entities(channel, due, tick, telegram, sent):
    due("Now **fresh** and [here](https://example.com/a)", to=channel, is_marked=True)
    tick()
    (message,) = sent()
    assert message["text"] == "Now fresh and here"
    assert [entity["type"] for entity in message["entities"]] == ["bold", "text_link"]


def test_a_picture_travels_with_its_caption(channel, due, tick, telegram, picture, sent):
    due(PartDraft("Look", (MediaDraft(picture().pk),)), to=channel)
    tick()
    (message,) = sent()
    assert (message["text"], message["media"]["kind"]) == ("Look", "photo")


def test_an_album_is_one_delivery_with_all_its_ids(channel, due, tick, telegram, picture, sent):
    media = tuple(MediaDraft(picture(colour).pk) for colour in ("plum", "teal", "gold"))
    delivery = due(PartDraft("Three", media), to=channel)
    tick()
    part = LivePart.objects.get(delivery=delivery)
    assert len(part.remote_ids) == len(sent()) == 3
    assert part.remote_id == part.remote_ids[0]


def test_buttons_and_silence_arrive(channel, due, tick, telegram, sent):
    buttons = [[{"text": "Shop", "url": "https://example.com/shop"}]]
    due("With a button", to=channel, options={"telegram": {"silent": True, "buttons": buttons}})
    tick()
    (message,) = sent()
    assert message["keyboard"]["inline_keyboard"][0][0]["text"] == "Shop"


def test_a_thread_leaves_the_network_the_pause_that_it_wants(channel, due, tick, telegram, reload):
    delivery = due("One", "Two", "Three", to=channel)
    tick()
    assert (telegram.texts(), reload(delivery).state) == (["One"], State.RETRY_WAIT)
    for later in (2, 4, 6):
        tick(later)
    assert telegram.texts() == ["One", "Two", "Three"]
    assert (reload(delivery).state, reload(delivery).failures) == (State.PUBLISHED, 0)


def test_two_posts_to_one_chat_are_a_second_apart(channel, due, tick, telegram):
    due("First", to=channel)
    due("Second", to=channel)
    tick()
    assert tick(0.2).publish == []
    tick(2)
    assert telegram.texts() == ["First", "Second"]


def test_without_an_answer_a_person_is_asked_and_nothing_is_sent_again(channel, due, tick, telegram, reload, alice):
    delivery = due("Is it there?", to=channel)
    telegram.sandbox.fault("accept_then_drop", platform="telegram", route=SEND)
    tick()
    assert reload(delivery).state == State.UNCONFIRMED
    for later in (AFTER_QUIET, 200, 400, 2000):
        tick(later)
    assert telegram.texts() == ["Is it there?"]
    assert (reload(delivery).state, reload(delivery).due_at) == (State.UNCONFIRMED, None)
    assert Notification.objects.filter(
        user=alice, kind="delivery.unconfirmed", text__contains="Look at the chat"
    ).exists()


def test_an_account_may_rather_miss_a_post_than_send_it_twice(chat, due, tick, telegram, reload):
    delivery = due("Once at most", to=chat(unknown_policy=UnknownPolicy.NEVER_TWICE))
    telegram.sandbox.fault("accept_then_drop", platform="telegram", route=SEND)
    tick()
    tick(AFTER_QUIET)
    assert (reload(delivery).state, telegram.texts()) == (State.FAILED, ["Once at most"])
    assert "may be live" in reload(delivery).problem_text


@pytest.fixture
def given_up(chat, due, tick, telegram, reload):
    """Nobody knows whether it is live, and the account's owner would rather miss it than send it twice."""
    delivery = due("Once at most", to=chat(unknown_policy=UnknownPolicy.NEVER_TWICE))
    telegram.sandbox.fault("accept_then_drop", platform="telegram", route=SEND)
    tick()
    tick(AFTER_QUIET)
    return reload(delivery)


def test_what_was_given_up_is_not_sent_again_by_a_click(given_up, alice_actor, tick, telegram):
    from campaigns.deliveries import publish_now
    from campaigns.errors import NotAllowedNow

    with pytest.raises(NotAllowedNow, match="Nobody knows"):
        publish_now(given_up, by=alice_actor)
    tick(400)
    assert telegram.texts() == ["Once at most"]


def test_what_was_given_up_cannot_be_edited_into_a_second_post(given_up, alice_actor):
    from campaigns.errors import NotAllowedNow
    from campaigns.services import PostDraft, update_post

    draft = PostDraft((PartDraft("Again"),), connections=(given_up.connection_id,))
    with pytest.raises(NotAllowedNow, match="live or on its way"):
        update_post(given_up.post, draft, by=alice_actor)


def test_what_was_given_up_can_still_be_settled_by_a_person(given_up, alice_actor, sent, reload):
    from campaigns.deliveries import confirm_live

    confirm_live(given_up, str(sent()[0]["message_id"]), by=alice_actor)
    assert reload(given_up).state == State.PUBLISHED


def test_an_account_may_rather_send_twice_than_miss_a_post(chat, due, tick, telegram, reload):
    delivery = due("Once at least", to=chat(unknown_policy=UnknownPolicy.SEND_AGAIN))
    telegram.sandbox.fault("drop_before_accept", platform="telegram", route=SEND)
    for later in (0, AFTER_QUIET, 200, 300):
        tick(later)
    assert (reload(delivery).state, telegram.texts()) == (State.PUBLISHED, ["Once at least"])


def test_a_person_confirms_with_the_link_of_the_message(channel, due, tick, telegram, reload, alice_actor, sent):
    from campaigns.deliveries import confirm_live

    delivery = due("Seen it", to=channel)
    telegram.sandbox.fault("accept_then_drop", platform="telegram", route=SEND)
    tick()
    (message,) = sent()
    short = channel.remote_id.removeprefix("-100")
    confirm_live(delivery, f"https://t.me/c/{short}/{message['message_id']}", by=alice_actor)
    assert reload(delivery).state == State.PUBLISHED
    assert LivePart.objects.get(delivery=delivery).remote_id == str(message["message_id"])


def test_the_link_of_another_chat_is_no_proof(channel, due, tick, telegram, alice_actor):
    from django.core.exceptions import ValidationError

    from campaigns.deliveries import confirm_live

    delivery = due("Seen it", to=channel)
    telegram.sandbox.fault("accept_then_drop", platform="telegram", route=SEND)
    tick()
    with pytest.raises(ValidationError, match="Paste the link"):
        confirm_live(delivery, "https://t.me/c/999/1", by=alice_actor)


def test_flood_control_is_obeyed_and_costs_no_retry(channel, due, tick, telegram, reload):
    delivery = due("Patience", to=channel)
    telegram.sandbox.fault("flood", platform="telegram", route=SEND, seconds=7)
    tick()
    waiting = reload(delivery)
    assert (waiting.state, waiting.failures) == (State.RETRY_WAIT, 0)
    assert waiting.due_at > now() + timedelta(seconds=5)
    telegram.sandbox.advance(10)
    tick(10)
    assert telegram.texts() == ["Patience"]


def test_a_group_that_became_a_supergroup_is_followed(chat, due, tick, telegram, reload):
    group = chat("group")
    delivery = due("Moved", to=group)
    telegram.order("/migrate", chat=int(group.remote_id))
    for later in (0, 40, 80, 120):
        tick(later)
    assert (reload(delivery).state, telegram.texts()) == (State.PUBLISHED, ["Moved"])
    moved = Connection.objects.get(pk=group.pk)
    assert moved.remote_id != group.remote_id
    assert moved.origin_id == group.remote_id


def test_a_supergroup_that_was_connected_by_itself_takes_no_second_row(chat, due, tick, telegram, reload, in_workspace):
    group = chat("group")
    delivery = due("Where to?", to=group)
    new_id = telegram.order("/migrate", chat=int(group.remote_id))["new"]
    Connection.objects.create(workspace=in_workspace, network="telegram", remote_id=str(new_id), kind="supergroup")
    tick()
    assert reload(delivery).state == State.RETRY_WAIT
    assert Connection.objects.get(pk=group.pk).remote_id == group.remote_id


def test_a_bot_that_was_thrown_out_makes_the_posts_wait(channel, due, tick, telegram, reload):
    delivery = due("Nobody home", to=channel)
    telegram.sandbox.fault("bot_kicked", platform="telegram", route=SEND)
    tick()
    assert reload(delivery).state == State.RETRY_WAIT
    assert Connection.objects.get(pk=channel.pk).status == Connection.Status.RECONNECT


def test_a_broken_album_leaves_nothing_behind(channel, due, tick, telegram, reload, picture, sent):
    media = tuple(MediaDraft(picture(colour).pk) for colour in ("plum", "teal"))
    delivery = due(PartDraft("Two", media), to=channel)
    telegram.sandbox.fault("html_5xx", platform="telegram", route=ALBUM)
    tick()
    assert reload(delivery).state == State.UNCONFIRMED
    assert sent() == []


def test_a_file_that_changed_in_the_storage_is_not_sent(channel, due, tick, telegram, reload, picture, sent):
    from django.core.files.base import ContentFile
    from django.core.files.storage import default_storage

    asset = picture()
    delivery = due(PartDraft("Look", (MediaDraft(asset.pk),)), to=channel)
    default_storage.delete(asset.file)
    default_storage.save(asset.file, ContentFile(b"something else"))
    tick()
    assert (reload(delivery).state, reload(delivery).problem_code) == (State.FAILED, "file_changed")
    assert sent() == []


def test_pinning_that_fails_does_not_unpublish(channel, due, tick, telegram, reload):
    delivery = due("Pin me", to=channel, options={"telegram": {"pin": True}})
    telegram.sandbox.fault("status", platform="telegram", route="POST /bot{token}/pinChatMessage", status=400)
    tick()
    assert (reload(delivery).state, telegram.texts()) == (State.PUBLISHED, ["Pin me"])
    assert Attempt.objects.get(delivery=delivery).outcome == Attempt.Outcome.ACCEPTED


def test_the_same_text_may_go_to_several_chats(chat, due, tick, telegram):
    first, second = chat(), chat("supergroup")
    due("Everywhere at once, the same words for everybody who reads us", to=first)
    due("Everywhere at once, the same words for everybody who reads us", to=second)
    tick()
    assert len(telegram.texts()) == 2
