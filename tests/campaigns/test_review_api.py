"""The review queue over the API: claims, reasons, holds, bulk decisions, history."""

from datetime import timedelta

import pytest

from accounts.models import Workspace
from campaigns.models import Delivery
from compliance.models import Review, WorkspaceTerm
from compliance.services import claim_review, hold_review
from lib.clock import now
from lib.ids import uuid7
from tests.campaigns.cast import add_post

pytestmark = pytest.mark.django_db
URL = "/api/reviews"


@pytest.fixture
def ask(bob_actor, roastery, submitted):
    def run(text: str = "Fresh beans.", **fields) -> Review:
        return submitted(add_post(bob_actor, roastery, text=text, **fields))[0]

    return run


@pytest.fixture
def rita_api(api, rita):
    return api(rita)


def act(client, review: Review, name: str, **body):
    return client.post(f"{URL}/{review.pk}/{name}", body, format="json")


def fresh(review: Review) -> Review:
    return Review.objects.get(pk=review.pk)


def test_one_review_comes_with_its_facts_and_its_history(rita_api, ask, rita_actor):
    review = ask()
    claim_review(review, by=rita_actor)
    row = rita_api.get(f"{URL}/{review.pk}").json()
    assert (row["risk"], row["is_late"], row["escalation_level"], row["hold_reason"]) == ("low", False, 0, None)
    assert row["guard"]["verdict"] == "allow"
    assert row["claimed_by"] == "Rita"
    assert row["due_at"] < row["expires_at"]
    assert [event["kind"] for event in row["events"]] == ["requested", "claimed"]
    assert row["events"][0]["by"] == "Bob"


def test_the_list_is_narrowed_by_risk_scope_and_lateness(rita_api, ask, campaign):
    plain, late, of_campaign = ask("1"), ask("2"), ask("3", campaign=campaign)
    Review.objects.filter(pk=late.pk).update(due_at=now() - timedelta(minutes=1), risk="high")

    def found(**query) -> set[str]:
        return {row["id"] for row in rita_api.get(URL, query).json()["results"]}

    assert found() == {str(row.pk) for row in (plain, late, of_campaign)}
    assert found(late="true") == found(risk="high") == {str(late.pk)}
    assert found(scope=str(campaign.pk)) == {str(of_campaign.pk)}
    assert rita_api.get(URL, {"risk": "wild"}).status_code == 400


def test_a_claim_is_shown_kept_and_given_back(rita_api, api, alice, ask):
    review = ask()
    assert act(rita_api, review, "claim").json()["claimed_by"] == "Rita"
    assert act(rita_api, review, "claim").status_code == 200
    refused = act(api(alice), review, "claim")
    assert (refused.status_code, refused.json()["code"]) == (409, "review_claimed")
    assert "Rita is looking at this until" in refused.json()["detail"]
    for name, body in (("approve", {"hash": review.action_hash}), ("reject", {"reason": "x"})):
        answer = act(api(alice), review, name, **body)
        assert (answer.status_code, answer.json()["code"]) == (409, "review_claimed")
    assert act(rita_api, review, "release").json()["claimed_by"] is None
    assert act(api(alice), review, "approve", hash=review.action_hash).status_code == 200


def test_hold_and_resume(rita_api, ask):
    review = ask()
    assert act(rita_api, review, "hold", reason="Wait").json()["hold_reason"] == "Wait"
    answer = act(rita_api, review, "approve", hash=review.action_hash)
    assert (answer.status_code, answer.json()["code"]) == (409, "review_held")
    assert act(rita_api, review, "resume").json()["hold_reason"] is None
    assert act(rita_api, review, "resume").status_code == 409
    assert act(rita_api, review, "approve", hash=review.action_hash).json()["decided_by"] == "Rita"


@pytest.mark.parametrize(
    ("name", "status"), [("alice", 200), ("rita", 200), ("bob", 403), ("vic", 403), ("gwen", 403), ("charlie", 404)]
)
def test_every_role_is_asked_to_resume(name, status, request, api, ask, rita_actor, other_workspace):
    review = ask()
    hold_review(review, by=rita_actor, reason="Wait")
    assert act(api(request.getfixturevalue(name)), review, "resume").status_code == status


