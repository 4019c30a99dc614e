from datetime import timedelta

import pytest
from django.core.exceptions import ValidationError
from django.db import connections
from django.test.utils import CaptureQueriesContext

from accounts.scope import workspace_scope
from campaigns.deliveries import cancel_delivery, submit_post
from campaigns.models import Delivery
from campaigns.services import PartDraft, PostDraft, create_post, update_post
from compliance import fingerprints
from compliance.models import Fingerprint
from compliance.services import reject_review
from lib import clock
from social.models import Connection

TEXT = "Our new harvest from Huila has arrived: red apples, panela and a long sweet finish."
NEARLY = "Our new harvest from Huila has arrived! Red apples, panela, and a long, sweet finish… https://example.com"
OTHER = "We close at noon today because the whole crew is at the fair in Ghent."


@pytest.fixture
def bakery(connected) -> Connection:
    return connected("bakery")


@pytest.fixture
def submit(draft, alice_actor):
    def run(text: str, to: Connection | None = None, **fields) -> Delivery:
        delivery = draft(text, to=to, **fields)
        submit_post(delivery.post, by=alice_actor)
        return delivery

    return run


@pytest.mark.parametrize("text", [TEXT, TEXT.upper(), NEARLY])
def test_the_same_text_does_not_go_to_two_own_accounts(submit, bakery, text):
    submit(TEXT)
    with pytest.raises(ValidationError, match=r"@bakery: This is too close to “Our new harvest.*on @roastery"):
        submit(text, to=bakery)


def test_another_text_goes_to_another_account(submit, bakery):
    submit(TEXT)
    assert submit(OTHER, to=bakery).pk


def test_two_accounts_of_one_post_need_texts_of_their_own(connection, bakery, alice_actor, in_workspace):
    post = create_post(PostDraft((PartDraft(TEXT),), connections=(connection.pk, bakery.pk)), by=alice_actor)
    with pytest.raises(ValidationError, match="write a text of its own for each"):
        submit_post(post, by=alice_actor)
    overrides = {bakery.pk: [OTHER]}
    both = PostDraft((PartDraft(TEXT),), connections=(connection.pk, bakery.pk), overrides=overrides)
    update_post(post, both, by=alice_actor)
    assert len(submit_post(post, by=alice_actor)) == 2


def test_a_refused_text_is_not_remembered(submit, bakery):
    submit(TEXT)
    with pytest.raises(ValidationError):
        submit(TEXT, to=bakery)
    assert Fingerprint.objects.count() == 1


def test_the_same_account_does_not_repeat_itself_within_a_day(submit):
    submit(TEXT)
    with pytest.raises(ValidationError, match=r"for this account already. Change it, or wait a day"):
        submit(TEXT)


def test_after_a_day_it_may(submit):
    submit(TEXT)
    with clock.shifted(timedelta(hours=25)):
        assert submit(TEXT).pk


def test_another_account_has_to_wait_a_month(submit, bakery):
    submit(TEXT)
    with clock.shifted(timedelta(days=29)), pytest.raises(ValidationError, match="too close"):
        submit(TEXT, to=bakery)
    with clock.shifted(timedelta(days=31)):
        assert submit(TEXT, to=bakery).pk


def test_a_thread_is_compared_as_a_whole(draft, alice_actor, bakery, submit):
    submit_post(draft(TEXT, OTHER).post, by=alice_actor)
    assert submit("Something else entirely, about nothing at all but rain.", to=bakery).pk
    with pytest.raises(ValidationError, match="too close"):
        submit_post(draft(TEXT, OTHER, to=bakery).post, by=alice_actor)


# --- what makes room again --------------------------------------------------------------------------------------


def test_a_canceled_post_makes_room(submit, bakery, alice_actor):
    cancel_delivery(submit(TEXT), by=alice_actor)
    assert submit(TEXT, to=bakery).pk


def test_a_rejected_post_makes_room(submit, bakery, rita_actor):
    from compliance.models import Review

    delivery = submit(TEXT)
    reject_review(Review.objects.get(object_id=delivery.pk), by=rita_actor, reason="Not now.")
    assert submit(TEXT, to=bakery).pk


def test_an_edit_makes_room(submit, bakery, connection, alice_actor):
    delivery = submit(TEXT)
    update_post(delivery.post, PostDraft((PartDraft(OTHER),), connections=(connection.pk,)), by=alice_actor)
    assert submit(TEXT, to=bakery).pk


def test_an_edit_that_repeats_goes_back_to_draft(submit, bakery, alice_actor):
    submit(TEXT)
    other = submit(OTHER, to=bakery)
    update_post(other.post, PostDraft((PartDraft(TEXT),), connections=(bakery.pk,)), by=alice_actor)
    assert Delivery.objects.get(pk=other.pk).state == Delivery.State.DRAFT


# --- other customers --------------------------------------------------------------------------------------------


@pytest.fixture
def elsewhere(other_workspace, charlie_actor, in_workspace):
    """A post of another customer, in review there."""
    with workspace_scope(other_workspace.pk):
        account = Connection.objects.create(workspace=other_workspace, network="x", remote_id="9", handle="bread")
        post = create_post(PostDraft((PartDraft(TEXT),), connections=(account.pk,)), by=charlie_actor)
        return submit_post(post, by=charlie_actor)[0]


def test_what_another_customer_only_plans_holds_up_nobody(elsewhere, submit):
    assert submit(NEARLY).pk


def test_what_another_customer_has_published_is_not_said_again(elsewhere, submit):
    fingerprints.mark_published(elsewhere.pk)
    with pytest.raises(ValidationError, match="too close to a post that somebody else has published there"):
        submit(NEARLY)


def test_nothing_of_the_other_customer_shows(elsewhere, submit):
    fingerprints.mark_published(elsewhere.pk)
    with pytest.raises(ValidationError) as refused:
        submit(NEARLY)
    text = " ".join(refused.value.messages)
    assert "bread" not in text
    assert "Bakery" not in text
    assert "Huila" not in text


def test_publishing_is_what_makes_a_text_known(due, tick):
    delivery = due(TEXT)
    assert Fingerprint.objects.get(delivery_id=delivery.pk).is_published is False
    tick()
    assert Fingerprint.objects.get(delivery_id=delivery.pk).is_published is True


# --- where repeating is allowed ---------------------------------------------------------------------------------


def test_telegram_chats_may_say_the_same(chat, submit):
    submit(TEXT, to=chat())
    submit(TEXT, to=chat("supergroup"))
    assert not Fingerprint.objects.exists()


def test_telegram_and_x_may_say_the_same(channel, submit):
    submit(TEXT)
    assert submit(TEXT, to=channel).pk


# --- what has gone out ------------------------------------------------------------------------------------------


def test_a_published_text_is_marked_for_others(due, tick):
    delivery = due(TEXT)
    tick()
    assert Fingerprint.objects.get(delivery_id=delivery.pk).is_published


def test_where_repeats_are_allowed_publishing_looks_for_no_fingerprint(channel, due, tick):
    delivery = due(TEXT, to=channel)
    with CaptureQueriesContext(connections["default"]) as asked:
        tick()
    assert delivery.live_parts.exists()
    assert not [one for one in asked.captured_queries if Fingerprint._meta.db_table in one["sql"]]
