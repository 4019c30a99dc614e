from datetime import timedelta

import pytest

from campaigns.errors import NotAllowedNow
from campaigns.imports.applying import apply_import
from campaigns.imports.services import check_import, create_import, start_import
from campaigns.models import LiveChange
from campaigns.services import MediaDraft, PartDraft, PostDraft, update_post
from lib import clock
from tests.campaigns.engine.rows import EDITED, fresh

State = LiveChange.State


def test_a_message_is_edited_in_place(channel, publish, approved, work, sent):
    (part,) = publish("First words", to=channel)
    approved(part)
    work()
    (message,) = sent()
    assert message["text"] == EDITED
    assert fresh(part).remote_id == part.remote_id


def test_an_old_message_can_still_be_edited(channel, publish, edit):
    (part,) = publish("First words", to=channel)
    with clock.shifted(timedelta(days=1)):
        assert edit(part).state == State.IN_REVIEW


def test_marked_words_stay_marked(channel, publish, approved, work, sent):
    (part,) = publish("Now **fresh**", to=channel, is_marked=True)
    approved(part, "Now **hot**")
    work()
    (message,) = sent()
    assert (message["text"], message["entities"][0]["type"]) == ("Now hot", "bold")


def test_the_caption_of_an_album_is_edited(channel, publish, approved, work, picture, sent):
    media = tuple(MediaDraft(picture(colour).pk) for colour in ("plum", "teal"))
    (part,) = publish(PartDraft("Two", media), to=channel)
    approved(part)
    work()
    assert [message["text"] for message in sent()] == [EDITED, ""]


def test_an_album_is_taken_down_with_all_its_messages(channel, publish, take_down, work, picture, sent):
    media = tuple(MediaDraft(picture(colour).pk) for colour in ("plum", "teal", "gold"))
    (part,) = publish(PartDraft("Three", media), to=channel)
    take_down(part)
    work()
    assert [message for message in sent() if not message["deleted"]] == []


def test_buttons_stay_on_the_last_message_of_a_thread(channel, due, tick, approved, work, sent):
    buttons = [[{"text": "Shop", "url": "https://example.com/shop"}]]
    delivery = due("One", "Two", to=channel, options={"telegram": {"buttons": buttons}})
    for later in (0, 3):
        tick(later)
    approved(delivery.live_parts.get(position=0))
    work()
    first, last = sent()
    assert (first["text"], bool(first["keyboard"]), bool(last["keyboard"])) == (EDITED, False, True)


def test_an_edit_that_went_through_before_counts_as_done(channel, publish, approved, work, telegram, sent):
    (part,) = publish("First words", to=channel)
    change = approved(part)
    telegram.sandbox.fault("accept_then_drop", platform="telegram", route="POST /bot{token}/editMessageText")
    work()
    work(120)
    assert (fresh(change).state, [message["text"] for message in sent()]) == (State.DONE, [EDITED])


# --- other doors ------------------------------------------------------------------------------------------------


def test_the_post_itself_cannot_change_once_it_is_live(publish, alice_actor, connection, tick):
    (part,) = publish("First words")
    with pytest.raises(NotAllowedNow, match="live or on its way"):
        update_post(part.delivery.post, PostDraft((PartDraft(EDITED),), connections=(connection.pk,)), by=alice_actor)
    assert tick(60).publish == []


def test_the_composer_changes_nothing_that_is_live(publish, alice_client, tick, on_x):
    (part,) = publish("First words")
    post = part.delivery.post
    form = {"text-0": EDITED, "parts": "1", "connections": str(part.connection_id), "revision": post.revision}
    alice_client.post(f"/posts/{post.pk}/edit", form)
    assert tick(60).publish == []
    assert (on_x(), post.parts.get().text) == (["First words"], "First words")


def test_the_api_changes_nothing_that_is_live(publish, api, alice, tick, on_x):
    (part,) = publish("First words")
    address = f"/api/posts/{part.delivery.post_id}"
    answer = api(alice).patch(address, {"parts": [{"text": EDITED}]}, format="json")
    assert answer.status_code == 409
    assert tick(60).publish == []
    assert on_x() == ["First words"]


def test_an_import_changes_nothing_that_is_live(publish, alice_actor, tick, on_x):
    (part,) = publish("First words", external_id="row-1")
    plan = create_import("plan.csv", f"id,channel,text\nrow-1,@roastery,{EDITED}".encode(), by=alice_actor)
    check_import(plan, by=alice_actor)
    start_import(plan, by=alice_actor)
    apply_import(plan.workspace_id, plan.pk)
    assert tick(60).publish == []
    assert (on_x(), part.delivery.post.parts.get().text) == (["First words"], "First words")
