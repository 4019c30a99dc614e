"""GET /api/attention and /api/preflight, and the acts on many."""

from collections.abc import Callable
from datetime import timedelta
from uuid import uuid4

import pytest
from django.db import connection as database
from django.test.utils import CaptureQueriesContext

from accounts.access import Actor
from campaigns.models import Delivery
from campaigns.rendering import render
from lib.clock import now
from social.models import Connection
from tests.campaigns.cast import add_connection, add_post, set_state

State = Delivery.State
SETTLE = "/api/deliveries/settle-missed"


@pytest.fixture
def bob_api(api, bob):
    return api(bob)


@pytest.fixture
def stuck(bob_actor: Actor, roastery: Connection) -> Callable[..., Delivery]:
    def make(state: str = State.FAILED, code: str = "ended") -> Delivery:
        row = Delivery.objects.get(post=add_post(bob_actor, roastery, text=f"{now()}", title="Beans"))
        why = {"problem_code": code, "problem_text": f"Because {code}.", "approved_hash": render(row).content_hash}
        at = now() - timedelta(hours=3)
        Delivery.objects.filter(pk=row.pk).update(state=state, scheduled_at=at, fence=1, **why)
        return Delivery.objects.get(pk=row.pk)

    return make


# --- read -------------------------------------------------------------------------------------------------


def test_attention_counts_and_lists_every_kind(bob_api, stuck) -> None:
    failed, missed, unsure = stuck(), stuck(State.MISSED), stuck(State.UNCONFIRMED)
    data = bob_api.get("/api/attention").json()
    assert data["counts"] == {
        "failed": 1,
        "unconfirmed": 1,
        "missed": 1,
        "risk": 0,
        "reviews": 0,
        "connections": 0,
    }
    assert [data[kind][0]["id"] for kind in ("failed", "missed", "unconfirmed")] == [
        str(row.pk) for row in (failed, missed, unsure)
    ]


def test_attention_names_the_causes(bob_api, stuck, roastery) -> None:
    stuck()
    stuck()
    (cause,) = bob_api.get("/api/attention").json()["causes"]
    assert cause == {
        "connection": {"id": str(roastery.pk), "network": "x", "handle": "roastery"},
        "code": "ended",
        "text": "Because ended.",
        "count": 2,
        "can_retry": True,
    }


def test_attention_says_what_is_at_risk_and_why(bob_api, post) -> None:
    set_state(post, State.SCHEDULED, scheduled_at=now() + timedelta(hours=1), risk="red", risk_text="No money.")
    (row,) = bob_api.get("/api/attention").json()["risk"]
    assert (row["risk"], row["risk_text"]) == ("red", "No money.")


def test_attention_names_accounts_and_what_waits_for_them(bob_api, post) -> None:
    set_state(post, State.SCHEDULED)
    Connection.objects.update(status="reconnect", status_text="X took it back.")
    (row,) = bob_api.get("/api/attention").json()["connections"]
    assert (row["handle"], row["status"], row["text"], row["waiting"]) == (
        "roastery",
        "reconnect",
        "X took it back.",
        1,
    )


def test_attention_names_what_the_caller_may_decide(api, rita, bob_api, post, submitted) -> None:
    (review,) = submitted(post)
    assert [row["id"] for row in api(rita).get("/api/attention").json()["reviews"]] == [str(review.pk)]
    assert bob_api.get("/api/attention").json()["reviews"] == []


def test_attention_names_an_outage(bob_api, stuck) -> None:
    rows = [stuck(State.MISSED) for _ in range(3)]
    (outage,) = bob_api.get("/api/attention").json()["outages"]
    assert set(outage["deliveries"]) == {str(row.pk) for row in rows}


def test_preflight_says_level_and_reasons(bob_api, post) -> None:
    set_state(post, State.IN_REVIEW, scheduled_at=now() + timedelta(minutes=30))
    data = bob_api.get("/api/preflight").json()
    assert data["counts"] == {"green": 0, "amber": 0, "red": 1}
    (row,) = data["results"]
    assert row["level"] == "red"
    assert [finding["code"] for finding in row["findings"]] == ["approval", "no_access"]


@pytest.mark.parametrize("path", ["/api/attention", "/api/preflight"])
def test_more_rows_cost_no_more_queries(bob_api, stuck, post, path: str) -> None:
    def count() -> int:
        with CaptureQueriesContext(database) as queries:
            assert bob_api.get(path).status_code == 200
        return len(queries)

    def add() -> None:
        stuck()
        stuck(State.MISSED)
        Delivery.objects.filter(pk=stuck(State.SCHEDULED).pk).update(due_at=now() + timedelta(hours=1), risk="red")

    add()
    first = count()
    for _ in range(4):
        add()
    assert count() == first


# --- retry all --------------------------------------------------------------------------------------------


def retry(client, connection_id: object, **body):
    return client.post(f"/api/connections/{connection_id}/retry-failed", body, format="json")


