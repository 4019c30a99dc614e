"""A reviewer decides in the private chat with the bot."""

import pytest

from accounts.models import Membership, Role, Workspace
from accounts.scope import workspace_scope
from campaigns.deliveries import submit_post
from campaigns.models import Delivery, ReviewPrompt
from campaigns.rendering import RenderedPart
from campaigns.services import MediaDraft, PartDraft, PostDraft, create_post, update_post
from campaigns.tasks import send_review_prompts
from campaigns.telegram_prompts import option_lines, part_lines
from compliance.models import Review, WorkspaceTerm
from compliance.services import claim_review, hold_review
from lib.clock import now
from social.models import Bot, BotReceiver, Connection, Credential, InboundUpdate, TelegramLink
from social.networks.port import Entity
from tests.social.conftest import celery_eager, sandbox, sandbox_process  # noqa: F401
from tests.social.telegram.conftest import BOT, BOT_ID, Telegram, hear, telegram  # noqa: F401

pytestmark = pytest.mark.django_db
State = Delivery.State


@pytest.fixture
def connection(in_workspace):
    made = Connection.objects.create(
        workspace=in_workspace,
        network="x",
        remote_id="77",
        handle="roastery",
        name="Roastery",
        scopes=["tweet.read", "tweet.write", "users.read", "media.write"],
    )
    Credential.objects.create(workspace=in_workspace, connection=made, access_token="none")
    return made


@pytest.fixture
def rita_on_telegram(telegram, rita, hear):  # noqa: F811
    """Rita has talked to the bot, and linked her account."""
    number = telegram.user("rita_t")
    telegram.write("/start", sender="rita_t", bot=BOT)
    hear()
    return TelegramLink.objects.create(user=rita, telegram_user_id=number, bot_id=BOT_ID, username="rita_t")


@pytest.fixture
def chat(telegram, rita_on_telegram):  # noqa: F811
    """What Rita reads there, without what was said before."""
    before = len(telegram.messages(rita_on_telegram.telegram_user_id))
    return lambda: telegram.messages(rita_on_telegram.telegram_user_id)[before:]


@pytest.fixture
def ask(connection, alice_actor, rita_on_telegram):
    """A post of Alice's, put before the reviewers."""

    def make(*parts, **fields) -> Review:
        built = tuple(PartDraft(part) if isinstance(part, str) else part for part in parts)
        post = create_post(PostDraft(built, connections=(connection.pk,), **fields), by=alice_actor)
        (delivery,) = submit_post(post, by=alice_actor)
        review = Review.objects.get(object_id=delivery.pk, status="waiting")
        send_review_prompts(str(review.workspace_id), str(review.pk))
        return review

    return make


@pytest.fixture
def press(telegram, hear, chat):  # noqa: F811
    def run(button: str, *, sender: str = "rita_t", message=None) -> None:
        asked = message or next(row for row in chat() if row["keyboard"] and "inline_keyboard" in row["keyboard"])
        buttons = [one for row in asked["keyboard"]["inline_keyboard"] for one in row]
        data = next(one["callback_data"] for one in buttons if one["text"] == button)
        telegram.sandbox.post("/telegram/press", **{"from": sender}, bot=BOT, message_id=asked["message_id"], data=data)
        # People take longer than Telegram's pause between two messages.
        telegram.sandbox.advance(5)
        hear()
        telegram.sandbox.advance(5)

    return run


def state_of(review: Review) -> str:
    with workspace_scope(review.workspace_id):
        return Delivery.objects.get(pk=review.object_id).state


def status_of(review: Review) -> str:
    with workspace_scope(review.workspace_id):
        return Review.objects.get(pk=review.pk).status


def test_the_reviewer_sees_the_post_and_then_the_question(ask, chat):
    ask("Good morning from the roastery")
    shown, question = chat()
    assert shown["text"] == "Good morning from the roastery"
    assert "waits for your approval" in question["text"]


def test_the_picture_is_shown_too(ask, chat, picture):
    ask(PartDraft("Look", (MediaDraft(picture.pk),)))
    assert chat()[0]["media"]["kind"] == "photo"


def test_asking_again_sends_nothing_twice(ask, chat):
    review = ask("Once only")
    send_review_prompts(str(review.workspace_id), str(review.pk))
    assert len(chat()) == 2


