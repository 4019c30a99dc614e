from datetime import timedelta

import pytest
import requests

from accounts.models import Event, Notification
from campaigns.models import Attempt, Delivery
from compliance.models import Fingerprint
from lib.clock import now
from social.models import Connection

State, Outcome = Delivery.State, Attempt.Outcome
CREATE = "POST /2/tweets"
AFTER_QUIET = 40


@pytest.mark.parametrize(
    ("kind", "params"),
    [
        ("accept_then_drop", {}),
        ("accept_then_hang", {"seconds": 3}),
        ("slow_headers", {"seconds": 3}),
        ("late_accept", {"seconds": 0}),
    ],
)
def test_a_post_that_was_taken_without_an_answer_is_found_and_never_sent_again(
    due, tick, sandbox, reload, live, kind, params
):
    delivery = due("Did it go out?")
    sandbox.fault(kind, route=CREATE, **params)
    tick()
    assert reload(delivery).state == State.UNCONFIRMED
    tick(AFTER_QUIET)
    found = reload(delivery)
    assert live() == ["Did it go out?"]
    assert (found.state, found.live_parts.get().was_found) == (State.PUBLISHED, True)
    assert found.attempts.get().outcome == Outcome.ACCEPTED


@pytest.mark.parametrize(
    ("kind", "params"),
    [("drop_before_accept", {}), ("html_5xx", {}), ("json_list_error", {"status": 503}), ("status", {"status": 500})],
)
def test_a_post_that_was_not_taken_is_sent_once_more_after_looking(due, tick, sandbox, reload, live, kind, params):
    delivery = due("Not there yet")
    sandbox.fault(kind, route=CREATE, **params)
    tick()
    assert reload(delivery).state == State.UNCONFIRMED
    tick(AFTER_QUIET)
    looked = reload(delivery)
    assert (looked.state, looked.failures) == (State.RETRY_WAIT, 1)
    assert live() == []
    tick(AFTER_QUIET + 60)
    assert live() == ["Not there yet"]
    assert reload(delivery).state == State.PUBLISHED


def test_nobody_looks_before_the_quiet_period_is_over(due, tick, sandbox, reload):
    delivery = due("Wait for it")
    sandbox.fault("accept_then_drop", route=CREATE)
    tick()
    assert tick(25).look_up == []
    assert reload(delivery).state == State.UNCONFIRMED


def test_a_post_that_shows_up_late_is_not_sent_twice(due, tick, sandbox, reload, live, settings):
    delivery = due("Slow timeline")
    sandbox.fault("accept_then_drop", route=CREATE)
    sandbox.fault("drop_before_accept", route="GET /2/users/{id}/tweets")
    tick()
    tick(AFTER_QUIET)
    assert reload(delivery).state == State.UNCONFIRMED
    tick(AFTER_QUIET + 60)
    assert live() == ["Slow timeline"]
    assert reload(delivery).state == State.PUBLISHED


def test_a_duplicate_refusal_after_a_lost_answer_leads_to_the_live_post(due, tick, sandbox, reload, live):
    delivery = due("Twice is once")
    sandbox.fault("accept_then_drop", route=CREATE)
    tick()
    Delivery.objects.filter(pk=delivery.pk).update(state=State.RETRY_WAIT, due_at=now())
    delivery.attempts.update(submitting_part=None, outcome=Outcome.REFUSED)
    tick()
    assert reload(delivery).problem_code == "duplicate"
    tick(AFTER_QUIET)
    assert live() == ["Twice is once"]
    assert reload(delivery).state == State.PUBLISHED


def test_a_duplicate_of_an_older_post_is_never_adopted(due, tick, sandbox, reload, live):
    first = due("Evergreen")
    Fingerprint.objects.all().delete()
    second = due("Evergreen")
    tick()
    for later in (1, AFTER_QUIET, 120, 240, 400, 600, 900, 1200):
        tick(later)
    assert live() == ["Evergreen"]
    assert reload(first).state == State.PUBLISHED
    assert (reload(second).state, reload(second).problem_code) == (State.FAILED, "duplicate")


def test_the_rate_limit_makes_the_whole_account_wait_and_costs_no_retry(due, tick, sandbox, reload, connection, live):
    first, second = due("First"), due("Second")
    sandbox.fault("rate_limit", route=CREATE, seconds=30)
    tick()
    waiting = reload(first)
    assert (waiting.state, waiting.failures, waiting.problem_code) == (State.RETRY_WAIT, 0, "rate_limited")
    assert waiting.due_at > now() + timedelta(seconds=20)
    assert tick(10).publish == []
    sandbox.advance(60)
    tick(90)
    tick(91)
    assert sorted(live()) == ["First", "Second"]
    assert reload(second).state == State.PUBLISHED


