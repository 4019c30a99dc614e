from datetime import UTC, datetime

import pytest

from accounts.scope import workspace_scope
from campaigns.models import Delivery
from tests.campaigns.cast import add_connection, add_post

pytestmark = pytest.mark.django_db
URL = "/api/tasks/publish"
MISSING = "018f0000-0000-7000-8000-000000000000"
LATER = datetime(2090, 1, 1, 9, tzinfo=UTC)


@pytest.fixture
def bob_api(api, bob):
    return api(bob)


@pytest.fixture
def make(bob_actor, in_workspace):
    def delivery(state: str = "approved") -> Delivery:
        connection = add_connection(in_workspace, f"account {Delivery.objects.count()}")
        post = add_post(bob_actor, connection)
        Delivery.objects.filter(post=post).update(state=state, approved_hash="hash")
        return Delivery.objects.get(post=post)

    return delivery


def send(client, **body) -> list[dict]:
    answer = client.post(URL, body, format="json")
    assert answer.status_code == 200, answer.content
    return answer.json()["results"]


def state(delivery: Delivery) -> str:
    return Delivery.objects.get(pk=delivery.pk).state


def test_approved_deliveries_are_sent_now(bob_api, make):
    rows = [make(), make()]
    results = send(bob_api, deliveries=[str(row.pk) for row in rows])
    assert [(r["delivery"], r["ok"], r["state"]) for r in results] == [(str(r.pk), True, "scheduled") for r in rows]
    assert Delivery.objects.filter(due_at__isnull=False).count() == 2


def test_approved_deliveries_are_planned(bob_api, make):
    row = make()
    (result,) = send(bob_api, deliveries=[str(row.pk)], at=LATER.isoformat())
    assert (result["ok"], result["scheduled_at"]) == (True, "2090-01-01T09:00:00Z")
    assert Delivery.objects.get().due_at == LATER


def test_post_stands_for_all_its_deliveries(bob_api, bob_actor, in_workspace):
    post = add_post(bob_actor, add_connection(in_workspace, "a"), add_connection(in_workspace, "b"))
    Delivery.objects.update(state="approved")
    results = send(bob_api, posts=[str(post.pk)])
    assert [(r["post"], r["ok"]) for r in results] == [(str(post.pk), True)] * 2


def test_delivery_named_twice_is_sent_once(bob_api, make):
    row = make()
    assert len(send(bob_api, posts=[str(row.post_id)], deliveries=[str(row.pk), str(row.pk)])) == 1


@pytest.mark.parametrize("before", ["draft", "in_review", "canceled"])
@pytest.mark.parametrize("when", [None, LATER.isoformat()])
def test_nothing_unapproved_is_sent_or_planned(bob_api, make, before, when):
    row = make(before)
    (result,) = send(bob_api, deliveries=[str(row.pk)], at=when)
    assert (result["ok"], result["code"], result["state"]) == (False, "not_approved", before)
    row.refresh_from_db()
    assert (row.state, row.scheduled_at, row.due_at) == (before, None, None)


@pytest.mark.parametrize("before", ["published", "publishing", "unconfirmed"])
def test_what_is_out_is_not_sent_again(bob_api, make, before):
    row = make(before)
    (result,) = send(bob_api, deliveries=[str(row.pk)])
    assert (result["ok"], result["code"], state(row)) == (False, "not_allowed_now", before)


def test_one_refusal_does_not_hold_back_the_others(bob_api, make):
    draft, approved = make("draft"), make()
    results = send(bob_api, deliveries=[str(draft.pk), str(approved.pk)])
    assert [r["ok"] for r in results] == [False, True]
    assert (state(draft), state(approved)) == ("draft", "scheduled")


def test_past_time_is_refused_per_delivery(bob_api, make):
    row = make()
    (result,) = send(bob_api, deliveries=[str(row.pk)], at="2020-01-01T09:00:00Z")
    assert (result["ok"], result["code"], state(row)) == (False, "invalid", "approved")


def test_unknown_and_foreign_ids_are_answered_alike(bob_api, charlie_actor):
    with workspace_scope(charlie_actor.workspace.pk):
        theirs = add_post(charlie_actor, add_connection(charlie_actor.workspace))
        foreign = str(Delivery.objects.get().pk)
    results = send(bob_api, deliveries=[foreign, MISSING], posts=[str(theirs.pk), MISSING])
    shown = [{k: v for k, v in result.items() if k not in {"post", "delivery"}} for result in results]
    assert shown[0] == shown[1]
    assert shown[2] == shown[3]
    assert {result["code"] for result in results} == {"not_found"}


@pytest.mark.parametrize("body", [{}, {"posts": []}, {"deliveries": ["7"]}, {"posts": [MISSING] * 101}])
def test_request_that_names_nothing_usable_is_refused(bob_api, body):
    assert bob_api.post(URL, body, format="json").status_code == 400


def test_reviewer_cannot_publish(api, rita, make):
    row = make()
    assert api(rita).post(URL, {"deliveries": [str(row.pk)]}, format="json").status_code == 403
    assert state(row) == "approved"