def test_retry_plans_what_failed_and_says_when(bob_api, stuck, roastery) -> None:
    stuck()
    stuck(State.MISSED)
    data = retry(bob_api, roastery.pk).json()
    assert [row["state"] for row in data["planned"]] == ["scheduled", "scheduled"]
    assert (data["left_out"], data["remaining"]) == ([], 0)


def test_retry_says_what_it_left_out_and_why(bob_api, stuck, roastery) -> None:
    row = stuck()
    row.post.parts.update(text="Changed")
    (left,) = retry(bob_api, roastery.pk).json()["left_out"]
    assert left["delivery"] == str(row.pk)
    assert "not what was approved" in left["detail"]


def test_retry_of_one_cause_leaves_the_others(bob_api, stuck, roastery) -> None:
    stuck("failed", "other")
    assert retry(bob_api, roastery.pk, code="ended").json()["planned"] == []


def test_retry_of_an_account_that_does_not_work_is_a_conflict(bob_api, stuck, roastery) -> None:
    stuck()
    Connection.objects.update(status="reconnect")
    answer = retry(bob_api, roastery.pk)
    assert (answer.status_code, answer.json()["code"]) == (409, "not_allowed_now")


def test_the_same_retry_with_the_same_key_is_done_once(bob_api, stuck, roastery) -> None:
    stuck()
    first = bob_api.post(f"/api/connections/{roastery.pk}/retry-failed", {}, format="json", HTTP_IDEMPOTENCY_KEY="once")
    again = bob_api.post(f"/api/connections/{roastery.pk}/retry-failed", {}, format="json", HTTP_IDEMPOTENCY_KEY="once")
    assert again.headers["Idempotent-Replayed"] == "true"
    assert again.json() == first.json()


def test_a_viewer_retries_nothing(api, vic, stuck, roastery) -> None:
    stuck()
    assert retry(api(vic), roastery.pk).status_code == 403
    assert Delivery.objects.get().state == State.FAILED


def test_a_stranger_does_not_find_the_account(api, charlie, other_workspace, roastery) -> None:
    assert retry(api(charlie), roastery.pk).status_code == 404


# --- settle what was missed -------------------------------------------------------------------------------


def settle(client, *rows: object, **body):
    ids = [str(getattr(row, "pk", row)) for row in rows]
    return client.post(SETTLE, {"deliveries": ids, **body}, format="json")


def test_settling_answers_for_each(bob_api, stuck) -> None:
    good, failed = stuck(State.MISSED), stuck(State.FAILED)
    results = {row["delivery"]: row for row in settle(bob_api, good, failed, action="send").json()["results"]}
    assert results[str(good.pk)]["ok"] is True
    assert results[str(good.pk)]["scheduled_at"]
    assert results[str(failed.pk)]["detail"] == "It is failed, so somebody settled it already."


def test_an_unknown_id_is_named_and_stops_nothing(bob_api, stuck) -> None:
    row, unknown = stuck(State.MISSED), uuid4()
    results = settle(bob_api, row, unknown, action="drop").json()["results"]
    assert [(one["ok"], one["detail"]) for one in results] == [(True, ""), (False, "There is no such delivery.")]


def test_a_foreign_id_is_answered_like_an_unknown_one(api, charlie, other_workspace, stuck) -> None:
    row, unknown = stuck(State.MISSED), uuid4()
    found = [settle(api(charlie), pk, action="drop").json()["results"][0] for pk in (row, unknown)]
    assert [one | {"delivery": ""} for one in found] == [
        {"delivery": "", "ok": False, "scheduled_at": None, "detail": "There is no such delivery."}
    ] * 2
    assert Delivery.objects.get().state == State.MISSED


@pytest.mark.parametrize(
    "body",
    [{}, {"action": "explode"}, {"action": "move"}, {"action": "move", "days": -1}, {"action": "move", "hours": "x"}],
)
def test_an_act_that_makes_no_sense_is_refused(bob_api, stuck, body) -> None:
    assert settle(bob_api, stuck(State.MISSED), **body).status_code == 400


def test_nothing_chosen_is_refused(bob_api, in_workspace) -> None:
    assert settle(bob_api, action="drop").status_code == 400


@pytest.mark.parametrize("who", ["rita", "vic"])
def test_only_who_may_publish_settles(request, api, stuck, who: str) -> None:
    row = stuck(State.MISSED)
    assert settle(api(request.getfixturevalue(who)), row, action="drop").status_code == 403


@pytest.mark.parametrize("path", ["/api/attention", "/api/preflight"])
def test_guests_are_told_nothing(api, gwen, stuck, path: str) -> None:
    stuck()
    assert api(gwen).get(path).status_code == 403


def test_another_workspace_sees_nothing(api, charlie, other_workspace, stuck) -> None:
    stuck()
    assert api(charlie).get("/api/attention").json()["counts"]["failed"] == 0


def test_a_second_account_is_not_retried_with_the_first(bob_api, stuck, in_workspace) -> None:
    stuck()
    assert retry(bob_api, add_connection(in_workspace, "calm").pk).json()["planned"] == []