def test_a_rejected_token_is_refreshed_and_the_post_goes_out(due, tick, sandbox, reload, live):
    delivery = due("New token, please")
    sandbox.fault("token_expired", route=CREATE)
    tick()
    tick(60)
    assert live() == ["New token, please"]
    assert reload(delivery).state == State.PUBLISHED


def test_a_dead_log_in_holds_the_post_until_the_account_is_connected_again(
    due, tick, sandbox, reload, connection, connected, live, alice
):
    delivery = due("Waiting for you")
    sandbox.fault("token_expired", route=CREATE, count=5)
    sandbox.fault("refresh_family_revoked")
    tick()
    connection.refresh_from_db()
    assert connection.status == Connection.Status.RECONNECT
    assert reload(delivery).state == State.RETRY_WAIT
    assert tick(60).publish == []
    assert Notification.objects.filter(user=alice, kind="connection").exists()
    requests.delete(f"{sandbox.url}/_sandbox/faults", timeout=10).raise_for_status()
    assert connected() == connection
    tick(61)
    assert reload(delivery).state == State.PUBLISHED


@pytest.mark.parametrize(("kind", "code"), [("credits_depleted", "credits"), ("usage_cap", "usage_cap")])
def test_no_credits_and_the_monthly_cap_pause_the_account(due, tick, sandbox, reload, connection, kind, code):
    delivery = due("Costs money")
    sandbox.fault(kind, route=CREATE)
    tick()
    connection.refresh_from_db()
    assert connection.status == Connection.Status.PAUSED
    assert connection.status_text
    assert (reload(delivery).state, reload(delivery).problem_code) == (State.RETRY_WAIT, code)
    assert tick(60).publish == []


def test_a_final_refusal_fails_at_once_and_says_why(due, tick, sandbox, reload, alice):
    delivery = due("Forbidden fruit")
    sandbox.fault("status", route=CREATE, status=403)
    tick()
    failed = reload(delivery)
    assert (failed.state, failed.problem_code, failed.due_at) == (State.FAILED, "forbidden", None)
    assert failed.attempts.get().http_status == 403
    assert Notification.objects.filter(user=alice, kind="delivery.failed").count() == 1


@pytest.mark.parametrize(
    ("kind", "params", "told"),
    [
        ("status", {"status": 403}, "delivery.failed"),
        ("read_lag", {"seconds": 0}, "delivery.published"),
        ("accept_then_drop", {}, "delivery.published"),
    ],
    ids=["refused", "taken", "found"],
)
def test_every_end_of_a_delivery_is_in_the_outbox(due, tick, sandbox, kind, params, told):
    delivery = due("Over and out")
    sandbox.fault(kind, route=CREATE, **params)
    tick()
    tick(AFTER_QUIET)
    events = Event.objects.filter(kind__in=["delivery.published", "delivery.failed"])
    assert [(event.kind, event.payload["delivery"]) for event in events] == [(told, str(delivery.pk))]


def test_retries_end_after_the_limit(due, tick, sandbox, reload, settings):
    delivery = due("Never")
    sandbox.fault("html_5xx", route=CREATE, count=50)
    for later in range(0, 4000, 100):
        tick(later)
    failed = reload(delivery)
    assert failed.state == State.FAILED
    assert failed.attempts.count() == settings.RETRY_LIMIT + 1


def test_an_unreachable_network_is_a_plain_retry(due, tick, reload, settings):
    delivery = due("Nobody home")
    settings.X_API_BASE_URL = "http://127.0.0.1:9"
    tick()
    waiting = reload(delivery)
    assert (waiting.state, waiting.problem_code, waiting.failures) == (State.RETRY_WAIT, "unreachable", 1)


def test_look_ups_that_never_succeed_end_with_a_person(due, tick, sandbox, reload, alice):
    delivery = due("Cannot see")
    sandbox.fault("accept_then_drop", route=CREATE)
    tick()
    Delivery.objects.filter(pk=delivery.pk).update(lookups=50)
    sandbox.fault("html_5xx", route="GET /2/users/{id}/tweets")
    tick(AFTER_QUIET)
    asked = reload(delivery)
    assert (asked.state, asked.due_at) == (State.UNCONFIRMED, None)
    assert Notification.objects.filter(user=alice, kind="delivery.unconfirmed").count() == 2
