import pytest
from django.test import Client

from accounts.models import User
from campaigns.models import Delivery, Post
from campaigns.services import MediaDraft, PartDraft, PostDraft, create_post, share_campaign
from compliance.models import Review
from compliance.services import reject_review
from lib.clock import now
from tests.campaigns.cast import add_post, mark_published, set_state, texts_of


def url(post: Post, act: str = "") -> str:
    return f"/posts/{post.pk}{act}"


def test_the_page_shows_what_followers_will_see(bob_client: Client, bob_actor, roastery, picture) -> None:
    parts = (PartDraft("Look #beans", (MediaDraft(picture.pk, "A cup"),)), PartDraft("And more"))
    post = create_post(PostDraft(parts=parts, connections=(roastery.pk,), made_with_ai=True), by=bob_actor)
    html = bob_client.get(url(post)).content.decode()
    assert 'Look <span class="entity">#beans</span>' in html
    assert f'src="/media/{picture.pk}/file" alt="A cup"' in html
    assert "And more" in html
    assert "Made with AI" in html


def test_a_draft_without_an_account_says_that_it_goes_nowhere(bob_client: Client, bob_actor, in_workspace) -> None:
    html = bob_client.get(url(add_post(bob_actor, text="An idea"))).content.decode()
    assert "An idea" in html
    assert "Choose accounts" in html


def test_a_draft_shows_what_the_network_would_refuse(bob_client: Client, bob_actor, roastery) -> None:
    html = bob_client.get(url(add_post(bob_actor, roastery, text="x" * 300))).content.decode()
    assert "20 over the limit of 280" in html


@pytest.mark.parametrize(
    ("state", "offered", "hidden"),
    [
        ("draft", {"schedule", "next-slot", "cancel"}, {"publish", "live"}),
        ("in_review", {"schedule", "cancel"}, {"publish"}),
        ("approved", {"publish", "schedule", "next-slot", "cancel"}, {"unschedule"}),
        ("failed", {"publish", "schedule", "cancel"}, {"unschedule"}),
        ("canceled", {"schedule"}, {"publish", "cancel"}),
        ("published", set(), {"publish", "schedule", "cancel"}),
        ("publishing", set(), {"publish", "schedule", "cancel"}),
        ("unconfirmed", set(), {"publish", "schedule", "cancel"}),
    ],
)
def test_buttons_follow_the_state(
    bob_client: Client, delivery: Delivery, state: str, offered: set, hidden: set
) -> None:
    set_state(delivery.post, state)
    html = bob_client.get(url(delivery.post)).content.decode()
    assert {act for act in offered | hidden if f"/deliveries/{delivery.pk}/{act}" in html} == offered


def test_a_plan_can_be_taken_back(bob_client: Client, delivery: Delivery) -> None:
    set_state(delivery.post, "scheduled", scheduled_at=now())
    assert f"/deliveries/{delivery.pk}/unschedule" in bob_client.get(url(delivery.post)).content.decode()


@pytest.mark.parametrize("client", ["vic_client", "rita_client"])
def test_who_may_not_change_anything_sees_no_button(client: str, request: pytest.FixtureRequest, post: Post) -> None:
    html = request.getfixturevalue(client).get(url(post)).content.decode()
    assert "Fresh beans." in html
    assert f"{post.pk}/" not in html
    assert "/deliveries/" not in html.replace(post.deliveries.get().get_absolute_url() + '"', "")


def test_the_history_tells_who_decided_and_why(bob_client: Client, post: Post, submitted, rita_actor) -> None:
    [review] = submitted(post)
    reject_review(review, by=rita_actor, reason="Too loud.")
    html = bob_client.get(url(post)).content.decode()
    assert "Rejected by Rita" in html
    assert "“Too loud.”" in html
    assert review.action_hash[:12] in html


def test_a_guest_reads_a_shared_post_without_buttons_and_without_the_inside_talk(
    gwen_client: Client, gwen: User, alice_actor, bob_actor, rita_actor, roastery, campaign, submitted
) -> None:
    post = add_post(bob_actor, roastery, campaign=campaign)
    [review] = submitted(post)
    reject_review(review, by=rita_actor, reason="Inside talk.")
    assert gwen_client.get(url(post)).status_code == 404
    share_campaign(campaign, gwen, by=alice_actor)
    html = gwen_client.get(url(post)).content.decode()
    assert "Fresh beans." in html
    assert "<h2>Reviews" not in html
    assert "Duplicate" not in html


def test_a_stranger_finds_nothing(charlie_client: Client, post: Post) -> None:
    assert charlie_client.get(url(post)).status_code == 404


# --- acts -------------------------------------------------------------------------------------------------


def test_submit_sends_it_to_review(bob_client: Client, post: Post) -> None:
    answer = bob_client.post(url(post, "/submit"), follow=True)
    assert "Sent to review." in answer.content.decode()
    assert Delivery.objects.get(post=post).state == "in_review"


def test_submitting_what_cannot_be_sent_says_why(bob_client: Client, bob_actor, roastery) -> None:
    post = add_post(bob_actor, roastery, text="x" * 281)
    page = bob_client.post(url(post, "/submit"))
    assert page.status_code == 422
    assert 'role="alert"' in page.content.decode()
    assert "1 over the limit" in page.content.decode()
    assert not Review.objects.exists()


def test_submitting_twice_says_that_it_is_there_already(bob_client: Client, post: Post) -> None:
    bob_client.post(url(post, "/submit"))
    page = bob_client.post(url(post, "/submit"))
    assert page.status_code == 409
    assert "in review already" in page.content.decode()
    assert Review.objects.count() == 1


def test_a_copy_opens_in_the_composer(bob_client: Client, post: Post) -> None:
    mark_published(post)
    answer = bob_client.post(url(post, "/duplicate"))
    copy = Post.objects.exclude(pk=post.pk).get()
    assert answer["Location"] == url(copy, "/edit")
    assert texts_of(copy) == ["Fresh beans."]
    assert Delivery.objects.get(post=copy).state == "draft"


def test_a_draft_is_deleted(bob_client: Client, post: Post) -> None:
    assert bob_client.post(url(post, "/delete"))["Location"] == "/posts"
    assert not Post.objects.exists()


def test_what_was_sent_keeps_its_receipt(bob_client: Client, post: Post) -> None:
    mark_published(post)
    page = bob_client.post(url(post, "/delete"))
    assert page.status_code == 409
    assert "its receipt stays" in page.content.decode()
    assert Post.objects.exists()


@pytest.mark.parametrize("act", ["/submit", "/duplicate", "/delete"])
@pytest.mark.parametrize("client", ["rita_client", "vic_client"])
def test_only_editors_act(client: str, act: str, request: pytest.FixtureRequest, post: Post) -> None:
    assert request.getfixturevalue(client).post(url(post, act)).status_code == 403
    assert Post.objects.count() == 1
    assert Delivery.objects.get().state == "draft"


@pytest.mark.parametrize("act", ["/submit", "/duplicate", "/delete"])
def test_an_act_is_never_a_link(bob_client: Client, post: Post, act: str) -> None:
    assert bob_client.get(url(post, act)).status_code == 405
