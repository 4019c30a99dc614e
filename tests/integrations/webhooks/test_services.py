"""Making, changing, pausing, testing and replaying webhooks."""

from datetime import timedelta

import pytest
from django.core.exceptions import PermissionDenied, ValidationError
from django.http import Http404

from accounts.models import AuditEntry
from integrations.models import WebhookDelivery, WebhookEndpoint, WebhookTry
from integrations.webhooks import services
from integrations.webhooks.pausing import pause_itself
from integrations.webhooks.services import (
    create_endpoint,
    delete_endpoint,
    pause_endpoint,
    replay_delivery,
    replay_failed,
    resume_endpoint,
    rotate_secret,
    try_endpoint,
    update_endpoint,
)
from lib.clock import now

pytestmark = pytest.mark.django_db
URL = "https://hooks.invalid/rostrum"
LONG_AGO = now() - timedelta(days=40)


def audited():
    return list(
        AuditEntry.objects.filter(action__startswith="webhook.").order_by("number").values_list("action", flat=True)
    )


def test_each_has_a_secret_of_its_own_that_is_stored_encrypted(in_workspace, alice_actor):
    made = [create_endpoint(URL, ["*"], by=alice_actor) for _ in range(2)]
    assert len({secret for _row, secret in made}) == 2
    assert all(secret.startswith("whsec_") and row.secret == secret for row, secret in made)
    assert audited() == ["webhook.create"] * 2


def test_trail_holds_no_query_of_an_address(in_workspace, alice_actor):
    row, _secret = create_endpoint(f"{URL}?token=hunter2#more", ["*"], by=alice_actor)
    update_endpoint(row, by=alice_actor, url=f"{URL}/2?token=hunter3")
    rotate_secret(row, by=alice_actor)
    pause_endpoint(row, by=alice_actor)
    resume_endpoint(row, by=alice_actor)
    pause_itself(row, "Its calls failed.")
    delete_endpoint(row, by=alice_actor)
    found = list(AuditEntry.objects.filter(action__startswith="webhook.").values_list("detail__data", flat=True))
    assert len(found) == 7
    assert all(URL in str(data) for data in found)
    assert not any(word in str(found) for word in ("hunter", "token", "more"))


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("ftp://example.org", "not a web address"),
        ("no address", "not a web address"),
        ("https://user:pass@example.org/", "Leave the name and the password"),
        ("http://127.0.0.1/", "not on the public internet"),
        ("http://169.254.169.254/latest", "not on the public internet"),
        ("http://[::1]:8080/", "not on the public internet"),
    ],
)
def test_an_address_that_cannot_be_called_is_refused(in_workspace, alice_actor, settings, url, said):
    settings.OUTBOUND_ALLOW_CIDRS = []
    with pytest.raises(ValidationError) as refused:
        create_endpoint(url, ["*"], by=alice_actor)
    assert said in refused.value.message_dict["url"][0]
    assert not WebhookEndpoint.objects.exists()


@pytest.mark.parametrize("kinds", [[], ["nothing"], ["delivery"], ["nothing."], ["run.failed", "moon.rose"]])
def test_kinds_that_do_not_exist_are_refused(in_workspace, alice_actor, kinds):
    with pytest.raises(ValidationError) as refused:
        create_endpoint(URL, kinds, by=alice_actor)
    assert "kinds" in refused.value.message_dict


@pytest.mark.parametrize(
    ("kinds", "kept"),
    [
        (["run.failed", "run.failed"], ["run.failed"]),
        (["run.", "*"], ["*"]),
        (["delivery.", "report.ready"], ["delivery.", "report.ready"]),
    ],
)
def test_kinds_are_kept_once(in_workspace, alice_actor, kinds, kept):
    assert create_endpoint(URL, kinds, by=alice_actor)[0].kinds == kept


def test_a_workspace_has_so_many_at_most(in_workspace, alice_actor, monkeypatch):
    monkeypatch.setattr(services, "MOST_ENDPOINTS", 1)
    create_endpoint(URL, ["*"], by=alice_actor)
    with pytest.raises(ValidationError, match="at most 1"):
        create_endpoint(URL, ["*"], by=alice_actor)


def test_a_change_is_written_down_once(endpoint, alice_actor):
    update_endpoint(endpoint, by=alice_actor, label="Chat", kinds=["run."])
    update_endpoint(endpoint, by=alice_actor, label="Chat")
    endpoint.refresh_from_db()
    assert (endpoint.label, endpoint.kinds) == ("Chat", ["run."])
    assert audited() == ["webhook.create", "webhook.update"]


def test_a_second_rotation_forgets_the_first_secret(endpoint, alice_actor):
    first = endpoint.secret
    second, third = rotate_secret(endpoint, by=alice_actor), rotate_secret(endpoint, by=alice_actor)
    endpoint.refresh_from_db()
    assert len({first, second, third}) == 3
    assert (endpoint.secret, endpoint.old_secret) == (third, second)