def test_a_pressed_approval_approves_exactly_what_was_shown(ask, press, chat):
    review = ask("Approve me")
    press("Approve")
    assert (status_of(review), state_of(review)) == ("approved", State.APPROVED)
    with workspace_scope(review.workspace_id):
        assert Delivery.objects.get(pk=review.object_id).approved_hash == review.action_hash
    assert "Approved by" in chat()[1]["text"]


def test_a_decision_takes_the_buttons_away(ask, press, chat):
    ask("Approve me once")
    press("Approve")
    assert chat()[1]["keyboard"] is None


def test_a_changed_post_cannot_be_approved_by_the_old_button(ask, press, chat, alice_actor, connection):
    review = ask("Before")
    message = chat()[1]
    with workspace_scope(review.workspace_id):
        post = Delivery.objects.get(pk=review.object_id).post
        update_post(post, PostDraft((PartDraft("After"),), connections=(connection.pk,)), by=alice_actor)
    press("Approve", message=message)
    assert (status_of(review), state_of(review)) == ("obsolete", State.IN_REVIEW)


def test_a_rejection_asks_for_the_reason_and_hands_it_on(ask, press, chat, telegram, hear):  # noqa: F811
    review = ask("Reject me")
    press("Reject")
    question = chat()[-1]
    assert (status_of(review), question["text"][:4]) == ("waiting", "Why?")
    telegram.write("The price is wrong", sender="rita_t", bot=BOT, reply_to=question["message_id"])
    hear()
    assert (status_of(review), state_of(review)) == ("rejected", State.DRAFT)
    with workspace_scope(review.workspace_id):
        assert Delivery.objects.get(pk=review.object_id).problem_text == "Rejected: The price is wrong"


def test_why_explains_what_an_approval_covers(ask, press, chat, alice):
    ask("Why me?")
    press("Why?")
    text = chat()[-1]["text"]
    assert f"Asked by {alice.email}" in text
    assert "It will cost $0.015 on X." in text


def test_somebody_else_who_presses_the_button_decides_nothing(ask, press, chat, telegram):  # noqa: F811
    review = ask("Not yours")
    message = chat()[1]
    mallory = telegram.user("mallory")
    TelegramLink.objects.filter(user__email__startswith="rita").update(telegram_user_id=mallory + 1)
    press("Approve", message=message)
    assert status_of(review) == "waiting"


def test_a_reviewer_who_has_left_decides_nothing(ask, press, rita, in_workspace):
    review = ask("Rita has left")
    Membership.objects.filter(user=rita, workspace=in_workspace).delete()
    press("Approve")
    assert status_of(review) == "waiting"


def test_a_reviewer_who_lost_the_role_decides_nothing(ask, press, rita, in_workspace):
    review = ask("Rita only watches now")
    Membership.objects.filter(user=rita, workspace=in_workspace).update(role=Role.VIEWER)
    press("Approve")
    assert status_of(review) == "waiting"


def test_an_unlinked_account_decides_nothing(ask, press, rita_on_telegram):
    review = ask("Unlinked")
    rita_on_telegram.delete()
    press("Approve")
    assert status_of(review) == "waiting"


def test_a_suspended_workspace_decides_nothing(ask, press, in_workspace):
    review = ask("Suspended")
    Workspace.objects.filter(pk=in_workspace.pk).update(is_suspended=True)
    press("Approve")
    assert status_of(review) == "waiting"


def test_an_invented_token_decides_nothing(ask, press, chat, hear, telegram):  # noqa: F811
    review = ask("Invented")
    message = chat()[1]
    message["keyboard"]["inline_keyboard"][0][0]["callback_data"] = "rv:ok:" + "0" * 32
    with workspace_scope(review.workspace_id):
        ReviewPrompt.objects.update(token="1" * 32)
    press("Approve")
    assert status_of(review) == "waiting"


