from datetime import timedelta

import pytest
from django.test import Client

from accounts.models import Membership, Role, User
from campaigns.models import Attempt, Delivery, LivePart
from campaigns.rendering import render
from campaigns.services import PartDraft, PostDraft, create_post, share_campaign
from lib.clock import now
from tests.campaigns.cast import add_post, set_state

HTMX = {"HX-Request": "true"}


def url(delivery: Delivery) -> str:
    return f"/deliveries/{delivery.pk}"


def add_attempt(delivery: Delivery, number: int = 1, **fields: object) -> Attempt:
    return Attempt.objects.create(workspace=delivery.workspace, delivery=delivery, number=number, **fields)


def add_live_part(delivery: Delivery, position: int = 0, **fields: object) -> LivePart:
    values = {
        "remote_id": f"19{position}",
        "url": f"https://x.com/roastery/status/19{position}",
        "content_hash": render(delivery).parts[position].content_hash,
    }
    return LivePart.objects.create(
        workspace=delivery.workspace,
        delivery=delivery,
        connection=delivery.connection,
        position=position,
        **values | fields,
    )


@pytest.fixture
def published(delivery: Delivery, approved) -> Delivery:
    approved(delivery.post)
    at = now()
    set_state(delivery.post, "published", published_at=at, scheduled_at=at - timedelta(seconds=4), fence=1)
    add_live_part(delivery)
    add_attempt(delivery, outcome="accepted", http_status=201, request_id="c0ffee", started_at=at, finished_at=at)
    return Delivery.objects.get(pk=delivery.pk)


def test_a_receipt_shows_link_hash_approval_and_answer(bob_client: Client, published: Delivery) -> None:
    html = bob_client.get(url(published)).content.decode()
    assert "https://x.com/roastery/status/190" in html
    assert render(published).parts[0].content_hash in html
    assert published.approved_hash in html
    assert "<dt>Approved by</dt><dd>Rita</dd>" in html
    assert "HTTP 201" in html
    assert "c0ffee" in html
    assert "<dt>Delay</dt><dd>4 s</dd>" in html


def test_a_part_found_on_the_account_says_so(bob_client: Client, delivery: Delivery) -> None:
    set_state(delivery.post, "published", published_at=now())
    add_live_part(delivery, was_found=True)
    assert "Found by look-up" in bob_client.get(url(delivery)).content.decode()


def test_a_broken_thread_tells_how_much_is_live(bob_client: Client, bob_actor, roastery) -> None:
    draft = PostDraft(parts=tuple(PartDraft(text) for text in "abc"), connections=(roastery.pk,))
    delivery = create_post(draft, by=bob_actor).deliveries.get()
    set_state(delivery.post, "failed")
    add_live_part(delivery)
    html = bob_client.get(url(delivery)).content.decode()
    assert "1 of 3 live" in html
    assert html.count("Not live yet.") == 2


def test_attempts_stand_newest_first_with_their_words(bob_client: Client, delivery: Delivery) -> None:
    add_attempt(delivery, 1, outcome="refused", http_status=503, code="unavailable", message="X is not available.")
    add_attempt(delivery, 2, outcome="unknown", code="timeout")
    html = bob_client.get(url(delivery)).content.decode()
    assert html.index("Attempt 2: unknown") < html.index("Attempt 1: refused")
    assert "X is not available." in html
    assert "HTTP 503" in html


def test_the_raw_answer_is_for_staff_only(
    bob_client: Client, client_of, staff: User, workspace, delivery: Delivery
) -> None:
    Membership.objects.create(user=staff, workspace=workspace, role=Role.VIEWER)
    add_attempt(delivery, outcome="refused", raw="internal <words>")
    assert "internal" not in bob_client.get(url(delivery)).content.decode()
    assert "internal &lt;words&gt;" in client_of(staff).get(url(delivery)).content.decode()


def test_a_failure_shows_its_reason_and_the_way_out(bob_client: Client, delivery: Delivery) -> None:
    set_state(delivery.post, "failed", problem_text="The account may not post.")
    html = bob_client.get(url(delivery)).content.decode()
    assert "The account may not post." in html
    assert "Send now" in html


