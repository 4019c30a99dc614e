"""A review with its changes, its claim and its escalation; and a client who approves by a link, without an account."""

from collections.abc import Iterator
from datetime import timedelta

import pytest
from django.conf import settings
from django.test import Client
from playwright.sync_api import Browser, Page, expect

from accounts.access import Actor
from accounts.models import User, Workspace
from accounts.scope import workspace_scope
from campaigns.deliveries import submit_post
from campaigns.models import Delivery, Post
from campaigns.services import PartDraft, PostDraft, create_campaign, update_post
from compliance.models import Review
from compliance.reviews.escalation import tend_reviews
from compliance.reviews.links import create_link
from compliance.services import approve_review
from lib.clock import now
from tests.campaigns.cast import add_connection, add_post
from tests.screens import find_browser

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(find_browser() is None, reason="no Chromium on this machine"),
    pytest.mark.django_db(transaction=True),
]
BEFORE = "Fresh beans from our roastery, every Friday at nine."
AFTER = "Fresh beans from our own roastery, every Saturday at nine."
HIT = {"rule": "claims.origin", "severity": "review", "part": 0, "start": 0, "end": 11, "citation": "UWG § 5"}


@pytest.fixture
def visitor(browser: Browser, live_server) -> Iterator[Page]:
    context = browser.new_context(base_url=live_server.url, viewport={"width": 1280, "height": 900})
    page = context.new_page()
    page.faults = []
    page.on("pageerror", lambda error: page.faults.append(str(error)))
    yield page
    context.close()


@pytest.fixture
def reviewer(visitor: Page, live_server, rita: User, client: Client) -> Page:
    client.force_login(rita)
    session = client.cookies[settings.SESSION_COOKIE_NAME].value
    cookie = {"name": settings.SESSION_COOKIE_NAME, "value": session, "url": live_server.url}
    visitor.context.add_cookies([cookie])
    return visitor


@pytest.fixture
def late(workspace: Workspace, bob_actor: Actor, rita_actor: Actor) -> Review:
    """Approved once, edited since, and waiting for so long that the admins were told."""
    with workspace_scope(workspace.pk):
        connection = add_connection(workspace)
        post = add_post(bob_actor, connection, text=BEFORE)
        submit_post(post, by=bob_actor)
        first = Review.objects.get()
        approve_review(first, by=rita_actor, seen_hash=first.action_hash)
        update_post(post, PostDraft(parts=(PartDraft(AFTER),), connections=(connection.pk,)), by=bob_actor)
        review = Review.objects.get(status="waiting")
        hits = [HIT | {"message": "Says where it comes from.", "fix": "Keep the proof."}]
        Review.objects.filter(pk=review.pk).update(
            requested_at=now() - timedelta(hours=25),
            due_at=now() - timedelta(hours=1),
            guard={"verdict": "review", "hits": hits},
        )
    tend_reviews()
    return review


def test_a_reviewer_sees_changes_and_escalation_and_decides_with_the_keyboard(reviewer: Page, late: Review) -> None:
    page = reviewer
    page.goto("/reviews?tab=late")
    row = page.locator("#review-list li", has_text="Fresh beans")
    expect(row).to_contain_text("Late")
    expect(row).to_contain_text("Admins told")
    row.get_by_role("link").click()
    expect(page.locator(".diff del")).to_have_text("Friday")
    expect(page.locator(".diff ins").last).to_have_text("Saturday")
    expect(page.locator("mark.hit-review")).to_have_text("Fresh beans")
    expect(page.get_by_text("UWG § 5")).to_be_visible()
    expect(page.locator(".review-events")).to_contain_text("Escalated")
    expect(page.locator("#claim")).to_contain_text("Yours until")
    page.keyboard.press("c")
    page.keyboard.type("Say which Saturday.")
    page.keyboard.press("Control+Enter")
    expect(page.get_by_text("Sent back. The author is told what to change.")).to_be_visible()
    with workspace_scope(late.workspace_id):
        assert Review.objects.get(pk=late.pk).reason == "Say which Saturday."
        assert Delivery.objects.get().state == "draft"
    assert page.faults == []


@pytest.fixture
def shared(workspace: Workspace, alice_actor: Actor, bob_actor: Actor) -> tuple[Post, str]:
    """A post in review, and the token of a link that opens its campaign."""
    with workspace_scope(workspace.pk):
        campaign = create_campaign(by=alice_actor, name="Spring")
        post = add_post(bob_actor, add_connection(workspace), text=BEFORE, campaign=campaign)
        submit_post(post, by=bob_actor)
        link = create_link(by=alice_actor, name="Ms Chen", scope_id=campaign.pk, scope_label="Campaign Spring")
    return post, link[1]


def test_a_client_approves_by_link_on_a_phone(visitor: Page, shared: tuple[Post, str]) -> None:
    page, (post, token) = visitor, shared
    page.set_viewport_size({"width": 390, "height": 844})
    page.goto(f"/review/{token}")
    expect(page.get_by_role("heading", name="For your approval")).to_be_visible()
    expect(page.get_by_text(BEFORE)).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth <= document.documentElement.clientWidth")
    page.get_by_label("Your name").fill("Chen Li")
    page.get_by_role("button", name="Approve").click()
    expect(page.get_by_text("Approved. Thank you.")).to_be_visible()
    assert page.context.cookies() == []
    assert page.faults == []
    with workspace_scope(post.workspace_id):
        assert Delivery.objects.get(post=post).state == "approved"
        assert Review.objects.get().decided_label.startswith("Chen Li (client: Ms Chen")
