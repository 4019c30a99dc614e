"""What a page offers next, so that nobody gets stuck between writing, reviewing and asking a client."""

import pytest
from django.test import Client

from campaigns.deliveries import submit_post
from campaigns.models import Delivery, Post
from compliance.models import Review
from compliance.reviews.links import create_link
from compliance.services import approve_review, claim_review, reject_review, request_changes
from compliance.terms import TermDraft, add_term
from lib.clock import now
from tests.campaigns.cast import add_post

REASON = "Say how much is in the bag."


@pytest.fixture
def review(post: Post, submitted) -> Review:
    return submitted(post)[0]


@pytest.fixture
def sent_back(post: Post, review: Review, rita_actor) -> Post:
    request_changes(review, by=rita_actor, reason=REASON)
    return post


def edit_page(client: Client, post: Post) -> str:
    return client.get(f"/posts/{post.pk}/edit").content.decode()


def buttons(client: Client, post: Post) -> str:
    """The head of the post's page, where the next step is the filled button."""
    html = client.get(f"/posts/{post.pk}").content.decode()
    return html[html.index("page-actions") : html.index("menu-list", html.index("page-actions"))]


def test_who_edits_reads_what_the_reviewer_wants(bob_client: Client, sent_back: Post) -> None:
    html = edit_page(bob_client, sent_back)
    assert f"Changes requested: {REASON}" in html
    assert html.index(REASON) < html.index("part-0-text")


def test_a_rejection_is_shown_to_who_edits_too(bob_client: Client, post: Post, review: Review, rita_actor) -> None:
    reject_review(review, by=rita_actor, reason="Not this season.")
    assert "Rejected: Not this season." in edit_page(bob_client, post)


def test_the_reason_goes_once_the_post_is_submitted_again(bob_client: Client, sent_back: Post, bob_actor) -> None:
    submit_post(sent_back, by=bob_actor)
    assert REASON not in edit_page(bob_client, sent_back)


def test_a_post_that_nobody_sent_back_has_no_reason(bob_client: Client, post: Post) -> None:
    assert "sent-back" not in edit_page(bob_client, post)


def test_a_reason_is_not_shown_beside_another_post(bob_client: Client, sent_back: Post, bob_actor, roastery) -> None:
    other = add_post(bob_actor, roastery, text="Another one.")
    assert REASON not in edit_page(bob_client, other)


def test_editing_is_the_next_step_of_what_was_sent_back(bob_client: Client, sent_back: Post) -> None:
    head = buttons(bob_client, sent_back)
    assert head.index("Submit for review") < head.index("btn-primary") < head.index("Edit")


def test_submitting_is_the_next_step_of_a_draft(bob_client: Client, post: Post) -> None:
    head = buttons(bob_client, post)
    assert head.index("btn-primary") < head.index("Submit for review")


# --- asking a client --------------------------------------------------------------------------------------


def ask_client(client: Client, path: str) -> None:
    assert "shown only once" in client.post(path, {"name": "Ms Chen", "days": "14"}).content.decode()


def is_claimed(review: Review) -> bool:
    return Review.objects.get(pk=review.pk).is_claimed(now())


def test_who_asks_a_client_makes_way_for_them(alice_client: Client, alice_actor, post: Post, review: Review) -> None:
    claim_review(review, by=alice_actor)
    ask_client(alice_client, f"/posts/{post.pk}/links")
    assert not is_claimed(review)
    assert list(review.events.values_list("kind", flat=True)) == ["requested", "claimed", "released"]


def test_the_claim_of_somebody_else_stays(alice_client: Client, rita_actor, post: Post, review: Review) -> None:
    claim_review(review, by=rita_actor)
    ask_client(alice_client, f"/posts/{post.pk}/links")
    assert is_claimed(review)


def test_a_claim_on_another_post_stays(
    alice_client: Client, alice_actor, bob_actor, roastery, post: Post, review: Review, submitted
) -> None:
    (other,) = submitted(add_post(bob_actor, roastery, text="Another one."))
    claim_review(other, by=alice_actor)
    ask_client(alice_client, f"/posts/{post.pk}/links")
    assert is_claimed(other)


def test_a_link_that_is_refused_releases_nothing(alice_client: Client, alice_actor, post: Post, review: Review) -> None:
    claim_review(review, by=alice_actor)
    html = alice_client.post(f"/posts/{post.pk}/links", {"name": "Ms Chen", "days": "0"}).content.decode()
    assert 'id="link-days-error"' in html
    assert is_claimed(review)


def test_a_decided_review_is_left_alone(
    alice_client: Client, alice_actor, rita_actor, post: Post, review: Review
) -> None:
    approve_review(review, by=rita_actor, seen_hash=review.action_hash)
    ask_client(alice_client, f"/posts/{post.pk}/links")
    assert Delivery.objects.get(post=post).state == Delivery.State.APPROVED


def test_the_post_names_the_client_who_approved_it(
    alice_client: Client, alice_actor, post: Post, review: Review
) -> None:
    link, _ = create_link(by=alice_actor, name="Ms Chen", scope_id=post.pk, scope_label="Post")
    decided = {"status": "approved", "decided_at": now(), "decided_label": "Chen Li (client: Ms Chen)"}
    Review.objects.filter(pk=review.pk).update(**decided, decided_link=link)
    assert "Approved by Chen Li (client: Ms Chen)" in alice_client.get(f"/posts/{post.pk}").content.decode()


# --- what the rules say -----------------------------------------------------------------------------------


def test_a_reviewer_reads_no_id_of_an_own_word(
    rita_client: Client, alice_actor, bob_actor, roastery, in_workspace, submitted
) -> None:
    term = add_term(TermDraft("organic", "review", "Only one of them is certified."), by=alice_actor)
    (review,) = submitted(add_post(bob_actor, roastery, text="An organic roast."))
    html = rita_client.get(f"/reviews/{review.pk}").content.decode()
    assert "Only one of them is certified." in html
    assert str(term.pk) not in html