def test_pausing_and_resuming_happen_once(endpoint, alice_actor):
    assert [pause_endpoint(endpoint, by=alice_actor) for _ in range(2)] == [True, False]
    assert endpoint.status_text == "Paused by alice@example.org."
    assert [resume_endpoint(endpoint, by=alice_actor) for _ in range(2)] == [True, False]
    assert (endpoint.status, endpoint.status_text) == ("active", "")
    assert audited() == ["webhook.create", "webhook.pause", "webhook.resume"]


def test_what_waits_is_not_sent_while_it_is_paused(endpoint, quiet, tell, receiver, send, alice_actor):
    tell(("run.failed", {"run": "1"}))
    pause_endpoint(endpoint, by=alice_actor)
    assert send() == 0
    resume_endpoint(endpoint, by=alice_actor)
    assert send() == 1


def test_deleting_takes_the_log_with_it(endpoint, quiet, tell, send, alice_actor):
    tell(("run.failed", {"run": "1"}), ("run.failed", {"run": "2"}))
    send()
    replay_delivery(WebhookDelivery.objects.first(), by=alice_actor)
    delete_endpoint(endpoint, by=alice_actor)
    assert not any(model.objects.exists() for model in (WebhookEndpoint, WebhookDelivery, WebhookTry))


def test_a_replay_has_the_same_id_and_body(endpoint, quiet, tell, receiver, send, alice_actor):
    (row,) = tell(("run.failed", {"run": "1"}))
    send()
    row.refresh_from_db()
    copy = replay_delivery(row, by=alice_actor)
    assert copy.replay_of == row
    assert send() == 1
    (first, body), (again, same) = receiver.heard
    assert (first["X-Rostrum-Id"], body) == (again["X-Rostrum-Id"], same)


def test_what_is_under_way_is_not_replayed(endpoint, quiet, tell, alice_actor):
    (row,) = tell(("run.failed", {"run": "1"}))
    with pytest.raises(ValidationError, match="still being sent"):
        replay_delivery(row, by=alice_actor)


def test_all_that_failed_is_sent_again_once_and_in_order(endpoint, quiet, tell, receiver, send, alice_actor):
    rows = tell(*[("run.waiting", {"run": str(n), "action": str(n)}) for n in range(5)])
    WebhookDelivery.objects.update(status="failed")
    WebhookDelivery.objects.filter(pk=rows[0].pk).update(created_at=LONG_AGO)
    WebhookDelivery.objects.filter(pk=rows[1].pk).update(status="delivered")
    since = now() - timedelta(days=1)
    assert [replay_failed(endpoint, since, by=alice_actor) for _ in range(2)] == [3, 0]
    copies = WebhookDelivery.objects.exclude(replay_of=None).order_by("id")
    assert [copy.replay_of_id for copy in copies] == [row.pk for row in rows[2:]]
    assert send() == 3


def test_a_test_says_at_once_what_came_of_it_and_counts_for_nothing(endpoint, receiver, alice_actor, send):
    receiver.answers.append((500, {}))
    failed, fine = try_endpoint(endpoint.pk, by=alice_actor), try_endpoint(endpoint.pk, by=alice_actor)
    assert (failed.status, fine.status) == ("failed", "delivered")
    assert failed.log.get().status_code == 500
    assert receiver.kinds == ["webhook.test"] * 2
    endpoint.refresh_from_db()
    assert (endpoint.failures_in_row, endpoint.last_ok_at) == (0, None)
    assert send() == 0
    assert replay_failed(endpoint, LONG_AGO, by=alice_actor) == 0
    with pytest.raises(ValidationError, match="Send a new one"):
        replay_delivery(failed, by=alice_actor)


def test_a_paused_one_can_be_tested(endpoint, receiver, alice_actor):
    pause_endpoint(endpoint, by=alice_actor)
    assert try_endpoint(endpoint.pk, by=alice_actor).status == "delivered"


def test_tests_are_not_a_way_to_flood_somebody(endpoint, receiver, alice_actor):
    with pytest.raises(ValidationError, match="Too many tests"):
        [try_endpoint(endpoint.pk, by=alice_actor) for _ in range(11)]
    assert len(receiver.heard) == 10


def test_a_stranger_cannot_test_it(endpoint, receiver, charlie_actor):
    with pytest.raises(Http404):
        try_endpoint(endpoint.pk, by=charlie_actor)
    assert receiver.heard == []


def test_only_those_who_may_change_settings_may_do_anything(endpoint, quiet, tell, bob_actor, receiver):
    (row,) = tell(("run.failed", {"run": "1"}))
    acts = [
        lambda: create_endpoint(URL, ["*"], by=bob_actor),
        lambda: update_endpoint(endpoint, by=bob_actor, label="Mine"),
        lambda: rotate_secret(endpoint, by=bob_actor),
        lambda: pause_endpoint(endpoint, by=bob_actor),
        lambda: resume_endpoint(endpoint, by=bob_actor),
        lambda: delete_endpoint(endpoint, by=bob_actor),
        lambda: replay_delivery(row, by=bob_actor),
        lambda: replay_failed(endpoint, LONG_AGO, by=bob_actor),
        lambda: try_endpoint(endpoint.pk, by=bob_actor),
    ]
    for act in acts:
        with pytest.raises(PermissionDenied):
            act()
    assert audited() == ["webhook.create"]
