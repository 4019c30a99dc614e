"""Signed, in order for each object, at least once; what fails is tried again and holds up nothing else."""

import hashlib
import hmac
import json
from datetime import timedelta

import pytest

from accounts.models import Notification, Workspace
from integrations.models import WebhookDelivery, WebhookEndpoint, WebhookTry
from integrations.webhooks import pausing, sending
from integrations.webhooks.sending import TRIES, Claim, claim_due, send_claimed, send_on
from integrations.webhooks.services import resume_endpoint, rotate_secret
from lib import clock
from lib.clock import now

CEILINGS = [60, 240, 960, 3840, 15_360, 61_440, 86_400]
pytestmark = pytest.mark.django_db


@pytest.fixture
def one(endpoint, quiet, tell):
    """One that is due."""
    (row,) = tell(("run.failed", {"run": "1"}))
    return row


def fresh(row):
    row.refresh_from_db()
    return row


def signature(secret, headers, body):
    signed = f"{headers['X-Rostrum-Id']}.{headers['X-Rostrum-Timestamp']}.".encode() + body
    return "v2=" + hmac.new(secret.encode(), signed, hashlib.sha256).hexdigest()


def test_it_is_signed_and_told_once(endpoint, one, receiver, send):
    assert send() == 1
    assert send() == 0
    ((headers, body),) = receiver.heard
    assert headers["X-Rostrum-Signature"] == signature(endpoint.secret, headers, body)
    assert (headers["X-Rostrum-Id"], headers["X-Rostrum-Event"]) == (str(one.event_id), "run.failed")
    assert abs(int(headers["X-Rostrum-Timestamp"]) - now().timestamp()) < 60
    assert json.loads(body) == one.payload
    assert (fresh(one).status, one.tries, one.lease_until) == ("delivered", 1, None)
    logged = WebhookTry.objects.get()
    assert (logged.status_code, logged.answer, logged.problem_text) == (200, "thanks", "")
    endpoint.refresh_from_db()
    assert endpoint.last_ok_at


def test_both_secrets_sign_for_a_day(endpoint, one, receiver, send, alice_actor):
    old, new = endpoint.secret, rotate_secret(endpoint, by=alice_actor)
    send()
    headers, body = receiver.heard[0]
    assert headers["X-Rostrum-Signature"] == f"{signature(new, headers, body)},{signature(old, headers, body)}"
    endpoint.refresh_from_db()
    with clock.shifted(timedelta(hours=25)):
        headers = sending.headers_of(endpoint, one.payload, body)
    assert headers["X-Rostrum-Signature"] == signature(new, headers, body)


@pytest.mark.parametrize(
    ("status", "said"),
    [
        (500, "The receiver answered HTTP 500."),
        (404, "The receiver answered HTTP 404."),
        (302, "leads somewhere else"),
        (199 + 100, "The receiver answered HTTP 299."),
    ],
)
def test_only_2xx_is_success(one, receiver, send, status, said):
    receiver.answers.append((status, {"Location": "/elsewhere"}))
    send()
    logged = WebhookTry.objects.get()
    assert fresh(one).status == ("delivered" if status == 299 else "pending")
    assert logged.status_code == status
    assert said in logged.problem_text or status == 299
    assert len(receiver.heard) == 1


def test_what_fails_is_tried_later_and_later_and_given_up(one, receiver, send, no_jitter):
    receiver.always = 500
    waits, at = [], now()
    for _ in range(TRIES + 2):
        with clock.shifted(at - now()):
            send()
        fresh(one)
        waits.append(round((one.due_at - at).total_seconds()))
        at = one.due_at + timedelta(seconds=1)
    assert (one.status, one.tries, len(receiver.heard)) == ("failed", TRIES, TRIES)
    assert all(abs(wait - ceiling) < 5 for wait, ceiling in zip(waits, CEILINGS, strict=False))
    assert {headers["X-Rostrum-Id"] for headers, _body in receiver.heard} == {str(one.event_id)}
    assert len({body for _headers, body in receiver.heard}) == 1


def test_a_receiver_says_when_it_wants_to_be_called_again(one, receiver, send):
    receiver.answers.append((429, {"Retry-After": "7200"}))
    send()
    assert fresh(one).due_at - now() > timedelta(seconds=7190)


def test_an_address_inside_is_not_called(one, receiver, send, settings):
    settings.OUTBOUND_ALLOW_CIDRS = []
    send()
    assert receiver.heard == []
    assert "not on the public internet" in WebhookTry.objects.get().problem_text
    assert fresh(one).status == "pending"


def test_a_long_answer_is_cut(one, receiver, send):
    receiver.body = b"\x00\xff" + b"x" * 200_000
    send()
    assert fresh(one).status == "delivered"
    assert len(WebhookTry.objects.get().answer) == 1000


def test_events_of_one_object_go_out_in_their_order(endpoint, quiet, tell, receiver, send):
    kinds = ["run.waiting", "run.failed", "run.succeeded"]
    tell(*[(kind, {"run": "1"}) for kind in kinds])
    assert len(claim_due()) == 1
    WebhookDelivery.objects.update(lease_until=None)
    send()
    assert receiver.kinds == kinds


def test_a_failing_one_holds_only_its_own_object(endpoint, quiet, tell, receiver, send):
    receiver.answers.append((500, {}))
    rows = tell(("run.waiting", {"run": "1"}))
    send()
    rows = tell(("run.failed", {"run": "1"}), ("run.waiting", {"run": "2"}), ("report.ready", {"report": "1"}))
    send()
    assert [fresh(row).status for row in rows] == ["pending", "pending", "delivered", "delivered"]
    with clock.shifted(timedelta(minutes=2)):
        send()
    assert [fresh(row).status for row in rows] == ["delivered"] * 4
    assert receiver.kinds[-2:] == ["run.waiting", "run.failed"]


