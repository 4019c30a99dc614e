from datetime import UTC, datetime, time, timedelta

import pytest
from django.test import Client

from campaigns.models import Attempt, Delivery, LivePart, Slot
from lib.clock import now
from tests.campaigns.cast import set_state

ACTS = ["schedule", "next-slot", "publish", "unschedule", "cancel", "live", "again"]


def url(delivery: Delivery, act: str) -> str:
    return f"/deliveries/{delivery.pk}/{act}"


def fresh(delivery: Delivery) -> Delivery:
    return Delivery.objects.get(pk=delivery.pk)


@pytest.fixture
def unconfirmed(delivery: Delivery) -> Delivery:
    set_state(delivery.post, "unconfirmed", fence=1)
    Attempt.objects.create(
        workspace=delivery.workspace,
        delivery=delivery,
        number=1,
        submitting_part=0,
        submitting_at=now() - timedelta(hours=1),
    )
    return delivery


def test_a_time_is_set_in_the_zone_of_the_workspace(bob_client: Client, delivery: Delivery) -> None:
    answer = bob_client.post(url(delivery, "schedule"), {"at": "2030-07-01T09:00"})
    assert answer["Location"] == f"/deliveries/{delivery.pk}"
    assert fresh(delivery).scheduled_at == datetime(2030, 7, 1, 7, tzinfo=UTC)


@pytest.mark.parametrize(
    ("at", "note"), [("2027-03-28T02:30", "02:30 does not exist, so it goes out at 03:30"), ("2027-03-28T03:30", "")]
)
def test_a_time_that_the_clocks_skip_is_said_to_move(
    bob_client: Client, delivery: Delivery, at: str, note: str
) -> None:
    page = bob_client.post(url(delivery, "schedule"), {"at": at}, follow=True).content.decode()
    assert ("Clocks go forward" in page) is bool(note)
    assert note in page
    assert fresh(delivery).scheduled_at == datetime(2027, 3, 28, 1, 30, tzinfo=UTC)


def test_a_button_on_the_page_of_the_post_leads_back_there(bob_client: Client, delivery: Delivery) -> None:
    answer = bob_client.post(url(delivery, "schedule"), {"at": "2030-07-01T09:00", "page": "post"})
    assert answer["Location"] == f"/posts/{delivery.post_id}"


@pytest.mark.parametrize(("at", "reason"), [("", "Give a date"), ("2020-01-01T09:00", "has passed")])
@pytest.mark.parametrize("page", ["post", "delivery"])
def test_a_time_that_cannot_be_is_refused_on_the_same_page(
    bob_client: Client, delivery: Delivery, page: str, at: str, reason: str
) -> None:
    answer = bob_client.post(url(delivery, "schedule"), {"at": at, "page": page})
    assert answer.status_code == 422
    assert reason in answer.content.decode()
    assert fresh(delivery).scheduled_at is None


def test_the_next_free_slot_is_taken(bob_client: Client, delivery: Delivery) -> None:
    day = (now() + timedelta(days=1)).date()
    Slot.objects.create(
        workspace=delivery.workspace,
        connection=delivery.connection,
        weekday=day.weekday(),
        time=time(9),
        time_zone="UTC",
    )
    bob_client.post(url(delivery, "next-slot"))
    assert fresh(delivery).scheduled_at == datetime.combine(day, time(9), UTC)


def test_without_slots_the_page_says_what_to_do(bob_client: Client, delivery: Delivery) -> None:
    page = bob_client.post(url(delivery, "next-slot"))
    assert page.status_code == 409
    assert "Add some on its page, or pick a time." in page.content.decode()


def test_publish_now_makes_it_due(bob_client: Client, delivery: Delivery, approved) -> None:
    approved(delivery.post)
    bob_client.post(url(delivery, "publish"))
    assert fresh(delivery).state == "scheduled"
    assert fresh(delivery).due_at <= now()


def test_nothing_unapproved_is_published(bob_client: Client, delivery: Delivery) -> None:
    page = bob_client.post(url(delivery, "publish"))
    assert page.status_code == 409
    assert "needs an approval first" in page.content.decode()
    assert fresh(delivery).state == "draft"


def test_unscheduling_keeps_the_approval(bob_client: Client, delivery: Delivery, approved) -> None:
    approved(delivery.post)
    bob_client.post(url(delivery, "schedule"), {"at": "2030-07-01T09:00"})
    bob_client.post(url(delivery, "unschedule"))
    assert (fresh(delivery).state, fresh(delivery).scheduled_at) == ("approved", None)


def test_canceling_ends_it(bob_client: Client, delivery: Delivery) -> None:
    bob_client.post(url(delivery, "cancel"))
    assert fresh(delivery).state == "canceled"


def test_it_is_too_late_to_cancel_what_is_live(bob_client: Client, delivery: Delivery) -> None:
    set_state(delivery.post, "published", published_at=now())
    page = bob_client.post(url(delivery, "cancel"))
    assert page.status_code == 409
    assert "too late to cancel" in page.content.decode()


def test_a_link_settles_what_was_uncertain(bob_client: Client, unconfirmed: Delivery) -> None:
    bob_client.post(url(unconfirmed, "live"), {"link": "https://x.com/roastery/status/1234"})
    assert fresh(unconfirmed).state == "published"
    assert LivePart.objects.get().remote_id == "1234"


def test_a_link_that_is_none_is_refused_beside_its_field_and_kept(bob_client: Client, unconfirmed: Delivery) -> None:
    page = bob_client.post(url(unconfirmed, "live"), {"link": "somewhere"})
    html = page.content.decode()
    assert page.status_code == 422
    assert "Paste the link" in html.split('id="link-error"')[1][:900]
    assert 'value="somewhere"' in html
    assert fresh(unconfirmed).state == "unconfirmed"


def test_it_is_not_there_so_it_is_sent_again(bob_client: Client, unconfirmed: Delivery) -> None:
    bob_client.post(url(unconfirmed, "again"))
    assert fresh(unconfirmed).state == "retry_wait"
    assert Attempt.objects.get().outcome == "refused"


def test_what_is_settled_cannot_be_sent_again(bob_client: Client, unconfirmed: Delivery) -> None:
    bob_client.post(url(unconfirmed, "live"), {"link": "1234"})
    assert bob_client.post(url(unconfirmed, "again")).status_code == 409
    assert fresh(unconfirmed).state == "published"


@pytest.mark.parametrize("act", ACTS)
@pytest.mark.parametrize("client", ["rita_client", "vic_client"])
def test_only_who_may_publish_acts(
    client: str, act: str, request: pytest.FixtureRequest, unconfirmed: Delivery
) -> None:
    data = {"at": "2030-07-01T09:00", "link": "1234"}
    assert request.getfixturevalue(client).post(url(unconfirmed, act), data).status_code == 403
    assert fresh(unconfirmed).state == "unconfirmed"


@pytest.mark.parametrize("act", ACTS)
def test_a_stranger_finds_nothing_to_act_on(charlie_client: Client, delivery: Delivery, act: str) -> None:
    assert charlie_client.post(url(delivery, act)).status_code == 404


@pytest.mark.parametrize("act", ACTS)
def test_an_act_is_never_a_link(bob_client: Client, delivery: Delivery, act: str) -> None:
    assert bob_client.get(url(delivery, act)).status_code == 405
