from datetime import UTC, datetime, time, timedelta

import pytest
from django.db import connection as database
from django.test.utils import CaptureQueriesContext

from campaigns.models import Campaign, Delivery, LivePart
from campaigns.slots import add_slot, upcoming
from lib.clock import now
from tests.campaigns.cast import add_connection, add_post

pytestmark = pytest.mark.django_db
URL = "/api/deliveries"
LATER = datetime(2090, 1, 1, 9, tzinfo=UTC)


@pytest.fixture
def bob_api(api, bob):
    return api(bob)


@pytest.fixture
def roastery(in_workspace):
    return add_connection(in_workspace)


@pytest.fixture
def delivery(bob_actor, roastery) -> Delivery:
    return Delivery.objects.get(post=add_post(bob_actor, roastery, title="Beans"))


@pytest.fixture
def approved(delivery) -> Delivery:
    Delivery.objects.update(state="approved", approved_hash="hash", approved_at=now())
    return delivery


@pytest.fixture
def uncertain(delivery) -> Delivery:
    Delivery.objects.update(state="unconfirmed", fence=1, problem_code="timeout", problem_text="No answer.")
    delivery.attempts.create(
        workspace=delivery.workspace,
        number=1,
        outcome="unknown",
        submitting_part=0,
        http_status=503,
        request_id="abc",
        raw="the platform's own words",
    )
    return delivery


def at(delivery: Delivery, act: str = "") -> str:
    return f"{URL}/{delivery.pk}{act}"


def act(client, delivery: Delivery, name: str, **body):
    return client.post(at(delivery, f"/{name}"), body, format="json")


def stored(delivery: Delivery) -> Delivery:
    return Delivery.objects.get(pk=delivery.pk)


# --- read ---------------------------------------------------------------------------------------------------


def test_list_names_post_account_and_state(bob_api, delivery, roastery):
    (row,) = bob_api.get(URL).json()["results"]
    assert (row["id"], row["post"], row["title"], row["state"]) == (
        str(delivery.pk),
        str(delivery.post_id),
        "Beans",
        "draft",
    )
    assert row["connection"] == {"id": str(roastery.pk), "network": "x", "handle": "roastery"}
    assert row["problem"] is None


def test_list_says_what_is_wrong(bob_api, uncertain):
    (row,) = bob_api.get(URL).json()["results"]
    assert row["problem"] == {"code": "timeout", "text": "No answer."}


@pytest.fixture
def three(bob_actor, in_workspace, delivery):
    """One of a campaign, one to another account and one that is published."""
    campaign = Campaign.objects.create(workspace=in_workspace, name="Spring")
    other = add_connection(in_workspace, "bakery")
    add_post(bob_actor, other, title="Bread", campaign=campaign)
    Delivery.objects.filter(post__title="Bread").update(state="published")
    return {"campaign": campaign.pk, "connection": other.pk, "state": "published", "post": delivery.post_id}


@pytest.mark.parametrize(
    ("name", "title"), [("campaign", "Bread"), ("connection", "Bread"), ("state", "Bread"), ("post", "Beans")]
)
def test_list_can_be_cut(bob_api, three, name, title):
    rows = bob_api.get(URL, {name: three[name]}).json()["results"]
    assert [row["title"] for row in rows] == [title]


def test_filter_that_makes_no_sense_is_refused(bob_api):
    answer = bob_api.get(URL, {"state": "nonsense", "post": "7"})
    assert answer.json()["errors"].keys() == {"state", "post"}


def test_list_asks_as_often_for_20_rows_as_for_10(bob_api, bob_actor, roastery):
    for number in range(10):
        add_post(bob_actor, roastery, text=str(number))
    bob_api.get(URL)
    with CaptureQueriesContext(database) as ten:
        bob_api.get(URL)
    for number in range(10):
        add_post(bob_actor, roastery, text=str(number))
    with CaptureQueriesContext(database) as twenty:
        assert len(bob_api.get(URL).json()["results"]) == 20
    assert len(twenty) == len(ten)


def test_receipt_shows_every_attempt_without_the_raw_answer(bob_api, uncertain):
    (attempt,) = bob_api.get(at(uncertain)).json()["attempts"]
    assert (attempt["number"], attempt["outcome"], attempt["http_status"], attempt["request_id"]) == (
        1,
        "unknown",
        503,
        "abc",
    )
    assert "raw" not in attempt


def test_receipt_shows_what_is_live(bob_api, delivery, roastery):
    LivePart.objects.create(
        workspace=delivery.workspace,
        delivery=delivery,
        connection=roastery,
        position=0,
        content_hash="h",
        remote_id="77",
        url="https://x.com/roastery/status/77",
    )
    (part,) = bob_api.get(at(delivery)).json()["live_parts"]
    assert (part["remote_id"], part["url"], part["was_found"]) == ("77", "https://x.com/roastery/status/77", False)


