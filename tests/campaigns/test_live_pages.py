from datetime import timedelta

import pytest
from django.db import connection as database
from django.test import Client
from django.test.utils import CaptureQueriesContext

from accounts.models import UsageEntry
from campaigns.live_changes import request_edit, take_down
from campaigns.models import Attempt, Delivery, LiveChange, LivePart
from campaigns.rendering import render
from campaigns.services import PartDraft, PostDraft, create_post
from compliance.models import Review
from lib.clock import now
from social.models import Connection
from tests.campaigns.cast import set_state

State = LiveChange.State


def url(delivery: Delivery, act: str = "") -> str:
    return f"/deliveries/{delivery.pk}{act}"


def add_live(delivery: Delivery, position: int = 0, **fields) -> LivePart:
    values = {
        "remote_id": f"19{position}",
        "url": f"https://x.com/i/status/19{position}",
        "content_hash": render(delivery).parts[position].content_hash,
    }
    workspace, connection = delivery.workspace, delivery.connection
    return LivePart.objects.create(
        workspace=workspace, delivery=delivery, connection=connection, position=position, **values | fields
    )


def text_of(client: Client, address: str) -> str:
    return client.get(address).content.decode()


@pytest.fixture
def thread(in_workspace, bob_actor, cafe) -> Delivery:
    """Two of three parts are live, and it failed there."""
    draft = PostDraft(tuple(PartDraft(text) for text in ("One", "Two", "Three")), connections=(cafe.pk,))
    delivery = create_post(draft, by=bob_actor).deliveries.get()
    set_state(delivery.post, "failed", fence=1, problem_text="X said no.")
    for position in (0, 1):
        add_live(delivery, position)
    return delivery


@pytest.fixture
def part(in_workspace, bob_actor, cafe) -> LivePart:
    """A post of a Premium account that is live."""
    post = create_post(PostDraft((PartDraft("First words"),), connections=(cafe.pk,)), by=bob_actor)
    set_state(post, "published", published_at=now(), fence=1)
    return add_live(post.deliveries.get())


@pytest.fixture
def edit(part, bob_actor) -> Review:
    return Review.objects.get(object_id=request_edit(part, "Better words", by=bob_actor).pk)


# --- half a thread ----------------------------------------------------------------------------------------------


def test_half_a_thread_says_what_is_live_and_offers_both_ways(bob_client, thread):
    html = text_of(bob_client, url(thread))
    assert "2 of 3 parts are live." in html
    assert "https://x.com/i/status/191" in html.split("Live parts")[1]
    assert "Continue</button>" in html
    assert "Delete the live parts</button>" in html
    assert 'data-confirm="Delete the live parts?"' in html
    assert "Send now" not in html


def test_continue_sends_the_rest(bob_client, thread):
    bob_client.post(url(thread, "/publish"))
    assert Delivery.objects.get(pk=thread.pk).state == Delivery.State.SCHEDULED


def test_deleting_the_live_parts_takes_each_down(bob_client, thread):
    answer = bob_client.post(url(thread, "/take-down"))
    assert answer["Location"] == url(thread)
    assert LiveChange.objects.filter(part__delivery=thread, action="delete", state=State.QUEUED).count() == 2


def test_a_second_click_is_refused_in_words(bob_client, thread):
    bob_client.post(url(thread, "/take-down"))
    answer = bob_client.post(url(thread, "/take-down"))
    assert answer.status_code == 409
    assert "Another change of this part is on its way" in answer.content.decode()


def test_what_was_taken_down_offers_no_way_on(bob_client, thread):
    LivePart.objects.filter(delivery=thread).update(deleted_at=now())
    html = text_of(bob_client, url(thread))
    assert html.count("Not live any more") == 2
    assert url(thread, "/publish") not in html
    assert "0 of 3 live" in html


def test_one_live_part_is_one(bob_client, thread):
    LivePart.objects.filter(delivery=thread, position=1).delete()
    assert "Delete the live part</button>" in text_of(bob_client, url(thread))


def test_a_whole_thread_can_be_taken_down(bob_client, thread):
    add_live(thread, 2)
    set_state(thread.post, "published", published_at=now())
    html = text_of(bob_client, url(thread))
    assert "Take down all parts" in html
    assert "parts are live." not in html


# --- one live part ----------------------------------------------------------------------------------------------