def test_what_was_given_up_lets_the_next_of_its_object_go(endpoint, quiet, tell, receiver, send):
    first, second = tell(("run.waiting", {"run": "1"}), ("run.failed", {"run": "1"}))
    WebhookDelivery.objects.filter(pk=first.pk).update(tries=TRIES - 1)
    receiver.answers.append((500, {}))
    send()
    assert [fresh(row).status for row in (first, second)] == ["failed", "delivered"]


def test_a_claim_is_good_for_one_call(one, receiver):
    (claim,) = claim_due()
    assert claim_due() == []
    assert send_claimed(claim)
    assert send_claimed(claim) is None
    assert len(receiver.heard) == 1


def test_a_claim_that_ran_out_is_nobodys(one, receiver):
    (claim,) = claim_due()
    with clock.shifted(timedelta(seconds=sending.LEASE_S + 1)):
        assert send_claimed(claim) is None
        (again,) = claim_due()
        assert again.fence > claim.fence
        assert send_claimed(again)
    assert len(receiver.heard) == 1


def test_an_answer_that_comes_after_the_lease_is_kept_but_moves_nothing(one, receiver):
    (claim,) = claim_due()
    row = sending._take(claim)
    WebhookDelivery.objects.filter(pk=row.pk).update(fence=row.fence + 1)
    sending._record(row, sending.Outcome(200, 5))
    assert (fresh(one).status, WebhookTry.objects.count()) == ("pending", 1)


def test_another_workspace_cannot_send_it(one, receiver, other_workspace):
    (claim,) = claim_due()
    assert send_claimed(Claim(other_workspace.pk, claim.delivery_id, claim.fence)) is None
    assert receiver.heard == []


def test_an_endpoint_bears_a_few_calls_at_a_time(endpoint, quiet, tell, receiver):
    tell(*[("run.waiting", {"run": str(n)}) for n in range(10)])
    claims = claim_due()
    assert len(claims) == sending.AT_ONCE
    assert claim_due() == []
    send_claimed(claims[0])
    assert len(claim_due()) == 1


def test_a_worker_goes_on_with_the_endpoint(endpoint, quiet, tell, receiver):
    tell(*[("run.waiting", {"run": str(n)}) for n in range(10)])
    assert send_on(claim_due(1)[0]) == 10
    assert len(receiver.heard) == 10


def test_a_suspended_workspace_calls_nobody(one, in_workspace, send):
    Workspace.objects.filter(pk=in_workspace.pk).update(is_suspended=True)
    assert send() == 0


def test_gone_for_good_pauses_at_once_and_people_are_told(endpoint, one, receiver, send, in_workspace, alice):
    receiver.answers.append((410, {}))
    send()
    endpoint.refresh_from_db()
    assert (endpoint.status, fresh(one).status) == ("paused", "pending")
    assert "410" in endpoint.status_text
    told = Notification.objects.get(kind="webhook.paused", user=alice)
    assert told.is_alert
    assert told.path == f"/settings/webhooks/{endpoint.pk}"


def test_after_many_failures_in_a_row_it_pauses_itself_and_what_waits_goes_on_later(
    endpoint, quiet, tell, receiver, send, alice_actor
):
    receiver.always = 503
    tell(*[("run.waiting", {"run": str(n)}) for n in range(30)])
    for n in range(pausing.MOST_FAILURES + 5):
        with clock.shifted(timedelta(minutes=11 * n)):
            send_claimed(claims[0]) if (claims := claim_due(1)) else None
    endpoint.refresh_from_db()
    assert (endpoint.status, endpoint.failures_in_row) == ("paused", pausing.MOST_FAILURES)
    assert Notification.objects.filter(kind="webhook.paused").count() == 1
    assert len(receiver.heard) == pausing.MOST_FAILURES
    assert send() == 0
    receiver.always = 200
    assert resume_endpoint(endpoint, by=alice_actor)
    assert send() == 30
    assert not WebhookDelivery.objects.exclude(status="delivered").exists()


def test_three_days_without_success_pause_it(endpoint, one, receiver, send):
    receiver.always = 500
    send()
    with clock.shifted(timedelta(days=2)):
        send()
    endpoint.refresh_from_db()
    assert endpoint.status == "active"
    with clock.shifted(timedelta(days=3, hours=1)):
        send()
    endpoint.refresh_from_db()
    assert (endpoint.status, endpoint.failures_in_row) == ("paused", 3)


def test_success_forgets_what_failed_before(endpoint, quiet, tell, receiver, send):
    tell(("run.waiting", {"run": "1"}))
    receiver.answers.append((500, {}))
    send()
    tell(("run.waiting", {"run": "2"}))
    send()
    endpoint.refresh_from_db()
    assert (endpoint.failures_in_row, endpoint.failing_since) == (0, None)


def test_an_outage_gives_the_endpoint_a_rest(endpoint, quiet, tell, receiver, send):
    receiver.always = 500
    tell(*[("run.waiting", {"run": str(n)}) for n in range(30)])
    send()
    assert pausing.OUTAGE <= len(receiver.heard) < pausing.OUTAGE + sending.AT_ONCE
    assert WebhookEndpoint.objects.get().rest_until > now()


def test_a_change_of_address_holds_for_what_waits(endpoint, one, receiver, send):
    WebhookEndpoint.objects.update(url=receiver.url.replace("/hook", "/new"))
    send()
    assert fresh(one).status == "delivered"