def test_receipt_shows_the_hash_of_what_would_be_sent_beside_the_approved_one(bob_api, approved):
    body = bob_api.get(at(approved)).json()
    assert (len(body["content_hash"]), body["approved_hash"]) == (64, "hash")


# --- time ---------------------------------------------------------------------------------------------------


def test_draft_remembers_its_plan(bob_api, delivery):
    answer = act(bob_api, delivery, "schedule", at=LATER.isoformat())
    assert (answer.status_code, answer.json()["state"], answer.json()["due_at"]) == (200, "draft", None)
    assert stored(delivery).scheduled_at == LATER


def test_approved_one_is_scheduled(bob_api, approved):
    answer = act(bob_api, approved, "schedule", at="2090-01-01T10:00:00+01:00")
    assert (answer.json()["state"], answer.json()["due_at"]) == ("scheduled", "2090-01-01T09:00:00Z")


@pytest.mark.parametrize("value", ["soon", "2020-01-01T09:00:00Z", None])
def test_time_that_cannot_be_kept_is_refused(bob_api, approved, value):
    answer = act(bob_api, approved, "schedule", at=value)
    assert (answer.status_code, list(answer.json()["errors"])) == (400, ["at"])
    assert stored(approved).state == "approved"


def test_approved_one_is_published_now(bob_api, approved):
    assert act(bob_api, approved, "publish").json()["state"] == "scheduled"
    assert now() - stored(approved).due_at < timedelta(minutes=1)


def test_unapproved_one_is_never_published(bob_api, delivery):
    answer = act(bob_api, delivery, "publish")
    assert (answer.status_code, answer.json()["code"]) == (409, "not_allowed_now")
    assert (stored(delivery).state, stored(delivery).due_at) == ("draft", None)


def test_next_slot_is_the_first_free_one(bob_api, approved, bob_actor, roastery):
    add_slot(roastery, by=bob_actor, weekdays=[0], at=time(9), time_zone="Europe/Berlin")
    assert act(bob_api, approved, "next-slot").json()["state"] == "scheduled"
    assert stored(approved).scheduled_at == next(upcoming(roastery, now()))


def test_account_without_slots_has_no_next_one(bob_api, approved):
    assert act(bob_api, approved, "next-slot").status_code == 409


def test_unscheduled_one_stays_approved(bob_api, approved):
    act(bob_api, approved, "schedule", at=LATER.isoformat())
    assert act(bob_api, approved, "unschedule").json()["state"] == "approved"
    assert stored(approved).scheduled_at is None


def test_canceled_one_loses_its_approval(bob_api, approved):
    assert act(bob_api, approved, "cancel").json()["state"] == "canceled"
    assert stored(approved).approved_hash == ""


@pytest.mark.parametrize("name", ["publish", "next-slot", "unschedule", "cancel"])
def test_published_one_can_no_longer_be_moved(bob_api, approved, name, roastery, bob_actor):
    add_slot(roastery, by=bob_actor, weekdays=[0], at=time(9), time_zone="Europe/Berlin")
    Delivery.objects.update(state="published")
    assert act(bob_api, approved, name).status_code == 409
    assert stored(approved).state == "published"


# --- what a person settles ------------------------------------------------------------------------------------


def test_person_confirms_that_it_is_live(bob_api, uncertain):
    answer = act(bob_api, uncertain, "confirm-live", link="https://x.com/roastery/status/77")
    assert (answer.json()["state"], answer.json()["live_parts"][0]["remote_id"]) == ("published", "77")


def test_link_that_is_none_is_refused(bob_api, uncertain):
    answer = act(bob_api, uncertain, "confirm-live", link="somewhere")
    assert (answer.status_code, list(answer.json()["errors"])) == (400, ["link"])


def test_person_says_it_is_to_be_sent_again(bob_api, uncertain):
    assert act(bob_api, uncertain, "send-again").json()["state"] == "retry_wait"


@pytest.mark.parametrize(("name", "body"), [("confirm-live", {"link": "77"}), ("send-again", {})])
def test_settled_one_is_a_conflict(bob_api, approved, name, body):
    assert act(bob_api, approved, name, **body).status_code == 409


def test_same_key_acts_once(bob_api, approved):
    for _ in range(2):
        answer = bob_api.post(at(approved, "/publish"), HTTP_IDEMPOTENCY_KEY="once")
        assert answer.status_code == 200
    assert stored(approved).state == "scheduled"