def test_a_live_part_can_be_edited_and_taken_down(bob_client, part):
    html = text_of(bob_client, url(part.delivery))
    assert url(part.delivery, "/parts/0/edit") in html
    assert 'data-confirm="Take it down from @cafe?"' in html


def test_where_no_edit_is_possible_it_says_why(bob_client, part):
    Connection.objects.update(is_premium=False)
    html = text_of(bob_client, url(part.delivery))
    assert "X lets only Premium accounts edit a post." in html
    assert url(part.delivery, "/parts/0/edit") not in html


@pytest.mark.parametrize("client", ["vic_client", "rita_client"])
def test_others_only_look(client, request, part):
    html = text_of(request.getfixturevalue(client), url(part.delivery))
    assert "/parts/0/" not in html


def test_changes_stand_beside_their_part_with_their_states(bob_client, part, edit):
    html = text_of(bob_client, url(part.delivery))
    assert "Edit: in review" in html
    assert "by Bob" in html


def test_one_change_at_a_time_is_offered(bob_client, part, edit, bob_actor):
    html = text_of(bob_client, url(part.delivery))
    assert (url(part.delivery, "/parts/0/edit") in html, url(part.delivery, "/parts/0/take-down") in html) == (
        False,
        True,
    )
    take_down(part, by=bob_actor)
    assert "/parts/0/" not in text_of(bob_client, url(part.delivery))


def test_the_text_after_an_edit_is_shown(bob_client, part, edit):
    LiveChange.objects.update(state=State.DONE, done_at=now())
    assert '<dd class="prewrap">Better words</dd>' in text_of(bob_client, url(part.delivery))


def test_an_album_names_its_messages(bob_client, part):
    LivePart.objects.update(remote_ids=["7", "8", "9"])
    assert "3 messages: <code>7, 8, 9</code>" in text_of(bob_client, url(part.delivery))


def test_the_receipt_says_what_it_cost(bob_client, part, in_workspace):
    month = now().date().replace(day=1)
    for number, status in enumerate(("settled", "reserved", "released")):
        UsageEntry.objects.create(
            workspace=in_workspace,
            key=str(number),
            kind="x.post",
            amount_micro=15_000,
            status=status,
            month=month,
            object_id=part.delivery_id,
        )
    html = text_of(bob_client, url(part.delivery))
    assert "<dt>Cost</dt><dd>$0.015" in html
    assert "$0.015 held back" in html


def test_the_page_follows_a_change_that_is_on_its_way(bob_client, part, bob_actor):
    take_down(part, by=bob_actor)
    assert 'hx-trigger="every 2s"' in text_of(bob_client, url(part.delivery))


def test_a_page_of_many_parts_asks_as_often_as_one_of_few(bob_client, bob_actor, cafe):
    measured = []
    for length in (2, 6):
        parts = tuple(PartDraft(f"Part {number}") for number in range(length))
        delivery = create_post(PostDraft(parts, connections=(cafe.pk,)), by=bob_actor).deliveries.get()
        for position in range(length):
            add_live(delivery, position, remote_id=f"{length}{position}")
        bob_client.get(url(delivery))
        with CaptureQueriesContext(database) as queries:
            bob_client.get(url(delivery))
        measured.append(len(queries))
    assert measured[0] == measured[1]


# --- the form ---------------------------------------------------------------------------------------------------


def test_the_form_begins_with_what_is_live(bob_client, part):
    html = text_of(bob_client, url(part.delivery, "/parts/0/edit"))
    assert "First words</textarea>" in html
    assert "11 / 25000" in html


def test_the_counter_follows_without_saving(bob_client, part):
    answer = bob_client.post(url(part.delivery, "/parts/0/edit?count=1"), {"text": "Hi"})
    assert "2 / 25000" in answer.content.decode()
    assert not LiveChange.objects.exists()


def test_sending_it_asks_for_a_review(bob_client, part):
    answer = bob_client.post(url(part.delivery, "/parts/0/edit"), {"text": "Better words"})
    assert answer["Location"] == url(part.delivery)
    assert LiveChange.objects.get().state == State.IN_REVIEW


