import pytest
from django.db import connection as database
from django.test import Client
from django.test.utils import CaptureQueriesContext

from campaigns.models import Delivery, Post
from campaigns.services import MediaDraft, PartDraft, PostDraft, create_post, delete_post, update_post
from compliance.models import Review
from tests.campaigns.cast import add_post, set_state

LIST = "/reviews"


def url(review: Review, act: str = "") -> str:
    return f"/reviews/{review.pk}{act}"


def seen(*reviews: Review) -> dict[str, list[str]]:
    return {"seen": [f"{review.pk}:{review.action_hash}" for review in reviews]}


def fresh(review: Review) -> Review:
    return Review.objects.get(pk=review.pk)


@pytest.fixture
def review(post: Post, submitted) -> Review:
    return submitted(post)[0]


@pytest.fixture
def pair(bob_actor, roastery, cafe, submitted) -> list[Review]:
    overrides = {cafe.pk: ["Another text for the guests."]}
    return submitted(add_post(bob_actor, roastery, cafe, text="To both.", overrides=overrides))


# --- the queue --------------------------------------------------------------------------------------------


def test_an_empty_queue_says_so(rita_client: Client, in_workspace) -> None:
    assert "Nothing waits" in rita_client.get(LIST).content.decode()


def test_the_queue_shows_the_oldest_first(rita_client: Client, bob_actor, roastery, submitted) -> None:
    for text in ("older", "newer"):
        submitted(add_post(bob_actor, roastery, text=text))
    html = rita_client.get(LIST).content.decode()
    assert html.index("older") < html.index("newer")
    assert "Start reviewing" in html


def test_decisions_stand_below(rita_client: Client, review: Review) -> None:
    rita_client.post(url(review, "/reject"), {"reason": "Too loud."})
    html = rita_client.get(LIST).content.decode()
    assert "Too loud." in html.split("Decided lately")[1]


def test_ten_and_twenty_reviews_cost_the_same_queries(rita_client, bob_actor, roastery, picture, submitted) -> None:
    measured = []
    for half in "xy":
        for number in range(10):
            draft = PostDraft(
                parts=(PartDraft(f"{half}{number}", (MediaDraft(picture.pk),)),), connections=(roastery.pk,)
            )
            submitted(create_post(draft, by=bob_actor))
        rita_client.get(LIST)
        with CaptureQueriesContext(database) as queries:
            rita_client.get(LIST)
        measured.append(len(queries))
    assert measured[0] == measured[1]


@pytest.mark.parametrize("client", ["vic_client", "bob_client"])
def test_others_look_but_do_not_decide(client: str, request: pytest.FixtureRequest, review: Review) -> None:
    visitor: Client = request.getfixturevalue(client)
    assert "Fresh beans." in visitor.get(url(review)).content.decode()
    assert url(review, "/approve") not in visitor.get(url(review)).content.decode()
    assert visitor.post(url(review, "/approve"), seen(review)).status_code == 403
    assert visitor.post(url(review, "/reject"), {"reason": "x"}).status_code == 403
    assert fresh(review).status == "waiting"


def test_guests_have_no_queue(gwen_client: Client, review: Review) -> None:
    assert gwen_client.get(LIST).status_code == 403
    assert gwen_client.get(url(review)).status_code == 403


def test_strangers_find_nothing(charlie_client: Client, review: Review) -> None:
    assert charlie_client.get(url(review)).status_code == 404
    assert charlie_client.post(url(review, "/approve"), seen(review)).status_code == 404


# --- looking ----------------------------------------------------------------------------------------------


def test_the_page_shows_the_snapshot_that_the_hash_covers(rita_client: Client, review: Review) -> None:
    # Only the stored snapshot says this: whatever the live rows hold is not what is approved.
    Review.objects.filter(pk=review.pk).update(
        snapshot=review.snapshot | {"parts": [{"text": "As it was rendered.", "media": []}]}
    )
    html = rita_client.get(url(review)).content.decode()
    assert "As it was rendered." in html
    assert review.action_hash in html


def test_alt_texts_are_part_of_what_is_approved(rita_client, bob_actor, roastery, picture, submitted) -> None:
    draft = PostDraft(parts=(PartDraft("x", (MediaDraft(picture.pk, "A cup"),)),), connections=(roastery.pk,))
    [review] = submitted(create_post(draft, by=bob_actor))
    assert "<b>Alt text:</b> A cup" in rita_client.get(url(review)).content.decode()


def test_what_changed_since_the_last_approval_is_marked(rita_client, bob_actor, post, roastery, approved) -> None:
    approved(post)
    update_post(post, PostDraft(parts=(PartDraft("Roasted beans."),), connections=(roastery.pk,)), by=bob_actor)
    html = rita_client.get(url(Review.objects.get(status="waiting"))).content.decode()
    assert "<del>Fresh</del><ins>Roasted</ins> beans." in html


def test_a_first_review_marks_no_changes(rita_client: Client, review: Review) -> None:
    assert "<del>" not in rita_client.get(url(review)).content.decode()


def test_the_other_accounts_of_the_post_are_shown_with_it(rita_client: Client, pair: list[Review]) -> None:
    html = rita_client.get(url(pair[0])).content.decode()
    assert html.count("To both.</div>") == 1
    assert html.count("Another text for the guests.</div>") == 1
    assert "Approve all 2" in html