def test_changes_go_back_with_the_reason(rita_api, ask):
    review = ask()
    answer = act(rita_api, review, "changes", reason="Shorter")
    assert (answer.json()["status"], answer.json()["reason"]) == ("changes", "Shorter")
    assert Delivery.objects.get().state == "draft"


@pytest.mark.parametrize("name", ["changes", "hold", "reject"])
@pytest.mark.parametrize("reason", ["", "  ", None])
def test_a_reason_is_wanted(name, reason, rita_api, ask):
    answer = act(rita_api, ask(), name, reason=reason)
    assert (answer.status_code, list(answer.json()["errors"])) == (400, ["reason"])


def test_a_rule_that_forbids_it_now_is_a_clear_problem(rita_api, ask, in_workspace):
    review = ask()
    WorkspaceTerm.objects.create(workspace=in_workspace, term="beans", kind="block", reason="We sell tea now.")
    answer = act(rita_api, review, "approve", hash=review.action_hash)
    assert (answer.status_code, answer["Content-Type"]) == (400, "application/problem+json")
    assert answer.json()["errors"]["detail"]
    assert fresh(review).status == "waiting"


def test_a_comment_joins_the_history(rita_api, api, bob, vic, ask):
    review = ask()
    assert act(api(bob), review, "comment", text="Urgent").status_code == 200
    assert act(api(vic), review, "comment", text="Hm").status_code == 403
    assert rita_api.get(f"{URL}/{review.pk}").json()["events"][-1]["text"] == "Urgent"


# --- several at once --------------------------------------------------------------------------------------


def bulk(client, *reviews: Review, action: str = "approve", **body):
    rows = [{"id": str(row.pk), "hash": row.action_hash} for row in reviews]
    return client.post(f"{URL}/bulk", {"action": action, "reviews": rows} | body, format="json")


def test_harmless_ones_are_approved_and_the_rest_named(rita_api, ask):
    good, risky = ask("1"), ask("2")
    Review.objects.filter(pk=risky.pk).update(risk="medium")
    answer = bulk(rita_api, good, risky).json()
    assert answer["done"] == [str(good.pk)]
    assert answer["left"] == [{"id": str(risky.pk), "why": "Its risk is medium: open it."}]


def test_all_are_rejected_with_one_reason(rita_api, ask):
    rows = [ask("1"), ask("2")]
    assert len(bulk(rita_api, *rows, action="reject", reason="Old").json()["done"]) == 2
    assert {fresh(row).reason for row in rows} == {"Old"}
    assert bulk(rita_api, *rows, action="reject", reason="").status_code == 400


def test_a_foreign_review_is_answered_like_a_missing_one(api, charlie, other_workspace, ask):
    review = ask()
    missing = Review(pk=uuid7(), action_hash=review.action_hash)
    for row in (review, missing):
        answer = bulk(api(charlie), row)
        assert answer.json() == {"done": [], "left": [{"id": str(row.pk), "why": "No such review."}]}
    assert fresh(review).status == "waiting"


@pytest.mark.parametrize("body", [{"action": "wild"}, {"reviews": []}, {"reviews": [{"id": "x"}]}, {"reviews": "x"}])
def test_nonsense_is_refused(body, rita_api, ask):
    assert bulk(rita_api, ask(), **body).status_code == 400


def test_no_key_decides(api, api_key, ask):
    review = ask()
    client = api(api_key())
    assert bulk(client, review).status_code == 403
    for name in ("claim", "release", "approve", "changes", "reject", "hold", "resume"):
        assert act(client, review, name, reason="x", hash=review.action_hash).status_code == 403
    assert fresh(review).status == "waiting"


def test_four_eyes_hold_at_this_door_too(api, alice, alice_actor, roastery, submitted, in_workspace):
    Workspace.objects.update(four_eyes=True)
    [review] = submitted(add_post(alice_actor, roastery))
    assert act(api(alice), review, "approve", hash=review.action_hash).status_code == 403
    assert [one["why"] for one in bulk(api(alice), review).json()["left"]] == [
        "You worked on it: somebody else has to look."
    ]