@pytest.mark.parametrize(("text", "reason"), [("", "Write the new text"), ("First words", "live already")])
def test_a_refusal_stands_beside_the_field_with_what_was_typed(bob_client, part, text, reason):
    answer = bob_client.post(url(part.delivery, "/parts/0/edit"), {"text": text})
    assert answer.status_code == 422
    html = answer.content.decode()
    assert reason in html
    assert f"{text}</textarea>" in html
    assert 'aria-invalid="true"' in html


def test_a_form_that_came_too_late_says_so(bob_client, part):
    LivePart.objects.update(published_at=now() - timedelta(hours=2))
    assert "within an hour only" in text_of(bob_client, url(part.delivery, "/parts/0/edit"))


@pytest.mark.parametrize("client", ["vic_client", "rita_client", "gwen_client"])
@pytest.mark.parametrize("act", ["/parts/0/edit", "/parts/0/take-down", "/take-down"])
def test_others_change_nothing(client, act, request, part):
    answer = request.getfixturevalue(client).post(url(part.delivery, act), {"text": "Mine now"})
    assert answer.status_code in {403, 404}
    assert not LiveChange.objects.exists()


@pytest.mark.parametrize("act", ["/parts/0/edit", "/parts/0/take-down", "/take-down", "/answers/7"])
def test_strangers_find_nothing(charlie_client, part, act):
    assert charlie_client.post(url(part.delivery, act), {"text": "Mine now"}).status_code == 404


@pytest.mark.parametrize("position", [1, 99_999])
def test_a_part_that_is_not_there_is_not_found(bob_client, part, position):
    assert bob_client.get(url(part.delivery, f"/parts/{position}/edit")).status_code == 404


# --- nobody can look --------------------------------------------------------------------------------------------


def test_on_telegram_a_person_is_sent_to_the_chat(bob_client, in_workspace, bob_actor):
    values = {"network": "telegram", "remote_id": "-1001", "handle": "news", "name": "News", "kind": "channel"}
    chat = Connection.objects.create(workspace=in_workspace, **values)
    delivery = create_post(PostDraft((PartDraft("Hi"),), connections=(chat.pk,)), by=bob_actor).deliveries.get()
    set_state(delivery.post, "unconfirmed", fence=1)
    Attempt.objects.create(workspace=in_workspace, delivery=delivery, number=1, submitting_part=0)
    html = text_of(bob_client, url(delivery))
    assert "Nobody can look this up" in html
    assert "/news" in html.split("Open the chat of @news")[0].rsplit("href", 1)[1]
    assert "We keep looking" not in html


# --- reviews ----------------------------------------------------------------------------------------------------


def test_an_edit_waits_in_the_queue(rita_client, edit):
    html = text_of(rita_client, "/reviews")
    assert "1 waiting for a decision" in html
    assert "Edit of a live post" in html


def test_the_review_shows_which_words_change(rita_client, edit):
    html = text_of(rita_client, f"/reviews/{edit.pk}")
    assert "<del>First</del><ins>Better</ins> words" in html
    assert "Approve" in html


def test_an_edit_is_approved_on_its_page(rita_client, edit):
    rita_client.post(f"/reviews/{edit.pk}/approve", {"seen": f"{edit.pk}:{edit.action_hash}"})
    assert LiveChange.objects.get().state == State.QUEUED


def test_an_edit_is_rejected_with_a_reason(rita_client, edit):
    rita_client.post(f"/reviews/{edit.pk}/reject", {"reason": "Too loud."})
    assert LiveChange.objects.get().problem_text == "Rejected: Too loud."
    html = text_of(rita_client, "/reviews")
    assert "Too loud." in html.split("Decided lately")[1]


def test_who_asked_for_the_edit_cannot_approve_it_under_four_eyes(alice_client, part, alice_actor, workspace):
    review = Review.objects.get(object_id=request_edit(part, "Better words", by=alice_actor).pk)
    type(workspace).objects.update(four_eyes=True)
    assert "Four eyes." in text_of(alice_client, f"/reviews/{review.pk}")
    alice_client.post(f"/reviews/{review.pk}/approve", {"seen": f"{review.pk}:{review.action_hash}"})
    assert LiveChange.objects.get().state == State.IN_REVIEW


def test_an_approved_edit_stays_readable(rita_client, edit):
    rita_client.post(f"/reviews/{edit.pk}/approve", {"seen": f"{edit.pk}:{edit.action_hash}"})
    assert "<ins>Better</ins>" in text_of(rita_client, f"/reviews/{edit.pk}")
