import pytest

from campaigns.deliveries import submit_post
from campaigns.models import Delivery
from campaigns.services import PartDraft, PostDraft, update_post
from compliance.models import Review
from tests.campaigns.cast import add_connection, add_post

pytestmark = pytest.mark.django_db
URL = "/api/reviews"


@pytest.fixture
def review(in_workspace, bob_actor) -> Review:
    submit_post(add_post(bob_actor, add_connection(in_workspace)), by=bob_actor)
    return Review.objects.get()


@pytest.fixture
def rita_api(api, rita):
    return api(rita)


def decide(client, review: Review, act: str, **body):
    return client.post(f"{URL}/{review.pk}/{act}", body, format="json")


def state() -> str:
    return Delivery.objects.get().state


def test_list_shows_exactly_what_is_asked_for(rita_api, review):
    (row,) = rita_api.get(URL).json()["results"]
    assert (row["id"], row["kind"], row["hash"]) == (str(review.pk), "delivery", review.action_hash)
    assert row["object"] == str(Delivery.objects.get().pk)
    assert row["snapshot"]["parts"][0]["text"] == "Fresh beans."


def test_list_holds_what_waits(rita_api, review):
    decide(rita_api, review, "approve", hash=review.action_hash)
    assert rita_api.get(URL).json()["results"] == []
    (row,) = rita_api.get(URL, {"status": "approved"}).json()["results"]
    assert row["id"] == str(review.pk)


def test_unknown_status_is_refused(rita_api):
    assert rita_api.get(URL, {"status": "maybe"}).status_code == 400


def test_reviewer_approves_what_they_saw(rita_api, review):
    answer = decide(rita_api, review, "approve", hash=review.action_hash)
    assert (answer.status_code, answer.json()["status"], state()) == (200, "approved", "approved")


def test_approval_of_something_else_is_a_conflict(rita_api, review):
    answer = decide(rita_api, review, "approve", hash="0" * 64)
    assert (answer.status_code, answer.json()["code"], state()) == (409, "review_closed", "in_review")


def test_approval_without_a_hash_is_refused(rita_api, review):
    assert list(decide(rita_api, review, "approve").json()["errors"]) == ["hash"]
    assert state() == "in_review"


def test_approval_of_changed_content_is_a_conflict(rita_api, review, bob_actor):
    row = Delivery.objects.select_related("post").get()
    draft = PostDraft(parts=(PartDraft("Changed."),), connections=(row.connection_id,))
    update_post(row.post, draft, by=bob_actor)
    assert decide(rita_api, review, "approve", hash=review.action_hash).status_code == 409
    assert state() == "in_review"


def test_second_decision_is_a_conflict(rita_api, review):
    decide(rita_api, review, "approve", hash=review.action_hash)
    assert decide(rita_api, review, "reject", reason="Late").status_code == 409
    assert state() == "approved"


def test_four_eyes_stop_the_author(api, alice, alice_actor, in_workspace):
    type(in_workspace).objects.update(four_eyes=True)
    submit_post(add_post(alice_actor, add_connection(in_workspace)), by=alice_actor)
    review = Review.objects.get()
    answer = decide(api(alice), review, "approve", hash=review.action_hash)
    assert (answer.status_code, state()) == (403, "in_review")


def test_rejection_gives_the_reason_to_the_author(rita_api, review):
    answer = decide(rita_api, review, "reject", reason="Too loud")
    assert (answer.json()["status"], answer.json()["reason"]) == ("rejected", "Too loud")
    assert (state(), Delivery.objects.get().problem_text) == ("draft", "Rejected: Too loud")


@pytest.mark.parametrize("reason", ["", "   ", None])
def test_rejection_without_a_reason_is_refused(rita_api, review, reason):
    answer = decide(rita_api, review, "reject", reason=reason)
    assert (answer.status_code, list(answer.json()["errors"]), state()) == (400, ["reason"], "in_review")


def test_no_key_can_approve(api, api_key, review):
    answer = decide(api(api_key()), review, "approve", hash=review.action_hash)
    assert (answer.status_code, state()) == (403, "in_review")
