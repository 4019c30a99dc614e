from datetime import timedelta

import pytest

from accounts.models import Event, Notification, Workspace
from campaigns.deliveries import publish_now, schedule_delivery
from campaigns.models import Delivery, PublishingLog
from compliance.models import Fingerprint
from lib.clock import now

State = Delivery.State
TWO_HOURS = 7200


@pytest.fixture
def policy(in_workspace):
    def choose(value: str, minutes: int = 60) -> None:
        Workspace.objects.filter(pk=in_workspace.pk).update(late_policy=value, late_minutes=minutes)

    return choose


@pytest.mark.parametrize(
    ("value", "state", "texts"),
    [("ask", State.MISSED, []), ("send", State.PUBLISHED, ["Good morning"]), ("drop", State.CANCELED, [])],
)
def test_what_becomes_of_a_late_post(policy, due, tick, live, reload, value, state, texts):
    policy(value)
    delivery = due("Good morning")
    tick(TWO_HOURS)
    assert (reload(delivery).state, live()) == (state, texts)


@pytest.mark.parametrize("value", ["ask", "send", "drop"])
def test_a_little_late_is_on_time(policy, due, tick, live, value):
    policy(value)
    due("Good morning")
    tick(59 * 60)
    assert live() == ["Good morning"]


def test_a_workspace_may_be_stricter(policy, due, tick, reload):
    policy("ask", minutes=5)
    delivery = due("Good morning")
    tick(6 * 60)
    assert reload(delivery).state == State.MISSED


def test_what_was_missed_asks(policy, due, tick, reload, alice):
    policy("ask")
    delivery = due("Good morning")
    tick(TWO_HOURS)
    assert reload(delivery).problem_text.startswith("It could not be sent in time.")
    note = Notification.objects.get(user=alice, kind="delivery.missed")
    assert (note.path, "Send it now, move it or drop it" in note.text) == (f"/deliveries/{delivery.pk}", True)


def test_what_was_missed_can_still_be_sent(policy, due, tick, live, alice_actor):
    policy("ask")
    delivery = due("Good morning")
    tick(TWO_HOURS)
    publish_now(delivery, by=alice_actor)
    tick(1)
    assert live() == ["Good morning"]


def test_what_was_dropped_says_so_everywhere(policy, due, tick, reload, alice):
    policy("drop")
    delivery = due("Good morning")
    tick(TWO_HOURS)
    assert reload(delivery).problem_text == "Dropped: it could not be sent in time."
    assert Notification.objects.filter(user=alice, kind="delivery.dropped").exists()
    assert PublishingLog.objects.filter(delivery_id=delivery.pk, action="dropped").exists()
    assert Event.objects.filter(kind="delivery.dropped").exists()


def test_what_was_dropped_stays_dropped(policy, due, tick, live):
    policy("drop")
    due("Good morning")
    tick(TWO_HOURS)
    assert tick(TWO_HOURS + 60).publish == []
    assert live() == []


def test_the_text_of_what_was_dropped_may_be_used_again(policy, due, tick):
    policy("drop")
    due("Good morning, dear drinkers of coffee")
    tick(TWO_HOURS)
    assert not Fingerprint.objects.exists()


def test_many_at_once_are_told_in_one_message(policy, due, tick, alice):
    policy("drop")
    for number in range(3):
        due(f"Good morning number {number}")
    tick(TWO_HOURS)
    note = Notification.objects.get(user=alice, kind="delivery.dropped")
    assert note.text.startswith("3 posts: Dropped")


@pytest.mark.parametrize("value", ["ask", "drop"])
def test_a_thread_that_has_begun_is_always_finished(policy, channel, due, tick, telegram, value):
    policy(value)
    due("One", "Two", to=channel)
    tick()
    tick(TWO_HOURS)
    assert telegram.texts() == ["One", "Two"]


def test_time_spent_waiting_counts_from_the_plan(policy, draft, approve, tick, reload, alice_actor):
    policy("drop")
    delivery = schedule_delivery(approve(draft("Tomorrow")), now() + timedelta(hours=20), by=alice_actor)
    tick(20 * 3600 + 59 * 60 - TWO_HOURS)
    assert reload(delivery).state == State.SCHEDULED
    tick(20 * 3600 + 61 * 60)
    assert reload(delivery).state == State.CANCELED