def test_under_four_eyes_the_author_is_not_asked(connection, alice, alice_actor, telegram, hear, in_workspace):  # noqa: F811
    number = telegram.user("alice_t")
    telegram.write("/start", sender="alice_t", bot=BOT)
    hear()
    before = len(telegram.messages(number))
    TelegramLink.objects.create(user=alice, telegram_user_id=number, bot_id=BOT_ID)
    Workspace.objects.filter(pk=in_workspace.pk).update(four_eyes=True)
    post = create_post(PostDraft((PartDraft("My own"),), connections=(connection.pk,)), by=alice_actor)
    (delivery,) = submit_post(post, by=alice_actor)
    review = Review.objects.get(object_id=delivery.pk)
    send_review_prompts(str(review.workspace_id), str(review.pk))
    assert len(telegram.messages(number)) == before


def test_who_may_not_review_is_not_asked(connection, vic, alice_actor, telegram):  # noqa: F811
    number = telegram.user("vic_t")
    TelegramLink.objects.create(user=vic, telegram_user_id=number, bot_id=BOT_ID)
    post = create_post(PostDraft((PartDraft("Not for viewers"),), connections=(connection.pk,)), by=alice_actor)
    (delivery,) = submit_post(post, by=alice_actor)
    review = Review.objects.get(object_id=delivery.pk)
    send_review_prompts(str(review.workspace_id), str(review.pk))
    assert not ReviewPrompt.objects.exists()


def test_a_poll_stands_in_the_question(ask, chat):
    ask(PartDraft("Tea?", poll={"options": ["Yes", "No"], "minutes": 60}))
    assert "Poll for 60 minutes: Yes / No" in chat()[1]["text"]


def test_options_and_the_description_of_a_picture_stand_in_the_question(ask, chat, picture):
    options = {"x": {"reply_settings": "following", "paid_partnership": True}}
    ask(PartDraft("Look", (MediaDraft(picture.pk, "A red bag"),)), options=options, made_with_ai=True)
    question = chat()[1]["text"]
    assert "Options: reply settings: following, paid partnership" in question
    assert "Description of a file: A red bag" in question
    assert "Labelled as made with AI." in question


def test_buttons_and_links_are_named_with_where_they_lead():
    options = {"buttons": [[{"text": "Buy", "url": "https://shop.example/bag"}]], "pin": True}
    linked = RenderedPart("Our shop", (), (Entity("text_link", 0, 3, url="https://elsewhere.example/"),))
    assert option_lines(options) == ["Button “Buy” leads to https://shop.example/bag", "Options: pin"]
    assert part_lines(linked) == ["A link leads to https://elsewhere.example/"]


def test_what_cannot_all_be_shown_has_no_button_to_approve(ask, chat, picture):
    ask(*[PartDraft("Look", (MediaDraft(picture.pk, "A" * 1000),)) for _ in range(2)])
    question = chat()[-1]
    texts = [one["text"] for row in question["keyboard"]["inline_keyboard"] for one in row]
    assert "open the page to decide" in question["text"]
    assert "Approve" not in texts


def test_nothing_is_told_to_the_bot_of_another_workspace(ask, rita_on_telegram, other_workspace):
    with workspace_scope(other_workspace.pk):
        Bot.objects.create(workspace=other_workspace, bot_id=4242, username="their_bot", token="4242:theirs")
    BotReceiver.objects.create(bot_id=4242, workspace_id=other_workspace.pk)
    TelegramLink.objects.filter(pk=rita_on_telegram.pk).update(bot_id=4242)
    ask("Not for their eyes")
    assert not ReviewPrompt.objects.exists()


def claimed(review: Review, by) -> None:
    claim_review(review, by=by)


def held(review: Review, by) -> None:
    hold_review(review, by=by, reason="Wait")


def expired(review: Review, by) -> None:
    Review.objects.filter(pk=review.pk).update(expires_at=now())


def forbidden(review: Review, by) -> None:
    WorkspaceTerm.objects.create(workspace=by.workspace, term="beans", kind="block", reason="We sell tea.")


@pytest.mark.parametrize("hinder", [claimed, held, expired, forbidden])
def test_what_hinders_an_approval_hinders_it_in_the_chat_and_is_said(hinder, ask, press, alice_actor):
    review = ask("Fresh beans")
    with workspace_scope(review.workspace_id):
        hinder(review, alice_actor)
    press("Approve")
    assert (status_of(review), state_of(review)) == ("waiting", State.IN_REVIEW)
    # Nothing is tried again: the press was heard and answered.
    assert not InboundUpdate.objects.filter(handled_at=None).exists()
