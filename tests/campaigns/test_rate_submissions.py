"""A workspace that asks for too many decisions at once is told when to go on, at every door."""

from datetime import timedelta

import pytest

from accounts.rate import Limit, RateLimited
from accounts.scope import workspace_scope
from campaigns.deliveries import review as reviewing
from campaigns.deliveries import submit_post
from campaigns.models import Delivery
from compliance.models import Review
from tests.campaigns.cast import add_post

pytestmark = pytest.mark.django_db
WORDS = ["Fresh beans from Peru", "Open until six on Friday", "New mugs in blue are here"]


@pytest.fixture
def one_an_hour(monkeypatch):
    monkeypatch.setattr(
        reviewing, "submissions", lambda workspace: Limit(("submit", workspace.pk), 1, timedelta(hours=1), 1)
    )


@pytest.fixture
def posts(workspace, roastery, bob_actor):
    return [add_post(bob_actor, roastery, text=text) for text in WORDS]


def states() -> list[str]:
    return sorted(Delivery.objects.values_list("state", flat=True))


def test_what_is_too_much_stays_a_draft(one_an_hour, posts, bob_actor):
    submit_post(posts[0], by=bob_actor)
    with pytest.raises(RateLimited, match=r"submits too much at once\. Try again in 60 minutes\."):
        submit_post(posts[1], by=bob_actor)
    assert states() == ["draft", "draft", "in_review"]
    assert Review.objects.count() == 1


def test_what_is_refused_for_another_reason_is_not_counted(one_an_hour, posts, bob_actor, in_workspace):
    empty = add_post(bob_actor, text="Nowhere to go")
    for _ in range(3):
        with pytest.raises(Exception, match="Choose at least one connection"):
            submit_post(empty, by=bob_actor)
    submit_post(posts[0], by=bob_actor)


def test_the_api_answers_429(one_an_hour, posts, api, bob, workspace):
    client = api(bob)
    answers = [client.post(f"/api/posts/{post.pk}/submit") for post in posts[:2]]
    assert [answer.status_code for answer in answers] == [200, 429]
    assert answers[1].json()["code"] == "rate_limited"
    assert int(answers[1]["Retry-After"]) > 3500


def test_the_page_says_when(one_an_hour, posts, bob_client, workspace):
    for post in posts[:2]:
        html = bob_client.post(f"/posts/{post.pk}/submit", follow=True).content.decode()
    assert "Try again in 60 minutes." in html
    with workspace_scope(workspace.pk):
        assert states() == ["draft", "draft", "in_review"]