@pytest.mark.parametrize(("code", "words"), [("", "It goes on at"), ("rate_limited", "It was refused for now.")])
def test_a_pause_between_two_parts_is_no_refusal(bob_client: Client, delivery: Delivery, code: str, words: str) -> None:
    set_state(delivery.post, "retry_wait", due_at=now() + timedelta(seconds=3), problem_code=code)
    assert words in bob_client.get(url(delivery)).content.decode()


def test_unconfirmed_asks_the_person(bob_client: Client, delivery: Delivery) -> None:
    set_state(delivery.post, "unconfirmed")
    html = bob_client.get(url(delivery)).content.decode()
    assert f"{url(delivery)}/live" in html
    assert f"{url(delivery)}/again" in html


def test_a_viewer_is_not_asked(vic_client: Client, delivery: Delivery) -> None:
    set_state(delivery.post, "unconfirmed")
    html = vic_client.get(url(delivery)).content.decode()
    assert "may be live or not" in html
    assert f"{url(delivery)}/again" not in html


# --- following it -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("state", ["publishing", "retry_wait", "unconfirmed"])
def test_the_page_follows_what_moves(bob_client: Client, delivery: Delivery, state: str) -> None:
    set_state(delivery.post, state, due_at=now())
    assert 'hx-trigger="every 2s"' in bob_client.get(url(delivery)).content.decode()


@pytest.mark.parametrize("state", ["draft", "in_review", "approved", "published", "failed", "missed", "canceled"])
def test_the_page_rests_when_nothing_moves(bob_client: Client, delivery: Delivery, state: str) -> None:
    set_state(delivery.post, state, published_at=now())
    assert "every 2s" not in bob_client.get(url(delivery)).content.decode()


@pytest.mark.parametrize(("minutes", "follows"), [(1, True), (60, False)])
def test_a_plan_is_followed_when_it_is_near(bob_client: Client, delivery, minutes: int, follows: bool) -> None:
    set_state(delivery.post, "scheduled", due_at=now() + timedelta(minutes=minutes))
    assert ("every 2s" in bob_client.get(url(delivery)).content.decode()) is follows


def poll(client: Client, delivery: Delivery, version: str):
    return client.get(url(delivery), {"seen": version}, headers=HTMX)


def test_a_poll_that_brings_nothing_new_leaves_the_page_alone(bob_client: Client, delivery: Delivery) -> None:
    set_state(delivery.post, "publishing")
    version = bob_client.get(url(delivery)).context["version"]
    assert poll(bob_client, delivery, version).status_code == 204


def test_a_poll_brings_what_changed(bob_client: Client, delivery: Delivery) -> None:
    set_state(delivery.post, "publishing")
    version = bob_client.get(url(delivery)).context["version"]
    set_state(delivery.post, "published", published_at=now())
    answer = poll(bob_client, delivery, version)
    assert answer.status_code == 200
    assert "every 2s" not in answer.content.decode()


def test_a_new_attempt_and_a_new_live_part_are_changes(bob_client: Client, delivery: Delivery) -> None:
    set_state(delivery.post, "publishing")
    version = bob_client.get(url(delivery)).context["version"]
    add_attempt(delivery)
    second = poll(bob_client, delivery, version).context["version"]
    add_live_part(delivery)
    assert poll(bob_client, delivery, second).status_code == 200


def test_a_page_left_open_stops_asking(bob_client: Client, delivery: Delivery) -> None:
    set_state(delivery.post, "failed")
    version = bob_client.get(url(delivery)).context["version"]
    # 286 tells htmx to stop polling.
    assert poll(bob_client, delivery, version).status_code == 286


# --- who --------------------------------------------------------------------------------------------------


def test_a_guest_reads_the_receipt_of_a_shared_campaign_only(
    gwen_client: Client, gwen: User, alice_actor, bob_actor, roastery, campaign
) -> None:
    delivery = add_post(bob_actor, roastery, campaign=campaign).deliveries.get()
    assert gwen_client.get(url(delivery)).status_code == 404
    share_campaign(campaign, gwen, by=alice_actor)
    html = gwen_client.get(url(delivery)).content.decode()
    assert "Fresh beans." in html
    assert "/schedule" not in html


def test_a_stranger_finds_nothing(charlie_client: Client, delivery: Delivery) -> None:
    assert charlie_client.get(url(delivery)).status_code == 404