def test_an_author_is_told_about_four_eyes(alice_client: Client, alice_actor, workspace, roastery, bob_actor) -> None:
    type(workspace).objects.filter(pk=workspace.pk).update(four_eyes=True)
    post = add_post(alice_actor, roastery)
    alice_client.post(f"/posts/{post.pk}/submit")
    review = Review.objects.get()
    html = alice_client.get(url(review)).content.decode()
    assert "somebody else has to approve it" in html
    assert url(review, "/approve") not in html
    assert alice_client.post(url(review, "/approve"), seen(review)).status_code == 403
    assert fresh(review).status == "waiting"


def test_a_decided_review_shows_the_decision_and_no_buttons(rita_client: Client, review: Review) -> None:
    rita_client.post(url(review, "/approve"), seen(review))
    html = rita_client.get(url(review)).content.decode()
    assert "Approved by Rita" in html
    assert url(review, "/approve") not in html


def test_a_review_of_a_deleted_post_leads_to_the_queue(rita_client: Client, bob_actor, review: Review) -> None:
    delete_post(Post.objects.get(), by=bob_actor)
    assert rita_client.get(url(review))["Location"] == LIST
    assert rita_client.get(LIST).status_code == 200


# --- deciding ---------------------------------------------------------------------------------------------


def test_approving_leads_to_the_next_one(rita_client: Client, bob_actor, roastery, review, submitted) -> None:
    [following] = submitted(add_post(bob_actor, roastery, text="next"))
    answer = rita_client.post(url(review, "/approve"), seen(review))
    assert answer["Location"] == url(following)
    assert fresh(review).status == "approved"
    assert Delivery.objects.get(pk=review.object_id).state == "approved"


def test_after_the_last_one_comes_the_empty_queue(rita_client: Client, review: Review) -> None:
    assert rita_client.post(url(review, "/approve"), seen(review))["Location"] == LIST


def test_all_accounts_are_approved_at_once(rita_client: Client, pair: list[Review]) -> None:
    rita_client.post(url(pair[0], "/approve"), seen(*pair))
    assert {fresh(review).status for review in pair} == {"approved"}


def test_one_account_is_approved_alone(rita_client: Client, pair: list[Review]) -> None:
    rita_client.post(url(pair[0], "/approve"), seen(pair[0]))
    assert [fresh(review).status for review in pair] == ["approved", "waiting"]


def test_when_one_of_them_changed_none_is_approved(rita_client: Client, pair: list[Review]) -> None:
    data = {"seen": [f"{pair[0].pk}:{pair[0].action_hash}", f"{pair[1].pk}:{'0' * 64}"]}
    page = rita_client.post(url(pair[0], "/approve"), data)
    assert page.status_code == 409
    assert {fresh(review).status for review in pair} == {"waiting"}


@pytest.mark.parametrize("data", [{}, {"seen": "nonsense"}, {"seen": "nonsense:nonsense"}])
def test_an_approval_that_saw_nothing_is_refused(rita_client: Client, review: Review, data: dict) -> None:
    page = rita_client.post(url(review, "/approve"), data)
    assert page.status_code == 409
    assert fresh(review).status == "waiting"


def test_approving_other_content_than_was_seen_is_refused(rita_client, bob_actor, review, roastery) -> None:
    page_opened = seen(review)
    changed = PostDraft(parts=(PartDraft("Changed meanwhile."),), connections=(roastery.pk,))
    update_post(Post.objects.get(), changed, by=bob_actor)
    page = rita_client.post(url(review, "/approve"), page_opened)
    assert page.status_code == 409
    assert Delivery.objects.get(pk=review.object_id).state == "in_review"


def test_a_review_of_another_post_cannot_ride_along(rita_client, bob_actor, roastery, review, submitted) -> None:
    [other] = submitted(add_post(bob_actor, roastery, text="Another post"))
    rita_client.post(url(review, "/approve"), seen(review, other))
    assert [fresh(review).status, fresh(other).status] == ["approved", "waiting"]


def test_rejecting_needs_a_reason(rita_client: Client, review: Review) -> None:
    page = rita_client.post(url(review, "/reject"), {"reason": " "})
    assert page.status_code == 422
    assert "Say why" in page.content.decode().split('id="reason-error"')[1][:900]
    assert fresh(review).status == "waiting"


def test_rejecting_sends_it_back_with_the_reason(rita_client: Client, review: Review) -> None:
    rita_client.post(url(review, "/reject"), {"reason": "Too loud."})
    assert (fresh(review).status, fresh(review).reason) == ("rejected", "Too loud.")
    assert Delivery.objects.get(pk=review.object_id).state == "draft"


def test_two_reviewers_cannot_decide_the_same_one(rita_client: Client, alice_client: Client, review: Review) -> None:
    rita_client.post(url(review, "/reject"), {"reason": "Too loud."})
    page = alice_client.post(url(review, "/approve"), seen(review))
    assert page.status_code == 409
    assert "decided already" in page.content.decode()
    assert fresh(review).status == "rejected"


def test_what_left_the_review_meanwhile_is_not_approved(rita_client: Client, review: Review, post: Post) -> None:
    set_state(post, "canceled")
    assert rita_client.post(url(review, "/approve"), seen(review)).status_code == 409
    assert fresh(review).status == "waiting"
